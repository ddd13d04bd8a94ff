// The oracles' own reading of a node's disk, written from docs/FORMATS.md and from nothing else, so that a mistake in
// the product's formats is not shared. Plain data; takes any bytes, never reads past their end.
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
#include "core/base/ids.h"

namespace coffer::sim::oracles {

/// An entry in a frame; the payload is a view of the segment.
struct EntryOnDisk {
  ShardId shard;
  Index index;
  Term term;
  ByteView payload;
};
/// Entries of the shard at and after `from` are gone.
struct CutOnDisk {
  ShardId shard;
  Index from;
};
using Record = std::variant<EntryOnDisk, CutOnDisk>;

/// The records of one frame, in order; nothing when the bytes do not follow the grammar.
std::optional<std::vector<Record>> decode_records(ByteView payload);

/// Follows a node's stream while its segments become durable: each read goes on behind the last sound frame, so that a
/// growing segment is read once. A segment counts when the one before has been read up to it.
class StreamReader {
 public:
  /// The records that `contents`, the whole segment `file`, adds to what was read before. Files that are no segment, or
  /// not the one where the stream goes on, add nothing.
  std::vector<Record> read(std::string_view file, ByteView contents);

  std::uint64_t frames() const { return next_frame_ - 1; }
  /// Not empty: a frame with good checksums holds records that cannot be. Nothing is read any more.
  const std::string& malformed() const { return malformed_; }

 private:
  using Identity = std::array<std::byte, 36>;

  bool enter(std::uint64_t segment, ByteView contents);
  std::optional<ByteView> next_payload(ByteView segment);

  std::optional<Identity> identity_;
  std::uint64_t segment_ = 0;  ///< where the next frame is expected; 0: no segment has been found yet
  std::uint64_t salt_ = 0;
  std::uint64_t offset_ = 0;
  std::uint64_t next_frame_ = 1;
  std::uint64_t previous_ = 0;  ///< header checksum of the last frame
  std::string malformed_;
};

struct Ballot {
  Term term;
  NodeId vote = nobody;  ///< in `term`
};

inline constexpr std::string_view hard_state_name = "hard-state";
/// The ballots of the whole copy with the higher sequence; nothing when no copy is whole.
std::optional<std::map<ShardId, Ballot>> decode_hard_state(ByteView file);

}  // namespace coffer::sim::oracles
