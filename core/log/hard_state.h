// The file "hard-state": term and vote of every group, and what the log must know before it reads its stream; in two
// copies, so that one of them is always whole. Bytes, and the order in which they are written.
//
//   file := copy{2}                                                                    (at offsets 0 and 4096)
//   copy := magic u32 | version u16 | zero u16 | identity 36 | zero u32 | sequence u64 | first_segment u64
//           | damaged_from u64 | damaged_end u64 | mark u64 | count u32 | repairing u32 | group_state{count} | zero*
//           | epoch_bytes u64 | chunk_bytes u32 | lives u32 | checksum u64   (one block; groups ascending)
//   group_state := group u32 | vote u32 | term u64 | evidence_index u64 | evidence_term u64 | uncertain u32 | alone u32
//
// H1 At every moment at least one copy is whole and durable: a copy is written only while the other one is.
// H2 Sequences only grow. 1 is a directory under construction; 2 and more say that "stream-000001" is durable.
// H3 Both copies are durable before anything that depends on the change is told or done: whichever copy rots, the other
//    one knows every vote that was given.
// H4 Segments before `first_segment` are not needed: those in [damaged_from, damaged_end) were set aside, others go.
// H5 `mark`: the highest frame of the stream known durable when this was written, as in a frame's header.
// H6 `uncertain` is cleared only by the log's owner. `evidence` is the highest place that was ever seen on this disk.
// H7 `epoch_bytes` and `chunk_bytes` never change once they are there (0: written before they were kept): what the
//    directory was founded with, and whoever comes with others is refused.
// H8 `lives` counts the starts: higher than in any life before it, durably, before a life tells anybody anything.
// H9 `repairing` is 1, durably, before remnants behind the end of the stream are cut or headers of segments written
//    again, until they are, durably: a start that dies on the way leaves what reads as repaired and is not.
// H10 `alone` is 1 only while this node is the group's only voter, by a configuration that has committed: it is 0,
//    durably, before an entry that gives another one a vote is.
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
inline constexpr std::size_t hard_state_header_size = 96;
inline constexpr std::size_t group_state_size = 40;
inline constexpr std::size_t snapshot_sizes_size = 16;
/// Groups of one node: what fits one copy beside header, sizes and checksum.
inline constexpr std::size_t hard_state_groups_max =
    (block_body_max - hard_state_header_size - snapshot_sizes_size) / group_state_size;
static_assert(hard_state_groups_max >= 64);

struct GroupState {
  HardState hard_state;
  bool uncertain = false;  ///< may have lost entries that it had acknowledged
  LogPlace evidence;       ///< while uncertain
  bool alone = false;      ///< this node is the group's only voter
};

struct HardStateImage {
  std::uint64_t sequence = 0;
  std::uint64_t first_segment = 1;
  std::uint64_t damaged_from = 0;
  std::uint64_t damaged_end = 0;
  std::uint64_t mark = 0;
  SnapshotSizes snapshots = {};
  std::uint32_t lives = 0;
  bool repairing = false;
  std::map<ShardId, GroupState> groups = {};
};

inline constexpr std::uint64_t hard_state_file_size = std::uint64_t{hard_state_copies} * block_size;
constexpr std::uint64_t hard_state_offset(std::uint32_t copy) { return std::uint64_t{copy} * block_size; }

/// One copy's block; `copy` is 0 or 1 and part of its checksum. Requires: at most hard_state_groups_max groups
/// (checked).
Bytes encode_hard_state(const FileIdentity& identity, const HardStateImage& image, std::uint32_t copy);

struct HardStateFile {
  std::optional<HardStateImage> newest;  ///< of the whole copies the one with the higher sequence, then lives
  std::vector<std::uint32_t> outdated;   ///< copies that are not whole or older: rewritten before the other is touched
};
/// Reads a whole file of any bytes. corrupt: a whole copy belongs to another identity. unsupported: another version.
Result<HardStateFile> read_hard_state(ByteView file, const FileIdentity& identity);

/// Write A, sync, write B, sync (rule H1). Requires: both copies in the file are whole and durable, or nothing in it
/// counts.
void write_hard_state(const FileIdentity& identity, const HardStateImage& image, PendingIo& io, std::vector<IoOp>& out);
/// Makes durable what was read: a process may have died before its sync, or at one that failed, after which no sync
/// writes these bytes any more. So both copies are written again, the `outdated` one first (rule H1).
void mend_hard_state(const FileIdentity& identity, const HardStateImage& image,
                     const std::vector<std::uint32_t>& outdated, PendingIo& io, std::vector<IoOp>& out);

}  // namespace coffer::log
