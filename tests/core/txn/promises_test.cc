// Splits, holds and two-phase commit on the same accounts at once: what was promised first is kept, whatever is locked,
// frozen or held in between; and what a lock costs a capture.
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/core/txn/holding.h"

namespace {

using namespace coffer;
using namespace coffer::txn;
using namespace coffer::txn::testing;
using ledger::HoldEnd;
using ledger::Protocol;
using Kind = AnswerDecision::Kind;

constexpr ShardId one(1);
constexpr ShardId two(2);
constexpr ShardId three(3);

/// Three shards that transfer by two-phase commit. On each an account with 100.00 USD.
struct Locking {
  std::string payer = name_on(1, 3, "payer");
  std::string far = name_on(2, 3, "far");
  std::string farther = name_on(3, 3, "farther");
  std::string stranger = name_on(3, 3, "stranger");
  Leader first{1, 3, Protocol::two_phase_commit};
  Leader second{2, 3, Protocol::two_phase_commit};
  Leader third{3, 3, Protocol::two_phase_commit};
  std::uint64_t ids = 1000;

  Locking() {
    for (const std::string& account : {payer, far, farther}) {
      Leader& leader = at(home(account));
      leader.open(account);
      leader.transfer(deposit_of(++ids, account, 10'000));
    }
  }
  static ShardId home(const std::string& account) { return shard_of(default_tenant, account, 3); }
  Leader& at(ShardId shard) { return shard == one ? first : shard == two ? second : third; }

  SplitDecision split(std::uint64_t id, const std::vector<std::pair<std::string, std::int64_t>>& parts) {
    std::vector<ledger::SplitCommand::Part> asked;
    for (const auto& [account, minor] : parts) asked.push_back({account, minor, home(account)});
    ledger::SplitCommand command;
    command.id = id_of(id);
    command.debit_account = payer;
    command.currency = usd;
    command.parts = asked;
    return first.entry([&](Batch& batch) { return batch.split(command); }, first.stamp());
  }
  Decision send(const std::string& from, const std::string& to, std::int64_t minor) {
    return at(home(from)).transfer(transfer_of(++ids, from, to, minor, usd, home(to)));
  }
  LegAnswer deliver(ShardId source, ShardId target, LegNumber number) {
    return at(target).receive(source, at(source).state.leg(target, number)).answer;
  }
  LegAnswer deliver_first(ShardId source, ShardId target) {
    return deliver(source, target, at(source).state.first_unanswered(target));
  }
  Kind answer(ShardId source, ShardId target, const LegAnswer& answer) {
    Leader& leader = at(source);
    const Stamp after{std::max(leader.stamp().nanos, answer.stamp.nanos + 1)};
    return leader.entry([&](Batch& batch) { return batch.answer_leg(target, answer); }, after).kind;
  }
  void settle() {
    for (int round = 0; round < 4; ++round) {
      for (const ShardId source : {one, two, three}) {
        for (const ShardId target : at(source).state.leg_targets()) {
          while (at(source).state.first_unanswered(target) != at(source).state.next_leg(target)) {
            REQUIRE(answer(source, target, deliver_first(source, target)) != Kind::ignored);
          }
        }
      }
    }
  }
  bool is_locked(const std::string& account) {
    for (const StateMachine::PocketRow& row : at(home(account)).state.pockets()) {
      if (row.account == account) return row.locked;
    }
    return false;
  }
  void require_sound() {
    std::int64_t sum = 0;
    for (const std::string& account : {payer, far, farther}) {
      sum += at(home(account)).balance(account);
      REQUIRE_FALSE(is_locked(account));
    }
    REQUIRE(sum == 30'000);
    for (const ShardId shard : {one, two, three}) check_undone(at(shard));
  }
};

TEST_CASE("a split's second phases pass by locks that came after its Tries, on either side (L3, S8)") {
  Locking world;
  const bool agreed = GENERATE(true, false);
  const std::string& last = agreed ? world.farther : world.stranger;
  REQUIRE(world.split(1, {{world.far, 100}, {last, 200}}).outcome == Outcome::pending);
  const LegAnswer from_far = world.deliver_first(one, two);
  const LegAnswer from_last = world.deliver_first(one, three);
  REQUIRE(world.send(world.far, world.farther, 50).outcome == Outcome::pending);
  REQUIRE(world.send(world.payer, world.farther, 70).outcome == Outcome::pending);
  REQUIRE(world.is_locked(world.far));
  REQUIRE(world.is_locked(world.payer));
  world.answer(one, two, from_far);
  REQUIRE(world.answer(one, three, from_last) == (agreed ? Kind::split_confirming : Kind::split_cancelling));
  REQUIRE(world.first.balance(world.payer) == 10'000 - 70 - (agreed ? 300 : 0));
  const LegNumber second(world.first.state.next_leg(two).value - 1);
  REQUIRE(world.deliver(one, two, second).outcome == Outcome::success);
  REQUIRE(world.second.balance(world.far) == 10'000 - 50 + (agreed ? 100 : 0));
  REQUIRE(world.is_locked(world.far));
  world.settle();
  REQUIRE(world.first.state.find_transfer(default_tenant, world.payer, id_of(1))->outcome ==
          (agreed ? Outcome::success : Outcome::credit_account_not_found));
  world.require_sound();
}

TEST_CASE("a split whose payee is locked is refused, and takes nothing for good (L1, S8)") {
  Locking world;
  REQUIRE(world.send(world.far, world.farther, 50).outcome == Outcome::pending);
  REQUIRE(world.split(1, {{world.far, 100}}).outcome == Outcome::pending);
  world.settle();
  REQUIRE(world.first.state.find_transfer(default_tenant, world.payer, id_of(1))->outcome == Outcome::account_locked);
  REQUIRE(world.first.balance(world.payer) == 10'000);
  world.require_sound();
}

TEST_CASE("what is held is no split's, and what a split has taken is no hold's, until it comes back (D1, S8)") {
  Locking world;
  place(world.first, hold_of(1, world.payer, 9'000));
  REQUIRE(world.split(2, {{world.far, 1'001}}).outcome == Outcome::insufficient_funds);
  REQUIRE(world.split(3, {{world.far, 500}, {world.stranger, 500}}).outcome == Outcome::pending);
  REQUIRE(place(world.first, hold_of(4, world.payer, 1)).outcome == Outcome::insufficient_funds);
  const CaptureDecision captured = capture(world.first, capture_of(1, world.payer, world.far, 9'000, usd, two));
  REQUIRE(captured.decision.outcome == Outcome::pending);
  REQUIRE(world.is_locked(world.payer));
  world.settle();
  REQUIRE(world.first.balance(world.payer) == 1'000);
  REQUIRE(place(world.first, hold_of(5, world.payer, 1'000)).outcome == Outcome::success);
  REQUIRE(release(world.first, 5, world.payer).outcome == Outcome::success);
  world.require_sound();
}

TEST_CASE("a payer who goes on sending keeps a capture off until he stops: the price of a lock (decision 11)") {
  Locking world;
  place(world.first, hold_of(1, world.payer, 5'000));
  const ledger::CaptureHoldCommand taking = capture_of(1, world.payer, world.far, 5'000, usd, two);
  world.send(world.payer, world.far, 1);
  for (int round = 0; round < 20; ++round) {
    REQUIRE(capture(world.first, taking).status == Outcome::account_busy);
    const LegAnswer promised = world.deliver_first(one, two);
    // The decision unlocks the account, and the payer's next transfer stands behind it in the same entry.
    world.first.entry(
        [&](Batch& batch) {
          REQUIRE(batch.answer_leg(two, promised).kind == Kind::committing);
          return batch.transfer(transfer_of(++world.ids, world.payer, world.farther, 1, usd, three));
        },
        Stamp{std::max(world.first.stamp().nanos, promised.stamp.nanos + 1)});
    REQUIRE(capture(world.first, taking).status == Outcome::account_busy);
    world.settle();
    world.send(world.payer, world.far, 1);
  }
  world.settle();
  REQUIRE(hold_at(world.first, 1, world.payer).end == HoldEnd::live);
  REQUIRE(capture(world.first, taking).status == Outcome::success);
  world.settle();
  world.require_sound();
}

/// One payment of the payee's locks him while a capture for him comes.
CaptureDecision capture_for_a_locked_payee(Locking& world, const std::string& payee) {
  place(world.first, hold_of(1, world.payer, 5'000));
  world.send(payee, world.farther, 10);
  return capture(world.first, capture_of(1, world.payer, payee, 5'000, usd, Locking::home(payee)));
}

TEST_CASE("a capture for a payee who is locked in the payer's shard is put off until the lock goes (D5)") {
  Locking world;
  const std::string near = name_on(1, 3, "near");
  world.first.open(near);
  world.first.transfer(deposit_of(++world.ids, near, 10));
  REQUIRE(capture_for_a_locked_payee(world, near).status == Outcome::account_busy);
  REQUIRE(hold_at(world.first, 1, world.payer).end == HoldEnd::live);
  world.settle();
  const CaptureDecision again = capture(world.first, capture_of(1, world.payer, near, 5'000, usd, one));
  REQUIRE(again.decision.outcome == Outcome::success);
  world.settle();
  REQUIRE(world.first.balance(near) == 5'000);
  REQUIRE(world.first.balance(world.payer) == 5'000);
  REQUIRE(world.third.balance(world.farther) == 10'010);
}

TEST_CASE("a payee who is locked elsewhere ends the hold: the payer's shard knows it too late (D4)") {
  Locking world;
  const CaptureDecision captured = capture_for_a_locked_payee(world, world.far);
  REQUIRE(captured.decision.outcome == Outcome::pending);
  world.settle();
  REQUIRE(world.first.state.find_transfer(default_tenant, world.payer, captured.transfer)->outcome ==
          Outcome::account_locked);
  REQUIRE(hold_at(world.first, 1, world.payer).end == HoldEnd::captured);
  REQUIRE(held(world.first, world.payer) == 0);
  REQUIRE(world.first.balance(world.payer) == 10'000);
}

}  // namespace
