#include "core/ledger/rows.h"

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
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

TEST_CASE("property: frozen rows are the rows of then, whatever becomes of the table") {
  using Frozen = FrozenRows<std::uint64_t>;
  struct View {
    std::unique_ptr<Frozen> rows;
    std::uint64_t first;
    std::vector<std::uint64_t> then;
  };
  REQUIRE(rc::check("property: frozen = copy", [](const std::vector<std::pair<std::uint8_t, std::uint8_t>>& steps) {
    std::optional<Rows<std::uint64_t>> rows(std::in_place, 30);
    std::vector<View> views;
    std::uint64_t next = 0;
    const auto compare = [&](const View& view) {
      for (std::uint64_t number = view.rows->begin_number(); number < view.rows->end_number(); ++number) {
        RC_ASSERT((*view.rows)[number] == view.then[number - view.first]);
      }
    };
    for (const auto& [kind, amount] : steps) {
      const std::uint64_t some = amount % (rows->size() + 1);
      switch (kind % 8) {
        case 0:
        case 1:
          for (int i = 0; i < amount; ++i) rows->push_back(++next);
          break;
        case 2:
          for (std::uint64_t i = 0; i < some; ++i) rows->pop_back();
          break;
        case 3:
          rows->drop_before(rows->begin_number() + some / 2);
          break;
        case 4:
        case 5:
          if (some > 0) (*rows)[rows->begin_number() + some - 1] = ++next;
          break;
        case 6: {
          View view{std::make_unique<Frozen>(*rows, rows->begin_number() + some), rows->begin_number() + some, {}};
          for (std::uint64_t n = view.first; n < rows->end_number(); ++n) view.then.push_back(std::as_const(*rows)[n]);
          views.push_back(std::move(view));
          break;
        }
        default:
          if (views.empty()) break;
          View& view = views[amount % views.size()];
          view.rows->release_before(view.rows->begin_number() + some % (view.rows->size() + 1));
          if (amount % 16 == 0) views.erase(views.begin() + amount % static_cast<std::ptrdiff_t>(views.size()));
          break;
      }
      for (const View& view : views) compare(view);
    }
    rows.reset();
    for (const View& view : views) compare(view);
  }));
}

TEST_CASE("a page is copied for a view only while the view needs it") {
  Rows<std::uint64_t> rows;
  for (std::uint64_t i = 0; i < 3 * page_rows; ++i) rows.push_back(i);
  FrozenRows<std::uint64_t> view(rows);
  REQUIRE(view.copied_pages() == 0);
  rows[0] = 7;
  rows[1] = 7;
  REQUIRE(view.copied_pages() == 1);
  std::uint64_t visited = 0;
  REQUIRE(view.take_page([&](std::uint64_t row) { REQUIRE(row == visited++); }));
  REQUIRE(visited == page_rows);
  REQUIRE(view.copied_pages() == 0);
  rows[2] = 7;
  rows.push_back(8);
  REQUIRE(view.copied_pages() == 0);
  rows[page_rows] = 7;
  REQUIRE(view.copied_pages() == 1);
  while (view.take_page([&](std::uint64_t row) { REQUIRE(row == visited++); })) {
  }
  REQUIRE(visited == 3 * page_rows);
}

TEST_CASE("rows never move") {
  Rows<int> rows;
  const int* first = &rows.push_back(1);
  for (int i = 0; i < 10'000; ++i) rows.push_back(i);
  REQUIRE(&rows[0] == first);
}

TEST_CASE("a row whose size divides a cache line never lies across two") {
  struct Half {
    std::uint64_t words[4];
  };
  Rows<Half> rows;
  std::vector<std::unique_ptr<char>> between;  // so that the pages do not follow each other
  for (std::uint64_t i = 0; i < 5 * page_rows; ++i) {
    const auto place = reinterpret_cast<std::uintptr_t>(&rows.push_back({}));
    if (place / cache_line != (place + sizeof(Half) - 1) / cache_line) FAIL("row " << i << " lies across two lines");
    if (i % 7 == 0) between.push_back(std::make_unique<char>('x'));
  }
  CHECK(rows.size() == 5 * page_rows);
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
