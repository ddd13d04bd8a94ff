// One node is cut off from everybody, its clients included.
#include "sim/faults/faults.h"

namespace coffer::sim::faults {

Behaviour isolate_one() {
  Behaviour acts;

  acts.doc = "one node hears nobody, and nobody hears it: no other node and no client";
  acts.draw = [](Prng& prng, const Mood& mood) {
    FaultSpec spec = draw_base(prng, mood);
    spec.count = 1;
    draw_notice(spec, prng);
    return spec;
  };
  acts.strike = [](Arena& arena, Strike& strike) {
    if (!choose_victims(arena, strike)) return Struck::no;
    strike.victims.resize(1);
    const EndpointSet alone = victims_of(strike);
    const EndpointSet others = EndpointSet::all().without(alone);
    block(arena, strike, alone, others);
    block(arena, strike, others, alone);
    notice_silence(arena, strike, alone, others);
    return Struck::yes;
  };
  acts.heal = calm_links;
  return acts;
}

}  // namespace coffer::sim::faults
