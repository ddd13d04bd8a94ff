#include "core/txn/direct.h"

#include "core/base/check.h"
#include "core/txn/windows.h"

namespace coffer::txn::direct {

using ledger::AccountOpened;
using ledger::Book;
using ledger::Decided;
using ledger::Operation;
using ledger::PocketKind;
using ledger::PocketRow;
using ledger::TransferDecided;

namespace {

bool is_customer_of(const Book& book, PocketNumber pocket, AccountNumber account) {
  const PocketRow& row = book.pocket(pocket);
  return row.kind == PocketKind::customer && row.account == account;
}

/// The sides a successful event may have: the home account's pocket is one of them, and the other is of the right kind.
bool has_right_sides(const Book& book, const Decided& decided) {
  switch (decided.operation) {
    case Operation::transfer:
      return is_customer_of(book, decided.debit, decided.home) &&
             book.pocket(decided.credit).kind == PocketKind::customer;
    case Operation::deposit:
      return book.pocket(decided.debit).kind == PocketKind::issue && is_customer_of(book, decided.credit, decided.home);
    case Operation::withdrawal:
      return is_customer_of(book, decided.debit, decided.home) && book.pocket(decided.credit).kind == PocketKind::issue;
    case Operation::freeze:
    case Operation::unfreeze:
    case Operation::close:
    case Operation::hold:
    case Operation::split:
      break;
  }
  check_failed("a transfer's operation moves money");
}

}  // namespace

Outcome check_name(std::string_view account) {
  if (ledger::is_reserved(account)) return Outcome::reserved_account;
  return ledger::is_account_name(account) ? Outcome::success : Outcome::malformed;
}

bool maps_agree(const ShardState& state, const ledger::TransferCommand& transfer) {
  const bool is_here = state.owns(ledger::AccountKey(transfer.tenant, transfer.credit_account).slot());
  return transfer.credit_shard != ShardId() && is_here == (transfer.credit_shard == state.self);
}

Outcome refusal_of_debit(const ShardState& state, AccountNumber account, Debit debit) {
  const ledger::AccountState now = state.book.state_of(account);
  const bool is_promised = debit == Debit::promised && now == ledger::AccountState::frozen;
  return is_promised ? Outcome::success : ledger::refusal_of(now);
}

Outcome check_grammar(const ledger::TransferCommand& command) {
  if (command.amount.minor <= 0 || !is_known(command.amount.currency)) return Outcome::malformed;
  const Outcome home = check_name(command.home_account());
  if (home != Outcome::success) return home;
  switch (command.operation) {
    case Operation::transfer: {
      const Outcome credit = check_name(command.credit_account);
      if (credit != Outcome::success) return credit;
      return command.debit_account == command.credit_account ? Outcome::same_account : Outcome::success;
    }
    case Operation::deposit:
      return command.debit_account.empty() ? Outcome::success : Outcome::malformed;
    case Operation::withdrawal:
      return command.credit_account.empty() ? Outcome::success : Outcome::malformed;
    case Operation::freeze:
    case Operation::unfreeze:
    case Operation::close:
    case Operation::hold:
    case Operation::split:
      break;
  }
  return Outcome::malformed;
}

Decided decided_for(const ledger::TransferCommand& command, AccountNumber home, const Hash128& digest) {
  Decided decided;
  decided.operation = command.operation;
  decided.principal = command.principal;
  decided.home = home;
  decided.amount = command.amount;
  decided.id = command.id;
  decided.digest = digest;
  return decided;
}

Plan conclude(const Decided& decided, Outcome outcome) {
  Plan plan;
  plan.outcome = outcome;
  plan.makes = Plan::Makes::transfer_decided;
  plan.decided = decided;
  plan.decided.outcome = outcome;
  return plan;
}

Plan decide_transfer(const ShardState& state, Decided& decided, const ledger::AccountKey& credit, Debit debit) {
  const Book& book = state.book;
  const Money amount = decided.amount;
  const Outcome debited = refusal_of_debit(state, decided.home, debit);
  if (debited != Outcome::success) return conclude(decided, debited);
  decided.debit = book.find_pocket(decided.home, amount.currency);
  if (decided.debit == no_pocket) return conclude(decided, Outcome::currency_mismatch);
  if (state.locks.is_locked(decided.debit)) return conclude(decided, Outcome::account_locked);
  if (!book.has_funds(decided.debit, amount.minor)) return conclude(decided, Outcome::insufficient_funds);
  const AccountNumber payee = book.find(credit);
  if (payee == no_account) return conclude(decided, Outcome::credit_account_not_found);
  const Outcome credited = ledger::refusal_of(book.state_of(payee));
  if (credited != Outcome::success) return conclude(decided, credited);
  decided.credit = book.find_pocket(payee, amount.currency);
  if (decided.credit == no_pocket) return conclude(decided, Outcome::currency_mismatch);
  if (state.locks.is_locked(decided.credit)) return conclude(decided, Outcome::account_locked);
  if (!book.may_give(decided.credit, amount.minor)) return conclude(decided, Outcome::balance_overflow);
  return conclude(decided, Outcome::success);
}

Plan decide_external(const ShardState& state, Decided& decided) {
  const Book& book = state.book;
  const Money amount = decided.amount;
  const bool is_deposit = decided.operation == Operation::deposit;
  PocketNumber& own = is_deposit ? decided.credit : decided.debit;
  PocketNumber& issue = is_deposit ? decided.debit : decided.credit;
  const Outcome touched = ledger::refusal_of(book.state_of(decided.home));
  if (touched != Outcome::success) return conclude(decided, touched);
  own = book.find_pocket(decided.home, amount.currency);
  if (own == no_pocket) return conclude(decided, Outcome::currency_mismatch);
  if (state.locks.is_locked(own)) return conclude(decided, Outcome::account_locked);
  if (!is_deposit && !book.has_funds(own, amount.minor)) return conclude(decided, Outcome::insufficient_funds);
  issue = book.find_system(PocketKind::issue, amount.currency, ShardId());
  const bool own_fits = !is_deposit || book.may_give(own, amount.minor);
  const bool issue_fits =
      issue == no_pocket || (is_deposit ? book.may_take(issue, amount.minor) : book.may_give(issue, amount.minor));
  if (!own_fits || !issue_fits) return conclude(decided, Outcome::balance_overflow);
  if (issue != no_pocket) return conclude(decided, Outcome::success);
  AccountOpened opens;
  opens.kind = PocketKind::issue;
  opens.account = no_account;
  opens.pocket = issue = book.next_pocket();
  opens.currency = amount.currency;
  opens.principal = decided.principal;
  Plan plan = conclude(decided, Outcome::success);
  plan.opens = opens;
  return plan;
}

void apply(ShardState& state, const ledger::ShardFounded& event, Place) {
  check(!state.founded && event.shard == state.self, "a shard is founded once, as itself");
  state.founded = true;
  state.ranges = event.ranges;
  for (const ledger::SlotRange& range : event.ranges) state.slots.add(range);
}

void undo(ShardState& state, const ledger::ShardFounded&, Place) {
  check(state.founded, "only a founded shard is undone");
  state.founded = false;
  state.ranges.clear();
  state.slots = SlotSet();
}

void apply(ShardState& state, const AccountOpened& event, Place) {
  check(state.founded, "nothing is opened before the shard is founded");
  check(event.kind != PocketKind::customer || state.owns(ledger::AccountKey(event.tenant, event.name).slot()),
        "accounts are opened where their slot is");
  state.book.open(event);
}

void undo(ShardState& state, const AccountOpened& event, Place) { state.book.close_last(event); }

ledger::DedupRow dedup_row(const ShardState& state, const Decided& decided, Place place) {
  check(decided.home < state.book.next_account(), "the home account exists");
  const ledger::DedupNumber source = state.dedup.find_source(decided.home, decided.id);
  check(source == ledger::no_row || windows::is_over(state, source), "what is running keeps its row");
  ledger::DedupRow row;
  row.id = decided.id;
  row.digest = decided.digest;
  row.position = place.position;
  row.stamp = place.stamp;
  row.home = decided.home;
  row.operation = decided.operation;
  row.outcome = decided.outcome;
  return row;
}

void apply(ShardState& state, const TransferDecided& event, Place place) {
  const Decided& decided = event.decided;
  state.dedup.bind(dedup_row(state, decided, place));
  if (decided.outcome != Outcome::success) return;
  check(has_right_sides(state.book, decided), "a transfer's sides fit its operation");
  state.book.post(decided.debit, decided.credit, decided.amount);
}

void undo(ShardState& state, const TransferDecided& event, Place) {
  const Decided& decided = event.decided;
  if (decided.outcome == Outcome::success) state.book.unpost(decided.debit, decided.credit, decided.amount);
  state.dedup.unbind_last(decided.id);
}

}  // namespace coffer::txn::direct
