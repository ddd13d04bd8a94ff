// Packets arrive a second time, some of them much later.
#include "sim/faults/faults.h"

namespace coffer::sim::faults {

Behaviour duplicate() {
  Behaviour acts;

  acts.doc = "packets on some links arrive twice, the second time up to seconds later";
  acts.draw = [](Prng& prng, const Mood& mood) {
    FaultSpec spec = draw_base(prng, mood);
    if (prng.chance(500)) spec.target = {Who::all, {}, {}};
    spec.per_mille = static_cast<std::uint32_t>(prng.between(50, 400));
    spec.extra = milliseconds(1) * (std::int64_t{1} << prng.below(12));
    return spec;
  };
  acts.strike = [](Arena& arena, Strike& strike) { return disturb_links(arena, strike, Trouble::duplicate); };
  acts.heal = calm_links;
  return acts;
}

}  // namespace coffer::sim::faults
