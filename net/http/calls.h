// From an HTTP request to a request the node understands, and from its reply to an HTTP answer. Every check of the
// edge that needs no state is here. Pure: no sockets, no clocks.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "core/base/bytes.h"
#include "core/base/ids.h"
#include "core/base/money.h"
#include "core/base/time.h"
#include "core/router/protocol.h"
#include "net/driver/driver.h"
#include "net/http/messages.h"
#include "net/http/problems.h"
#include "net/http/routes.h"

namespace coffer::net {

inline constexpr std::size_t http_header_bytes_max = 16u << 10;
inline constexpr std::size_t http_body_bytes_max = 64u << 10;

/// What is asked of the node, and what its reply will be told in terms of.
struct Call {
  HttpRoute route;
  Bytes request;  ///< an encoded router::Request
  std::uint32_t patience_ms = 5000;
  TransferId transaction{};  ///< of a request about a hold: the hold's id
  std::string account{};     ///< the account read, or the home account of the transfer, split or hold
  Currency currency{};
  router::Consistency consistency = router::Consistency::linearizable;
  bool verbose = false;
};

/// Everything that can be said before the body has been read: route, method, media types. Nothing when all is well.
std::optional<HttpResponse> refuse_head(HttpListener listener, const HttpRequest& request);
/// The answer itself where the node need not be asked (mistakes, /livez), else the call.
std::variant<HttpResponse, Call> read_call(HttpListener listener, const HttpRequest& request);
/// `reply`: an encoded router::Reply. `now`: for the age of eventual reads.
HttpResponse answer(const Call& call, ByteView reply, const DriverCounters& counters, WallTime now);
/// What a member of the cluster knows of it: settings (net/driver/settings.h) with everybody it knows.
HttpResponse answer_cluster(const NodeSettings& settings);
/// When the node did not answer within the patience and a bit.
HttpResponse answer_late(const Call& call);
/// When this request's patience ended while another one with the same id goes on.
HttpResponse answer_still_running(const Call& call);

/// A sum of minor units, beyond int64 too, with the currency's decimals.
std::string format_sum(__int128 minor, Currency currency);

}  // namespace coffer::net
