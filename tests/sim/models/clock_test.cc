#include "sim/models/clock.h"

#include <algorithm>
#include <tuple>

#include <catch2/catch.hpp>
#include <rapidcheck.h>

#include "core/base/check.h"

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

Duration off(const Clock& clock, SimTime now) { return Duration{clock.wall(now).nanos - wall_epoch.nanos - now.nanos}; }
bool honest(const Clock& clock, SimTime now) {
  const Duration by = off(clock, now);
  return std::max(by, by * -1) <= clock.wall_error(now);
}

TEST_CASE("a machine believes its wall clock no better than its time service said, and drift since then") {
  Clock clock(Instant{0});
  const SimTime now{seconds(10).nanos};
  clock.set(now, milliseconds(-3), 20, 0);
  clock.believe(now, milliseconds(5), 50);
  REQUIRE(clock.wall_error(now) == milliseconds(5));
  REQUIRE(clock.wall_error(now + seconds(100)) == milliseconds(10));
  REQUIRE_THROWS_AS(clock.believe(now, milliseconds(2), 50), CheckFailure);
  REQUIRE_THROWS_AS(clock.believe(now, milliseconds(5), 10), CheckFailure);
}

TEST_CASE("a jump moves the wall clock only, and widens what is believed of its error") {
  Clock clock(Instant{7});
  const SimTime now{1000};
  clock.jump(now, seconds(-90));
  REQUIRE(off(clock, now) == seconds(-90));
  REQUIRE(clock.monotonic(now) == Instant{1007});
  REQUIRE(clock.wall_error(now) == seconds(90));
  clock.jump(now, seconds(30));
  REQUIRE(off(clock, now) == seconds(-60));
  REQUIRE(honest(clock, now + seconds(50)));
}

TEST_CASE("a drift changes how fast the clocks run, not what they show") {
  Clock clock(Instant{0});
  clock.set(SimTime{}, seconds(1), 0, 0);
  const SimTime now{seconds(2).nanos};
  clock.drift(now, -500'000, 100'000);
  REQUIRE(off(clock, now) == seconds(1));
  REQUIRE(clock.monotonic(now) == Instant{now.nanos});
  REQUIRE(off(clock, now + seconds(2)) == Duration{});  // a second smeared over two
  REQUIRE(clock.monotonic(now + seconds(10)) == Instant{now.nanos + seconds(11).nanos});
}

TEST_CASE("a clock that lies is outside its own bound, on the side it was told, and knows nothing of it") {
  for (const std::int64_t beyond : {std::int64_t{0}, seconds(2).nanos, seconds(-2).nanos}) {
    Clock clock(Instant{0});
    const SimTime now{seconds(5).nanos};
    clock.set(SimTime{}, milliseconds(3), 10, 0);
    clock.believe(SimTime{}, milliseconds(5), 50);
    const Duration before = clock.wall_error(now);
    clock.lie(now, Duration{beyond});
    REQUIRE(clock.wall_error(now) == before);
    REQUIRE_FALSE(honest(clock, now));
    REQUIRE((off(clock, now) > Duration{}) == (beyond >= 0));
  }
}

TEST_CASE("property: true time is within the bound, whatever happens to a clock that does not lie") {
  REQUIRE(rc::check("property: wall_error bounds the error",
                    [](const std::vector<std::tuple<std::uint32_t, std::int32_t, std::uint8_t>>& changes) {
                      Clock clock(Instant{1});
                      clock.believe(SimTime{}, milliseconds(1), 100);
                      SimTime now;
                      for (const auto& [wait, much, what] : changes) {
                        now = now + Duration{std::int64_t{wait} * 10};
                        RC_ASSERT(honest(clock, now));
                        if (what % 3 == 0) clock.jump(now, Duration{std::int64_t{much} * 1000});
                        if (what % 3 == 1) clock.drift(now, much % 500'000, 0);
                        if (what % 3 == 2) clock.set(now, Duration{much}, much % 500'000, 0);
                        RC_ASSERT(honest(clock, now));
                        RC_ASSERT(honest(clock, now + seconds(100)));
                      }
                    }));
}

TEST_CASE("a time that has passed rings at once") {
  const Clock clock(Instant{1000});
  REQUIRE(clock.when(SimTime{50}, Instant{3}) == SimTime{50});
}

}  // namespace
}  // namespace coffer::sim
