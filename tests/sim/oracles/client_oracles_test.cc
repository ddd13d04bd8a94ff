#include <catch2/catch.hpp>

#include "tests/sim/oracles/caught.h"
#include "tests/sim/oracles/story.h"

using namespace coffer;
using namespace coffer::sim;
using namespace coffer::sim::oracles;

TEST_CASE("O-T1 catches a leg without an answer at the end") {
  Story story("O-T1");
  story.set_up();
  LegPlan plan = story.start_across(3, 40);
  SECTION("never received") {
    story.phase(Phase::final_reads);
    CHECK(told_of(story.end(), {"leg 1 from s1 to s2", "s1@7", "never received"}));
  }
  SECTION("never answered") {
    story.receive(plan, Outcome::success);
    story.phase(Phase::final_reads);
    CHECK(told_of(story.end(), {"leg 1 from s1 to s2", "never answered"}));
  }
  SECTION("of a run that never became quiet nothing is said") { CHECK(story.end().empty()); }
}

TEST_CASE("O-T2 catches a leg that is compensated after its receipt succeeded") {
  Story story("O-T2");
  story.set_up();
  LegPlan plan = story.start_across(3, 40);
  story.receive(plan, Outcome::success);
  REQUIRE(story.reasons().empty());
  story.commit(s1, {story.leg_answered(plan, Outcome::credit_account_not_found)});
  CHECK(told_of(story.reasons(), {"leg 1", "compensated", "the target decided 'success'"}));
}

TEST_CASE("O-T2 catches a leg answered twice") {
  Story story("O-T2");
  story.set_up();
  const LegPlan plan = story.transfer_across(3, 40, Outcome::balance_overflow);
  REQUIRE(story.reasons().empty());
  story.commit(s1, {story.leg_answered(plan, Outcome::balance_overflow)});
  CHECK(told_of(story.reasons(), {"leg 1", "compensated in s1@9", "already compensated in s1@8"}));
}

TEST_CASE("O-T2 catches a leg received twice, or before it was started") {
  Story story("O-T2");
  story.set_up();
  LegPlan plan = story.start_across(3, 40);
  story.receive(plan, Outcome::success);
  REQUIRE(story.reasons().empty());
  SECTION("twice") {
    story.commit(s2, {story.leg_received(plan, Outcome::success)});
    CHECK(told_of(story.reasons(), {"leg 1", "received twice", "s2@7", "s2@8"}));
  }
  SECTION("before its start committed") {
    plan.number = 2;
    story.commit(s2, {story.leg_received(plan, Outcome::success)});
    CHECK(told_of(story.reasons(), {"leg 2", "before its start had committed"}));
  }
  SECTION("out of order") {
    plan.number = 3;
    story.commit(s2, {story.leg_received(plan, Outcome::success)});
    CHECK(told_of(story.reasons(), {"leg 3", "after leg 1"}));
  }
}

TEST_CASE("O-T2 catches answers and receipts of something else") {
  Story story("O-T2");
  story.set_up();
  LegPlan plan = story.start_across(3, 40);
  SECTION("an answer before the target decided") {
    story.commit(s1, {story.leg_answered(plan, Outcome::balance_overflow)});
    CHECK(told_of(story.reasons(), {"leg 1", "before the target had decided"}));
  }
  SECTION("a receipt for another tenant") {
    auto receipt = std::get<ledger::LegReceived>(story.leg_received(plan, Outcome::success));
    receipt.tenant = TenantId(7);
    story.commit(s2, {receipt});
    CHECK(told_of(story.reasons(), {"leg 1", "s2@7", "something else", "s1@7"}));
  }
  SECTION("a receipt of another amount") {
    plan.amount = 41;
    story.receive(plan, Outcome::success);
    CHECK(told_of(story.reasons(), {"leg 1", "s2@7", "something else", "s1@7"}));
  }
  SECTION("a compensation of another amount") {
    story.receive(plan, Outcome::balance_overflow);
    REQUIRE(story.reasons().empty());
    plan.amount = 41;
    story.commit(s1, {story.leg_answered(plan, Outcome::balance_overflow)});
    CHECK(told_of(story.reasons(), {"leg 1", "compensated in s1@8", "something else"}));
  }
}

TEST_CASE("O-T3 catches money in transit that no leg accounts for") {
  Story story("O-T3");
  story.set_up();
  LegPlan plan = story.start_across(3, 40);
  story.phase(Phase::healing);
  REQUIRE(story.reasons().empty());
  SECTION("a leg lost") {
    story.phase(Phase::final_reads);
    CHECK(told_of(story.reasons(), {"s1 and s2", "USD 40", "nothing is on its way"}));
  }
  SECTION("a compensation of another amount") {
    story.receive(plan, Outcome::balance_overflow);
    plan.amount = 39;
    story.commit(s1, {story.leg_answered(plan, Outcome::balance_overflow)});
    CHECK(told_of(story.end(), {"USD 1 minor units are in transit"}));
  }
  SECTION("another amount received") {
    plan.amount = 41;
    story.receive(plan, Outcome::success);
    CHECK(told_of(story.end(), {"USD -1", "(40 and -41)"}));
  }
}

TEST_CASE("O-Q1 catches a read that misses what was told before it was asked") {
  Story story("O-Q1");
  story.set_up();
  story.transfer_within(3, 10);
  REQUIRE(story.reasons().empty());
  SECTION("a linearizable one") {
    story.read("a", 1000, s1, Position(6));
    CHECK(told_of(story.reasons(), {"linearizable balance of account 'a'", "s1@6", "s1@7 had been told before"}));
  }
  SECTION("an eventual one may") {
    story.read("a", 1000, s1, Position(6), router::Consistency::eventual);
    CHECK(story.end().empty());
  }
}

TEST_CASE("O-Q1 catches values that are not the book's at their position") {
  Story story("O-Q1");
  story.set_up();
  story.transfer_within(3, 10);
  SECTION("linearizable") {
    story.read("a", 1000, s1, Position(7));
    CHECK(
        told_of(story.reasons(), {"the linearizable balance of account 'a'", "USD 1000", "s1@7", "the book says 990"}));
  }
  SECTION("eventual") {
    story.read("a", 990, s1, Position(6), router::Consistency::eventual);
    CHECK(told_of(story.reasons(), {"the eventual balance of account 'a'", "USD 990", "s1@6", "the book says 1000"}));
  }
  SECTION("of a position that has not committed") {
    story.read("a", 990, s1, Position(8), router::Consistency::eventual);
    CHECK(told_of(story.reasons(), {"s1@8", "had not committed"}));
  }
}

TEST_CASE("O-Q1 catches a transfer that stands before what was told before it was asked") {
  Story story("O-Q1");
  story.set_up();
  const Position early = story.commit(
      s1, {story.local(transfer_item(3, "a", "c", 10), Outcome::success, AccountNumber(0), first, second)});
  const router::TransferResult early_result = story.result(s1, early);
  SECTION("asked after a later position was told") {
    story.transfer_within(4, 10);
    REQUIRE(story.reasons().empty());
    story.answer(story.ask(transfer_item(3, "a", "c", 10)), early_result);
    CHECK(told_of(story.reasons(), {"stands at s1@7", "s1@8 had been told before it was asked"}));
  }
  SECTION("asked before, answered late, replayed to a second call") {
    const std::uint64_t op = story.ask(transfer_item(3, "a", "c", 10));
    story.transfer_within(4, 10);
    story.answer(op, Outcome::unknown);
    story.answer(story.ask(transfer_item(3, "a", "c", 10)), early_result);
    CHECK(story.end().empty());
  }
  SECTION("told as certainly not executed, and found executed when it was asked again") {
    const std::uint64_t op = story.ask(transfer_item(3, "a", "c", 10));
    story.transfer_within(4, 10);
    story.answer(op, Outcome::no_leader);
    REQUIRE(story.reasons().empty());
    story.answer(story.ask(transfer_item(3, "a", "c", 10)), early_result);
    CHECK(told_of(story.reasons(), {"stands at s1@7", "s1@8 had been told before it was asked"}));
  }
}

TEST_CASE("O-Q1 catches answers that the log does not hold") {
  Story story("O-Q1");
  story.set_up();
  const std::uint64_t op = story.ask(transfer_item(3, "a", "c", 10));
  SECTION("not committed") {
    story.answer(op, story.result(s1, Position(7)));
    CHECK(told_of(story.reasons(), {"s1@7", "had not committed when it was told"}));
  }
  SECTION("somewhere else") {
    story.commit(s1, {story.local(transfer_item(3, "a", "c", 10), Outcome::success, AccountNumber(0), first, second)});
    story.answer(op, story.result(s1, Position(6)));
    CHECK(told_of(story.reasons(), {"'success' at s1@6", "the committed log does not"}));
  }
}

TEST_CASE("O-Q1 catches a step that is told as done before any log has done it") {
  Story story("O-Q1");
  story.set_up();
  LegPlan plan = story.start_across(3, 40);
  const auto tell = [&](StepState state) {
    const std::uint64_t op = story.call(router::TransferStatusRequest{id_of(3), "a"});
    router::TransferStatusReply status;
    status.operation = router::TransferOperation::transfer;
    status.result.outcome = Outcome::pending;
    status.steps = {{TransferPhase::execute, Side::credit, state, s2, {}, {}}};
    router::Reply reply;
    reply.kind = router::RequestKind::transfer_status;
    reply.body = status;
    story.answer(op, reply);
  };
  tell(StepState::sent);
  REQUIRE(story.reasons().empty());
  SECTION("nobody has") {
    tell(StepState::done);
    CHECK(told_of(story.reasons(), {"the credit of transfer", "told as 'done'", "no log has done it"}));
  }
  SECTION("the target has, and its answer is not in the log that tells") {
    story.receive(plan, Outcome::success);
    tell(StepState::done);
    CHECK(told_of(story.reasons(), {"the credit of transfer", "told as 'done'", "the log of its home does not know"}));
  }
  SECTION("both have") {
    story.receive(plan, Outcome::success);
    story.commit(s1, {story.leg_answered(plan, Outcome::success)});
    tell(StepState::done);
    CHECK(story.reasons().empty());
  }
}

TEST_CASE("O-Q1 catches a second phase that is told as done while it is under way") {
  using ledger::SecondPhase;
  Story story("O-Q1");
  story.set_up();
  LegPlan plan;
  plan.id = 3;
  plan.amount = 40;
  plan.started = story.commit(s1, {story.try_started(plan)});
  plan.started_stamp = story.last_stamp(s1);
  plan.received = story.commit(s2, {story.try_received(plan, Outcome::success)});
  plan.received_stamp = story.last_stamp(s2);
  plan.second = 2;
  plan.second_started = story.commit(s1, {story.second_started(plan, Outcome::success)});
  plan.second_stamp = story.last_stamp(s1);
  plan.second_received = story.commit(s2, {story.second_received(plan, SecondPhase::confirm)});
  plan.second_received_stamp = story.last_stamp(s2);
  const auto tell = [&](TransferPhase phase) {
    const std::uint64_t op = story.call(router::TransferStatusRequest{id_of(3), "a"});
    router::TransferStatusReply status;
    status.result.outcome = Outcome::pending;
    status.steps = {{phase, Side::credit, StepState::done, s2, {}, {}}};
    router::Reply reply;
    reply.kind = router::RequestKind::transfer_status;
    reply.body = status;
    story.answer(op, reply);
  };
  tell(TransferPhase::try_legs);
  REQUIRE(story.reasons().empty());
  SECTION("its answer is not in the log that tells") {
    tell(TransferPhase::confirm);
    CHECK(told_of(story.reasons(), {"confirm of the credit", "the log of its home does not know"}));
  }
  SECTION("it is") {
    story.commit(s1, {story.second_ended(plan, SecondPhase::confirm)});
    tell(TransferPhase::confirm);
    CHECK(story.reasons().empty());
  }
}

TEST_CASE("O-Q1 catches refusals that contradict what was told before") {
  Story story("O-Q1");
  story.set_up();
  SECTION("an account that was told open") {
    story.answer(story.ask(transfer_item(3, "a", "c", 10)), Outcome::account_not_found);
    CHECK(told_of(story.reasons(), {"'account-not-found'", "had been told open"}));
  }
  SECTION("a credit account that was told open") {
    const std::uint64_t op = story.ask(transfer_item(3, "a", "b", 10));
    LegPlan plan = story.start_across(3, 10);
    story.receive(plan, Outcome::credit_account_not_found);
    story.answer(op, story.result(plan, Outcome::credit_account_not_found));
    CHECK(told_of(story.reasons(), {"'credit-account-not-found'", "'b' had been told open"}));
  }
  SECTION("funds that were there") {
    const std::uint64_t op = story.ask(transfer_item(3, "a", "c", 1000));
    const Position at = story.commit(s1, {story.local(transfer_item(3, "a", "c", 1000), Outcome::insufficient_funds,
                                                      AccountNumber(0), first, second)});
    story.answer(op, story.result(s1, at, Outcome::insufficient_funds));
    CHECK(told_of(story.reasons(), {"'insufficient-funds'", "for 1000", "held 1000"}));
  }
  SECTION("a read of an account that was told open") {
    story.answer(story.call(router::BalanceRequest{router::Consistency::linearizable, usd, "a"}),
                 Outcome::account_not_found);
    CHECK(told_of(story.reasons(), {"linearizable balance of account 'a'", "'account-not-found'", "told open"}));
  }
  SECTION("the status of a transfer that was told") {
    story.transfer_within(3, 10);
    REQUIRE(story.reasons().empty());
    story.answer(story.call(router::TransferStatusRequest{id_of(3), "a"}), Outcome::transfer_not_found);
    CHECK(told_of(story.reasons(), {"status of transfer", "'transfer-not-found'", "outcome had been told"}));
  }
}

TEST_CASE("O-Q1 catches an opening that the log does not hold") {
  Story story("O-Q1");
  story.set_up();
  const std::uint64_t op = story.call(router::OpenAccountRequest{usd, "e"});
  router::Reply reply;
  reply.kind = router::RequestKind::open_account;
  reply.shard = s1;
  reply.body = router::OpenAccountReply{false, Position(7)};
  REQUIRE(story.reasons().empty());
  story.answer(op, reply);
  CHECK(told_of(story.reasons(), {"account 'e'", "committed log of s1 does not hold it"}));
}

TEST_CASE("O-H3 catches a run whose end nobody looked at") {
  Story story("O-H3");
  story.set_up();
  story.transfer_within(3, 10);
  SECTION("no final reads at all") { CHECK(told_of(story.end(), {"before its final reads"})); }
  SECTION("some missing") {
    story.phase(Phase::final_reads);
    story.read("a", 990, s1, Position(7));
    const std::vector<std::string> reasons = story.end();
    CHECK_FALSE(told_of(reasons, {"'a' was not read"}));
    CHECK(told_of(reasons, {"account 'b' was not read in USD"}));
    CHECK(told_of(reasons, {"has no definite status"}));
    CHECK(told_of(reasons, {"no trial balance"}));
  }
  SECTION("a call never answered") {
    story.final_reads();
    REQUIRE(story.reasons().empty());
    story.call(router::TrialBalanceRequest{});
    CHECK(told_of(story.end(), {"1 calls were never answered"}));
  }
}

TEST_CASE("O-H4 catches a run in which next to nothing succeeded") {
  Story story("O-H4");
  story.set_up();
  for (std::uint8_t id = 10; id < 70; ++id) story.answer(story.ask(transfer_item(id, "a", "c", 1)), Outcome::unknown);
  SECTION("nothing at all") {
    story.phase(Phase::final_reads);
    CHECK(told_of(story.end(), {"of 60 transfers", "0 succeeded"}));
  }
  SECTION("one in sixty") {
    story.transfer_within(3, 10);
    story.phase(Phase::final_reads);
    CHECK(told_of(story.end(), {"of 61 transfers", "1 succeeded"}));
  }
  SECTION("two in sixty") {
    story.transfer_within(3, 10);
    story.transfer_within(4, 10);
    story.phase(Phase::final_reads);
    CHECK(story.end().empty());
  }
}
