// Only one node is heard by the others, and only it hears them: it bridges sides that do not know of each other. Who
// leads on a side without a majority must give up, though the bridge still hears it; only the bridge can lead.
// Source: Ng, Haridi, Carbone: Omni-Paxos (EuroSys 2023), section 2: quorum-loss.
#include "sim/faults/faults.h"

namespace coffer::sim::faults {

Behaviour bridge_partition() {
  Behaviour acts;

  acts.doc = "all nodes but one do not hear each other; that one hears all, and is heard by all";
  acts.draw = [](Prng& prng, const Mood& mood) {
    FaultSpec spec = draw_base(prng, mood);
    spec.count = 1;
    if (prng.chance(600)) spec.target = {Who::follower, {}, ShardId(1)};
    draw_notice(spec, prng);
    return spec;
  };
  acts.strike = [](Arena& arena, Strike& strike) {
    if (arena.cluster.nodes() < 3 || !choose_victims(arena, strike)) return Struck::no;
    strike.victims.resize(1);
    const EndpointSet sides = nodes_of(arena).without(victims_of(strike));
    for (std::uint32_t n = 1; n <= arena.cluster.nodes(); ++n) {
      const EndpointSet one = EndpointSet::of(n);
      if (sides.has(n)) block(arena, strike, one, sides.without(one));
    }
    notice_silence(arena, strike, sides, sides);
    return Struck::yes;
  };
  acts.heal = calm_links;
  return acts;
}

}  // namespace coffer::sim::faults
