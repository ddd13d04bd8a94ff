// A client of a cluster's binary port: core/router's decisions (whom to ask, when to ask again) on real connections.
// Asynchronous inside, driven by its caller: nothing happens outside the run functions.
//
// Threading: one thread per Client. Several Clients may live on several threads.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/ids.h"
#include "core/base/time.h"
#include "core/router/protocol.h"
#include "core/router/router.h"
#include "net/driver/settings.h"

namespace coffer::net {

struct ClientTarget {
  NodeId node;
  Endpoint client;  ///< the node's `client` listener
};

struct ClientConfig {
  std::vector<ClientTarget> targets;  ///< ascending by node, not empty
  std::uint32_t shards = 1;           ///< as the cluster was founded; only Mode::to_leaders needs it
  router::Mode mode = router::Mode::to_proxies;
  Duration attempt_timeout = milliseconds(500);
};

class Client {
 public:
  explicit Client(const ClientConfig& config);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// `body`: an encoded router::Request; the answer, an encoded router::Reply, comes to `done` exactly once, at the
  /// latest when the request's patience ends, while somebody runs this client.
  using Done = std::function<void(Bytes reply)>;
  void submit(Bytes body, Done done);
  /// Asks this very node, without routing or retry (node_status). `done` gets the encoded reply, or nothing when the
  /// node did not answer within `patience`.
  using Answered = std::function<void(std::optional<Bytes> reply)>;
  void submit_to(NodeId node, Bytes body, Duration patience, Answered done);
  std::size_t outstanding() const;

  /// Lets what is ready happen; waits for the first event at most this long.
  void run_some(Duration wait_max);
  /// Runs until nothing is outstanding.
  void run_all();
  /// Asks and waits. A reply that cannot be read counts as unknown.
  router::Reply ask(const router::Request& request);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

/// What each target says of itself, in the order of the targets; nothing where it did not answer.
std::vector<std::optional<router::NodeStatusReply>> ask_status(Client& client, const std::vector<ClientTarget>& targets,
                                                               Duration patience);
/// The targets of a cluster's settings.
std::vector<ClientTarget> targets_of(const NodeSettings& settings);

}  // namespace coffer::net
