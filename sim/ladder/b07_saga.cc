// B7. The orchestrated saga: ordered steps, the debit first, compensated backwards. It is the product's own protocol,
// so this is the product: at least two shards, everything that a seed can draw. Source: Digital Wallet, figure 12.13.
#include <algorithm>

#include "sim/ladder/rungs.h"
#include "sim/run/swarm.h"

namespace coffer::sim::ladder {

Scenario b07_saga(std::uint64_t seed) {
  Scenario scenario = find_profile("default")->draw(seed);
  scenario.shards = std::max(scenario.shards, 2u);
  scenario.tuning.protocol = ledger::Protocol::saga;
  return scenario;
}

}  // namespace coffer::sim::ladder
