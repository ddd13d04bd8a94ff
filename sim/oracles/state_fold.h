// The rows that a shard's state must have after a prefix of its log, by the oracles' own reading of the events: what a
// snapshot of that prefix holds.
#pragma once

#include <string>
#include <vector>

#include "sim/oracles/decode.h"
#include "sim/oracles/state_decode.h"

namespace coffer::sim::oracles {

/// A row that has left the state.
struct LeftRow {
  DedupRow row;
  bool was_running = false;  ///< its outcome, or the answer to a leg of it, was still to come
};
/// Rows that have left, by place, over all entries folded; and what of it was not as it has to be.
struct Leaving {
  std::vector<LeftRow> left;
  std::string breach;  ///< empty: none
};

/// Folds the next entry of the shard's log. Follows the events as far as they make sense: others judge them.
/// `leaving`: where rows that leave are put, if anybody asks.
void fold(const Entry& entry, StateRows& rows, Leaving* leaving = nullptr);

/// The empty state.
StateRows empty_state(ShardId shard);

}  // namespace coffer::sim::oracles
