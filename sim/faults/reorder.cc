// Packets are overtaken by later ones.
#include "sim/faults/faults.h"

namespace coffer::sim::faults {

Behaviour reorder() {
  Behaviour acts;

  acts.doc = "packets on some links are overtaken by later ones";
  acts.draw = [](Prng& prng, const Mood& mood) {
    FaultSpec spec = draw_base(prng, mood);
    if (prng.chance(500)) spec.target = {Who::all, {}, {}};
    spec.per_mille = static_cast<std::uint32_t>(prng.between(50, 500));
    spec.extra = milliseconds(1) * (std::int64_t{1} << prng.below(8));
    return spec;
  };
  acts.strike = [](Arena& arena, Strike& strike) { return disturb_links(arena, strike, Trouble::reorder); };
  acts.heal = calm_links;
  return acts;
}

}  // namespace coffer::sim::faults
