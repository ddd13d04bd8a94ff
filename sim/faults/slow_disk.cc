// A disk takes many times as long.
#include "sim/faults/disk_damage.h"
#include "sim/faults/faults.h"

namespace coffer::sim::faults {

Behaviour slow_disk() {
  Behaviour acts;

  acts.doc = "operations of a disk take many times as long";
  acts.of_disk = true;
  acts.draw = [](Prng& prng, const Mood& mood) {
    FaultSpec spec = draw_disk_base(prng, mood);
    spec.times = 1u << prng.between(1, 7);
    return spec;
  };
  acts.strike = [](Arena& arena, Strike& strike) {
    if (!choose_victims(arena, strike)) return Struck::no;
    for (const Strike::Victim& victim : strike.victims) {
      arena.cluster.machine(victim.node).slow_disk(strike.serial, strike.spec->times);
      strike.wounded.push_back(victim.node);
    }
    return Struck::yes;
  };
  acts.heal = heal_disks;
  return acts;
}

}  // namespace coffer::sim::faults
