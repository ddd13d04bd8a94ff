// Some nodes are not heard, or do not hear, while the other direction works.
#include "sim/faults/faults.h"

namespace coffer::sim::faults {

Behaviour partition_one_way() {
  Behaviour acts;

  acts.doc = "some nodes are not heard by the others, or do not hear them, while the other direction works";
  acts.draw = [](Prng& prng, const Mood& mood) {
    FaultSpec spec = draw_base(prng, mood);
    draw_notice(spec, prng);
    return spec;
  };
  acts.strike = [](Arena& arena, Strike& strike) {
    if (!choose_victims(arena, strike)) return Struck::no;
    const Split sides = split(arena, strike);
    const bool unheard = strike.prng.chance(500);
    const EndpointSet from = unheard ? sides.inside : sides.outside;
    const EndpointSet to = unheard ? sides.outside : sides.inside;
    block(arena, strike, from, to);
    notice_silence(arena, strike, from, to);
    return Struck::yes;
  };
  acts.heal = calm_links;
  return acts;
}

}  // namespace coffer::sim::faults
