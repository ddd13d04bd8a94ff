// The only real clocks and the only real entropy of the program. Everything else is told the time.
// Any thread.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/ids.h"
#include "core/base/time.h"

namespace coffer::net {

/// Both clocks, read one after the other, and how wrong the wall clock may be (wall_error_of, asked anew every second
/// and after every jump of the wall clock).
Now read_clocks();

/// What the kernel says of its wall clock (adjtimex(2)).
struct WallReport {
  bool known = false;           ///< it said anything at all
  bool synchronised = false;    ///< something disciplines the clock
  bool in_leap_second = false;  ///< 23:59:60 UTC, for which the clock shows a second twice
  Duration error_max;           ///< half-width at the moment of the report
  Duration resolution;
};
WallReport ask_kernel();
/// Of a clock that nothing disciplines nobody knows the error. This is told instead: the most that NTP counts as a
/// clock at all (MAXDISP, RFC 5905, figure 6), and what Linux itself reports then. A clock that is wrong by more hurts
/// nothing but the honesty of times shown: nothing is ordered by wall time.
inline constexpr Duration wall_error_unknown = seconds(16);
/// A clock between two corrections drifts by less than this (MAXFREQ, RFC 5905; the kernel counts with the same).
inline constexpr std::int64_t drift_max_ppm = 500;
/// The half-width of the interval that surely holds true time, `age` after the report.
/// Ensures: >= resolution; grows with age; never beyond wall_error_unknown and a leap second.
Duration wall_error_of(const WallReport& report, Duration age);
/// Whether the wall clock moved otherwise than the monotonic one between two readings: it was set.
bool has_jumped(const Now& before, const Now& after);

/// The monotonic clock alone; comparable with std::chrono::steady_clock's time since its epoch.
Instant monotonic_now();
/// Processor time of this process so far, all threads, user and system.
Duration processor_time();

/// Fresh randomness of the operating system, for seeds.
std::uint64_t fresh_seed();
/// A random UUID (RFC 9562, version 4).
Uuid fresh_uuid();

/// "2026-11-21T22:15:03.123456789Z" (RFC 3339, always nine digits). Stamps and wall times alike.
std::string rfc3339(std::int64_t nanos_since_1970);

}  // namespace coffer::net
