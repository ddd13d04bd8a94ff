// Sealed files of all shards on this node: what the store has read and published goes to whom it concerns, and replicas
// wake once their snapshot has been read.
#include <algorithm>
#include <iterator>
#include <utility>

#include "core/node/node_state.h"

namespace coffer::node {

namespace {

/// Domain of the node's random streams.
constexpr std::uint64_t raft_domain = 1;

shard::Config shard_config(const Config& config, const ShardConfig& shard) {
  shard::Config made;
  made.shard = shard.shard;
  made.self = config.identity.node;
  made.founding = {{shard.first_slot, shard.slot_end}};
  made.election_timeout = config.tuning.election_timeout;
  made.heartbeat_interval = config.tuning.heartbeat_interval;
  made.leg_resend_interval = config.tuning.leg_resend_interval;
  made.entries_in_flight_max = config.tuning.entries_in_flight_max;
  made.entry_bytes_max = config.tuning.entry_bytes_max;
  made.append_bytes_max = config.tuning.append_bytes_max;
  made.window_bytes_max = config.tuning.window_bytes_max;
  made.legs_in_flight_max = config.tuning.legs_in_flight_max;
  made.requests_max = config.tuning.requests_max;
  made.early_success = config.tuning.early_success;
  made.protocol = config.tuning.protocol;
  made.id_window = config.tuning.id_window;
  made.id_grace = config.tuning.id_grace;
  made.numbered_ids = config.tuning.numbered_ids;
  made.rows_in_memory = config.tuning.rows_in_memory;
  return made;
}

shard::ReplicaFiles::Config files_config(const Config& config, ShardId shard) {
  shard::ReplicaFiles::Config files;
  files.shard = shard;
  files.self = config.identity.node;
  files.cluster = config.identity.cluster;
  files.chunk_bytes = config.tuning.chunk_bytes;
  files.epoch_bytes = config.tuning.epoch_bytes;
  files.timeout = config.tuning.election_timeout;
  return files;
}

}  // namespace

/// Every node keeps a replica object of every shard: who votes is in the shard's own log.
void Node::State::find_replicas() {
  log::Recovered found = stream.take_recovered();
  damaged_at_start = stream.opened_in_doubt();
  for (const ShardConfig& shard : config.shards) {
    log::RecoveredGroup& group = found.groups[shard.shard];
    damaged_at_start = damaged_at_start || group.uncertain;
    files.try_emplace(shard.shard, files_config(config, shard.shard), store);
    asleep.try_emplace(shard.shard, shard.shard, std::move(group), raft::Configuration{shard.members, {}, {}},
                       config.nodes);
  }
}

void Node::State::take_files(Now now, NodeId from, const Section& section) {
  ByteReader in(section.bytes);
  const ShardId id = in.id<ShardId>();
  if (shard::Shard* shard = find(id)) {
    shard->receive_files(now, from, section.bytes);
  } else if (const auto found = files.find(id); found != files.end()) {
    found->second.receive(now.monotonic, from, section.bytes, asleep_out);
  }
}

void Node::State::hand_out_files(Now now) {
  for (const log::SealedName& name : store.take_published()) {
    if (shard::Shard* shard = find(name.group)) {
      shard->file_published(now, name);
    } else if (const auto found = files.find(name.group); found != files.end()) {
      found->second.published(now.monotonic, name);
    }
  }
  for (const log::SealedStore::ReadChunk& chunk : store.take_chunks()) {
    if (shard::Shard* shard = find(chunk.name.group)) {
      shard->chunk_read(chunk);
    } else if (const auto found = files.find(chunk.name.group); found != files.end()) {
      found->second.read(chunk, asleep_out);
    }
  }
}

void Node::State::pass_on_files(ShardId shard, shard::FileOutput made, Effects& out) {
  for (const shard::FileOutput::Message& message : made.messages) {
    now_frames.add(message.to, SectionKind::files, message.bytes);
  }
  out.io.insert(out.io.end(), std::make_move_iterator(made.io.begin()), std::make_move_iterator(made.io.end()));
  for (TraceEvent& event : made.trace) {
    event.shard = shard;
    out.trace.push_back(event);
  }
}

void Node::State::awaken(Now now, Effects& out) {
  for (auto at = asleep.begin(); at != asleep.end();) {
    auto& [id, awakening] = *at;
    shard::ReplicaFiles& own = files.at(id);
    own.step(now.monotonic, asleep_out);
    awakening.step(store, own);
    pass_on_files(id, std::exchange(asleep_out, {}), out);
    if (!awakening.awake()) {
      ++at;
      continue;
    }
    shard::Start start = awakening.take_start();
    if (const auto& restored = awakening.restored()) {
      stream.set_hard_state(id, start.raft.hard_state);
      stream.restore(id, restored->base);
      out.trace.push_back({.kind = TraceKind::restored,
                           .shard = id,
                           .term = restored->base.term,
                           .index = restored->base.index,
                           .a = restored->last_before.value});
    }
    const auto of = std::find_if(config.shards.begin(), config.shards.end(),
                                 [&](const ShardConfig& shard) { return shard.shard == id; });
    shards.try_emplace(id, shard_config(config, *of), std::move(start),
                       shard::Surroundings{stream, cluster_clock, map, config.nodes, own},
                       Prng(seed, raft_domain, config.identity.node.value, id.value), now);
    at = asleep.erase(at);
  }
}

void Node::State::tend_files(Now now, Effects& out) {
  hand_out_files(now);
  awaken(now, out);
  Stamp newest;
  for (auto& [id, shard] : shards) {
    shard.tend_files(now, shard_out);
    newest = std::max(newest, shard.last_stamp());
  }
  store.maintain(now.monotonic, newest, out.io, out.trace);
}

}  // namespace coffer::node
