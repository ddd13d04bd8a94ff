// B3. Two-phase commit whose coordinator is three replicas of one log: a crash of one blocks nobody.
// Source: Digital Wallet, figures 12.5 and 12.6.
#include "sim/ladder/rungs.h"
#include "sim/ladder/two_phase.h"

namespace coffer::sim::ladder {

std::unique_ptr<Design> b03_two_phase_commit() { return two_phase(3); }

}  // namespace coffer::sim::ladder
