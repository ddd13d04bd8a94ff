#include "sim/models/clock.h"

#include <algorithm>

#include "core/base/check.h"

namespace coffer::sim {

namespace {
constexpr std::int64_t million = 1'000'000;
}

std::int64_t Clock::drifted(Duration elapsed, std::int32_t ppm) {
  return elapsed.nanos + static_cast<std::int64_t>(static_cast<__int128>(elapsed.nanos) * ppm / million);
}

Instant Clock::monotonic(SimTime now) const { return monotonic_at_ + Duration{drifted(now - base_, monotonic_ppm_)}; }

WallTime Clock::wall(SimTime now) const { return {wall_at_.nanos + drifted(now - base_, wall_ppm_)}; }

SimTime Clock::when(SimTime now, Instant at) const {
  const Instant shown = monotonic(now);
  if (at <= shown) return now;
  // Rounded down twice, so a few nanoseconds may be missing.
  const __int128 wait = static_cast<__int128>((at - shown).nanos) * million / (million + monotonic_ppm_);
  SimTime then = now + Duration{static_cast<std::int64_t>(std::min<__int128>(wait, INT64_MAX / 4))};
  while (monotonic(then) < at && then.nanos < INT64_MAX / 4) ++then.nanos;
  return then;
}

void Clock::rebase(SimTime now) {
  monotonic_at_ = monotonic(now);
  wall_at_ = wall(now);
  base_ = now;
}

void Clock::set(SimTime now, Duration offset, std::int32_t wall_ppm, std::int32_t monotonic_ppm) {
  check(wall_ppm > -million && monotonic_ppm > -million, "clocks go forward");
  rebase(now);
  wall_at_ = {wall_epoch.nanos + now.nanos + offset.nanos};
  wall_ppm_ = wall_ppm;
  monotonic_ppm_ = monotonic_ppm;
}

void Clock::restart_monotonic(SimTime now, Instant origin) {
  rebase(now);
  monotonic_at_ = origin;
}

}  // namespace coffer::sim
