// Which credits are in doubt: prepared at their target by two-phase commit, while the coordinator has not decided.
// Counted, not judged. For the sometimes-counters.
#pragma once

#include <map>
#include <set>

#include "core/base/ids.h"
#include "core/base/outcome.h"
#include "core/base/trace.h"

namespace coffer::sim {

class InDoubt {
 public:
  /// True when `event` makes another node lead a coordinator's shard while a credit is in doubt.
  bool on_trace(const TraceEvent& event) {
    switch (event.kind) {
      case TraceKind::prepare_started:
        coordinators_[event.transfer] = event.shard;
        return false;
      case TraceKind::leg_received:
        if (event.c == static_cast<std::uint64_t>(Outcome::success) && coordinators_.contains(event.transfer)) {
          promised_.insert(event.transfer);
        }
        return false;
      case TraceKind::commit_started:
      case TraceKind::abort_started:
        coordinators_.erase(event.transfer);
        promised_.erase(event.transfer);
        return false;
      case TraceKind::became_leader:
        return is_doubted(event.shard);
      default:
        return false;
    }
  }

 private:
  bool is_doubted(ShardId coordinator) const {
    for (const TransferId& transfer : promised_) {
      if (coordinators_.at(transfer) == coordinator) return true;
    }
    return false;
  }

  std::map<TransferId, ShardId> coordinators_;  ///< of transfers not decided
  std::set<TransferId> promised_;               ///< of these
};

}  // namespace coffer::sim
