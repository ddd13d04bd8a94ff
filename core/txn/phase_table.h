// The phase status table: every outgoing leg of this shard's sagas, per target shard, numbered without gaps. A leg is
// unanswered from leg_started until leg_answered; answers come in order, so the unanswered legs are one range.
//
//   first kept <= first_unanswered <= next    rows [first kept, first_unanswered) are answered and kept only for undo
//
// Single-threaded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string_view>
#include <vector>

#include "core/base/codec.h"
#include "core/base/ids.h"
#include "core/ledger/book.h"
#include "core/ledger/dedup.h"
#include "core/ledger/rows.h"

namespace coffer::txn {

struct PhaseRow {
  ledger::DedupNumber dedup = ledger::no_row;  ///< id, digest, position, stamp and outcome stand there
  PocketNumber debit = no_pocket;              ///< where the money goes back to
  PocketNumber transit = no_pocket;
  std::int64_t amount = 0;  ///< minor units of the pockets' currency
  Position answered;        ///< of leg_answered; 0 while unanswered
  ledger::AccountName credit_account;
};

class PhaseTable {
 public:
  /// Number the next leg to `target` gets; 1 at first.
  LegNumber next(ShardId target) const;
  /// next(target) when all are answered.
  LegNumber first_unanswered(ShardId target) const;
  /// Requires: first_unanswered(target) <= number < next(target) (checked).
  const PhaseRow& unanswered(ShardId target, LegNumber number) const;
  /// Targets that ever got a leg, ascending.
  std::vector<ShardId> targets() const;

  /// Requires: `number` is next(target) (checked).
  void start(ShardId target, LegNumber number, const PhaseRow& row);
  /// The inverse of start.
  void unstart(ShardId target, LegNumber number);
  /// Requires: `number` is first_unanswered(target) and there is one (checked).
  void answer(ShardId target, LegNumber number, Position position);
  /// The inverse of answer; the row as it was.
  const PhaseRow& unanswer(ShardId target, LegNumber number);
  /// Forgets rows answered at or before `position`: no undo will ask for them.
  void committed(Position position);

  /// Canonical: what follows from the position alone. Answered rows, kept for undo, are not part of it.
  ///   phases   := count u64 | outgoing{count}                        targets ascending
  ///   outgoing := target u32 | next u64 | first_unanswered u64 | row{next - first_unanswered}
  ///   row      := dedup u32 | debit u32 | transit u32 | amount i64 | credit_account short_string
  void export_rows(ByteWriter& out) const;
  /// Bytes export_rows writes.
  std::uint64_t export_size() const;
  class Frozen;

  /// Takes the next target of an export, whose rows follow. False, and nothing changed: it cannot be.
  bool load(ShardId target, LegNumber next, LegNumber first_unanswered);
  /// Takes the next row of the target loaded last.
  void load(const PhaseRow& row);

 private:
  struct Outgoing {
    explicit Outgoing(std::uint64_t first = 1) : rows(first) {}
    ledger::Rows<PhaseRow> rows;
    std::uint64_t first_unanswered = 1;
    std::uint64_t name_bytes = 0;  ///< of the unanswered rows' credit accounts
  };
  const Outgoing* find(ShardId target) const;
  Outgoing& existing(ShardId target);

  std::map<ShardId, Outgoing> by_target_;
};

/// The table as it is now, to be exported while it goes on.
class PhaseTable::Frozen {
 public:
  explicit Frozen(PhaseTable& table);
  /// Appends the next part of what export_rows would have written. False: there is no more.
  bool write_next(ByteWriter& out);

 private:
  struct Target {
    Target(ShardId shard_of, Outgoing& outgoing)
        : shard(shard_of), next(outgoing.rows.end_number()), rows(outgoing.rows, outgoing.first_unanswered) {}
    ShardId shard;
    std::uint64_t next;
    bool begun = false;
    ledger::FrozenRows<PhaseRow> rows;
  };
  std::deque<Target> targets_;  ///< those left, ascending
  bool counted_ = false;
};

/// Reads a row as export_rows writes it; marks `in` as failed when the bytes are no such row.
PhaseRow decode_phase_row(ByteReader& in);
inline constexpr std::size_t phase_row_bytes = 4 + 4 + 4 + 8 + 1;  ///< without the name

}  // namespace coffer::txn
