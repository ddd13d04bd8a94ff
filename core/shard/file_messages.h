// Messages between replicas of a group that move sealed files. Whoever lacks something asks; any member that has it
// answers, for a sealed file is the same everywhere.
//
//   files := group u32 | what
//   what  := ask | offer | want | give
//   ask   := 1 u8 | kind u8 | after u64 | base_index u64 | base_term u64
//            offer me your next history or attic file that ends behind entry `after`; of snapshots: your newest, if
//            behind `after`. base: what my log stands on, if I cannot go on without it; else 0, 0
//   offer := 2 u8 | kind u8 | after u64 | header blob | table blob
//            the answer; without header and table: I have none. A leader also offers a snapshot unasked (after 0) to
//            who lags behind its log
//   want  := 3 u8 | chunk_name
//   give  := 4 u8 | chunk_name | bytes blob            the answer; without bytes: I do not have it
//   chunk_name := kind u8 | last u64 | table_checksum u64 | chunk u32
//
// kind, header (one block) and table are those of sealed files (core/log/sealed_file.h). An offer's header and table
// are checked against each other when it is read; a chunk's bytes against the table by who asked for them. Indexes and
// terms are at most raft::number_max, a chunk's bytes at most sealed_chunk_size_max.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/codec.h"
#include "core/base/ids.h"
#include "core/log/sealed_file.h"

namespace coffer::shard {

struct AskFile {
  log::SealedKind kind = log::SealedKind::snapshot;
  Index after;
  LogPlace base = {};
  bool operator==(const AskFile&) const = default;
};

struct OfferFile {
  log::SealedKind kind = log::SealedKind::snapshot;
  Index after;                              ///< of the question
  std::optional<log::SealedHeader> header;  ///< nothing: no such file
  std::vector<std::uint64_t> table;
  bool operator==(const OfferFile&) const = default;
};

struct ChunkName {
  log::SealedKind kind = log::SealedKind::snapshot;
  Index last;
  std::uint64_t table_checksum = 0;
  std::uint32_t chunk = 0;
  constexpr auto operator<=>(const ChunkName&) const = default;
};

struct WantChunk {
  ChunkName name;
  bool operator==(const WantChunk&) const = default;
};

struct GiveChunk {
  ChunkName name;
  Bytes bytes;  ///< empty: not there
  bool operator==(const GiveChunk&) const = default;
};

struct FilesMessage {
  ShardId group;
  std::variant<AskFile, OfferFile, WantChunk, GiveChunk> what;
  bool operator==(const FilesMessage&) const = default;
};

/// Requires: a header's table is its own (checked when read).
Bytes encode(const FilesMessage& message);
/// Nothing when the bytes are no such message. Allocates no more than the bytes hold.
std::optional<FilesMessage> decode_files(ByteView bytes);

}  // namespace coffer::shard
