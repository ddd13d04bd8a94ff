// What a state machine tells of its state.
#include <map>
#include <memory>
#include <utility>

#include "core/base/check.h"
#include "core/txn/frozen_state.h"
#include "core/txn/machine_state.h"
#include "core/txn/phase_history.h"

namespace coffer::txn {

using ledger::AccountKey;
using ledger::DedupNumber;
using ledger::PocketKind;

namespace {

/// What GET /v1/transfers tells of: whatever takes from one and gives to others.
bool is_transfer(ledger::Operation operation) {
  return ledger::moves_money(operation) || operation == ledger::Operation::split;
}

}  // namespace

ShardId StateMachine::self() const { return state_->self; }

bool StateMachine::is_founded() const { return state_->founded; }

bool StateMachine::owns(Slot slot) const { return state_->owns(slot); }

Position StateMachine::last_position() const { return state_->last_position; }

Stamp StateMachine::last_stamp() const { return state_->last_stamp; }

std::optional<Money> StateMachine::balance(TenantId tenant, std::string_view account, Currency currency) const {
  const AccountNumber number = state_->book.find(AccountKey(tenant, account));
  if (number == no_account) return std::nullopt;
  const PocketNumber pocket = state_->book.find_pocket(number, currency);
  if (pocket == no_pocket) return std::nullopt;
  return Money{state_->book.pocket(pocket).balance, currency};
}

std::optional<Money> StateMachine::held(TenantId tenant, std::string_view account, Currency currency) const {
  const AccountNumber number = state_->book.find(AccountKey(tenant, account));
  if (number == no_account) return std::nullopt;
  const PocketNumber pocket = state_->book.find_pocket(number, currency);
  if (pocket == no_pocket) return std::nullopt;
  return Money{state_->book.held(pocket), currency};
}

bool StateMachine::account_exists(TenantId tenant, std::string_view account) const {
  return state_->book.find(AccountKey(tenant, account)) != no_account;
}

std::optional<ledger::AccountState> StateMachine::account_state(TenantId tenant, std::string_view account) const {
  const AccountNumber number = state_->book.find(AccountKey(tenant, account));
  if (number == no_account) return std::nullopt;
  return state_->book.state_of(number);
}

std::optional<TransferRecord> StateMachine::find_transfer(TenantId tenant, std::string_view home_account,
                                                          const TransferId& id) const {
  const AccountNumber home = state_->book.find(AccountKey(tenant, home_account));
  if (home == no_account) return std::nullopt;
  const DedupNumber number = state_->dedup.find(home, id);
  if (number == ledger::no_row || !is_transfer(state_->dedup.row(number).operation)) return std::nullopt;
  return record_of(*state_, number);
}

std::optional<TransferRecord> StateMachine::find_transfer(TenantId tenant, const TransferId& id) const {
  const State& state = *state_;
  const DedupNumber number = state.dedup.find_first(id, [&](const ledger::DedupRow& row) {
    // A source numbers each account from 1 on: of its numbers only the account says whose they are.
    const bool is_numbered = state.dedup.find_source(row.home, id) != ledger::no_row;
    return is_transfer(row.operation) && !is_numbered && state.book.account(row.home).tenant == tenant;
  });
  if (number == ledger::no_row) return std::nullopt;
  return record_of(state, number);
}

SplitRecord StateMachine::split(std::uint32_t row) const { return splitting::record_of(*state_, row); }

std::optional<SplitRecord> StateMachine::find_split(const TransferRecord& found) const {
  if (found.operation != ledger::Operation::split) return std::nullopt;
  return split(found.row);
}

std::optional<HoldRecord> StateMachine::find_hold(TenantId tenant, std::string_view account,
                                                  const TransferId& id) const {
  const HoldNumber number = holding::find(*state_, tenant, account, id);
  if (number == no_hold) return std::nullopt;
  return holding::record_of(*state_, number);
}

std::optional<Stamp> StateMachine::next_expiry() const {
  const HoldNumber number = state_->holds.first_to_expire();
  if (number == no_hold) return std::nullopt;
  return state_->holds.row(number).expires;
}

std::vector<PhaseStep> StateMachine::history(const TransferRecord& found) const {
  return history_of(*state_, found.row);
}

std::vector<TrialBalanceRow> StateMachine::trial_balance() const {
  const ledger::Book& book = state_->book;
  std::map<Currency, TrialBalanceRow> by_currency;
  for (PocketNumber number(0); number < book.next_pocket(); number = number.next()) {
    const ledger::PocketRow& pocket = book.pocket(number);
    TrialBalanceRow& row = by_currency[pocket.currency];
    row.currency = pocket.currency;
    switch (pocket.kind) {
      case PocketKind::customer:
        row.customers += pocket.balance;
        break;
      case PocketKind::issue:
        row.issue += pocket.balance;
        break;
      case PocketKind::transit:
        row.transit += pocket.balance;
        break;
    }
  }
  std::vector<TrialBalanceRow> rows;
  for (const auto& [currency, row] : by_currency) rows.push_back(row);
  return rows;
}

std::vector<ShardId> StateMachine::leg_targets() const { return state_->phases.targets(); }

LegNumber StateMachine::first_unanswered(ShardId target) const { return state_->phases.first_unanswered(target); }

LegNumber StateMachine::next_leg(ShardId target) const { return state_->phases.next(target); }

LegRequest StateMachine::leg(ShardId target, LegNumber number) const {
  const PhaseRow& row = state_->phases.unanswered(target, number);
  const ledger::DedupRow& bound = state_->dedup.row(row.dedup);
  LegRequest request;
  request.number = number;
  request.tenant = state_->book.account(bound.home).tenant;
  request.id = bound.id;
  request.source_position = bound.position;
  request.source_stamp = bound.stamp;
  request.amount = {row.amount, state_->book.pocket(row.debit).currency};
  request.credit_account = row.credit_account.view();
  request.step = state_->step_of(target, number);
  if (row.second == ledger::SecondPhase::none) return request;
  request.tried = row.tried;
  request.source_position = row.position;
  request.source_stamp = row.stamp;
  return request;
}

std::uint64_t StateMachine::in_doubt() const { return state_->tries.in_doubt(); }

LegNumber StateMachine::next_expected(ShardId source) const { return state_->inbox.next(source); }

std::optional<LegAnswer> StateMachine::recorded_answer(ShardId source, LegNumber number) const {
  const ReceivedRow* row = state_->inbox.find(source, number);
  if (!row) return std::nullopt;
  return LegAnswer{number, row->id, row->outcome, row->position, row->stamp};
}

void StateMachine::export_state(Bytes& out) const { txn::export_state(*state_, out); }

std::uint64_t StateMachine::size_estimate() const { return export_size(*state_); }

std::unique_ptr<FrozenState> StateMachine::freeze() {
  check(!state_->batch_open, "a batch is finished before the state is frozen");
  return std::make_unique<FrozenState>(*state_);
}

ShardState& StateMachine::parts() { return *state_; }

void StateMachine::loaded() { state_->committed_stamp = state_->last_stamp; }

std::vector<StateMachine::PocketRow> StateMachine::pockets() const {
  const ledger::Book& book = state_->book;
  std::vector<PocketRow> rows;
  for (PocketNumber number(0); number < book.next_pocket(); number = number.next()) {
    const ledger::PocketRow& pocket = book.pocket(number);
    const std::int64_t held = pocket.has_holds ? book.held(number) : 0;
    rows.push_back(
        {book.name_of(pocket), pocket.currency, pocket.balance, held, state_->locks.is_locked(number), pocket.kind});
  }
  return rows;
}

std::uint64_t StateMachine::dedup_rows() const { return state_->dedup.size(); }

const ledger::IdWindow& StateMachine::id_window() const { return state_->dedup.window(); }

bool StateMachine::has_attic() const { return state_->dedup.has_attic(); }

std::uint64_t StateMachine::rows_left() const { return state_->dedup.left(); }

std::uint64_t StateMachine::rows_in_memory_from() const { return state_->dedup.queued_in_memory_from(); }

LeftRow StateMachine::left_row(std::uint64_t place) const {
  check(place >= rows_in_memory_from() && place < rows_left(), "only what has left is asked for");
  const ledger::Dedup& dedup = state_->dedup;
  const DedupNumber number = dedup.queued_at(place);
  LeftRow left{dedup.row(number), {}};
  if (left.row.link != ledger::no_row) left.link = dedup.link(number);
  return left;
}

void StateMachine::let_go(std::uint64_t place) { state_->dedup.let_go(place); }

std::optional<AccountNumber> StateMachine::account_number(TenantId tenant, std::string_view account) const {
  const AccountNumber number = state_->book.find(AccountKey(tenant, account));
  return number == no_account ? std::nullopt : std::optional(number);
}

TenantId StateMachine::tenant_of(AccountNumber account) const { return state_->book.account(account).tenant; }

bool StateMachine::is_in_memory(AccountNumber home, const TransferId& id) const {
  return state_->dedup.find(home, id) != ledger::no_row;
}

void StateMachine::recall(const LeftRow& row) { state_->dedup.recall(row.row, row.link); }

void StateMachine::forget_recalled() { state_->dedup.forget_recalled(); }

bool StateMachine::has_passed(const TransferId& id) const { return state_->dedup.has_passed(id); }

Outcome StateMachine::why_not_found(TenantId tenant, std::string_view home_account, const TransferId& id) const {
  return sources::why_not_found(*state_, tenant, home_account, id);
}

}  // namespace coffer::txn
