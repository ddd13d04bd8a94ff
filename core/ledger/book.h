// The book of accounts: who has which pocket, and what is in it. Accounts and pockets are numbered rows; names are
// found through a derived index. The only writer of balances.
//
// Invariants, for every pocket with balance b and pending p (p >= 0, the sum of what is promised to it or through it:
// unfinished outgoing legs, and room kept for money that was tried and may yet be confirmed):
//   customer  0 <= b and b + p <= INT64_MAX      what is on its way may always come back, or arrive
//   transit   b <= INT64_MAX and b - p >= -INT64_MAX, p <= INT64_MAX      what is on its way may always leave again
//   issue     -INT64_MAX <= b <= INT64_MAX
// and with what is held of it h: 0 <= h <= b for a customer's, none for others.
// Every posting takes from one pocket what it gives to another of the same currency. Single-threaded.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "core/base/codec.h"
#include "core/base/hash.h"
#include "core/base/ids.h"
#include "core/base/money.h"
#include "core/ledger/commands.h"
#include "core/ledger/events.h"
#include "core/ledger/hash_index.h"
#include "core/ledger/rows.h"

namespace coffer::ledger {

/// An account's name in a row.
class AccountName {
 public:
  AccountName() = default;
  /// Requires: at most account_name_max characters (checked).
  explicit AccountName(std::string_view name);
  std::string_view view() const { return {text_.data(), size_}; }

 private:
  std::uint8_t size_ = 0;
  std::array<char, account_name_max> text_{};
};

/// A name with its hash, computed once and used for the slot and the index.
struct AccountKey {
  AccountKey(TenantId tenant_of, std::string_view name_of)
      : tenant(tenant_of), name(name_of), hash(hash64(bytes_of(name_of), tenant_of.value)) {}
  /// Equal to slot_of(tenant, name).
  Slot slot() const { return Slot(static_cast<std::uint16_t>(hash % slot_count)); }

  TenantId tenant;
  std::string_view name;
  std::uint64_t hash;
};

struct AccountRow {
  TenantId tenant;
  PocketNumber newest_pocket = no_pocket;  ///< the account's pockets, newest first
  AccountState state = AccountState::open;
  AccountName name;
};

struct PocketRow {
  AccountNumber account = no_account;  ///< no_account for system pockets
  std::uint32_t link = 0;              ///< see older() and peer()
  Currency currency;
  PocketKind kind = PocketKind::customer;
  bool has_holds = false;    ///< derived: something of its balance is held, and the book says how much
  std::int64_t balance = 0;  ///< minor units
  std::int64_t pending = 0;  ///< minor units of what is promised to or through this pocket; see above

  /// A customer's: the account's pocket before this one, or no_pocket.
  PocketNumber older() const { return PocketNumber(link); }
  /// A transit pocket's: the money's counterpart shard.
  ShardId peer() const { return ShardId(kind == PocketKind::transit ? link : 0); }
};
static_assert(sizeof(PocketRow) == 32, "two rows, one cache line's worth");

/// How accounts are written: without their state, where all were ever open, or with it.
enum class AccountFormat : std::uint8_t { plain, with_state };

class Book {
 public:
  AccountNumber find(const AccountKey& key) const;
  /// no_pocket when the account has none in this currency.
  PocketNumber find_pocket(AccountNumber account, Currency currency) const;
  /// A system pocket; `peer` is 0 for issue pockets.
  PocketNumber find_system(PocketKind kind, Currency currency, ShardId peer) const;

  const AccountRow& account(AccountNumber number) const { return accounts_[number.value]; }
  const PocketRow& pocket(PocketNumber number) const { return pockets_[number.value]; }
  AccountNumber next_account() const { return AccountNumber(static_cast<std::uint32_t>(accounts_.end_number())); }
  PocketNumber next_pocket() const { return PocketNumber(static_cast<std::uint32_t>(pockets_.end_number())); }
  /// "alice", "sys:issue:USD", "sys:transit:USD:7".
  std::string name_of(const PocketRow& pocket) const;

  /// Opens the pocket, and its account where it is new. Requires: the event's numbers are next (checked).
  void open(const AccountOpened& event);
  /// The inverse of open. Requires: the pocket was opened last and is empty (checked).
  void close_last(const AccountOpened& event);

  AccountState state_of(AccountNumber number) const { return account(number).state; }
  /// Whether no pocket of the account holds anything, and nothing is pending in one.
  bool is_empty(AccountNumber number) const;
  /// Requires: an account that is closed is empty (checked).
  void set_state(AccountNumber number, AccountState state);

  /// What is held of a pocket's balance, and what is left of it for others.
  std::int64_t held(PocketNumber number) const;
  std::int64_t available(PocketNumber number) const {
    const PocketRow& row = pocket(number);
    return row.has_holds ? row.balance - held(number) : row.balance;
  }
  /// Whether what is available of the customer's balance covers `amount`.
  bool has_funds(PocketNumber from, std::int64_t amount) const { return available(from) >= amount; }
  /// Whether taking (giving) `amount` keeps the pocket's range; a customer's funds are has_funds' question.
  bool may_take(PocketNumber from, std::int64_t amount) const;
  bool may_give(PocketNumber to, std::int64_t amount) const;
  /// Whether a leg of `amount` may start through this transit pocket.
  bool may_send_through(PocketNumber transit, std::int64_t amount) const;

  /// Whether `amount` may be sent off through this transit pocket and room be kept for it there as well: what stays in
  /// this shard, split off a payment that does not.
  bool may_try_through(PocketNumber transit, std::int64_t amount) const;

  /// Moves money between two pockets of `amount`'s currency. Requires: the invariants hold afterwards (checked).
  void post(PocketNumber from, PocketNumber to, const Money& amount);
  /// The inverse of post.
  void unpost(PocketNumber from, PocketNumber to, const Money& amount) { post(to, from, amount); }
  /// Money leaves the customer's pocket for a transit pocket and stays pending in both until the leg is finished.
  void send_off(PocketNumber from, PocketNumber transit, const Money& amount);
  /// The inverse of send_off, and its compensation: the money is back, nothing is pending.
  void bring_back(PocketNumber from, PocketNumber transit, const Money& amount);
  /// The leg arrived: nothing is pending any more, the money stays in the transit pocket.
  void arrive(PocketNumber from, PocketNumber transit, const Money& amount);
  /// The inverse of arrive.
  void unarrive(PocketNumber from, PocketNumber transit, const Money& amount);

  /// Holds part of a customer's balance. Requires: has_funds (checked).
  void hold(PocketNumber from, const Money& amount);
  /// The inverse of hold. Requires: as much is held (checked).
  void let_go(PocketNumber from, const Money& amount);

  /// Whether `reserve` would keep the ranges of both pockets.
  bool may_reserve(PocketNumber transit, PocketNumber to, std::int64_t amount) const;
  /// Keeps room for money that may come out of a transit pocket into a customer's: until then whatever would take the
  /// room is refused. Requires: may_reserve (checked).
  void reserve(PocketNumber transit, PocketNumber to, const Money& amount);
  /// The inverse of reserve: the money will not come.
  void release(PocketNumber transit, PocketNumber to, const Money& amount);
  /// The money has come; always fits.
  void fulfil(PocketNumber transit, PocketNumber to, const Money& amount);
  /// The inverse of fulfil.
  void unfulfil(PocketNumber transit, PocketNumber to, const Money& amount);

  /// Canonical: accounts and pockets in number order (core/ledger/row_codec.h).
  ///   book := count u64 | account{count} | count u64 | pocket{count}
  void export_rows(ByteWriter& out, AccountFormat format) const;
  /// Bytes export_rows writes.
  std::uint64_t export_size(AccountFormat format) const;
  class Frozen;

  /// Takes the next row of an export; accounts come before all pockets. False, and nothing changed: it cannot be.
  bool load(const AccountRow& row);
  bool load(PocketRow row);

  // Prefetching, from what is known to what that leads to: key, account, newest pocket.
  [[gnu::always_inline]] void prefetch(const AccountKey& key) const { by_name_.prefetch(key.hash); }
  /// The account `key` probably is, and starts loading its row; or no_account.
  AccountNumber prefetch_account(const AccountKey& key) const;
  void prefetch_newest_pocket(AccountNumber number) const;
  void prefetch_pocket(PocketNumber number) const;

 private:
  /// The number of the event's account, which is opened where it is new.
  AccountNumber open_account(const AccountOpened& event);
  /// Both sides of a posting or of a leg: adds to their balances and, alike, to their pending amounts.
  void change_pair(PocketNumber from, PocketNumber to, const Money& amount, std::int64_t from_balance,
                   std::int64_t to_balance, std::int64_t pending);

  Rows<AccountRow> accounts_;
  Rows<PocketRow> pockets_;
  HashIndex by_name_;
  HashIndex by_system_key_;
  std::uint64_t name_bytes_ = 0;               ///< of all accounts' names
  std::map<PocketNumber, std::int64_t> held_;  ///< minor units, of the pockets with holds
};

/// The book as it is now, to be exported while it goes on.
class Book::Frozen {
 public:
  Frozen(Book& book, AccountFormat format) : accounts_(book.accounts_), pockets_(book.pockets_), format_(format) {}
  /// Appends the next part of what export_rows would have written. False: there is no more.
  bool write_next(ByteWriter& out);

 private:
  FrozenRows<AccountRow> accounts_;
  FrozenRows<PocketRow> pockets_;
  AccountFormat format_;
  bool accounts_counted_ = false;
  bool pockets_counted_ = false;
};

}  // namespace coffer::ledger
