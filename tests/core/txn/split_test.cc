// Splits over three shards: every phase, every refusal, all parts or none, and every step undone.
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "core/base/check.h"
#include "core/base/phases.h"
#include "core/txn/state_machine.h"
#include "tests/core/txn/leader.h"

namespace {

using namespace coffer;
using namespace coffer::txn;
using namespace coffer::txn::testing;
using ledger::LegStep;
using ledger::SplitCommand;
using Kind = AnswerDecision::Kind;

constexpr ShardId one(1);
constexpr ShardId two(2);
constexpr ShardId three(3);

/// Three shards: `payer` on the first with 100.00 USD, and a payee on each.
struct ThreeShards {
  std::string payer = name_on(1, 3, "payer");
  std::string near = name_on(1, 3, "near");
  std::string far = name_on(2, 3, "far");
  std::string farther = name_on(3, 3, "farther");
  std::string stranger = name_on(3, 3, "stranger");
  Leader source{1, 3};
  Leader second{2, 3};
  Leader third{3, 3};

  ThreeShards() {
    source.open(payer);
    source.open(near);
    second.open(far);
    third.open(farther);
    source.transfer(deposit_of(1, payer, 10'000));
  }
  Leader& at(ShardId shard) { return shard == one ? source : shard == two ? second : third; }
  ShardId shard(const std::string& account) const { return shard_of(default_tenant, account, 3); }
  SplitDecision split(std::uint64_t id, const std::vector<std::pair<std::string, std::int64_t>>& parts) {
    std::vector<SplitCommand::Part> asked;
    for (const auto& [account, minor] : parts) asked.push_back({account, minor, shard(account)});
    SplitCommand command;
    command.id = id_of(id);
    command.debit_account = payer;
    command.currency = usd;
    command.parts = asked;
    return source.entry([&](Batch& batch) { return batch.split(command); }, source.stamp());
  }
  LegRequest leg(ShardId target, std::uint64_t number) const { return source.state.leg(target, LegNumber(number)); }
  LegAnswer deliver(ShardId target, std::uint64_t number) {
    return at(target).receive(one, leg(target, number)).answer;
  }
  AnswerDecision answer(ShardId target, const LegAnswer& answer) {
    const Stamp after{std::max(source.stamp().nanos, answer.stamp.nanos + 1)};
    return source.entry([&](Batch& batch) { return batch.answer_leg(target, answer); }, after);
  }
  Kind round_trip(ShardId target, std::uint64_t number) { return answer(target, deliver(target, number)).kind; }
  Outcome outcome(std::uint64_t id) const {
    return source.state.find_transfer(default_tenant, payer, id_of(id))->outcome;
  }
  SplitRecord record(std::uint64_t id) const {
    return source.state.split(source.state.find_transfer(default_tenant, payer, id_of(id))->row);
  }
  std::vector<std::string> phases(std::uint64_t id) const {
    std::vector<std::string> rows;
    for (const PhaseStep& step : source.state.history(*source.state.find_transfer(default_tenant, payer, id_of(id)))) {
      std::string row(name(step.phase));
      row.append(" ").append(name(step.side)).append(" ").append(name(step.state));
      rows.push_back(row + " s" + std::to_string(step.shard.value));
    }
    return rows;
  }
  /// Each shard balances to zero, and everything in the log can be undone and done again.
  void require_sound() {
    for (Leader* leader : {&source, &second, &third}) {
      for (const TrialBalanceRow& row : leader->state.trial_balance()) {
        REQUIRE(static_cast<std::int64_t>(row.customers + row.issue + row.transit) == 0);
      }
      std::vector<Bytes> states = {exported(StateMachine(leader->state.self()))};
      StateMachine state(leader->state.self());
      for (const Bytes& payload : leader->log) {
        state.apply_entry(payload);
        states.push_back(exported(state));
      }
      REQUIRE(states.back() == exported(leader->state));
      for (std::size_t entries = leader->log.size(); entries > 0; --entries) {
        state.undo_entry(leader->log[entries - 1]);
        REQUIRE(exported(state) == states[entries - 1]);
      }
    }
  }
};

TEST_CASE("a split takes all from the debit at once, and every Try leaves with the same entry (decision 10)") {
  ThreeShards world;
  const SplitDecision begun = world.split(2, {{world.far, 1'000}, {world.near, 200}, {world.farther, 30}});
  REQUIRE(begun.outcome == Outcome::pending);
  REQUIRE_FALSE(begun.replayed);
  REQUIRE(world.source.balance(world.payer) == 8'770);
  REQUIRE(world.source.balance(world.near) == 0);
  REQUIRE(world.source.system("sys:transit:USD:1") == 200);
  REQUIRE(world.source.system("sys:transit:USD:2") == 1'000);
  REQUIRE(world.source.system("sys:transit:USD:3") == 30);
  REQUIRE(world.leg(two, 1).step == LegStep::try_credit);
  REQUIRE(world.leg(two, 1).amount.minor == 1'000);
  REQUIRE(world.leg(three, 1).step == LegStep::try_credit);
  REQUIRE(world.leg(three, 1).credit_account == world.farther);
  world.require_sound();
}

TEST_CASE("nobody is given anything before all have answered, then all are (decision 10)") {
  ThreeShards world;
  world.split(2, {{world.far, 1'000}, {world.near, 200}, {world.farther, 30}});
  REQUIRE(world.round_trip(three, 1) == Kind::split_answered);
  REQUIRE(world.outcome(2) == Outcome::pending);
  REQUIRE(world.source.balance(world.near) == 0);
  REQUIRE(world.source.state.next_leg(three) == LegNumber(2));  // no Confirm yet
  REQUIRE(world.round_trip(two, 1) == Kind::split_confirming);
  REQUIRE(world.source.balance(world.near) == 200);
  REQUIRE(world.outcome(2) == Outcome::pending);
  REQUIRE(world.leg(two, 2).step == LegStep::confirm);
  REQUIRE(world.leg(two, 2).tried == LegNumber(1));
  REQUIRE(world.leg(two, 2).credit_account == world.far);
  REQUIRE(world.leg(three, 2).step == LegStep::confirm);
  REQUIRE(world.round_trip(three, 2) == Kind::split_ended);
  REQUIRE(world.outcome(2) == Outcome::pending);
  const LegAnswer confirmed = world.deliver(two, 2);
  REQUIRE(world.answer(two, confirmed).kind == Kind::split_confirmed);
  REQUIRE(world.outcome(2) == Outcome::success);
  REQUIRE(world.second.balance(world.far) == 1'000);
  REQUIRE(world.third.balance(world.farther) == 30);
  REQUIRE(world.source.system("sys:transit:USD:1") == 0);
  const SplitRecord record = world.record(2);
  REQUIRE(record.parts.size() == 3);
  REQUIRE(record.refused == ledger::no_part);
  REQUIRE(record.parts[0].shard == two);
  REQUIRE(record.parts[0].position == confirmed.position);
  REQUIRE(record.parts[1].shard == one);
  REQUIRE(record.parts[1].position > record.position);
  REQUIRE(record.parts[2].position > Position());
  world.require_sound();
}

TEST_CASE("one refusal is the refusal of all: everything comes back, and the answer names the part (decision 10)") {
  ThreeShards world;
  world.split(2, {{world.far, 1'000}, {world.near, 200}, {world.stranger, 30}});
  REQUIRE(world.round_trip(two, 1) == Kind::split_answered);
  REQUIRE(world.round_trip(three, 1) == Kind::split_cancelling);
  REQUIRE(world.outcome(2) == Outcome::credit_account_not_found);
  REQUIRE(world.record(2).refused == 2);
  REQUIRE(world.record(2).parts[2].position > Position());
  REQUIRE(world.record(2).parts[0].position == Position());
  REQUIRE(world.source.balance(world.payer) == 10'000);
  REQUIRE(world.source.balance(world.near) == 0);
  for (const char* transit : {"sys:transit:USD:1", "sys:transit:USD:2", "sys:transit:USD:3"}) {
    REQUIRE(world.source.system(transit) == 0);
  }
  REQUIRE(world.leg(two, 2).step == LegStep::cancel);
  REQUIRE(world.leg(three, 2).step == LegStep::cancel);
  REQUIRE(world.round_trip(two, 2) == Kind::split_ended);
  REQUIRE(world.round_trip(three, 2) == Kind::split_cancelled);
  REQUIRE(world.second.balance(world.far) == 0);
  // What was kept for the Confirm is free again: an account nothing is pending in may be closed.
  const auto closed = world.second.entry(
      [&](Batch& batch) {
        return batch.change_account({ledger::Operation::close, id_of(9), default_tenant, PrincipalId(), world.far});
      },
      world.second.stamp());
  REQUIRE(closed.outcome == Outcome::success);
  world.require_sound();
}

TEST_CASE("of several refusals the first part's is told, whichever came first") {
  ThreeShards world;
  const std::string nobody = name_on(2, 3, "nobody");
  world.source.open(world.payer, eur);
  world.split(2, {{nobody, 1}, {world.stranger, 2}});
  REQUIRE(world.round_trip(three, 1) == Kind::split_answered);
  REQUIRE(world.round_trip(two, 1) == Kind::split_cancelling);
  REQUIRE(world.record(2).refused == 0);
}

TEST_CASE("parts to one shard are legs like others, with the same payee twice") {
  ThreeShards world;
  REQUIRE(world.split(2, {{world.far, 100}, {world.far, 20}}).outcome == Outcome::pending);
  REQUIRE(world.source.state.next_leg(two) == LegNumber(3));
  REQUIRE(world.round_trip(two, 1) == Kind::split_answered);
  REQUIRE(world.round_trip(two, 2) == Kind::split_confirming);
  REQUIRE(world.leg(two, 3).tried == LegNumber(1));
  REQUIRE(world.leg(two, 4).tried == LegNumber(2));
  REQUIRE(world.round_trip(two, 3) == Kind::split_ended);
  REQUIRE(world.round_trip(two, 4) == Kind::split_confirmed);
  REQUIRE(world.second.balance(world.far) == 120);
  world.require_sound();
}

TEST_CASE("a split within one shard is one event") {
  ThreeShards world;
  const std::string other = name_on(1, 3, "other");
  world.source.open(other);
  const Position before = world.source.state.last_position();
  const SplitDecision done = world.split(2, {{world.near, 100}, {other, 20}, {world.near, 3}});
  REQUIRE(done.outcome == Outcome::success);
  REQUIRE(world.source.state.last_position() == before.next());
  REQUIRE(world.source.balance(world.near) == 103);
  REQUIRE(world.source.balance(other) == 20);
  REQUIRE(world.source.balance(world.payer) == 9'877);
  REQUIRE(done.record.parts.at(1).position == done.record.position);
  REQUIRE(world.phases(2) == std::vector<std::string>{"execute entry done s1"});
  world.require_sound();
}

TEST_CASE("what refuses a split before anybody is asked, and which part it was") {
  ThreeShards world;
  const std::string poor = name_on(1, 3, "poor");
  world.source.open(poor, eur);
  const auto refused = [&](std::uint64_t id, const std::vector<std::pair<std::string, std::int64_t>>& parts) {
    const SplitDecision decision = world.split(id, parts);
    REQUIRE(decision.record.parts.empty());
    return std::pair(decision.outcome, decision.record.refused);
  };
  const std::uint8_t none = ledger::no_part;
  REQUIRE(refused(2, {{world.far, 9'000}, {world.near, 1'001}}) == std::pair(Outcome::insufficient_funds, none));
  REQUIRE(refused(3, {{world.far, 1}, {poor, 1}}) == std::pair(Outcome::currency_mismatch, std::uint8_t{1}));
  REQUIRE(refused(4, {{name_on(1, 3, "nobody"), 1}}) == std::pair(Outcome::credit_account_not_found, std::uint8_t{0}));
  const Position before = world.source.state.last_position();
  REQUIRE(world.split(5, {{world.far, 1}, {world.payer, 1}}).outcome == Outcome::same_account);
  REQUIRE(world.split(5, {{world.far, 1}, {world.near, 0}}).outcome == Outcome::malformed);
  REQUIRE(world.split(5, {{world.far, INT64_MAX}, {world.near, 1}}).outcome == Outcome::malformed);
  REQUIRE(world.split(5, {}).outcome == Outcome::malformed);
  REQUIRE(world.split(5, {17, {world.far, 1}}).outcome == Outcome::malformed);
  REQUIRE(world.split(5, {{"sys:issue:USD", 1}}).outcome == Outcome::reserved_account);
  REQUIRE(world.source.state.last_position() == before);
  REQUIRE(world.source.state.next_leg(two) == LegNumber(1));
  REQUIRE(world.source.balance(world.payer) == 10'000);
  world.require_sound();
}

TEST_CASE("the same split again gets the same answer, another body under its id a conflict") {
  ThreeShards world;
  const std::vector<std::pair<std::string, std::int64_t>> parts = {{world.far, 10}, {world.farther, 20}};
  const SplitDecision first = world.split(2, parts);
  const SplitDecision again = world.split(2, parts);
  REQUIRE(again.replayed);
  REQUIRE(again.outcome == Outcome::pending);
  REQUIRE(again.record.row == first.record.row);
  REQUIRE(world.split(2, {{world.farther, 20}, {world.far, 10}}).outcome == Outcome::idempotency_payload_mismatch);
  REQUIRE(world.source.transfer(transfer_of(2, world.payer, world.near, 30)).outcome ==
          Outcome::idempotency_payload_mismatch);
  for (const std::uint64_t number : {1, 2}) {
    for (const ShardId target : {two, three}) world.round_trip(target, number);
  }
  const SplitDecision late = world.split(2, parts);
  REQUIRE(late.replayed);
  REQUIRE(late.outcome == Outcome::success);
  REQUIRE(late.record.parts.at(1).position == world.record(2).parts.at(1).position);
  REQUIRE(world.source.state.next_leg(two) == LegNumber(3));
}

TEST_CASE("what a split has promised is kept whatever becomes of the accounts in between (A2, T5)") {
  ThreeShards world;
  world.split(2, {{world.far, 1'000}, {world.near, 200}});
  const auto change = [&](Leader& leader, ledger::Operation what, const std::string& account, std::uint64_t id) {
    return leader
        .entry(
            [&](Batch& batch) {
              return batch.change_account({what, id_of(id), default_tenant, PrincipalId(), account});
            },
            leader.stamp())
        .outcome;
  };
  REQUIRE(change(world.source, ledger::Operation::close, world.near, 10) == Outcome::account_not_empty);
  REQUIRE(change(world.source, ledger::Operation::freeze, world.near, 11) == Outcome::success);
  REQUIRE(change(world.source, ledger::Operation::freeze, world.payer, 12) == Outcome::success);
  REQUIRE(world.source.transfer(deposit_of(13, world.near, INT64_MAX - 100)).outcome == Outcome::account_frozen);
  const LegAnswer tried = world.deliver(two, 1);
  REQUIRE(change(world.second, ledger::Operation::freeze, world.far, 14) == Outcome::success);
  REQUIRE(world.answer(two, tried).kind == Kind::split_confirming);
  REQUIRE(world.round_trip(two, 2) == Kind::split_confirmed);
  REQUIRE(world.source.balance(world.near) == 200);
  REQUIRE(world.second.balance(world.far) == 1'000);
  world.require_sound();
}

TEST_CASE("room is kept for a part of the own shard while others are asked") {
  ThreeShards world;
  world.split(2, {{world.far, 1'000}, {world.near, 200}});
  REQUIRE(world.source.transfer(deposit_of(3, world.near, INT64_MAX - 20'000)).outcome == Outcome::success);
  REQUIRE(world.source.transfer(transfer_of(4, world.payer, world.near, 8'000)).outcome == Outcome::success);
  REQUIRE(world.source.transfer(deposit_of(5, world.near, 12'000)).outcome == Outcome::balance_overflow);
  REQUIRE(world.round_trip(two, 1) == Kind::split_confirming);
  REQUIRE(world.source.balance(world.near) == INT64_MAX - 11'800);
  world.require_sound();
}

TEST_CASE(
    "a split's steps: the debit, a row per part, then the second phase of each (Digital Wallet, phase status table)") {
  ThreeShards world;
  world.split(2, {{world.far, 1'000}, {world.near, 200}, {world.farther, 30}});
  using Rows = std::vector<std::string>;
  REQUIRE(world.phases(2) ==
          Rows{"try debit done s1", "try credit sent s2", "try credit done s1", "try credit sent s3"});
  world.round_trip(three, 1);
  REQUIRE(world.phases(2) ==
          Rows{"try debit done s1", "try credit sent s2", "try credit done s1", "try credit done s3"});
  world.round_trip(two, 1);
  world.round_trip(two, 2);
  REQUIRE(world.phases(2) == Rows{"try debit done s1", "try credit done s2", "try credit done s1", "try credit done s3",
                                  "confirm debit done s1", "confirm credit done s2", "confirm credit done s1",
                                  "confirm credit sent s3"});
  world.split(3, {{world.stranger, 1}});
  world.round_trip(three, 2);
  world.round_trip(three, 3);
  REQUIRE(world.phases(3) ==
          Rows{"try debit done s1", "try credit refused s3", "cancel debit done s1", "cancel credit sent s3"});
}

TEST_CASE("an answer out of order or twice changes nothing (T4)") {
  ThreeShards world;
  world.split(2, {{world.far, 1}, {world.far, 2}});
  const LegAnswer first = world.deliver(two, 1);
  const LegAnswer second = world.deliver(two, 2);
  REQUIRE(world.answer(two, second).kind == Kind::ignored);
  REQUIRE(world.answer(two, first).kind == Kind::split_answered);
  REQUIRE(world.answer(two, first).kind == Kind::ignored);
  REQUIRE(world.answer(two, second).kind == Kind::split_confirming);
}

}  // namespace
