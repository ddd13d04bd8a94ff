// The snapshots of one replica: from the moment its state passes an epoch's boundary until both sealed files of the
// epoch are published, and until they are removed for newer ones.
//
//   passed ──undone──> dropped
//     │ committed
//   waiting -> history (previous boundary, I] written, published -> attic run of the epoch written, published, if the
//           state has an attic -> snapshot at I written, published -> durable
//
// One epoch at a time, oldest first; its history before its snapshot, so that who has a snapshot of its own making has
// all history, and every run of the attic, before it. The caller supplies the epoch's entries (next_entry, supply) and
// hands on what the store published. A disk slower than the epochs: of more than frozen_max states committed and
// waiting, the oldest are let go; their histories are still written.
//
// Invariants: S1 a snapshot is written of a committed boundary only. S2 a published snapshot is removed only after a
// mark that stands on a newer one is durable, and never one of the two newest sound ones. Single-threaded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "core/attic/run_writer.h"
#include "core/base/entry.h"
#include "core/base/ids.h"
#include "core/base/io.h"
#include "core/base/time.h"
#include "core/base/trace.h"
#include "core/log/history.h"
#include "core/log/sealed_store.h"
#include "core/txn/frozen_state.h"
#include "core/txn/state_machine.h"

namespace coffer::shard {

/// Events in an entry: what a SealedStore is told to count by. 0 for bytes that are no entry.
std::uint64_t positions_in(EntryKind kind, ByteView payload);

class Snapshots {
 public:
  struct Config {
    ShardId group;
    Uuid cluster;
    std::uint32_t chunk_size = 256u << 10;  ///< bytes, of the store
  };
  static constexpr std::size_t frozen_max = 3;
  static constexpr std::size_t snapshots_kept = 2;

  /// `from`: the snapshot whose state the replica starts from; null: from nothing. `left`: rows that have left that
  /// state. The store outlives this.
  Snapshots(Config config, log::SealedStore& store, const log::SealedHeader* from, std::uint64_t left = 0);

  /// The state passed the boundary at `place` and was frozen. `left`: rows that have left it; nothing: it has no attic.
  /// Requires: later than all passed before (checked).
  void passed(LogPlace place, std::unique_ptr<txn::FrozenState> state, std::optional<std::uint64_t> left,
              std::vector<TraceEvent>& trace);
  /// Entry `index` was undone, and all after it before. Requires: not committed (checked).
  void undone(Index index, std::vector<TraceEvent>& trace);
  /// Whether `index` is a boundary passed and not committed: then committed() is due once it is.
  bool awaits(Index index) const;
  /// The boundary at `index` has committed. `configuration`: the encoded one in use there.
  void committed(Index index, Bytes configuration);
  /// A snapshot fetched from a peer takes the place of the state: what is older is dropped.
  void installed(const log::SealedHeader& snapshot, std::uint64_t left, std::vector<IoOp>& out,
                 std::vector<TraceEvent>& trace);

  /// Goes on with what is being written, as far as the disk takes it. Called every step.
  void pump(std::vector<IoOp>& out);
  /// The committed entry to be supplied next, if one can be taken now.
  std::optional<Index> next_entry() const;
  /// Requires: it is next_entry() (checked).
  void supply(const Entry& entry, std::vector<IoOp>& out);
  /// Whether rows of the run being written can be taken now. / Takes some. Requires: `state` is the one passed, and the
  /// rows are still in memory (checked), or the run's file was here and has been lost: then it comes from a member.
  bool wants_rows() const;
  void supply_rows(const txn::StateMachine& state, std::vector<IoOp>& out);
  /// The newest boundary whose history and snapshot have become durable since the last call: the stream may be told.
  std::optional<LogPlace> take_durable();

  /// A mark at `base` is durable in the stream: removes the snapshots nobody needs any more, but those `in_use`.
  void mark_durable(Index base, const std::set<Index>& in_use, std::vector<IoOp>& out);

  /// States frozen now: what holds pages of the state.
  std::size_t frozen() const;
  /// The boundary up to which history has been written here, or which the state started from.
  Index history_written() const { return previous_.index; }

 private:
  enum class Stage : std::uint8_t {
    waiting,            ///< nothing done
    history,            ///< being written: entries are asked for
    history_sealed,     ///< to be published
    history_published,  ///< the run is next, if there is an attic
    run,                ///< being written: rows are asked for
    run_sealed,         ///< to be published
    run_published,      ///< the snapshot is next
    snapshot,           ///< being written
    snapshot_sealed,    ///< to be published
  };
  struct Boundary {
    LogPlace place;
    std::unique_ptr<txn::FrozenState> state;  ///< null once let go
    bool committed = false;
    Bytes configuration;                ///< once committed
    std::optional<std::uint64_t> left;  ///< rows that had left; nothing without an attic
  };
  /// Where the log stands at the end of the last history written.
  struct Previous {
    Index index;
    Position position;
    Stamp stamp;
    Hash256 chain;
  };
  static Previous place_after(const log::SealedHeader& header);

  log::SealedName name_of(log::SealedKind kind) const { return {kind, config_.group, boundaries_.front().place.index}; }
  const log::SealedHeader* find_published(const log::SealedName& name) const;
  void advance(std::vector<IoOp>& out);
  void begin_history(std::vector<IoOp>& out);
  void write_history(std::vector<IoOp>& out);
  void end_history(const log::SealedHeader& header);
  void begin_run(std::vector<IoOp>& out);
  void write_run(std::vector<IoOp>& out);
  void leave_run_to_others(std::vector<IoOp>& out);
  log::SealedHeader sealed_at(log::SealedKind kind) const;
  void begin_snapshot(std::vector<IoOp>& out);
  void write_snapshot(std::vector<IoOp>& out);
  void end_epoch();
  void let_go_of_oldest();
  void trace(TraceKind kind, LogPlace place, std::vector<TraceEvent>& out) const;

  Config config_;
  log::SealedStore& store_;
  Previous previous_;
  Previous writing_;                 ///< after the entries supplied to writer_
  std::uint64_t left_;               ///< rows that had left at the boundary before the first of boundaries_
  std::deque<Boundary> boundaries_;  ///< ascending; those committed first
  Stage stage_ = Stage::waiting;     ///< of the first
  std::optional<log::HistoryWriter> writer_;
  std::optional<attic::RunWriter> run_;
  std::optional<LogPlace> durable_;
};

}  // namespace coffer::shard
