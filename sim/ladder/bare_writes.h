// Two writes to two shards with nothing around them: the first designs of the text. A stateless wallet service takes
// the money from one shard, then gives it to the other; refused there, it gives it back. In fairness each write carries
// the transfer's id and a shard does it once; the service repeats a write until it is answered, for as long as it
// lives.
#pragma once

#include <memory>

#include "sim/ladder/design.h"

namespace coffer::sim::ladder {

/// `durable`: a shard is a database that syncs before it answers; else it is memory.
std::unique_ptr<Design> bare_writes(bool durable);

}  // namespace coffer::sim::ladder
