// B15. Raft groups of three and five: leaders and followers crash, are cut off, and are replaced by new nodes, under
// the product itself. Source: Digital Wallet, figures 12.23 and 12.24.
#include "sim/ladder/rungs.h"
#include "sim/run/swarm.h"

namespace coffer::sim::ladder {

Scenario b15_raft_groups(std::uint64_t seed) { return find_profile("membership")->draw(seed); }

}  // namespace coffer::sim::ladder
