// The clocks of one machine: true time in, what the machine believes out. Wall time may be off, may run fast or slow
// and may jump; monotonic time may run fast or slow and never goes back.
//
// The machine also believes something about how wrong its wall clock is: what its time service said last, and a drift
// since then. Whatever goes wrong with the clock widens that by as much, so that wall() is within wall_error() of true
// time; only lie() breaks this. Integer arithmetic. Single-threaded.
#pragma once

#include <cstdint>

#include "core/base/time.h"
#include "sim/observe/sim_time.h"

namespace coffer::sim {

class Clock {
 public:
  /// `origin`: what the monotonic clock shows at true time 0.
  explicit Clock(Instant origin) : monotonic_at_(origin), wall_at_(wall_epoch) {}

  Instant monotonic(SimTime now) const;
  WallTime wall(SimTime now) const;
  /// Half-width of the interval around wall() that the machine believes to hold true time.
  Duration wall_error(SimTime now) const;
  /// The first true time at which monotonic() is not before `at`; `now` if that has passed already.
  SimTime when(SimTime now, Instant at) const;

  /// From now on the wall clock shows true time + `offset` and then drifts by `wall_ppm`, the monotonic clock drifts by
  /// `monotonic_ppm` (parts per million, > -1'000'000). The machine believes that it is off by these at most, or by
  /// more.
  void set(SimTime now, Duration offset, std::int32_t wall_ppm, std::int32_t monotonic_ppm);
  /// The machine believes its wall clock to be off by `error` at this moment, and to drift by `ppm` at most. No less
  /// than it is off in truth (checked).
  void believe(SimTime now, Duration error, std::int32_t ppm);
  /// Somebody sets the wall clock forward, or backward; its drift stays.
  void jump(SimTime now, Duration by);
  /// From now on the clocks drift by these; they do not jump.
  void drift(SimTime now, std::int32_t wall_ppm, std::int32_t monotonic_ppm);
  /// The wall clock jumps beyond what the machine believes possible: by `beyond` on its side, which may be negative.
  void lie(SimTime now, Duration beyond);
  /// A machine that lost its power counts monotonic time from somewhere else.
  void restart_monotonic(SimTime now, Instant origin);

 private:
  static std::int64_t drifted(Duration elapsed, std::int32_t ppm);
  void rebase(SimTime now);

  SimTime base_;
  Instant monotonic_at_;  ///< at base_
  WallTime wall_at_;      ///< at base_
  std::int32_t wall_ppm_ = 0;
  std::int32_t monotonic_ppm_ = 0;
  Duration error_at_;  ///< believed at base_
  std::int32_t error_ppm_ = 0;
};

}  // namespace coffer::sim
