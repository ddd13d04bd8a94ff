// The sealed files of one replica and what they are for: epochs are counted and frozen as the state passes them,
// written once they have committed, moved between members, and read back. Wires core/shard's own parts; the bytes are
// the store's (core/log/sealed_store.h). Single-threaded.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "core/base/entry.h"
#include "core/base/ids.h"
#include "core/base/time.h"
#include "core/log/sealed_store.h"
#include "core/raft/raft.h"
#include "core/shard/attic.h"
#include "core/shard/attic_rebuild.h"
#include "core/shard/epoch.h"
#include "core/shard/file_transfer.h"
#include "core/shard/snapshot_load.h"
#include "core/shard/snapshots.h"
#include "core/txn/state_machine.h"

namespace coffer::shard {

class ReplicaFiles {
 public:
  struct Config {
    ShardId shard;
    NodeId self;
    Uuid cluster;
    std::uint32_t chunk_bytes = 256u << 10;
    std::uint64_t epoch_bytes = 256u << 20;
    Duration timeout = milliseconds(500);  ///< for a peer's answer
  };

  /// The store outlives this.
  ReplicaFiles(Config config, log::SealedStore& store);

  /// The state begins as this snapshot's, `left` rows having left it; null: as that of an empty log. Called once before
  /// the folds below.
  void begin(const log::SealedHeader* snapshot, std::uint64_t left = 0);

  // --- the fold ---------------------------------------------------------------------------------------------------
  /// Entry `place` was folded into `state`.
  void folded(LogPlace place, std::uint64_t payload_bytes, txn::StateMachine& state, FileOutput& out);
  void undone(Index index, std::uint64_t payload_bytes, FileOutput& out);
  void committed(Index index, const raft::Raft& raft);

  // --- peers and disk -----------------------------------------------------------------------------------------------
  FileTransfer& transfer() { return transfer_; }
  const FileTransfer& transfer() const { return transfer_; }
  /// `section`: a files message; malformed ones are ignored.
  void receive(Instant now, NodeId from, ByteView section, FileOutput& out);
  void published(Instant now, const log::SealedName& name) {
    transfer_.published(now, name);
    if (name.kind == log::SealedKind::attic) attic_.published();
  }
  void read(const log::SealedStore::ReadChunk& chunk, FileOutput& out);

  /// Reads this published snapshot back. One at a time: another takes its place; the same goes on.
  void load(const log::SealedName& snapshot);
  bool loading() const { return load_.has_value(); }
  /// … and cannot go on before the file has been repaired.
  bool load_is_damaged() const { return load_ && load_->damaged() && !store_.sound(load_->header().name); }
  struct Loaded {
    log::SealedHeader header;
    raft::Configuration configuration;
    std::unique_ptr<txn::StateMachine> state;
  };
  /// The snapshot that was being loaded, when it is whole.
  std::optional<Loaded> take_loaded();

  /// Goes on with everything that is under way. Called every step.
  void step(Instant now, FileOutput& out);
  /// Hands committed entries to the history being written, and rows that have left to the run.
  void supply(const raft::Raft& raft, const txn::StateMachine& state, FileOutput& out);
  Attic& attic() { return attic_; }
  const Attic& attic() const { return attic_; }
  /// Goes on with what the attic lacks of the rows that `state` has in memory no more. Called every step.
  void tend_attic(Instant now, const txn::StateMachine& state, FileOutput& out);
  /// The newest epoch whose history and snapshot have become durable since the last call.
  std::optional<LogPlace> take_durable() { return snapshots_->take_durable(); }
  /// A mark at `base` is durable in the stream.
  void mark_durable(Instant now, Index base, FileOutput& out);
  /// An installed snapshot has taken the place of the state.
  void installed(const log::SealedHeader& snapshot, std::uint64_t left, FileOutput& out);
  Instant wake_at() const;

 private:
  Config config_;
  log::SealedStore& store_;
  FileTransfer transfer_;
  std::optional<EpochCounter> epochs_;
  std::optional<Snapshots> snapshots_;
  std::optional<SnapshotLoad> load_;
  std::uint64_t loads_ = 0;
  Attic attic_;
  std::uint64_t attic_needed_ = 0;  ///< runs have to reach up to this place
  bool attic_lacks_ = false;
  bool attic_is_damaged_ = false;
  Instant look_for_damage_at_;
  Instant rebuild_after_;  ///< not before then, while something is missing
  std::uint64_t rebuilds_ = 0;
  std::optional<AtticRebuild> rebuild_;
};

}  // namespace coffer::shard
