// The phase status table: every outgoing leg of this shard's sagas, per target shard, numbered without gaps. A leg is
// unanswered from leg_started until leg_answered; answers come in order, so the unanswered legs are one range.
//
//   first kept <= first_unanswered <= next        rows [first kept, first_unanswered) are answered and kept only for
//   undo
//
// Single-threaded.
#pragma once

#include <cstdint>
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

  void export_rows(ByteWriter& out) const;

 private:
  struct Outgoing {
    ledger::Rows<PhaseRow> rows{1};
    std::uint64_t first_unanswered = 1;
  };
  const Outgoing* find(ShardId target) const;
  Outgoing& existing(ShardId target);

  std::map<ShardId, Outgoing> by_target_;
};

}  // namespace coffer::txn
