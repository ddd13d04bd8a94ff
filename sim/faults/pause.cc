// A process stops for a while and goes on as if nothing had happened; time goes on without it.
#include "sim/faults/faults.h"

namespace coffer::sim::faults {

Behaviour pause() {
  Behaviour acts;

  acts.doc = "a process does nothing for a while, then takes all its inputs at once";
  acts.draw = [](Prng& prng, const Mood& mood) {
    FaultSpec spec = draw_base(prng, mood);
    if (prng.chance(300)) {  // longer than any election
      spec.lasts_min = milliseconds(1100);
      spec.lasts_max = milliseconds(prng.between(1200, 4000));
    }
    return spec;
  };
  acts.strike = [](Arena& arena, Strike& strike) {
    if (!choose_victims(arena, strike)) return Struck::no;
    std::erase_if(strike.victims,
                  [&](const Strike::Victim& victim) { return arena.cluster.machine(victim.node).life() != Life::up; });
    if (strike.victims.empty()) return Struck::no;
    for (const Strike::Victim& victim : strike.victims) arena.cluster.pause(victim.node);
    strike.fired = true;
    return Struck::yes;
  };
  acts.heal = [](Arena& arena, Strike& strike) {
    for (const Strike::Victim& victim : strike.victims) {
      const Machine& machine = arena.cluster.machine(victim.node);
      if (machine.life() == Life::paused && machine.boot_number() == victim.boot) arena.cluster.resume(victim.node);
    }
  };
  return acts;
}

}  // namespace coffer::sim::faults
