// Deduplication rows: which ids are bound, to what body, and what became of them. An id is bound to (tenant, home
// account); the home account's number stands for both. Rows stay in the order of their events; a derived index finds
// them by id. A transfer that became a leg also has a link row with the far end's answer. Single-threaded.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>

#include "core/base/codec.h"
#include "core/base/hash.h"
#include "core/base/ids.h"
#include "core/base/outcome.h"
#include "core/base/prng.h"
#include "core/base/time.h"
#include "core/ledger/commands.h"
#include "core/ledger/hash_index.h"
#include "core/ledger/protocol.h"
#include "core/ledger/rows.h"

namespace coffer::ledger {

using DedupNumber = std::uint32_t;
inline constexpr DedupNumber no_row = HashIndex::none;

struct DedupRow {
  TransferId id;
  Hash128 digest;
  Position position;  ///< of the event that bound the id
  Stamp stamp;        ///< of that event's entry
  AccountNumber home = no_account;
  std::uint32_t link = no_row;  ///< row of the leg's link; no_row for transfers inside the shard
  Operation operation = Operation::transfer;
  Outcome outcome = Outcome::pending;  ///< pending while the leg's answer is not logged
};
static_assert(sizeof(DedupRow) == 64, "one row, one cache line's worth");

/// The far end of a transfer that became a leg.
struct LegLink {
  ShardId target;
  Protocol protocol = Protocol::saga;
  LegNumber leg;             ///< whose answer ends it; while a Try runs, the Try's
  Position target_position;  ///< of the target's event; 0 until its answer is logged
  Stamp target_stamp;
};

class Dedup {
 public:
  /// The row of this id at this home account, or no_row.
  DedupNumber find(AccountNumber home, const TransferId& id) const;
  /// The first row, by position, with this id for which `may_have(row)` holds, whatever its home account; or no_row.
  template <class MayHave>
  DedupNumber find_first(const TransferId& id, MayHave&& may_have) const {
    DedupNumber first = no_row;
    by_id_.find(hash_of(id), [&](DedupNumber number) {
      if (rows_[number].id == id && may_have(rows_[number]) && number < first) first = number;
      return false;
    });
    return first;
  }
  /// Starts loading what find will look at.
  [[gnu::always_inline]] void prefetch(const TransferId& id) const { by_id_.prefetch(hash_of(id)); }
  const DedupRow& row(DedupNumber number) const { return rows_[number]; }
  /// Requires: the row has a link (checked).
  const LegLink& link(DedupNumber number) const;
  std::uint64_t size() const { return rows_.size(); }

  /// Binds an id. Requires: it is not bound at this home account (checked).
  DedupNumber bind(DedupRow row);
  /// Binds the id of a transfer that became a leg.
  DedupNumber bind(DedupRow row, const LegLink& link);
  /// The inverse of bind. Requires: `id` is the last bound (checked).
  void unbind_last(const TransferId& id);
  /// Writes the answer of the leg. Requires: the row is pending (checked).
  void finish(DedupNumber number, Outcome outcome, Position target_position, Stamp target_stamp);
  /// The inverse of finish.
  void reopen(DedupNumber number);
  /// Another leg of the transfer, `to`, takes the place of `from`. Its own inverse. Requires: the link names `from`
  /// (checked).
  void relink(DedupNumber number, LegNumber from, LegNumber to);
  /// Ids bound to changes of accounts.
  std::uint64_t account_changes() const { return account_changes_; }
  /// Ids bound to holds, those refused among them.
  std::uint64_t holds() const { return holds_; }
  /// Links of transfers by another protocol than the saga.
  std::uint64_t links_of_others() const { return links_of_others_; }

  /// Canonical: rows in number order, each with its link (core/ledger/row_codec.h).
  ///   dedup := count u64 | row{count}
  void export_rows(ByteWriter& out) const;
  /// Bytes export_rows writes.
  std::uint64_t export_size() const;
  class Frozen;

  /// Takes the next row of an export; `link` counts if the row has one. False, and nothing changed: it cannot be.
  bool load(DedupRow row, const LegLink& link);

 private:
  static std::uint64_t hash_of(const TransferId& id) {
    std::array<std::uint64_t, 2> halves;
    std::memcpy(halves.data(), id.bytes.data(), sizeof halves);
    return mix64(mix64(halves[0]) ^ halves[1]);
  }

  Rows<DedupRow> rows_;
  Rows<LegLink> links_;
  HashIndex by_id_;
  std::uint64_t links_of_others_ = 0;
  std::uint64_t account_changes_ = 0;
  std::uint64_t holds_ = 0;
};

/// The rows as they are now, to be exported while the table goes on.
class Dedup::Frozen {
 public:
  explicit Frozen(Dedup& dedup) : rows_(dedup.rows_), links_(dedup.links_) {}
  /// Appends the next part of what export_rows would have written. False: there is no more.
  bool write_next(ByteWriter& out);

 private:
  FrozenRows<DedupRow> rows_;
  FrozenRows<LegLink> links_;
  bool counted_ = false;
};

}  // namespace coffer::ledger
