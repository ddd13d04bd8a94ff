// The phase status table: every outgoing leg of this shard's transfers, per target shard, numbered without gaps. A leg
// is unanswered from leg_started until leg_answered; answers come in order, so the unanswered legs are one range.
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
#include "core/base/time.h"
#include "core/ledger/book.h"
#include "core/ledger/dedup.h"
#include "core/ledger/protocol.h"
#include "core/ledger/rows.h"

namespace coffer::txn {

/// A saga has one leg. TC/C and two-phase commit have one that asks (the credit's Try, or prepare) and one for the
/// second phase; the debit's Try is done with the row's beginning, and its second phase with the beginning of the
/// credit's. With the row of tries.h at the target these are the fields of the text: which transfer, each Try's state
/// (sent while its leg is unanswered), name and state of the second phase, and the out-of-order flag, which is the
/// participant's.
struct PhaseRow {
  ledger::DedupNumber dedup = ledger::no_row;  ///< id, digest, position, stamp and outcome stand there
  PocketNumber debit = no_pocket;              ///< where the money goes back to
  PocketNumber transit = no_pocket;
  std::int64_t amount = 0;  ///< minor units of the pockets' currency
  Position answered;        ///< of the event that logged its answer; 0 while unanswered
  ledger::AccountName credit_account;
  ledger::SecondPhase second = ledger::SecondPhase::none;  ///< which one this leg carries
  LegNumber tried;                                         ///< of a second phase: the leg of its question
  Position position;                                       ///< of a second phase: of second_started
  Stamp stamp;                                             ///< ... and of its entry

  /// Whether its amount waits for it in both pockets: a Cancel or an Abort has brought it back.
  bool holds_money() const { return second == ledger::SecondPhase::none || ledger::accepts(second); }
};

/// How rows are written: those of sagas, or with the second phases.
enum class PhaseFormat : std::uint8_t { plain, with_second };

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
  ///   row      := dedup u32 | debit u32 | transit u32 | amount i64 | credit_account short_string | second{with_second}
  ///   second   := phase u8 | (tried u64 | position u64 | stamp i64){phase > 0}
  void export_rows(ByteWriter& out, PhaseFormat format) const;
  /// Bytes export_rows writes.
  std::uint64_t export_size(PhaseFormat format) const;
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
    std::uint64_t seconds = 0;     ///< unanswered rows that carry a second phase
  };
  const Outgoing* find(ShardId target) const;
  Outgoing& existing(ShardId target);
  /// A row has become one of the unanswered, or is no longer.
  static void count_in(Outgoing& outgoing, const PhaseRow& row);
  static void count_out(Outgoing& outgoing, const PhaseRow& row);

  std::map<ShardId, Outgoing> by_target_;
};

/// The table as it is now, to be exported while it goes on.
class PhaseTable::Frozen {
 public:
  Frozen(PhaseTable& table, PhaseFormat format);
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
  PhaseFormat format_;
  std::deque<Target> targets_;  ///< those left, ascending
  bool counted_ = false;
};

/// Reads a row as export_rows writes it; marks `in` as failed when the bytes are no such row.
PhaseRow decode_phase_row(ByteReader& in, PhaseFormat format);
inline constexpr std::size_t phase_row_bytes = 4 + 4 + 4 + 8 + 1;  ///< without the name and the second phase
inline constexpr std::size_t second_bytes = 8 + 8 + 8;             ///< without its phase

}  // namespace coffer::txn
