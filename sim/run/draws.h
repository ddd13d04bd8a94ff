// What the swarm draws of every world: sizes, times, and the load (sim/run/swarm.h).
#pragma once

#include <cstdint>

#include "core/base/prng.h"
#include "core/base/time.h"
#include "sim/run/scenario.h"

namespace coffer::sim {

// Sites of the swarm's streams: what is drawn at one never moves what is drawn at another.
enum Site : std::uint64_t {
  world_site,
  tuning_site,
  workload_site,
  times_site,
  mood_site,
  realms_site,
  fault_site = 100
};

inline std::uint32_t draw(Prng& prng, std::int64_t low, std::int64_t high) {
  return static_cast<std::uint32_t>(prng.between(low, high));
}
inline Duration draw_us(Prng& prng, std::int64_t low, std::int64_t high) {
  return microseconds(prng.between(low, high));
}
inline Duration draw_ms(Prng& prng, std::int64_t low, std::int64_t high) {
  return milliseconds(prng.between(low, high));
}
/// Small values as often as large ones: uniform over the magnitudes between.
inline Duration draw_magnitude_us(Prng& prng, std::int64_t low, std::int64_t doublings) {
  const std::int64_t base = low << prng.below(static_cast<std::uint64_t>(doublings));
  return microseconds(prng.between(base, base * 2));
}

void draw_tuning(Scenario& scenario, std::uint64_t seed);
void draw_workload(Scenario& scenario, std::uint64_t seed);
/// Some worlds have several tenants, whose accounts have the same names, and some amounts beyond 32 bits, up to those
/// that no floating-point number holds.
void draw_realms(Scenario& scenario, std::uint64_t seed);
void draw_times(Scenario& scenario, std::uint64_t seed);

}  // namespace coffer::sim
