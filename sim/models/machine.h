// One machine of the cluster: a process that runs the real node, its disk and its clock. It executes the effects of the
// node exactly as core/node/effects.h promises: operations one after the other, reserves beside them, messages that
// follow a sync only when every operation of this and all earlier steps has returned ok.
//
// A process is down, up or paused. Inputs that arrive together are taken together; a paused process takes its inputs
// when it resumes. A crash forgets the process; if the power went too, the disk forgets what was not synced.
// Single-threaded; every draw is from a stream of this machine's own.
#pragma once

#include <cstdint>
#include <memory>
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

namespace coffer::sim {

/// Means are of the exponential part beyond the floor.
struct MachineConfig {
  Duration step_mean = microseconds(30);  ///< from being ready to being run
  Duration io_floor = microseconds(5);    ///< every operation
  Duration write_mean = microseconds(10);
  Duration sync_floor = microseconds(100);
  Duration sync_mean = microseconds(400);
  // What every machine's clock is like from the start, drawn up to these.
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

enum class Life : std::uint8_t { down, up, paused, dead };

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
  /// The clock goes wrong, and becomes again what it was from the start.
  void skew(const Skew& skew);
  void unskew() { skew(natural_); }
  /// Requires: running() (checked).
  const node::Node& node() const;

  /// Requires: down (checked).
  void boot();
  /// Requires: running() (checked). Operations under way are cut off somewhere. The damage is empty if only the process
  /// dies.
  Damage crash(CrashKind kind, const DamagePolicy& policy);
  void pause();
  void resume();
  /// The process can never continue.
  void die() { life_ = Life::dead; }

  /// An input; `keep` owns the bytes it views. False: the process is down, or too far behind to take more.
  bool receive(node::Input input, SharedBytes keep);

  void on_io_done(const Event& event);
  void on_wake(const Event& event);
  /// Whether the node was run: effects() then holds what it wants. Stale and paused turns run nothing.
  bool on_step(const Event& event);
  /// Of the last step. Operations have been taken over already; sends, replies and the rest are the caller's to
  /// execute.
  const node::Effects& effects() const { return effects_; }
  void swap_effects(node::Effects& other) { std::swap(effects_, other); }
  /// Messages that followed a sync and may leave now.
  std::vector<node::Send> take_released();

 private:
  void request_step();
  void take_over_io();
  void set_alarm();
  void schedule(const std::vector<IoQueue::Begun>& begun);
  Duration duration_of(IoKind kind);
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
  std::unique_ptr<node::Node> node_;
  std::vector<node::Input> inbox_;
  std::vector<SharedBytes> kept_;
  std::vector<node::Input> taken_;
  std::vector<SharedBytes> taken_kept_;
  node::Effects effects_;
  bool step_scheduled_ = false;
  Instant alarm_at_ = never;
  std::uint64_t alarm_ = 0;

  IoQueue io_;
};

}  // namespace coffer::sim
