#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "core/base/check.h"
#include "core/txn/state_machine.h"
#include "tests/core/txn/leader.h"

namespace {

using namespace coffer;
using namespace coffer::txn;
using namespace coffer::txn::testing;

constexpr ShardId one(1);
constexpr ShardId two(2);

/// Two shards: `payer` on the first with 100.00 USD, `payee` on the second.
struct TwoShards {
  std::string payer = name_on(1, 2, "payer");
  std::string payee = name_on(2, 2, "payee");
  Leader source{1, 2};
  Leader target{2, 2};

  TwoShards() {
    source.open(payer);
    target.open(payee);
    source.transfer(deposit_of(1, payer, 10'000));
  }
  Decision start(std::uint64_t id, std::int64_t minor) { return start(id, minor, payee); }
  Decision start(std::uint64_t id, std::int64_t minor, const std::string& to, Currency currency = usd) {
    return source.transfer(transfer_of(id, payer, to, minor, currency, two));
  }
  LegDecision deliver(std::uint64_t number, std::uint64_t freed_through = 0) {
    return target.receive(one, source.state.leg(two, LegNumber(number)), LegNumber(freed_through));
  }
  void require_balanced() const {
    for (const Leader* leader : {&source, &target}) {
      for (const TrialBalanceRow& row : leader->state.trial_balance()) {
        REQUIRE(static_cast<std::int64_t>(row.customers + row.issue + row.transit) == 0);
      }
    }
  }
};

TEST_CASE("a transfer to another shard debits and starts its leg in one event (design, Transactions across shards)") {
  TwoShards world;
  const Decision decision = world.start(2, 4'000);
  REQUIRE(decision.outcome == Outcome::pending);
  REQUIRE_FALSE(decision.replayed);
  REQUIRE(decision.record.target == two);
  REQUIRE(decision.record.leg == LegNumber(1));
  REQUIRE(world.source.balance(world.payer) == 6'000);
  REQUIRE(world.source.system("sys:transit:USD:2") == 4'000);
  REQUIRE(world.source.state.leg_targets() == std::vector<ShardId>{two});
  REQUIRE(world.source.state.first_unanswered(two) == LegNumber(1));
  REQUIRE(world.source.state.next_leg(two) == LegNumber(2));
  const LegRequest leg = world.source.state.leg(two, LegNumber(1));
  REQUIRE(leg.id == id_of(2));
  REQUIRE(leg.amount == Money{4'000, usd});
  REQUIRE(leg.credit_account == world.payee);
  REQUIRE(leg.source_position == decision.record.position);
  REQUIRE(leg.source_stamp == decision.record.stamp);
  REQUIRE_THROWS_AS(world.source.state.leg(two, LegNumber(2)), CheckFailure);
  world.require_balanced();
}

TEST_CASE("a duplicate of a running transfer is still pending") {
  TwoShards world;
  world.start(2, 4'000);
  const std::size_t entries = world.source.log.size();
  const Decision again = world.start(2, 4'000);
  REQUIRE(again.replayed);
  REQUIRE(again.outcome == Outcome::pending);
  REQUIRE(again.record.leg == LegNumber(1));
  REQUIRE(world.start(2, 4'001).outcome == Outcome::idempotency_payload_mismatch);
  REQUIRE(world.source.log.size() == entries);
}

TEST_CASE("a leg that arrives credits once, and its answer ends the saga") {
  TwoShards world;
  world.start(2, 4'000);
  const LegDecision decision = world.deliver(1);
  REQUIRE(decision.kind == LegDecision::Kind::decided);
  REQUIRE(decision.answer.outcome == Outcome::success);
  REQUIRE(decision.answer.position == world.target.state.last_position());
  REQUIRE(world.target.balance(world.payee) == 4'000);
  REQUIRE(world.target.system("sys:transit:USD:1") == -4'000);
  REQUIRE(world.source.answer(two, decision.answer));
  REQUIRE(world.source.balance(world.payer) == 6'000);
  REQUIRE(world.source.state.first_unanswered(two) == world.source.state.next_leg(two));
  const std::optional<TransferRecord> record = world.source.state.find_transfer(default_tenant, world.payer, id_of(2));
  REQUIRE(record->outcome == Outcome::success);
  REQUIRE(record->target_position == decision.answer.position);
  REQUIRE(record->target_stamp == decision.answer.stamp);
  REQUIRE(world.start(2, 4'000).outcome == Outcome::success);
  REQUIRE(world.source.system("sys:transit:USD:2") + world.target.system("sys:transit:USD:1") == 0);
  world.require_balanced();
}

TEST_CASE("a leg that is refused is compensated exactly once") {
  TwoShards world;
  Outcome expected = Outcome::credit_account_not_found;
  SECTION("the credit account does not exist") {
    REQUIRE(world.start(2, 4'000, name_on(2, 2, "stranger")).outcome == Outcome::pending);
  }
  SECTION("the credit account has no pocket in this currency") {
    const std::string euros = name_on(2, 2, "euros");
    world.target.open(euros, eur);
    REQUIRE(world.start(2, 4'000, euros).outcome == Outcome::pending);
    expected = Outcome::currency_mismatch;
  }
  SECTION("the credit account would overflow") {
    world.target.transfer(deposit_of(9, world.payee, INT64_MAX));
    REQUIRE(world.start(2, 4'000).outcome == Outcome::pending);
    expected = Outcome::balance_overflow;
  }
  const LegDecision decision = world.deliver(1);
  REQUIRE(decision.answer.outcome == expected);
  REQUIRE(world.target.system("sys:transit:USD:1") == 0);
  REQUIRE(world.source.answer(two, decision.answer));
  REQUIRE(world.source.balance(world.payer) == 10'000);
  REQUIRE(world.source.system("sys:transit:USD:2") == 0);
  REQUIRE_FALSE(world.source.answer(two, decision.answer));
  REQUIRE(world.source.balance(world.payer) == 10'000);
  REQUIRE(world.source.state.find_transfer(default_tenant, id_of(2))->outcome == expected);
  world.require_balanced();
}

TEST_CASE("a leg is taken in order: older ones are repeated, later ones are a gap") {
  TwoShards world;
  for (std::uint64_t id = 2; id < 5; ++id) world.start(id, 100);
  REQUIRE(world.deliver(2).kind == LegDecision::Kind::gap);
  const LegDecision first = world.deliver(1);
  REQUIRE(first.kind == LegDecision::Kind::decided);
  REQUIRE(world.deliver(3).kind == LegDecision::Kind::gap);
  const std::size_t entries = world.target.log.size();
  const LegDecision again = world.deliver(1);
  REQUIRE(again.kind == LegDecision::Kind::repeated);
  REQUIRE(again.answer.outcome == Outcome::success);
  REQUIRE(again.answer.id == first.answer.id);
  REQUIRE(again.answer.position == first.answer.position);
  REQUIRE(again.answer.stamp == first.answer.stamp);
  REQUIRE(world.target.log.size() == entries);
  REQUIRE(world.target.balance(world.payee) == 100);
  REQUIRE(world.target.state.next_expected(one) == LegNumber(2));
  REQUIRE(world.deliver(2).kind == LegDecision::Kind::decided);
  REQUIRE(world.deliver(3).kind == LegDecision::Kind::decided);
  REQUIRE(world.target.balance(world.payee) == 300);
}

TEST_CASE("outcomes are freed once the source has logged their answers") {
  TwoShards world;
  std::vector<LegDecision> decisions;
  LegRequest old;
  for (std::uint64_t number = 1; number <= 3; ++number) {
    world.start(number + 1, 100);
    if (number == 1) old = world.source.state.leg(two, LegNumber(1));
    decisions.push_back(world.deliver(number, number - 1));
    REQUIRE(world.source.answer(two, decisions.back().answer));
  }
  REQUIRE(world.target.receive(one, old).kind == LegDecision::Kind::freed);
  REQUIRE_FALSE(world.target.state.recorded_answer(one, LegNumber(2)).has_value());
  REQUIRE(world.target.state.recorded_answer(one, LegNumber(3)).has_value());
  const StateMachine before(world.target.state);
  world.target.state.committed(world.target.state.last_position());
  REQUIRE(exported(world.target.state) == exported(before));
  REQUIRE(world.target.receive(one, old).kind == LegDecision::Kind::freed);
}

TEST_CASE("a source cannot free outcomes of legs it has not sent") {
  TwoShards world;
  world.start(2, 100);
  REQUIRE(world.deliver(1, 1'000'000).kind == LegDecision::Kind::decided);
  REQUIRE(world.target.state.recorded_answer(one, LegNumber(1)).has_value());
}

TEST_CASE("only the answer to the first unanswered leg is logged") {
  TwoShards world;
  world.start(2, 100);
  world.start(3, 100);
  const LegAnswer first = world.deliver(1).answer;
  const LegAnswer second = world.deliver(2).answer;
  REQUIRE_FALSE(world.source.answer(two, second));
  LegAnswer wrong = first;
  wrong.id = id_of(77);
  REQUIRE_FALSE(world.source.answer(two, wrong));
  wrong = first;
  wrong.outcome = Outcome::unknown;
  REQUIRE_FALSE(world.source.answer(two, wrong));
  REQUIRE_FALSE(world.source.answer(ShardId(3), first));
  Batch early(world.source.state, world.source.stamp());
  wrong = first;
  wrong.stamp = world.source.stamp();
  REQUIRE(early.answer_leg(two, wrong).kind ==
          AnswerDecision::Kind::ignored);  // an answer from the future of this entry
  REQUIRE(world.source.answer(two, first));
  REQUIRE_FALSE(world.source.answer(two, first));
  REQUIRE(world.source.answer(two, second));
}

TEST_CASE("bytes that only look like a leg are ignored") {
  TwoShards world;
  world.start(2, 100);
  const LegRequest good = world.source.state.leg(two, LegNumber(1));
  std::vector<LegRequest> bad(6, good);
  bad[0].number = LegNumber(0);
  bad[1].amount.minor = 0;
  bad[2].amount.currency = Currency{};
  bad[3].credit_account = "sys:issue:USD";
  bad[4].credit_account = "a b";
  bad[5].credit_account = "";
  for (const LegRequest& leg : bad) REQUIRE(world.target.receive(one, leg).kind == LegDecision::Kind::gap);
  REQUIRE(world.target.receive(two, good).kind == LegDecision::Kind::gap);
  REQUIRE(world.target.receive(ShardId(0), good).kind == LegDecision::Kind::gap);
  Batch early(world.target.state, world.target.stamp());
  LegRequest late = good;
  late.source_stamp = world.target.stamp();
  REQUIRE(early.receive_leg(one, late, {}).kind == LegDecision::Kind::gap);
  StateMachine unfounded(two);
  Batch batch(unfounded, Stamp{INT64_MAX});
  REQUIRE(batch.receive_leg(one, good, {}).kind == LegDecision::Kind::gap);
  REQUIRE(world.target.receive(one, good).kind == LegDecision::Kind::decided);
}

TEST_CASE("a leg for a slot that is not the target's finds no account there") {
  TwoShards world;
  world.start(2, 100);
  LegRequest leg = world.source.state.leg(two, LegNumber(1));
  leg.credit_account = world.payer;
  REQUIRE(world.target.receive(one, leg).answer.outcome == Outcome::credit_account_not_found);
}

TEST_CASE("refusals before the leg starts are those of any transfer, and start no leg") {
  TwoShards world;
  REQUIRE(world.start(2, 10'001).outcome == Outcome::insufficient_funds);
  REQUIRE(world.start(3, 1, world.payee, eur).outcome == Outcome::currency_mismatch);
  REQUIRE(world.start(2, 10'001).replayed);
  REQUIRE(world.source.state.leg_targets().empty());
  REQUIRE(world.source.state.next_leg(two) == LegNumber(1));
}

TEST_CASE("a compensation always fits: what is on its way counts against the account's limit") {
  TwoShards world;
  world.source.transfer(deposit_of(2, world.payer, INT64_MAX - 10'000));
  world.start(3, INT64_MAX, name_on(2, 2, "stranger"));
  REQUIRE(world.source.balance(world.payer) == 0);
  REQUIRE(world.source.transfer(deposit_of(4, world.payer, 1)).outcome == Outcome::balance_overflow);
  REQUIRE(world.source.answer(two, world.deliver(1).answer));
  REQUIRE(world.source.balance(world.payer) == INT64_MAX);
  world.require_balanced();
}

TEST_CASE("a transit account at the end of its range refuses further legs") {
  TwoShards world;
  world.source.open(world.payer, eur);
  world.target.open(world.payee, eur);
  world.source.transfer(deposit_of(2, world.payer, INT64_MAX, eur));
  world.start(3, INT64_MAX, world.payee, eur);
  REQUIRE(world.source.answer(two, world.deliver(1).answer));
  REQUIRE(world.source.system("sys:transit:EUR:2") == INT64_MAX);
  // One more euro comes in from a third shard, and cannot leave for the second.
  LegRequest leg;
  leg.number = LegNumber(1);
  leg.amount = {1, eur};
  leg.credit_account = world.payer;
  REQUIRE(world.source.receive(ShardId(3), leg).answer.outcome == Outcome::success);
  REQUIRE(world.start(4, 1, world.payee, eur).outcome == Outcome::balance_overflow);
  REQUIRE(world.source.balance(world.payer, eur) == 1);
  world.require_balanced();
}

TEST_CASE("a leg that would take the target's transit account out of its range is refused") {
  TwoShards world;
  LegRequest leg;
  leg.number = LegNumber(1);
  leg.amount = {INT64_MAX, usd};
  leg.credit_account = world.payee;
  REQUIRE(world.target.receive(one, leg).answer.outcome == Outcome::success);
  REQUIRE(world.target.transfer(withdrawal_of(2, world.payee, INT64_MAX)).outcome == Outcome::success);
  leg.number = LegNumber(2);
  leg.amount.minor = 1;
  REQUIRE(world.target.receive(one, leg).answer.outcome == Outcome::balance_overflow);
  world.require_balanced();
}

TEST_CASE("what is not committed can be undone after what is: answers") {
  TwoShards world;
  world.start(2, 100);
  world.start(3, 200, name_on(2, 2, "stranger"));
  const LegAnswer first = world.deliver(1).answer;
  const LegAnswer second = world.deliver(2).answer;
  REQUIRE(world.source.answer(two, first));
  const Position committed = world.source.state.last_position();
  const Bytes then = exported(world.source.state);
  REQUIRE(world.source.answer(two, second));
  world.source.state.committed(committed);
  world.source.state.undo_entry(world.source.log.back());
  REQUIRE(exported(world.source.state) == then);
  REQUIRE(world.source.state.leg(two, LegNumber(2)).id == id_of(3));
  REQUIRE(world.source.state.leg(two, LegNumber(2)).credit_account == name_on(2, 2, "stranger"));
  REQUIRE(world.source.answer(two, second));
}

TEST_CASE("what is not committed can be undone after what is: outcomes freed") {
  TwoShards world;
  for (std::uint64_t number = 1; number <= 2; ++number) {
    world.start(number + 1, 100);
    REQUIRE(world.source.answer(two, world.deliver(number, number - 1).answer));
  }
  world.start(4, 100);
  const Position committed = world.target.state.last_position();
  const Bytes then = exported(world.target.state);
  world.deliver(3, 2);
  world.target.state.committed(committed);
  REQUIRE_FALSE(world.target.state.recorded_answer(one, LegNumber(2)).has_value());
  world.target.state.undo_entry(world.target.log.back());
  REQUIRE(exported(world.target.state) == then);
  REQUIRE(world.target.state.recorded_answer(one, LegNumber(2))->id == id_of(3));
  REQUIRE_FALSE(world.target.state.recorded_answer(one, LegNumber(1)).has_value());
}

TEST_CASE("undo takes back every step of a saga (design, Event sourcing)") {
  TwoShards world;
  std::vector<Bytes> sources{exported(world.source.state)};
  std::vector<Bytes> targets{exported(world.target.state)};
  world.start(2, 100);
  sources.push_back(exported(world.source.state));
  world.start(3, 200, name_on(2, 2, "stranger"));
  sources.push_back(exported(world.source.state));
  std::vector<LegAnswer> answers;
  for (std::uint64_t number = 1; number <= 2; ++number) {
    answers.push_back(world.deliver(number, number - 1).answer);
    targets.push_back(exported(world.target.state));
  }
  for (const LegAnswer& answer : answers) {
    REQUIRE(world.source.answer(two, answer));
    sources.push_back(exported(world.source.state));
  }
  const auto unwind = [](Leader& leader, std::vector<Bytes> states) {
    while (true) {
      REQUIRE(exported(leader.state) == states.back());
      states.pop_back();
      if (states.empty()) return;
      leader.state.undo_entry(leader.log.back());
      leader.log.pop_back();
    }
  };
  unwind(world.source, sources);
  unwind(world.target, targets);
  REQUIRE(world.source.state.leg_targets().empty());
  REQUIRE(world.target.state.next_expected(one) == LegNumber(1));
}

}  // namespace
