// The power of the whole site fails: all nodes at once. They come back one by one.
#include "sim/faults/faults.h"

namespace coffer::sim::faults {

Behaviour power_cut_all() {
  Behaviour acts;

  acts.doc = "the power of all machines fails at once; they come back one by one";
  acts.draw = [](Prng& prng, const Mood& mood) {
    FaultSpec spec = draw_base(prng, mood);
    spec.every = spec.every * 2;
    spec.target = {Who::all, {}, {}};
    spec.lose_per_mille = static_cast<std::uint32_t>(prng.between(0, 600));
    spec.tear_per_mille = static_cast<std::uint32_t>(prng.between(0, 400));
    return spec;
  };
  acts.strike = [](Arena& arena, Strike& strike) {
    if (!choose_victims(arena, strike)) return Struck::no;
    if (!may_crash(arena, strike)) return Struck::no;
    return crash_victims(arena, strike, CrashKind::power);
  };
  acts.heal = [](Arena& arena, Strike& strike) {
    for (const Strike::Victim& victim : strike.victims) {
      const Machine& machine = arena.cluster.machine(victim.node);
      if (machine.life() != Life::down || machine.boot_number() != victim.boot) continue;
      arena.cluster.restart_after(Duration{strike.prng.exponential(strike.lasts.nanos / 4)}, victim.node);
    }
  };
  return acts;
}

}  // namespace coffer::sim::faults
