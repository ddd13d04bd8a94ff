// Packets are lost.
#include "sim/faults/faults.h"

namespace coffer::sim::faults {

Behaviour drop() {
  Behaviour acts;

  acts.doc = "packets on some links are lost";
  acts.draw = [](Prng& prng, const Mood& mood) {
    FaultSpec spec = draw_base(prng, mood);
    if (prng.chance(500)) spec.target = {Who::all, {}, {}};
    spec.per_mille = static_cast<std::uint32_t>(prng.between(20, 400));
    return spec;
  };
  acts.strike = [](Arena& arena, Strike& strike) { return disturb_links(arena, strike, Trouble::drop); };
  acts.heal = calm_links;
  return acts;
}

}  // namespace coffer::sim::faults
