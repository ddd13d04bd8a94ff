// Every replica's log as traces tell it: what it appended, read back and removed, and where a snapshot stands for
// everything before. Shared by the oracles that judge Raft; independent of what the replica believes its log to be.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "core/base/hash.h"
#include "core/base/ids.h"
#include "sim/observe/observer.h"

namespace coffer::sim::oracles {

struct LoggedEntry {
  Term term;
  Hash128 chain;        ///< over (term, payload digest) of all entries so far
  Hash128 terms_chain;  ///< over the terms alone
};

/// One replica's log. Everything up to `base` is a snapshot's; 0: there is none.
class TracedLog {
 public:
  std::uint64_t base() const { return base_; }
  std::uint64_t last() const { return base_ + entries_.size() - 1; }
  /// Requires: base() <= index <= last() (checked). At 0 stands the place before the first entry.
  const LoggedEntry& at(std::uint64_t index) const;

 private:
  friend class TracedLogs;
  std::uint64_t base_ = 0;
  std::vector<LoggedEntry> entries_{LoggedEntry{}};  ///< by index - base_
};

class TracedLogs {
 public:
  /// Returns what contradicts: a gap, a term that falls, two entries of one index and term with different pasts, a
  /// snapshot of what has not committed. At most one reason; the log is then no longer followed honestly.
  std::optional<std::string> traced(NodeId node, const TraceEvent& event);
  void crashed(NodeId node);
  /// Remembers what committed, in the order of first sights.
  void committed(const CommittedEntry& entry);

  const TracedLog& log(NodeId node, ShardId shard) { return logs_[{node, shard}]; }
  /// By index - 1; payload digests are not chained here.
  const std::vector<LoggedEntry>& committed(ShardId shard) { return committed_[shard]; }
  /// Of the replica's entry at this index, be it in a snapshot; nothing beyond its end.
  std::optional<Term> term_at(NodeId node, ShardId shard, std::uint64_t index);

 private:
  using Replica = std::pair<NodeId, ShardId>;
  struct Seen {
    Hash128 chain;
    NodeId by;
  };

  std::optional<std::string> appended(NodeId node, const TraceEvent& event);
  std::optional<std::string> based(NodeId node, ShardId shard, std::uint64_t index, bool keeps_suffix);

  std::map<Replica, TracedLog> logs_;
  std::map<ShardId, std::vector<LoggedEntry>> committed_;
  std::map<std::tuple<ShardId, Index, Term>, Seen> entries_;  ///< the first seen of each
};

}  // namespace coffer::sim::oracles
