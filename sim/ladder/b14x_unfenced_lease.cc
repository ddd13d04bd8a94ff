// B14x. A lease and nothing behind it. A writer looks at its lease, sleeps for longer than that lasts, and writes what
// it worked out before. Source: Foundations of Distributed Financial Systems, section 6.3.
#include "sim/ladder/lease.h"
#include "sim/ladder/rungs.h"

namespace coffer::sim::ladder {

std::unique_ptr<Design> b14x_unfenced_lease() { return lease(false); }

}  // namespace coffer::sim::ladder
