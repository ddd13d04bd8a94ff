#include "core/txn/asking.h"

#include "core/base/check.h"

namespace coffer::txn::asking {

using ledger::Protocol;
using ledger::SecondEnded;
using ledger::SecondPhase;
using ledger::SecondReceived;
using ledger::SecondStarted;

namespace {

using Kind = AnswerDecision::Kind;

Kind kind_when_begun(SecondPhase phase) {
  switch (phase) {
    case SecondPhase::none:
      break;
    case SecondPhase::confirm:
      return Kind::confirming;
    case SecondPhase::cancel:
      return Kind::cancelling;
    case SecondPhase::commit:
      return Kind::committing;
    case SecondPhase::abort:
      return Kind::aborting;
  }
  check_failed("what begins is a second phase");
}

Kind kind_when_ended(SecondPhase phase) {
  switch (phase) {
    case SecondPhase::none:
      break;
    case SecondPhase::confirm:
      return Kind::confirmed;
    case SecondPhase::cancel:
      return Kind::cancelled;
    case SecondPhase::commit:
      return Kind::committed;
    case SecondPhase::abort:
      return Kind::aborted;
  }
  check_failed("what ends is a second phase");
}

Money amount_of(const ShardState& state, const PhaseRow& row) {
  return {row.amount, state.book.pocket(row.debit).currency};
}

/// Both sides have answered, for the debit's did at once: what the credit's says is the second phase.
Settlement begin_second(const ShardState& state, ShardId target, const PhaseRow& row, const LegAnswer& answer) {
  SecondStarted event;
  event.protocol = state.dedup.link(row.dedup).protocol;
  event.outcome = answer.outcome;
  event.target = target;
  event.leg = answer.number;
  event.second = state.phases.next(target);
  event.id = answer.id;
  event.debit = row.debit;
  event.transit = row.transit;
  event.amount = amount_of(state, row);
  event.target_position = answer.position;
  event.target_stamp = answer.stamp;
  return {event, {kind_when_begun(event.phase()), event.second}};
}

std::optional<Settlement> end_second(const ShardState& state, ShardId target, const PhaseRow& row,
                                     const LegAnswer& answer) {
  if (answer.outcome != Outcome::success) return std::nullopt;  // a second phase is never refused
  SecondEnded event;
  event.phase = row.second;
  event.target = target;
  event.leg = answer.number;
  event.id = answer.id;
  event.debit = row.debit;
  event.transit = row.transit;
  event.amount = amount_of(state, row);
  event.target_position = answer.position;
  event.target_stamp = answer.stamp;
  return Settlement{event, {kind_when_ended(row.second), {}}};
}

/// Whether a second phase unlocks the account of its side.
bool unlocks(SecondPhase phase) { return ledger::protocol_of(phase) == Protocol::two_phase_commit; }

}  // namespace

legs::Credit resolve_promise(const ShardState& state, ShardId source, const LegRequest& leg) {
  legs::Credit credit = legs::resolve_credit(state, source, leg);
  // A transit pocket about to be opened has room: it is empty.
  if (credit.outcome == Outcome::success && !credit.opens &&
      !state.book.may_reserve(credit.transit, credit.credit, leg.amount.minor)) {
    credit = {.outcome = Outcome::balance_overflow};
  }
  return credit;
}

/// Legs are taken in order, so a second phase finds its question answered. (Where they were not, a Cancel without its
/// Try would raise the flag of a row: TryRow::out_of_order.)
Receipt decide_second(const ShardState& state, ShardId source, const LegRequest& leg, LegNumber freed_through) {
  const TryRow* tried = state.tries.find(source, leg.tried);
  const SecondPhase phase = ledger::second_phase_of(leg.step);
  const bool is_of_try = tried != nullptr && leg.tried < leg.number && tried->id == leg.id &&
                         tried->amount == leg.amount.minor && tried->prepared == unlocks(phase) &&
                         !(tried->refused() && ledger::accepts(phase)) &&
                         (tried->refused() || state.book.pocket(tried->credit).currency == leg.amount.currency);
  if (!is_of_try) return {};  // no correct source sends it
  SecondReceived event;
  event.phase = phase;
  event.source = source;
  event.leg = leg.number;
  event.tried = leg.tried;
  event.id = leg.id;
  event.source_position = leg.source_position;
  event.source_stamp = leg.source_stamp;
  event.amount = leg.amount;
  event.transit = tried->transit;
  event.credit = tried->credit;
  event.freed_before = state.inbox.freed(source);
  event.freed_after = legs::freed_after(state, source, leg, freed_through);
  return {.kind = LegDecision::Kind::decided, .opens = {}, .event = event};
}

std::optional<Settlement> decide_answer(const ShardState& state, ShardId target, const LegAnswer& answer, Stamp stamp) {
  const PhaseRow* row = legs::answered_row(state, target, answer, stamp);
  if (row == nullptr) return std::nullopt;
  if (row->second == SecondPhase::none) return begin_second(state, target, *row, answer);
  return end_second(state, target, *row, answer);
}

void apply(ShardState& state, const SecondStarted& event, Place place) {
  PhaseRow row = legs::row_about(state, event, place);
  check(row.second == SecondPhase::none && state.dedup.link(row.dedup).protocol == event.protocol,
        "a question has one second phase");
  row.second = event.phase();
  row.tried = event.leg;
  row.position = place.position;
  row.stamp = place.stamp;
  state.dedup.relink(row.dedup, event.leg, event.second);
  state.phases.answer(event.target, event.leg, place.position);
  state.phases.start(event.target, event.second, row);
  if (unlocks(row.second)) state.locks.unlock(event.debit);
  if (ledger::accepts(row.second)) return;
  state.dedup.finish(row.dedup, event.outcome, event.target_position, event.target_stamp);
  state.book.bring_back(event.debit, event.transit, event.amount);
}

void undo(ShardState& state, const SecondStarted& event, Place) {
  const ledger::DedupNumber dedup = state.phases.unanswered(event.target, event.second).dedup;
  if (!ledger::accepts(event.phase())) {
    state.book.send_off(event.debit, event.transit, event.amount);
    state.dedup.reopen(dedup);
  }
  if (unlocks(event.phase())) state.locks.lock(event.debit);
  state.phases.unstart(event.target, event.second);
  state.phases.unanswer(event.target, event.leg);
  state.dedup.relink(dedup, event.second, event.leg);
}

void apply(ShardState& state, const SecondReceived& event, Place place) {
  legs::check_received(state, event.source, event.source_stamp, place);
  const TryRow* tried = state.tries.find(event.source, event.tried);
  check(tried != nullptr && tried->id == event.id && tried->amount == event.amount.minor &&
            tried->transit == event.transit && tried->credit == event.credit && tried->prepared == unlocks(event.phase),
        "a second phase is of the question that was answered");
  state.inbox.receive(event.source, event.leg, {event.id, place.position, place.stamp, Outcome::success},
                      event.freed_before, event.freed_after);
  state.tries.remove(event.source, event.tried);
  if (event.credit == no_pocket) return;
  if (unlocks(event.phase)) state.locks.unlock(event.credit);
  if (ledger::accepts(event.phase)) {
    state.book.fulfil(event.transit, event.credit, event.amount);
  } else {
    state.book.release(event.transit, event.credit, event.amount);
  }
}

void undo(ShardState& state, const SecondReceived& event, Place) {
  if (ledger::accepts(event.phase)) {
    state.book.unfulfil(event.transit, event.credit, event.amount);
  } else if (event.credit != no_pocket) {
    state.book.reserve(event.transit, event.credit, event.amount);
  }
  if (unlocks(event.phase) && event.credit != no_pocket) state.locks.lock(event.credit);
  state.tries.add(event.source, event.tried,
                  {event.id, event.transit, event.credit, event.amount.minor, false, unlocks(event.phase)});
  state.inbox.unreceive(event.source, event.leg, event.freed_before, event.freed_after);
}

void apply(ShardState& state, const SecondEnded& event, Place place) {
  const PhaseRow& row = legs::row_about(state, event, place);
  check(row.second == event.phase, "a second phase ends as it began");
  if (ledger::accepts(event.phase)) {
    state.dedup.finish(row.dedup, Outcome::success, event.target_position, event.target_stamp);
    state.book.arrive(event.debit, event.transit, event.amount);
  }
  state.phases.answer(event.target, event.leg, place.position);
}

void undo(ShardState& state, const SecondEnded& event, Place) {
  const PhaseRow& row = state.phases.unanswer(event.target, event.leg);
  if (!ledger::accepts(event.phase)) return;
  state.book.unarrive(event.debit, event.transit, event.amount);
  state.dedup.reopen(row.dedup);
}

}  // namespace coffer::txn::asking
