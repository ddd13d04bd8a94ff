// Frames of peers, in and out: every frame is stamped with what this node knows of time and of its own disk.
#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "core/base/codec.h"
#include "core/base/frame.h"
#include "core/node/node_state.h"

namespace coffer::node {

namespace {

/// Heartbeats between two questions what time it is.
constexpr std::int64_t beats_per_probe = 4;

}  // namespace

void Node::State::take_frame(Now now, const MessageInput& message, Effects& out) {
  if (!recovered) {
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
  if (hears_outdated(message.from, sections)) {
    return;
  }
  for (const Section& section : sections) {
    if (section.kind == SectionKind::clock) {
      logical.received(section.bytes);
    }
  }
  if (!serving) {
    return;
  }
  for (const Section& section : sections) {
    take_section(now, message.from, section, out);
  }
}

void Node::State::take_section(Now now, NodeId from, const Section& section, Effects& out) {
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
      take_leg_answers(now, from, section.bytes);
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
    case SectionKind::probe: {
      const std::int64_t sent = in.i64();
      if (in.done()) {
        Bytes echo;
        ByteWriter answer(echo);
        answer.i64(sent);
        answer.i64(now.wall.nanos);
        answer.i64(now.wall_error.nanos);
        now_frames.add(from, SectionKind::echo, echo);
      }
      break;
    }
    case SectionKind::echo:
      take_echo(now, from, section.bytes);
      break;
    case SectionKind::outdated:
      take_outdated(from, section.bytes, out);
      break;
    case SectionKind::clock:  // taken before all others
    case SectionKind::life:
      break;
    case SectionKind::files:
      take_files(now, from, section);
      break;
  }
}

/// Whether the sender runs on an older copy of its disk. Then nothing it says counts, and it is told.
bool Node::State::hears_outdated(NodeId from, const std::vector<Section>& sections) {
  for (const Section& section : sections) {
    if (section.kind != SectionKind::life) {
      continue;
    }
    ByteReader in(section.bytes);
    const std::optional<Life> life = decode_life(in);
    const std::optional<std::uint64_t> seen = life ? lives.heard(from, *life) : std::nullopt;
    if (seen) {
      Bytes told;
      ByteWriter writer(told);
      writer.u32(life->incarnation);
      writer.u64(life->number);
      writer.u64(*seen);
      now_frames.add(from, SectionKind::outdated, told);
      return true;
    }
  }
  return false;
}

/// A peer remembers more of this disk than it held at this start.
void Node::State::take_outdated(NodeId from, ByteView section, Effects& out) {
  ByteReader in(section);
  const std::uint32_t incarnation = in.u32();
  const std::uint64_t number = in.u64();
  const std::uint64_t seen = in.u64();
  // A late message of an earlier life is outdated too, and says nothing of this one.
  if (!in.done() || number != life_number || incarnation != config.identity.incarnation || seen <= stream.opened_at() ||
      damaged_at_start) {
    return;
  }
  out.trace.push_back({.kind = TraceKind::disk_outdated, .a = from.value, .b = seen, .c = stream.opened_at()});
  outdated =
      "This disk is not the newest copy of itself: node " + std::to_string(from.value) + " has seen frame " +
      std::to_string(seen) + " of its stream, which ended at frame " + std::to_string(stream.opened_at()) +
      " when the node started. An older copy was put back, or another copy runs elsewhere; this one does not " +
      "know all votes and acknowledgements that were given. Nothing was changed by this. Start the newest copy, " +
      "and only that, or replace this node: coffer join --replace " + std::to_string(config.identity.node.value);
}

void Node::State::take_echo(Now now, NodeId from, ByteView section) {
  ByteReader in(section);
  const Instant sent{in.i64()};
  const WallTime wall{in.i64()};
  const Duration error{in.i64()};
  if (in.done()) {
    cluster_clock.sampled(from, sent, now.monotonic, wall, error);
  }
}

void Node::State::probe_peers(Now now) {
  if (now.monotonic < probe_at) {
    return;
  }
  probe_at = now.monotonic + config.tuning.heartbeat_interval * beats_per_probe;
  Bytes question;
  ByteWriter(question).i64(now.monotonic.nanos);
  for (const NodeId peer : config.nodes) {
    if (peer != config.identity.node) {
      now_frames.add(peer, SectionKind::probe, question);
    }
  }
}

/// The sections every frame ends in.
Bytes Node::State::trailer() const {
  Bytes clock;
  ByteWriter writer(clock);
  logical.encode(writer);
  Bytes life;
  ByteWriter life_writer(life);
  encode(Life{config.identity.incarnation, life_number, stream.durable_frame(), stream.opened_at(), damaged_at_start},
         life_writer);
  Bytes sections;
  append_section(sections, SectionKind::clock, clock);
  append_section(sections, SectionKind::life, life);
  return sections;
}

void Node::State::take_leg_answers(Now now, NodeId from, ByteView message) {
  ByteReader in(message);
  const shard::LegAnswersMessage answers = shard::decode_leg_answers(in);
  if (shard::Shard* shard = find(answers.source); shard != nullptr && in.done()) {
    if (shards.contains(answers.target) || asleep.contains(answers.target)) {
      leg_routes.answered(now.monotonic, answers.target, from);
    }
    shard->receive_leg_answers(answers, shard_out);
  }
}

/// To the target's leader as far as this node's own replica knows: a replica without a vote does not know who votes
/// now.
void Node::State::send_legs(Now now, shard::Output::Legs legs) {
  shard::Shard* target = find(legs.target);
  NodeId to = target != nullptr ? target->leader() : nobody;
  if (to == nobody) {
    to = leg_routes.next(now.monotonic, legs.target, config.nodes);
  }
  if (to == config.identity.node) {
    if (target != nullptr) {
      target->receive_legs(to, std::move(legs.message));
    }
  } else {
    now_frames.add(to, SectionKind::legs, legs.message);
  }
}

}  // namespace coffer::node
