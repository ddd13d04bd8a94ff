// Frames between nodes: all of a step's messages to one peer in one frame, whatever their group or purpose; in several
// when there are more bytes than a frame should hold.
//
//   peer frame payload := section*                      (frame kind peer_frame, core/base/frame.h)
//   section            := kind u8 | length u32 | bytes[length]
//     raft          := group u32 | raft message          (core/raft/messages.cc)
//     legs          := core/shard/leg_messages.h
//     leg_answers   := core/shard/leg_messages.h
//     forward       := attempt u64 | request body        (core/router/protocol.h; a proxy asks a leader)
//     forward_reply := attempt u64 | reply body
//     files         := core/shard/file_messages.h
//     clock         := core/node/logical_clock.h         (every frame ends in one)
//     life          := core/node/peer_lives.h            (every frame ends in one)
//     outdated      := core/node/peer_lives.h
//     probe         := sent i64                          (the asker's monotonic clock)
//     echo          := sent i64 | wall i64 | wall_error i64
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/ids.h"
#include "core/node/effects.h"
#include "core/raft/messages.h"

namespace coffer::node {

inline constexpr std::uint8_t peer_frame = 1;

/// Bytes of payload from which on a frame takes no further section. One section more stays below frame_payload_max: the
/// longest are an append (append_bytes_max of its payloads, by the settings at most 32 MiB, or one entry, which
/// core/shard closes at 3 MiB plus one request or one leg message), a chunk of a sealed file (at most 16 MiB), an offer
/// of one (its table, at most 8 MiB) and a forwarded request.
inline constexpr std::size_t peer_frame_full = 8u << 20;

enum class SectionKind : std::uint8_t {
  raft = 1,
  legs = 2,
  leg_answers = 3,
  forward = 4,
  forward_reply = 5,
  files = 6,
  clock = 7,
  life = 8,
  outdated = 9,
  probe = 10,
  echo = 11,
};
inline constexpr SectionKind last_section_kind = SectionKind::echo;

struct Section {
  SectionKind kind;
  ByteView bytes;
};

/// Splits a frame's payload; nothing when any part is malformed.
std::vector<Section> split_sections(ByteView payload, bool& ok);

/// One section at the end of `out`.
void append_section(Bytes& out, SectionKind kind, ByteView bytes);

/// The frames of one step in the making.
class PeerFrames {
 public:
  void add_raft(NodeId to, ShardId group, const raft::Message& message);
  void add(NodeId to, SectionKind kind, ByteView bytes);
  void add_numbered(NodeId to, SectionKind kind, std::uint64_t number, ByteView bytes);
  bool empty() const { return frames_.empty(); }
  /// Seals and moves every frame to `out`, ascending by peer, in the order of their sections; each ends in the sections
  /// of `trailer` (whole sections, as append_section makes them).
  void finish(std::vector<Send>& out, ByteView trailer = {});

 private:
  /// The frame that takes the section; end_section() writes its length.
  Bytes& begin_section(NodeId to, SectionKind kind);
  static void end_section(Bytes& frame, std::size_t begin);

  std::map<NodeId, std::vector<Bytes>> frames_;
};

}  // namespace coffer::node
