// Interesting states of memberships and of leadership that is handed over, counted from what a judge sees (O-H2).
// Never influences the run. Single-threaded.
#pragma once

#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "sim/kernel/counters.h"
#include "sim/observe/observer.h"
#include "sim/oracles/configurations.h"

namespace coffer::sim {

class MembershipStates {
 public:
  explicit MembershipStates(const Topology& topology);

  void on_trace(NodeId node, const TraceEvent& event);
  void on_crash(NodeId node);
  void on_committed(const CommittedEntry& entry);

  const Counters& counters() const { return counters_; }

 private:
  struct Transfer {
    NodeId from;
    NodeId to;
    Term term;
  };
  struct Shard {
    oracles::Configuration founding;
    oracles::Configuration committed;   ///< last
    Index at;                           ///< where that one stands
    NodeId joint_by;                    ///< the leader that appended the joint configuration last
    NodeId final_by;                    ///< ... the one after it
    oracles::NodeSet restored;          ///< learners that have installed a snapshot
    std::optional<Transfer> under_way;  ///< begun, and neither done nor given up
  };

  void elected(Shard& shard, NodeId node, Term term);
  void changed(Shard& shard, const oracles::Configuration& now);
  bool leads(NodeId node, ShardId shard) const { return leaders_.contains({node, shard}); }

  std::vector<Shard> shards_;  ///< by shard - 1
  std::map<std::pair<NodeId, ShardId>, Term> leaders_;
  Counters counters_;
};

}  // namespace coffer::sim
