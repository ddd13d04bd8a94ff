#include "core/txn/legs.h"

#include <algorithm>

#include "core/base/check.h"
#include "core/txn/direct.h"

namespace coffer::txn::legs {

using ledger::AccountKey;
using ledger::AccountOpened;
using ledger::Book;
using ledger::Decided;
using ledger::PocketKind;
using ledger::PocketRow;

namespace {

/// Success with the account's pocket, or the refusal.
Outcome find_credit(const ShardState& state, const LegRequest& leg, PocketNumber& credit) {
  const AccountKey key(leg.tenant, leg.credit_account);
  // The map is static: a leg for a slot that is not ours was sent by a stale map, and the account is not here.
  const AccountNumber account = state.owns(key.slot()) ? state.book.find(key) : no_account;
  if (account == no_account) return Outcome::credit_account_not_found;
  const Outcome credited = ledger::refusal_of(state.book.state_of(account));
  if (credited != Outcome::success) return credited;
  credit = state.book.find_pocket(account, leg.amount.currency);
  if (credit == no_pocket) return Outcome::currency_mismatch;
  if (state.locks.is_locked(credit)) return Outcome::account_locked;
  return state.book.may_give(credit, leg.amount.minor) ? Outcome::success : Outcome::balance_overflow;
}

/// What a correct source sends; anything else came from bytes that only look like a leg.
bool is_well_formed(const ShardState& state, ShardId source, const LegRequest& leg) {
  return source.value != 0 && source != state.self && leg.number.value != 0 && leg.amount.minor > 0 &&
         is_known(leg.amount.currency) && ledger::is_account_name(leg.credit_account) &&
         !ledger::is_reserved(leg.credit_account);
}

}  // namespace

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

Plan start(const ShardState& state, Decided& decided, ShardId target, std::string_view credit_account, Debit debit,
           Plan::Makes makes) {
  const Book& book = state.book;
  const Money amount = decided.amount;
  const Outcome debited = direct::refusal_of_debit(state, decided.home, debit);
  if (debited != Outcome::success) return direct::conclude(decided, debited);
  decided.debit = book.find_pocket(decided.home, amount.currency);
  if (decided.debit == no_pocket) return direct::conclude(decided, Outcome::currency_mismatch);
  if (state.locks.is_locked(decided.debit)) return direct::conclude(decided, Outcome::account_locked);
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
  plan.makes = makes;
  plan.decided = decided;
  plan.target = target;
  plan.credit_account = credit_account;
  return plan;
}

LegDecision::Kind place_of(const ShardState& state, ShardId source, const LegRequest& leg, Stamp stamp) {
  if (!state.founded || !is_well_formed(state, source, leg)) return LegDecision::Kind::gap;
  const LegNumber next = state.inbox.next(source);
  if (leg.number <= state.inbox.freed(source)) return LegDecision::Kind::freed;
  if (leg.number < next) return LegDecision::Kind::repeated;
  if (leg.number > next || leg.source_stamp >= stamp) return LegDecision::Kind::gap;
  return LegDecision::Kind::decided;
}

LegNumber freed_after(const ShardState& state, ShardId source, const LegRequest& leg, LegNumber freed_through) {
  return std::max(state.inbox.freed(source), std::min(freed_through, LegNumber(leg.number.value - 1)));
}

Credit resolve_credit(const ShardState& state, ShardId source, const LegRequest& leg) {
  Credit found;
  found.outcome = find_credit(state, leg, found.credit);
  found.transit = state.book.find_system(PocketKind::transit, leg.amount.currency, source);
  if (found.outcome == Outcome::success && found.transit == no_pocket) {
    found.opens = open_transit(state.book, leg.amount.currency, source, PrincipalId());
    found.transit = found.opens->pocket;
  } else if (found.outcome == Outcome::success && !state.book.may_take(found.transit, leg.amount.minor)) {
    found.outcome = Outcome::balance_overflow;
  }
  if (found.outcome != Outcome::success) found.transit = found.credit = no_pocket;
  return found;
}

const PhaseRow* answered_row(const ShardState& state, ShardId target, const LegAnswer& answer, Stamp stamp) {
  const LegNumber first = state.phases.first_unanswered(target);
  if (answer.number != first || first == state.phases.next(target)) return nullptr;
  const PhaseRow& row = state.phases.unanswered(target, first);
  if (state.dedup.row(row.dedup).id != answer.id || !is_logged(answer.outcome) || answer.stamp >= stamp) return nullptr;
  return &row;
}

void check_received(const ShardState& state, ShardId source, Stamp source_stamp, Place place) {
  check(state.founded && source != state.self, "a leg comes from another shard");
  check(source_stamp < place.stamp, "a leg is received after it was started");
}

void check_transit(const ShardState& state, PocketNumber transit, ShardId peer) {
  const PocketRow& row = state.book.pocket(transit);
  check(row.kind == PocketKind::transit && row.peer() == peer, "a leg goes through the transit pocket of its peer");
}

void check_credit(const ShardState& state, PocketNumber credit, TenantId tenant, std::string_view account) {
  check(state.book.pocket(credit).kind == PocketKind::customer, "a leg gives to a customer");
  const ledger::AccountRow& row = state.book.account(state.book.pocket(credit).account);
  check(row.tenant == tenant && row.name.view() == account, "a leg gives to the account it names");
}

}  // namespace coffer::txn::legs
