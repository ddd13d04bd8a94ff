#include "core/log/history_index.h"

#include <algorithm>

#include "core/base/check.h"
#include "core/base/codec.h"
#include "core/base/prng.h"
#include "core/log/block.h"

namespace coffer::log {
namespace {

constexpr std::uint32_t index_magic = 0x31494643;             // "CFI1"
constexpr std::uint64_t index_seed = 0x494E'4445'5800'0001u;  // "INDEX"
constexpr std::uint16_t index_version = 1;
constexpr std::size_t indexed_entry_size = 20;

std::uint64_t entry_count(const SealedHeader& history) { return history.name.last.value - history.first.value + 1; }
std::uint64_t position_count(const SealedHeader& history) {
  return history.last_position.value + 1 - history.first_position.value;
}
std::uint64_t entry_blocks(const SealedHeader& history) {
  return (entry_count(history) + index_entries_per_block - 1) / index_entries_per_block;
}
std::uint64_t position_blocks(const SealedHeader& history) {
  return (position_count(history) + index_positions_per_block - 1) / index_positions_per_block;
}

/// Binds a block to its history and its place: blocks of another index, or from elsewhere in this one, never fit.
std::uint64_t block_seed(const SealedHeader& history, std::uint64_t block) {
  return mix64(mix64(index_seed ^ history.table_checksum) ^ block);
}

void append_block(Bytes body, std::uint64_t seed, Bytes& file) {
  seal_block(body, seed);
  file.insert(file.end(), body.begin(), body.end());
}

Bytes index_header(const SealedHeader& history) {
  Bytes body;
  ByteWriter out(body);
  out.u32(index_magic);
  out.u16(index_version);
  out.u16(0);
  out.uuid(history.cluster);
  out.id(history.name.group);
  out.u32(0);
  out.id(history.first);
  out.id(history.name.last);
  out.id(history.first_position);
  out.id(history.last_position);
  out.u64(history.table_checksum);
  seal_block(body, index_seed);
  return body;
}

}  // namespace

IndexBuilder::IndexBuilder(const SealedHeader& history, CountPositions count_positions)
    : history_(history), count_positions_(count_positions), last_position_(history.first_position.value - 1) {}

void IndexBuilder::add(const HistoryEntry& entry) {
  check(entry.index.value == history_.first.value + entries_.size(), "an index is built from the first entry on");
  const std::uint64_t positions = count_positions_(entry.kind, entry.payload);
  // Never beyond what the header promises: finish() would not believe it, and the table is sized by it.
  if (positions > history_.last_position.value - last_position_.value) {
    too_many_positions_ = true;
  } else {
    last_position_.value += positions;
  }
  entries_.push_back({entry.offset, entry.size, last_position_});
}

Result<Bytes> IndexBuilder::finish() const {
  if (too_many_positions_) {
    return error(ErrorCode::corrupt, "the entries hold more positions than the history's header says");
  }
  return encode_index(history_, entries_);
}

Result<Bytes> encode_index(const SealedHeader& history, const std::vector<IndexedEntry>& entries) {
  if (entries.size() != entry_count(history) || entries.back().last_position != history.last_position) {
    return error(ErrorCode::corrupt, "the entries' positions do not end where the history's header says");
  }
  Bytes file = index_header(history);
  file.reserve(index_size(history));
  std::uint64_t block = 1;
  for (std::size_t at = 0; at < entries.size(); at += index_entries_per_block) {
    Bytes body;
    ByteWriter out(body);
    const std::size_t end = std::min<std::size_t>(at + index_entries_per_block, entries.size());
    for (std::size_t i = at; i < end; ++i) {
      out.u64(entries[i].offset);
      out.u32(entries[i].size);
      out.id(entries[i].last_position);
    }
    append_block(std::move(body), block_seed(history, block++), file);
  }
  Bytes body;
  std::uint64_t before = history.first_position.value - 1;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    for (; before < entries[i].last_position.value; ++before) {
      ByteWriter(body).u32(static_cast<std::uint32_t>(i));
      if (body.size() == index_positions_per_block * sizeof(std::uint32_t)) {
        append_block(std::move(body), block_seed(history, block++), file);
        body.clear();
      }
    }
  }
  if (!body.empty()) append_block(std::move(body), block_seed(history, block++), file);
  check(file.size() == index_size(history), "an index is as long as its history says");
  return file;
}

std::uint64_t index_entry_block(const SealedHeader& history, Index entry) {
  check(entry >= history.first && entry <= history.name.last, "the history holds the entry");
  return (1 + (entry.value - history.first.value) / index_entries_per_block) * block_size;
}

std::uint64_t index_position_block(const SealedHeader& history, Position position) {
  check(position >= history.first_position && position <= history.last_position, "the history holds the position");
  const std::uint64_t block = (position.value - history.first_position.value) / index_positions_per_block;
  return (1 + entry_blocks(history) + block) * block_size;
}

std::uint64_t index_size(const SealedHeader& history) {
  return (1 + entry_blocks(history) + position_blocks(history)) * block_size;
}

Result<IndexedEntry> find_entry(const SealedHeader& history, Index entry, ByteView block) {
  const std::uint64_t number = index_entry_block(history, entry) / block_size;
  if (!is_sealed(block, block_seed(history, number)))
    return error(ErrorCode::corrupt, "a block of an index is damaged");
  const std::uint64_t slot = (entry.value - history.first.value) % index_entries_per_block;
  ByteReader in(block.subspan(slot * indexed_entry_size, indexed_entry_size));
  IndexedEntry found;
  found.offset = in.u64();
  found.size = in.u32();
  found.last_position = in.id<Position>();
  if (found.size < history_entry_header_size || found.offset > history.payload_size ||
      found.size > history.payload_size - found.offset) {
    return error(ErrorCode::corrupt, "an index points outside its history");
  }
  return found;
}

Result<Index> find_position(const SealedHeader& history, Position position, ByteView block) {
  const std::uint64_t number = index_position_block(history, position) / block_size;
  if (!is_sealed(block, block_seed(history, number)))
    return error(ErrorCode::corrupt, "a block of an index is damaged");
  const std::uint64_t slot = (position.value - history.first_position.value) % index_positions_per_block;
  const std::uint32_t ordinal = ByteReader(block.subspan(slot * sizeof(std::uint32_t), sizeof(std::uint32_t))).u32();
  if (ordinal >= entry_count(history)) return error(ErrorCode::corrupt, "an index points outside its history");
  return Index(history.first.value + ordinal);
}

Result<void> check_index_header(const SealedHeader& history, ByteView block) {
  if (!is_sealed(block, index_seed)) return error(ErrorCode::corrupt, "the header of an index is damaged");
  ByteReader in(block);
  const std::uint32_t magic = in.u32();
  const std::uint16_t version = in.u16();
  if (magic == index_magic && version != index_version) {
    return error(ErrorCode::unsupported, "format version " + std::to_string(version) + " is not known");
  }
  const Bytes expected = index_header(history);
  if (!std::equal(expected.begin(), expected.end(), block.begin())) {
    return error(ErrorCode::malformed, "the index of another history");
  }
  return {};
}

}  // namespace coffer::log
