// A replica before it may take part: the snapshot its log stands on is read back, and repaired or fetched from peers if
// it is damaged or gone. Nothing of consensus runs meanwhile: it neither votes nor acknowledges, but it gives the files
// it has. What it takes from a peer is a snapshot of committed entries, so it can only know more afterwards than it had
// promised.
//
//   reading ──> awake
//      │ no sound snapshot at or behind the base
//      ▼
//   waiting for file transfer (a repaired copy of it, or a newer one) ──> reading
//
// The newest snapshot is read, also one that the stream was not told of any more. A log from the first entry needs
// none.
//
// Single-threaded; one per group until awake().
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "core/log/sealed_store.h"
#include "core/log/stream.h"
#include "core/raft/raft.h"
#include "core/shard/replica_files.h"
#include "core/txn/state_machine.h"

namespace coffer::shard {

/// What a replica starts from, all durable: its log as recovery found it, and the state at the log's base.
struct Start {
  raft::Recovered raft;
  std::unique_ptr<txn::StateMachine> state;
};

class Awakening {
 public:
  /// `founding`: the members while no snapshot and no entry says otherwise. `known`: all nodes of the cluster; who the
  /// members are now only the snapshot says that may be lost, so whoever is known is asked for one.
  Awakening(ShardId shard, log::RecoveredGroup found, const raft::Configuration& founding, std::vector<NodeId> known);

  /// Goes on; called every step. When it ends, `files` has begun.
  void step(const log::SealedStore& store, ReplicaFiles& files);

  bool awake() const { return start_.has_value(); }
  /// The snapshot is ahead of the log's base: the stream must be told, and of the start's hard state, before anything
  /// else is.
  struct Restored {
    LogPlace base;
    Index last_before;  ///< where the log ended
  };
  const std::optional<Restored>& restored() const { return restored_; }
  /// Requires: awake(), taken once (checked).
  Start take_start();

 private:
  std::optional<log::SealedName> choose(const log::SealedStore& store) const;
  void wake(ReplicaFiles::Loaded loaded, ReplicaFiles& files);

  ShardId shard_;
  log::RecoveredGroup found_;
  raft::Configuration founding_;
  std::vector<NodeId> known_;
  std::optional<Restored> restored_;
  std::optional<Start> start_;
};

}  // namespace coffer::shard
