// An independent double-entry book: what a fold of the committed logs must give, by the oracles' own reading of the
// events. Keeps every pocket's history, so that any earlier position can be asked. It judges nothing: it follows the
// events as far as they make sense, and each oracle looks at its own side of it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/ids.h"
#include "core/base/money.h"
#include "sim/observe/observer.h"
#include "sim/oracles/decode.h"

namespace coffer::sim::oracles {

using Sum = __int128;  ///< minor units

struct Pocket {
  PocketKind kind = PocketKind::customer;
  TenantId tenant;
  std::string name;  ///< empty for system pockets
  Currency currency;
  ShardId peer;  ///< transit pockets only
  Position opened;
  struct Change {
    Position position;
    Sum balance = 0;  ///< from `position` on
  };
  std::vector<Change> history;  ///< ascending; several changes at one position never happen
  std::vector<Change> held;     ///< of `balance`: what is kept for captures
  struct Lock {
    Position position;
    bool locked = false;  ///< from `position` on
  };
  std::vector<Lock> locks;  ///< ascending: by two-phase commit

  Sum balance() const { return history.empty() ? 0 : history.back().balance; }
  /// Just after the event at `position`.
  Sum balance_at(Position position) const;
  Sum held_at(Position position) const;
  bool locked_at(Position position) const;
  /// What a debit may take.
  Sum available_at(Position position) const { return balance_at(position) - held_at(position); }
};

/// What the log says of one hold.
struct Hold {
  TenantId tenant;
  std::string account;
  TransferId id;
  PocketNumber pocket = no_pocket;
  Money amount;
  Stamp expires;
  Position placed;
  Stamp placed_stamp;
  std::optional<HoldEnd> end = {};  ///< nothing: it is live
  Position ended = {};              ///< of what ended it first
};

/// A state of one shard by the book: just after the entry at `index`.
struct Mark {
  Term term;
  Position position;                  ///< of the last event folded
  std::uint64_t legs_unanswered = 0;  ///< started and not answered, over all targets
  std::uint64_t ids_bound = 0;  ///< by transfers and holds decided, and changes of accounts; not forgotten, not left.
                                ///< Of a source's numbers one
};

class ShardBook {
 public:
  /// The entry that follows last().
  void fold(Term term, const Entry& entry);

  Index last() const { return Index(marks_.size() - 1); }
  /// Requires: index <= last() (checked). Index 0 is the empty state.
  const Mark& at(Index index) const;
  Position position() const { return marks_.back().position; }

  const std::map<PocketNumber, Pocket>& pockets() const { return pockets_; }
  const Pocket* pocket(PocketNumber number) const;
  /// A customer's pocket by its name.
  const Pocket* pocket(TenantId tenant, const std::string& account, Currency currency) const;
  /// Of a customer account by its name, just after the event at `position`; open where there is none.
  AccountState state_at(TenantId tenant, const std::string& account, Position position) const;
  /// The change of an account that stands at `position`; null when something else does.
  const AccountChanged* change_at(Position position) const;
  /// In the order placed: by the numbers their ends name.
  const std::vector<Hold>& holds() const { return holds_; }
  /// Null where none has been placed.
  const Hold* hold(TenantId tenant, const std::string& account, const TransferId& id) const;
  /// The name of a customer account; nothing for unknown numbers.
  std::optional<std::string> account(AccountNumber number) const;
  TenantId tenant_of(AccountNumber number) const;

 private:
  struct Account {
    TenantId tenant;
    std::string name;
  };
  struct PocketName {
    TenantId tenant;
    std::string account;
    Currency currency;
    auto operator<=>(const PocketName&) const = default;
  };
  using HoldName = std::tuple<TenantId, std::string, TransferId>;
  void fold(Position position, Stamp stamp, const Event& event, Mark& mark);
  void keep(PocketNumber pocket, Position position, std::int64_t amount);
  void count_ids(const Event& event, Mark& mark);
  static void fold_split(const Event& event, Mark& mark);
  void fold_hold(Position position, Stamp stamp, const Event& event);
  void fold_lock(Position position, const Event& event);

  std::vector<Mark> marks_{Mark{}};
  std::map<PocketNumber, Pocket> pockets_;
  std::map<PocketName, PocketNumber> names_;
  std::map<AccountNumber, Account> accounts_;
  std::map<Position, AccountChanged> changes_;
  std::vector<Hold> holds_;
  std::map<HoldName, std::size_t> hold_names_;
  std::set<std::pair<AccountNumber, std::uint64_t>> sources_;  ///< that number what an account moves
};

/// The books of all shards, fed with every on_committed of every replica.
class Book {
 public:
  explicit Book(const Topology& topology) : shards_(topology.shards) {}

  /// Folds the entry when it is the first seen at the next index of its shard, and returns what it says: a
  /// configuration says nothing, as a no-op does. Nothing for entries seen before (the same ones, other replicas), and
  /// from the first undecodable entry of a shard on.
  std::optional<Entry> committed(const CommittedEntry& committed);

  /// Requires: a shard of the topology (checked).
  const ShardBook& shard(ShardId shard) const;
  bool knows(ShardId shard) const { return shard.value >= 1 && shard.value <= shards_.size(); }
  std::uint32_t shards() const { return static_cast<std::uint32_t>(shards_.size()); }

 private:
  std::vector<ShardBook> shards_;  ///< by shard - 1
};

/// "s2", "s2@17", "USD 12.50" and friends, for reasons a person reads.
std::string text(ShardId shard);
std::string text(ShardId shard, Position position);
std::string text(Sum sum);
std::string text(const TransferId& id);

}  // namespace coffer::sim::oracles
