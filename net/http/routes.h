// The routes of both HTTP listeners: one table of paths, methods and listeners. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace coffer::net {

enum class HttpListener : std::uint8_t { clients, admin };

enum class HttpRoute : std::uint8_t {
  balance_transfer,
  open_account,
  deposit,
  withdrawal,
  split,
  account,
  freeze,
  unfreeze,
  close,
  place_hold,
  capture_hold,
  void_hold,
  hold,
  balance,
  transfer_status,
  openapi,
  trial_balance,
  cluster,
  node,
  livez,
  readyz,
};

constexpr bool changes_account(HttpRoute route) { return route >= HttpRoute::freeze && route <= HttpRoute::close; }

constexpr bool writes_hold(HttpRoute route) { return route >= HttpRoute::place_hold && route <= HttpRoute::void_hold; }

constexpr bool moves_money(HttpRoute route) {
  return route == HttpRoute::balance_transfer || route == HttpRoute::deposit || route == HttpRoute::withdrawal ||
         route == HttpRoute::split;
}

/// Whether the request moves or keeps money under an id.
constexpr bool has_id(HttpRoute route) { return moves_money(route) || writes_hold(route); }

struct RouteRow {
  HttpRoute route;
  HttpListener listener;
  std::string_view method;
  std::string_view path;  ///< "{id}" stands for one segment
};
const std::vector<RouteRow>& all_routes();

struct RouteMatch {
  std::optional<HttpRoute> route;  ///< nothing: no such path, or it has other methods
  std::string allow;               ///< the path's methods; empty when there is no such path
  std::string id;                  ///< percent-decoded; empty where the route has none, or it cannot be decoded
};
RouteMatch match_route(HttpListener listener, std::string_view method, std::string_view path);

/// Nothing for a percent sign not followed by two digits. `+` is a plus.
std::optional<std::string> percent_decoded(std::string_view text);

struct QueryParameter {
  std::string name;
  std::string value;
};
/// Nothing when a name or value cannot be decoded.
std::optional<std::vector<QueryParameter>> parse_query(std::string_view query);

}  // namespace coffer::net
