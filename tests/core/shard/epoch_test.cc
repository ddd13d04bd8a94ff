#include "core/shard/epoch.h"

#include <cstdint>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>
#include <rapidcheck.h>

#include "core/base/check.h"

namespace coffer::shard {
namespace {

/// Size of the state after so many entries; any function of the log will do.
std::uint64_t size_after(std::uint64_t entries) { return 40 + entries * 7; }

/// The boundaries by the definition: a fold over payload sizes.
std::vector<std::uint64_t> boundaries_of(const std::vector<std::uint64_t>& log, std::uint64_t epoch_bytes) {
  std::vector<std::uint64_t> boundaries;
  std::uint64_t length = std::max(epoch_bytes, size_after(0));
  std::uint64_t bytes = 0;
  for (std::uint64_t index = 1; index <= log.size(); ++index) {
    bytes += log[index - 1];
    if (bytes < length) continue;
    boundaries.push_back(index);
    length = std::max(epoch_bytes, size_after(index));
    bytes = 0;
  }
  return boundaries;
}

TEST_CASE("an epoch ends with the entry that fills it") {
  EpochCounter counter(100, Index(0), 40);
  REQUIRE(counter.length() == 100);
  REQUIRE_FALSE(counter.passed(Index(1), 99, 40));
  REQUIRE_FALSE(counter.passed(Index(2), 0, 40));
  REQUIRE(counter.passed(Index(3), 1, 250));
  REQUIRE(counter.boundary() == Index(3));
  REQUIRE(counter.bytes() == 0);
  REQUIRE(counter.length() == 250);
  REQUIRE_FALSE(counter.passed(Index(4), 249, 250));
  REQUIRE(counter.passed(Index(5), 500, 90));
  REQUIRE(counter.length() == 100);
}

TEST_CASE("undoing a boundary goes on with the epoch before it") {
  EpochCounter counter(100, Index(7), 40);
  REQUIRE_FALSE(counter.passed(Index(8), 60, 40));
  REQUIRE(counter.passed(Index(9), 60, 40));
  REQUIRE_FALSE(counter.passed(Index(10), 30, 40));
  REQUIRE_FALSE(counter.undone(Index(10), 30));
  REQUIRE(counter.undone(Index(9), 60));
  REQUIRE(counter.boundary() == Index(7));
  REQUIRE(counter.bytes() == 60);
  REQUIRE_FALSE(counter.passed(Index(9), 39, 40));
  REQUIRE(counter.passed(Index(10), 1, 40));
}

TEST_CASE("entries come without gaps, and what is committed is not undone") {
  EpochCounter counter(100, Index(7), 40);
  REQUIRE_THROWS_AS(counter.passed(Index(9), 1, 40), CheckFailure);
  counter.passed(Index(8), 1, 40);
  counter.passed(Index(9), 1, 40);
  REQUIRE_THROWS_AS(counter.undone(Index(8), 1), CheckFailure);
  counter.committed(Index(9));
  REQUIRE_THROWS_AS(counter.undone(Index(9), 1), CheckFailure);
}

TEST_CASE("property: boundaries follow from the log alone, through undo, commits and restarts at a boundary") {
  REQUIRE(rc::check("property: boundaries = fold", [](const std::vector<std::pair<std::uint8_t, std::uint8_t>>& steps) {
    constexpr std::uint64_t epoch_bytes = 300;
    EpochCounter counter(epoch_bytes, Index(0), size_after(0));
    std::vector<std::uint64_t> log;
    std::uint64_t committed = 0;
    const auto compare = [&] {
      const std::vector<std::uint64_t> boundaries = boundaries_of(log, epoch_bytes);
      RC_ASSERT(counter.last() == Index(log.size()));
      RC_ASSERT(counter.boundary() == Index(boundaries.empty() ? 0 : boundaries.back()));
      return boundaries;
    };
    for (const auto& [kind, amount] : steps) {
      switch (kind % 8) {
        default:
          log.push_back(amount);
          {
            const bool is_boundary = counter.passed(Index(log.size()), amount, size_after(log.size()));
            const std::vector<std::uint64_t> boundaries = compare();
            RC_ASSERT(is_boundary == (!boundaries.empty() && boundaries.back() == log.size()));
          }
          break;
        case 5:
        case 6:
          for (std::uint64_t left = amount % 8; left > 0 && log.size() > committed; --left) {
            const bool was_boundary = !compare().empty() && compare().back() == log.size();
            RC_ASSERT(counter.undone(Index(log.size()), log.back()) == was_boundary);
            log.pop_back();
            compare();
          }
          break;
        case 7: {
          committed += amount % (log.size() - committed + 1);
          counter.committed(Index(committed));
          if (amount % 4 != 0) break;
          // A restart: from the last committed boundary, what follows is folded again.
          std::uint64_t from = 0;
          for (const std::uint64_t boundary : compare()) from = boundary <= committed ? boundary : from;
          counter = EpochCounter(epoch_bytes, Index(from), size_after(from));
          for (std::uint64_t at = from; at < log.size(); ++at) {
            counter.passed(Index(at + 1), log[at], size_after(at + 1));
          }
          counter.committed(Index(committed));
          break;
        }
      }
      compare();
    }
  }));
}

}  // namespace
}  // namespace coffer::shard
