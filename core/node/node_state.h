// The parts of a node and how they are wired. Private to core/node; the node's own files are node.cc (steps, effects,
// start), node_peers.cc (frames of peers) and node_requests.cc (clients, proxy and status).
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "core/base/bytes.h"
#include "core/log/sealed_store.h"
#include "core/log/stream.h"
#include "core/node/leg_routes.h"
#include "core/node/logical_clock.h"
#include "core/node/node.h"
#include "core/node/peer_frame.h"
#include "core/node/peer_lives.h"
#include "core/node/seen_once.h"
#include "core/router/router.h"
#include "core/router/shard_map.h"
#include "core/shard/awakening.h"
#include "core/shard/cluster_clock.h"
#include "core/shard/replica_files.h"
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
  void take_section(Now now, NodeId from, const Section& section, Effects& out);
  void take_echo(Now now, NodeId from, ByteView section);
  void probe_peers(Now now);
  Bytes trailer() const;
  void take_request(Now now, const RequestInput& request, Effects& out);
  void take_io(Now now, const IoInput& io, Effects& out);
  void take_stream(Now now, Effects& out);
  void find_replicas();
  void hand_out_files(Now now);
  void awaken(Now now, Effects& out);
  void tend_files(Now now, Effects& out);
  void take_files(Now now, NodeId from, const Section& section);
  void pass_on_files(ShardId shard, shard::FileOutput made, Effects& out);
  bool hears_outdated(NodeId from, const std::vector<Section>& sections);
  void take_outdated(NodeId from, ByteView section, Effects& out);
  std::string failure() const;
  void take_leg_answers(Now now, NodeId from, ByteView message);
  void ask(const shard::Caller& caller, Bytes body, Now now);
  void pass_on(Now now, Effects& out);
  void settle(Now now, Effects& out);
  void pass_on_shards(Effects& out, Now now);
  bool pass_on_router(Now now, Effects& out);
  void name_clients(std::vector<TraceEvent>& events) const;
  void answer(Now now, const shard::Answer& answer, Effects& out);
  void send_legs(Now now, shard::Output::Legs legs);
  void flush(Now now, Effects& out);
  void tell_time(Effects& out);
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
  shard::FileOutput asleep_out;
  log::SealedStore store;
  std::map<ShardId, shard::ReplicaFiles> files;
  std::map<ShardId, shard::Awakening> asleep;  ///< shards whose snapshot has not been read yet
  std::map<ShardId, shard::Shard> shards;      ///< all others
  std::map<router::Ticket, Proxied> proxied;
  router::Ticket last_ticket = 0;
  SeenOnce forwards_seen{remembered_requests};
  SeenOnce requests_seen{remembered_requests};
  LegRoutes leg_routes;
  LogicalClock logical;
  shard::ClusterClock cluster_clock;
  Instant probe_at;  ///< when peers are asked next what time it is
  PeerFrames now_frames;
  PeerFrames synced_frames;   ///< wait for the flush that will hold what they depend on
  std::uint64_t flushed = 0;  ///< the last completed flush that shards were told of
  std::uint64_t life_number;  ///< tells this start from those of other copies of the disk
  PeerLives lives;
  bool started = false;
  bool recovered = false;         ///< what the disk holds has been read
  bool serving = false;           ///< and the first frame of this life is durable
  bool damaged_at_start = false;  ///< the disk may have lost something; groups are asked what it was
  std::string outdated;           ///< a peer has seen more of this disk than it holds: the node must stop
};

}  // namespace coffer::node
