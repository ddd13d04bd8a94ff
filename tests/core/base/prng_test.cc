#include "core/base/prng.h"

#include <cstdint>
#include <set>
#include <vector>

#include <catch2/catch.hpp>

namespace {

using namespace coffer;

std::vector<std::uint64_t> draws(Prng prng, int count) {
  std::vector<std::uint64_t> values;
  for (int i = 0; i < count; ++i) values.push_back(prng.next());
  return values;
}

TEST_CASE("mix64 is the output function of SplitMix64 (Steele, Lea, Flood 2014)") {
  // The published first outputs for seed 1234567.
  std::uint64_t state = 1234567;
  for (const std::uint64_t expected :
       {6457827717110365317ull, 3203168211198807973ull, 9817491932198370423ull, 4593380528125082431ull}) {
    REQUIRE(mix64(state) == expected);
    state += 0x9E3779B97F4A7C15u;
  }
}

TEST_CASE("streams are the same for ever: golden values") {
  REQUIRE(draws(Prng(1), 3) ==
          std::vector<std::uint64_t>{18339807072266661413u, 13348101445345318097u, 17113772646624365674u});
  REQUIRE(draws(Prng(1, 2, 3, 4), 3) ==
          std::vector<std::uint64_t>{5931569397135600972u, 17782368866520444264u, 12321242410536876157u});
}

TEST_CASE("streams of different keys share no draw") {
  std::set<std::uint64_t> seen;
  std::size_t count = 0;
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    for (std::uint64_t domain = 0; domain < 3; ++domain) {
      for (std::uint64_t node = 0; node < 3; ++node) {
        for (std::uint64_t site = 0; site < 3; ++site) {
          for (const std::uint64_t value : draws(Prng(seed, domain, node, site), 50)) {
            seen.insert(value);
            ++count;
          }
        }
      }
    }
  }
  REQUIRE(seen.size() == count);
}

TEST_CASE("draws below a bound stay below it and meet every value") {
  Prng prng(7);
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::uint64_t value = prng.below(10);
    REQUIRE(value < 10);
    seen.insert(value);
  }
  REQUIRE(seen.size() == 10);
  REQUIRE_THROWS_AS(prng.below(0), CheckFailure);
}

TEST_CASE("draws from a range include both ends, and every range is allowed") {
  Prng prng(8);
  std::set<std::int64_t> seen;
  for (int i = 0; i < 200; ++i) seen.insert(prng.between(-2, 2));
  REQUIRE(seen == std::set<std::int64_t>{-2, -1, 0, 1, 2});
  REQUIRE(prng.between(5, 5) == 5);
  bool negative = false;
  bool positive = false;
  for (int i = 0; i < 64; ++i) {
    const std::int64_t value = prng.between(INT64_MIN, INT64_MAX);
    negative = negative || value < 0;
    positive = positive || value > 0;
  }
  REQUIRE(negative);
  REQUIRE(positive);
  REQUIRE_THROWS_AS(prng.between(1, 0), CheckFailure);
}

TEST_CASE("a chance is per mille") {
  Prng prng(9);
  int hits = 0;
  for (int i = 0; i < 10'000; ++i) {
    REQUIRE_FALSE(prng.chance(0));
    REQUIRE(prng.chance(1000));
    hits += prng.chance(100) ? 1 : 0;
  }
  REQUIRE(hits > 900);
  REQUIRE(hits < 1100);
}

TEST_CASE("exponential draws have about the mean asked for, and are never negative") {
  Prng prng(10);
  constexpr std::int64_t mean = 1'000'000;
  std::int64_t sum = 0;
  std::int64_t above_three_means = 0;
  constexpr int count = 20'000;
  for (int i = 0; i < count; ++i) {
    const std::int64_t value = prng.exponential(mean);
    REQUIRE(value >= 0);
    REQUIRE(value <= 45 * mean);
    sum += value;
    above_three_means += value > 3 * mean ? 1 : 0;
  }
  REQUIRE(sum / count > mean * 95 / 100);
  REQUIRE(sum / count < mean * 110 / 100);
  REQUIRE(above_three_means > count * 4 / 100);  // e^-3 is 5 %
  REQUIRE(above_three_means < count * 7 / 100);
  REQUIRE(prng.exponential(0) == 0);
}

}  // namespace
