// B17t. The final design with TC/C across the Raft groups in place of the saga: the product again, and everything that
// a seed can draw for it. Source: Digital Wallet, figure 12.28.
#include <algorithm>

#include "sim/ladder/rungs.h"
#include "sim/run/swarm.h"

namespace coffer::sim::ladder {

Scenario b17t_final_design_tcc(std::uint64_t seed) {
  Scenario scenario = find_profile("default")->draw(seed);
  scenario.shards = std::max(scenario.shards, 2u);
  scenario.tuning.protocol = ledger::Protocol::tcc;
  return scenario;
}

}  // namespace coffer::sim::ladder
