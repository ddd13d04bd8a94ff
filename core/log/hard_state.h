// The file "hard-state": term and vote of every group, in two copies, so that one of them is always whole. Bytes, and
// the order in which they are written.
//
//   file := copy{2}                                                                    (at offsets 0 and 4096)
//   copy := magic u32 | version u16 | zero u16 | identity 36 | zero u32 | sequence u64 | count u32 | zero u32
//           | group_state{count} | zero* | checksum u64                                    (one block; groups
//           ascending)
//   group_state := group u32 | vote u32 | term u64
//
// H1 At every moment at least one copy is whole and durable: a copy is written only while the other one is.
// H2 Sequences only grow. 1 is a directory under construction; 2 and more say that "stream-000001" is durable.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/entry.h"
#include "core/base/result.h"
#include "core/log/block.h"
#include "core/log/pending_io.h"
#include "core/log/stream.h"

namespace coffer::log {

inline constexpr const char* hard_state_file = "hard-state";
inline constexpr std::uint32_t hard_state_magic = 0x31484643;  // "CFH1"
inline constexpr std::uint32_t hard_state_copies = 2;
inline constexpr std::size_t hard_state_header_size = 64;
/// Groups of one node: what fits one copy beside header and checksum.
inline constexpr std::size_t hard_state_groups_max = (block_body_max - hard_state_header_size) / 16;
static_assert(hard_state_groups_max >= 64);

struct HardStateImage {
  std::uint64_t sequence = 0;
  std::map<ShardId, HardState> states;
};

constexpr std::uint64_t hard_state_offset(std::uint32_t copy) { return std::uint64_t{copy} * block_size; }

/// One copy's block; `copy` is 0 or 1 and part of its checksum. Requires: at most hard_state_groups_max groups
/// (checked).
Bytes encode_hard_state(const FileIdentity& identity, const HardStateImage& image, std::uint32_t copy);

struct HardStateFile {
  std::optional<HardStateImage> newest;  ///< of the whole copies the one with the higher sequence
  std::vector<std::uint32_t> outdated;   ///< copies that are not whole or older: rewritten before the other is touched
};
/// Reads a whole file of any bytes. corrupt: a whole copy belongs to another identity. unsupported: a newer version.
Result<HardStateFile> read_hard_state(ByteView file, const FileIdentity& identity);

/// Write A, sync, write B, sync (rule H1). Requires: both copies in the file are whole and durable, or nothing in it
/// counts.
void write_hard_state(const FileIdentity& identity, const HardStateImage& image, PendingIo& io, std::vector<IoOp>& out);
/// Makes durable what was read (a process may have died before its sync), then rewrites `outdated` copies (rule H1).
void mend_hard_state(const FileIdentity& identity, const HardStateImage& image,
                     const std::vector<std::uint32_t>& outdated, PendingIo& io, std::vector<IoOp>& out);

}  // namespace coffer::log
