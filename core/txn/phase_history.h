// The steps a transfer has been through, as far as the state of the debit's shard knows them. What each step's state is
// follows from the rows for ever. Where and when it was logged is told of:
//
//   the beginning, and what decided the outcome at the target (credit, Confirm, or a refusal)      always
//   what began a second phase                                              until that phase's answer is logged
//   answers, and what the target said to a Try that was confirmed          never: the log itself says it
//
// A split keeps a row of each part for ever, and with it all of this (core/txn/splits.h).
//
// Else a finished transfer keeps nothing but its dedup row and link (core/ledger/dedup.h), 96 bytes, and pays for no
// history.
#pragma once

#include <vector>

#include "core/base/phases.h"
#include "core/ledger/dedup.h"
#include "core/txn/shard_state.h"

namespace coffer::txn {

/// In the order they begin. Requires: `number` is a row (checked).
std::vector<PhaseStep> history_of(const ShardState& state, ledger::DedupNumber number);

/// The steps of a transfer whose money moves at once, and comes back if it is refused.
std::vector<PhaseStep> executing_history(const ShardState& state, ledger::DedupNumber number);

/// The words of a protocol that asks first.
struct AskingPhases {
  TransferPhase ask;
  TransferPhase accept;
  TransferPhase refuse;
};
/// The steps of a transfer by such a protocol.
std::vector<PhaseStep> asking_history(const ShardState& state, ledger::DedupNumber number, const AskingPhases& phases);

}  // namespace coffer::txn
