// Who may write is decided elsewhere: a service gives a lease, with a number that grows, to one of two writers at a
// time. The holder reads balances from a storage that knows nothing of leases, works out new ones and writes them back.
// Between its look at the lease and its write it may be paused for as long as it pleases the world.
#pragma once

#include <memory>

#include "sim/ladder/design.h"

namespace coffer::sim::ladder {

inline constexpr Duration lease_lasts = milliseconds(400);

/// `fencing`: the storage remembers the highest lease number it has seen, and refuses what comes with a lower one.
std::unique_ptr<Design> lease(bool fencing);

}  // namespace coffer::sim::ladder
