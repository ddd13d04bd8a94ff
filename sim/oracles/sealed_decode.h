// The oracles' own reading of sealed files (snapshots, history, attic), written from the grammar of docs/FORMATS.md and
// from nothing else. Plain data; takes any bytes, never reads past their end.
//
//   sealed := header | chunk* | table
//   header := magic "CFK1" u32 | version u16 = 1 | kind u8 | zero u8 | cluster 16 | group u32 | chunk_size u32
//             | first u64 | last u64 | last_term u64 | first_position u64 | last_position u64 | last_stamp i64
//             | payload_size u64 | chain_before 32 | chain_after 32 | table_checksum u64 | meta blob | zero*
//             | checksum u64                                                                       one sealed block
//   table  := chunk_checksum u64 {chunks} | table_checksum u64
//   history payload := entry{last - first + 1}; entry := index u64 | term u64 | kind u8 | payload blob
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/entry.h"
#include "core/base/ids.h"
#include "core/base/time.h"
#include "sim/oracles/sha256.h"

namespace coffer::sim::oracles {

enum class SealedKind : std::uint8_t { snapshot = 1, history = 2, attic = 3 };

/// What a published file is called; an archived history file is a history file.
struct SealedName {
  SealedKind kind = SealedKind::snapshot;
  ShardId shard;
  Index last;
  auto operator<=>(const SealedName&) const = default;
};
/// Nothing for other files, and for those still being written.
std::optional<SealedName> sealed_name(std::string_view file);

/// A whole and sound file; views into its bytes.
struct SealedFile {
  SealedName name;
  Index first;
  Term last_term;
  Position first_position;
  Position last_position;
  Stamp last_stamp;
  Sha256 chain_before{};
  Sha256 chain_after{};
  ByteView meta;
  ByteView payload;
};
/// Every checksum holds, and the file says it is what it is called. Otherwise nothing, and `why` says why not.
std::optional<SealedFile> decode_sealed(const SealedName& name, ByteView contents, std::string& why);

struct HistoryEntry {
  Index index;
  Term term;
  EntryKind kind = EntryKind::state;
  ByteView payload;
};
/// Nothing when the bytes do not follow the grammar; what the numbers say is for others to judge.
std::optional<std::vector<HistoryEntry>> decode_history(ByteView payload);

/// The head of the chain after this entry: SHA-256 over the head before it and the entry's bytes.
Sha256 chained(const Sha256& before, const HistoryEntry& entry);

}  // namespace coffer::sim::oracles
