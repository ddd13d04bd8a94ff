// A write lands elsewhere; the place it was meant for keeps what it had.
#include "sim/faults/disk_damage.h"
#include "sim/faults/faults.h"

namespace coffer::sim::faults {

Behaviour misdirected_write() {
  Behaviour acts;

  acts.doc = "a write of a disk lands at another place, and its own place keeps the old bytes";
  acts.of_disk = true;
  acts.draw = draw_disk_base;
  acts.strike = [](Arena& arena, Strike& strike) { return lie_in_wait(arena, strike, DiskTrouble::misdirect_write); };
  acts.heal = heal_and_restart;
  return acts;
}

}  // namespace coffer::sim::faults
