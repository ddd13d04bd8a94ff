// The rungs whose design is the wallet itself: run in the simulator's own world, with everything that it has of faults
// and oracles, and measured from outside, by the trace of the run: what clients asked, what they were told, and when.
#pragma once

#include <cstdint>

#include "sim/ladder/world.h"
#include "sim/run/run.h"

namespace coffer::sim::ladder {

/// Runs one world, and adds to `costs` what the trace shows of transfers that were asked for while faults struck:
/// requests, answers, latencies. Packets carry many messages there, so messages and syncs are not counted.
RunResult run_product(const Scenario& scenario, std::uint64_t seed, Costs& costs);

}  // namespace coffer::sim::ladder
