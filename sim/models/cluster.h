// All machines and the network between them and their clients: executes the events that belong to them and tells, in
// order, what an onlooker must know. Who calls what when is decided by the world (sim/run/world.h).
// Single-threaded.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/check.h"
#include "sim/kernel/kernel.h"
#include "sim/models/machine.h"
#include "sim/models/network.h"

namespace coffer::sim {

struct ClusterConfig {
  std::uint32_t nodes = 3;
  std::uint32_t spares = 0;  ///< so many of the nodes, the last ones, have a vote in no shard at first
  std::uint32_t shards = 1;
  std::uint32_t clients = 1;
  node::Tuning tuning;
  MachineConfig machine;
  NetworkConfig network;
};

/// "core/raft/raft.cc:12: not so: …", the same on every machine.
std::string describe(const CheckFailure& failure);

/// What happened to a machine.
struct Notice {
  enum class Kind : std::uint8_t {
    booted,
    crashed,
    broken,   ///< a check failed
    gave_up,  ///< nobody had harmed it
    damaged,  ///< durable bytes of its disk are not what was synced, or a read has shown them so
    emptied,  ///< told before the crash in which the disk is emptied
    refused,  ///< the node gave up, and had every reason to
  };
  Kind kind{};
  NodeId node;
  std::string reason;     ///< broken, refused: which check failed, or why the node gave up; damaged: by what
  std::string file = {};  ///< damaged
};

class Cluster {
 public:
  Cluster(Kernel& kernel, const ClusterConfig& config, std::uint64_t seed);

  std::uint32_t nodes() const { return static_cast<std::uint32_t>(machines_.size()); }
  Machine& machine(NodeId node) { return *machines_[node.value - 1]; }
  const Machine& machine(NodeId node) const { return *machines_[node.value - 1]; }
  Network& network() { return network_; }
  Kernel& kernel() { return kernel_; }
  SimTime now() const { return kernel_.now(); }
  const std::vector<node::ShardConfig>& shards() const { return shards_; }
  Endpoint endpoint_of_client(std::uint32_t client) const { return nodes() + 1 + client; }

  void boot_all();
  Damage crash(NodeId node, CrashKind kind, const DamagePolicy& policy);
  /// A crash after which the disk is empty.
  void crash_and_empty(NodeId node);
  void restart(NodeId node);
  /// Restarts the node a little later, unless somebody else has by then, or must: whoever made its disk fail.
  void restart_after(Duration delay, NodeId node);
  void pause(NodeId node) { machine(node).pause(); }
  void resume(NodeId node);
  /// A fault has damaged the node's disk.
  void tell_damaged(NodeId node, std::string file, std::string by_what);

  /// Takes away everything this strike did to the network: what a clog held goes on in order, and links that were given
  /// up come up again.
  void calm(std::uint64_t strike);
  /// While the strike stands, every pair of nodes of the two sets gives its link up `after` so much time at the
  /// earliest, and up to `spread` later, each end by itself, if nothing passes in one of the directions: then nothing
  /// passes in either.
  void give_up_links(std::uint64_t strike, EndpointSet one, EndpointSet other, Duration after, Duration spread,
                     Prng& prng);

  /// What `who` was told last of its link to the peer.
  bool link_up(NodeId who, NodeId peer) const { return links_up_[who.value][peer.value]; }

  /// A client's request leaves for a node.
  void send_request(std::uint32_t client, NodeId node, std::uint64_t attempt, Bytes body);

  struct Dispatched {
    NodeId stepped = nobody;  ///< this node was run: its effects() are fresh
    bool to_client = false;   ///< a packet reached a client: the event is the caller's
  };
  /// Executes an event of a machine or the network; others are ignored.
  Dispatched dispatch(const Event& event);
  std::vector<Notice> take_notices();

 private:
  void transmit(Endpoint from, Endpoint to, std::uint64_t number, SharedBytes bytes);
  void arrive(const Event& event, Dispatched& result);
  void deliver_to_node(const Event& event);
  void peer_changed(const Event& event);
  void link_given_up(const Event& event);
  void tell(NodeId who, NodeId about, EventKind kind, Duration mean);
  bool open(NodeId one, NodeId other) const;
  bool run(Machine& machine, const Event& event);
  void route(Machine& machine);
  void send_released(Machine& machine);
  void tell_peers(NodeId node, EventKind kind, Duration mean);
  void tell_clients(NodeId node, Duration mean);
  void refuse(const Event& event);

  Kernel& kernel_;
  std::uint32_t clients_;
  std::vector<node::ShardConfig> shards_;
  Network network_;
  Prng notice_prng_;
  std::vector<std::unique_ptr<Machine>> machines_;
  std::vector<std::vector<bool>> links_up_;  ///< [who][peer]: what `who` was told last
  std::vector<Event> held_;                  ///< packets at the end of clogged links, in order
  std::vector<Notice> notices_;
};

}  // namespace coffer::sim
