#include "net/driver/clock.h"

#include <algorithm>
#include <chrono>
#include <cstdio>

#include <sys/random.h>
#include <sys/resource.h>
#include <sys/timex.h>
#include <time.h>

#include "core/base/check.h"

namespace coffer::net {

Instant monotonic_now() {
  const auto since_epoch = std::chrono::steady_clock::now().time_since_epoch();
  return {std::chrono::duration_cast<std::chrono::nanoseconds>(since_epoch).count()};
}

WallReport ask_kernel() {
  timex state{};  // modes 0: reads only
  const int mode = ::adjtimex(&state);
  timespec resolution{};
  WallReport report;
  report.known = mode >= 0 && ::clock_getres(CLOCK_REALTIME, &resolution) == 0;
  report.synchronised = report.known && mode != TIME_ERROR && (state.status & STA_UNSYNC) == 0;
  report.in_leap_second = mode == TIME_OOP;
  report.error_max = microseconds(std::max<std::int64_t>(state.maxerror, 0));
  report.resolution = seconds(resolution.tv_sec) + nanoseconds(resolution.tv_nsec);
  return report;
}

Duration wall_error_of(const WallReport& report, Duration age) {
  const Duration drifted = nanoseconds(std::max<std::int64_t>(age.nanos, 0) / 1'000'000 * drift_max_ppm);
  const Duration leap = report.in_leap_second ? seconds(1) : Duration{};
  if (!report.known || !report.synchronised) {
    return wall_error_unknown + leap;
  }
  return std::min(report.error_max + report.resolution + drifted, wall_error_unknown) + leap;
}

bool has_jumped(const Now& before, const Now& after) {
  const Duration by_wall = nanoseconds(after.wall.nanos - before.wall.nanos);
  const Duration by_monotonic = after.monotonic - before.monotonic;
  const Duration apart = by_wall < by_monotonic ? by_monotonic - by_wall : by_wall - by_monotonic;
  // Between the two readings of one moment the thread may have rested; a clock that is slewed moves by less than this.
  return apart > milliseconds(10);
}

Now read_clocks() {
  constexpr Duration asked_every = seconds(1);
  struct Known {
    WallReport report;
    Now when;
    bool asked = false;
  };
  thread_local Known known;  // the kernel's answer costs more than the clocks
  const auto wall = std::chrono::system_clock::now().time_since_epoch();
  Now now{.monotonic = monotonic_now(),
          .wall = {std::chrono::duration_cast<std::chrono::nanoseconds>(wall).count()},
          .wall_error = {}};
  if (!known.asked || now.monotonic - known.when.monotonic >= asked_every || has_jumped(known.when, now)) {
    known = {.report = ask_kernel(), .when = now, .asked = true};
  }
  now.wall_error = wall_error_of(known.report, now.monotonic - known.when.monotonic);
  return now;
}

Duration processor_time() {
  rusage usage{};
  check(getrusage(RUSAGE_SELF, &usage) == 0, "the kernel tells a process what it has used");
  const auto nanos = [](const timeval& t) { return t.tv_sec * 1'000'000'000 + t.tv_usec * 1'000; };
  return nanoseconds(nanos(usage.ru_utime) + nanos(usage.ru_stime));
}

std::uint64_t fresh_seed() {
  std::uint64_t seed = 0;
  check(getrandom(&seed, sizeof seed, 0) == sizeof seed, "the kernel gives eight random bytes");
  return seed;
}

Uuid fresh_uuid() {
  Uuid uuid;
  check(getrandom(uuid.bytes.data(), uuid.bytes.size(), 0) == static_cast<ssize_t>(uuid.bytes.size()),
        "the kernel gives sixteen random bytes");
  uuid.bytes[6] = static_cast<std::uint8_t>((uuid.bytes[6] & 0x0Fu) | 0x40u);
  uuid.bytes[8] = static_cast<std::uint8_t>((uuid.bytes[8] & 0x3Fu) | 0x80u);
  return uuid;
}

std::string rfc3339(std::int64_t nanos_since_1970) {
  std::int64_t seconds = nanos_since_1970 / 1'000'000'000;
  std::int64_t nanos = nanos_since_1970 % 1'000'000'000;
  if (nanos < 0) {
    nanos += 1'000'000'000;
    --seconds;
  }
  const time_t time = seconds;
  tm parts{};
  gmtime_r(&time, &parts);
  char text[64];
  const int size =
      std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%09dZ", parts.tm_year + 1900, parts.tm_mon + 1,
                    parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, static_cast<int>(nanos));
  return {text, static_cast<std::size_t>(size)};
}

}  // namespace coffer::net
