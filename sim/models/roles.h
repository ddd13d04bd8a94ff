// Who leads which shard, as told by the trace: what "leader(shard 1)" in a scenario means at an instant.
#pragma once

#include <vector>

#include "core/base/ids.h"
#include "core/base/trace.h"

namespace coffer::sim {

class Roles {
 public:
  explicit Roles(std::uint32_t shards) : leaders_(shards + 1) {}

  void on_trace(NodeId node, const TraceEvent& event) {
    if (event.shard.value == 0 || event.shard.value >= leaders_.size()) return;
    Leader& leader = leaders_[event.shard.value];
    if (event.kind == TraceKind::became_leader && event.term >= leader.term) leader = {node, event.term};
    if (event.kind == TraceKind::became_follower && leader.node == node) leader.node = nobody;
  }
  void on_down(NodeId node) {
    for (Leader& leader : leaders_) {
      if (leader.node == node) leader.node = nobody;
    }
  }
  /// The node that was elected last and is not known to have stopped; nobody if there is none.
  NodeId leader(ShardId shard) const { return shard.value < leaders_.size() ? leaders_[shard.value].node : nobody; }

 private:
  struct Leader {
    NodeId node;
    Term term;
  };
  std::vector<Leader> leaders_;  ///< by shard
};

}  // namespace coffer::sim
