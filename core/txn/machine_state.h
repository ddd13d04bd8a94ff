// What a StateMachine is made of: the parts of a shard's state, and the marks of the entries that can be undone.
// Private to the machine's own files (state_machine.cc, state_reads.cc).
#pragma once

#include <cstddef>
#include <vector>

#include "core/base/check.h"
#include "core/txn/accounts.h"
#include "core/txn/asking.h"
#include "core/txn/direct.h"
#include "core/txn/holding.h"
#include "core/txn/leaving.h"
#include "core/txn/saga.h"
#include "core/txn/shard_state.h"
#include "core/txn/sources.h"
#include "core/txn/splitting.h"
#include "core/txn/state_machine.h"
#include "core/txn/tcc.h"
#include "core/txn/two_phase_commit.h"
#include "core/txn/windows.h"

namespace coffer::txn {

/// What undo needs to know of an entry applied: where it ends, and its stamp.
struct EntryMark {
  Position last;
  Stamp stamp;
};

struct StateMachine::State : ShardState {
  using ShardState::ShardState;

  /// Begins an entry: its events follow.
  void begin(Stamp stamp) {
    check(!batch_open, "one entry is made at a time");
    check(stamp > last_stamp, "stamps increase");
    marks.push_back({last_position, stamp});
    last_stamp = stamp;
  }
  template <class What>
  void fold(const What& event) {
    using accounts::apply;
    using asking::apply;
    using direct::apply;
    using holding::apply;
    using leaving::apply;
    using saga::apply;
    using sources::apply;
    using splitting::apply;
    using tcc::apply;
    using two_phase_commit::apply;
    using windows::apply;
    const Place place{last_position.next(), last_stamp};
    apply(*this, event, place);
    last_position = place.position;
    marks.back().last = place.position;
  }

  std::vector<EntryMark> marks;      ///< entries applied and not known committed, oldest first
  Stamp committed_stamp;             ///< of the last entry known committed
  bool batch_open = false;           ///< a batch has recorded events and not finished
  std::size_t last_batch_bytes = 0;  ///< batches tend to be alike: room for the next one
};

}  // namespace coffer::txn
