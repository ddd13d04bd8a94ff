#include "core/ledger/book.h"

#include <algorithm>

#include "core/base/check.h"
#include "core/base/prng.h"
#include "core/ledger/row_codec.h"

namespace coffer::ledger {

namespace {

std::uint64_t hash_of_system(PocketKind kind, Currency currency, ShardId peer) {
  return mix64(static_cast<std::uint64_t>(kind) << 56 | static_cast<std::uint64_t>(currency.packed) << 32 | peer.value);
}

/// Changes a row's balance and pending by these amounts and says whether it is still in the range its kind has; see the
/// head of book.h. Nobody looks at a row that is not.
bool change(PocketRow& row, std::int64_t balance, std::int64_t pending) {
  if (__builtin_add_overflow(row.balance, balance, &row.balance)) return false;
  if (__builtin_add_overflow(row.pending, pending, &row.pending) || row.pending < 0) return false;
  switch (row.kind) {
    case PocketKind::customer:
      return row.balance >= 0 && row.balance <= INT64_MAX - row.pending;
    case PocketKind::issue:
      return row.balance >= -INT64_MAX && row.pending == 0;
    case PocketKind::transit:
      return row.balance >= -INT64_MAX + row.pending;
  }
  check_failed("a pocket is of a known kind");
}

bool may_change(PocketRow row, std::int64_t balance, std::int64_t pending) { return change(row, balance, pending); }

}  // namespace

AccountName::AccountName(std::string_view name) {
  check(name.size() <= account_name_max, "account names are short");
  size_ = static_cast<std::uint8_t>(name.size());
  std::copy(name.begin(), name.end(), text_.begin());
}

AccountNumber Book::find(const AccountKey& key) const {
  static_assert(HashIndex::none == no_account.value && HashIndex::none == no_pocket.value);
  return AccountNumber(by_name_.find(key.hash, [&](std::uint32_t number) {
    const AccountRow& row = accounts_[number];
    return row.tenant == key.tenant && row.name.view() == key.name;
  }));
}

PocketNumber Book::find_pocket(AccountNumber account_number, Currency currency) const {
  PocketNumber number = account(account_number).newest_pocket;
  while (number != no_pocket && pocket(number).currency != currency) number = pocket(number).older();
  return number;
}

PocketNumber Book::find_system(PocketKind kind, Currency currency, ShardId peer) const {
  return PocketNumber(by_system_key_.find(hash_of_system(kind, currency, peer), [&](std::uint32_t number) {
    const PocketRow& row = pockets_[number];
    return row.kind == kind && row.currency == currency && row.peer() == peer;
  }));
}

std::string Book::name_of(const PocketRow& row) const {
  switch (row.kind) {
    case PocketKind::customer:
      return std::string(account(row.account).name.view());
    case PocketKind::issue:
      return "sys:issue:" + to_string(row.currency);
    case PocketKind::transit:
      return "sys:transit:" + to_string(row.currency) + ":" + std::to_string(row.peer().value);
  }
  check_failed("a pocket is of a known kind");
}

void Book::open(const AccountOpened& event) {
  check(event.pocket == next_pocket() && event.pocket != no_pocket, "pockets are numbered without gaps");
  PocketRow row;
  row.account = event.account;
  row.currency = event.currency;
  row.kind = event.kind;
  if (event.kind == PocketKind::customer) {
    AccountRow& owner = accounts_[open_account(event).value];
    row.link = owner.newest_pocket.value;
    owner.newest_pocket = event.pocket;
  } else {
    row.link = event.peer.value;
    check(find_system(event.kind, event.currency, event.peer) == no_pocket, "a system pocket is opened once");
    by_system_key_.add(hash_of_system(event.kind, event.currency, event.peer), event.pocket.value);
  }
  pockets_.push_back(row);
}

AccountNumber Book::open_account(const AccountOpened& event) {
  const AccountKey key(event.tenant, event.name);
  const AccountNumber known = find(key);
  check(event.account == (known == no_account ? next_account() : known), "an account has one number");
  if (known != no_account) {
    check(find_pocket(known, event.currency) == no_pocket, "a pocket is opened once");
    return known;
  }
  AccountRow row;
  row.tenant = event.tenant;
  row.name = AccountName(event.name);
  by_name_.add(key.hash, event.account.value);
  name_bytes_ += event.name.size();
  accounts_.push_back(row);
  return event.account;
}

void Book::close_last(const AccountOpened& event) {
  check(pockets_.size() > 0 && event.pocket.value + 1 == pockets_.end_number(), "pockets are undone in reverse order");
  const PocketRow row = pockets_.back();
  check(row.kind == event.kind && row.currency == event.currency && row.account == event.account,
        "the pocket undone is the one opened");
  check(row.balance == 0 && row.pending == 0, "a pocket just opened is empty");
  pockets_.pop_back();
  if (row.kind != PocketKind::customer) {
    by_system_key_.remove(hash_of_system(row.kind, row.currency, row.peer()), event.pocket.value);
    return;
  }
  AccountRow& owner = accounts_[row.account.value];
  owner.newest_pocket = row.older();
  if (owner.newest_pocket != no_pocket) return;
  check(row.account.value + 1 == accounts_.end_number(), "accounts are undone in reverse order");
  by_name_.remove(AccountKey(owner.tenant, owner.name.view()).hash, row.account.value);
  name_bytes_ -= owner.name.view().size();
  accounts_.pop_back();
}

AccountNumber Book::prefetch_account(const AccountKey& key) const {
  const AccountNumber number(by_name_.guess(key.hash));
  if (number != no_account) accounts_.prefetch(number.value);
  return number;
}

void Book::prefetch_newest_pocket(AccountNumber number) const { prefetch_pocket(account(number).newest_pocket); }

void Book::prefetch_pocket(PocketNumber number) const {
  if (number.value < pockets_.end_number()) pockets_.prefetch(number.value);
}

bool Book::is_empty(AccountNumber number) const {
  for (PocketNumber at = account(number).newest_pocket; at != no_pocket; at = pocket(at).older()) {
    if (pocket(at).balance != 0 || pocket(at).pending != 0) return false;
  }
  return true;
}

void Book::set_state(AccountNumber number, AccountState state) {
  check(state != AccountState::closed || is_empty(number), "an account that is closed is empty");
  accounts_[number.value].state = state;
}

bool Book::may_take(PocketNumber from, std::int64_t amount) const { return may_change(pocket(from), -amount, 0); }

bool Book::may_give(PocketNumber to, std::int64_t amount) const { return may_change(pocket(to), amount, 0); }

bool Book::may_send_through(PocketNumber transit, std::int64_t amount) const {
  return may_change(pocket(transit), amount, amount);
}

bool Book::may_try_through(PocketNumber transit, std::int64_t amount) const {
  const std::optional<std::int64_t> pending = checked_add(amount, amount);
  return pending && may_change(pocket(transit), amount, *pending);
}

void Book::post(PocketNumber from, PocketNumber to, const Money& amount) {
  change_pair(from, to, amount, -amount.minor, amount.minor, 0);
}

void Book::send_off(PocketNumber from, PocketNumber transit, const Money& amount) {
  change_pair(from, transit, amount, -amount.minor, amount.minor, amount.minor);
}

void Book::bring_back(PocketNumber from, PocketNumber transit, const Money& amount) {
  change_pair(from, transit, amount, amount.minor, -amount.minor, -amount.minor);
}

void Book::arrive(PocketNumber from, PocketNumber transit, const Money& amount) {
  change_pair(from, transit, amount, 0, 0, -amount.minor);
}

void Book::unarrive(PocketNumber from, PocketNumber transit, const Money& amount) {
  change_pair(from, transit, amount, 0, 0, amount.minor);
}

std::int64_t Book::held(PocketNumber number) const {
  const auto found = held_.find(number);
  return found == held_.end() ? 0 : found->second;
}

void Book::hold(PocketNumber from, const Money& amount) {
  const PocketRow& row = pocket(from);
  check(row.kind == PocketKind::customer && row.currency == amount.currency, "a hold is on a customer's pocket");
  check(amount.minor > 0 && has_funds(from, amount.minor), "a hold is covered by the balance");
  held_[from] += amount.minor;
  if (!row.has_holds) pockets_[from.value].has_holds = true;
}

void Book::let_go(PocketNumber from, const Money& amount) {
  const auto found = held_.find(from);
  check(found != held_.end() && amount.minor > 0 && amount.minor <= found->second &&
            pocket(from).currency == amount.currency,
        "only what is held is let go");
  found->second -= amount.minor;
  if (found->second > 0) return;
  held_.erase(found);
  pockets_[from.value].has_holds = false;
}

bool Book::may_reserve(PocketNumber transit, PocketNumber to, std::int64_t amount) const {
  return may_change(pocket(transit), 0, amount) && may_change(pocket(to), 0, amount);
}

void Book::reserve(PocketNumber transit, PocketNumber to, const Money& amount) {
  change_pair(transit, to, amount, 0, 0, amount.minor);
}

void Book::release(PocketNumber transit, PocketNumber to, const Money& amount) {
  change_pair(transit, to, amount, 0, 0, -amount.minor);
}

void Book::fulfil(PocketNumber transit, PocketNumber to, const Money& amount) {
  change_pair(transit, to, amount, -amount.minor, amount.minor, -amount.minor);
}

void Book::unfulfil(PocketNumber transit, PocketNumber to, const Money& amount) {
  change_pair(transit, to, amount, amount.minor, -amount.minor, amount.minor);
}

void Book::change_pair(PocketNumber from, PocketNumber to, const Money& amount, std::int64_t from_balance,
                       std::int64_t to_balance, std::int64_t pending) {
  PocketRow& from_row = pockets_[from.value];
  PocketRow& to_row = pockets_[to.value];
  check(amount.minor > 0, "a posting moves a positive amount");
  check(from != to, "a posting has two sides");
  check(from_row.currency == amount.currency && to_row.currency == amount.currency,
        "both sides of a posting have its currency");
  check(change(from_row, from_balance, pending) && change(to_row, to_balance, pending),
        "a posting keeps the range of its pockets");
  check((!from_row.has_holds || available(from) >= 0) && (!to_row.has_holds || available(to) >= 0),
        "a posting takes nothing that is held");
}

void Book::export_rows(ByteWriter& out, AccountFormat format) const {
  out.u64(accounts_.size());
  for (std::uint64_t number = 0; number < accounts_.end_number(); ++number) encode(accounts_[number], format, out);
  out.u64(pockets_.size());
  for (std::uint64_t number = 0; number < pockets_.end_number(); ++number) encode(pockets_[number], out);
}

std::uint64_t Book::export_size(AccountFormat format) const {
  const std::uint64_t state_bytes = format == AccountFormat::with_state ? accounts_.size() : 0;
  return 8 + accounts_.size() * account_bytes + state_bytes + name_bytes_ + 8 + pockets_.size() * pocket_bytes;
}

bool Book::Frozen::write_next(ByteWriter& out) {
  if (!accounts_counted_) {
    accounts_counted_ = true;
    out.u64(accounts_.size());
    return true;
  }
  if (accounts_.take_page([&](const AccountRow& row) { encode(row, format_, out); })) return true;
  if (!pockets_counted_) {
    pockets_counted_ = true;
    out.u64(pockets_.size());
    return true;
  }
  return pockets_.take_page([&out](const PocketRow& row) { encode(row, out); });
}

bool Book::load(const AccountRow& row) {
  const AccountKey key(row.tenant, row.name.view());
  if (next_account() == no_account || find(key) != no_account || !pockets_.empty()) return false;
  by_name_.add(key.hash, next_account().value);
  name_bytes_ += row.name.view().size();
  accounts_.push_back(row).newest_pocket = no_pocket;
  return true;
}

bool Book::load(PocketRow row) {
  if (next_pocket() == no_pocket || !may_change(row, 0, 0)) return false;
  if (row.kind == PocketKind::customer) {
    if (row.account >= next_account() || find_pocket(row.account, row.currency) != no_pocket) return false;
    AccountRow& owner = accounts_[row.account.value];
    row.link = owner.newest_pocket.value;
    owner.newest_pocket = next_pocket();
  } else {
    if (find_system(row.kind, row.currency, row.peer()) != no_pocket) return false;
    by_system_key_.add(hash_of_system(row.kind, row.currency, row.peer()), next_pocket().value);
  }
  pockets_.push_back(row);
  return true;
}

}  // namespace coffer::ledger
