// Looking up single entries in history and archive: by index, or by a position the entry holds. One block of the index
// (two for a position), then the chunks the entry lies in; every byte is checked before it is believed. Says what to
// read and is fed what was read. Single-threaded; owned by one SealedStore.
#pragma once

#include <cstdint>
#include <optional>

#include "core/base/bytes.h"
#include "core/base/entry.h"
#include "core/log/history_index.h"
#include "core/log/sealed_file.h"

namespace coffer::log {

class HistoryLookup {
 public:
  /// `table` is the history's. Requires: it holds the entry, or the position (checked).
  HistoryLookup(const SealedHeader& history, Index entry) : history_(history), entry_(entry) {}
  HistoryLookup(const SealedHeader& history, Position position) : history_(history), position_(position) {}

  enum class Part : std::uint8_t { index_block, chunk };
  struct Range {
    Part part = Part::index_block;
    std::uint64_t offset = 0;  ///< in the file
    std::uint64_t length = 0;
  };
  /// What to read now; nothing when it is finished.
  std::optional<Range> next() const;
  /// The bytes of next(). `table` is the history's.
  void feed(ByteView bytes, const std::vector<std::uint64_t>& table);

  const SealedName& history() const { return history_.name; }
  std::uint32_t chunk() const { return chunk_; }  ///< being read, or found damaged
  /// What was found damaged, if it failed.
  std::optional<Part> damaged() const { return damaged_; }
  /// Nothing until it is finished, and if it failed.
  const std::optional<Entry>& found() const { return found_; }
  Position last_position() const { return place_ ? place_->last_position : Position(); }

 private:
  void take_index_block(ByteView block);
  void take_chunk(ByteView chunk, const std::vector<std::uint64_t>& table);

  SealedHeader history_;
  std::optional<Index> entry_;
  std::optional<Position> position_;
  std::optional<IndexedEntry> place_;
  std::uint32_t chunk_ = 0;
  Bytes bytes_;  ///< of the entry, as far as read
  std::optional<Part> damaged_;
  std::optional<Entry> found_;
};

}  // namespace coffer::log
