#include "core/ledger/rows.h"

#include <deque>
#include <set>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>
#include <rapidcheck.h>

#include "core/ledger/hash_index.h"

namespace {

using namespace coffer;
using namespace coffer::ledger;

TEST_CASE("property: rows behave as a deque with numbers") {
  REQUIRE(rc::check("property: rows = deque", [](const std::vector<std::uint8_t>& steps) {
    Rows<std::uint64_t> rows(1);
    std::deque<std::uint64_t> model;
    std::uint64_t first = 1;
    for (const std::uint8_t step : steps) {
      if (step < 160) {
        for (int i = 0; i < step; ++i) {
          model.push_back(first + model.size() + step);
          rows.push_back(model.back());
        }
      } else if (step < 200) {
        for (int i = 160; i < step && !model.empty(); ++i) {
          model.pop_back();
          rows.pop_back();
        }
      } else {
        for (int i = 200; i < step * 3 && !model.empty(); ++i) {
          model.pop_front();
          ++first;
        }
        rows.drop_before(first);
      }
      RC_ASSERT(rows.begin_number() == first);
      RC_ASSERT(rows.size() == model.size());
    }
    const Rows<std::uint64_t> copy(rows);
    for (std::uint64_t i = 0; i < model.size(); ++i) RC_ASSERT(copy[first + i] == model[i]);
  }));
}

TEST_CASE("rows never move") {
  Rows<int> rows;
  const int* first = &rows.push_back(1);
  for (int i = 0; i < 10'000; ++i) rows.push_back(i);
  REQUIRE(&rows[0] == first);
}

TEST_CASE("numbers outside the table are refused") {
  Rows<int> rows(5);
  REQUIRE_THROWS_AS(rows[5], CheckFailure);
  rows.push_back(1);
  REQUIRE(rows[5] == 1);
  REQUIRE_THROWS_AS(rows[4], CheckFailure);
  REQUIRE_THROWS_AS(rows[6], CheckFailure);
  REQUIRE_THROWS_AS(rows.drop_before(7), CheckFailure);
  rows.pop_back();
  REQUIRE_THROWS_AS(rows.pop_back(), CheckFailure);
}

TEST_CASE("property: an index finds exactly the rows added and not removed, collisions included") {
  REQUIRE(rc::check("property: index = set", [](const std::vector<std::pair<std::uint8_t, bool>>& steps) {
    HashIndex index;
    std::set<std::uint32_t> model;
    // Four hashes that share all the bits of the tag's place, so that probes run through each other.
    const auto hash_of = [](std::uint32_t row) {
      return (std::uint64_t{row % 4} << 50) + (std::uint64_t{row % 2} << 26);
    };
    for (const auto& [row, adds] : steps) {
      if (adds && model.insert(row).second) index.add(hash_of(row), row);
      if (!adds && model.erase(row) > 0) index.remove(hash_of(row), row);
      for (std::uint32_t sought = 0; sought < 256; ++sought) {
        const std::uint32_t found = index.find(hash_of(sought), [&](std::uint32_t at) { return at == sought; });
        RC_ASSERT(found == (model.contains(sought) ? sought : HashIndex::none));
      }
    }
  }));
}

TEST_CASE("a row that was not added cannot be removed") {
  HashIndex index;
  REQUIRE(index.guess(7) == HashIndex::none);
  REQUIRE_THROWS_AS(index.remove(7, 1), CheckFailure);
  index.add(7, 1);
  REQUIRE(index.guess(7) == 1);
  REQUIRE_THROWS_AS(index.remove(7, 2), CheckFailure);
  REQUIRE_THROWS_AS(index.add(7, HashIndex::none), CheckFailure);
}

}  // namespace
