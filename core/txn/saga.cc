#include "core/txn/saga.h"

#include "core/base/check.h"
#include "core/txn/direct.h"
#include "core/txn/legs.h"
#include "core/txn/phase_history.h"

namespace coffer::txn::saga {

using ledger::Decided;
using ledger::LegAnswered;
using ledger::LegReceived;
using ledger::LegStarted;

namespace {

Plan decide_start(const ShardState& state, Decided& decided, ShardId target, std::string_view credit_account,
                  Debit debit) {
  return legs::start(state, decided, target, credit_account, debit, Plan::Makes::leg_started);
}

Receipt decide_receive(const ShardState& state, ShardId source, const LegRequest& leg, LegNumber freed_through,
                       Stamp stamp) {
  Receipt receipt{.kind = legs::place_of(state, source, leg, stamp)};
  if (receipt.kind != LegDecision::Kind::decided) return receipt;
  const legs::Credit credit = legs::resolve_credit(state, source, leg);
  auto event = legs::received<LegReceived>(source, leg);
  event.freed_before = state.inbox.freed(source);
  event.freed_after = legs::freed_after(state, source, leg, freed_through);
  event.outcome = credit.outcome;
  event.transit = credit.transit;
  event.credit = credit.credit;
  receipt.opens = credit.opens;
  receipt.event = event;
  return receipt;
}

std::optional<Settlement> decide_answer(const ShardState& state, ShardId target, const LegAnswer& answer, Stamp stamp) {
  const PhaseRow* row = legs::answered_row(state, target, answer, stamp);
  if (row == nullptr) return std::nullopt;
  LegAnswered event;
  event.outcome = answer.outcome;
  event.target = target;
  event.leg = answer.number;
  event.id = answer.id;
  event.debit = row->debit;
  event.transit = row->transit;
  event.amount = {row->amount, state.book.pocket(row->debit).currency};
  event.target_position = answer.position;
  event.target_stamp = answer.stamp;
  const bool is_done = event.outcome == Outcome::success;
  return Settlement{event, {is_done ? AnswerDecision::Kind::done : AnswerDecision::Kind::compensated, {}}};
}

}  // namespace

ProtocolRow row() {
  return {ledger::Protocol::saga,
          "saga",
          "orchestrated, the coordinator beside the debit account: debit, then credit",
          decide_start,
          decide_receive,
          decide_answer,
          executing_history};
}

void apply(ShardState& state, const LegStarted& event, Place place) {
  legs::begin(state, event, ledger::Protocol::saga, place);
}

void undo(ShardState& state, const LegStarted& event, Place) { legs::unbegin(state, event); }

void apply(ShardState& state, const LegReceived& event, Place place) {
  legs::check_received(state, event.source, event.source_stamp, place);
  state.inbox.receive(event.source, event.leg, {event.id, place.position, place.stamp, event.outcome},
                      event.freed_before, event.freed_after);
  if (event.outcome != Outcome::success) return;
  legs::check_transit(state, event.transit, event.source);
  legs::check_credit(state, event.credit, event.tenant, event.credit_account);
  state.book.post(event.transit, event.credit, event.amount);
}

void undo(ShardState& state, const LegReceived& event, Place) {
  if (event.outcome == Outcome::success) state.book.unpost(event.transit, event.credit, event.amount);
  state.inbox.unreceive(event.source, event.leg, event.freed_before, event.freed_after);
}

void apply(ShardState& state, const LegAnswered& event, Place place) {
  const PhaseRow& row = legs::row_about(state, event, place);
  state.dedup.finish(row.dedup, event.outcome, event.target_position, event.target_stamp);
  state.phases.answer(event.target, event.leg, place.position);
  if (event.outcome == Outcome::success) {
    state.book.arrive(event.debit, event.transit, event.amount);
  } else {
    state.book.bring_back(event.debit, event.transit, event.amount);
  }
}

void undo(ShardState& state, const LegAnswered& event, Place) {
  if (event.outcome == Outcome::success) {
    state.book.unarrive(event.debit, event.transit, event.amount);
  } else {
    state.book.send_off(event.debit, event.transit, event.amount);
  }
  state.dedup.reopen(state.phases.unanswer(event.target, event.leg).dedup);
}

}  // namespace coffer::txn::saga
