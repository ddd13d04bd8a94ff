// Deduplication rows: which ids are bound, to what body, and what became of them. An id is bound to (tenant, home
// account); the home account's number stands for both. Rows stay in the order of their events; a derived index finds
// them by id. A transfer that became a leg also has a link row with the far end's answer. Single-threaded.
#pragma once

#include <cstdint>

#include "core/base/codec.h"
#include "core/base/hash.h"
#include "core/base/ids.h"
#include "core/base/outcome.h"
#include "core/base/time.h"
#include "core/ledger/commands.h"
#include "core/ledger/hash_index.h"
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
  DedupNumber same_hash = no_row;  ///< the row before this one with the same hash of its id
  std::uint32_t link = no_row;     ///< row of the leg's link; no_row for transfers inside the shard
  Operation operation = Operation::transfer;
  Outcome outcome = Outcome::pending;  ///< pending while the leg's answer is not logged
};
static_assert(sizeof(DedupRow) == 64, "one row, one cache line");

/// The far end of a transfer that became a leg.
struct LegLink {
  ShardId target;
  LegNumber leg;
  Position target_position;  ///< of the target's event; 0 until its answer is logged
  Stamp target_stamp;
};

class Dedup {
 public:
  /// The row of this id at this home account, or no_row.
  DedupNumber find(AccountNumber home, const TransferId& id) const;
  /// The newest row whose id may be `id`, whatever its home account; go on with older().
  DedupNumber newest(const TransferId& id) const;
  DedupNumber older(DedupNumber number) const { return rows_[number].same_hash; }
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

  void export_rows(ByteWriter& out) const;

 private:
  /// Goes down a chain of equal hashes.
  DedupNumber find_from(DedupNumber number, AccountNumber home, const TransferId& id) const;

  Rows<DedupRow> rows_;
  Rows<LegLink> links_;
  HashIndex by_id_;
};

}  // namespace coffer::ledger
