// The configurations a replica's log holds: the one in use is the latest, committed or not; a truncation rolls back any
// number of them at once; compaction folds the committed ones into the log's base. Owned by one Raft; no threads.
// Invariant R18 (docs/PROTOCOLS.md). Source: Raft thesis, section 4.1: "a server always uses the latest configuration
// in its log, regardless of whether the entry is committed".
#pragma once

#include <utility>
#include <vector>

#include "core/base/entry.h"
#include "core/base/ids.h"
#include "core/raft/configuration.h"

namespace coffer::raft {

class Membership {
 public:
  /// `base`: what is in use where the log begins. Requires: well_formed (checked).
  Membership(Configuration base, Index base_index);

  /// The one in use.
  const Configuration& latest() const { return changes_.empty() ? base_ : changes_.back().second; }
  /// Where it stands in the log; where the base had it, or 0 for a founding one, when it is the base's.
  Index latest_index() const { return changes_.empty() ? base_index_ : changes_.back().first; }
  /// In use at `index`. Requires: not before the base.
  const Configuration& at(Index index) const;

  /// Requires: entry.kind is configuration, its payload decodes, its index is beyond latest_index() (checked).
  void append(const Entry& entry);
  /// Rolls back what stands at or after `from`. True if that was any.
  bool truncate_from(Index from);
  /// The log now begins after `base`.
  void compact(Index base);
  /// The log was replaced up to `base`, where `configuration` was in use. Later changes stay.
  void restore(Index base, Configuration configuration);

 private:
  Configuration base_;
  Index base_index_;
  std::vector<std::pair<Index, Configuration>> changes_;  ///< ascending
};

}  // namespace coffer::raft
