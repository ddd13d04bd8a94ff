// Blocks: the 4 KiB unit in which every file of the log is laid out. A sealed block ends in a checksum over all its
// other bytes, padding included, so that no bit of it can change unnoticed. Segment headers and hard-state copies are
// sealed blocks; frames start on block boundaries. Pure functions.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/base/bytes.h"
#include "core/base/codec.h"
#include "core/log/stream.h"

namespace coffer::log {

inline constexpr std::size_t block_size = 4096;
/// Bytes of a sealed block before its checksum.
inline constexpr std::size_t block_body_max = block_size - sizeof(std::uint64_t);
/// Of the hard state, of segments and frames. Version 1 never left the workshop and is not read.
inline constexpr std::uint16_t format_version = 2;

constexpr std::uint64_t round_up_to_block(std::uint64_t size) {
  return (size + block_size - 1) / block_size * block_size;
}

/// Pads `body` with zeros to one block and writes its checksum. `seed` binds the block to its place.
/// Requires: at most block_body_max bytes (checked).
void seal_block(Bytes& body, std::uint64_t seed);
/// Whether the first block_size bytes are a sealed block of this place.
bool is_sealed(ByteView bytes, std::uint64_t seed);
/// Whether all bytes are zero: never written, or only reserved.
bool is_blank(ByteView bytes);

/// identity := cluster 16 | node 16 | incarnation u32
void put_identity(ByteWriter& out, const FileIdentity& identity);
FileIdentity get_identity(ByteReader& in);
bool same_identity(const FileIdentity& left, const FileIdentity& right);

/// What an operator does when a file of the log cannot be trusted.
inline constexpr const char* restore_advice =
    "Nothing was changed. Restore this node from its peers: move its directory away and let a replacement join with "
    "`coffer join --replace`.";
/// What an operator does when a file belongs to another node, cluster or incarnation, or to a newer binary.
inline constexpr const char* directory_advice =
    "Nothing was changed. Start the node with the directory and the binary that belong to it.";

}  // namespace coffer::log
