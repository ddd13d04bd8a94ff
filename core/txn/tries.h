// The tries: what this shard has answered to the Try of a TC/C credit, or to a prepare of two-phase commit, and what it
// has promised with it, until the second phase arrives. The participant's half of the phase status table. A credit that
// is prepared is in doubt: only the coordinator knows what becomes of it.
//
// A Try answered with success has its amount reserved in both pockets (core/ledger/book.h), so that its Confirm can
// never be refused. One that was refused is kept too: its Cancel will come. Single-threaded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "core/base/codec.h"
#include "core/base/ids.h"

namespace coffer::txn {

struct TryRow {
  TransferId id;
  PocketNumber transit = no_pocket;  ///< both are no_pocket where the Try was refused: nothing is reserved
  PocketNumber credit = no_pocket;
  std::int64_t amount = 0;  ///< minor units
  /// A Cancel has come before its Try, which must then be refused. Legs between two shards are first in, first out, so
  /// that no Cancel ever overtakes its Try and the flag stays down; it is for links that do not keep the order.
  bool out_of_order = false;
  bool prepared = false;  ///< by two-phase commit: the credit is locked, unless it was refused

  bool refused() const { return credit == no_pocket; }
};

class Tries {
 public:
  using Key = std::pair<ShardId, LegNumber>;  ///< source, and the leg of the Try

  /// Null: there is none, or its second phase has been taken.
  const TryRow* find(ShardId source, LegNumber leg) const;
  bool empty() const { return rows_.empty(); }
  /// How many were prepared, promised, and are in doubt.
  std::uint64_t in_doubt() const { return in_doubt_; }

  /// Requires: it is not there (checked).
  void add(ShardId source, LegNumber leg, const TryRow& row);
  /// The inverse of add. Requires: it is there (checked).
  void remove(ShardId source, LegNumber leg);

  /// Canonical:
  ///   tries := count u64 | try{count}                                sources and legs ascending
  ///   try   := source u32 | leg u64 | id 16 | transit u32 | credit u32 | amount i64 | flags u8
  ///            (flags: 1 out of order, 2 prepared)
  void export_rows(ByteWriter& out) const;
  /// Bytes export_rows writes.
  std::uint64_t export_size() const;
  class Frozen;

  /// Takes the next row of an export. False, and nothing changed: it cannot be.
  bool load(ShardId source, LegNumber leg, const TryRow& row);

 private:
  std::map<Key, TryRow> rows_;
  std::uint64_t in_doubt_ = 0;
};

/// The tries as they are now, to be exported while they go on: a copy, for there are only those under way.
class Tries::Frozen {
 public:
  explicit Frozen(const Tries& tries) : rows_(tries.rows_.begin(), tries.rows_.end()) {}
  /// Appends the next part of what export_rows would have written. False: there is no more.
  bool write_next(ByteWriter& out);

 private:
  std::vector<std::pair<Key, TryRow>> rows_;
  std::size_t next_ = 0;
  bool counted_ = false;
};

/// Reads a row as export_rows writes it; marks `in` as failed when the bytes are no such row.
TryRow decode_try_row(ByteReader& in, ShardId& source, LegNumber& leg);
inline constexpr std::size_t try_row_bytes = 4 + 8 + 16 + 4 + 4 + 8 + 1;

}  // namespace coffer::txn
