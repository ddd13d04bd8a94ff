// Splits: one debit and 1 to 16 parts, each a payee and an amount; all parts are credited or none. By Try, Confirm and
// Cancel, whatever protocol the cluster uses between two accounts:
//
//   source  split_started    the id bound; debit -> the transit pocket of each part; every Try leaves at once. A
//                            part of this very shard is tried here, through the shard's transit pocket of itself
//   target  try_received     as of any Try: nobody there knows that it belongs to a split
//   source  split_answered   the answer to one Try
//           split_decided    behind the last one, in the same entry: Confirm of all, or Cancel of all; what is here
//                            is done at once, every second phase leaves
//   target  second_received  as of any Try
//   source  split_ended      the answer to one second phase; the last Confirm's is the success
//
// Where all parts are of this shard, split_started does it all. decide is pure; apply and undo are each other's
// inverse.
#pragma once

#include <optional>
#include <vector>

#include "core/base/phases.h"
#include "core/ledger/commands.h"
#include "core/ledger/events.h"
#include "core/txn/shard_state.h"
#include "core/txn/splits.h"

namespace coffer::txn::splitting {

/// What a split makes: transit pockets and an event, or a refusal without a trace, or the answer it had before.
struct StartPlan {
  Outcome outcome = Outcome::pending;
  ledger::DedupNumber replayed = ledger::no_row;  ///< the row of an id bound before with the same body
  std::vector<ledger::AccountOpened> opens = {};  ///< transit pockets needed for the first time
  std::optional<ledger::SplitStarted> event = {};
};
/// `stamp` is that of the entry the event would stand in.
StartPlan decide(const ShardState& state, const ledger::SplitCommand& command, const IdRules& ids, Stamp stamp);

/// What an answer to a leg of a split makes.
struct AnswerPlan {
  ledger::Event event;
  std::optional<ledger::SplitDecided> decided;  ///< to be recorded right behind
  AnswerDecision decision;
};
/// Nothing unless it is the answer to the first unanswered leg to `target`. Requires: that leg is a split's.
std::optional<AnswerPlan> decide_answer(const ShardState& state, ShardId target, const LegAnswer& answer, Stamp stamp);

void apply(ShardState& state, const ledger::SplitStarted& event, Place place);
void apply(ShardState& state, const ledger::SplitAnswered& event, Place place);
void apply(ShardState& state, const ledger::SplitDecided& event, Place place);
void apply(ShardState& state, const ledger::SplitEnded& event, Place place);
void undo(ShardState& state, const ledger::SplitStarted& event, Place place);
void undo(ShardState& state, const ledger::SplitAnswered& event, Place place);
void undo(ShardState& state, const ledger::SplitDecided& event, Place place);
void undo(ShardState& state, const ledger::SplitEnded& event, Place place);

/// How clients see it. Requires: the row is a split's (checked).
SplitRecord record_of(const ShardState& state, ledger::DedupNumber number);
/// Its steps, in the order they begin. Requires: as above.
std::vector<PhaseStep> history(const ShardState& state, ledger::DedupNumber number);

}  // namespace coffer::txn::splitting
