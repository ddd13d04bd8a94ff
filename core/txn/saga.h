// The orchestrated saga: a transfer whose credit account lives on another shard. The coordinator lives with the debit
// account; its phase status table is part of this shard's state.
//
//   source  start    leg_started   debit -> transit, phase row, id bound: started and debited at once
//   target  receive  leg_received  transit -> credit, or a refusal; exactly once: only the next number is taken
//   source  answer   leg_answered  success: done. Refusal: compensation, transit -> debit, which can never be refused
//
// decide is pure; apply and undo are each other's inverse. Source: Garcia-Molina and Salem, Sagas (1987).
#pragma once

#include "core/ledger/events.h"
#include "core/txn/protocols.h"
#include "core/txn/shard_state.h"

namespace coffer::txn::saga {

ProtocolRow row();

void apply(ShardState& state, const ledger::LegStarted& event, Place place);
void apply(ShardState& state, const ledger::LegReceived& event, Place place);
void apply(ShardState& state, const ledger::LegAnswered& event, Place place);
void undo(ShardState& state, const ledger::LegStarted& event, Place place);
void undo(ShardState& state, const ledger::LegReceived& event, Place place);
void undo(ShardState& state, const ledger::LegAnswered& event, Place place);

}  // namespace coffer::txn::saga
