// What a fault is: data that says when, whom, how long and how hard (FaultSpec), one occurrence of it (Strike), and the
// world it acts on (Arena). Each fault is one file with one Behaviour and one row in faults.h.
// A fault draws only from its strike's own stream, so that removing one leaves all the others as they were.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/prng.h"
#include "core/base/trace.h"
#include "sim/models/cluster.h"
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

/// One fault of a scenario. Fields a fault does not use are ignored.
struct FaultSpec {
  std::string fault;         ///< a name of the table
  std::uint64_t stream = 0;  ///< keys all its draws; unique in a scenario
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
  std::uint32_t per_mille = 0;       ///< drop, duplicate, delay, reorder: of each packet
  Duration extra;                    ///< duplicate, delay, reorder: how much later; clock_skew: offset at most
  std::uint32_t drift_ppm = 0;       ///< clock_skew: drift at most
  bool operator==(const FaultSpec&) const = default;
};

/// One occurrence. Kept until it is healed.
struct Strike {
  std::uint64_t serial = 0;  ///< unique in a run
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
  bool fired = false;  ///< it has really done something
};

struct Arena {
  Cluster& cluster;
  const Roles& roles;
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
};

/// What every draw begins with: a gap, a length, a number of victims that is a minority.
FaultSpec draw_base(Prng& prng, const Mood& mood);
/// Resolves the spec's target into victims: up to `count` distinct running nodes, the named one first. Chosen once: a
/// strike that comes later keeps its victims, as far as they still run. False: nobody to hit.
bool choose_victims(const Arena& arena, Strike& strike);

// Shared by the faults that crash nodes. Require chosen victims.
Struck crash_victims(Arena& arena, Strike& strike, CrashKind kind);
/// Whether the first victim has writes that a power cut could take.
bool has_unsynced(const Arena& arena, const Strike& strike);
void restart_victims(Arena& arena, Strike& strike);
// Shared by the faults of links.
Struck disturb_links(Arena& arena, Strike& strike, Trouble trouble);
void calm_links(Arena& arena, Strike& strike);
/// The victims' side of a split, and everybody else's. Clients fall on one side, or see both.
struct Split {
  EndpointSet inside;
  EndpointSet outside;
};
Split split(Arena& arena, Strike& strike);

}  // namespace coffer::sim::faults
