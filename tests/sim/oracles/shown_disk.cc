#include "tests/sim/oracles/shown_disk.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "core/log/records.h"

namespace coffer::sim::oracles {

namespace {

constexpr std::size_t zeros_ahead = 2 * log::block_size;  // as a reservation leaves them

}  // namespace

log::FileIdentity identity_of(NodeId node) {
  log::FileIdentity identity;
  identity.cluster.bytes.fill(0xC0);
  identity.node.bytes.fill(static_cast<std::uint8_t>(node.value));
  return identity;
}

ShownDisk::ShownDisk(NodeId node) : node_(node) { begin_segment(); }

void ShownDisk::append(ShardId shard, std::uint64_t index, std::uint64_t term, const Bytes& payload) {
  const Entry entry{Index(index), Term(term), payload.empty() ? nullptr : std::make_shared<const Bytes>(payload)};
  log::append_entries_record(records_, shard, {&entry, 1});
}

void ShownDisk::cut(ShardId shard, std::uint64_t from) { log::append_truncate_record(records_, shard, Index(from)); }

void ShownDisk::begin_segment() {
  ++segment_;
  segment() = log::encode_segment_header({.identity = identity_of(node_),
                                          .salt = log::segment_salt(identity_of(node_), segment_),
                                          .number = segment_,
                                          .first_frame = next_frame_,
                                          .previous = previous_});
}

void ShownDisk::write_frame(bool new_segment) {
  if (new_segment) begin_segment();
  Bytes frame(log::stream_frame_header_size);
  const Bytes records = std::exchange(records_, {});
  frame.insert(frame.end(), records.begin(), records.end());
  const std::uint64_t salt = log::segment_salt(identity_of(node_), segment_);
  previous_ = log::seal_stream_frame(frame, {salt, next_frame_, previous_}, next_frame_ - 1);
  ++next_frame_;
  segment().insert(segment().end(), frame.begin(), frame.end());
}

void ShownDisk::write_ballot(ShardId shard, std::uint64_t term, NodeId vote) {
  ++ballots_.sequence;
  ballots_.states[shard] = HardState{Term(term), vote};
  Bytes& file = files_["hard-state"];
  file.clear();
  for (const std::uint32_t copy : {0u, 1u}) {
    const Bytes block = log::encode_hard_state(identity_of(node_), ballots_, copy);
    file.insert(file.end(), block.begin(), block.end());
  }
}

void ShownDisk::show(Oracle& oracle, const std::string& file) const {
  Bytes contents = files_.at(file);
  if (file != "hard-state") contents.resize(contents.size() + zeros_ahead);
  oracle.on_durable({}, node_, file, contents);
}

void ShownDisk::show_all(Oracle& oracle) const {
  for (const auto& [name, contents] : files_) show(oracle, name);
}

void ShownDisk::store(Oracle& oracle, ShardId shard, std::uint64_t index, std::uint64_t term, const Bytes& payload) {
  const auto known = ballots_.states.find(shard);
  if (known == ballots_.states.end() || known->second.term < Term(term)) vote(oracle, shard, term, nobody);
  append(shard, index, term, payload);
  write_frame();
  show(oracle, segment_name());
}

void ShownDisk::vote(Oracle& oracle, ShardId shard, std::uint64_t term, NodeId vote) {
  write_ballot(shard, term, vote);
  show(oracle, "hard-state");
}

void ShownDisk::crash(Oracle& oracle) const {
  oracle.on_crash({}, node_);
  show_all(oracle);
  oracle.on_restart({}, node_);
}

}  // namespace coffer::sim::oracles
