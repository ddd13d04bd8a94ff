// Three sides, each of which hears the next one only: A hears B, B hears C, C hears A. No two nodes of different sides
// can hold a conversation, and yet everybody keeps hearing of somebody.
#include <algorithm>
#include <array>

#include "sim/faults/faults.h"

namespace coffer::sim::faults {

Behaviour cyclic_partition() {
  Behaviour acts;

  acts.doc = "the nodes fall into three sides: A hears B hears C hears A, and not the other way round";
  acts.draw = [](Prng& prng, const Mood& mood) {
    FaultSpec spec = draw_base(prng, mood);
    draw_notice(spec, prng);
    return spec;
  };
  acts.strike = [](Arena& arena, Strike& strike) {
    const std::uint32_t nodes = arena.cluster.nodes();
    if (nodes < 3 || !choose_victims(arena, strike)) return Struck::no;
    // The first victim is the first of the first side; no side is empty.
    std::vector<std::uint32_t> order = {strike.victims.front().node.value};
    std::vector<std::uint32_t> others;
    for (std::uint32_t n = 1; n <= nodes; ++n) {
      if (n != order.front()) others.push_back(n);
    }
    while (!others.empty()) {
      const auto pick = static_cast<std::ptrdiff_t>(strike.prng.below(others.size()));
      order.push_back(others[static_cast<std::size_t>(pick)]);
      others.erase(others.begin() + pick);
    }
    std::array<EndpointSet, 3> sides;
    for (std::size_t i = 0; i < order.size(); ++i) {
      const std::size_t side = i < sides.size() ? i : static_cast<std::size_t>(strike.prng.below(sides.size()));
      sides[side] = sides[side] | EndpointSet::of(order[i]);
    }
    for (std::size_t side = 0; side < sides.size(); ++side) {
      const EndpointSet& next = sides[(side + 1) % sides.size()];
      block(arena, strike, sides[side], next);  // who hears the next is not heard by it
      notice_silence(arena, strike, sides[side], next);
    }
    strike.victims.clear();  // all of them
    for (std::uint32_t n = 1; n <= nodes; ++n) strike.victims.push_back({NodeId(n), 0});
    return Struck::yes;
  };
  acts.heal = calm_links;
  return acts;
}

}  // namespace coffer::sim::faults
