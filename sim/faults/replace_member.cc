// An operator replaces a voter of a group by another node, the leader as likely as any other: by a spare, or by one
// that has been replaced before.
#include <algorithm>

#include "sim/faults/faults.h"

namespace coffer::sim::faults {

Behaviour replace_member() {
  Behaviour acts;

  acts.of_cluster = true;
  acts.doc = "an operator replaces a voter of a group, perhaps its leader, by a node without a vote";
  acts.draw = draw_order;
  acts.strike = [](Arena& arena, Strike& strike) {
    const ShardId shard = choose_shard(arena, strike);
    std::vector<NodeId> voters = arena.orders.voters(shard);
    const std::vector<NodeId> old = targeted(arena, strike, shard, voters);
    const std::vector<NodeId> fresh = running(arena, arena.orders.spares(shard));
    if (old.empty() || fresh.empty()) return Struck::no;
    const NodeId leaves = old[strike.prng.below(old.size())];
    const NodeId comes = fresh[strike.prng.below(fresh.size())];
    std::replace(voters.begin(), voters.end(), leaves, comes);
    strike.order = arena.orders.reconfigure(shard, std::move(voters));
    strike.fired = true;
    return Struck::yes;
  };
  acts.heal = call_off;
  return acts;
}

}  // namespace coffer::sim::faults
