// Whom to ask: leader hints per shard, a rotation over the nodes, and which nodes are better left alone for a moment.
// Everything here is a guess that costs time when wrong, never correctness. Single-threaded.
#pragma once

#include <cstddef>
#include <vector>

#include "core/base/ids.h"
#include "core/base/time.h"

namespace coffer::router {

/// A node that gave cause to ask others first, until a moment.
struct Suspicion {
  NodeId node = nobody;
  Instant until;
  bool covers(NodeId asked, Instant now) const { return asked == node && now < until; }
};

class Targets {
 public:
  /// Requires: nodes and shards are ascending, nodes not empty (checked). `start` sets where rotations begin.
  Targets(std::vector<NodeId> nodes, const std::vector<ShardId>& shards, std::size_t start);

  bool is_node(NodeId node) const;
  /// Another node that can be asked.
  void meet(NodeId node);
  /// nobody when unknown.
  NodeId leader_of(ShardId shard) const;
  /// Ignored for unknown shards and nodes; nobody forgets.
  void learn(ShardId shard, NodeId leader);
  /// Only while `leader` is what is remembered.
  void forget(ShardId shard, NodeId leader);

  /// The link to this node broke: others are asked first until then, and nothing is thought to be led by it.
  void lost(NodeId node, Instant until);
  /// It answered.
  void reached(NodeId node, Instant now);
  /// Whether it has answered anybody since.
  bool has_answered(NodeId node, Instant since) const;
  bool is_lost(NodeId node, Instant now) const;

  /// The next node in turn, for a question any node may answer first.
  NodeId any(Instant now);
  /// The next in turn is the one after `asked`.
  void turn_from(NodeId asked);
  /// The node after `asked`; lost and suspected ones are passed over while there are others.
  NodeId after(NodeId asked, Suspicion suspicion, Instant now) const;
  /// The one proxy everything goes to until it fails.
  NodeId proxy(Instant now);
  /// `asked` failed: if it is the proxy, another one is.
  void leave_proxy(NodeId asked, Instant now);

 private:
  struct Leader {
    ShardId shard;
    NodeId node = nobody;
  };
  Leader* find(ShardId shard);
  std::size_t index_of(NodeId node) const;

  std::vector<NodeId> nodes_;
  std::vector<Instant> lost_until_;  ///< by index in nodes_
  std::vector<Instant> answered_;    ///< when last, by index in nodes_
  std::vector<Leader> leaders_;      ///< ascending by shard
  std::size_t turn_;
  std::size_t proxy_;
};

}  // namespace coffer::router
