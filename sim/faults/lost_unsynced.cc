// The power of a machine fails at a moment at which some of its writes are not synced, and takes them away.
#include "sim/faults/faults.h"

namespace coffer::sim::faults {

Behaviour lost_unsynced() {
  Behaviour acts;

  acts.doc = "the power of a machine fails while writes are unsynced, and a subset of them is lost";
  acts.draw = [](Prng& prng, const Mood& mood) {
    FaultSpec spec = draw_base(prng, mood);
    spec.lose_per_mille = static_cast<std::uint32_t>(prng.between(300, 1000));
    return spec;
  };
  acts.strike = [](Arena& arena, Strike& strike) {
    if (!choose_victims(arena, strike)) return Struck::no;
    if (!has_unsynced(arena, strike)) return Struck::later;
    if (!may_crash(arena, strike)) return Struck::no;
    crash_victims(arena, strike, CrashKind::power);
    strike.fired = strike.damage.lost > 0;
    return Struck::yes;
  };
  acts.heal = restart_victims;
  return acts;
}

}  // namespace coffer::sim::faults
