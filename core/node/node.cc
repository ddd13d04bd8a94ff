#include "core/node/node.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "core/node/node_state.h"

namespace coffer::node {

namespace {

/// Domains of the node's random streams.
constexpr std::uint64_t raft_domain = 1;
constexpr std::uint64_t router_domain = 2;

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

shard::Config shard_config(const Config& config, const ShardConfig& shard) {
  shard::Config made;
  made.shard = shard.shard;
  made.self = config.identity.node;
  made.members = shard.members;
  made.founding = {{shard.first_slot, shard.slot_end}};
  made.election_timeout = config.tuning.election_timeout;
  made.heartbeat_interval = config.tuning.heartbeat_interval;
  made.leg_resend_interval = config.tuning.leg_resend_interval;
  made.entries_in_flight_max = config.tuning.entries_in_flight_max;
  made.append_bytes_max = config.tuning.append_bytes_max;
  made.legs_in_flight_max = config.tuning.legs_in_flight_max;
  made.requests_max = config.tuning.requests_max;
  return made;
}

}  // namespace

Node::State::State(Config config_in, std::uint64_t seed_in)
    : config(std::move(config_in)),
      seed(seed_in),
      map(map_of(config)),
      stream({config.identity.cluster, config.identity.node_uuid, config.identity.incarnation},
             config.tuning.segment_size),
      router(router_config(config), map, Prng(seed, router_domain)),
      logical(config.identity.node),
      cluster_clock(config.identity.node) {}

Node::Node(Config config, std::uint64_t seed) : state_(std::make_unique<State>(std::move(config), seed)) {}
Node::~Node() = default;

void Node::step(Now now, std::span<const Input> inputs, Effects& out) {
  State& s = *state_;
  if (!s.stream.failure().empty()) {
    out.fatal = s.stream.failure();
    return;
  }
  if (!s.started) {
    s.started = true;
    s.stream.start(out.io);
  }
  s.logical.begin_step();
  for (const Input& input : inputs) {
    s.take(now, input, out);
  }
  if (!s.stream.failure().empty()) {
    // Poisoned: nothing that was decided in this step may leave.
    out.send_now.clear();
    out.send_after_sync.clear();
    out.replies.clear();
    out.fatal = s.stream.failure();
    return;
  }
  if (s.serving) {
    for (auto& [id, shard] : s.shards) {
      shard.tick(now, s.shard_out);
    }
    s.router.tick(now.monotonic, s.router_out);
    s.probe_peers(now);
    s.pass_on(now, out);
    s.flush(out);
  }
  s.seal_frames(out);
  out.wake_at = s.next_wake(now.monotonic);
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
    } else {
      for (auto& [id, shard] : shards) {
        shard.reconnected(now, peer->peer, shard_out);
      }
    }
  }
  // A client that is gone needs nothing: its requests still run, its replies are dropped by the driver.
}

void Node::State::take_io(Now now, const IoInput& io, Effects& out) {
  stream.on_io(io.token, io.status, io.bytes, out.io, out.trace);
  if (stream.failed()) {
    return;
  }
  if (!serving && stream.recovered()) {
    start_shards(now);
    return;
  }
  if (serving && stream.completed() > flushed) {
    flushed = stream.completed();
    for (auto& [id, shard] : shards) {
      shard.flush_done(now, flushed, shard_out);
    }
  }
}

void Node::State::start_shards(Now now) {
  log::Recovered recovered = stream.take_recovered();
  for (const ShardConfig& shard : config.shards) {
    if (std::find(shard.members.begin(), shard.members.end(), config.identity.node) == shard.members.end()) {
      continue;
    }
    shards.try_emplace(shard.shard, shard_config(config, shard), recovered.hard_states[shard.shard],
                       std::move(recovered.logs[shard.shard]), stream, cluster_clock, map,
                       Prng(seed, raft_domain, config.identity.node.value, shard.shard.value), now);
  }
  serving = true;
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
    send_legs(std::move(legs));
  }
  for (const shard::Output::LegAnswers& answers : made.leg_answers) {
    if (answers.to == config.identity.node) {
      take_leg_answers(answers.message);
    } else {
      now_frames.add(answers.to, SectionKind::leg_answers, answers.message);
    }
  }
  for (const shard::Answer& one : made.answers) {
    answer(now, one, out);
  }
  for (shard::CommittedEntry& entry : made.committed) {
    out.committed.push_back({entry.shard, entry.index, entry.term, std::move(entry.payload)});
  }
  out.trace.insert(out.trace.end(), made.trace.begin(), made.trace.end());
}

/// Group commit: everything handed over since the last flush becomes one write and one sync as soon as the disk is
/// idle.
void Node::State::flush(Effects& out) {
  if (stream.has_pending() && stream.idle()) {
    const log::Flushed flush = stream.flush(out.io);
    for (auto& [id, shard] : shards) {
      shard.flush_begun(flush.number);
    }
  }
}

/// What leaves with this step carries the time of all its events.
void Node::State::seal_frames(Effects& out) {
  logical.stamp(out.trace);
  out.vector_time = logical.vector_time();
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
    return never;
  }
  Instant at = std::min(router.wake_at(), probe_at);
  for (const auto& [id, shard] : shards) {
    at = std::min(at, shard.wants_step() ? now : shard.wake_at());
  }
  return at;
}

bool Node::ready() const { return state_->serving; }

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
