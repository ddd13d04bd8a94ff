#include "core/node/node.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "core/node/node_state.h"

namespace coffer::node {

namespace {

/// Domain of the node's random streams (another is in node_files.cc).
constexpr std::uint64_t router_domain = 2;
constexpr std::uint64_t life_domain = 3;

/// Steps of one life stay below this power of two, and starts of one directory below 2^20: years of either. Frames do
/// not count, for the last ones of a life may be damaged.
constexpr unsigned steps_of_life_bits = 42;

router::ShardMap map_of(const Config& config) {
  std::vector<router::SlotOwner> owners;
  for (const ShardConfig& shard : config.shards) {
    owners.push_back({shard.shard, shard.first_slot, shard.slot_end});
  }
  return router::ShardMap(std::move(owners));
}

router::RouterConfig router_config(const Config& config) {
  router::RouterConfig router;
  router.mode = router::Mode::to_leaders;
  router.nodes = config.nodes;
  router.attempt_timeout = config.tuning.attempt_timeout;
  router.requests_max = config.tuning.requests_max;
  return router;
}

log::StreamConfig stream_config(const Config& config) {
  log::StreamConfig stream;
  stream.identity = {config.identity.cluster, config.identity.node_uuid, config.identity.incarnation};
  stream.segment_size = config.tuning.segment_size;
  stream.may_found = config.may_found;
  stream.snapshots = {config.tuning.epoch_bytes, config.tuning.chunk_bytes};
  return stream;
}

log::SealedStore::Limits store_limits(const Config& config) {
  log::SealedStore::Limits limits;
  limits.chunk_size = config.tuning.chunk_bytes;
  limits.history_bytes_max = config.tuning.history_bytes_max;
  limits.history_age_max = config.tuning.history_age_max;
  return limits;
}

}  // namespace

Node::State::State(Config config_in, std::uint64_t seed_in)
    : config(std::move(config_in)),
      seed(seed_in),
      map(map_of(config)),
      stream(stream_config(config)),
      router(router_config(config), map, Prng(seed, router_domain)),
      store(config.identity.cluster, store_limits(config), shard::positions_in),
      leg_routes(config.identity.node, config.tuning.leg_resend_interval),
      logical(config.identity.node),
      cluster_clock(config.identity.node),
      life_number(Prng(seed, life_domain).next()) {}

Node::Node(Config config, std::uint64_t seed) : state_(std::make_unique<State>(std::move(config), seed)) {}
Node::~Node() = default;

void Node::step(Now now, std::span<const Input> inputs, Effects& out) {
  State& s = *state_;
  if (std::string failure = s.failure(); !failure.empty()) {
    out.fatal = std::move(failure);
    s.tell_time(out);
    return;
  }
  if (!s.started) {
    s.started = true;
    s.stream.start(out.io);
    s.store.start(out.io);
  }
  if (s.recovered) s.logical.begin_step();
  for (const Input& input : inputs) {
    s.take(now, input, out);
  }
  if (std::string failure = s.failure(); !failure.empty()) {
    // Poisoned: nothing that was decided in this step may leave.
    out.send_now.clear();
    out.send_after_sync.clear();
    out.replies.clear();
    out.fatal = std::move(failure);
    s.tell_time(out);
    return;
  }
  if (s.serving) {
    for (auto& [id, shard] : s.shards) {
      shard.tick(now, s.shard_out);
    }
    s.router.tick(now.monotonic, s.router_out);
    s.probe_peers(now);
    s.tend_files(now, out);
    s.pass_on(now, out);
    s.flush(now, out);
  } else if (!s.stream.recovered()) {
    s.stream.maintain(now.monotonic, out.io);  // a disk without space is asked again
  }
  s.seal_frames(out);
  out.wake_at = s.next_wake(now.monotonic);
}

/// Why this node can never continue; empty while it can.
std::string Node::State::failure() const {
  return stream.failed() ? stream.failure() : store.failed() ? store.failure() : outdated;
}

shard::Shard* Node::State::find(ShardId shard) {
  const auto found = shards.find(shard);
  return found == shards.end() ? nullptr : &found->second;
}

void Node::State::take(Now now, const Input& input, Effects& out) {
  if (const auto* message = std::get_if<MessageInput>(&input)) {
    take_frame(now, *message, out);
  } else if (const auto* request = std::get_if<RequestInput>(&input)) {
    take_request(now, *request, out);
  } else if (const auto* io = std::get_if<IoInput>(&input)) {
    take_io(now, *io, out);
  } else if (const auto* peer = std::get_if<PeerInput>(&input); peer != nullptr && serving) {
    if (!peer->up) {
      router.on_disconnect(now.monotonic, peer->peer, router_out);
      for (auto& [id, shard] : shards) {
        shard.disconnected(now, peer->peer, shard_out);
      }
    } else {
      router.meet(peer->peer);
      if (const auto at = std::lower_bound(config.nodes.begin(), config.nodes.end(), peer->peer);
          at == config.nodes.end() || *at != peer->peer) {
        config.nodes.insert(at, peer->peer);
      }
      for (auto& [id, shard] : shards) {
        shard.reconnected(now, peer->peer, shard_out);
      }
    }
  }
  // A client that is gone needs nothing: its requests still run, its replies are dropped by the driver.
}

void Node::State::take_io(Now now, const IoInput& io, Effects& out) {
  stream.on_io(io.token, io.status, io.bytes, out.io, out.trace);
  store.on_io(io.token, io.status, io.bytes, out.io, out.trace);
  if (failure().empty()) {
    take_stream(now, out);
  }
}

/// Recovery, then the first frame of this life, then flushes.
void Node::State::take_stream(Now now, Effects& out) {
  if (!recovered && stream.recovered() && store.recovered()) {
    recovered = true;
    find_replicas();
    // So that no two lives of this disk look alike to peers. Without room there is nothing to promise either.
    serving = !stream.begin_life(out.io);
    logical.begin_life(stream.life() << steps_of_life_bits);
    logical.begin_step();
    return;
  }
  serving = serving || (recovered && stream.durable_frame() > stream.opened_at());
  if (serving && stream.completed() > flushed) {
    flushed = stream.completed();
    for (auto& [id, shard] : shards) {
      shard.flush_done(now, flushed, shard_out);
    }
  }
}

/// Passes on what shards and router want done, then closes the batches, so that everything that is ready joins them.
/// What a batch causes on this very node (a leg to a shard led here) gets a second round; the rest waits for the next
/// step.
void Node::State::pass_on(Now now, Effects& out) {
  constexpr int rounds = 2;
  for (int round = 0; round < rounds; ++round) {
    settle(now, out);
    for (auto& [id, shard] : shards) {
      shard.close_batch(now, shard_out);
    }
    settle(now, out);
  }
}

/// Shards and router talk to each other until neither has anything left to say.
void Node::State::settle(Now now, Effects& out) {
  bool more = true;
  while (more) {
    pass_on_shards(out, now);
    more = pass_on_router(now, out);
  }
}

void Node::State::pass_on_shards(Effects& out, Now now) {
  shard::Output made = std::exchange(shard_out, {});
  for (const shard::Output::Raft& raft : made.raft) {
    (raft.message.after_sync ? synced_frames : now_frames).add_raft(raft.message.to, raft.group, raft.message.message);
  }
  for (shard::Output::Legs& legs : made.legs) {
    send_legs(now, std::move(legs));
  }
  for (const shard::Output::LegAnswers& answers : made.leg_answers) {
    if (answers.to == config.identity.node) {
      take_leg_answers(now, answers.to, answers.message);
    } else {
      now_frames.add(answers.to, SectionKind::leg_answers, answers.message);
    }
  }
  for (const shard::Answer& one : made.answers) {
    answer(now, one, out);
  }
  for (shard::FileOutput::Message& message : made.files) {
    now_frames.add(message.to, SectionKind::files, message.bytes);
  }
  out.io.insert(out.io.end(), std::make_move_iterator(made.io.begin()), std::make_move_iterator(made.io.end()));
  for (shard::CommittedEntry& entry : made.committed) {
    out.committed.push_back({entry.shard, entry.index, entry.term, std::move(entry.payload), entry.kind});
  }
  out.trace.insert(out.trace.end(), made.trace.begin(), made.trace.end());
}

/// Group commit: everything handed over since the last flush becomes one write and one sync as soon as the disk is
/// idle.
void Node::State::flush(Now now, Effects& out) {
  if (stream.has_pending() && stream.idle()) {
    const log::Flushed flush = stream.flush(out.io);
    for (auto& [id, shard] : shards) {
      shard.flush_begun(flush.number);
    }
  }
  stream.maintain(now.monotonic, out.io);
}

/// Before recovery nobody knows what numbers earlier lives have used.
void Node::State::tell_time(Effects& out) {
  if (!recovered) return;
  logical.stamp(out.trace);
  out.vector_time = logical.vector_time();
}

/// What leaves with this step carries the time of all its events.
void Node::State::seal_frames(Effects& out) {
  tell_time(out);
  if (now_frames.empty() && synced_frames.empty()) {
    return;
  }
  const Bytes stamps = trailer();
  now_frames.finish(out.send_now, stamps);
  if (!stream.has_pending()) {
    synced_frames.finish(out.send_after_sync, stamps);
  }
}

Instant Node::State::next_wake(Instant now) const {
  if (!serving) {
    return recovered ? never : stream.wake_at();
  }
  Instant at = std::min({router.wake_at(), probe_at, stream.wake_at(), store.wake_at()});
  for (const auto& [id, waiting] : asleep) {
    at = std::min(at, files.at(id).wake_at());
  }
  for (const auto& [id, shard] : shards) {
    at = std::min(at, shard.wants_step() ? now : shard.wake_at());
  }
  return at;
}

bool Node::ready() const { return state_->serving && state_->asleep.empty(); }

shard::Observation Node::observe(ShardId shard) const { return observe_undone(shard, 0); }

shard::Observation Node::observe_undone(ShardId shard, std::size_t entries) const {
  const shard::Shard* found = state_->find(shard);
  return found == nullptr ? shard::Observation{} : found->observe(entries);
}

std::size_t Node::undoable(ShardId shard) const {
  const shard::Shard* found = state_->find(shard);
  return found == nullptr ? 0 : found->undoable();
}

}  // namespace coffer::node
