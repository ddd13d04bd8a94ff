// A wall clock is further off than its machine believes possible: its time service is wrong, and does not know it. The
// only fault of clocks after which Now::wall_error is a lie.
#include "sim/faults/faults.h"

namespace coffer::sim::faults {

Behaviour clock_lies() {
  Behaviour acts;

  acts.doc = "the wall clock of a machine is outside the bound it gives for its own error";
  acts.draw = [](Prng& prng, const Mood& mood) {
    FaultSpec spec = draw_base(prng, mood);
    spec.lasts_max = spec.lasts_max * 4;
    spec.extra = milliseconds(1) * (std::int64_t{1} << prng.below(22));
    return spec;
  };
  acts.strike = [](Arena& arena, Strike& strike) {
    if (!choose_victims(arena, strike)) return Struck::no;
    const std::int64_t most = strike.spec->extra.nanos;
    for (const Strike::Victim& victim : strike.victims) {
      arena.cluster.machine(victim.node).lie(Duration{strike.prng.between(-most, most)});
    }
    strike.fired = true;
    return Struck::yes;
  };
  acts.heal = set_clocks_right;
  return acts;
}

}  // namespace coffer::sim::faults
