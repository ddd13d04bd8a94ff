// A node crashes, its process alone or with the power of its machine, and is started again.
#include "sim/faults/faults.h"

namespace coffer::sim::faults {

Behaviour crash_restart() {
  Behaviour acts;

  acts.doc = "a node crashes (its process, or the power of its machine) and is started again";
  acts.draw = [](Prng& prng, const Mood& mood) {
    FaultSpec spec = draw_base(prng, mood);
    spec.how = static_cast<How>(prng.below(3));
    spec.pending_io = prng.chance(600);
    spec.lose_per_mille = static_cast<std::uint32_t>(prng.between(0, 600));
    spec.tear_per_mille = static_cast<std::uint32_t>(prng.between(0, 400));
    return spec;
  };
  acts.strike = [](Arena& arena, Strike& strike) {
    if (!choose_victims(arena, strike)) return Struck::no;
    const FaultSpec& spec = *strike.spec;
    if (spec.pending_io && !arena.cluster.machine(strike.victims.front().node).io_pending()) return Struck::later;
    if (!may_crash(arena, strike)) return Struck::no;
    const bool power = spec.how == How::power || (spec.how == How::either && strike.prng.chance(500));
    return crash_victims(arena, strike, power ? CrashKind::power : CrashKind::process);
  };
  acts.heal = restart_victims;
  return acts;
}

}  // namespace coffer::sim::faults
