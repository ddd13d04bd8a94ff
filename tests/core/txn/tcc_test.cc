// TC/C between two shards: every phase, every refusal, and that a second phase can never be refused.
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
using ledger::LegStep;
using Kind = AnswerDecision::Kind;

constexpr ShardId one(1);
constexpr ShardId two(2);

/// Two shards: `payer` on the first with 100.00 USD, `payee` on the second.
struct TwoShards {
  std::string payer = name_on(1, 2, "payer");
  std::string payee = name_on(2, 2, "payee");
  std::string stranger = name_on(2, 2, "stranger");
  Leader source{1, 2, ledger::Protocol::tcc};
  Leader target{2, 2, ledger::Protocol::tcc};

  TwoShards() {
    source.open(payer);
    target.open(payee);
    source.transfer(deposit_of(1, payer, 10'000));
  }
  Decision start(std::uint64_t id, std::int64_t minor) { return start(id, minor, payee); }
  Decision start(std::uint64_t id, std::int64_t minor, const std::string& to) {
    return source.transfer(transfer_of(id, payer, to, minor, usd, two));
  }
  LegRequest leg(std::uint64_t number) const { return source.state.leg(two, LegNumber(number)); }
  LegDecision deliver(std::uint64_t number) { return target.receive(one, leg(number)); }
  /// Delivers the leg and logs its answer.
  AnswerDecision round_trip(std::uint64_t number) { return answer(deliver(number).answer); }
  AnswerDecision answer(const LegAnswer& answer) {
    const Stamp after{std::max(source.stamp().nanos, answer.stamp.nanos + 1)};
    return source.entry([&](Batch& batch) { return batch.answer_leg(two, answer); }, after);
  }
  Outcome outcome(std::uint64_t id) const {
    return source.state.find_transfer(default_tenant, payer, id_of(id))->outcome;
  }
  void require_balanced() const {
    for (const Leader* leader : {&source, &target}) {
      for (const TrialBalanceRow& row : leader->state.trial_balance()) {
        REQUIRE(static_cast<std::int64_t>(row.customers + row.issue + row.transit) == 0);
      }
    }
  }
};

TEST_CASE("Try takes the debit at once and nothing from the credit, Confirm gives (Digital Wallet, table 12.2)") {
  TwoShards world;
  const Decision started = world.start(2, 4'000);
  REQUIRE(started.outcome == Outcome::pending);
  REQUIRE(started.record.protocol == ledger::Protocol::tcc);
  REQUIRE(world.source.balance(world.payer) == 6'000);
  REQUIRE(world.source.system("sys:transit:USD:2") == 4'000);
  REQUIRE(world.leg(1).step == LegStep::try_credit);

  const LegDecision tried = world.deliver(1);
  REQUIRE(tried.kind == LegDecision::Kind::decided);
  REQUIRE(tried.answer.outcome == Outcome::success);
  REQUIRE(world.target.balance(world.payee) == 0);
  REQUIRE(world.target.system("sys:transit:USD:1") == 0);

  const AnswerDecision decided = world.answer(tried.answer);
  REQUIRE(decided.kind == Kind::confirming);
  REQUIRE(decided.further == LegNumber(2));
  REQUIRE(world.outcome(2) == Outcome::pending);
  REQUIRE(world.source.balance(world.payer) == 6'000);
  const LegRequest confirm = world.leg(2);
  REQUIRE(confirm.step == LegStep::confirm);
  REQUIRE(confirm.tried == LegNumber(1));
  REQUIRE(confirm.source_position == world.source.state.last_position());
  world.require_balanced();

  const LegDecision confirmed = world.deliver(2);
  REQUIRE(confirmed.answer.outcome == Outcome::success);
  REQUIRE(world.target.balance(world.payee) == 4'000);
  REQUIRE(world.target.system("sys:transit:USD:1") == -4'000);
  REQUIRE(world.answer(confirmed.answer).kind == Kind::confirmed);
  const auto record = world.source.state.find_transfer(default_tenant, world.payer, id_of(2));
  REQUIRE(record->outcome == Outcome::success);
  REQUIRE(record->target_position == confirmed.answer.position);  // the credit's entry, not the Try's
  REQUIRE(record->target_stamp == confirmed.answer.stamp);
  REQUIRE(world.source.system("sys:transit:USD:2") == 4'000);
  world.require_balanced();
}

TEST_CASE("a refused Try is cancelled: the debit comes back with the decision, the credit has nothing to do") {
  TwoShards world;
  world.start(2, 4'000, world.stranger);
  const LegDecision tried = world.deliver(1);
  REQUIRE(tried.answer.outcome == Outcome::credit_account_not_found);
  const AnswerDecision decided = world.answer(tried.answer);
  REQUIRE(decided.kind == Kind::cancelling);
  REQUIRE(world.outcome(2) == Outcome::credit_account_not_found);
  REQUIRE(world.source.balance(world.payer) == 10'000);
  REQUIRE(world.source.system("sys:transit:USD:2") == 0);
  REQUIRE(world.leg(2).step == LegStep::cancel);
  const Bytes pockets_before = exported(world.target.state);
  REQUIRE(world.round_trip(2).kind == Kind::cancelled);
  REQUIRE(exported(world.target.state) != pockets_before);  // the Try's row is gone
  REQUIRE(world.outcome(2) == Outcome::credit_account_not_found);
  REQUIRE(world.source.state.first_unanswered(two) == world.source.state.next_leg(two));
  world.require_balanced();
}

TEST_CASE("between Try and Confirm a duplicate waits for the leg that will tell") {
  TwoShards world;
  world.start(2, 4'000);
  REQUIRE(world.start(2, 4'000).record.leg == LegNumber(1));
  world.round_trip(1);
  const Decision again = world.start(2, 4'000);
  REQUIRE(again.replayed);
  REQUIRE(again.outcome == Outcome::pending);
  REQUIRE(again.record.leg == LegNumber(2));
  world.round_trip(2);
  REQUIRE(world.start(2, 4'000).outcome == Outcome::success);
}

TEST_CASE("what was tried has room: nothing takes it before the Confirm (design, Money and identity)") {
  TwoShards world;
  world.start(2, 10'000);
  REQUIRE(world.deliver(1).answer.outcome == Outcome::success);
  // All the room that is left, and one minor unit more.
  REQUIRE(world.target.transfer(deposit_of(3, world.payee, INT64_MAX - 9'999)).outcome == Outcome::balance_overflow);
  REQUIRE(world.target.transfer(deposit_of(4, world.payee, INT64_MAX - 10'000)).outcome == Outcome::success);
  LegRequest third;
  third.number = LegNumber(1);
  third.amount = {1, usd};
  third.credit_account = world.payee;
  REQUIRE(world.target.receive(ShardId(3), third).answer.outcome == Outcome::balance_overflow);
  third.number = LegNumber(2);
  third.step = LegStep::try_credit;
  REQUIRE(world.target.receive(ShardId(3), third).answer.outcome == Outcome::balance_overflow);
  world.answer(*world.target.state.recorded_answer(one, LegNumber(1)));
  REQUIRE(world.round_trip(2).kind == Kind::confirmed);
  REQUIRE(world.target.balance(world.payee) == INT64_MAX);
  world.require_balanced();
}

TEST_CASE("the transit account keeps room for a Confirm too") {
  TwoShards world;
  world.source.transfer(deposit_of(9, world.payer, INT64_MAX - 10'000));
  world.start(2, INT64_MAX);
  REQUIRE(world.deliver(1).answer.outcome == Outcome::success);
  LegRequest more;
  more.number = LegNumber(2);
  more.id = id_of(3);
  more.amount = {1, usd};
  const std::string other = name_on(2, 2, "other");
  world.target.open(other);
  more.credit_account = other;
  REQUIRE(world.target.receive(one, more).answer.outcome == Outcome::balance_overflow);
}

TEST_CASE("a second phase is taken once, and only for the Try it names") {
  TwoShards world;
  world.start(2, 4'000);
  world.start(3, 100, world.stranger);
  world.round_trip(1);
  world.round_trip(2);
  const LegRequest good = world.leg(3);
  std::vector<LegRequest> bad(6, good);
  bad[0].tried = LegNumber(2);  // another's Try
  bad[1].tried = LegNumber(7);  // none
  bad[2].tried = LegNumber(3);  // itself
  bad[3].id = id_of(3);
  bad[4].amount.minor = 3'999;
  bad[5].amount.currency = eur;
  for (const LegRequest& leg : bad) REQUIRE(world.target.receive(one, leg).kind == LegDecision::Kind::gap);
  REQUIRE(world.deliver(3).kind == LegDecision::Kind::decided);
  REQUIRE(world.deliver(3).kind == LegDecision::Kind::repeated);
  REQUIRE(world.target.balance(world.payee) == 4'000);
  LegRequest refused = world.leg(4);
  refused.step = LegStep::confirm;  // nobody confirms what was refused
  REQUIRE(world.target.receive(one, refused).kind == LegDecision::Kind::gap);
  REQUIRE(world.deliver(4).kind == LegDecision::Kind::decided);
  world.require_balanced();
}

TEST_CASE("a second phase is never refused: such an answer is none") {
  TwoShards world;
  world.start(2, 4'000);
  world.round_trip(1);
  LegAnswer answer = world.deliver(2).answer;
  answer.outcome = Outcome::balance_overflow;
  REQUIRE(world.answer(answer).kind == Kind::ignored);
  answer.outcome = Outcome::success;
  REQUIRE(world.answer(answer).kind == Kind::confirmed);
}

TEST_CASE("a cluster that changes its protocol ends what it has begun, each as it began") {
  TwoShards world;
  world.start(2, 1'000);
  world.source.protocol = ledger::Protocol::saga;
  world.start(3, 500);
  world.source.protocol = ledger::Protocol::tcc;
  world.start(4, 200);
  REQUIRE(world.round_trip(1).kind == Kind::confirming);
  REQUIRE(world.round_trip(2).kind == Kind::done);
  REQUIRE(world.round_trip(3).kind == Kind::confirming);
  REQUIRE(world.round_trip(4).kind == Kind::confirmed);
  REQUIRE(world.round_trip(5).kind == Kind::confirmed);
  REQUIRE(world.target.balance(world.payee) == 1'700);
  world.require_balanced();
}

TEST_CASE("undo takes back every step of TC/C (design, Event sourcing)") {
  TwoShards world;
  std::vector<Bytes> sources{exported(world.source.state)};
  std::vector<Bytes> targets{exported(world.target.state)};
  const auto keep = [&] {
    if (exported(world.source.state) != sources.back()) sources.push_back(exported(world.source.state));
    if (exported(world.target.state) != targets.back()) targets.push_back(exported(world.target.state));
  };
  world.start(2, 100);
  keep();
  world.start(3, 200, world.stranger);
  keep();
  for (std::uint64_t number = 1; number <= 4; ++number) {
    const LegAnswer answer = world.deliver(number).answer;
    keep();
    world.answer(answer);
    keep();
  }
  REQUIRE(sources.size() == 7);
  REQUIRE(targets.size() == 5);
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
}

TEST_CASE("an event about a Try that is not there ends the process") {
  TwoShards world;
  world.start(2, 100);
  world.round_trip(1);
  world.deliver(2);
  StateMachine without(two);
  without.apply_entry(world.target.log[0]);
  without.apply_entry(world.target.log[1]);
  REQUIRE_THROWS_AS(without.apply_entry(world.target.log.back()), CheckFailure);
}

}  // namespace
