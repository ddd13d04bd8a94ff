#include "core/ledger/dedup.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>
#include <rapidcheck.h>

#include "core/base/check.h"
#include "core/base/uuid_time.h"

namespace {

using namespace coffer;
using namespace coffer::ledger;

DedupRow row_of(std::uint8_t id, std::uint32_t home, Outcome outcome = Outcome::success) {
  DedupRow row;
  row.id.bytes[15] = id;
  row.home = AccountNumber(home);
  row.outcome = outcome;
  return row;
}

TransferId id_of(std::uint8_t id) { return row_of(id, 0).id; }

Bytes exported(const Dedup& dedup) {
  Bytes bytes;
  ByteWriter out(bytes);
  dedup.export_rows(out);
  return bytes;
}

TEST_CASE("an id is bound to its home account (design, Dedup)") {
  Dedup dedup;
  const DedupNumber first = dedup.bind(row_of(1, 10));
  const DedupNumber second = dedup.bind(row_of(1, 11));
  REQUIRE(dedup.find(AccountNumber(10), id_of(1)) == first);
  REQUIRE(dedup.find(AccountNumber(11), id_of(1)) == second);
  REQUIRE(dedup.find(AccountNumber(12), id_of(1)) == no_row);
  REQUIRE(dedup.find(AccountNumber(10), id_of(2)) == no_row);
  const auto any = [](const DedupRow&) { return true; };
  REQUIRE(dedup.find_first(id_of(1), any) == first);
  REQUIRE(dedup.find_first(id_of(1), [](const DedupRow& row) { return row.home == AccountNumber(11); }) == second);
  REQUIRE(dedup.find_first(id_of(2), any) == no_row);
  REQUIRE_THROWS_AS(dedup.bind(row_of(1, 10)), CheckFailure);
}

TEST_CASE("a leg's row is pending until its answer, and once only") {
  Dedup dedup;
  dedup.bind(row_of(9, 1));
  const DedupNumber leg =
      dedup.bind(row_of(1, 10, Outcome::pending), {ShardId(2), Protocol::saga, LegNumber(3), {}, {}});
  REQUIRE(dedup.link(leg).target == ShardId(2));
  const Bytes before = exported(dedup);
  dedup.finish(leg, Outcome::success, Position(7), Stamp{8});
  REQUIRE(dedup.row(leg).outcome == Outcome::success);
  REQUIRE(dedup.link(leg).target_position == Position(7));
  REQUIRE_THROWS_AS(dedup.finish(leg, Outcome::success, Position(7), Stamp{8}), CheckFailure);
  dedup.reopen(leg);
  REQUIRE(exported(dedup) == before);
  REQUIRE_THROWS_AS(dedup.reopen(leg), CheckFailure);
  REQUIRE_THROWS_AS(dedup.link(0), CheckFailure);
}

TEST_CASE("a row goes on to another leg and back, and only from the leg it names") {
  Dedup dedup;
  const DedupNumber row =
      dedup.bind(row_of(1, 10, Outcome::pending), {ShardId(2), Protocol::tcc, LegNumber(3), {}, {}});
  REQUIRE(dedup.links_of_others() == 1);
  const Bytes before = exported(dedup);
  dedup.relink(row, LegNumber(3), LegNumber(5));
  REQUIRE(dedup.link(row).leg == LegNumber(5));
  REQUIRE_THROWS_AS(dedup.relink(row, LegNumber(3), LegNumber(6)), CheckFailure);
  dedup.relink(row, LegNumber(5), LegNumber(3));
  REQUIRE(exported(dedup) == before);
}

TEST_CASE("ids bound to holds and to changes of accounts are counted apart, and no more when unbound") {
  Dedup dedup;
  DedupRow row = row_of(1, 10, Outcome::insufficient_funds);
  row.operation = Operation::hold;
  dedup.bind(row);
  REQUIRE(dedup.holds() == 1);
  REQUIRE(dedup.account_changes() == 0);
  DedupRow change = row_of(2, 10, Outcome::success);
  change.operation = Operation::close;
  dedup.bind(change);
  REQUIRE(dedup.holds() == 1);
  REQUIRE(dedup.account_changes() == 1);
  dedup.unbind_last(change.id);
  dedup.unbind_last(row.id);
  REQUIRE(dedup.holds() == 0);
  REQUIRE(dedup.account_changes() == 0);
}

TEST_CASE("property: unbinding in reverse order is the inverse of binding") {
  REQUIRE(rc::check("property: unbind . bind = identity", [](const std::vector<std::pair<std::uint8_t, bool>>& ids) {
    Dedup dedup;
    std::vector<std::pair<TransferId, Bytes>> bound;
    std::map<std::pair<std::uint32_t, TransferId>, DedupNumber> model;
    for (const auto& [number, is_leg] : ids) {
      const std::uint32_t home = number % 4;
      DedupRow row = row_of(number / 16, home, is_leg ? Outcome::pending : Outcome::success);
      if (model.contains({home, row.id})) continue;
      bound.emplace_back(row.id, exported(dedup));
      const Protocol protocol = number % 3 == 0 ? Protocol::tcc : Protocol::saga;
      model[{home, row.id}] = is_leg ? dedup.bind(row, {ShardId(1), protocol, LegNumber(1), {}, {}}) : dedup.bind(row);
    }
    for (const auto& [key, number] : model) RC_ASSERT(dedup.find(AccountNumber(key.first), key.second) == number);
    while (!bound.empty()) {
      dedup.unbind_last(bound.back().first);
      RC_ASSERT(exported(dedup) == bound.back().second);
      bound.pop_back();
    }
    RC_ASSERT(dedup.links_of_others() == 0u);
    for (const auto& [key, number] : model) RC_ASSERT(dedup.find(AccountNumber(key.first), key.second) == no_row);
  }));
}

/// A row of an id that carries its own time, bound in the millisecond it was made.
DedupRow timed_row(std::uint64_t number, std::uint64_t made_ms) {
  DedupRow row = row_of(static_cast<std::uint8_t>(number), 1);
  row.id = uuid_made_at(made_ms, row.id);
  row.stamp = Stamp{static_cast<std::int64_t>(made_ms) * 1'000'000};
  row.position = Position(made_ms);
  return row;
}

TEST_CASE("windowed rows are forgotten from the front, and remembered again when that is undone (decision 12)") {
  Dedup dedup;
  dedup.bind(row_of(1, 1));
  dedup.move_window({0, 0}, {1'000, 0}, Position(1'001));
  std::vector<Bytes> states;
  for (std::uint64_t at = 0; at < 10; ++at) {
    states.push_back(exported(dedup));
    const DedupRow row = timed_row(at, 2'000 + at);
    const bool is_leg = at % 3 == 1;
    const DedupNumber number =
        is_leg ? dedup.bind(row, {ShardId(2), Protocol::saga, LegNumber(at), {}, {}}) : dedup.bind(row);
    REQUIRE(is_windowed(number));
    REQUIRE(dedup.last() == number);
    if (is_leg) REQUIRE(dedup.link(number).leg == LegNumber(at));
  }
  const Bytes full = exported(dedup);
  REQUIRE(full.size() == dedup.export_size());
  REQUIRE_THROWS_AS(dedup.move_window({1'000, 0}, {2'004, 6}, Position(3'000)), CheckFailure);
  dedup.move_window({1'000, 0}, {2'006, 6}, Position(3'000));
  REQUIRE(dedup.size() == 5);
  REQUIRE(exported(dedup).size() == dedup.export_size());
  REQUIRE(dedup.find(AccountNumber(1), timed_row(5, 2'005).id) == no_row);
  REQUIRE(dedup.find(AccountNumber(1), timed_row(6, 2'006).id) != no_row);
  REQUIRE(dedup.find(AccountNumber(1), id_of(1)) != no_row);
  REQUIRE_THROWS_AS(dedup.bind(timed_row(20, 2'006)), CheckFailure);
  dedup.unmove_window({1'000, 0}, {2'006, 6});
  REQUIRE(exported(dedup) == full);
  for (std::uint64_t at = 10; at-- > 0;) {
    dedup.unbind_last(timed_row(at, 2'000 + at).id);
    REQUIRE(exported(dedup) == states[at]);
  }
}

TEST_CASE("what is forgotten leaves memory once that has committed, not before") {
  Dedup dedup;
  dedup.move_window({0, 0}, {1'000, 0}, Position(1));
  for (std::uint64_t at = 0; at < 200; ++at) dedup.bind(timed_row(at, 2'000 + at));
  dedup.move_window({1'000, 0}, {2'100, 100}, Position(5'000));
  const Bytes then = exported(dedup);
  REQUIRE(dedup.forgotten_in_memory() == 100);
  dedup.committed(Position(4'999));
  REQUIRE(dedup.forgotten_in_memory() == 100);
  dedup.committed(Position(5'000));
  REQUIRE(dedup.forgotten_in_memory() == 0);
  REQUIRE(exported(dedup) == then);
  REQUIRE_THROWS_AS(dedup.unmove_window({1'000, 0}, {2'100, 100}), CheckFailure);
}

TEST_CASE("numbers of windowed rows go round, and each names its row while that is there") {
  Dedup dedup;
  const std::uint64_t first = windowed_rows_max - 5;
  REQUIRE(dedup.load_window({1'000, first}));
  std::vector<DedupNumber> numbers;
  for (std::uint64_t at = 0; at < 10; ++at) {
    const DedupRow row = timed_row(at, 2'000 + at);
    numbers.push_back(at % 2 == 0 ? dedup.bind(row)
                                  : dedup.bind(row, {ShardId(2), Protocol::saga, LegNumber(at), {}, {}}));
  }
  REQUIRE(numbers.back() < numbers.front());
  REQUIRE(std::find(numbers.begin(), numbers.end(), no_row) == numbers.end());
  dedup.move_window({1'000, first}, {2'003, first + 3}, Position(3'000));
  dedup.committed(Position(3'000));
  for (std::uint64_t at = 0; at < 10; ++at) {
    REQUIRE(dedup.has(numbers[at]) == (at >= 3));
    if (at < 3) continue;
    REQUIRE(dedup.row(numbers[at]).id == timed_row(at, 2'000 + at).id);
    REQUIRE(dedup.find(AccountNumber(1), dedup.row(numbers[at]).id) == numbers[at]);
    if (at % 2 == 1) REQUIRE(dedup.link(numbers[at]).leg == LegNumber(at));
  }
}

}  // namespace
