// Replicas without consensus that share one log and keep its sealed files: each has a state, epochs, snapshots, a
// SealedStore on a disk in memory and file transfer; a network between them may lose, repeat, delay and change what it
// carries. A replica can die before any operation of its disk and start again on what the power cut left.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/entry.h"
#include "core/base/prng.h"
#include "core/log/sealed_store.h"
#include "core/raft/configuration.h"
#include "core/shard/epoch.h"
#include "core/shard/file_transfer.h"
#include "core/shard/snapshot_load.h"
#include "core/shard/snapshots.h"
#include "core/txn/state_machine.h"
#include "tests/core/log/memory_disk.h"

namespace coffer::shard::testing {

inline constexpr ShardId group{1};
inline constexpr std::uint64_t epoch_bytes = 1500;
inline constexpr std::uint32_t chunk_size = 512;
inline constexpr Duration file_timeout = milliseconds(100);

Uuid file_cluster();
/// Made up: who is a member when the entry commits.
raft::Configuration configuration_at(Index index);
/// A log of one shard: deposits, transfers, refusals, legs out and in; some entries are no-ops or configurations.
std::vector<Entry> made_log(std::uint64_t entries);
/// The state after the first `entries` entries.
Bytes state_after(const std::vector<Entry>& log, std::uint64_t entries);
/// Which entries are boundaries, by folding.
std::vector<Index> boundaries_of(const std::vector<Entry>& log);

/// One life of a replica, from start to the end of its budget of disk operations.
class Replica {
 public:
  Replica(NodeId id, const std::vector<Entry>& log, log::MemoryDisk& disk, std::uint64_t ops_max = UINT64_MAX);

  /// Recovers, and loads the newest sound snapshot. False: the budget ended first.
  bool start();
  /// Folds the next entry as a leader: it may be undone. / Undoes the last. / Commits up to `index`.
  void run_ahead();
  void undo();
  void commit(Index index);
  /// Folds entries up to `index` as committed ones, as a follower; gives the disk time in between.
  void follow(std::uint64_t index);
  /// Executes one operation of the disk. False when there is none, or the budget is spent.
  bool step();
  /// Steps until the disk has nothing to do.
  bool run();
  /// As Shard does with a snapshot that was fetched: loads and installs it.
  bool install(const log::SealedName& name);
  /// What every step ends with: hands on what the store did, writes snapshots on.
  void settle();

  bool over() const { return executed_ >= ops_max_; }
  std::uint64_t executed() const { return executed_; }
  Index applied() const { return applied_; }
  std::uint64_t count(TraceKind kind) const;
  std::vector<log::SealedName> snapshots_here() const;

  NodeId id;
  Instant now;
  std::unique_ptr<log::SealedStore> store;
  std::unique_ptr<txn::StateMachine> state;
  std::unique_ptr<EpochCounter> epochs;
  std::unique_ptr<Snapshots> snapshots;
  std::unique_ptr<FileTransfer> transfer;
  std::unique_ptr<SnapshotLoad> loading;  ///< whose reads are under way
  FileOutput out;                         ///< messages are for the world; io is taken by step()
  std::vector<LogPlace> durable;
  std::optional<log::SealedName> to_install;
  std::uint64_t frozen_most = 0;

 private:
  void fold(const Entry& entry);
  bool load(const log::SealedHeader& header);
  void begin_at(const log::SealedHeader* header);

  const std::vector<Entry>& log_;
  log::MemoryDisk& disk_;
  std::uint64_t ops_max_;
  std::uint64_t executed_ = 0;
  std::deque<IoOp> queue_;
  Index applied_;
  Index committed_;
  std::map<Index, Position> positions_;  ///< after entries folded
};

/// Several replicas and what is on its way between them.
class FileWorld {
 public:
  explicit FileWorld(std::uint32_t replicas, std::uint64_t entries = 150);

  Replica& operator[](std::uint32_t node) { return *replicas_.at(NodeId(node)); }
  log::MemoryDisk& disk(std::uint32_t node) { return disks_.at(NodeId(node)); }
  /// Starts a node, again if it was there; its disk keeps what a power cut leaves.
  bool start(std::uint32_t node, std::uint64_t ops_max = UINT64_MAX, log::PowerCut cut = log::PowerCut::loses_all);
  void stop(std::uint32_t node) { replicas_.erase(NodeId(node)); }
  /// Lets time pass in steps of 10 ms; messages take one step. Snapshots fetched are installed.
  void run_for(Duration duration);
  /// Until `done()` holds; false if it does not within `limit`.
  template <class Done>
  bool run_until(Done&& done, Duration limit = seconds(60)) {
    for (const Instant end = now + limit; now < end;) {
      if (done()) return true;
      run_for(milliseconds(10));
    }
    return done();
  }
  /// The content of a published file.
  Bytes file(std::uint32_t node, const log::SealedName& name) { return disk(node).contents(log::file_name(name)); }

  std::vector<Entry> log;
  Instant now;
  Prng prng;
  std::uint32_t lost_of_1000 = 0;      ///< messages
  std::uint32_t repeated_of_1000 = 0;  ///< messages
  std::uint32_t changed_of_1000 = 0;   ///< messages with a byte changed
  NodeId liar;                         ///< its chunks have wrong bytes
  std::uint64_t chunks_wanted = 0;     ///< requests delivered

 private:
  struct Flying {
    NodeId from;
    NodeId to;
    Bytes bytes;
  };
  void deliver(const Flying& message);
  void collect(Replica& replica);

  std::map<NodeId, log::MemoryDisk> disks_;
  std::map<NodeId, std::unique_ptr<Replica>> replicas_;
  std::vector<NodeId> members_;
  std::deque<Flying> flying_;
};

}  // namespace coffer::shard::testing
