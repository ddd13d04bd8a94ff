// An operator grows a group of three voters to five.
#include "sim/faults/faults.h"

namespace coffer::sim::faults {

Behaviour grow_group() {
  Behaviour acts;

  acts.of_cluster = true;
  acts.doc = "an operator grows a group of three voters to five";
  acts.draw = draw_order;
  acts.strike = [](Arena& arena, Strike& strike) {
    const ShardId shard = choose_shard(arena, strike);
    std::vector<NodeId> voters = arena.orders.voters(shard);
    std::vector<NodeId> fresh = running(arena, arena.orders.spares(shard));
    if (voters.size() != 3 || fresh.size() < 2) return Struck::no;
    for (int newcomer = 0; newcomer < 2; ++newcomer) {
      const auto pick = static_cast<std::ptrdiff_t>(strike.prng.below(fresh.size()));
      voters.push_back(fresh[static_cast<std::size_t>(pick)]);
      fresh.erase(fresh.begin() + pick);
    }
    strike.order = arena.orders.reconfigure(shard, std::move(voters));
    strike.fired = true;
    return Struck::yes;
  };
  acts.heal = call_off;
  return acts;
}

}  // namespace coffer::sim::faults
