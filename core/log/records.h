// Records: the payload of a stream frame, for any groups, in the order in which the log's owner called; and the fold
// that turns them into logs again. Decoders take arbitrary bytes.
//
//   payload  := record*
//   record   := entries | truncate | snapshot_mark
//   entries  := 1 u8 | zero u8 | zero u16 | group u32 | count u32 | entry{count}      (indexes dense, after the last
//   one) truncate := 2 u8 | zero u8 | zero u16 | group u32 | from u64                   (entries at and after `from`
//   are gone) snapshot_mark := 3 u8 | …                                             (reserved for snapshots: refused
//   until then) entry    := index u64 | term u64 | payload blob                                  (an empty blob is a
//   null payload)
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/entry.h"
#include "core/base/ids.h"
#include "core/base/result.h"

namespace coffer::log {

enum class RecordKind : std::uint8_t { entries = 1, truncate = 2, snapshot_mark = 3 };

/// Terms and indexes beyond this are malformed: no honest node gets there, and +1 can never overflow.
inline constexpr std::uint64_t entry_number_max = std::uint64_t{1} << 62;

void append_entries_record(Bytes& out, ShardId group, std::span<const Entry> entries);
void append_truncate_record(Bytes& out, ShardId group, Index from);

/// The logs that a sequence of payloads builds. Invariant: each log is dense from index 1.
class LogFold {
 public:
  /// malformed: bytes against the grammar, a hole in the indexes, a truncation beyond the end. unsupported: a kind this
  /// binary does not know. After an error the logs are not to be used.
  Result<void> apply(ByteView payload);
  std::map<ShardId, std::vector<Entry>>& logs() { return logs_; }

 private:
  std::map<ShardId, std::vector<Entry>> logs_;
};

}  // namespace coffer::log
