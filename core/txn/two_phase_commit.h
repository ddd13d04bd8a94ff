// Two-phase commit over durable shards: a transfer whose credit account lives on another shard. The coordinator lives
// with the debit account; its decision is an event of that shard's replicated log.
//
//   source  start    prepare_started    the debit is prepared: locked, debit -> transit, id bound; prepare leaves as a
//                                       leg
//   target  receive  prepare_received   the credit promises: locked, room kept; from here on it is in doubt. Or it
//                                       refuses, and locks nothing
//   source  answer   commit_decided     the decision, logged before it is sent: Commit if both are prepared, else Abort
//                                       (transit -> debit). The debit is unlocked
//   target  receive  second_received    Commit: transit -> credit. Abort: no room is kept. The credit is unlocked
//   source  answer   second_ended       the end
//
// What is locked is an account's pocket of one currency (core/txn/locks.h). Nobody waits for a lock: a transfer or a
// prepare that meets one is refused, and that is final (account_locked); only a capture is put off (account_busy). So
// no two transactions ever wait for each other. What was promised before never asks: compensations, Confirms, Cancels,
// Commits and Aborts pass by locks.
//
// decide is pure; apply and undo are each other's inverse. Source: Gray, Notes on Data Base Operating Systems (1978);
// Digital Wallet, chapter 12, figures 12.5 and 12.6.
#pragma once

#include "core/ledger/events.h"
#include "core/txn/protocols.h"
#include "core/txn/shard_state.h"

namespace coffer::txn::two_phase_commit {

ProtocolRow row();

void apply(ShardState& state, const ledger::PrepareStarted& event, Place place);
void apply(ShardState& state, const ledger::PrepareReceived& event, Place place);
void undo(ShardState& state, const ledger::PrepareStarted& event, Place place);
void undo(ShardState& state, const ledger::PrepareReceived& event, Place place);

}  // namespace coffer::txn::two_phase_commit
