#include "net/http/routes.h"

#include <algorithm>
#include <utility>

namespace coffer::net {

namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/// Whether `path` has the shape of `pattern`; the segment at "{id}" goes to `id`.
bool matches(std::string_view pattern, std::string_view path, std::string_view& id) {
  const std::size_t hole = pattern.find("{id}");
  if (hole == std::string_view::npos) {
    return pattern == path;
  }
  const std::string_view before = pattern.substr(0, hole);
  const std::string_view after = pattern.substr(hole + 4);
  if (path.size() <= before.size() + after.size() || path.substr(0, before.size()) != before ||
      path.substr(path.size() - after.size()) != after) {
    return false;
  }
  id = path.substr(before.size(), path.size() - before.size() - after.size());
  return id.find('/') == std::string_view::npos;
}

}  // namespace

const std::vector<RouteRow>& all_routes() {
  using R = HttpRoute;
  constexpr HttpListener clients = HttpListener::clients;
  constexpr HttpListener admin = HttpListener::admin;
  static const std::vector<RouteRow> routes = {
      {R::balance_transfer, clients, "POST", "/v1/wallet/balance_transfer"},
      {R::split, clients, "POST", "/v1/wallet/split"},
      {R::open_account, clients, "POST", "/v1/accounts"},
      {R::deposit, clients, "POST", "/v1/deposits"},
      {R::withdrawal, clients, "POST", "/v1/withdrawals"},
      {R::balance, clients, "GET", "/v1/accounts/{id}/balance"},
      {R::account, clients, "GET", "/v1/accounts/{id}"},
      {R::freeze, clients, "POST", "/v1/accounts/{id}/freeze"},
      {R::unfreeze, clients, "POST", "/v1/accounts/{id}/unfreeze"},
      {R::close, clients, "POST", "/v1/accounts/{id}/close"},
      {R::place_hold, clients, "POST", "/v1/holds"},
      {R::capture_hold, clients, "POST", "/v1/holds/{id}/capture"},
      {R::void_hold, clients, "POST", "/v1/holds/{id}/void"},
      {R::hold, clients, "GET", "/v1/holds/{id}"},
      {R::transfer_status, clients, "GET", "/v1/transfers/{id}"},
      {R::openapi, clients, "GET", "/openapi.json"},
      {R::trial_balance, admin, "GET", "/v1/admin/trial_balance"},
      {R::cluster, admin, "GET", "/v1/admin/cluster"},
      {R::node, admin, "GET", "/v1/admin/node"},
      {R::livez, admin, "GET", "/livez"},
      {R::readyz, admin, "GET", "/readyz"},
  };
  return routes;
}

RouteMatch match_route(HttpListener listener, std::string_view method, std::string_view path) {
  RouteMatch match;
  for (const RouteRow& row : all_routes()) {
    std::string_view id;
    if (row.listener != listener || !matches(row.path, path, id)) {
      continue;
    }
    match.allow.append(match.allow.empty() ? "" : ", ").append(row.method);
    if (row.method == method) {
      match.route = row.route;
      match.id = percent_decoded(id).value_or("");
    }
  }
  return match;
}

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
    if (low < 0) {
      return std::nullopt;
    }
    out.push_back(static_cast<char>(high * 16 + low));
    i += 2;
  }
  return out;
}

std::optional<std::vector<QueryParameter>> parse_query(std::string_view query) {
  std::vector<QueryParameter> parameters;
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view part = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (part.empty()) {
      continue;
    }
    const std::size_t equals = std::min(part.find('='), part.size());
    std::optional<std::string> name = percent_decoded(part.substr(0, equals));
    std::optional<std::string> value = percent_decoded(part.substr(std::min(equals + 1, part.size())));
    if (!name || !value) {
      return std::nullopt;
    }
    parameters.push_back({std::move(*name), std::move(*value)});
  }
  return parameters;
}

}  // namespace coffer::net
