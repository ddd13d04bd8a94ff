// Keyed pseudo-random streams. A draw depends only on (seed, domain, node, site, counter), so that removing one fault
// or one client does not reshuffle all the others: this is what makes shrinking work. Integer arithmetic only.
// Source: SplitMix64 (Steele, Lea, Flood 2014) as the mixing function.
#pragma once

#include <bit>
#include <cstdint>

#include "core/base/check.h"

namespace coffer {

constexpr std::uint64_t mix64(std::uint64_t x) {
  x += 0x9E37'79B9'7F4A'7C15u;
  x = (x ^ (x >> 30)) * 0xBF58'476D'1CE4'E5B9u;
  x = (x ^ (x >> 27)) * 0x94D0'49BB'1331'11EBu;
  return x ^ (x >> 31);
}

class Prng {
 public:
  /// `domain` separates uses (network, disk, workload …), `node` the owner, `site` the place in the code or plan.
  constexpr explicit Prng(std::uint64_t seed, std::uint64_t domain = 0, std::uint64_t node = 0, std::uint64_t site = 0)
      : key_(mix64(mix64(mix64(mix64(seed) ^ domain) ^ node) ^ site)) {}

  constexpr std::uint64_t next() {
    ++counter_;
    return mix64(key_ ^ mix64(counter_));
  }
  /// Uniform in [0, bound). Requires: bound > 0 (checked). Bias below 2^-64 * bound.
  constexpr std::uint64_t below(std::uint64_t bound) {
    check(bound > 0, "a draw needs a positive bound");
    return static_cast<std::uint64_t>((static_cast<unsigned __int128>(next()) * bound) >> 64);
  }
  /// Uniform in [low, high], both included. Requires: low <= high (checked).
  constexpr std::int64_t between(std::int64_t low, std::int64_t high) {
    check(low <= high, "a range is not empty");
    const std::uint64_t first = static_cast<std::uint64_t>(low);
    const std::uint64_t bound = static_cast<std::uint64_t>(high) - first + 1;  // 0: all 2^64 values
    return static_cast<std::int64_t>(first + (bound == 0 ? next() : below(bound)));
  }
  /// True with probability `per_mille` / 1000.
  constexpr bool chance(std::uint32_t per_mille) { return below(1000) < per_mille; }
  /// Exponentially distributed with this mean, by the memoryless halving method; integer only, at most ~40 means.
  constexpr std::int64_t exponential(std::int64_t mean) {
    check(mean >= 0, "a mean is not negative");
    // -log2(u) = number of leading zero bits + fraction; ln 2 = 0.693147 as 45426/65536.
    const std::uint64_t draw = next() | 1u;
    const int zeros = std::countl_zero(draw);
    const std::uint64_t fraction = zeros >= 63 ? 0 : ((draw << (zeros + 1)) >> 48);  // 16 bits below the top bit
    const std::uint64_t log2_q16 = (static_cast<std::uint64_t>(zeros) << 16) + (65535 - fraction);
    const unsigned __int128 scaled =
        static_cast<unsigned __int128>(log2_q16) * 45426u * static_cast<std::uint64_t>(mean);
    return static_cast<std::int64_t>(scaled >> 32);
  }

 private:
  std::uint64_t key_;
  std::uint64_t counter_ = 0;
};

}  // namespace coffer
