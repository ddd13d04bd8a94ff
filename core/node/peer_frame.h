// Frames between nodes: all of a step's messages to one peer in one frame, whatever their group or purpose.
//
//   peer frame payload := section*                      (frame kind peer_frame, core/base/frame.h)
//   section            := kind u8 | length u32 | bytes[length]
//     raft          := group u32 | raft message          (core/raft/messages.h)
//     legs          := core/shard/leg_messages.h
//     leg_answers   := core/shard/leg_messages.h
//     forward       := attempt u64 | request body        (core/router/protocol.h; a proxy asks a leader)
//     forward_reply := attempt u64 | reply body
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

enum class SectionKind : std::uint8_t { raft = 1, legs = 2, leg_answers = 3, forward = 4, forward_reply = 5 };

struct Section {
  SectionKind kind;
  ByteView bytes;
};

/// Splits a frame's payload; nothing when any part is malformed.
std::vector<Section> split_sections(ByteView payload, bool& ok);

/// The frames of one step in the making, one per peer.
class PeerFrames {
 public:
  void add_raft(NodeId to, ShardId group, const raft::Message& message);
  void add(NodeId to, SectionKind kind, ByteView bytes);
  void add_numbered(NodeId to, SectionKind kind, std::uint64_t number, ByteView bytes);
  bool empty() const { return frames_.empty(); }
  /// Seals and moves every frame to `out`, ascending by peer.
  void finish(std::vector<Send>& out);

 private:
  std::size_t begin_section(NodeId to, SectionKind kind);
  void end_section(NodeId to, std::size_t begin);

  std::map<NodeId, Bytes> frames_;
};

}  // namespace coffer::node
