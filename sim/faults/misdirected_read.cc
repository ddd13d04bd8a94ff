// A read returns a block of another place.
#include "sim/faults/disk_damage.h"
#include "sim/faults/faults.h"

namespace coffer::sim::faults {

Behaviour misdirected_read() {
  Behaviour acts;

  acts.doc = "a read of a disk returns one block of another place of the file";
  acts.of_disk = true;
  acts.draw = draw_with_crash<900>;  // a running node reads little
  acts.strike = [](Arena& arena, Strike& strike) { return lie_in_wait(arena, strike, DiskTrouble::misdirect_read); };
  acts.heal = heal_and_restart;
  return acts;
}

}  // namespace coffer::sim::faults
