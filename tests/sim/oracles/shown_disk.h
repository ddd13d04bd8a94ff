// One node's disk, shown to an oracle as a world would show it. Written by the grammar of docs/FORMATS.md, in version 1
// or 2, without the product's codecs: their golden files hold those to the same grammar.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/base/entry.h"
#include "sim/observe/observer.h"
#include "sim/oracles/stream_decode.h"

namespace coffer::sim::oracles {

/// A sealed file with the chain, the table and the checksums it needs.
struct SealedDraft {
  std::uint8_t kind = 1;
  ShardId shard;
  std::uint64_t first = 1;
  std::uint64_t last = 1;
  std::uint64_t last_term = 1;
  std::uint64_t last_position = 0;
  std::int64_t last_stamp = 0;
  std::uint32_t chunk_size = 100;
  Bytes chain_before = Bytes(32);
  Bytes chain_after = Bytes(32);
  Bytes meta = {};
  Bytes payload = {};

  std::string file() const;  ///< "snapshot-000001-…"
  Bytes bytes() const;
};

class ShownDisk {
 public:
  explicit ShownDisk(NodeId node, std::uint16_t version = 2);

  // --- what the next frame will hold
  void append(ShardId shard, std::uint64_t index, std::uint64_t term, const Bytes& payload,
              EntryKind kind = EntryKind::state);
  void cut(ShardId shard, std::uint64_t from);
  void restore(ShardId shard, std::uint64_t index, std::uint64_t term, bool keeps);
  void stand(ShardId shard, LogPlace base, LogPlace last);
  Bytes& records() { return records_; }
  /// Writes the frame, in a new segment if asked, and forgets its records.
  void write_frame(bool new_segment = false);
  void write_ballot(ShardId shard, std::uint64_t term, NodeId vote, bool uncertain = false);
  /// The stream goes on in a new segment that stands alone, behind frames never used; the hard state says so.
  void begin_anew();
  /// Segments before the present one are gone, and the hard state says so.
  void drop_old_segments();

  /// The files; a test may damage them.
  std::map<std::string, Bytes>& files() { return files_; }
  Bytes& segment() { return files_[segment_name()]; }
  std::string segment_name() const;
  std::uint64_t frames() const { return next_frame_ - 1; }

  // --- what became durable
  void show(Oracle& oracle, const std::string& file) const;
  void show_all(Oracle& oracle) const;
  /// One entry in a frame of its own, durable at once; in a term the hard state knows.
  void store(Oracle& oracle, ShardId shard, std::uint64_t index, std::uint64_t term, const Bytes& payload);
  void vote(Oracle& oracle, ShardId shard, std::uint64_t term, NodeId vote);
  void publish(Oracle& oracle, const SealedDraft& draft);
  /// Power fails and comes back; the files are what is left.
  void crash(Oracle& oracle) const;

 private:
  Bytes identity() const;
  std::uint64_t salt() const;
  void begin_segment();
  void write_hard_state();

  NodeId node_;
  std::uint16_t version_;
  std::map<std::string, Bytes> files_;
  std::map<ShardId, Ballot> ballots_;
  std::uint64_t sequence_ = 0;
  std::uint64_t first_segment_ = 1;
  std::uint64_t segment_ = 0;
  std::uint64_t next_frame_ = 1;
  std::uint64_t previous_ = 0;
  Bytes records_;
};

}  // namespace coffer::sim::oracles
