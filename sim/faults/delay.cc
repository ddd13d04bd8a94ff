// Packets take longer than usual.
#include "sim/faults/faults.h"

namespace coffer::sim::faults {

Behaviour delay() {
  Behaviour acts;

  acts.doc = "packets on some links take longer, in order";
  acts.draw = [](Prng& prng, const Mood& mood) {
    FaultSpec spec = draw_base(prng, mood);
    if (prng.chance(500)) spec.target = {Who::all, {}, {}};
    spec.per_mille = static_cast<std::uint32_t>(prng.between(100, 1000));
    spec.extra = milliseconds(1) * (std::int64_t{1} << prng.below(10));
    return spec;
  };
  acts.strike = [](Arena& arena, Strike& strike) { return disturb_links(arena, strike, Trouble::delay); };
  acts.heal = calm_links;
  return acts;
}

}  // namespace coffer::sim::faults
