// The log on disk: one append-only write-ahead stream per node for all its groups, and the hard-state file. Owns the
// files' bytes, names and order of operations; a driver only executes. One write and one sync per flush: group commit.
//
// Files: "hard-state" (two checksummed copies) and "stream-000001", "stream-000002", … (segments, zero-filled ahead).
// Grammar and recovery rules: docs/FORMATS.md. Single-threaded.
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
#include "core/base/time.h"
#include "core/base/trace.h"

namespace coffer::log {

/// Stands in every file, so that another node's or another cluster's disk is refused.
struct FileIdentity {
  Uuid cluster;
  Uuid node;
  std::uint32_t incarnation = 1;
};

/// What decides which snapshots a group has, and of what chunks: the same on every replica, for ever. 0: not told.
struct SnapshotSizes {
  std::uint64_t epoch_bytes = 0;
  std::uint32_t chunk_bytes = 0;
  bool operator==(const SnapshotSizes&) const = default;
};

struct StreamConfig {
  FileIdentity identity;
  std::uint64_t segment_size = 64u << 20;  ///< bytes
  /// The first start of this node: an empty directory may be founded. Stays set until a start has once recovered.
  bool may_found = false;
  /// Of a directory that was founded with others the start is refused.
  SnapshotSizes snapshots = {};
};

struct RecoveredGroup {
  HardState hard_state;
  LogPlace base;           ///< a snapshot holds the entries up to here (it may hold more)
  std::vector<Entry> log;  ///< dense from base.index + 1
  bool uncertain = false;  ///< may have lost entries that it had acknowledged (design: recovering)
  LogPlace evidence;       ///< the highest place seen on this disk, lost or not; the log's end when certain
};
struct Recovered {
  std::map<ShardId, RecoveredGroup> groups;
};

/// The durability of what was appended before a flush.
struct Flushed {
  std::uint64_t number = 0;  ///< 1-based; flushes complete in order
};

class Stream {
 public:
  explicit Stream(StreamConfig config);
  ~Stream();

  // --- recovery -------------------------------------------------------------------------------------------------
  /// Emits the first reads. Then hand every IoInput to on_io() until recovered() or failed().
  void start(std::vector<IoOp>& out);
  /// Both recovery and completion of flushes. Unknown tokens are ignored. Sets `completed` numbers (see completed()).
  void on_io(IoToken token, IoStatus status, SharedBytes bytes, std::vector<IoOp>& out, std::vector<TraceEvent>& trace);
  /// Everything read back is durable again (recovery ends with a sync: a file may hold bytes that were never synced).
  bool recovered() const;
  Recovered take_recovered();

  /// Writes an empty frame, so that each life of a disk begins behind the one before: durable_frame() passes
  /// opened_at() when it is durable. False, and nothing written: there is no room. Requires: recovered(), nothing
  /// written (checked).
  bool begin_life(std::vector<IoOp>& out);

  // --- writing (after recovery) ---------------------------------------------------------------------------------
  void append(ShardId group, std::span<const Entry> entries);
  /// Entries at and after `from` are gone. Requires: `from` is behind the base and at most one behind the end
  /// (checked).
  void truncate(ShardId group, Index from);
  void set_hard_state(ShardId group, HardState state);
  /// Whether this node is the group's only voter, by a configuration that has committed. Then nobody could repair its
  /// log: damage refuses the next start, and a torn end leaves no doubt.
  void set_alone(ShardId group, bool alone);
  /// A snapshot at `base` is durable: entries up to it need not stay. If the log holds `base`, the entries behind it
  /// stay; otherwise the log is empty behind it. Requires: not before the present base (checked).
  void restore(ShardId group, LogPlace base);
  /// The group knows again that it has all it ever acknowledged: clears the durable flag with the next flush.
  void set_certain(ShardId group);
  bool has_pending() const;
  /// A flush may begin: none is under way, and there is room for what is pending. (Without room: while the next segment
  /// is being reserved, or until a full disk has space again.)
  bool idle() const;
  /// Writes everything pending: hard state first (write A, sync, write B, sync), then one frame and one sync.
  /// Requires: idle() and has_pending() (checked).
  Flushed flush(std::vector<IoOp>& out);
  /// Highest flush known durable.
  std::uint64_t completed() const;

  /// To be called at the end of every step, after flush(). Reserves the next segment (again after a full disk, with a
  /// pause between), and while nothing is pending gives up segments nobody needs and writes the mark that covers the
  /// last frame: writes of its own, which make the stream busy but have no number.
  void maintain(Instant now, std::vector<IoOp>& out);
  /// When maintain() has something to do; `never` if nothing.
  Instant wake_at() const;

  /// Set for good by a failed write or sync, by corruption and by foreign files: names the file, the position, and what
  /// to do. The node must stop: nothing completes any more. Syncs are never retried.
  const std::string& failure() const;
  bool failed() const { return !failure().empty(); }
  /// The next segment could not be reserved. While this is set the node refuses proposals, hands leadership over and
  /// takes no entries from leaders: what room is left is for hard states, truncations and restores.
  bool full() const;

  /// Number of the last frame known durable: what peers remember of this disk.
  std::uint64_t durable_frame() const;
  /// The same as recovery found it. Less than a peer remembers, in a directory that is not uncertain: an older copy.
  std::uint64_t opened_at() const;
  /// Recovery could not be sure that this is all the disk had been told. Requires: recovered().
  bool opened_in_doubt() const;
  /// The number of this start: higher than that of every earlier life that has recovered, whatever became of its
  /// frames. Requires: recovered().
  std::uint64_t life() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace coffer::log
