// What the stream remembers of a log: ends, terms, and which segments are still needed.
#include "core/log/stream_extent.h"

#include <algorithm>
#include <vector>

#include <catch2/catch.hpp>
#include <rapidcheck.h>

#include "core/base/check.h"
#include "core/base/prng.h"

namespace coffer::log {
namespace {

LogPlace at(std::uint64_t index, std::uint64_t term) { return {Index(index), Term(term)}; }

/// The same by remembering every entry.
struct PlainLog {
  struct Written {
    std::uint64_t term;
    std::uint64_t segment;  ///< 0: not settled yet
  };
  LogPlace base;
  std::vector<Written> entries;
  std::uint64_t last() const { return base.index.value + entries.size(); }
};

void random_call(Prng& random, PlainLog& plain, LogExtent& extent) {
  const std::uint64_t choice = random.below(10);
  if (choice < 2) {
    const std::uint64_t kept = random.below(plain.entries.size() + 1);
    plain.entries.resize(kept);
    extent.truncate(Index(plain.base.index.value + kept + 1));
  } else if (choice < 4) {
    const std::uint64_t ahead = random.below(plain.entries.size() + 3);
    const bool keeps = ahead > 0 && ahead <= plain.entries.size() && random.chance(800);
    const std::uint64_t term = keeps ? plain.entries[ahead - 1].term : 100;
    plain.base = at(plain.base.index.value + ahead, term);
    plain.entries.erase(plain.entries.begin(),
                        plain.entries.begin() + static_cast<std::ptrdiff_t>(keeps ? ahead : plain.entries.size()));
    extent.restore(plain.base, keeps);
  } else {
    plain.entries.push_back({1 + random.below(3), 0});
    extent.append(Index(plain.last()), Term(plain.entries.back().term));
  }
}

TEST_CASE("property: an extent knows what a log knows that remembers every entry") {
  REQUIRE(rc::check("an extent knows what a plain log knows", [](std::uint64_t seed) {
    Prng random(seed);
    PlainLog plain;
    LogExtent extent;
    for (std::uint64_t frame = 1; frame <= 30; ++frame) {
      const Standing before = extent.standing();
      const auto needed_before = extent.lowest_segment();
      for (std::uint64_t calls = random.below(5); calls > 0; --calls) random_call(random, plain, extent);
      RC_ASSERT(extent.standing() == before);  // until settled
      RC_ASSERT(extent.lowest_segment() == needed_before);
      const std::uint64_t segment = 1 + frame / 4;
      extent.settle(segment);
      for (auto& entry : plain.entries) entry.segment = entry.segment == 0 ? segment : entry.segment;

      RC_ASSERT(extent.base() == plain.base);
      RC_ASSERT(extent.last().index.value == plain.last());
      RC_ASSERT(extent.standing() == (Standing{extent.base(), extent.last()}));
      std::optional<std::uint64_t> lowest;
      for (std::size_t i = 0; i < plain.entries.size(); ++i) {
        const std::uint64_t index = plain.base.index.value + 1 + i;
        RC_ASSERT(extent.holds(at(index, plain.entries[i].term)));
        RC_ASSERT(!extent.holds(at(index, plain.entries[i].term + 1)));
        lowest = std::min(lowest.value_or(plain.entries[i].segment), plain.entries[i].segment);
      }
      RC_ASSERT(extent.holds(plain.base));
      RC_ASSERT(!extent.holds(at(plain.last() + 1, 1)));
      RC_ASSERT(extent.lowest_segment() == lowest);
    }
  }));
}

TEST_CASE("of entries in earlier segments only the last one's term is known") {
  LogExtent extent({at(2, 1), at(6, 3)});
  CHECK(extent.last() == at(6, 3));
  CHECK(extent.holds(at(6, 3)));
  CHECK(extent.holds(at(2, 1)));
  CHECK_FALSE(extent.holds(at(4, 1)));
  CHECK_FALSE(extent.lowest_segment().has_value());
}

TEST_CASE("calls that would break an extent are broken invariants of the caller") {
  LogExtent extent({at(2, 1), at(6, 3)});
  CHECK_THROWS_AS(extent.append(Index(8), Term(3)), CheckFailure);
  CHECK_THROWS_AS(extent.truncate(Index(2)), CheckFailure);
  CHECK_THROWS_AS(extent.truncate(Index(8)), CheckFailure);
  CHECK_THROWS_AS(extent.restore(at(1, 1), false), CheckFailure);
  CHECK_THROWS_AS(extent.restore(at(7, 3), true), CheckFailure);
}

}  // namespace
}  // namespace coffer::log
