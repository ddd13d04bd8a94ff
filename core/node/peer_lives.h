// What a node remembers of its peers' disks: the highest frame number each has claimed to be durable. A peer whose
// stream ends before that runs on an older copy of its disk: it has forgotten votes and acknowledgements, and must not
// go on. Best effort: what is remembered is lost with the process. Single-threaded.
//
//   life section     := incarnation u32 | number u64 | durable_frame u64 | opened_at u64 | uncertain u8
//   outdated section := incarnation u32 | number u64 | frame_seen u64               (of the life that is outdated)
//
// A life section stands in every peer frame. Every life begins with a frame of its own, and a copy of the disk that was
// put back, or that runs elsewhere, begins before what another life has shown. Lives that two copies began at the same
// frame are told apart by their numbers.
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
  std::uint64_t number = 0;  ///< drawn at the start
  std::uint64_t durable_frame = 0;
  std::uint64_t opened_at = 0;
  bool uncertain =
      false;  ///< its stream may have been cut short, and it knows: its groups, if it has any, ask what it lost
};

inline void encode(const Life& life, ByteWriter& out) {
  out.u32(life.incarnation);
  out.u64(life.number);
  out.u64(life.durable_frame);
  out.u64(life.opened_at);
  out.u8(life.uncertain ? 1 : 0);
}
/// Nothing when the bytes are no life section.
inline std::optional<Life> decode_life(ByteReader& in) {
  Life life;
  life.incarnation = in.u32();
  life.number = in.u64();
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
    if (life.incarnation > seen.incarnation) seen = {life.incarnation, life.number, 0};
    const bool another = life.number != seen.number;
    if (another && life.opened_at < seen.frame && !life.uncertain) return seen.frame;
    seen.frame = another ? life.durable_frame : std::max(seen.frame, life.durable_frame);
    seen.number = life.number;
    return std::nullopt;
  }

 private:
  struct Seen {
    std::uint32_t incarnation = 0;
    std::uint64_t number = 0;  ///< of the life that showed the frame
    std::uint64_t frame = 0;
  };
  std::map<NodeId, Seen> seen_;
};

}  // namespace coffer::node
