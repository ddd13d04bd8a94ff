// B3x. Two-phase commit with one coordinator: while its machine is gone, what has voted yes stays locked.
// Source: Digital Wallet, figure 12.6.
#include "sim/ladder/rungs.h"
#include "sim/ladder/two_phase.h"

namespace coffer::sim::ladder {

std::unique_ptr<Design> b03x_lone_coordinator() { return two_phase(1); }

}  // namespace coffer::sim::ladder
