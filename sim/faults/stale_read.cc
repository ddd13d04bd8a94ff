// A read returns what a sector held before it was overwritten.
#include "sim/faults/disk_damage.h"
#include "sim/faults/faults.h"

namespace coffer::sim::faults {

Behaviour stale_read() {
  Behaviour acts;

  acts.doc = "a read of a disk returns one sector as it was before it was overwritten";
  acts.of_disk = true;
  acts.draw = draw_with_crash<900>;  // a running node reads little
  acts.strike = [](Arena& arena, Strike& strike) { return lie_in_wait(arena, strike, DiskTrouble::stale_read); };
  acts.heal = heal_and_restart;
  return acts;
}

}  // namespace coffer::sim::faults
