// An operator hands the leadership of a group to another voter, whatever is going on.
#include "sim/faults/faults.h"

namespace coffer::sim::faults {

Behaviour transfer_leadership() {
  Behaviour acts;

  acts.of_cluster = true;
  acts.doc = "an operator hands the leadership of a group to another voter, and insists";
  acts.draw = [](Prng& prng, const Mood& mood) {
    FaultSpec spec = draw_order(prng, mood);
    spec.target = {};  // whom leadership goes to
    return spec;
  };
  acts.strike = [](Arena& arena, Strike& strike) {
    const ShardId shard = choose_shard(arena, strike);
    std::vector<NodeId> voters = targeted(arena, strike, shard, arena.orders.voters(shard));
    std::erase(voters, arena.roles.leader(shard));
    if (voters.empty()) return Struck::no;
    strike.order = arena.orders.transfer(shard, voters[strike.prng.below(voters.size())]);
    strike.fired = true;
    return Struck::yes;
  };
  acts.heal = call_off;
  return acts;
}

}  // namespace coffer::sim::faults
