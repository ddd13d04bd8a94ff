// How far runs reach: gaps, empty runs, runs that come again or go.
#include "core/attic/coverage.h"

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>
#include <rapidcheck.h>

namespace coffer::attic {
namespace {

RunHead rows(std::uint64_t first, std::uint64_t end) { return head_of(first, end, 4, 64); }

TEST_CASE("without runs nothing is covered") {
  const Coverage coverage;
  CHECK(coverage.end() == 0);
  CHECK(coverage.last() == Index(0));
}

TEST_CASE("runs cover as far as they follow each other without a gap, in whatever order they come") {
  Coverage coverage;
  coverage.add(Index(30), rows(7, 9));
  CHECK(coverage.end() == 0);
  CHECK(coverage.last() == Index(0));
  coverage.add(Index(50), rows(12, 20));
  coverage.add(Index(10), rows(0, 7));
  CHECK(coverage.end() == 9);
  CHECK(coverage.last() == Index(30));
  coverage.add(Index(40), rows(9, 12));
  CHECK(coverage.end() == 20);
  CHECK(coverage.last() == Index(50));
}

TEST_CASE("an empty run moves the name to ask behind, not the place") {
  Coverage coverage;
  coverage.add(Index(10), rows(0, 0));
  CHECK(coverage.end() == 0);
  CHECK(coverage.last() == Index(10));
  coverage.add(Index(20), rows(0, 5));
  coverage.add(Index(30), rows(5, 5));
  CHECK(coverage.end() == 5);
  CHECK(coverage.last() == Index(30));
  coverage.add(Index(50), rows(6, 6));
  CHECK(coverage.end() == 5);
  CHECK(coverage.last() == Index(30));
}

TEST_CASE("a run that goes takes with it what it joined; one that comes again joins it again") {
  Coverage coverage;
  coverage.add(Index(10), rows(0, 4));
  coverage.add(Index(20), rows(4, 6));
  coverage.add(Index(30), rows(6, 9));
  coverage.remove(Index(20));
  CHECK(coverage.end() == 4);
  CHECK(coverage.last() == Index(10));
  coverage.remove(Index(25));
  CHECK(coverage.end() == 4);
  coverage.add(Index(20), rows(4, 6));
  CHECK(coverage.end() == 9);
  coverage.add(Index(20), rows(4, 6));
  CHECK(coverage.end() == 9);
  CHECK(coverage.last() == Index(30));
  coverage.remove(Index(10));
  CHECK(coverage.end() == 0);
  CHECK(coverage.last() == Index(0));
}

TEST_CASE("property: what is covered depends on the runs that are here, not on how they came") {
  using Change = std::pair<std::uint8_t, bool>;
  REQUIRE(rc::check("what is covered depends on the runs that are here", [](const std::vector<Change>& changes) {
    // Run number n ends with entry n + 1; every third one is empty.
    const auto place = [](std::uint64_t run) { return run - run / 3; };
    std::map<std::uint64_t, bool> is_here;
    Coverage coverage;
    for (const auto& [number, adds] : changes) {
      const std::uint64_t run = number % 8;
      is_here[run] = adds;
      if (adds) {
        coverage.add(Index(run + 1), rows(place(run), place(run + 1)));
      } else {
        coverage.remove(Index(run + 1));
      }
      std::uint64_t end = 0;
      Index last;
      for (const auto& [other, here] : is_here) {
        if (!here) continue;
        if (place(other) != end) break;
        end = place(other + 1);
        last = Index(other + 1);
      }
      RC_ASSERT(coverage.end() == end);
      RC_ASSERT(coverage.last() == last);
    }
  }));
}

}  // namespace
}  // namespace coffer::attic
