// B10. Event sourcing on one node: every balance can be rebuilt from the log, and nobody answers while the machine is
// gone. Source: Digital Wallet, figures 12.20 to 12.22.
#include "sim/ladder/group_wallet.h"
#include "sim/ladder/rungs.h"

namespace coffer::sim::ladder {

std::unique_ptr<Design> b10_one_node() { return group_wallet({.log = {.replicas = 1}}); }

}  // namespace coffer::sim::ladder
