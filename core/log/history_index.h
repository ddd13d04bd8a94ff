// The index of a history file: where each entry lies, and which entry holds a position, each found by one read of one
// block. Derived: built from the history when it is missing or damaged, never trusted further than its checksums. Pure
// functions; decoders take arbitrary bytes.
//
//   index          := header entry_block* position_block*             every block sealed, its seed says which one it is
//   header         := magic "CFI1" u32 | version u16 = 1 | zero u16 | cluster 16 | group u32 | zero u32 | first u64
//                     | last u64 | first_position u64 | last_position u64 | table_checksum u64 (the history's) | zero*
//   entry_block    := (offset u64 | size u32 | last_position u64){204}     of entries first, first + 1, …; then zeros
//   position_block := ordinal u32 {1022}               entry - first, of first_position, first_position + 1, …; zeros
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/entry.h"
#include "core/base/result.h"
#include "core/log/history.h"
#include "core/log/sealed_file.h"

namespace coffer::log {

/// How many positions (events) an entry covers: the log knows no events, who builds an index says. Total on any bytes.
using CountPositions = std::uint64_t (*)(EntryKind kind, ByteView payload);

inline constexpr std::uint64_t index_entries_per_block = 204;
inline constexpr std::uint64_t index_positions_per_block = 1022;

/// The index of a history whose entries these are, in order.
/// Errors: corrupt (they are not as many, or do not end at the position, as the history's header says).
Result<Bytes> encode_index(const SealedHeader& history, const std::vector<IndexedEntry>& entries);

/// Collects while a history is read from its start.
class IndexBuilder {
 public:
  IndexBuilder(const SealedHeader& history, CountPositions count_positions);
  /// Requires: entries in order from the first (checked).
  void add(const HistoryEntry& entry);
  /// The whole file. Errors: corrupt (the entries' positions do not end where the history's header says).
  Result<Bytes> finish() const;

 private:
  SealedHeader history_;
  CountPositions count_positions_;
  Position last_position_;
  bool too_many_positions_ = false;
  std::vector<IndexedEntry> entries_;
};

/// Byte offset of the block that says where `entry` lies. Requires: the history holds it (checked).
std::uint64_t index_entry_block(const SealedHeader& history, Index entry);
/// Byte offset of the block that says which entry holds `position`. Requires: the history holds it (checked).
std::uint64_t index_position_block(const SealedHeader& history, Position position);
std::uint64_t index_size(const SealedHeader& history);

/// From the block at index_entry_block(). Errors: corrupt.
Result<IndexedEntry> find_entry(const SealedHeader& history, Index entry, ByteView block);
/// From the block at index_position_block(). Errors: corrupt.
Result<Index> find_position(const SealedHeader& history, Position position, ByteView block);
/// Errors: corrupt, unsupported; malformed when it is the header of another history's index.
Result<void> check_index_header(const SealedHeader& history, ByteView block);

}  // namespace coffer::log
