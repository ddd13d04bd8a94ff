// B14. The storage refuses whoever comes with a lease number below the highest that it has seen: however long a writer
// sleeps, it wakes too late to do harm. Source: Foundations of Distributed Financial Systems, section 6.3.
#include "sim/ladder/lease.h"
#include "sim/ladder/rungs.h"

namespace coffer::sim::ladder {

std::unique_ptr<Design> b14_fenced_lease() { return lease(true); }

}  // namespace coffer::sim::ladder
