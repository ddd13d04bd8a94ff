// The inbox: what became of incoming legs, per source shard. Only the next number is taken; outcomes stay until the
// source has reported that their answers are in its log.
//
//   first kept <= freed < next       outcomes (freed, next) can be repeated; [first kept, freed] are kept only for undo
//
// Single-threaded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <vector>

#include "core/base/codec.h"
#include "core/base/ids.h"
#include "core/base/outcome.h"
#include "core/base/time.h"
#include "core/ledger/rows.h"

namespace coffer::txn {

struct ReceivedRow {
  TransferId id;
  Position position;  ///< of leg_received
  Stamp stamp;        ///< of its entry
  Outcome outcome = Outcome::pending;
};

class Inbox {
 public:
  /// The next number expected; 1 at first.
  LegNumber next(ShardId source) const;
  /// The last number whose outcome was freed; 0 at first.
  LegNumber freed(ShardId source) const;
  /// The outcome of a leg received and not freed; else null.
  const ReceivedRow* find(ShardId source, LegNumber number) const;

  /// Records an outcome and frees older ones. Requires: `number` is next(source), freed(source) is `freed_before`, and
  /// freed_before <= freed_after < number (checked).
  void receive(ShardId source, LegNumber number, const ReceivedRow& row, LegNumber freed_before, LegNumber freed_after);
  /// The inverse of receive.
  void unreceive(ShardId source, LegNumber number, LegNumber freed_before, LegNumber freed_after);
  /// Forgets outcomes freed at or before `position`: no undo will ask for them.
  void committed(Position position);

  /// Canonical: what follows from the position alone. Freed outcomes, kept for undo, are not part of it.
  ///   inbox    := count u64 | incoming{count}                        sources ascending
  ///   incoming := source u32 | next u64 | freed u64 | row{next - freed - 1}
  ///   row      := id 16 | position u64 | stamp i64 | outcome u8
  void export_rows(ByteWriter& out) const;
  /// Bytes export_rows writes.
  std::uint64_t export_size() const;
  class Frozen;

  /// Takes the next source of an export, whose rows follow. False, and nothing changed: it cannot be.
  bool load(ShardId source, LegNumber next, LegNumber freed);
  /// Takes the next row of the source loaded last.
  void load(const ReceivedRow& row);

 private:
  struct Freeing {
    Position position;  ///< of the leg_received that freed
    std::uint64_t freed;
  };
  struct Incoming {
    explicit Incoming(std::uint64_t first = 1) : rows(first) {}
    ledger::Rows<ReceivedRow> rows;
    std::uint64_t freed = 0;
    std::vector<Freeing> uncommitted;  ///< ascending; needed until committed, then the rows may go
  };
  const Incoming* look_up(ShardId source) const;

  std::map<ShardId, Incoming> by_source_;
};

/// The inbox as it is now, to be exported while it goes on.
class Inbox::Frozen {
 public:
  explicit Frozen(Inbox& inbox);
  /// Appends the next part of what export_rows would have written. False: there is no more.
  bool write_next(ByteWriter& out);

 private:
  struct Source {
    Source(ShardId shard_of, Incoming& incoming)
        : shard(shard_of), next(incoming.rows.end_number()), rows(incoming.rows, incoming.freed + 1) {}
    ShardId shard;
    std::uint64_t next;
    bool begun = false;
    ledger::FrozenRows<ReceivedRow> rows;
  };
  std::deque<Source> sources_;  ///< those left, ascending
  bool counted_ = false;
};

/// Reads a row as export_rows writes it; marks `in` as failed when the bytes are no such row.
ReceivedRow decode_received_row(ByteReader& in);
inline constexpr std::size_t received_row_bytes = 16 + 8 + 8 + 1;

}  // namespace coffer::txn
