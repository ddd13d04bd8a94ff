// B11. Commands are replicated, and each replica decides them for itself. Where a decision looks at anything but the
// log the replicas part. Source: Digital Wallet, reliability analysis.
#include "sim/ladder/group_wallet.h"
#include "sim/ladder/rungs.h"

namespace coffer::sim::ladder {

std::unique_ptr<Design> b11_replicated_commands() { return group_wallet({.log = {}, .replicate_commands = true}); }

}  // namespace coffer::sim::ladder
