// Records: the payload of a stream frame, for any groups, in the order in which the log's owner called; and the fold
// that turns them into logs again. Decoders take arbitrary bytes.
//
//   payload  := record*
//   record   := entries | truncate | restore | standing
//   entries  := 1 u8 | zero u8 | zero u16 | group u32 | count u32 | entry{count}     dense, after the last
//   truncate := 2 u8 | zero u8 | zero u16 | group u32 | from u64                     entries from there on are gone
//   restore  := 3 u8 | keeps u8 | zero u16 | group u32 | base place                  a snapshot holds those up to it
//   standing := 4 u8 | zero u8 | zero u16 | group u32 | base place | last place      only first in a segment
//   place    := index u64 | term u64                                                 each at most entry_number_max
//   entry    := index u64 | term u64 | kind u8 | payload blob                        an empty blob: a null payload
//
// `keeps` is 0 or 1, an entry's kind that of EntryKind (core/base/entry.h).
//
// After `restore` the log stands on that place; with `keeps` = 1 the entries behind it stay, with 0 none do. `standing`
// repeats where a group stood when the segment was begun, for every group that has anything, before any other record:
// so folding may begin at any segment. What then lies between base and last is in earlier segments, and a later
// `restore` must reach over it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/entry.h"
#include "core/base/ids.h"
#include "core/base/result.h"
#include "core/log/stream_extent.h"

namespace coffer::log {

enum class RecordKind : std::uint8_t { entries = 1, truncate = 2, restore = 3, standing = 4 };

/// Terms and indexes beyond this are malformed: no honest node gets there, and +1 can never overflow.
inline constexpr std::uint64_t entry_number_max = std::uint64_t{1} << 62;
inline constexpr std::size_t standing_record_size = 40;

void append_entries_record(Bytes& out, ShardId group, std::span<const Entry> entries);
void append_truncate_record(Bytes& out, ShardId group, Index from);
void append_restore_record(Bytes& out, ShardId group, const LogPlace& base, bool keeps);
void append_standing_record(Bytes& out, ShardId group, const Standing& standing);

/// One group's log as folded. Invariant: entries are dense and end at extent.last(); they begin behind `absent_to`, or
/// behind the base where that is further.
struct FoldedLog {
  LogExtent extent;
  Index absent_to;  ///< entries behind the base up to here are in segments before the first one folded
  std::vector<Entry> entries;
  bool has_gap() const { return absent_to > extent.base().index; }
};

/// The logs that a sequence of payloads builds.
class LogFold {
 public:
  /// Applies the frame's payload; returns whether it says anything new, beyond repeating where groups stand.
  /// malformed: bytes against the grammar, a hole in the indexes, a truncation beyond the end or into the base, a base
  /// that goes back, a group that does not stand where it should. unsupported: a kind this binary does not know. After
  /// an error the logs are not to be used.
  Result<bool> apply(ByteView payload, std::uint64_t segment);
  std::map<ShardId, FoldedLog>& logs() { return logs_; }
  const std::map<ShardId, FoldedLog>& logs() const { return logs_; }

 private:
  std::map<ShardId, FoldedLog> logs_;
  bool begun_ = false;
};

/// Whether the payload begins as that of a segment's first frame.
bool begins_with_standing(ByteView payload);

/// Raises `highest` to every place that the payload names; stops at the first record against the grammar. For frames
/// behind damage, where nothing can be folded any more.
void note_places(ByteView payload, std::map<ShardId, LogPlace>& highest);

}  // namespace coffer::log
