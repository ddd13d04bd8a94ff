#include "core/txn/saga.h"

#include <algorithm>

#include "core/base/check.h"
#include "core/txn/direct.h"

namespace coffer::txn::saga {

using ledger::AccountKey;
using ledger::AccountOpened;
using ledger::Book;
using ledger::Decided;
using ledger::LegAnswered;
using ledger::LegReceived;
using ledger::LegStarted;
using ledger::PocketKind;
using ledger::PocketRow;

namespace {

AccountOpened open_transit(const Book& book, Currency currency, ShardId peer, PrincipalId principal) {
  AccountOpened opens;
  opens.kind = PocketKind::transit;
  opens.account = no_account;
  opens.pocket = book.next_pocket();
  opens.currency = currency;
  opens.peer = peer;
  opens.principal = principal;
  return opens;
}

void check_transit(const Book& book, PocketNumber transit, ShardId peer) {
  const PocketRow& row = book.pocket(transit);
  check(row.kind == PocketKind::transit && row.peer() == peer, "a leg goes through the transit pocket of its peer");
}

/// Whether the credit side takes the money: success with its pocket, or the refusal.
Outcome resolve_credit(const ShardState& state, const LegRequest& leg, PocketNumber& credit) {
  const AccountKey key(leg.tenant, leg.credit_account);
  // The map is static: a leg for a slot that is not ours was sent by a stale map, and the account is not here.
  const AccountNumber account = state.owns(key.slot()) ? state.book.find(key) : no_account;
  if (account == no_account) return Outcome::credit_account_not_found;
  credit = state.book.find_pocket(account, leg.amount.currency);
  if (credit == no_pocket) return Outcome::currency_mismatch;
  return state.book.may_give(credit, leg.amount.minor) ? Outcome::success : Outcome::balance_overflow;
}

/// What a correct source sends; anything else came from bytes that only look like a leg.
bool is_well_formed(const ShardState& state, ShardId source, const LegRequest& leg) {
  return source.value != 0 && source != state.self && leg.number.value != 0 && leg.amount.minor > 0 &&
         is_known(leg.amount.currency) && ledger::is_account_name(leg.credit_account) &&
         !ledger::is_reserved(leg.credit_account);
}

LegReceived received(ShardId source, const LegRequest& leg) {
  LegReceived event;
  event.tenant = leg.tenant;
  event.source = source;
  event.leg = leg.number;
  event.id = leg.id;
  event.source_position = leg.source_position;
  event.source_stamp = leg.source_stamp;
  event.amount = leg.amount;
  event.credit_account = leg.credit_account;
  return event;
}

Plan decide_start(const ShardState& state, Decided& decided, ShardId target, std::string_view credit_account) {
  const Book& book = state.book;
  const Money amount = decided.amount;
  decided.debit = book.find_pocket(decided.home, amount.currency);
  if (decided.debit == no_pocket) return direct::conclude(decided, Outcome::currency_mismatch);
  if (!book.has_funds(decided.debit, amount.minor)) return direct::conclude(decided, Outcome::insufficient_funds);
  decided.credit = book.find_system(PocketKind::transit, amount.currency, target);
  Plan plan;
  if (decided.credit == no_pocket) {
    plan.opens = open_transit(book, amount.currency, target, decided.principal);
    decided.credit = plan.opens->pocket;
  } else if (!book.may_send_through(decided.credit, amount.minor)) {
    decided.credit = no_pocket;
    return direct::conclude(decided, Outcome::balance_overflow);
  }
  plan.makes = Plan::Makes::leg_started;
  plan.decided = decided;
  plan.target = target;
  plan.credit_account = credit_account;
  return plan;
}

Receipt decide_receive(const ShardState& state, ShardId source, const LegRequest& leg, LegNumber freed_through,
                       Stamp stamp) {
  if (!state.founded || !is_well_formed(state, source, leg)) return {};
  const LegNumber next = state.inbox.next(source);
  const LegNumber freed = state.inbox.freed(source);
  if (leg.number <= freed) return {.kind = LegDecision::Kind::freed};
  if (leg.number < next) return {.kind = LegDecision::Kind::repeated};
  if (leg.number > next || leg.source_stamp >= stamp) return {};
  Receipt receipt{.kind = LegDecision::Kind::decided};
  LegReceived event = received(source, leg);
  event.freed_before = freed;
  event.freed_after = std::max(freed, std::min(freed_through, LegNumber(leg.number.value - 1)));
  event.outcome = resolve_credit(state, leg, event.credit);
  event.transit = state.book.find_system(PocketKind::transit, leg.amount.currency, source);
  if (event.outcome == Outcome::success && event.transit == no_pocket) {
    receipt.opens = open_transit(state.book, leg.amount.currency, source, PrincipalId());
    event.transit = receipt.opens->pocket;
  } else if (event.outcome == Outcome::success && !state.book.may_take(event.transit, leg.amount.minor)) {
    event.outcome = Outcome::balance_overflow;
  }
  if (event.outcome != Outcome::success) event.transit = event.credit = no_pocket;
  receipt.event = event;
  return receipt;
}

std::optional<Settlement> decide_answer(const ShardState& state, ShardId target, const LegAnswer& answer, Stamp stamp) {
  const LegNumber first = state.phases.first_unanswered(target);
  if (answer.number != first || first == state.phases.next(target)) return std::nullopt;
  const PhaseRow& row = state.phases.unanswered(target, first);
  if (state.dedup.row(row.dedup).id != answer.id || !is_logged(answer.outcome) || answer.stamp >= stamp) {
    return std::nullopt;
  }
  LegAnswered event;
  event.outcome = answer.outcome;
  event.target = target;
  event.leg = first;
  event.id = answer.id;
  event.debit = row.debit;
  event.transit = row.transit;
  event.amount = {row.amount, state.book.pocket(row.debit).currency};
  event.target_position = answer.position;
  event.target_stamp = answer.stamp;
  const bool is_done = event.outcome == Outcome::success;
  return Settlement{event, {is_done ? AnswerDecision::Kind::done : AnswerDecision::Kind::compensated}};
}

}  // namespace

ProtocolRow row() {
  return {ledger::Protocol::saga,
          "saga",
          "orchestrated, the coordinator beside the debit account: debit, then credit",
          decide_start,
          decide_receive,
          decide_answer};
}

void apply(ShardState& state, const LegStarted& event, Place place) {
  const Decided& decided = event.decided;
  check(event.target != state.self, "a leg goes to another shard");
  check_transit(state.book, decided.credit, event.target);
  check(state.book.pocket(decided.debit).account == decided.home, "a leg takes from its home account");
  PhaseRow row;
  row.dedup = state.dedup.bind(direct::dedup_row(state, decided, place), {event.target, event.leg, {}, {}});
  row.debit = decided.debit;
  row.transit = decided.credit;
  row.amount = decided.amount.minor;
  row.credit_account = ledger::AccountName(event.credit_account);
  state.phases.start(event.target, event.leg, row);
  state.book.send_off(decided.debit, decided.credit, decided.amount);
}

void undo(ShardState& state, const LegStarted& event, Place) {
  const Decided& decided = event.decided;
  state.book.bring_back(decided.debit, decided.credit, decided.amount);
  state.phases.unstart(event.target, event.leg);
  state.dedup.unbind_last(decided.id);
}

void apply(ShardState& state, const LegReceived& event, Place place) {
  check(state.founded && event.source != state.self, "a leg comes from another shard");
  check(event.source_stamp < place.stamp, "a leg is received after it was started");
  state.inbox.receive(event.source, event.leg, {event.id, place.position, place.stamp, event.outcome},
                      event.freed_before, event.freed_after);
  if (event.outcome != Outcome::success) return;
  check_transit(state.book, event.transit, event.source);
  check(state.book.pocket(event.credit).kind == PocketKind::customer, "a leg gives to a customer");
  const ledger::AccountRow& account = state.book.account(state.book.pocket(event.credit).account);
  check(account.tenant == event.tenant && account.name.view() == event.credit_account,
        "a leg gives to the account it names");
  state.book.post(event.transit, event.credit, event.amount);
}

void undo(ShardState& state, const LegReceived& event, Place) {
  if (event.outcome == Outcome::success) state.book.unpost(event.transit, event.credit, event.amount);
  state.inbox.unreceive(event.source, event.leg, event.freed_before, event.freed_after);
}

void apply(ShardState& state, const LegAnswered& event, Place place) {
  const PhaseRow& row = state.phases.unanswered(event.target, event.leg);
  check(row.debit == event.debit && row.transit == event.transit && row.amount == event.amount.minor &&
            state.dedup.row(row.dedup).id == event.id,
        "an answer is about the leg that was started");
  check(event.target_stamp < place.stamp, "an answer is logged after it was given");
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
