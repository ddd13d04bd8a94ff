// The rungs whose design is the wallet itself: run in the simulator's own world, with everything that it has of faults
// and oracles, and measured from outside: what clients asked, what they were told and when, and what nodes did
// meanwhile.
#pragma once

#include <cstdint>

#include "sim/ladder/world.h"
#include "sim/run/run.h"

namespace coffer::sim::ladder {

/// Runs one world, and adds to `costs` what clients saw of transfers that they asked for while faults struck: requests,
/// answers, latencies.
RunResult run_product(const Scenario& scenario, std::uint64_t seed, Costs& costs);

/// Adds to `costs` what transfers add to the same world without faults: packets between nodes, entries appended, syncs,
/// and for how long money or locks are held. A group has traffic and syncs of its own, and a packet carries what
/// happens to be ready, so this is a difference: of a world with many transfers and one with few, over the same time.
/// Every transfer crosses shards where there are two or more, and comes alone.
void add_calm_costs(const Scenario& scenario, std::uint64_t seed, Costs& costs);

}  // namespace coffer::sim::ladder
