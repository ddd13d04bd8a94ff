// The rows that a shard's state must have after a prefix of its log, by the oracles' own reading of the events: what a
// snapshot of that prefix holds.
#pragma once

#include "sim/oracles/decode.h"
#include "sim/oracles/state_decode.h"

namespace coffer::sim::oracles {

/// Folds the next entry of the shard's log. Follows the events as far as they make sense: others judge them.
void fold(const Entry& entry, StateRows& rows);

/// The empty state.
StateRows empty_state(ShardId shard);

}  // namespace coffer::sim::oracles
