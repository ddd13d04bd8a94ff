// Somebody sets the wall clock, forward or backward, by a millisecond or by days; its monotonic companion goes on.
#include "sim/faults/faults.h"

namespace coffer::sim::faults {

Behaviour clock_jump() {
  Behaviour acts;

  acts.doc = "the wall clock of a machine jumps, forward or backward, and says how wrong it may be";
  acts.draw = [](Prng& prng, const Mood& mood) {
    FaultSpec spec = draw_base(prng, mood);
    spec.lasts_max = spec.lasts_max * 4;
    spec.extra = milliseconds(1) * (std::int64_t{1} << prng.below(27));  // to a day and a half
    return spec;
  };
  acts.strike = [](Arena& arena, Strike& strike) {
    if (!choose_victims(arena, strike)) return Struck::no;
    const std::int64_t most = strike.spec->extra.nanos;
    for (const Strike::Victim& victim : strike.victims) {
      const Duration by{strike.prng.between(most / 2, most)};
      const bool forward = strike.prng.chance(500);
      arena.cluster.machine(victim.node).jump(forward ? by : by * -1);
    }
    strike.fired = true;
    return Struck::yes;
  };
  acts.heal = set_clocks_right;
  return acts;
}

}  // namespace coffer::sim::faults
