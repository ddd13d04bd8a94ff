#include "core/node/node.h"

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <utility>

#include "core/base/check.h"
#include "core/base/codec.h"
#include "core/base/frame.h"
#include "core/log/stream.h"
#include "core/node/peer_frame.h"
#include "core/node/seen_once.h"
#include "core/router/peek.h"
#include "core/router/router.h"
#include "core/router/shard_map.h"
#include "core/shard/shard.h"

namespace coffer::node {

namespace {

/// Domains of the node's random streams.
constexpr std::uint64_t raft_domain = 1;
constexpr std::uint64_t router_domain = 2;

/// Requests remembered against repetition, per kind of sender.
constexpr std::size_t remembered_requests = 1u << 16;

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

struct Node::State {
  /// A request of one of this node's own clients that the proxy works on.
  struct Proxied {
    ClientId client;
    RequestId request;
  };

  State(Config config_in, std::uint64_t seed_in)
      : config(std::move(config_in)),
        seed(seed_in),
        map(map_of(config)),
        stream({config.identity.cluster, config.identity.node_uuid, config.identity.incarnation},
               config.tuning.segment_size),
        router(router_config(config), map, Prng(seed, router_domain)) {}

  void take(Now now, const Input& input, Effects& out);
  void take_frame(Now now, const MessageInput& message, Effects& out);
  void take_section(Now now, NodeId from, const Section& section);
  void take_request(Now now, const RequestInput& request, Effects& out);
  void take_io(Now now, const IoInput& io, Effects& out);
  void start_shards(Now now);
  void take_leg_answers(ByteView message);
  void ask(const shard::Caller& caller, Bytes body, Now now);
  void pass_on(Now now, Effects& out);
  void settle(Now now, Effects& out);
  void pass_on_shards(Effects& out, Now now);
  bool pass_on_router(Now now, Effects& out);
  void name_clients(std::vector<TraceEvent>& events) const;
  void answer(Now now, const shard::Answer& answer, Effects& out);
  void send_legs(shard::Output::Legs legs);
  void flush(Effects& out);
  Instant next_wake(Instant now) const;
  Bytes node_status() const;
  shard::Shard* find(ShardId shard);

  Config config;
  std::uint64_t seed;
  router::ShardMap map;
  log::Stream stream;
  router::Router router;
  router::RouterOutput router_out;
  shard::Output shard_out;
  std::map<ShardId, shard::Shard> shards;
  std::map<router::Ticket, Proxied> proxied;
  router::Ticket last_ticket = 0;
  SeenOnce forwards_seen{remembered_requests};
  SeenOnce requests_seen{remembered_requests};
  std::map<ShardId, std::uint32_t> leg_rotation;  ///< where to try next while a target's leader is unknown
  PeerFrames now_frames;
  PeerFrames synced_frames;   ///< wait for the flush that will hold what they depend on
  std::uint64_t flushed = 0;  ///< the last completed flush that shards were told of
  bool started = false;
  bool serving = false;
};

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
    s.pass_on(now, out);
    s.flush(out);
    s.now_frames.finish(out.send_now);
  }
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

void Node::State::take_frame(Now now, const MessageInput& message, Effects& out) {
  if (!serving) {
    return;
  }
  const Result<FrameView> frame = open_frame(message.bytes);
  bool ok = frame.has_value() && frame->kind == peer_frame;
  const std::vector<Section> sections = ok ? split_sections(frame->payload, ok) : std::vector<Section>{};
  if (!ok) {
    TraceEvent event;
    event.kind = TraceKind::frame_rejected;
    event.a = message.from.value;
    out.trace.push_back(event);
  }
  for (const Section& section : sections) {
    take_section(now, message.from, section);
  }
}

void Node::State::take_section(Now now, NodeId from, const Section& section) {
  ByteReader in(section.bytes);
  switch (section.kind) {
    case SectionKind::raft: {
      shard::Shard* shard = find(in.id<ShardId>());
      raft::Message message = raft::decode_message(in);
      if (shard != nullptr && in.done()) {
        shard->receive(now, from, std::move(message), shard_out);
      }
      break;
    }
    case SectionKind::legs: {
      in.u32();
      if (shard::Shard* shard = find(in.id<ShardId>()); shard != nullptr && in.ok()) {
        shard->receive_legs(from, Bytes(section.bytes.begin(), section.bytes.end()));
      }
      break;
    }
    case SectionKind::leg_answers:
      take_leg_answers(section.bytes);
      break;
    case SectionKind::forward: {
      const std::uint64_t attempt = in.u64();
      const ByteView body = in.raw(in.remaining());
      if (in.ok() && forwards_seen.first_time(from.value, attempt)) {
        ask({from, {}, attempt}, Bytes(body.begin(), body.end()), now);
      }
      break;
    }
    case SectionKind::forward_reply: {
      const std::uint64_t attempt = in.u64();
      const ByteView body = in.raw(in.remaining());
      if (in.ok()) {
        router.on_reply(now.monotonic, attempt, body, router_out);
      }
      break;
    }
  }
}

void Node::State::take_request(Now now, const RequestInput& request, Effects& out) {
  const auto peeked = router::peek_header(request.bytes);
  if (peeked && peeked->kind == router::RequestKind::node_status) {
    out.replies.push_back({request.client, request.request, node_status()});
    return;
  }
  if (!requests_seen.first_time(request.client.value, request.request.value)) {
    return;
  }
  if (!serving) {
    router::Reply reply;
    reply.kind = peeked ? peeked->kind : router::RequestKind::transfers;
    reply.status = peeked ? Outcome::no_leader : Outcome::malformed;
    out.replies.push_back({request.client, request.request, router::encode(reply)});
    return;
  }
  if (peeked && peeked->route == router::Route::direct) {
    const shard::Caller caller{nobody, request.client, request.request.value};
    ask(caller, Bytes(request.bytes.begin(), request.bytes.end()), now);
    return;
  }
  const router::Ticket ticket = ++last_ticket;
  proxied.emplace(ticket, Proxied{request.client, request.request});
  router.submit(now.monotonic, ticket, request.bytes, router_out);
}

void Node::State::take_leg_answers(ByteView message) {
  ByteReader in(message);
  const shard::LegAnswersMessage answers = shard::decode_leg_answers(in);
  if (shard::Shard* shard = find(answers.source); shard != nullptr && in.done()) {
    shard->receive_leg_answers(answers, shard_out);
  }
}

/// A direct request: this node's replica of the shard answers it, or says who leads.
void Node::State::ask(const shard::Caller& caller, Bytes body, Now now) {
  const auto peeked = router::peek_header(body);
  if (shard::Shard* shard = peeked ? find(peeked->shard) : nullptr) {
    shard->request(now, caller, std::move(body), shard_out);
    return;
  }
  router::Reply reply;
  reply.kind = peeked ? peeked->kind : router::RequestKind::transfers;
  reply.status = peeked ? Outcome::wrong_shard : Outcome::malformed;
  shard_out.answers.push_back({caller, std::move(reply)});
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
                       std::move(recovered.logs[shard.shard]), stream, map,
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

/// True when something new reached a shard or the router.
bool Node::State::pass_on_router(Now now, Effects& out) {
  router::RouterOutput made = std::exchange(router_out, {});
  name_clients(made.trace);
  for (router::RouterOutput::Attempt& attempt : made.attempts) {
    const NodeId self = config.identity.node;
    if (attempt.to == self) {
      ask({self, {}, attempt.attempt}, std::move(attempt.body), now);
    } else {
      now_frames.add_numbered(attempt.to, SectionKind::forward, attempt.attempt, attempt.body);
    }
  }
  for (router::RouterOutput::Done& done : made.done) {
    const auto found = proxied.find(done.ticket);
    check(found != proxied.end(), "the proxy answers each of its requests once");
    out.replies.push_back({found->second.client, found->second.request, std::move(done.reply)});
    proxied.erase(found);
  }
  out.trace.insert(out.trace.end(), made.trace.begin(), made.trace.end());
  return !made.attempts.empty() || !router_out.attempts.empty() || !router_out.done.empty();
}

/// The router knows tickets; whoever reads the trace wants the client and its request.
void Node::State::name_clients(std::vector<TraceEvent>& events) const {
  for (TraceEvent& event : events) {
    const auto found = proxied.find(event.b);
    if (found != proxied.end()) {
      event.a = found->second.client.value;
      event.b = found->second.request.value;
    }
  }
}

void Node::State::answer(Now now, const shard::Answer& answer, Effects& out) {
  const shard::Caller& caller = answer.caller;
  Bytes body = router::encode(answer.reply);
  if (caller.node == nobody) {
    out.replies.push_back({caller.client, RequestId(caller.id), std::move(body)});
  } else if (caller.node == config.identity.node) {
    router.on_reply(now.monotonic, caller.id, body, router_out);
  } else {
    now_frames.add_numbered(caller.node, SectionKind::forward_reply, caller.id, body);
  }
}

/// To the target's leader as far as this node's own replica knows; without one, to its members in turn.
void Node::State::send_legs(shard::Output::Legs legs) {
  shard::Shard* target = find(legs.target);
  NodeId to = target != nullptr ? target->leader() : nobody;
  if (to == nobody) {
    const auto config_of = std::find_if(config.shards.begin(), config.shards.end(),
                                        [&](const ShardConfig& shard) { return shard.shard == legs.target; });
    check(config_of != config.shards.end(), "legs go to shards of the map");
    to = config_of->members[leg_rotation[legs.target]++ % config_of->members.size()];
  }
  if (to == config.identity.node) {
    if (target != nullptr) {
      target->receive_legs(to, std::move(legs.message));
    }
  } else {
    now_frames.add(to, SectionKind::legs, legs.message);
  }
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
  if (!stream.has_pending()) {
    synced_frames.finish(out.send_after_sync);
  }
}

Instant Node::State::next_wake(Instant now) const {
  Instant at = router.wake_at();
  for (const auto& [id, shard] : shards) {
    at = std::min(at, shard.wants_step() ? now : shard.wake_at());
  }
  return at;
}

Bytes Node::State::node_status() const {
  router::NodeStatusReply status;
  status.node = config.identity.node;
  status.ready = serving;
  for (const auto& [id, shard] : shards) {
    const shard::Summary seen = shard.summary();
    status.shards.push_back({id, static_cast<std::uint8_t>(seen.role), seen.term, seen.leader, seen.commit, seen.last,
                             seen.position, seen.dedup_rows, seen.legs_unanswered});
  }
  router::Reply reply;
  reply.kind = router::RequestKind::node_status;
  reply.body = std::move(status);
  return router::encode(reply);
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
