// The inbox: what became of incoming legs, per source shard. Only the next number is taken; outcomes stay until the
// source has reported that their answers are in its log.
//
//   first kept <= freed < next       outcomes (freed, next) can be repeated; [first kept, freed] are kept only for undo
//
// Single-threaded.
#pragma once

#include <cstdint>
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

  void export_rows(ByteWriter& out) const;

 private:
  struct Freeing {
    Position position;  ///< of the leg_received that freed
    std::uint64_t freed;
  };
  struct Incoming {
    ledger::Rows<ReceivedRow> rows{1};
    std::uint64_t freed = 0;
    std::vector<Freeing> uncommitted;  ///< ascending; needed until committed, then the rows may go
  };
  const Incoming* look_up(ShardId source) const;

  std::map<ShardId, Incoming> by_source_;
};

}  // namespace coffer::txn
