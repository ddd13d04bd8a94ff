// B12. Events are replicated, and count as soon as a majority has them on disk. Source: Digital Wallet, figure 12.24.
#include "sim/ladder/group_wallet.h"
#include "sim/ladder/rungs.h"

namespace coffer::sim::ladder {

std::unique_ptr<Design> b12_quorum() { return group_wallet({}); }

}  // namespace coffer::sim::ladder
