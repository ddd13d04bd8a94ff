#include "core/txn/tcc.h"

#include "core/base/check.h"
#include "core/txn/direct.h"
#include "core/txn/legs.h"
#include "core/txn/phase_history.h"

namespace coffer::txn::tcc {

using ledger::Decided;
using ledger::LegStep;
using ledger::SecondEnded;
using ledger::SecondPhase;
using ledger::SecondReceived;
using ledger::SecondStarted;
using ledger::TryReceived;
using ledger::TryStarted;

namespace {

Plan decide_start(const ShardState& state, Decided& decided, ShardId target, std::string_view credit_account) {
  return legs::start(state, decided, target, credit_account, Plan::Makes::try_started);
}

Receipt decide_try(const ShardState& state, ShardId source, const LegRequest& leg, LegNumber freed_through) {
  Receipt receipt{.kind = LegDecision::Kind::decided};
  legs::Credit credit = legs::resolve_credit(state, source, leg);
  // A transit pocket about to be opened has room: it is empty.
  if (credit.outcome == Outcome::success && !credit.opens &&
      !state.book.may_reserve(credit.transit, credit.credit, leg.amount.minor)) {
    credit = {.outcome = Outcome::balance_overflow};
  }
  auto event = legs::received<TryReceived>(source, leg);
  event.freed_before = state.inbox.freed(source);
  event.freed_after = legs::freed_after(state, source, leg, freed_through);
  event.outcome = credit.outcome;
  event.transit = credit.transit;
  event.credit = credit.credit;
  receipt.opens = credit.opens;
  receipt.event = event;
  return receipt;
}

/// Legs are taken in order, so a second phase finds its Try answered. (Where they were not, a Cancel without its Try
/// would raise the flag of a row: TryRow::out_of_order.)
Receipt decide_second(const ShardState& state, ShardId source, const LegRequest& leg, LegNumber freed_through) {
  const TryRow* tried = state.tries.find(source, leg.tried);
  const SecondPhase phase = leg.step == LegStep::confirm ? SecondPhase::confirm : SecondPhase::cancel;
  const bool is_of_try = tried != nullptr && leg.tried < leg.number && tried->id == leg.id &&
                         tried->amount == leg.amount.minor && !(tried->refused() && phase == SecondPhase::confirm) &&
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

Receipt decide_receive(const ShardState& state, ShardId source, const LegRequest& leg, LegNumber freed_through,
                       Stamp stamp) {
  const LegDecision::Kind place = legs::place_of(state, source, leg, stamp);
  if (place != LegDecision::Kind::decided) return {.kind = place};
  return leg.step == LegStep::try_credit ? decide_try(state, source, leg, freed_through)
                                         : decide_second(state, source, leg, freed_through);
}

Money amount_of(const ShardState& state, const PhaseRow& row) {
  return {row.amount, state.book.pocket(row.debit).currency};
}

/// Both Tries are answered, for the debit's was done at once: what the credit's says is the second phase.
Settlement begin_second(const ShardState& state, ShardId target, const PhaseRow& row, const LegAnswer& answer) {
  SecondStarted event;
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
  const bool confirms = answer.outcome == Outcome::success;
  return {event, {confirms ? AnswerDecision::Kind::confirming : AnswerDecision::Kind::cancelling, event.second}};
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
  const bool confirmed = row.second == SecondPhase::confirm;
  return Settlement{event, {confirmed ? AnswerDecision::Kind::confirmed : AnswerDecision::Kind::cancelled, {}}};
}

std::optional<Settlement> decide_answer(const ShardState& state, ShardId target, const LegAnswer& answer, Stamp stamp) {
  const PhaseRow* row = legs::answered_row(state, target, answer, stamp);
  if (row == nullptr) return std::nullopt;
  if (row->second == SecondPhase::none) return begin_second(state, target, *row, answer);
  return end_second(state, target, *row, answer);
}

std::vector<PhaseStep> history(const ShardState& state, ledger::DedupNumber number) {
  return asking_history(state, number, {TransferPhase::try_legs, TransferPhase::confirm, TransferPhase::cancel});
}

}  // namespace

ProtocolRow row() {
  return {ledger::Protocol::tcc,
          "tcc",
          "Try both sides, then Confirm or Cancel both; the coordinator beside the debit account",
          decide_start,
          decide_receive,
          decide_answer,
          history};
}

void apply(ShardState& state, const TryStarted& event, Place place) {
  legs::begin(state, event, ledger::Protocol::tcc, place);
}

void undo(ShardState& state, const TryStarted& event, Place) { legs::unbegin(state, event); }

void apply(ShardState& state, const TryReceived& event, Place place) {
  legs::check_received(state, event.source, event.source_stamp, place);
  state.inbox.receive(event.source, event.leg, {event.id, place.position, place.stamp, event.outcome},
                      event.freed_before, event.freed_after);
  state.tries.add(event.source, event.leg, {event.id, event.transit, event.credit, event.amount.minor, false});
  if (event.outcome != Outcome::success) return;
  legs::check_transit(state, event.transit, event.source);
  legs::check_credit(state, event.credit, event.tenant, event.credit_account);
  state.book.reserve(event.transit, event.credit, event.amount);
}

void undo(ShardState& state, const TryReceived& event, Place) {
  if (event.outcome == Outcome::success) state.book.release(event.transit, event.credit, event.amount);
  state.tries.remove(event.source, event.leg);
  state.inbox.unreceive(event.source, event.leg, event.freed_before, event.freed_after);
}

void apply(ShardState& state, const SecondStarted& event, Place place) {
  PhaseRow row = legs::row_about(state, event, place);
  check(row.second == SecondPhase::none && state.dedup.link(row.dedup).protocol == ledger::Protocol::tcc,
        "a Try has one second phase");
  const bool confirms = event.outcome == Outcome::success;
  row.second = confirms ? SecondPhase::confirm : SecondPhase::cancel;
  row.tried = event.leg;
  row.position = place.position;
  row.stamp = place.stamp;
  state.dedup.relink(row.dedup, event.leg, event.second);
  state.phases.answer(event.target, event.leg, place.position);
  state.phases.start(event.target, event.second, row);
  if (confirms) return;
  state.dedup.finish(row.dedup, event.outcome, event.target_position, event.target_stamp);
  state.book.bring_back(event.debit, event.transit, event.amount);
}

void undo(ShardState& state, const SecondStarted& event, Place) {
  const ledger::DedupNumber dedup = state.phases.unanswered(event.target, event.second).dedup;
  if (event.outcome != Outcome::success) {
    state.book.send_off(event.debit, event.transit, event.amount);
    state.dedup.reopen(dedup);
  }
  state.phases.unstart(event.target, event.second);
  state.phases.unanswer(event.target, event.leg);
  state.dedup.relink(dedup, event.second, event.leg);
}

void apply(ShardState& state, const SecondReceived& event, Place place) {
  legs::check_received(state, event.source, event.source_stamp, place);
  const TryRow* tried = state.tries.find(event.source, event.tried);
  check(tried != nullptr && tried->id == event.id && tried->amount == event.amount.minor &&
            tried->transit == event.transit && tried->credit == event.credit,
        "a second phase is of the Try that was answered");
  state.inbox.receive(event.source, event.leg, {event.id, place.position, place.stamp, Outcome::success},
                      event.freed_before, event.freed_after);
  state.tries.remove(event.source, event.tried);
  if (event.phase == SecondPhase::confirm) {
    state.book.fulfil(event.transit, event.credit, event.amount);
  } else if (event.credit != no_pocket) {
    state.book.release(event.transit, event.credit, event.amount);
  }
}

void undo(ShardState& state, const SecondReceived& event, Place) {
  if (event.phase == SecondPhase::confirm) {
    state.book.unfulfil(event.transit, event.credit, event.amount);
  } else if (event.credit != no_pocket) {
    state.book.reserve(event.transit, event.credit, event.amount);
  }
  state.tries.add(event.source, event.tried, {event.id, event.transit, event.credit, event.amount.minor, false});
  state.inbox.unreceive(event.source, event.leg, event.freed_before, event.freed_after);
}

void apply(ShardState& state, const SecondEnded& event, Place place) {
  const PhaseRow& row = legs::row_about(state, event, place);
  check(row.second == event.phase, "a second phase ends as it began");
  if (event.phase == SecondPhase::confirm) {
    state.dedup.finish(row.dedup, Outcome::success, event.target_position, event.target_stamp);
    state.book.arrive(event.debit, event.transit, event.amount);
  }
  state.phases.answer(event.target, event.leg, place.position);
}

void undo(ShardState& state, const SecondEnded& event, Place) {
  const PhaseRow& row = state.phases.unanswer(event.target, event.leg);
  if (event.phase != SecondPhase::confirm) return;
  state.book.unarrive(event.debit, event.transit, event.amount);
  state.dedup.reopen(row.dedup);
}

}  // namespace coffer::txn::tcc
