// The reverse proxy's and the client's decisions: which node to ask, when to ask again, when to give up. Splits a
// request by shard, follows leader hints, retries with the same ids until the deadline, and never turns unknown into
// failure. One machine for both: a proxy (or a fast client) asks leaders directly, a plain client asks proxies.
// Single-threaded, sans io.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/ids.h"
#include "core/base/prng.h"
#include "core/base/time.h"
#include "core/base/trace.h"
#include "core/router/protocol.h"
#include "core/router/shard_map.h"

namespace coffer::router {

enum class Mode : std::uint8_t {
  to_leaders,  ///< split by shard; Route::direct requests to whoever leads (proxies, fast clients)
  to_proxies,  ///< the whole request, Route::proxied, to one node at a time; another one after a time-out
};

struct RouterConfig {
  Mode mode = Mode::to_leaders;
  std::vector<NodeId> nodes;  ///< ascending
  Duration attempt_timeout;   ///< then the attempt's fate is unknown and another is made
  Duration retry_delay = milliseconds(
      20);  ///< before asking again after not_leader / no_leader / overloaded (doubling, jittered, capped at 16x)
  std::uint32_t requests_max = 1u << 14;  ///< more outstanding requests are refused as overloaded
  /// to_proxies: so much longer than a request says its caller waits, for what the proxies say at their deadline. No
  /// attempt is made then.
  Duration outwait = {};
};

/// The caller's name for a request.
using Ticket = std::uint64_t;

struct RouterOutput {
  struct Attempt {
    NodeId to;
    std::uint64_t attempt;  ///< echoed with the reply
    Bytes body;             ///< an encoded Request
  };
  struct Done {
    Ticket ticket;
    Bytes reply;  ///< an encoded Reply
  };
  std::vector<Attempt> attempts;
  std::vector<Done> done;
  std::vector<TraceEvent> trace;
};

class Router {
 public:
  Router(RouterConfig config, ShardMap map, Prng prng);
  ~Router();

  /// Takes a request (malformed ones are answered at once). Exactly one Done follows, at the latest when its patience
  /// ends, and config.outwait is over.
  void submit(Instant now, Ticket ticket, ByteView body, RouterOutput& out);
  /// The answer to an attempt; late and unknown ones are ignored.
  void on_reply(Instant now, std::uint64_t attempt, ByteView reply, RouterOutput& out);
  /// Attempts under way to this node may have been lost or executed: their fate is unknown; they are made again.
  void on_disconnect(Instant now, NodeId node, RouterOutput& out);
  /// A node that joined: from now on it may be asked, and hinted at as a leader. One already known changes nothing.
  void meet(NodeId node);
  /// Prefer this leader for a shard (learned elsewhere).
  void hint(ShardId shard, NodeId leader);
  void tick(Instant now, RouterOutput& out);
  Instant wake_at() const;
  std::size_t outstanding() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace coffer::router
