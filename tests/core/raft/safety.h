// What a group of replicas must never do, judged from what they show: election safety, log matching, leader
// completeness, state machine safety (Raft thesis, figure 3.2), never two disjoint quorums (chapter 4), and that what
// commits was durable on a quorum. Knows no rule of the implementation; counts quorums by itself.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/raft/raft.h"

namespace coffer::raft::test {

/// What one Output asks to be stored, and what waits for it.
struct Write {
  std::optional<HardState> hard_state;
  std::optional<LogPlace> based;  ///< a snapshot, installed or taken here, stands for everything up to here
  Configuration based_on;         ///< as of there
  bool taken_here = false;        ///< then the log is compacted once this is stored
  std::optional<Index> truncated_from;
  std::vector<Entry> appended;
  bool settled = false;
  std::uint64_t generation = 0;
  Index last;
  std::vector<Outgoing> held;  ///< messages that leave after the sync
};

struct Disk {
  HardState hard_state;
  LogPlace base;
  Configuration configuration;  ///< as of base
  std::vector<Entry> log;       ///< behind base
  bool uncertain = false;
  LogPlace evidence;

  void store(const Write& write);
  Index last() const { return Index(base.index.value + log.size()); }
  bool holds(const Entry& entry) const;
};

struct Member {
  NodeId id;
  std::optional<Raft> raft;  ///< none while crashed
  Disk disk;
  std::deque<Write> unsynced;
  std::map<std::uint64_t, Index> reads;  ///< outstanding: what was committed anywhere when the read was asked
  std::uint64_t incarnation = 0;
};

/// A replica before a call.
struct Before {
  bool led = false;
  Index commit;
  Configuration configuration;
};

bool same(const Entry& a, const Entry& b);
std::string place(Index index, Term term);

class Safety {
 public:
  explicit Safety(Configuration founding) : configurations_{{Index(0), std::move(founding)}} {}

  void led(const Member& member);
  /// After every call on `member`.
  void committed(const Member& member, const Before& before, const std::vector<Member>& members);
  /// After its log has changed at or after `from`.
  void log_changed(const Member& member, Index from, const std::vector<Member>& members);
  /// After an entry has reached the member's disk, or has been replaced there. One that a damaged disk lost still
  /// counts: its acknowledgement may be under way.
  void durable(NodeId node, const Entry& entry) { ever_durable_[{entry.index, entry.term}].insert(node); }
  void replaced(NodeId node, const Entry& entry) { ever_durable_[{entry.index, entry.term}].erase(node); }
  void breach(std::string what);

  Index highest_committed() const { return Index(committed_.size()); }
  const std::vector<std::string>& breaches() const { return breaches_; }
  bool has_committed(const Entry& entry) const;
  const Entry& committed_entry(Index index) const { return committed_[index.value - 1]; }
  /// All that have committed, with their indexes; the founding one first.
  const std::vector<std::pair<Index, Configuration>>& configurations() const { return configurations_; }
  /// Nodes whose disks have held it at some time.
  std::size_t ever_durable(const Entry& entry) const;
  /// The latest that has committed, and its index; as of index `by` if given.
  /// Whether a single voter decided, or was one half of a joint decision, at `since` or later.
  bool one_voter_decided(Index since) const;
  const std::pair<Index, Configuration>& last_committed_configuration(Index by = Index(UINT64_MAX)) const;

 private:
  void restored(const Member& member);
  void two_logs(const Member& a, const Member& b, Index from);
  void configuration_in_use(const Member& member);
  void disjoint_quorums(const std::vector<Member>& members);

  std::vector<std::pair<Index, Configuration>> configurations_;  ///< committed, ascending; the founding one first
  std::map<Term, NodeId> leaders_;
  std::vector<Entry> committed_;  ///< entry i at position i - 1, as first seen committed
  std::map<std::pair<Index, Term>, std::set<NodeId>> ever_durable_;
  std::vector<std::string> breaches_;
};

}  // namespace coffer::raft::test
