// B1. Shards in memory, a stateless service, two independent writes. A crash between the writes loses the money that is
// under way; the restart of a shard loses all it held. Source: Digital Wallet, figure 12.3.
#include "sim/ladder/bare_writes.h"
#include "sim/ladder/rungs.h"

namespace coffer::sim::ladder {

std::unique_ptr<Design> b01_bare_writes() { return bare_writes(false); }

}  // namespace coffer::sim::ladder
