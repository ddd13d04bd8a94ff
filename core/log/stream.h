// The log on disk: one append-only write-ahead stream per node for all its groups, and the hard-state file. Owns the
// files' bytes, names and order of operations; a driver only executes. One write and one sync per flush: group commit.
//
// Files: "hard-state" (two checksummed copies) and "stream-000001", "stream-000002", … (segments, zero-filled ahead).
// Grammar and recovery rules: docs/FORMATS.md.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/base/entry.h"
#include "core/base/ids.h"
#include "core/base/io.h"
#include "core/base/result.h"
#include "core/base/trace.h"

namespace coffer::log {

/// Stands in every file, so that another node's or another cluster's disk is refused.
struct FileIdentity {
  Uuid cluster;
  Uuid node;
  std::uint32_t incarnation = 1;
};

struct Recovered {
  std::map<ShardId, HardState> hard_states;
  std::map<ShardId, std::vector<Entry>> logs;  ///< dense from index 1
};

/// The durability of what was appended before a flush.
struct Flushed {
  std::uint64_t number = 0;  ///< 1-based; flushes complete in order
};

class Stream {
 public:
  Stream(FileIdentity identity, std::uint64_t segment_size);
  ~Stream();

  // --- recovery -------------------------------------------------------------------------------------------------
  /// Emits the first reads. Then hand every IoInput to on_io() until recovered() or failed().
  void start(std::vector<IoOp>& out);
  /// Both recovery and completion of flushes. Unknown tokens are ignored. Sets `completed` numbers (see completed()).
  void on_io(IoToken token, IoStatus status, SharedBytes bytes, std::vector<IoOp>& out, std::vector<TraceEvent>& trace);
  /// Everything read back is durable again (recovery ends with a sync: a file may hold bytes that were never synced).
  bool recovered() const;
  Recovered take_recovered();

  // --- writing (after recovery) ---------------------------------------------------------------------------------
  void append(ShardId group, std::span<const Entry> entries);
  void truncate(ShardId group, Index from);  ///< entries at and after `from` are gone
  void set_hard_state(ShardId group, HardState state);
  bool has_pending() const;
  bool idle() const;  ///< no flush is under way
  /// Writes everything pending: hard state first (write A, sync, write B, sync), then one frame and one sync.
  /// Requires: idle() and has_pending() (checked).
  Flushed flush(std::vector<IoOp>& out);
  /// Highest flush known durable.
  std::uint64_t completed() const;

  /// Set for good by a failed write or sync, by corruption and by foreign files: names the file, the position, and what
  /// to do. The node must stop. Syncs are never retried.
  const std::string& failure() const;
  bool failed() const { return !failure().empty(); }
  /// A segment could not be reserved: appends would not fit. The node refuses proposals while this is set.
  bool full() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace coffer::log
