// Holds: parts of balances that are kept for a later capture. A hold is bound like a transfer (core/ledger/dedup.h) and
// has a row here, in the order placed; it ends once, and its row stays, for the same question must get the same answer.
// What is held of a pocket is the book's (core/ledger/book.h). Single-threaded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <utility>

#include "core/base/codec.h"
#include "core/base/ids.h"
#include "core/base/time.h"
#include "core/ledger/commands.h"
#include "core/ledger/dedup.h"
#include "core/ledger/rows.h"

namespace coffer::txn {

/// A hold's row, counted from 0 in the order placed.
using HoldNumber = std::uint32_t;
inline constexpr HoldNumber no_hold = 0xFFFF'FFFFu;

struct HoldRow {
  ledger::DedupNumber dedup = ledger::no_row;  ///< id, account, position and stamp of its placing stand there
  PocketNumber pocket = no_pocket;
  std::int64_t amount = 0;  ///< minor units of the pocket's currency
  Stamp expires;            ///< it expires in the first entry stamped later
  ledger::HoldEnd end = ledger::HoldEnd::live;
};
static_assert(sizeof(HoldRow) == 32, "two rows, one cache line's worth");

class Holds {
 public:
  /// The hold that this row of the table of ids has placed, or no_hold.
  HoldNumber find(ledger::DedupNumber dedup) const;
  const HoldRow& row(HoldNumber number) const { return rows_[number]; }
  std::uint64_t size() const { return rows_.size(); }
  /// The live hold that expires first (of those that do so together the first placed), or no_hold.
  HoldNumber first_to_expire() const { return live_.empty() ? no_hold : live_.begin()->second; }
  std::uint64_t live() const { return live_.size(); }

  /// Requires: the row is live and its dedup row comes after those of all before (checked).
  HoldNumber place(const HoldRow& row);
  /// The inverse of place. Requires: the hold placed last is live (checked).
  void unplace_last();
  /// Requires: it is live, and `how` is an end (checked).
  void end(HoldNumber number, ledger::HoldEnd how);
  /// The inverse of end. Requires: it has ended as `how` says (checked).
  void revive(HoldNumber number, ledger::HoldEnd how);

  /// Canonical:
  ///   holds := count u64 | hold{count}                               in the order placed
  ///   hold  := dedup u32 | pocket u32 | amount i64 | expires i64 | end u8
  ///            (dedup: the number of the id's row; end: 0 live, 1 captured, 2 voided, 3 expired)
  void export_rows(ByteWriter& out) const;
  /// Bytes export_rows writes.
  std::uint64_t export_size() const;
  class Frozen;

  /// Takes the next row of an export. False, and nothing changed: it cannot be.
  bool load(const HoldRow& row);

 private:
  ledger::Rows<HoldRow> rows_;
  std::set<std::pair<Stamp, HoldNumber>> live_;
};

/// The rows as they are now, to be exported while they go on.
class Holds::Frozen {
 public:
  explicit Frozen(Holds& holds) : rows_(holds.rows_) {}
  /// Appends the next part of what export_rows would have written. False: there is no more.
  bool write_next(ByteWriter& out);

 private:
  ledger::FrozenRows<HoldRow> rows_;
  bool counted_ = false;
};

/// Reads a row as export_rows writes it; marks `in` as failed when the bytes are no such row.
HoldRow decode_hold_row(ByteReader& in);
inline constexpr std::size_t hold_row_bytes = 4 + 4 + 8 + 8 + 1;

}  // namespace coffer::txn
