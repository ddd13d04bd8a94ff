#include "sim/models/clock.h"

#include <algorithm>
#include <cstdlib>

#include "core/base/check.h"

namespace coffer::sim {

namespace {
constexpr std::int64_t million = 1'000'000;

constexpr Duration magnitude(Duration d) { return d < Duration{} ? Duration{} - d : d; }
}  // namespace

std::int64_t Clock::drifted(Duration elapsed, std::int32_t ppm) {
  return elapsed.nanos + static_cast<std::int64_t>(static_cast<__int128>(elapsed.nanos) * ppm / million);
}

Instant Clock::monotonic(SimTime now) const { return monotonic_at_ + Duration{drifted(now - base_, monotonic_ppm_)}; }

WallTime Clock::wall(SimTime now) const { return {wall_at_.nanos + drifted(now - base_, wall_ppm_)}; }

Duration Clock::wall_error(SimTime now) const {
  const Duration elapsed = now - base_;
  return error_at_ + Duration{drifted(elapsed, error_ppm_)} - elapsed;
}

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
  error_at_ = wall_error(now);
  base_ = now;
}

void Clock::set(SimTime now, Duration offset, std::int32_t wall_ppm, std::int32_t monotonic_ppm) {
  check(wall_ppm > -million && monotonic_ppm > -million, "clocks go forward");
  rebase(now);
  wall_at_ = {wall_epoch.nanos + now.nanos + offset.nanos};
  wall_ppm_ = wall_ppm;
  monotonic_ppm_ = monotonic_ppm;
  error_at_ = magnitude(offset);
  error_ppm_ = std::abs(wall_ppm);
}

void Clock::believe(SimTime now, Duration error, std::int32_t ppm) {
  rebase(now);
  const Duration off{wall_at_.nanos - wall_epoch.nanos - now.nanos};
  check(error >= magnitude(off) && ppm >= std::abs(wall_ppm_), "what is believed of a clock holds for it");
  error_at_ = error;
  error_ppm_ = ppm;
}

void Clock::jump(SimTime now, Duration by) {
  rebase(now);
  wall_at_.nanos += by.nanos;
  error_at_ = error_at_ + magnitude(by);
}

void Clock::drift(SimTime now, std::int32_t wall_ppm, std::int32_t monotonic_ppm) {
  check(wall_ppm > -million && monotonic_ppm > -million, "clocks go forward");
  rebase(now);
  wall_ppm_ = wall_ppm;
  monotonic_ppm_ = monotonic_ppm;
  error_ppm_ = std::max(error_ppm_, std::abs(wall_ppm));
}

void Clock::lie(SimTime now, Duration beyond) {
  rebase(now);
  const Duration off{wall_at_.nanos - wall_epoch.nanos - now.nanos};
  const Duration edge = error_at_ + Duration{1} + magnitude(beyond);
  wall_at_.nanos += (beyond < Duration{} ? Duration{} - edge : edge).nanos - off.nanos;
}

void Clock::restart_monotonic(SimTime now, Instant origin) {
  rebase(now);
  monotonic_at_ = origin;
}

}  // namespace coffer::sim
