// No space is left: whatever would grow a file is refused; what was reserved can be written.
#include "sim/faults/disk_damage.h"
#include "sim/faults/faults.h"

namespace coffer::sim::faults {

Behaviour disk_full() {
  Behaviour acts;

  acts.doc = "a disk has no space left: files cannot grow, until there is space again";
  acts.of_disk = true;
  acts.draw = [](Prng& prng, const Mood& mood) {
    FaultSpec spec = draw_disk_base(prng, mood);
    spec.lasts_max = spec.lasts_max * 2;
    if (prng.chance(300)) spec.target = {Who::all, {}, {}};
    return spec;
  };
  acts.strike = [](Arena& arena, Strike& strike) {
    if (!choose_victims(arena, strike)) return Struck::no;
    for (const Strike::Victim& victim : strike.victims) {
      arena.cluster.machine(victim.node).disk().fill(strike.serial);
      strike.wounded.push_back(victim.node);
    }
    return Struck::yes;
  };
  acts.heal = heal_disks;
  return acts;
}

}  // namespace coffer::sim::faults
