// Connections between nodes break: what is under way in either direction is lost, both ends are told, and for a while
// they do not connect again.
#include "sim/faults/faults.h"

namespace coffer::sim::faults {

namespace {
constexpr Duration noticed_within = milliseconds(2);
}

Behaviour connection_reset() {
  Behaviour acts;

  acts.doc = "connections of a node to others break with all that is under way; both ends are told";
  acts.draw = [](Prng& prng, const Mood& mood) {
    FaultSpec spec = draw_base(prng, mood);
    spec.every = spec.every / 2;
    spec.lasts_min = milliseconds(1);
    spec.lasts_max = milliseconds(prng.between(1, 200));
    return spec;
  };
  acts.strike = [](Arena& arena, Strike& strike) {
    if (!choose_victims(arena, strike)) return Struck::no;
    for (const Strike::Victim& victim : strike.victims) {
      const EndpointSet one = EndpointSet::of(victim.node.value);
      const std::uint64_t sure = strike.prng.below(arena.cluster.nodes());  // that many nodes on, at least one
      for (std::uint32_t n = 1; n < arena.cluster.nodes(); ++n) {
        const bool broken = strike.prng.chance(600) || n == 1 + sure % (arena.cluster.nodes() - 1);
        if (!broken) continue;
        const Endpoint peer = 1 + (victim.node.value - 1 + n) % arena.cluster.nodes();
        const EndpointSet other = EndpointSet::of(peer);
        arena.cluster.network().reset(victim.node.value, peer, strike.serial);
        block(arena, strike, one, other);
        block(arena, strike, other, one);
        arena.cluster.give_up_links(strike.serial, one, other, Duration{}, noticed_within, strike.prng);
      }
    }
    return Struck::yes;
  };
  acts.heal = calm_links;
  return acts;
}

}  // namespace coffer::sim::faults
