// Turns the faults of a scenario into strikes: at a time, at random, or at an exact trace event; heals each when its
// time has passed, and everything at the end of the fault phase. Counts a strike when it has really done something.
//
// Whatever strikes, heals, unless the scenario says "forever"; at most a minority of the nodes may be gone for ever, or
// the scenario is unfair and its verdict says so. All nodes may be down at once for a while, since a disk keeps all
// that was synced, but for what the atlas (sim/faults/atlas.h) permits. Single-threaded.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "sim/faults/faults.h"
#include "sim/kernel/counters.h"
#include "sim/kernel/kernel.h"

namespace coffer::sim {

class FaultDriver {
 public:
  FaultDriver(Cluster& cluster, const Roles& roles, Orders& orders, const std::vector<faults::FaultSpec>& specs,
              std::uint32_t clients, std::uint64_t seed, bool fair);

  /// The fault phase begins.
  void start();
  /// The fault phase is over: nothing strikes any more, everything but "forever" is healed at once.
  void stop();

  void on_strike(const Event& event);
  void on_heal(const Event& event);
  void on_trace(NodeId node, const TraceEvent& event);
  void on_committed(ShardId shard, Index index, Term term, EntryKind kind, ByteView payload) {
    atlas_.on_committed(shard, index, term, kind, payload);
  }
  /// After every event: strikes that waited for their moment, and hits of the network and the disks. `work_in_flight`:
  /// whether a client waits for an answer.
  void after_event(bool work_in_flight);

  const Counters& fired() const { return fired_; }
  /// Every strike so far, as a fault of its own.
  const std::vector<faults::FaultSpec>& struck() const { return struck_; }
  std::uint64_t fired_with_work_in_flight() const { return with_work_; }
  /// Strikes that have fired and are not healed.
  const std::map<std::uint64_t, faults::Strike>& active() const { return active_; }
  /// Interesting states of the faults themselves.
  Counters sometimes() const;
  /// Whether more than a minority of the nodes is gone for ever.
  bool unfair() const;
  /// Whether disks were damaged beyond what a fair run would have seen.
  bool broke_the_atlas() const { return atlas_.broken(); }

 private:
  struct Armed {
    faults::Strike strike;
    SimTime until;
  };

  void pull(std::size_t spec, NodeId cause);
  void begin(std::size_t spec, NodeId cause);
  void attempt(faults::Strike strike, SimTime until);
  void settle(faults::Strike strike);
  faults::FaultSpec alone(const faults::Strike& strike) const;
  void count(const faults::Strike& strike);
  void schedule_next(std::size_t spec);
  void fire(std::uint64_t serial);
  void look_at_disks();

  Cluster& cluster_;
  faults::Atlas atlas_;
  faults::Arena arena_;
  const std::vector<faults::FaultSpec>& specs_;
  std::uint64_t seed_;
  bool running_ = false;
  SimTime started_;
  std::vector<faults::FaultSpec> struck_;
  std::uint64_t serial_ = 0;
  std::vector<std::uint64_t> strikes_;  ///< by spec: how many have begun
  std::vector<std::uint64_t> matches_;  ///< by spec: how many events matched its trigger
  std::vector<Armed> armed_;
  std::map<std::uint64_t, faults::Strike> active_;
  Counters fired_;
  std::uint64_t with_work_ = 0;
  std::uint64_t damage_read_ = 0;
  bool work_in_flight_ = false;
};

}  // namespace coffer::sim
