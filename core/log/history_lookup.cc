#include "core/log/history_lookup.h"

#include <algorithm>
#include <memory>

#include "core/base/check.h"
#include "core/base/codec.h"
#include "core/log/block.h"

namespace coffer::log {

std::optional<HistoryLookup::Range> HistoryLookup::next() const {
  if (damaged_ || found_) return std::nullopt;
  if (!entry_) return Range{Part::index_block, index_position_block(history_, *position_), block_size};
  if (!place_) return Range{Part::index_block, index_entry_block(history_, *entry_), block_size};
  return Range{Part::chunk, chunk_offset(history_, chunk_), chunk_length(history_, chunk_)};
}

void HistoryLookup::feed(ByteView bytes, const std::vector<std::uint64_t>& table) {
  if (entry_ && place_) {
    take_chunk(bytes, table);
  } else {
    take_index_block(bytes);
  }
}

void HistoryLookup::take_index_block(ByteView block) {
  if (!entry_) {
    const Result<Index> entry = find_position(history_, *position_, block);
    if (entry.has_error()) {
      damaged_ = Part::index_block;
    } else {
      entry_ = *entry;
    }
    return;
  }
  const Result<IndexedEntry> place = find_entry(history_, *entry_, block);
  if (place.has_error()) {
    damaged_ = Part::index_block;
    return;
  }
  place_ = *place;
  chunk_ = static_cast<std::uint32_t>(place_->offset / history_.chunk_size);
}

void HistoryLookup::take_chunk(ByteView chunk, const std::vector<std::uint64_t>& table) {
  if (chunk.size() != chunk_length(history_, chunk_) || chunk_checksum(chunk_, chunk) != table[chunk_]) {
    damaged_ = Part::chunk;
    return;
  }
  const std::uint64_t chunk_begin = std::uint64_t{chunk_} * history_.chunk_size;
  const std::uint64_t at = place_->offset + bytes_.size() - chunk_begin;
  const std::uint64_t size = std::min<std::uint64_t>(place_->size - bytes_.size(), chunk.size() - at);
  const ByteView piece = chunk.subspan(at, size);
  bytes_.insert(bytes_.end(), piece.begin(), piece.end());
  if (bytes_.size() < place_->size) {
    ++chunk_;
    return;
  }
  ByteReader in(bytes_);
  HistoryEntry entry;
  entry.index = in.id<Index>();
  entry.term = in.id<Term>();
  const std::uint8_t kind = in.u8();
  entry.payload = in.blob();
  if (!in.done() || entry.index != *entry_ || kind > static_cast<std::uint8_t>(EntryKind::configuration)) {
    damaged_ = Part::index_block;  // the chunks are sound: the index pointed elsewhere
    return;
  }
  entry.kind = static_cast<EntryKind>(kind);
  found_ = entry.entry();
}

}  // namespace coffer::log
