// The filter of a run: known answers, no false negatives, few false positives.
#include "core/attic/filter.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include <catch2/catch.hpp>
#include <rapidcheck.h>

#include "core/attic/run_format.h"
#include "core/base/check.h"
#include "tests/core/attic/made_run.h"

namespace coffer::attic {
namespace {

Filter filter_of(const std::vector<std::uint64_t>& hashes, std::uint32_t blocks) {
  Filter filter(blocks);
  for (const std::uint64_t hash : hashes) filter.add(hash);
  return filter;
}

TEST_CASE("known answers, computed apart from this code (Parquet BloomFilter.md)") {
  using Words = std::vector<std::uint32_t>;
  CHECK(filter_of({0x0123456789abcdef}, 1).words() ==
        Words{0x00040000, 0x00080000, 0x40000000, 0x00800000, 0x00000010, 0x00010000, 0x00001000, 0x01000000});
  CHECK(filter_of({0xfedcba9876543210}, 3).words() ==
        Words{0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000,
              0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000,
              0x00000010, 0x00000010, 0x00010000, 0x00100000, 0x00002000, 0x00000400, 0x80000000, 0x08000000});
  CHECK(
      filter_of(
          {0x0, 0x0123456789abcdef, 0xffffffffffffffff, 0x8000000000000001, 0x5555555555555555, 0x7fffffff00000000}, 3)
          .words() == Words{0x00040001, 0x20080001, 0x40000011, 0x00804001, 0x00000031, 0x00010101,
                            0x00005001, 0x01000041, 0x00000101, 0x00000101, 0x00020001, 0x00100001,
                            0x00004001, 0x00000021, 0x00080001, 0x00000801, 0x00800000, 0x00800000,
                            0x00004000, 0x00000800, 0x00020000, 0x04000000, 0x00001000, 0x00100000});
}

TEST_CASE("a filter has 16 bits a key, in whole blocks") {
  CHECK(blocks_for(0) == 0);
  CHECK(blocks_for(1) == 1);
  CHECK(blocks_for(16) == 1);
  CHECK(blocks_for(17) == 2);
  CHECK(blocks_for(100'000) == 6250);
  CHECK(blocks_for(run_records_max) == 67'108'864);
  CHECK_THROWS_AS(blocks_for(run_records_max + 1), CheckFailure);
}

TEST_CASE("a filter without blocks has nothing, and nothing is added to it") {
  Filter filter;
  filter.prefetch(7);
  CHECK_FALSE(filter.may_have(0));
  CHECK_FALSE(filter.may_have(UINT64_MAX));
  CHECK(filter.words().empty());
  CHECK_THROWS_AS(filter.add(7), CheckFailure);
}

TEST_CASE("a filter is made again of its words, of whole blocks only") {
  const Filter filter = filter_of({1, 2, 3}, 2);
  const Filter again(filter.words());
  CHECK(again.words() == filter.words());
  CHECK(again.may_have(2));
  CHECK_THROWS_AS(Filter(std::vector<std::uint32_t>(12)), CheckFailure);
}

TEST_CASE("property: what was added is there, and the order of adding leaves no trace") {
  REQUIRE(rc::check("what was added is there", [](std::vector<std::uint64_t> hashes, std::uint8_t more_blocks) {
    const std::uint32_t blocks = 1 + more_blocks % 5;
    const Filter filter = filter_of(hashes, blocks);
    for (const std::uint64_t hash : hashes) RC_ASSERT(filter.may_have(hash));
    std::sort(hashes.begin(), hashes.end());
    RC_ASSERT(filter_of(hashes, blocks).words() == filter.words());
  }));
}

TEST_CASE("about one hash in a thousand that was never added is said to be there") {
  constexpr std::size_t keys = 100'000;
  const std::vector<std::uint64_t> added = spread_hashes(keys, 1);
  const Filter filter = filter_of(added, blocks_for(keys));
  CHECK(std::all_of(added.begin(), added.end(), [&](std::uint64_t hash) { return filter.may_have(hash); }));
  const std::vector<std::uint64_t> others = spread_hashes(keys, 2);
  const auto wrong =
      std::count_if(others.begin(), others.end(), [&](std::uint64_t hash) { return filter.may_have(hash); });
  CAPTURE(wrong);
  CHECK(wrong < 400);
  CHECK(wrong > 0);
}

}  // namespace
}  // namespace coffer::attic
