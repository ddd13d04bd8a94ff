// The state of a shard at one position, while its machine goes on: what a snapshot is written from. Copy on write by
// pages (core/ledger/frozen_rows.h); what has been exported is let go. Single-threaded.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/base/bytes.h"
#include "core/base/ids.h"
#include "core/base/time.h"
#include "core/txn/shard_state.h"

namespace coffer::txn {

class FrozenState {
 public:
  explicit FrozenState(ShardState& state);

  ShardId shard() const { return shard_; }
  Position position() const { return position_; }  ///< of the last event in it
  Stamp stamp() const { return stamp_; }           ///< of the last entry in it
  /// Bytes of the whole export.
  std::uint64_t size_estimate() const { return size_; }
  /// Bytes not exported yet.
  std::uint64_t remaining() const { return size_ - exported_; }

  /// Appends the next `bytes` bytes of the canonical export, fewer only at its end. False: there was nothing left.
  /// Requires: bytes > 0 (checked).
  bool next_chunk(Bytes& out, std::size_t bytes);

 private:
  bool write_next(ByteWriter& out);

  ShardId shard_;
  Position position_;
  Stamp stamp_;
  std::uint64_t size_;
  std::uint64_t exported_ = 0;
  Bytes rest_;  ///< written and not handed out yet; the head at first
  ledger::Book::Frozen book_;
  ledger::Dedup::Frozen dedup_;
  PhaseTable::Frozen phases_;
  Inbox::Frozen inbox_;
  StateVersion version_;
  Tries::Frozen tries_;
  Holds::Frozen holds_;
  Splits::Frozen splits_;
};

}  // namespace coffer::txn
