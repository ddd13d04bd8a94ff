// A disk hangs: no operation returns until it goes on.
#include "sim/faults/disk_damage.h"
#include "sim/faults/faults.h"

namespace coffer::sim::faults {

Behaviour stuck_disk() {
  Behaviour acts;

  acts.doc = "no operation of a disk returns, until all do";
  acts.of_disk = true;
  acts.draw = draw_disk_base;
  acts.strike = [](Arena& arena, Strike& strike) {
    if (!choose_victims(arena, strike)) return Struck::no;
    for (const Strike::Victim& victim : strike.victims) {
      arena.cluster.machine(victim.node).stick_disk(strike.serial);
      strike.wounded.push_back(victim.node);
    }
    return Struck::yes;
  };
  acts.heal = heal_disks;
  return acts;
}

}  // namespace coffer::sim::faults
