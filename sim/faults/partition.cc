// The network falls into two sides that do not hear each other.
#include "sim/faults/faults.h"

namespace coffer::sim::faults {

Behaviour partition() {
  Behaviour acts;

  acts.doc = "some nodes and all the others (clients on either side, or on both) do not hear each other";
  acts.draw = [](Prng& prng, const Mood& mood) {
    FaultSpec spec = draw_base(prng, mood);
    draw_notice(spec, prng);
    return spec;
  };
  acts.strike = [](Arena& arena, Strike& strike) {
    if (!choose_victims(arena, strike)) return Struck::no;
    const Split sides = split(arena, strike);
    block(arena, strike, sides.inside, sides.outside);
    block(arena, strike, sides.outside, sides.inside);
    notice_silence(arena, strike, sides.inside, sides.outside);
    return Struck::yes;
  };
  acts.heal = calm_links;
  return acts;
}

}  // namespace coffer::sim::faults
