#include "sim/models/clock.h"

#include <catch2/catch.hpp>
#include <rapidcheck.h>

namespace coffer::sim {
namespace {

TEST_CASE("an undisturbed clock shows true time") {
  const Clock clock(Instant{500});
  REQUIRE(clock.monotonic(SimTime{1000}) == Instant{1500});
  REQUIRE(clock.wall(SimTime{1000}) == WallTime{wall_epoch.nanos + 1000});
}

TEST_CASE("a wall clock jumps and drifts, and its monotonic companion does not jump") {
  Clock clock(Instant{0});
  const SimTime now{seconds(10).nanos};
  clock.set(now, seconds(-3600), 100'000, -50'000);
  REQUIRE(clock.monotonic(now) == Instant{now.nanos});
  REQUIRE(clock.wall(now) == WallTime{wall_epoch.nanos + now.nanos - seconds(3600).nanos});
  const SimTime later = now + seconds(10);
  REQUIRE(clock.wall(later).nanos - clock.wall(now).nanos == seconds(11).nanos);
  REQUIRE((clock.monotonic(later) - clock.monotonic(now)) == milliseconds(9500));
}

TEST_CASE("property: an alarm rings at the first instant at which the clock shows its time") {
  REQUIRE(rc::check("property: when() inverts monotonic()",
                    [](std::uint32_t start, std::uint32_t wait, std::uint16_t drift) {
                      Clock clock(Instant{12345});
                      clock.set(SimTime{start}, Duration{}, 0, static_cast<std::int32_t>(drift) - 30'000);
                      const SimTime now{std::int64_t{start} + 1000};
                      const Instant at = clock.monotonic(now) + Duration{wait};
                      const SimTime rings = clock.when(now, at);
                      RC_ASSERT(rings >= now);
                      RC_ASSERT(clock.monotonic(rings) >= at);
                      RC_ASSERT(rings == now || clock.monotonic(SimTime{rings.nanos - 1}) < at);
                    }));
}

TEST_CASE("property: monotonic time never goes back, however the clock is set") {
  REQUIRE(rc::check("property: monotonic", [](const std::vector<std::pair<std::uint16_t, std::int16_t>>& settings) {
    Clock clock(Instant{1});
    SimTime now;
    Instant last = clock.monotonic(now);
    for (const auto& [wait, drift] : settings) {
      now = now + Duration{wait};
      RC_ASSERT(clock.monotonic(now) >= last);
      last = clock.monotonic(now);
      clock.set(now, Duration{drift * 1'000'000LL}, drift, drift * 10);
      RC_ASSERT(clock.monotonic(now) == last);
    }
  }));
}

TEST_CASE("a time that has passed rings at once") {
  const Clock clock(Instant{1000});
  REQUIRE(clock.when(SimTime{50}, Instant{3}) == SimTime{50});
}

}  // namespace
}  // namespace coffer::sim
