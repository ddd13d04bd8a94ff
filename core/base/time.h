// Time as input. Core never reads a clock: a driver hands `Now` to every step. All units are nanoseconds.
#pragma once

#include <compare>
#include <cstdint>

namespace coffer {

/// A length of time, nanoseconds, may be negative.
struct Duration {
  std::int64_t nanos = 0;
  constexpr auto operator<=>(const Duration&) const = default;
  constexpr std::int64_t millis() const { return nanos / 1'000'000; }
};
constexpr Duration nanoseconds(std::int64_t n) { return {n}; }
constexpr Duration microseconds(std::int64_t n) { return {n * 1'000}; }
constexpr Duration milliseconds(std::int64_t n) { return {n * 1'000'000}; }
constexpr Duration seconds(std::int64_t n) { return {n * 1'000'000'000}; }
constexpr Duration operator+(Duration a, Duration b) { return {a.nanos + b.nanos}; }
constexpr Duration operator-(Duration a, Duration b) { return {a.nanos - b.nanos}; }
constexpr Duration operator*(Duration a, std::int64_t k) { return {a.nanos * k}; }
constexpr Duration operator/(Duration a, std::int64_t k) { return {a.nanos / k}; }

/// A point on one node's monotonic clock. Never compared between nodes, never stored on disk.
struct Instant {
  std::int64_t nanos = 0;
  constexpr auto operator<=>(const Instant&) const = default;
};
constexpr Instant operator+(Instant t, Duration d) { return {t.nanos + d.nanos}; }
constexpr Instant operator-(Instant t, Duration d) { return {t.nanos - d.nanos}; }
constexpr Duration operator-(Instant a, Instant b) { return {a.nanos - b.nanos}; }
/// Later than every instant a clock can show.
inline constexpr Instant never{INT64_MAX};

/// A reading of the wall clock: nanoseconds since 1970-01-01T00:00:00Z. May be wrong, may jump; never used for order.
struct WallTime {
  std::int64_t nanos = 0;
  constexpr auto operator<=>(const WallTime&) const = default;
};

/// The stamp of a log entry: nanoseconds since 1970, strictly increasing within a shard.
struct Stamp {
  std::int64_t nanos = 0;
  constexpr auto operator<=>(const Stamp&) const = default;
};

/// What a driver knows about time when it calls step().
struct Now {
  Instant monotonic;
  WallTime wall;
  Duration wall_error;  ///< half-width of the interval around `wall` that holds true time, as far as the driver knows
};

}  // namespace coffer
