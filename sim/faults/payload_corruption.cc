// Bits of frames flip on their way between nodes. The checksum of the frame must catch every one: a frame is then as
// good as lost. Only links between nodes: clients' links carry what their drivers have already checked.
#include "sim/faults/faults.h"

namespace coffer::sim::faults {

Behaviour payload_corruption() {
  Behaviour acts;

  acts.doc = "bits of frames between nodes flip: each such frame must be rejected by its checksum";
  acts.draw = [](Prng& prng, const Mood& mood) {
    FaultSpec spec = draw_base(prng, mood);
    if (prng.chance(500)) spec.target = {Who::all, {}, {}};
    spec.per_mille = static_cast<std::uint32_t>(prng.between(20, 300));
    return spec;
  };
  acts.strike = [](Arena& arena, Strike& strike) {
    if (!choose_victims(arena, strike)) return Struck::no;
    const EndpointSet nodes = nodes_of(arena);
    const EndpointSet inside = victims_of(strike);
    const auto corrupt = [&](EndpointSet from, EndpointSet to) {
      arena.cluster.network().disturb(
          {strike.serial, Trouble::corrupt, from, to, strike.spec->per_mille, Duration{}, Prng(strike.prng.next())});
    };
    corrupt(inside, nodes);
    corrupt(nodes.without(inside), inside);
    return Struck::yes;
  };
  acts.heal = calm_links;
  return acts;
}

}  // namespace coffer::sim::faults
