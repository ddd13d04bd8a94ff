// Clocks run fast or slow, far beyond what is natural, and never jump: wall and monotonic time, each at its own rate.
#include "sim/faults/faults.h"

namespace coffer::sim::faults {

Behaviour clock_drift() {
  Behaviour acts;

  acts.doc = "the wall clock and the monotonic clock of a machine run fast or slow";
  acts.draw = [](Prng& prng, const Mood& mood) {
    FaultSpec spec = draw_base(prng, mood);
    spec.lasts_max = spec.lasts_max * 4;
    spec.drift_ppm = static_cast<std::uint32_t>(100) << prng.below(11);  // to a tenth
    return spec;
  };
  acts.strike = [](Arena& arena, Strike& strike) {
    if (!choose_victims(arena, strike)) return Struck::no;
    const std::int64_t most = strike.spec->drift_ppm;
    for (const Strike::Victim& victim : strike.victims) {
      const auto wall_ppm = static_cast<std::int32_t>(strike.prng.between(-most, most));
      const auto monotonic_ppm = static_cast<std::int32_t>(strike.prng.between(-most, most));
      arena.cluster.machine(victim.node).drift(wall_ppm, monotonic_ppm);
    }
    strike.fired = true;
    return Struck::yes;
  };
  acts.heal = set_clocks_right;
  return acts;
}

}  // namespace coffer::sim::faults
