#include "net/driver/clock.h"

#include <catch2/catch.hpp>
#include <rapidcheck.h>

using namespace coffer;
using net::wall_error_of;
using net::wall_error_unknown;
using net::WallReport;

namespace {

WallReport disciplined(Duration error) {
  return {.known = true, .synchronised = true, .error_max = error, .resolution = nanoseconds(1)};
}

Now at(std::int64_t monotonic_ms, std::int64_t wall_ms) {
  return {.monotonic = {monotonic_ms * 1'000'000}, .wall = {wall_ms * 1'000'000}, .wall_error = {}};
}

}  // namespace

TEST_CASE("the wall clock's error is what the kernel vouches for, and the clock's resolution (adjtimex(2))") {
  CHECK(wall_error_of(disciplined(milliseconds(3)), {}) == milliseconds(3) + nanoseconds(1));
}

TEST_CASE("a report grows old: the clock may drift by 500 ppm (RFC 5905, MAXFREQ)") {
  const WallReport report = disciplined(milliseconds(3));
  CHECK(wall_error_of(report, seconds(1)) - wall_error_of(report, {}) == microseconds(500));
  CHECK(wall_error_of(report, seconds(-5)) == wall_error_of(report, {}));
}

TEST_CASE("of a clock that nothing disciplines the error is taken to be 16 s (RFC 5905, MAXDISP)") {
  WallReport report = disciplined(milliseconds(3));
  report.synchronised = false;
  CHECK(wall_error_of(report, {}) == seconds(16));
  CHECK(wall_error_of({}, {}) == seconds(16));
  CHECK(wall_error_of(disciplined(seconds(90)), {}) == seconds(16));
}

TEST_CASE("while a leap second is shown twice the clock may be a second further off") {
  WallReport report = disciplined(milliseconds(3));
  report.in_leap_second = true;
  CHECK(wall_error_of(report, {}) == seconds(1) + milliseconds(3) + nanoseconds(1));
}

TEST_CASE("a wall clock that was set is noticed, one that is slewed is not called so") {
  CHECK_FALSE(net::has_jumped(at(0, 500), at(1000, 1500)));
  CHECK_FALSE(net::has_jumped(at(0, 500), at(1000, 1501)));
  CHECK(net::has_jumped(at(0, 500), at(1000, 1600)));
  CHECK(net::has_jumped(at(0, 500), at(1000, 1400)));
  CHECK(net::has_jumped(at(0, 500), at(1, -3'600'000)));
}

TEST_CASE("property: the error grows with the report's age and never leaves its bounds") {
  REQUIRE(rc::check([](std::uint32_t error_us, std::uint32_t age_us, std::uint32_t more_us, bool synchronised) {
    WallReport report = disciplined(microseconds(error_us));
    report.synchronised = synchronised;
    const Duration error = wall_error_of(report, microseconds(age_us));
    RC_ASSERT(error >= report.resolution);
    RC_ASSERT(error <= wall_error_unknown);
    RC_ASSERT(error <= wall_error_of(report, microseconds(std::int64_t{age_us} + more_us)));
  }));
}

TEST_CASE("this machine's clock never claims to be exact, and says what its kernel says") {
  const Now now = net::read_clocks();
  const WallReport report = net::ask_kernel();
  CHECK(now.wall_error > Duration{});
  CHECK(now.wall_error <= wall_error_unknown + seconds(1));
  if (!report.synchronised) {
    CHECK(now.wall_error >= wall_error_unknown);
  } else {
    CHECK(now.wall_error >= report.resolution);
  }
}
