// A client that numbers what it asks for: its numbers follow each other, whatever is lost, and it gets on.
#include "sim/workload/upstream.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "core/base/uuid_number.h"

using namespace coffer;
using namespace coffer::sim::workload;

namespace {

router::ShardMap one_shard() { return router::ShardMap({{ShardId(1), Slot(0), slot_count}}); }

/// Whoever decides numbers, plainly.
struct Decider {
  std::map<std::string, std::map<std::uint64_t, std::size_t>> decided;  ///< by account, then number: what it stood for

  Outcome answer(const Items& items, std::size_t item) {
    const Item& asked = items[item];
    if (asked.debit == asked.credit) return Outcome::same_account;
    std::map<std::uint64_t, std::size_t>& numbers = decided[asked.home()];
    const std::uint64_t number = id_number_of(asked.id)->number;
    const std::uint64_t last = numbers.size();
    if (number > last + 1) return Outcome::id_gap;
    if (number < last) return Outcome::id_expired;
    if (number == last) return numbers[number] == item ? Outcome::success : Outcome::idempotency_payload_mismatch;
    numbers[number] = item;
    return Outcome::success;
  }
};

TEST_CASE("an upstream's numbers follow each other, are sent again when their answers are lost, and some too early") {
  Config config;
  config.accounts = 6;
  const router::ShardMap map = one_shard();
  const Accounts accounts(config, map, default_tenant);
  Items items(config, accounts);
  Upstream upstream(5);
  Prng prng(7);
  Decider decider;
  std::map<Outcome, int> told;
  std::set<std::pair<std::string, TransferId>> asked;
  int again = 0;
  for (int call = 0; call < 400; ++call) {
    upstream.begin_call();
    std::vector<std::size_t> drawn;
    for (std::uint64_t left = 1 + prng.below(5); left > 0; --left) drawn.push_back(upstream.draw(3, items, prng));
    const bool is_lost = prng.chance(200);
    const bool answer_is_lost = prng.chance(200);
    for (const std::size_t item : drawn) {
      REQUIRE(items[item].owner == 3);
      REQUIRE(id_number_of(items[item].id)->source == 5);
      if (!asked.emplace(items[item].home(), items[item].id).second) ++again;
      const Outcome outcome = is_lost ? Outcome::unknown : decider.answer(items, item);
      upstream.told(items, item, answer_is_lost ? Outcome::unknown : outcome);
      ++told[outcome];
    }
  }
  std::size_t decided = 0;
  for (const auto& [account, numbers] : decider.decided) decided += numbers.size();
  CHECK(decided > 400);
  CHECK(told[Outcome::id_gap] > 50);
  CHECK(told[Outcome::id_expired] > 10);
  CHECK(again > 100);
}

TEST_CASE("a number that was refused without a trace stands for something else, after a gap for the same") {
  Config config;
  config.accounts = 2;
  const router::ShardMap map = one_shard();
  const Accounts accounts(config, map, default_tenant);
  const bool is_gap = GENERATE(false, true);
  Items items(config, accounts);
  Upstream upstream(5);
  Prng prng(11);
  std::map<std::pair<std::string, TransferId>, std::set<std::size_t>> stood_for;
  for (int call = 0; call < 100; ++call) {
    upstream.begin_call();
    const std::size_t item = upstream.draw(0, items, prng);
    stood_for[{items[item].home(), items[item].id}].insert(item);
    upstream.told(items, item, is_gap ? Outcome::id_gap : Outcome::account_not_found);
  }
  const bool changed =
      std::any_of(stood_for.begin(), stood_for.end(), [](const auto& each) { return each.second.size() > 1; });
  CHECK(changed == !is_gap);
}

}  // namespace
