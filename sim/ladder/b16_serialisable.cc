// B16. What a transaction has only read must stand too when it commits: two withdrawals that each look sound are not
// both committed. Source: Correct Data Processing.
#include "sim/ladder/isolation.h"
#include "sim/ladder/rungs.h"

namespace coffer::sim::ladder {

std::unique_ptr<Design> b16_serialisable() { return isolation(true); }

}  // namespace coffer::sim::ladder
