// True time of the simulated world.
#pragma once

#include <compare>
#include <cstdint>

#include "core/base/time.h"

namespace coffer::sim {

/// Simulated true time since the start of the run, nanoseconds. No node can see it.
struct SimTime {
  std::int64_t nanos = 0;
  constexpr auto operator<=>(const SimTime&) const = default;
};
constexpr SimTime operator+(SimTime t, Duration d) { return {t.nanos + d.nanos}; }
constexpr Duration operator-(SimTime a, SimTime b) { return {a.nanos - b.nanos}; }

/// Wall time at the start of every run: 2024-01-01T00:00:00Z.
inline constexpr WallTime wall_epoch{1'704'067'200'000'000'000};

}  // namespace coffer::sim
