// Two-phase commit between two shards: what is locked from when to when, who is refused for it, and what is in doubt.
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "core/base/check.h"
#include "core/txn/state_loader.h"
#include "core/txn/state_machine.h"
#include "tests/core/txn/leader.h"

namespace {

using namespace coffer;
using namespace coffer::txn;
using namespace coffer::txn::testing;
using ledger::LegStep;
using ledger::Protocol;
using Kind = AnswerDecision::Kind;

constexpr ShardId one(1);
constexpr ShardId two(2);

/// Two shards: `payer` (100.00 USD) and `other` (1.00 USD) on the first, `payee` on the second.
struct TwoShards {
  std::string payer = name_on(1, 2, "payer");
  std::string other = name_on(1, 2, "other");
  std::string payee = name_on(2, 2, "payee");
  std::string stranger = name_on(2, 2, "stranger");
  Leader source{1, 2, Protocol::two_phase_commit};
  Leader target{2, 2, Protocol::two_phase_commit};
  std::uint64_t ids = 100;

  TwoShards() {
    source.open(payer);
    source.open(other);
    target.open(payee);
    source.transfer(deposit_of(1, payer, 10'000));
    source.transfer(deposit_of(2, other, 100));
    target.transfer(deposit_of(1, payee, 50));
  }
  Decision start(std::uint64_t id, std::int64_t minor) { return start(id, minor, payee); }
  Decision start(std::uint64_t id, std::int64_t minor, const std::string& to) {
    return source.transfer(transfer_of(id, payer, to, minor, usd, two));
  }
  LegRequest leg(std::uint64_t number) const { return source.state.leg(two, LegNumber(number)); }
  LegDecision deliver(std::uint64_t number) { return target.receive(one, leg(number)); }
  AnswerDecision answer(const LegAnswer& answer) {
    const Stamp after{std::max(source.stamp().nanos, answer.stamp.nanos + 1)};
    return source.entry([&](Batch& batch) { return batch.answer_leg(two, answer); }, after);
  }
  AnswerDecision round_trip(std::uint64_t number) { return answer(deliver(number).answer); }
  /// What a deposit to the account ends with now.
  Outcome knock(Leader& leader, const std::string& account) {
    return leader.transfer(deposit_of(++ids, account, 1)).outcome;
  }
};

TEST_CASE("the debit is locked from its prepare to the decision, the credit from its promise to the Commit") {
  TwoShards world;
  const Decision started = world.start(3, 4'000);
  REQUIRE(started.outcome == Outcome::pending);
  REQUIRE(started.record.protocol == Protocol::two_phase_commit);
  REQUIRE(world.leg(1).step == LegStep::prepare);
  REQUIRE(world.source.balance(world.payer) == 6'000);
  REQUIRE(world.knock(world.source, world.payer) == Outcome::account_locked);
  REQUIRE(world.knock(world.source, world.other) == Outcome::success);
  REQUIRE(world.knock(world.target, world.payee) == Outcome::success);

  const LegDecision prepared = world.deliver(1);
  REQUIRE(prepared.answer.outcome == Outcome::success);
  REQUIRE(world.target.state.in_doubt() == 1);
  REQUIRE(world.target.balance(world.payee) == 51);
  REQUIRE(world.knock(world.target, world.payee) == Outcome::account_locked);

  const AnswerDecision decided = world.answer(prepared.answer);
  REQUIRE(decided.kind == Kind::committing);
  REQUIRE(decided.continues());
  REQUIRE(world.leg(2).step == LegStep::commit);
  REQUIRE(world.knock(world.source, world.payer) == Outcome::success);
  REQUIRE(world.knock(world.target, world.payee) == Outcome::account_locked);

  const LegDecision committed = world.deliver(2);
  REQUIRE(committed.answer.outcome == Outcome::success);
  REQUIRE(world.target.state.in_doubt() == 0);
  REQUIRE(world.target.balance(world.payee) == 4'051);
  REQUIRE(world.knock(world.target, world.payee) == Outcome::success);
  REQUIRE(world.answer(committed.answer).kind == Kind::committed);
  const auto record = world.source.state.find_transfer(default_tenant, world.payer, id_of(3));
  REQUIRE(record->outcome == Outcome::success);
  REQUIRE(record->target_position == committed.answer.position);
}

TEST_CASE("a refused prepare locks nothing, is in doubt of nothing, and is aborted with the decision") {
  TwoShards world;
  world.start(3, 4'000, world.stranger);
  const LegDecision prepared = world.deliver(1);
  REQUIRE(prepared.answer.outcome == Outcome::credit_account_not_found);
  REQUIRE(world.target.state.in_doubt() == 0);
  REQUIRE(world.answer(prepared.answer).kind == Kind::aborting);
  REQUIRE(world.source.balance(world.payer) == 10'000);
  REQUIRE(world.knock(world.source, world.payer) == Outcome::success);
  REQUIRE(world.leg(2).step == LegStep::abort);
  REQUIRE(world.round_trip(2).kind == Kind::aborted);
  REQUIRE(world.source.state.first_unanswered(two) == world.source.state.next_leg(two));
}

TEST_CASE("nobody waits for a lock: every order that meets one is refused, and the refusal is final (no-wait)") {
  TwoShards world;
  world.start(3, 4'000);
  world.deliver(1);
  const auto refused = [](Leader& leader, const ledger::TransferCommand& command) {
    REQUIRE(leader.transfer(command).outcome == Outcome::account_locked);
    const Decision again = leader.transfer(command);
    REQUIRE(again.replayed);
    REQUIRE(again.outcome == Outcome::account_locked);
  };
  // At the source, with the debit locked: as a debit across shards and within, as a credit, from and to outside.
  refused(world.source, transfer_of(10, world.payer, world.payee, 1, usd, two));
  refused(world.source, transfer_of(11, world.payer, world.other, 1));
  refused(world.source, transfer_of(12, world.other, world.payer, 1));
  refused(world.source, withdrawal_of(13, world.payer, 1));
  refused(world.source, deposit_of(14, world.payer, 1));
  // At the target, with the credit locked: every protocol's first leg.
  LegRequest third;
  third.amount = {1, usd};
  third.credit_account = world.payee;
  for (const LegStep step : {LegStep::credit, LegStep::try_credit, LegStep::prepare}) {
    third.step = step;
    third.number = third.number.next();
    third.id = id_of(20 + third.number.value);
    REQUIRE(world.target.receive(ShardId(3), third).answer.outcome == Outcome::account_locked);
  }
  REQUIRE(world.answer(*world.target.state.recorded_answer(one, LegNumber(1))).kind == Kind::committing);
  REQUIRE(world.round_trip(2).kind == Kind::committed);
}

TEST_CASE("another currency of the same account is not locked") {
  TwoShards world;
  world.source.open(world.payer, eur);
  world.start(3, 4'000);
  REQUIRE(world.source.transfer(deposit_of(4, world.payer, 5, eur)).outcome == Outcome::success);
}

TEST_CASE("what was promised before passes by locks: a compensation, a Confirm and a Cancel are never refused") {
  TwoShards world;
  world.source.protocol = Protocol::saga;
  world.start(3, 100, world.stranger);  // leg 1: to be compensated
  world.source.protocol = Protocol::tcc;
  world.start(4, 200);                  // leg 2: to be confirmed, as leg 5
  world.start(5, 300, world.stranger);  // leg 3: to be cancelled, as leg 6
  world.source.protocol = Protocol::two_phase_commit;
  world.start(6, 400);  // leg 4, and with it the lock on the payer
  const LegAnswer first = world.deliver(1).answer;
  const LegAnswer second = world.deliver(2).answer;
  const LegAnswer third = world.deliver(3).answer;
  REQUIRE(world.deliver(4).answer.outcome == Outcome::success);  // the payee has room kept, and is locked now
  REQUIRE(world.answer(first).kind == Kind::compensated);
  REQUIRE(world.answer(second).kind == Kind::confirming);
  REQUIRE(world.answer(third).kind == Kind::cancelling);
  REQUIRE(world.round_trip(4).kind == Kind::committing);
  REQUIRE(world.round_trip(5).kind == Kind::confirmed);
  REQUIRE(world.target.balance(world.payee) == 250);
  REQUIRE(world.round_trip(6).kind == Kind::cancelled);
  REQUIRE(world.round_trip(7).kind == Kind::committed);
  REQUIRE(world.target.balance(world.payee) == 650);
  REQUIRE(world.source.balance(world.payer) == 9'400);
}

TEST_CASE("two transfers towards each other never wait for each other: one is refused, or both (no deadlock)") {
  TwoShards world;
  const std::string payer = world.payer;
  REQUIRE(world.start(3, 10).outcome == Outcome::pending);  // locks the payer
  const Decision back = world.target.transfer(transfer_of(4, world.payee, payer, 10, usd, one));
  REQUIRE(back.outcome == Outcome::pending);  // locks the payee
  REQUIRE(world.deliver(1).answer.outcome == Outcome::account_locked);
  const LegAnswer refused = world.source.receive(two, world.target.state.leg(one, LegNumber(1))).answer;
  REQUIRE(refused.outcome == Outcome::account_locked);
  REQUIRE(world.answer(*world.target.state.recorded_answer(one, LegNumber(1))).kind == Kind::aborting);
  REQUIRE(world.target.answer(one, refused));
  REQUIRE(world.knock(world.source, payer) == Outcome::success);
  REQUIRE(world.knock(world.target, world.payee) == Outcome::success);
}

TEST_CASE("a second phase fits its own question: a Confirm does not end a prepare, nor a Commit a Try") {
  TwoShards world;
  world.start(3, 10);
  world.round_trip(1);
  LegRequest wrong = world.leg(2);
  wrong.step = LegStep::confirm;
  REQUIRE(world.target.receive(one, wrong).kind == LegDecision::Kind::gap);
  REQUIRE(world.target.state.in_doubt() == 1);
  wrong.step = LegStep::abort;  // well-formed, though no correct coordinator decides so
  REQUIRE(world.target.receive(one, wrong).kind == LegDecision::Kind::decided);
  REQUIRE(world.target.state.in_doubt() == 0);
}

TEST_CASE("a snapshot brings the locks with it: derived from the rows, at both ends (design, Event sourcing)") {
  TwoShards world;
  world.start(3, 4'000);
  world.deliver(1);
  for (const Leader* leader : {&world.source, &world.target}) {
    StateLoader loader(leader->state.self());
    REQUIRE(loader.feed(exported(leader->state)).has_value());
    const auto loaded = loader.finish();
    REQUIRE(loaded.has_value());
    REQUIRE((*loaded)->in_doubt() == leader->state.in_doubt());
    const std::string& account = leader == &world.source ? world.payer : world.payee;
    Batch batch(**loaded, leader->stamp());
    REQUIRE(batch.transfer(deposit_of(50, account, 1)).outcome == Outcome::account_locked);
    batch.finish();
  }
}

TEST_CASE("undo takes back every step of two-phase commit, locks too") {
  for (const bool refused : {false, true}) {
    TwoShards world;
    std::vector<Bytes> sources{exported(world.source.state)};
    std::vector<Bytes> targets{exported(world.target.state)};
    world.start(3, 100, refused ? world.stranger : world.payee);
    sources.push_back(exported(world.source.state));
    for (std::uint64_t number = 1; number <= 2; ++number) {
      const LegAnswer answer = world.deliver(number).answer;
      targets.push_back(exported(world.target.state));
      world.answer(answer);
      sources.push_back(exported(world.source.state));
    }
    const auto unwind = [](Leader& leader, std::vector<Bytes>& states) {
      for (; states.size() > 1; states.pop_back()) {
        REQUIRE(exported(leader.state) == states.back());
        leader.state.undo_entry(leader.log.back());
        leader.log.pop_back();
      }
      REQUIRE(exported(leader.state) == states.back());
    };
    unwind(world.source, sources);
    unwind(world.target, targets);
    REQUIRE(world.knock(world.source, world.payer) == Outcome::success);
    REQUIRE(world.knock(world.target, world.payee) == Outcome::success);
  }
}

}  // namespace
