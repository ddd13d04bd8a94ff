// Clocks are wrong: wall time is off and drifts, monotonic time runs fast or slow.
#include "sim/faults/faults.h"

namespace coffer::sim::faults {

Behaviour clock_skew() {
  Behaviour acts;

  acts.doc = "the wall clock of a machine jumps and drifts, its monotonic clock runs fast or slow";
  acts.draw = [](Prng& prng, const Mood& mood) {
    FaultSpec spec = draw_base(prng, mood);
    spec.lasts_max = spec.lasts_max * 4;
    spec.extra = milliseconds(1) * (std::int64_t{1} << prng.below(22));
    spec.drift_ppm = static_cast<std::uint32_t>(prng.between(0, 100'000));
    return spec;
  };
  acts.strike = [](Arena& arena, Strike& strike) {
    if (!choose_victims(arena, strike)) return Struck::no;
    const std::int64_t drift = strike.spec->drift_ppm;
    for (const Strike::Victim& victim : strike.victims) {
      Skew skew;
      skew.offset = Duration{strike.prng.between(-strike.spec->extra.nanos, strike.spec->extra.nanos)};
      skew.wall_ppm = static_cast<std::int32_t>(strike.prng.between(-drift, drift));
      skew.monotonic_ppm = static_cast<std::int32_t>(strike.prng.between(-drift, drift));
      arena.cluster.machine(victim.node).skew(skew);
    }
    strike.fired = true;
    return Struck::yes;
  };
  acts.heal = set_clocks_right;
  return acts;
}

}  // namespace coffer::sim::faults
