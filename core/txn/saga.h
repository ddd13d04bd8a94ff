// The orchestrated saga: a transfer whose credit account lives on another shard. The coordinator lives with the debit
// account; its phase status table is part of this shard's state.
//
//   source  start    leg_started   debit -> transit, phase row, id bound    (one event: started and debited at once)
//   target  receive  leg_received  transit -> credit, or a refusal          (exactly once: only the next number is
//   taken) source  answer   leg_answered  success: done · refusal: compensation, transit -> debit, which can never be
//   refused
//
// decide is pure; apply and undo are each other's inverse. Source: Garcia-Molina and Salem, Sagas (1987).
#pragma once

#include <optional>

#include "core/ledger/commands.h"
#include "core/ledger/events.h"
#include "core/txn/shard_state.h"

namespace coffer::txn::saga {

/// Source: a transfer to `credit_account` on `target`. Opens the transit pocket when first needed.
Plan decide_start(const ShardState& state, ledger::Decided& decided, ShardId target, std::string_view credit_account);

/// Target: what to do with a leg. `event` is set exactly when `kind` is decided.
struct Receipt {
  LegDecision::Kind kind = LegDecision::Kind::gap;
  std::optional<ledger::AccountOpened> opens = {};  ///< the transit pocket, when first needed
  std::optional<ledger::LegReceived> event = {};
};
/// `stamp` is the stamp of the entry the event would stand in; a leg not stamped before it, or one no correct source
/// sends, is a gap: ignored.
Receipt decide_receive(const ShardState& state, ShardId source, const LegRequest& leg, LegNumber freed_through,
                       Stamp stamp);

/// Source: the event that logs an answer; nothing unless it is the answer to the first unanswered leg to `target`.
std::optional<ledger::LegAnswered> decide_answer(const ShardState& state, ShardId target, const LegAnswer& answer,
                                                 Stamp stamp);

void apply(ShardState& state, const ledger::LegStarted& event, Place place);
void apply(ShardState& state, const ledger::LegReceived& event, Place place);
void apply(ShardState& state, const ledger::LegAnswered& event, Place place);
void undo(ShardState& state, const ledger::LegStarted& event, Place place);
void undo(ShardState& state, const ledger::LegReceived& event, Place place);
void undo(ShardState& state, const ledger::LegAnswered& event, Place place);

}  // namespace coffer::txn::saga
