// An operator shrinks a group of five voters to three. Two of the named ones leave, as far as there are two; the leader
// may be among them.
#include "sim/faults/faults.h"

namespace coffer::sim::faults {

Behaviour shrink_group() {
  Behaviour acts;

  acts.of_cluster = true;
  acts.doc = "an operator shrinks a group of five voters to three, perhaps without its leader";
  acts.draw = draw_order;
  acts.strike = [](Arena& arena, Strike& strike) {
    const ShardId shard = choose_shard(arena, strike);
    std::vector<NodeId> voters = arena.orders.voters(shard);
    if (voters.size() != 5) return Struck::no;
    while (voters.size() > 3) {
      std::vector<NodeId> leavers = targeted(arena, strike, shard, voters);
      if (leavers.empty()) leavers = voters;
      std::erase(voters, leavers[strike.prng.below(leavers.size())]);
    }
    strike.order = arena.orders.reconfigure(shard, std::move(voters));
    strike.fired = true;
    return Struck::yes;
  };
  acts.heal = call_off;
  return acts;
}

}  // namespace coffer::sim::faults
