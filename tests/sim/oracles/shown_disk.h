// One node's disk, written in the product's own formats and shown to an oracle as a world would show it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/log/frame_format.h"
#include "core/log/hard_state.h"
#include "sim/observe/observer.h"

namespace coffer::sim::oracles {

log::FileIdentity identity_of(NodeId node);

class ShownDisk {
 public:
  explicit ShownDisk(NodeId node);

  // --- what the next frame will hold
  void append(ShardId shard, std::uint64_t index, std::uint64_t term, const Bytes& payload);
  void cut(ShardId shard, std::uint64_t from);
  Bytes& records() { return records_; }
  /// Writes the frame, in a new segment if asked, and forgets its records.
  void write_frame(bool new_segment = false);
  void write_ballot(ShardId shard, std::uint64_t term, NodeId vote);

  /// The files; a test may damage them.
  std::map<std::string, Bytes>& files() { return files_; }
  Bytes& segment() { return files_[log::segment_file(segment_)]; }
  std::string segment_name() const { return log::segment_file(segment_); }
  std::uint64_t frames() const { return next_frame_ - 1; }

  // --- what became durable
  void show(Oracle& oracle, const std::string& file) const;
  void show_all(Oracle& oracle) const;
  /// One entry in a frame of its own, durable at once; in a term the hard state knows.
  void store(Oracle& oracle, ShardId shard, std::uint64_t index, std::uint64_t term, const Bytes& payload);
  void vote(Oracle& oracle, ShardId shard, std::uint64_t term, NodeId vote);
  /// Power fails and comes back; the files are what is left.
  void crash(Oracle& oracle) const;

 private:
  void begin_segment();

  NodeId node_;
  std::map<std::string, Bytes> files_;
  log::HardStateImage ballots_;
  std::uint64_t segment_ = 0;
  std::uint64_t next_frame_ = 1;
  std::uint64_t previous_ = 0;
  Bytes records_;
};

}  // namespace coffer::sim::oracles
