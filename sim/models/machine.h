// One machine of the cluster: a process that runs the real node, its disk and its clock. It executes the effects of the
// node exactly as core/node/effects.h promises: the operations of a lane one after the other, the lanes and reserves
// beside each other, messages that follow a sync only when every operation of the stream lane of this and all earlier
// steps has returned ok.
//
// A process is down, up or paused. Inputs that arrive together are taken together; a paused process takes its inputs
// when it resumes. A crash forgets the process; if the power went too, the disk forgets what was not synced.
// Single-threaded; every draw is from a stream of this machine's own.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/node/config.h"
#include "core/node/effects.h"
#include "core/node/node.h"
#include "sim/kernel/kernel.h"
#include "sim/kernel/streams.h"
#include "sim/models/clock.h"
#include "sim/models/disk.h"
#include "sim/models/io_queue.h"
#include "sim/observe/observer.h"

namespace coffer::sim {

/// Means are of the exponential part beyond the floor.
struct MachineConfig {
  Duration step_mean = microseconds(30);  ///< from being ready to being run
  Duration io_floor = microseconds(5);    ///< every operation
  Duration write_mean = microseconds(10);
  Duration sync_floor = microseconds(100);
  Duration sync_mean = microseconds(400);
  // What every machine's clock is like from the start, drawn up to these; the machine knows these bounds.
  Duration wall_offset_max = milliseconds(5);
  std::int32_t wall_ppm_max = 50;
  std::int32_t monotonic_ppm_max = 50;
};

/// How a clock goes wrong: offset and drift of wall time, drift of monotonic time (parts per million).
struct Skew {
  Duration offset;
  std::int32_t wall_ppm = 0;
  std::int32_t monotonic_ppm = 0;
};

enum class CrashKind : std::uint8_t {
  process,  ///< the process dies, the operating system lives: the page cache stays
  power,    ///< the machine dies: the page cache is gone
};

enum class Life : std::uint8_t {
  down,
  up,
  paused,
  dead,     ///< broken: the run is over
  refused,  ///< the node refuses its disk, rightly: nobody starts it again
};

class Machine {
 public:
  Machine(Kernel& kernel, const MachineConfig& machine, node::Config config, std::uint64_t seed);

  NodeId id() const { return config_.identity.node; }
  Life life() const { return life_; }
  bool running() const { return life_ == Life::up || life_ == Life::paused; }
  /// How often the process has been started.
  std::uint64_t boot_number() const { return boot_; }
  bool io_pending() const { return io_.pending(); }
  Disk& disk() { return disk_; }
  const Disk& disk() const { return disk_; }
  const Clock& clock() const { return clock_; }
  /// Now, as the node is told it.
  Now time() const;
  /// The clock goes wrong (see clock.h); the last one sets it right, as it was from the start.
  void skew(const Skew& skew);
  void jump(Duration by) { clock_.jump(kernel_.now(), by); }
  void drift(std::int32_t wall_ppm, std::int32_t monotonic_ppm) {
    clock_.drift(kernel_.now(), wall_ppm, monotonic_ppm);
  }
  void lie(Duration beyond) { clock_.lie(kernel_.now(), beyond); }
  void unskew();
  /// Requires: running() (checked).
  const node::Node& node() const;

  /// Requires: down (checked).
  void boot();
  /// Requires: running() (checked). Operations under way are cut off somewhere. The damage is empty if only the process
  /// dies; should one of its operations fail after it, the power goes too, or the next process would read what is not
  /// durable and not know.
  Damage crash(CrashKind kind, const DamagePolicy& policy);
  void pause();
  void resume();
  /// The process can never continue.
  void die() { life_ = Life::dead; }
  /// A fault has done something to the disk for which the node may refuse to go on.
  void excuse_refusal() { refusal_excused_ = true; }
  bool refusal_excused() const { return refusal_excused_; }
  /// Requires: running(), and that it is excused (checked).
  void refuse();
  /// All files vanish, and so they stay. Requires: down (checked).
  void empty_disk();
  /// Neither this process nor any other with its identity may serve again.
  bool lost_for_good() const { return emptied_ || life_ == Life::refused; }

  // --- what goes wrong with its disk
  /// Operations that begin take `times` as long.
  void slow_disk(std::uint64_t strike, std::uint32_t times) { slowed_by_[strike] = times; }
  /// No operation returns.
  void stick_disk(std::uint64_t strike) { stuck_by_.insert(strike); }
  /// How long a write and its sync take on average now; nothing while none returns, or none that grows a file.
  std::optional<Duration> time_to_store() const;
  /// The strike is over, on the disk too (scars stay).
  void heal_disk(std::uint64_t strike);
  /// Whether this process has been told that an operation failed.
  bool disk_failed() const { return disk_failed_; }
  /// The power of a machine that is down goes and comes back. Requires: down (checked).
  Damage cut_power(const DamagePolicy& policy);
  /// Since the last call; without a file where operations only took longer.
  std::vector<DiskHit> take_disk_hits();

  /// An input; `keep` owns the bytes it views. `sent`: a frame's sender sent it at the end of this step of its own; 0
  /// for everything else. False: the process is down, or too far behind to take more.
  bool receive(node::Input input, SharedBytes keep, std::uint64_t sent = 0);

  void on_io_done(const Event& event);
  void on_wake(const Event& event);
  /// Whether the node was run: effects() then holds what it wants. Stale and paused turns run nothing.
  bool on_step(const Event& event);
  /// Of the last step. Operations have been taken over already; sends, replies and the rest are the caller's to
  /// execute.
  const node::Effects& effects() const { return effects_; }
  void swap_effects(node::Effects& other) { std::swap(effects_, other); }
  /// Steps so far, over all processes; the last one's number.
  std::uint64_t steps() const { return steps_; }
  /// Frames that the last step took in.
  const std::vector<Heard>& heard() const { return heard_; }
  /// A message, and the step at the end of which it was sent.
  struct Outgoing {
    node::Send send;
    std::uint64_t step = 0;
  };
  /// Messages that followed a sync and may leave now.
  std::vector<Outgoing> take_released();

 private:
  void request_step();
  void take_inputs();
  void forget_inputs();
  void take_over_io();
  void set_alarm();
  void schedule(const std::vector<IoQueue::Begun>& begun);
  std::int64_t slowest() const;
  Duration duration_of(IoKind kind, IoLane lane);
  Event event(EventKind kind, std::uint64_t number = 0) const;

  Kernel& kernel_;
  MachineConfig machine_;
  node::Config config_;
  std::uint64_t seed_;
  Prng process_prng_;
  Prng disk_prng_;
  Prng damage_prng_;
  Clock clock_;
  Skew natural_;
  Disk disk_;

  Life life_ = Life::down;
  std::uint64_t boot_ = 0;
  bool founded_ = false;  ///< a process has served from this disk
  bool refusal_excused_ = false;
  bool emptied_ = false;
  std::unique_ptr<node::Node> node_;
  std::vector<node::Input> inbox_;
  std::vector<SharedBytes> kept_;
  std::vector<std::uint64_t> sent_;  ///< by place in inbox_
  std::vector<node::Input> taken_;
  std::vector<SharedBytes> taken_kept_;
  std::vector<Heard> heard_;
  std::uint64_t steps_ = 0;
  std::deque<std::uint64_t> held_steps_;  ///< of the messages that io_ holds, in order
  node::Effects effects_;
  bool step_scheduled_ = false;
  Instant alarm_at_ = never;
  std::uint64_t alarm_ = 0;

  IoQueue io_;
  std::map<std::uint64_t, std::uint32_t> slowed_by_;  ///< strike -> how many times as long
  std::set<std::uint64_t> stuck_by_;                  ///< strikes
  std::vector<std::uint64_t> stalled_;                ///< places of operations that are done and cannot return
  std::set<std::uint64_t> delays_;                    ///< strikes
  bool disk_failed_ = false;
};

}  // namespace coffer::sim
