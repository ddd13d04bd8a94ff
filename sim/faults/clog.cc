// Links take packets and do not hand them over: a full buffer on the way. When it drains, everything comes at once, in
// order and out of date.
#include "sim/faults/faults.h"

namespace coffer::sim::faults {

Behaviour clog() {
  Behaviour acts;

  acts.doc = "some links hold everything back for a while, then hand it over at once, in order";
  acts.draw = [](Prng& prng, const Mood& mood) {
    FaultSpec spec = draw_base(prng, mood);
    if (prng.chance(200)) spec.target = {Who::all, {}, {}};
    return spec;
  };
  acts.strike = [](Arena& arena, Strike& strike) { return disturb_links(arena, strike, Trouble::clog); };
  acts.heal = calm_links;
  return acts;
}

}  // namespace coffer::sim::faults
