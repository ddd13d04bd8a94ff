// Rows of sources: one for each account and source, taken over by the next number, and given back exactly.
#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>
#include <rapidcheck.h>

#include "core/base/check.h"
#include "core/base/prng.h"
#include "core/base/uuid_number.h"
#include "core/ledger/dedup.h"
#include "core/ledger/row_codec.h"

namespace {

using namespace coffer;
using namespace coffer::ledger;

constexpr AccountNumber home(10);
constexpr AccountNumber other(11);

DedupRow row_of(std::uint64_t source, std::uint64_t number, std::uint64_t position, AccountNumber account = home,
                Outcome outcome = Outcome::success) {
  DedupRow row;
  row.id = uuid_numbered({source, number});
  row.digest.low = 1000 * source + number;
  row.position = Position(position);
  row.stamp = Stamp{static_cast<std::int64_t>(position)};
  row.home = account;
  row.outcome = outcome;
  return row;
}

Bytes exported(const Dedup& dedup) {
  Bytes bytes;
  ByteWriter out(bytes);
  dedup.export_rows(out);
  REQUIRE(bytes.size() == dedup.export_size());
  return bytes;
}

Bytes frozen_bytes(Dedup::Frozen& frozen) {
  Bytes bytes;
  ByteWriter out(bytes);
  while (frozen.write_next(out)) {
  }
  return bytes;
}

LegLink link_of(std::uint64_t leg, Protocol protocol = Protocol::saga) {
  return {ShardId(2), protocol, LegNumber(leg), {}, {}};
}

TEST_CASE("a source has one row, which its next number takes over in place (decision 12)") {
  Dedup dedup;
  dedup.open_source(home, 7, Position(1), Stamp{1});
  REQUIRE(dedup.size() == 1);
  const DedupNumber first = dedup.bind(row_of(7, 1, 2));
  REQUIRE(dedup.find(home, uuid_numbered({7, 1})) == first);
  REQUIRE(dedup.last() == first);
  REQUIRE(dedup.has(first));
  const DedupNumber second = dedup.bind(row_of(7, 2, 3));
  REQUIRE(second == first);
  REQUIRE(dedup.size() == 1);
  REQUIRE(dedup.find(home, uuid_numbered({7, 1})) == no_row);
  REQUIRE(dedup.find(home, uuid_numbered({7, 2})) == first);
  REQUIRE(dedup.find_source(home, uuid_numbered({7, 99})) == first);
  REQUIRE(dedup.find_source(other, uuid_numbered({7, 2})) == no_row);
  REQUIRE(dedup.find_source(home, uuid_numbered({8, 2})) == no_row);
  REQUIRE(dedup.row(first).position == Position(3));
}

TEST_CASE("numbers are taken one after the other, of what is done, by what moves money") {
  Dedup dedup;
  dedup.open_source(home, 7, Position(1), Stamp{1});
  REQUIRE_THROWS_AS(dedup.open_source(home, 7, Position(2), Stamp{2}), CheckFailure);
  REQUIRE_THROWS_AS(dedup.bind(row_of(7, 2, 2)), CheckFailure);
  dedup.bind(row_of(7, 1, 2));
  REQUIRE_THROWS_AS(dedup.bind(row_of(7, 1, 3)), CheckFailure);
  REQUIRE_THROWS_AS(dedup.bind(row_of(7, 3, 3)), CheckFailure);
  DedupRow hold = row_of(7, 2, 3);
  hold.operation = Operation::hold;
  REQUIRE_THROWS_AS(dedup.bind(hold), CheckFailure);
  const DedupNumber leg = dedup.bind(row_of(7, 2, 3, home, Outcome::pending), link_of(1));
  REQUIRE_THROWS_AS(dedup.bind(row_of(7, 3, 4)), CheckFailure);
  dedup.finish(leg, Outcome::success, Position(5), Stamp{5});
  REQUIRE(dedup.bind(row_of(7, 3, 6)) == leg);
  REQUIRE(dedup.bind(row_of(8, 5, 7)) != leg);  // no source of this account: kept as any other
}

TEST_CASE("what a number took over comes back when it is undone, with its link") {
  Dedup dedup;
  const Bytes empty = exported(dedup);
  dedup.open_source(home, 7, Position(1), Stamp{1});
  const Bytes opened = exported(dedup);
  const DedupNumber number = dedup.bind(row_of(7, 1, 2, home, Outcome::pending), link_of(4, Protocol::tcc));
  REQUIRE(dedup.links_of_others() == 1);
  const Bytes pending = exported(dedup);
  dedup.finish(number, Outcome::account_closed, Position(9), Stamp{9});
  const Bytes first = exported(dedup);
  dedup.bind(row_of(7, 2, 3));
  REQUIRE(dedup.links_of_others() == 0);
  dedup.unbind_last(uuid_numbered({7, 2}));
  REQUIRE(exported(dedup) == first);
  REQUIRE(dedup.links_of_others() == 1);
  REQUIRE(dedup.link(number).target_position == Position(9));
  REQUIRE(dedup.find(home, uuid_numbered({7, 1})) == number);
  REQUIRE(dedup.find(home, uuid_numbered({7, 2})) == no_row);
  dedup.reopen(number);
  REQUIRE(exported(dedup) == pending);
  REQUIRE_THROWS_AS(dedup.close_source(home, 7), CheckFailure);
  dedup.unbind_last(uuid_numbered({7, 1}));
  REQUIRE(exported(dedup) == opened);
  dedup.close_source(home, 7);
  REQUIRE(exported(dedup) == empty);
  REQUIRE(dedup.find_source(home, uuid_numbered({7, 1})) == no_row);
}

TEST_CASE("memory is one row for each source, and one for each number that has not committed") {
  Dedup dedup;
  dedup.open_source(home, 7, Position(1), Stamp{1});
  for (std::uint64_t number = 1; number <= 500; ++number) {
    dedup.bind(row_of(7, number, number + 1));
    if (number > 20) dedup.committed(Position(number + 1 - 20));
    REQUIRE(dedup.size() == 1);
    REQUIRE(dedup.forgotten_in_memory() == std::min<std::uint64_t>(number, 20));
  }
  dedup.committed(Position(501));
  REQUIRE(dedup.forgotten_in_memory() == 0);
}

TEST_CASE("a frozen table keeps the rows of sources as they were, and a loader takes them back") {
  Dedup dedup;
  for (std::uint64_t source = 0; source < 200; ++source) {
    dedup.open_source(home, source, Position(2 * source + 1), Stamp{1});
    if (source % 3 != 0) dedup.bind(row_of(source, 1, 2 * source + 2));
    if (source % 3 == 0)
      dedup.finish(dedup.bind(row_of(source, 1, 2 * source + 2, home, Outcome::pending), link_of(source + 1)),
                   Outcome::success, Position(3), Stamp{3});
  }
  const Bytes before = exported(dedup);
  Dedup::Frozen frozen(dedup);
  for (std::uint64_t source = 0; source < 200; source += 7) dedup.bind(row_of(source, 2, 1000 + source));
  REQUIRE(frozen_bytes(frozen) == before);
  REQUIRE(exported(dedup) != before);

  ByteReader in(before);
  REQUIRE(in.u64() == 0);  // kept rows
  Dedup loaded;
  for (std::uint64_t left = in.u64(); left > 0; --left) {
    LegLink link;
    const DedupRow row = decode_dedup(in, link);
    REQUIRE(loaded.load_source(row, link));
    REQUIRE_FALSE(loaded.load_source(row, link));
  }
  REQUIRE(in.done());
  REQUIRE(exported(loaded) == before);
  REQUIRE(loaded.find(home, uuid_numbered({1, 1})) != no_row);
}

TEST_CASE("a loader refuses rows that no source could have") {
  Dedup dedup;
  const auto refused = [&](DedupRow row, const LegLink& link = {}) { return !dedup.load_source(row, link); };
  DedupRow timed = row_of(7, 1, 2);
  timed.id.bytes[6] = 0x70;
  REQUIRE(refused(timed));
  DedupRow hold = row_of(7, 1, 2);
  hold.operation = Operation::hold;
  REQUIRE(refused(hold));
  REQUIRE(refused(row_of(7, 0, 2, home, Outcome::insufficient_funds)));
  DedupRow linked = row_of(7, 0, 2);
  linked.link = 0;
  REQUIRE(refused(linked, link_of(1)));
  REQUIRE_FALSE(refused(row_of(7, 0, 2)));
  REQUIRE(refused(row_of(7, 5, 3)));  // there is one
}

/// What a table of sources is, plainly: for each the numbers decided, in their order.
struct Model {
  struct Step {
    AccountNumber account;
    std::uint64_t source;
    bool opens;
    bool linked;
  };
  std::vector<Step> steps;

  std::uint64_t last(AccountNumber account, std::uint64_t source) const {
    return static_cast<std::uint64_t>(std::count_if(steps.begin(), steps.end(), [&](const Step& step) {
      return !step.opens && step.account == account && step.source == source;
    }));
  }
  bool knows(AccountNumber account, std::uint64_t source) const {
    return std::any_of(steps.begin(), steps.end(), [&](const Step& step) {
      return step.opens && step.account == account && step.source == source;
    });
  }
};

TEST_CASE("property: rows of sources, forward and back, are those of a plain list of what was decided") {
  REQUIRE(rc::check("property: sources", [](std::uint64_t seed) {
    Prng prng(seed);
    Dedup dedup;
    Model model;
    std::vector<Bytes> states{exported(dedup)};
    std::size_t committed = 0;
    for (int i = 0; i < 300; ++i) {
      const std::uint64_t kind = prng.below(10);
      if (kind < 2 && model.steps.size() > committed) {  // back
        const Model::Step step = model.steps.back();
        const std::uint64_t number = model.last(step.account, step.source);
        if (step.opens) {
          dedup.close_source(step.account, step.source);
        } else {
          const DedupNumber row = dedup.find_source(step.account, uuid_numbered({step.source, number}));
          if (step.linked) dedup.reopen(row);
          dedup.unbind_last(uuid_numbered({step.source, number}));
        }
        model.steps.pop_back();
        states.pop_back();
        RC_ASSERT(exported(dedup) == states.back());
        continue;
      }
      if (kind == 2) {
        committed += static_cast<std::size_t>(prng.below(model.steps.size() - committed + 1));
        dedup.committed(Position(committed));
      }
      const AccountNumber account(static_cast<std::uint32_t>(prng.below(3)));
      const std::uint64_t source = prng.below(3);
      const Position position(model.steps.size() + 1);
      const bool linked = prng.chance(300);
      if (!model.knows(account, source)) {
        dedup.open_source(account, source, position, Stamp{1});
        model.steps.push_back({account, source, true, false});
      } else {
        const std::uint64_t number = model.last(account, source) + 1;
        const Outcome outcome = linked ? Outcome::pending : Outcome::success;
        const DedupRow row = row_of(source, number, position.value, account, outcome);
        const Protocol protocol = prng.chance(500) ? Protocol::saga : Protocol::tcc;
        const DedupNumber bound = linked ? dedup.bind(row, link_of(position.value, protocol)) : dedup.bind(row);
        RC_ASSERT(dedup.last() == bound);
        if (linked) dedup.finish(bound, Outcome::account_frozen, position, Stamp{2});
        RC_ASSERT(dedup.row(bound).digest == row.digest);
        model.steps.push_back({account, source, false, linked});
      }
      states.push_back(exported(dedup));
      for (std::uint32_t at = 0; at < 3; ++at) {
        for (std::uint64_t of = 0; of < 3; ++of) {
          const std::uint64_t last = model.last(AccountNumber(at), of);
          RC_ASSERT((dedup.find(AccountNumber(at), uuid_numbered({of, last + 1})) == no_row));
          RC_ASSERT(last == 0 || dedup.find(AccountNumber(at), uuid_numbered({of, last})) != no_row);
          RC_ASSERT(last < 2 || dedup.find(AccountNumber(at), uuid_numbered({of, last - 1})) == no_row);
        }
      }
    }
  }));
}

}  // namespace
