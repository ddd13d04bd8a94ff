// A wallet whose accounts all lie in one group of replicas of one log: event sourcing. The leader takes commands one by
// one, decides each against what has been applied, and appends the event; a replica's book is the fold of its log.
#pragma once

#include <memory>

#include "sim/ladder/quorum_log.h"

namespace coffer::sim::ladder {

struct GroupOptions {
  QuorumOptions log = {};
  /// The log holds commands, and each replica decides for itself. What a decision looks up outside, here whether a
  /// payment looks suspicious, is looked up by each at its own time.
  bool replicate_commands = false;
};

std::unique_ptr<Design> group_wallet(const GroupOptions& options);

}  // namespace coffer::sim::ladder
