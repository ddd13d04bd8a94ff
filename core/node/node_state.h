// The parts of a node and how they are wired. Private to core/node; the node's own files are node.cc (steps, effects,
// start), node_peers.cc (frames of peers) and node_requests.cc (clients, proxy and status).
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "core/base/bytes.h"
#include "core/log/stream.h"
#include "core/node/logical_clock.h"
#include "core/node/node.h"
#include "core/node/peer_frame.h"
#include "core/node/peer_lives.h"
#include "core/node/seen_once.h"
#include "core/router/router.h"
#include "core/router/shard_map.h"
#include "core/shard/cluster_clock.h"
#include "core/shard/shard.h"

namespace coffer::node {

/// Requests remembered against repetition, per kind of sender.
inline constexpr std::size_t remembered_requests = 1u << 16;

struct Node::State {
  /// A request of one of this node's own clients that the proxy works on.
  struct Proxied {
    ClientId client;
    RequestId request;
  };

  State(Config config_in, std::uint64_t seed_in);

  void take(Now now, const Input& input, Effects& out);
  void take_frame(Now now, const MessageInput& message, Effects& out);
  void take_section(Now now, NodeId from, const Section& section);
  void take_echo(Now now, NodeId from, ByteView section);
  void probe_peers(Now now);
  Bytes trailer() const;
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
  void seal_frames(Effects& out);
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
  LogicalClock logical;
  shard::ClusterClock cluster_clock;
  Instant probe_at;  ///< when peers are asked next what time it is
  PeerFrames now_frames;
  PeerFrames synced_frames;   ///< wait for the flush that will hold what they depend on
  std::uint64_t flushed = 0;  ///< the last completed flush that shards were told of
  bool started = false;
  bool serving = false;
};

}  // namespace coffer::node
