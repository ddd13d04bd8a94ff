// Sealed files: immutable once published under their name, and the same bytes on every replica of a group; so a damaged
// piece can come from any of them. Names, the header block, the table of checksums. Pure functions; decoders take
// arbitrary bytes, never read past their end and never allocate by a length they found.
//
//   sealed := header chunk* table
//   header := magic "CFK1" u32 | version u16 = 1 | kind u8 | zero u8 | cluster 16 | group u32 | chunk_size u32
//             | first u64 | last u64 | last_term u64 | first_position u64 | last_position u64 | last_stamp i64
//             | payload_size u64 | chain_before 32 | chain_after 32 | table_checksum u64 | meta blob | zero*
//             | checksum u64                                                 one sealed block (core/log/block.h)
//   chunk  := chunk_size bytes of the payload, the last one what remains (at least 1)
//   table  := chunk_checksum u64 {chunks} | table_checksum u64
//
// Checksums are XXH3-64; a chunk's is seeded with its number, so that none counts in another's place.
//
// Invariants of a published file (a name without ".part"):
//   S1 it was durable under its temporary name before it got this one.
//   S2 header and table vouch for every byte: header -> table checksum -> chunk checksums -> payload.
//   S3 it holds committed entries only, or what follows from them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/ids.h"
#include "core/base/result.h"
#include "core/base/sha256.h"
#include "core/base/time.h"
#include "core/log/block.h"

namespace coffer::log {

enum class SealedKind : std::uint8_t {
  snapshot = 1,  ///< the state after entry `last`
  history = 2,   ///< the committed entries `first` … `last`
  attic = 3,     ///< rows that left the state in the epoch that ends with entry `last` (core/attic/run_format.h)
};

/// Names a file in all replicas alike.
struct SealedName {
  SealedKind kind = SealedKind::snapshot;
  ShardId group;
  Index last;
  constexpr auto operator<=>(const SealedName&) const = default;
};

/// "snapshot-000001-00000000000000000042", "attic-…"; an archived history file "archive-000001-…".
std::string file_name(const SealedName& name, bool archived = false);
/// The temporary name under which it is written.
std::string part_name(const SealedName& name);
/// The derived index of a history file: "index-000001-…".
std::string index_file_name(const SealedName& history);
/// The temporary name of a derived file.
std::string derived_part_name(const std::string& file);
/// The name a file gets that is kept for the operator only.
std::string damaged_name(const std::string& file);

/// What a name in the directory says.
enum class FileRole : std::uint8_t {
  published,
  archived,
  part,  ///< of a sealed file
  index,
  index_part,
};
struct FoundName {
  FileRole role = FileRole::published;
  SealedName name;
};
/// Nothing for the names of other parts of the log, and for any name this version would not write.
std::optional<FoundName> parse_file_name(std::string_view file);

/// Equal on all replicas.
struct SealedHeader {
  SealedName name;
  Uuid cluster;
  Index first;              ///< history: the first entry; others: equal to name.last
  Term last_term;           ///< of entry name.last
  Position first_position;  ///< history: of the first event in it; others: equal to last_position
  Position last_position;   ///< of the last event up to name.last; one less than first_position if it holds none
  Stamp last_stamp;         ///< of the last entry with events up to name.last; 0 if there is none
  std::uint64_t payload_size = 0;
  std::uint32_t chunk_size = 0;
  Hash256 chain_before;  ///< head of the chain over the committed entries before `first` (core/log/history.h)
  Hash256 chain_after;   ///< ... up to name.last; of others than histories both are this
  Bytes meta;            ///< snapshot: the encoded configuration; attic: its run's head; opaque here
  std::uint64_t table_checksum = 0;
  bool operator==(const SealedHeader&) const = default;
};

inline constexpr std::size_t sealed_meta_max = 2048;
inline constexpr std::uint32_t sealed_chunk_size_max = 16u << 20;
inline constexpr std::uint64_t sealed_chunks_max = 1u << 20;

/// Whether the fields can be those of a file: what encode requires and decode demands.
bool well_formed(const SealedHeader& header);
/// One block. Requires: well_formed(header) (checked). Ensures: decode_sealed_header gives the same header back.
Bytes encode(const SealedHeader& header);
/// Errors: corrupt (checksum), unsupported (a later version), malformed (fields out of range, padding not zero).
Result<SealedHeader> decode_sealed_header(ByteView block);

std::uint32_t chunk_count(const SealedHeader& header);
/// Bytes of chunk number `chunk`. Requires: chunk < chunk_count(header).
std::uint64_t chunk_length(const SealedHeader& header, std::uint32_t chunk);
std::uint64_t chunk_offset(const SealedHeader& header, std::uint32_t chunk);
std::uint64_t table_offset(const SealedHeader& header);
std::uint64_t table_length(const SealedHeader& header);
/// Bytes of the whole file.
std::uint64_t sealed_size(const SealedHeader& header);

std::uint64_t chunk_checksum(std::uint32_t chunk, ByteView bytes);
/// Of the chunk checksums alone: what stands in the header and behind the table.
std::uint64_t checksum_of_table(const std::vector<std::uint64_t>& table);
Bytes encode_table(const std::vector<std::uint64_t>& table);
/// Errors: corrupt (not of this header's length, or another checksum than its).
Result<std::vector<std::uint64_t>> decode_table(const SealedHeader& header, ByteView bytes);

}  // namespace coffer::log
