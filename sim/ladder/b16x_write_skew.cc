// B16x. Snapshot isolation: two withdrawals read the same accounts, write different ones, and together break the floor
// that each has looked at. Source: Correct Data Processing.
#include "sim/ladder/isolation.h"
#include "sim/ladder/rungs.h"

namespace coffer::sim::ladder {

std::unique_ptr<Design> b16x_write_skew() { return isolation(false); }

}  // namespace coffer::sim::ladder
