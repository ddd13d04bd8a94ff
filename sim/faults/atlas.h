// The fault atlas: keeps a run fair, so that losing data is always the wallet's fault. A fault that damages a disk asks
// first. It is withheld
//  A1  if more members than a group tolerates would be damaged and unrepaired at a time, lost ones included;
//  A2  if some committed entry would be left without a whole copy on an undamaged member that returns;
//  A3  if the same part of the same disk is damaged already: two holes can look like an end;
//  A4  if it touches the hard state while one of its two copies is not whole: what no copy holds is a lost disk.
// It judges by where the copies really are (copies.h), not by where they should be. A disk counts as repaired when no
// scar is left on that part and its log holds again everything that was committed when it was damaged.
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

  void on_committed(ShardId shard, Index index, Term term, ByteView payload);
  bool fair() const { return fair_; }
  /// The node never comes back.
  void gone(NodeId node) { gone_.insert(node); }

  /// Whether the strike may damage these parts of the node's disk, now or as long as it lies in wait. If not, it is
  /// counted as withheld.
  bool permits(std::uint64_t strike, NodeId node, const std::vector<Part>& parts);
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
    std::map<ShardId, std::uint64_t> goals;  ///< last committed index when it came
  };

  bool fair_to(NodeId node, Part part);
  bool too_many_with(NodeId node);
  bool copy_left_without(NodeId node);
  bool lost(NodeId node) const;
  bool repaired(const Wound& wound) const;
  bool has(NodeId node, Part part) const;
  std::set<NodeId> harmed() const;
  void forget_repaired();

  const Cluster& cluster_;
  bool fair_;
  bool wanted_;
  std::vector<std::vector<Mark>> committed_;  ///< by shard - 1
  std::vector<Wound> wounds_;
  std::set<NodeId> gone_;
  std::uint64_t withheld_ = 0;
  bool broken_ = false;
};

}  // namespace coffer::sim::faults
