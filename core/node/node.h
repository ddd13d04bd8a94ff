// The whole node: proxy, shards, log. A pure function of its inputs: never blocks, never logs, reads no clock.
// Wiring only; every decision lives in the module that owns the state. Single-threaded: one caller at a time.
#pragma once

#include <memory>
#include <span>

#include "core/base/time.h"
#include "core/node/config.h"
#include "core/node/effects.h"
#include "core/shard/observation.h"

namespace coffer::node {

class Node {
 public:
  /// `seed`: the node's only source of randomness (election timeouts, retry jitter).
  Node(Config config, std::uint64_t seed);
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  /// The first step (any inputs, usually none) starts recovery: it emits the reads of the node's files. The node
  /// takes part in nothing before they have been answered.
  /// Takes all inputs that are ready; yields at most one stream write, one sync and, unless they grow large, one frame
  /// per peer and moment (now, after the sync).
  void step(Now now, std::span<const Input> inputs, Effects& out);

  /// Whether recovery has ended and the node serves.
  bool ready() const;
  /// What an observer may know of one replica: for `status`, /readyz and the simulator's oracles.
  shard::Observation observe(ShardId shard) const;
  /// How many of the last applied entries observe_undone() can undo.
  std::size_t undoable(ShardId shard) const;
  /// The same with the last `entries` applied entries undone on a copy; the simulator's O-E2 asks for it. Requires:
  /// entries <= undoable(shard).
  shard::Observation observe_undone(ShardId shard, std::size_t entries) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace coffer::node
