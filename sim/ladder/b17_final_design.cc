// B17. The final design, sharded Raft groups with a saga across them behind a proxy: the product, and everything that a
// seed can draw for it. Source: Digital Wallet, figures 12.28 and 12.29.
#include "sim/ladder/rungs.h"
#include "sim/run/swarm.h"

namespace coffer::sim::ladder {

Scenario b17_final_design(std::uint64_t seed) { return find_profile("default")->draw(seed); }

}  // namespace coffer::sim::ladder
