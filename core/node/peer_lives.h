// What a node remembers of its peers' disks: the highest frame number each has claimed to be durable. A peer whose
// stream ends before that runs on an older copy of its disk: it has forgotten votes and acknowledgements, and must not
// go on. Best effort: what is remembered is lost with the process. Single-threaded.
//
//   life section     := incarnation u32 | durable_frame u64 | opened_at u64 | uncertain u8      (in every peer frame)
//   outdated section := incarnation u32 | opened_at u64 | frame_seen u64            (of the life that is outdated)
//
// Every life begins with a frame of its own, so that lives of one disk are told apart by where they began, and a copy
// that was put back begins before what the later life has shown.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>

#include "core/base/codec.h"
#include "core/base/ids.h"

namespace coffer::node {

/// How far a node's stream is durable, and where it ended when the node was started.
struct Life {
  std::uint32_t incarnation = 1;
  std::uint64_t durable_frame = 0;
  std::uint64_t opened_at = 0;
  bool uncertain = false;  ///< damage cut its stream short, and it knows: its groups are being asked what it lost
};

inline void encode(const Life& life, ByteWriter& out) {
  out.u32(life.incarnation);
  out.u64(life.durable_frame);
  out.u64(life.opened_at);
  out.u8(life.uncertain ? 1 : 0);
}
/// Nothing when the bytes are no life section.
inline std::optional<Life> decode_life(ByteReader& in) {
  Life life;
  life.incarnation = in.u32();
  life.durable_frame = in.u64();
  life.opened_at = in.u64();
  const std::uint8_t uncertain = in.u8();
  life.uncertain = uncertain == 1;
  if (!in.done() || uncertain > 1 || life.durable_frame < life.opened_at) return std::nullopt;
  return life;
}

class PeerLives {
 public:
  /// A peer told of its disk. Returns the frame that was seen before when this life's disk ends short of it.
  std::optional<std::uint64_t> heard(NodeId peer, const Life& life) {
    Seen& seen = seen_[peer];
    if (life.incarnation < seen.incarnation) return seen.frame;
    if (life.incarnation > seen.incarnation) seen = {life.incarnation, 0, life.opened_at};
    const bool another = life.opened_at != seen.opened_at;
    if (another && life.opened_at < seen.frame && !life.uncertain) return seen.frame;
    seen.frame = another ? life.durable_frame : std::max(seen.frame, life.durable_frame);
    seen.opened_at = life.opened_at;
    return std::nullopt;
  }

 private:
  struct Seen {
    std::uint32_t incarnation = 0;
    std::uint64_t frame = 0;
    std::uint64_t opened_at = 0;  ///< of the life that showed it
  };
  std::map<NodeId, Seen> seen_;
};

}  // namespace coffer::node
