// Two-phase commit over durable shards. Work is done under locks: a shard that votes yes keeps the account locked until
// it hears the decision, whenever that is. The coordinator writes its decision into a log before anybody hears of it;
// how many replicas keep that log is the whole difference between the rungs.
#pragma once

#include <memory>

#include "sim/ladder/design.h"

namespace coffer::sim::ladder {

/// `coordinators`: replicas of the coordinator; 1: its crash blocks.
std::unique_ptr<Design> two_phase(Node coordinators);

}  // namespace coffer::sim::ladder
