// A node crashes, and comes back with an empty disk: somebody changed the disk and started the old process on it. What
// it had promised is gone, so it must refuse to start; its place stays empty until a replacement joins under a new
// identity.
#include "sim/faults/faults.h"

namespace coffer::sim::faults {

Behaviour empty_disk() {
  Behaviour acts;

  acts.of_disk = true;  // whoever is left may need the lost one: the storage profile asks the atlas
  acts.doc = "a node crashes and comes back with an empty disk: it must refuse to start";
  acts.draw = [](Prng& prng, const Mood& mood) {
    FaultSpec spec = draw_base(prng, mood);
    spec.every = spec.every * 6;  // what it strikes does not come back
    spec.count = 1;
    return spec;
  };
  acts.strike = [](Arena& arena, Strike& strike) {
    if (!choose_victims(arena, strike)) return Struck::no;
    std::erase_if(strike.victims, [&](const Strike::Victim& victim) {
      return !arena.atlas.permits_emptying(strike.serial, victim.node);
    });
    if (strike.victims.empty()) return Struck::no;
    for (const Strike::Victim& victim : strike.victims) {
      arena.cluster.crash_and_empty(victim.node);
      arena.atlas.struck(strike.serial, victim.node);
    }
    strike.fired = true;
    return Struck::yes;
  };
  acts.heal = restart_victims;
  return acts;
}

}  // namespace coffer::sim::faults
