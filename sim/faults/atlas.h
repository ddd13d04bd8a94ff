// The fault atlas: keeps a run fair, so that losing data is always the wallet's fault. A fault that damages a disk asks
// first. It is withheld
//  A1  if more members than a group tolerates would be damaged and unrepaired at a time, lost ones included; where
//  there
//      are spares, if more than one node would be: an operator may make a group of any three;
//  A2  if some committed entry would be left without a whole copy on an undamaged member that returns;
//  A3  if the same part of the same disk is damaged already: two holes can look like an end;
//  A4  if it touches the hard state while one of its two copies is not whole: what no copy holds is a lost disk.
// So does a fault that crashes nodes. It is withheld
//  A5  if a disk is lost for good, or is to be emptied now, and those that are certain of their logs, run on and stay
//      are no quorum of some group: a replica that comes back uncertain waits for a leader, or for the answers of all
//      members (docs/decisions/0005), and one of them never answers.
// It judges by where the copies really are (copies.h), not by where they should be, and by the configuration that has
// committed last. A disk counts as repaired when no scar is left on the damaged part; the stream, when its log holds
// again everything that was committed when it was damaged; sealed files, when a whole snapshot is there again; the hard
// state, when both copies are whole. What a node was told wrong counts until its strike is over and the node serves:
// until then it acts on what it was told.
//
// A scenario may break it on purpose ("fair": false): then everything is allowed, and the verdict says so.
// Single-threaded; never influences the run but by what it withholds.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "sim/faults/copies.h"
#include "sim/models/cluster.h"
#include "sim/oracles/configurations.h"

namespace coffer::sim::faults {

enum class Part : std::uint8_t {
  stream,
  hard_state,
  sealed,   ///< snapshots, history, archives: what all replicas hold alike
  derived,  ///< rebuilt from the rest: nothing is lost with it
};
Part part_of(std::string_view file);

class Atlas {
 public:
  /// `wanted`: whether anything will ask; else nothing is remembered.
  Atlas(const Cluster& cluster, bool fair, bool wanted);

  void on_committed(ShardId shard, Index index, Term term, EntryKind kind, ByteView payload);
  bool fair() const { return fair_; }
  /// The node never comes back.
  void gone(NodeId node) { gone_.insert(node); }

  /// Whether the strike may damage these parts of the node's disk, now or as long as it lies in wait. If not, it is
  /// counted as withheld. `crash`: the node's process ends with it.
  bool permits(std::uint64_t strike, NodeId node, const std::vector<Part>& parts, bool crash = false);
  /// Whether the strike may end these processes, with or without their power, now or as long as it lies in wait. If
  /// not, it is counted as withheld.
  bool permits_crash(std::uint64_t strike, const std::vector<NodeId>& nodes);
  /// Whether the strike may empty the node's disk.
  bool permits_emptying(std::uint64_t strike, NodeId node);
  /// The damage is there. False: the strike is none that asked.
  bool struck(std::uint64_t strike, NodeId node);
  /// The strike is over. Damage that has not come about by now never will.
  void over(std::uint64_t strike);

  /// The file of which a power cut may tear no write, because its damage leaves it no second chance; empty: none.
  std::string untorn(NodeId node) const;
  /// The disk has damage that is not repaired, or that may come.
  bool damaged(NodeId node);

  std::uint64_t withheld() const { return withheld_; }
  /// Whether something was allowed that a fair run would not have seen.
  bool broken() const { return broken_; }

 private:
  struct Wound {
    std::uint64_t strike = 0;
    NodeId node;
    std::vector<Part> parts;
    bool there = false;                      ///< else it lies in wait
    bool misread = false;                    ///< the disk has no scar; the node was told what is not so
    bool over = false;                       ///< its strike is
    std::map<ShardId, std::uint64_t> goals;  ///< last committed index when it came
  };

  bool allow(bool fair);
  bool fair_to(NodeId node, Part part);
  bool any_lost() const;
  bool certain_remain_without(std::set<NodeId> nodes) const;
  bool is_certain(NodeId node, ShardId shard) const;
  bool too_many_with(NodeId node);
  bool copy_left_without(NodeId node);
  bool lost(NodeId node) const;
  static bool hit(const Wound& wound, Part part);
  bool scarred(const Wound& wound) const;
  bool repaired(const Wound& wound) const;
  bool has(NodeId node, Part part) const;
  std::set<NodeId> harmed() const;
  void forget_repaired();

  const Cluster& cluster_;
  bool fair_;
  bool wanted_;
  bool has_spares_ = false;
  std::vector<std::vector<Mark>> committed_;            ///< by shard - 1
  std::vector<oracles::Configuration> configurations_;  ///< by shard - 1
  std::multimap<std::uint64_t, NodeId> crashes_;        ///< by strike that lies in wait
  std::vector<Wound> wounds_;
  std::set<NodeId> gone_;
  std::uint64_t withheld_ = 0;
  bool broken_ = false;
};

}  // namespace coffer::sim::faults
