// How fast a group gets over the loss of its leader: measured, not judged. For O-V1 and the report.
//
// Definitions, for one shard at one instant of simulated time:
//   * Two nodes are *in touch* when both processes run and are not paused, and no partition or clog stops everything in
//     either direction of the link between them, nor does a fault hold packets up there for a quarter of an election
//     time-out or more: elections need a network that is faster than that by far (Raft thesis, section 3.9). (Loss,
//     shorter delay and reordering of single packets do not count as out of touch; nor does a disk.) A node that runs
//     is in touch with itself.
//   * A node *stores* while its disk is neither stuck nor full, nor so slow that a vote (two writes, each synced) takes
//     a quarter of an election time-out or more on average: what section 3.9 asks of the network it asks of the disk.
//   * The *leader* is the node that was elected in the highest term of which an election was seen.
//   * The *voters* are those of the last configuration that committed; a *quorum* is a majority of them, while joint of
//     both halves.
//   * The leader *leads on* while it is in the same life (it has not crashed), has not been seen to step down, and is
//     in touch with a quorum.
//   * A *core* is a set of voters without the leader that are in touch with each other, store, are a quorum, and have a
//     vote to give: none is *uncertain*, that is, still asking what its disk may have lost (docs/PROTOCOLS.md R27).
// A leader that has led on is *lost* at the instant at which it no longer does, if there is a core then. (One that
// steps down by itself is not lost: it has handed over, or was deposed.) If the others would be a core but for their
// disks, that is counted by itself, as `without_disks`: until more of them store, nothing can commit. If only uncertain
// voters keep them from being one, as `without_votes`; also if one that was starting then only finds out later.
// The loss is *healed* at the instant at which any node first shows an entry of a later term committed. It is healed
// *in time* within two election time-outs, by the time-out's configured value (each wait is drawn from once to one and
// a half times it). The loss is *void*, and not counted, if before it is healed
//   * within two election time-outs the largest core it began with no longer contains one: more has failed by then;
//   * the old leader leads on again in its old term: it was only cut off for a moment;
//   * an entry commits that the old leader has appended since in its old term, before another is elected: it was not
//     cut off at all, whatever slows its links; or
//   * the run ends before two election time-outs have passed.
// A loss that has lasted longer than that counts as not healed in time, whatever ends it: healing, one of these, or the
// run.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "sim/observe/observer.h"
#include "sim/oracles/configurations.h"
#include "sim/run/run.h"

namespace coffer::sim {

/// Who is in touch with whom: for node n at n - 1.
using Touch = std::vector<oracles::NodeSet>;

class LeaderLosses {
 public:
  LeaderLosses(const Topology& topology, Duration election_timeout);

  void on_trace(SimTime now, NodeId node, const TraceEvent& event);
  void on_crash(SimTime now, NodeId node);
  void on_committed(SimTime now, NodeId node, const CommittedEntry& entry);
  /// Whenever either may have changed; at the beginning of a run nobody is in touch, and nobody stores.
  void on_touch(SimTime now, const Touch& touch, oracles::NodeSet storing);
  /// The run is over.
  void finish(SimTime now);

  const LeaderLossCounts& counts() const { return counts_; }

 private:
  struct Loss {
    SimTime at;
    Term term;
    oracles::NodeSet core;  ///< the largest at first; shrinks
    Index appended;         ///< by the leader when it was lost: where its log ended
  };
  struct Shard {
    NodeId leader = nobody;
    Term term;
    Index appended;            ///< by the leader: where its log ends
    bool leads = false;        ///< has not crashed or stepped down since its election
    bool led_on = false;       ///< ... and was in touch with a quorum when last looked at
    std::optional<Loss> loss;  ///< neither healed nor void
    oracles::NodeSet uncertain;
    oracles::NodeSet bound;  ///< has had all answers in this life: has votes to give, whether it asks again or not
  };

  bool are_in_touch(NodeId a, NodeId b) const;
  bool leads_on(const Shard& shard, const oracles::Configuration& configuration) const;
  oracles::NodeSet core_of(const oracles::Configuration& configuration, oracles::NodeSet among) const;
  void look(SimTime now, ShardId id);
  void follow(SimTime now, Shard& shard, const oracles::Configuration& configuration);
  void without_vote_of(SimTime now, Shard& shard, NodeId node, const oracles::Configuration& configuration);
  void end(SimTime now, Shard& shard);
  bool is_late(SimTime now, const Loss& loss) const { return now > loss.at + twice_; }

  Duration timeout_;
  Duration twice_;
  oracles::Configurations configurations_;
  std::vector<Shard> shards_;  ///< by shard - 1
  Touch touch_;
  oracles::NodeSet storing_;
  LeaderLossCounts counts_;
};

}  // namespace coffer::sim
