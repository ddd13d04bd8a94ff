// The oracles' own reading of a node's disk, written from docs/FORMATS.md and from nothing else, so that a mistake in
// the product's formats is not shared. Reads versions 1 and 2, whichever a file says it is. Plain data; takes any
// bytes, never reads past their end.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/entry.h"
#include "core/base/ids.h"

namespace coffer::sim::oracles {

/// An entry in a frame; the payload is a view of the segment.
struct EntryOnDisk {
  ShardId shard;
  Index index;
  Term term;
  EntryKind kind = EntryKind::state;
  ByteView payload;
};
/// Entries of the shard at and after `from` are gone.
struct CutOnDisk {
  ShardId shard;
  Index from;
};
/// A snapshot holds everything up to `base`; entries behind it stay if `keeps`, else none do.
struct BaseOnDisk {
  ShardId shard;
  LogPlace base;
  bool keeps = false;
};
/// Where the shard's log stood when the segment was begun: what is between is in earlier segments.
struct StandingOnDisk {
  ShardId shard;
  LogPlace base;
  LogPlace last;
};
using Record = std::variant<EntryOnDisk, CutOnDisk, BaseOnDisk, StandingOnDisk>;

/// The records of one frame, in order; nothing when the bytes do not follow the grammar of this version.
std::optional<std::vector<Record>> decode_records(ByteView payload, std::uint16_t version);

/// Follows a node's stream while its segments become durable: each read goes on behind the last sound frame, so that a
/// growing segment is read once. A segment counts when the one before has been read up to it; the first one is the one
/// the hard state says, whatever frame it begins with.
class StreamReader {
 public:
  StreamReader() = default;
  explicit StreamReader(std::uint64_t first_segment) : first_segment_(first_segment) {}

  /// The records that `contents`, the whole segment `file`, adds to what was read before. Files that are no segment, or
  /// not the one where the stream goes on, add nothing.
  std::vector<Record> read(std::string_view file, ByteView contents);

  std::uint64_t first_segment() const { return first_segment_; }
  /// Where the next frame is expected; 0: no segment has been found yet.
  std::uint64_t segment() const { return segment_; }
  std::uint64_t last_frame() const { return next_frame_ - 1; }
  /// Not empty: a frame with good checksums holds records that cannot be. Nothing is read any more.
  const std::string& malformed() const { return malformed_; }

 private:
  using Identity = std::array<std::byte, 36>;

  bool enter(std::uint64_t segment, ByteView contents);
  std::optional<ByteView> next_payload(ByteView segment);

  std::uint64_t first_segment_ = 1;
  std::optional<Identity> identity_;
  std::uint16_t version_ = 0;
  std::uint64_t segment_ = 0;
  std::uint64_t salt_ = 0;
  std::uint64_t offset_ = 0;
  std::uint64_t next_frame_ = 1;
  std::uint64_t previous_ = 0;  ///< header checksum of the last frame
  std::string malformed_;
};

/// The number in a segment's name; nothing for other files.
std::optional<std::uint64_t> segment_number(std::string_view file);

struct Ballot {
  Term term;
  NodeId vote = nobody;    ///< in `term`
  bool uncertain = false;  ///< the replica may have lost what it had acknowledged
};

struct HardStateOnDisk {
  std::uint64_t sequence = 0;
  std::uint64_t first_segment = 1;  ///< of the stream
  std::map<ShardId, Ballot> ballots;
};

inline constexpr std::string_view hard_state_name = "hard-state";
/// The whole copy with the higher sequence; nothing when no copy is whole.
std::optional<HardStateOnDisk> decode_hard_state(ByteView file);
/// The other one, of two whole copies.
std::optional<HardStateOnDisk> decode_older_hard_state(ByteView file);

/// Whether the first block ends in the checksum of the rest of it.
bool is_sealed_block(ByteView bytes, std::uint64_t seed);

}  // namespace coffer::sim::oracles
