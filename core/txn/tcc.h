// TC/C, Try / Confirm / Cancel: a transfer whose credit account lives on another shard. The coordinator lives with the
// debit account; its phase status table is part of this shard's state.
//
//   source  start    try_started      the debit's Try: debit -> transit, id bound; the credit's Try leaves as a leg
//   target  receive  try_received     the credit's Try moves nothing: it looks, answers and, if it can, keeps room
//   source  answer   second_started   both Tries are answered: success: Confirm, in which the debit side does nothing
//                                     refusal: Cancel, transit -> debit. Either leaves as a leg
//   target  receive  second_received  Confirm: transit -> credit, for which there is room. Cancel: no room is kept
//   source  answer   second_ended     the end
//
// The debit's Try is one entry with the beginning, and its Cancel one with the decision: coordinator and debit are one
// shard. So the Tries run one after the other, although nothing in the protocol asks for it.
// The second phases are in asking.h, for two-phase commit has them too.
// decide is pure; apply and undo are each other's inverse. Source: Digital Wallet, chapter 12, figures 12.7-12.12 and
// table 12.2.
#pragma once

#include "core/ledger/events.h"
#include "core/txn/protocols.h"
#include "core/txn/shard_state.h"

namespace coffer::txn::tcc {

ProtocolRow row();

void apply(ShardState& state, const ledger::TryStarted& event, Place place);
void apply(ShardState& state, const ledger::TryReceived& event, Place place);
void undo(ShardState& state, const ledger::TryStarted& event, Place place);
void undo(ShardState& state, const ledger::TryReceived& event, Place place);

}  // namespace coffer::txn::tcc
