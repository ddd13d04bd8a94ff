#include "sim/run/units.h"

#include <catch2/catch.hpp>
#include <rapidcheck.h>

namespace coffer::sim {
namespace {

TEST_CASE("durations have a whole number and a unit") {
  REQUIRE(parse_duration("150ms") == milliseconds(150));
  REQUIRE(parse_duration("0ns") == Duration{});
  REQUIRE(parse_duration("2min") == seconds(120));
  REQUIRE(parse_duration("10m") == seconds(600));
  REQUIRE(parse_duration("1h") == seconds(3600));
  for (const char* bad :
       {"", "5", "ms", "1.5s", "-1s", " 1s", "1s ", "1 s", "1sec", "9223372036854775807s", "99999999999999999999ns"}) {
    INFO(bad);
    REQUIRE_FALSE(parse_duration(bad).has_value());
  }
}

TEST_CASE("sizes have a whole number and a binary unit") {
  REQUIRE(parse_size("10MiB") == 10u << 20);
  REQUIRE(parse_size("1GiB") == 1u << 30);
  REQUIRE(parse_size("512B") == 512);
  for (const char* bad : {"10MB", "10", "1k", "-1B", "0x10B"}) {
    INFO(bad);
    REQUIRE_FALSE(parse_size(bad).has_value());
  }
}

TEST_CASE("property: what is written reads back") {
  REQUIRE(rc::check("property: durations and sizes", [](std::uint32_t number, std::uint16_t scale) {
    const Duration duration{std::int64_t{number} * (scale % 3 == 0 ? 1 : scale % 3 == 1 ? 1000 : 1'000'000'000)};
    RC_ASSERT(parse_duration(format_duration(duration)) == duration);
    RC_ASSERT(parse_size(format_size(number)) == std::uint64_t{number});
  }));
}

TEST_CASE("the largest unit that divides is written") {
  REQUIRE(format_duration(milliseconds(1500)) == "1500ms");
  REQUIRE(format_duration(seconds(120)) == "2min");
  REQUIRE(format_duration(Duration{}) == "0ns");
  REQUIRE(format_size(3u << 20) == "3MiB");
}

TEST_CASE("a word that is nearly right is recognised, one that is far off is not") {
  const std::vector<std::string> known{"crash_restart", "partition", "pause"};
  REQUIRE(nearest("crsh_restart", known) == "crash_restart");
  REQUIRE(nearest("partitions", known) == "partition");
  REQUIRE(nearest("elephant", known).empty());
}

}  // namespace
}  // namespace coffer::sim
