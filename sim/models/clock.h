// The clocks of one machine: true time in, what the machine believes out. Wall time may be off, may run fast or slow
// and may jump; monotonic time may run fast or slow and never goes back. Integer arithmetic. Single-threaded.
#pragma once

#include <cstdint>

#include "core/base/time.h"
#include "sim/observe/sim_time.h"

namespace coffer::sim {

/// Wall time at the start of every run: 2024-01-01T00:00:00Z.
inline constexpr WallTime wall_epoch{1'704'067'200'000'000'000};

class Clock {
 public:
  /// `origin`: what the monotonic clock shows at true time 0.
  explicit Clock(Instant origin) : monotonic_at_(origin), wall_at_(wall_epoch) {}

  Instant monotonic(SimTime now) const;
  WallTime wall(SimTime now) const;
  /// The first true time at which monotonic() is not before `at`; `now` if that has passed already.
  SimTime when(SimTime now, Instant at) const;

  /// From now on the wall clock shows true time + `offset` and then drifts by `wall_ppm`, the monotonic clock drifts by
  /// `monotonic_ppm` (parts per million, > -1'000'000).
  void set(SimTime now, Duration offset, std::int32_t wall_ppm, std::int32_t monotonic_ppm);
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
};

}  // namespace coffer::sim
