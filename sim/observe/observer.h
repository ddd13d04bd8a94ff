// What the world shows to oracles: everything observable, nothing of the product's code. An oracle implements the hooks
// it needs and reports violations; it never influences the run. Hooks are called in simulated-time order.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/entry.h"
#include "core/base/ids.h"
#include "core/base/io.h"
#include "core/base/time.h"
#include "core/base/trace.h"
#include "core/router/protocol.h"
#include "core/shard/observation.h"
#include "sim/observe/sim_time.h"

namespace coffer::sim {

/// The world an oracle judges: fixed for a run.
struct Topology {
  std::uint32_t nodes = 0;                   ///< NodeId 1..nodes
  std::uint32_t shards = 0;                  ///< ShardId 1..shards
  std::vector<std::vector<NodeId>> members;  ///< by shard - 1
  Duration id_window;                        ///< how long ids that carry their own time are taken; 0: for ever
  Duration id_grace;                         ///< ... and answered for so much longer
  bool numbered_ids = false;                 ///< ids that carry a number are taken in the order of their numbers
};

/// An entry as a replica committed it. The payload is valid during the call.
struct CommittedEntry {
  ShardId shard;
  Index index;
  Term term;
  EntryKind kind = EntryKind::state;
  ByteView payload;
};

enum class Phase : std::uint8_t {
  setup,        ///< accounts are opened and funded; no faults yet
  running,      ///< workload under faults
  healing,      ///< faults have ended and been repaired; outstanding requests must end
  final_reads,  ///< every account read, every id asked again
  over,
};

/// A packet from another node that a step took in.
struct Heard {
  NodeId from;
  std::uint64_t step = 0;  ///< at the end of which it was sent
  bool surely = false;     ///< the node served before this step; else it may have thrown the packet away unread
};

/// What can be seen of the order of events: all of one step of a node happen after what it heard, and before what it
/// sends.
struct StepShown {
  std::uint64_t step = 0;  ///< 1, 2, 3 … on this node, over all its processes
  std::span<const Heard> heard;
  std::span<const TraceEvent> events;
  std::span<const std::pair<NodeId, std::uint64_t>> vector_time;  ///< as the node tells it, at the end of the step
};

struct Violation {
  std::string oracle;  ///< "O-L1"
  std::string reason;  ///< one sentence with the numbers that contradict each other
};

class Oracle {
 public:
  virtual ~Oracle() = default;
  virtual std::string_view name() const = 0;  ///< "O-L1"

  virtual void on_phase(SimTime, Phase) {}
  virtual void on_trace(SimTime, NodeId, const TraceEvent&) {}
  /// Every step of a node, after its trace.
  virtual void on_step(SimTime, NodeId, const StepShown&) {}
  /// An entry became committed on one replica. Per (node incarnation, shard) ascending and dense, from 1 on: but behind
  /// a place that a trace has announced, as `recovered` with a base (the replica starts from a snapshot) or `restored`
  /// (it installed one), entries go on with the next index. Whatever a snapshot holds has been shown committed before,
  /// so over all replicas the first sights of a shard's entries are dense. Configurations are shown as well.
  virtual void on_committed(SimTime, NodeId, const CommittedEntry&) {}
  /// Taken now and then, and of every live replica at the end of each phase.
  virtual void on_replica(SimTime, NodeId, const shard::Observation&) {}
  /// The same replica with its last `entries` applied entries undone on a copy.
  virtual void on_replica_undone(SimTime, NodeId, const shard::Observation&, std::size_t /*entries*/) {}
  /// What on_durable shows next of this file is not what the node made durable: a fault has changed it behind the
  /// node's back. Told each time while it is so. Told too when a fault has shown the node wrong bytes of the file.
  virtual void on_damaged(SimTime, NodeId, std::string_view /*file*/) {}
  /// The durable bytes of a node's file have changed: `contents` is the whole file as a power cut would leave it if
  /// nothing unsynced got out, empty when it would be gone. So after each sync. And anew for every file, in the order
  /// of their names: after on_crash, as the crash left them, and after on_phase(over).
  virtual void on_durable(SimTime, NodeId, std::string_view /*file*/, ByteView /*contents*/) {}
  virtual void on_crash(SimTime, NodeId) {}
  virtual void on_restart(SimTime, NodeId) {}
  /// A fault empties the node's disk, in the crash that is told next. What was durable there is not the wallet's loss;
  /// but nobody may ever serve under this identity again.
  virtual void on_disk_emptied(SimTime, NodeId) {}
  /// A client called: `op` is unique in the run; the same TransferId may appear in several ops.
  virtual void on_call(SimTime, std::uint32_t /*client*/, std::uint64_t /*op*/, const router::Request&) {}
  /// The call's one answer (status unknown included).
  virtual void on_return(SimTime, std::uint32_t /*client*/, std::uint64_t /*op*/, const router::Reply&) {}
  /// The run is over (quiet: all requests answered, all replicas caught up, or the verdict is `stuck` already).
  virtual void finish(SimTime) {}

  const std::vector<Violation>& violations() const { return violations_; }
  /// Interesting states it has seen (O-H2).
  const std::map<std::string, std::uint64_t>& sometimes() const { return sometimes_; }

 protected:
  void seen(std::string_view state) { ++sometimes_[std::string(state)]; }
  void violated(std::string reason) { violations_.push_back({std::string(name()), std::move(reason)}); }

 private:
  std::vector<Violation> violations_;
  std::map<std::string, std::uint64_t> sometimes_;
};

}  // namespace coffer::sim
