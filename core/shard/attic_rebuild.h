// Makes runs of the attic from history: what is missing or damaged here and no member can give (docs/decisions/0012,
// rule G8). Replays every committed entry into a state machine of its own, and at the end of each history file, an
// epoch's, takes the rows that left in that epoch; what the store lacks of their file it gives it. The bytes are the
// same as ever, for a run is a function of the log. The last resort: it reads all history, and holds a second state
// meanwhile. Single-threaded.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/attic/run_writer.h"
#include "core/base/entry.h"
#include "core/base/ids.h"
#include "core/base/io.h"
#include "core/base/trace.h"
#include "core/log/history_replay.h"
#include "core/log/sealed_store.h"
#include "core/txn/state_machine.h"

namespace coffer::shard {

class AtticRebuild {
 public:
  struct Config {
    ShardId group;
    Uuid cluster;
    std::uint32_t chunk_size = 256u << 10;  ///< bytes, of the store
  };
  /// `number`: no other rebuild's of this group. The store outlives this.
  AtticRebuild(Config config, log::SealedStore& store, std::uint64_t number);

  /// Goes on. Called every step while the store can write.
  void step(std::vector<IoOp>& out, std::vector<TraceEvent>& trace);
  /// False: not one of its reads.
  bool take(const log::SealedStore::ReadChunk& chunk) { return replay_.take(chunk, entries_); }
  /// A run is being made: its file must not be left half written.
  bool is_making() const { return run_.has_value(); }
  /// There is something to do that waits for nothing.
  bool wants_step() const;
  /// All history was read, or it can be read no further.
  bool ended() const { return !run_ && entries_.empty() && (replay_.done() || !replay_.failure().empty()); }

 private:
  void begin_run(Index last, std::vector<IoOp>& out);
  void write_run(std::vector<IoOp>& out, std::vector<TraceEvent>& trace);
  void end_run(std::vector<IoOp>& out, std::vector<TraceEvent>& trace);
  log::SealedName name_of(log::SealedKind kind, Index last) const { return {kind, config_.group, last}; }

  Config config_;
  log::SealedStore& store_;
  log::HistoryReplay replay_;
  txn::StateMachine state_;
  std::vector<Entry> entries_;  ///< read, and not folded
  std::uint64_t left_ = 0;      ///< rows that had left at the end of the epoch before
  std::optional<attic::RunWriter> run_;
  Index last_;                 ///< of the run being made
  log::SealedHeader history_;  ///< of its epoch; the file may be lost meanwhile
  bool repairs_ = false;       ///< the run's file is there, with damaged chunks
  std::uint32_t chunk_ = 0;    ///< of it, to be taken next
};

}  // namespace coffer::shard
