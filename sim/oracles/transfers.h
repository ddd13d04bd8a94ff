// What the committed logs say of every transfer: a record per deciding event, under the key the client knows it by, and
// the story of its leg. Built on the book; judges nothing.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "core/base/ids.h"
#include "core/base/money.h"
#include "core/base/outcome.h"
#include "core/base/phases.h"
#include "core/base/time.h"
#include "sim/oracles/book.h"

namespace coffer::sim::oracles {

/// What an id is bound to.
struct Key {
  TenantId tenant;
  std::string home;
  TransferId id;
  auto operator<=>(const Key&) const = default;
};

/// What a transfer or a hold means; the account of a system side is empty, as is a hold's credit. A split's credit is
/// the payee_text of all parts, its amount their sum.
struct Body {
  Operation operation = Operation::transfer;
  std::string debit;
  std::string credit;
  Money amount;
  std::uint64_t expires_in_ms = 0;  ///< of a hold
  auto operator<=>(const Body&) const = default;
};

/// "bob 250, ", as part of what a split means.
std::string payee_text(std::string_view account, std::int64_t amount);

/// One deciding event (transfer_decided, hold_placed, split_started, or what starts a leg) and what followed.
struct Record {
  ShardId shard;
  Position position;
  Stamp stamp;
  Outcome outcome = Outcome::pending;  ///< pending: the receipt that settles it has not committed
  Body body;
  bool body_known = true;  ///< false where a refusal could not resolve the accounts: then only the amount is sure
  ShardId target;          ///< 0 within a shard
  LegNumber leg;
  Position target_position;  ///< of that receipt: the leg's, or of a question refused, or of a Confirm or Commit
  Stamp target_stamp;
  bool answered = false;  ///< the source has logged it
  bool captures = false;  ///< what a hold had kept, which ended right before
  Stamp expires = {};     ///< of a hold
};

class Transfers {
 public:
  explicit Transfers(const Topology& topology) : book_(topology) {}

  void committed(const CommittedEntry& entry);

  const Book& book() const { return book_; }
  /// In order of commit; more than one is a breach in itself. Empty for unknown keys.
  const std::vector<Record>& records(const Key& key) const;
  const std::map<Key, std::vector<Record>>& all() const { return records_; }

  /// What the event at a position did for which transfer.
  struct Done {
    TransferId id;
    TransferPhase phase = TransferPhase::execute;
    Side side = Side::both;
    bool refused = false;
    Stamp stamp;
    bool both_sides = false;  ///< of a split: of the debit, and of the parts in the same shard
  };
  /// Null where the log holds nothing of a transfer's steps.
  const Done* done_at(ShardId shard, Position position) const;
  /// Whether some log has done so for a transfer with this id.
  bool has_done(const TransferId& id, TransferPhase phase, Side side, bool refused) const;
  /// Whether the home shard's log has taken note of what the credit's side did in this phase.
  bool has_noted(const Key& key, TransferPhase phase, bool refused) const;

 private:
  struct LegName {
    ShardId source;
    ShardId target;
    LegNumber leg;
    auto operator<=>(const LegName&) const = default;
  };
  using Place = std::pair<Key, std::size_t>;  ///< of a record

  struct Receipt {
    ShardId shard;
    Position position;
    Stamp stamp;
    bool captures = false;  ///< right behind the end of a hold that is captured
  };
  Record& decided(const Receipt& at, const Decided& event, const LegStarted* leg);
  void placed(const Receipt& at, const HoldPlaced& event);
  void split(const Receipt& at, const SplitStarted& event);
  void split(const Receipt& at, const SplitDecided& event);
  void confirmed(const LegName& tried);
  void read(const Receipt& at, const Event& event);
  /// The leg's outcome is settled by what stands here.
  void settled(const Receipt& at, const LegName& leg, Outcome outcome);
  void answered(const LegName& leg);
  void noted(const LegName& leg, TransferPhase phase, bool refused);

  Book book_;
  std::map<Key, std::vector<Record>> records_;
  std::map<LegName, Place> legs_;
  std::map<LegName, Place> parts_;            ///< of splits: by the leg of the Try, until confirmed
  std::map<Place, std::size_t> unconfirmed_;  ///< how many of them, by split
  std::map<std::pair<ShardId, Position>, Done> done_;
  std::set<std::tuple<TransferId, TransferPhase, Side, bool>> steps_;  ///< of done_
  std::set<std::tuple<Key, TransferPhase, bool>> noted_;
};

/// "transfer 0190… of account 'a7'".
std::string text(const Key& key);

}  // namespace coffer::sim::oracles
