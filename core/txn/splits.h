// Splits: payments to several payees, of which all are credited or none. A split is bound like a transfer
// (core/ledger/dedup.h) and has a row here with a row for each part, in the order begun. Rows stay, for the same
// question must get the same answer. A part's leg on its way also has a row in the phase status table
// (core/txn/phase_table.h), like any other leg. Single-threaded.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/base/codec.h"
#include "core/base/ids.h"
#include "core/base/outcome.h"
#include "core/base/time.h"
#include "core/ledger/book.h"
#include "core/ledger/commands.h"
#include "core/ledger/dedup.h"
#include "core/ledger/protocol.h"
#include "core/ledger/rows.h"

namespace coffer::txn {

/// A split's row, counted from 0 in the order begun.
using SplitNumber = std::uint32_t;
inline constexpr SplitNumber no_split = 0xFFFF'FFFFu;

struct SplitRow {
  ledger::DedupNumber dedup = ledger::no_row;  ///< id, account, position, stamp and outcome stand there
  PocketNumber debit = no_pocket;
  std::uint32_t first_part = 0;  ///< row of its first part
  std::uint8_t parts = 0;        ///< none where it was refused at its beginning
  std::uint8_t open = 0;         ///< derived: parts whose leg of the present phase is not answered
  std::uint8_t refused = ledger::no_part;
  ledger::SecondPhase second = ledger::SecondPhase::none;  ///< none until decided, or where all was done at once
  Position decided;                                        ///< of split_decided; 0 without
  Stamp decided_stamp;
};

/// The two phases of a part. One of the own shard has no legs: it was tried with the beginning, and done with the
/// decision.
struct SplitPartRow {
  ShardId target;
  LegNumber tried;                     ///< the leg of its Try; 0 in the own shard
  LegNumber second;                    ///< the leg of its second phase; 0 until decided, and in the own shard
  PocketNumber transit = no_pocket;    ///< of `target`; no_pocket where all was done at once
  PocketNumber credit = no_pocket;     ///< in the own shard
  std::int64_t amount = 0;             ///< minor units of the debit's currency
  Outcome outcome = Outcome::pending;  ///< of its Try
  bool ended = false;                  ///< its second phase is done
  Position tried_position;  ///< of the target's answer to the Try; 0 until it is logged, and in the own shard
  Stamp tried_stamp;
  Position ended_position;  ///< of the target's answer to the second phase; as above
  Stamp ended_stamp;
  ledger::AccountName credit_account;

  bool is_here() const { return tried == LegNumber(); }
};

class Splits {
 public:
  /// The split that this row of the table of ids has begun, or no_split.
  SplitNumber find(ledger::DedupNumber dedup) const;
  const SplitRow& row(SplitNumber number) const { return rows_[number]; }
  const SplitPartRow& part(SplitNumber number, std::uint8_t part) const;
  std::uint64_t size() const { return rows_.size(); }

  /// Its parts follow by add_part. Requires: its dedup row comes after those of all before, and all their parts are
  /// there (checked).
  SplitNumber begin(SplitRow row);
  /// Requires: a part of the split begun last (checked).
  void add_part(const SplitPartRow& part);
  /// The inverse of begin and all its add_part.
  void unbegin_last();

  /// To be changed by apply and undo (core/txn/splitting.h).
  SplitRow& row(SplitNumber number) { return rows_[number]; }
  SplitPartRow& part(SplitNumber number, std::uint8_t part);

  /// Canonical:
  ///   splits     := count u64 | split{count}                         in the order begun
  ///   split      := dedup u32 | debit u32 | second u8 | refused u8 | decided u64 | decided_stamp i64 | parts u8
  ///                 | split_part{parts}
  ///                 (second: 0 none, 1 Confirm, 2 Cancel; refused: the part, from 0, or 0xFF)
  ///   split_part := target u32 | tried u64 | second u64 | transit u32 | credit u32 | amount i64 | outcome u8
  ///                 | ended u8 | tried_position u64 | tried_stamp i64 | ended_position u64 | ended_stamp i64
  ///                 | credit_account short_string
  void export_rows(ByteWriter& out) const;
  /// Bytes export_rows writes.
  std::uint64_t export_size() const;
  class Frozen;

  /// Takes the next row of an export, whose parts follow by load. False, and nothing changed: it cannot be.
  bool load(const SplitRow& row);
  void load(const SplitPartRow& part);

 private:
  ledger::Rows<SplitRow> rows_;
  ledger::Rows<SplitPartRow> parts_;
  std::uint64_t name_bytes_ = 0;  ///< of all parts' credit accounts
};

/// The rows as they are now, to be exported while they go on.
class Splits::Frozen {
 public:
  explicit Frozen(Splits& splits) : rows_(splits.rows_), parts_(splits.parts_) {}
  /// Appends the next part of what export_rows would have written. False: there is no more.
  bool write_next(ByteWriter& out);

 private:
  ledger::FrozenRows<SplitRow> rows_;
  ledger::FrozenRows<SplitPartRow> parts_;
  bool counted_ = false;
};

/// Read a row as export_rows writes it; mark `in` as failed when the bytes are no such row.
SplitRow decode_split_row(ByteReader& in);
SplitPartRow decode_split_part(ByteReader& in);
inline constexpr std::size_t split_row_bytes = 4 + 4 + 1 + 1 + 8 + 8 + 1;
inline constexpr std::size_t split_part_bytes = 4 + 8 + 8 + 4 + 4 + 8 + 1 + 1 + 4 * 8 + 1;  ///< without the name

}  // namespace coffer::txn
