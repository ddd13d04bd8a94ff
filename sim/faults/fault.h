// What a fault is: data that says when, whom, how long and how hard (FaultSpec), one occurrence of it (Strike), and the
// world it acts on (Arena). Each fault is one file with one Behaviour and one row in faults.h.
// A fault draws only from its strike's own stream, so that removing one leaves all the others as they were.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/prng.h"
#include "core/base/trace.h"
#include "sim/faults/atlas.h"
#include "sim/models/cluster.h"
#include "sim/models/orders.h"
#include "sim/models/roles.h"

namespace coffer::sim::faults {

enum class Who : std::uint8_t {
  any,       ///< drawn
  node,      ///< this one
  leader,    ///< of `shard`, at that instant
  follower,  ///< of `shard`: any node but its leader
  self,      ///< the node whose event pulled the trigger
  all,
};

struct Target {
  Who who = Who::any;
  NodeId node;
  ShardId shard;
  bool operator==(const Target&) const = default;
};

/// "When such a trace event happens for the n-th time", counted from the beginning of the fault phase.
struct Trigger {
  TraceKind event{};
  Target node;
  ShardId shard;  ///< 0: any
  std::uint32_t nth = 1;
  bool again = false;  ///< every n-th time
  Duration after;      ///< not at once, but up to this much later
  bool operator==(const Trigger&) const = default;
};

enum class When : std::uint8_t {
  at,       ///< once, this long after the fault phase began
  every,    ///< again and again, with exponential gaps of this mean
  trigger,  ///< at an exact event
};

enum class How : std::uint8_t { process, power, either };

/// Which files a fault of the disk is after, by how their names begin.
enum class Files : std::uint8_t { any, stream, hard_state, history, index, manifest, snapshot, attic };

/// One fault of a scenario. Fields a fault does not use are ignored.
struct FaultSpec {
  std::string fault;         ///< a name of the table
  std::uint64_t stream = 0;  ///< keys all its draws
  std::uint64_t strike = 0;  ///< of the strikes of this stream the first; unique with the stream in a scenario
  When when = When::every;
  Duration at;
  Duration every;
  Trigger trigger;
  Target target;
  std::uint32_t count = 1;  ///< how many nodes
  Duration lasts_min;
  Duration lasts_max;
  bool forever = false;              ///< never heals: the run may then be stuck, and its verdict says so
  How how = How::either;             ///< crashes
  bool pending_io = false;           ///< crashes: wait for a moment at which the disk is at work
  std::uint32_t lose_per_mille = 0;  ///< power crashes: of each unsynced write
  std::uint32_t tear_per_mille = 0;  ///< power crashes: of each unsynced write
  /// drop, duplicate, delay, reorder, payload_corruption: of each packet; leap_second: of each clock, that it smears
  std::uint32_t per_mille = 0;
  /// duplicate, delay, reorder: how much later; clock_skew, clock_jump, clock_lies: how far off at most
  Duration extra;
  std::uint32_t drift_ppm = 0;  ///< clock_drift, clock_skew: drift at most
  Duration notice_after;        ///< partitions: both ends give their link up after so much silence; 0: never
  Files file = Files::any;      ///< faults of disks
  bool crash = false;           ///< faults of disks: the power fails at once, so that the disk is read soon
  std::uint32_t times = 0;      ///< slow_disk: as long as usual
  bool operator==(const FaultSpec&) const = default;
};

/// One occurrence. Kept until it is healed.
struct Strike {
  std::uint64_t serial = 0;  ///< unique in a run
  std::uint64_t number = 0;  ///< in its stream
  SimTime begun;             ///< it may have waited for its moment since
  const FaultSpec* spec = nullptr;
  Prng prng{0};
  NodeId cause;  ///< whose event pulled the trigger
  Duration lasts;
  struct Victim {
    NodeId node;
    std::uint64_t boot = 0;  ///< at the time
  };
  std::vector<Victim> victims;
  Damage damage;
  std::vector<NodeId> wounded;  ///< victims whose disk the strike may damage, or has
  std::uint64_t order = 0;      ///< what it has ordered; 0: nothing
  bool fired = false;           ///< it has really done something
  // Of strikes that go on in turns:
  std::size_t turn = 0;      ///< the victim it is at
  std::vector<Index> goals;  ///< by shard: what everybody must have committed before the next turn
};

struct Arena {
  Cluster& cluster;
  const Roles& roles;
  Atlas& atlas;
  Orders& orders;
  std::uint32_t clients = 0;
};

enum class Struck : std::uint8_t {
  yes,
  later,  ///< not this instant: ask again after the next step of a node
  no,     ///< it makes no sense now (the victim is down already)
};

/// How tempestuous the seed is; what the draws of all faults share.
struct Mood {
  std::uint32_t nodes = 3;
  Duration every_mean;  ///< a typical gap between two strikes of one fault
  Duration outage;      ///< a typical length
};

struct Behaviour {
  std::string_view doc;  ///< one sentence
  /// How the swarm draws it. `when` and `every` are set; the caller sets name and stream.
  FaultSpec (*draw)(Prng&, const Mood&);
  /// How it acts. Sets fired at once, or leaves that to the network's hits.
  Struck (*strike)(Arena&, Strike&);
  void (*heal)(Arena&, Strike&);
  /// For strikes that go on in turns: called instead of `heal` when the strike's time is over. How much more time it
  /// wants; nothing: it is healed now. The end of the fault phase heals it wherever it is.
  Duration (*proceed)(Arena&, Strike&) = nullptr;
  bool of_disk = false;     ///< drawn by the profile for storage only
  bool of_cluster = false;  ///< an order to the operator; drawn by the profile for memberships only
};

/// What every draw begins with: a gap, a length, a number of victims that is a minority.
FaultSpec draw_base(Prng& prng, const Mood& mood);
/// Resolves the spec's target into victims: up to `count` distinct running nodes, the named one first. Chosen once: a
/// strike that comes later keeps its victims, as far as they still run. False: nobody to hit.
bool choose_victims(const Arena& arena, Strike& strike);

// Shared by the faults that crash nodes. Require chosen victims.
/// Whether the atlas permits the crash of all of them.
bool may_crash(Arena& arena, const Strike& strike);
Struck crash_victims(Arena& arena, Strike& strike, CrashKind kind);
/// Whether the first victim has writes that a power cut could take.
bool has_unsynced(const Arena& arena, const Strike& strike);
void restart_victims(Arena& arena, Strike& strike);
/// Shared by the faults of clocks.
void set_clocks_right(Arena& arena, Strike& strike);
// Shared by the faults of links.
Struck disturb_links(Arena& arena, Strike& strike, Trouble trouble);
void calm_links(Arena& arena, Strike& strike);
EndpointSet nodes_of(const Arena& arena);
EndpointSet victims_of(const Strike& strike);
/// Nothing passes from one set to the other.
void block(Arena& arena, const Strike& strike, EndpointSet from, EndpointSet to);
/// Where the partition lasts long enough, the ends of links between these sets are told that they are down.
void notice_silence(Arena& arena, Strike& strike, EndpointSet one, EndpointSet other);
/// What the draw of a partition adds: some are long enough to be noticed.
void draw_notice(FaultSpec& spec, Prng& prng);
// Shared by the faults that are orders to the operator.
/// What every draw of an order begins with: how long the operator insists before it calls the order off, or that it
/// never does.
FaultSpec draw_order(Prng& prng, const Mood& mood);
/// The shard that the spec names; else drawn.
ShardId choose_shard(const Arena& arena, Strike& strike);
/// Of these nodes, the ones the target names and that run: the leader, one node, or the trigger's; all that run if it
/// names none.
std::vector<NodeId> targeted(const Arena& arena, const Strike& strike, ShardId shard, std::vector<NodeId> among);
std::vector<NodeId> running(const Arena& arena, std::vector<NodeId> among);
/// The strike's time is over: the operator insists no longer.
void call_off(Arena& arena, Strike& strike);
/// The victims' side of a split, and everybody else's. Clients fall on one side, or see both.
struct Split {
  EndpointSet inside;
  EndpointSet outside;
};
Split split(Arena& arena, Strike& strike);

}  // namespace coffer::sim::faults
