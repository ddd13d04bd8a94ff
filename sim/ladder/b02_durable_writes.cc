// B2. The same on databases that sync before they answer. A restart loses nothing any more; a crash of the service
// between the two writes still does. Source: Digital Wallet, figure 12.4.
#include "sim/ladder/bare_writes.h"
#include "sim/ladder/rungs.h"

namespace coffer::sim::ladder {

std::unique_ptr<Design> b02_durable_writes() { return bare_writes(true); }

}  // namespace coffer::sim::ladder
