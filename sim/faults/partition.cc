// The network falls into two sides that do not hear each other.
#include "sim/faults/faults.h"

namespace coffer::sim::faults {

Behaviour partition() {
  Behaviour acts;

  acts.doc = "some nodes and all the others (clients on either side, or on both) do not hear each other";
  acts.draw = draw_base;
  acts.strike = [](Arena& arena, Strike& strike) {
    if (!choose_victims(arena, strike)) return Struck::no;
    const Split sides = split(arena, strike);
    arena.cluster.network().disturb({strike.serial, Trouble::block, sides.inside, sides.outside, 0, {}});
    arena.cluster.network().disturb({strike.serial, Trouble::block, sides.outside, sides.inside, 0, {}});
    return Struck::yes;
  };
  acts.heal = calm_links;
  return acts;
}

}  // namespace coffer::sim::faults
