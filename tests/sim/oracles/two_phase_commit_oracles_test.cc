// What the oracles say of two-phase commit: a breach planted in each phase is caught, and so is a lock that does not
// hold, holds for ever, or is not there.
#include <catch2/catch.hpp>

#include "tests/sim/oracles/caught.h"
#include "tests/sim/oracles/story.h"

using namespace coffer;
using namespace coffer::sim;
using namespace coffer::sim::oracles;
using ledger::SecondPhase;

namespace {

constexpr AccountNumber home(0);

/// A debit that is prepared, and so locked; for O-T5.
LegPlan preparing(Story& story) {
  story.asks_by = ledger::Protocol::two_phase_commit;
  story.set_up();
  return story.try_across(3, 40);
}

/// Both sides prepared: both locked.
LegPlan prepared(Story& story) {
  LegPlan plan = preparing(story);
  story.receive_try(plan, Outcome::success);
  REQUIRE(story.reasons().empty());
  return plan;
}

/// Decided to be committed: only the credit is locked.
LegPlan committing(Story& story) {
  LegPlan plan = prepared(story);
  story.begin_second(plan, Outcome::success);
  REQUIRE(story.reasons().empty());
  return plan;
}

/// A client's order within a shard: from `first` to `second`, or back.
ledger::Event order(Story& story, Outcome outcome, bool back = false) {
  const router::TransferItem item = back ? transfer_item(9, "c", "a", 1) : transfer_item(9, "a", "c", 1);
  return story.local(item, outcome, home, back ? second : first, back ? first : second);
}

}  // namespace

TEST_CASE("O-T1 catches a credit that stays in doubt (two-phase commit)") {
  Story story("O-T1");
  SECTION("a prepare without its answer") {
    preparing(story);
    story.phase(Phase::final_reads);
    CHECK(told_of(story.end(), {"leg 1 from s1 to s2", "a prepare", "never received"}));
  }
  SECTION("a decision that never arrived") {
    committing(story);
    story.phase(Phase::final_reads);
    CHECK(told_of(story.end(), {"leg 2 from s1 to s2", "a Commit", "never received"}));
  }
}

TEST_CASE("O-T2 catches a decision that is not what both sides said (two-phase commit)") {
  Story story("O-T2");
  SECTION("Commit of what was refused") {
    LegPlan plan = preparing(story);
    story.receive_try(plan, Outcome::balance_overflow);
    story.begin_second(plan, Outcome::success);
    CHECK(told_of(story.reasons(), {"leg 1", "to be committed", "the target decided 'balance-overflow'"}));
  }
  SECTION("two decisions") {
    LegPlan plan = committing(story);
    story.begin_second(plan, Outcome::balance_overflow);
    CHECK(told_of(story.reasons(), {"leg 1", "to be aborted", "already to be committed"}));
  }
  SECTION("aborted at the target and decided to be committed") {
    const LegPlan plan = committing(story);
    story.commit(s2, {story.second_received(plan, SecondPhase::abort)});
    CHECK(told_of(story.reasons(), {"leg 2", "as an Abort", "started as a Commit"}));
  }
  SECTION("confirmed, as if it had been tried") {
    const LegPlan plan = committing(story);
    story.commit(s2, {story.second_received(plan, SecondPhase::confirm)});
    CHECK(told_of(story.reasons(), {"leg 2", "as a Confirm", "started as a Commit"}));
  }
  SECTION("a prepare received as a Try") {
    LegPlan plan = preparing(story);
    story.asks_by = ledger::Protocol::tcc;
    story.receive_try(plan, Outcome::success);
    CHECK(told_of(story.reasons(), {"leg 1", "as a Try", "started as a prepare"}));
  }
}

TEST_CASE("O-T3 catches money left between the decision and a Commit that never came (two-phase commit)") {
  Story story("O-T3");
  committing(story);
  story.phase(Phase::final_reads);
  CHECK(told_of(story.reasons(), {"s1 and s2", "USD 40", "nothing is on its way"}));
}

TEST_CASE("O-T5 catches an order that goes past a lock (two-phase commit)") {
  Story story("O-T5");
  SECTION("from a locked account") {
    preparing(story);
    story.commit(s1, {order(story, Outcome::success)});
    CHECK(told_of(story.reasons(), {"account 'a'", "in s1@8", "locked", "since s1@7"}));
  }
  SECTION("to a locked account") {
    preparing(story);
    story.commit(s1, {order(story, Outcome::success, true)});
    CHECK(told_of(story.reasons(), {"account 'a'", "locked"}));
  }
  SECTION("a second prepare of the same debit") {
    preparing(story);
    story.try_across(4, 10);
    CHECK(told_of(story.reasons(), {"account 'a'", "in s1@8", "locked"}));
  }
  SECTION("a saga's credit to a locked account") {
    prepared(story);
    LegPlan saga = story.start_across(4, 10);
    story.receive(saga, Outcome::success);
    CHECK(told_of(story.reasons(), {"locked"}));
  }
  SECTION("while nothing is locked any more, it is silent") {
    LegPlan plan = committing(story);
    story.commit(s1, {order(story, Outcome::success)});
    story.receive_second(plan, SecondPhase::commit);
    story.commit(s1, {story.second_ended(plan, SecondPhase::commit)});
    story.phase(Phase::final_reads);
    CHECK(story.end().empty());
  }
}

TEST_CASE("O-T5 catches a capture that ends a hold on a locked account (rule D5)") {
  Story story("O-T5");
  story.asks_by = ledger::Protocol::two_phase_commit;
  story.set_up();
  story.place_hold(20, 400);
  LegPlan plan = story.try_across(3, 40);
  SECTION("and is refused for the lock") {
    story.capture_hold(0, 20, 100, Outcome::account_locked);
    CHECK(told_of(story.reasons(), {"hold", "is captured in s1@9", "account 'a'", "locked", "since s1@8"}));
  }
  SECTION("and takes what it held") {
    story.capture_hold(0, 20, 100);
    CHECK(told_of(story.reasons(), {"hold", "is captured in s1@9", "locked"}));
  }
  SECTION("once the decision has come, or where only the payee is in doubt, it is silent") {
    story.receive_try(plan, Outcome::success);
    story.begin_second(plan, Outcome::success);
    story.capture_hold(0, 20, 100);
    CHECK(story.reasons().empty());
  }
  SECTION("a hold that is let go meanwhile is no breach") {
    story.void_hold(0, 20);
    CHECK(story.reasons().empty());
  }
}

TEST_CASE("O-T5 catches a capture that is put off for a lock that is not there (rule D5)") {
  Story story("O-T5");
  story.asks_by = ledger::Protocol::two_phase_commit;
  story.set_up();
  story.place_hold(20, 400);
  const router::CaptureHoldRequest capture{usd, 100, id_of(20), "a", "c"};
  SECTION("nothing was ever locked") {
    story.answer(story.call(capture), Outcome::account_busy);
    CHECK(told_of(story.reasons(), {"the capture of hold", "'a'", "put off", "nothing has locked its pocket"}));
  }
  SECTION("the lock had gone before it was asked") {
    LegPlan plan = story.try_across(3, 40);
    story.receive_try(plan, Outcome::success);
    story.begin_second(plan, Outcome::success);
    story.answer(story.call(capture), Outcome::account_busy);
    CHECK(told_of(story.reasons(), {"put off", "nothing has locked its pocket"}));
  }
  SECTION("the lock is there, or goes while the answer is on its way") {
    LegPlan plan = story.try_across(3, 40);
    story.answer(story.call(capture), Outcome::account_busy);
    const std::uint64_t op = story.call(capture);
    story.receive_try(plan, Outcome::success);
    story.begin_second(plan, Outcome::success);
    story.answer(op, Outcome::account_busy);
    CHECK(story.reasons().empty());
  }
  SECTION("there is no such hold") {
    story.answer(story.call(router::CaptureHoldRequest{usd, 1, id_of(21), "a", "c"}), Outcome::account_busy);
    CHECK(told_of(story.reasons(), {"there is no such hold"}));
  }
  SECTION("it is no capture") {
    story.answer(story.call(router::VoidHoldRequest{id_of(20), "a"}), Outcome::account_busy);
    CHECK(told_of(story.reasons(), {"no capture was put off"}));
  }
}

TEST_CASE("O-T5 catches a refusal for a lock that is not there (two-phase commit)") {
  Story story("O-T5");
  SECTION("of an order") {
    committing(story);
    story.commit(s1, {order(story, Outcome::account_locked)});
    CHECK(told_of(story.reasons(), {"refused in s1@9", "nothing of it is locked"}));
  }
  SECTION("of a leg") {
    LegPlan plan = preparing(story);
    story.receive_try(plan, Outcome::account_locked);
    CHECK(told_of(story.reasons(), {"refused", "nothing of it is locked"}));
  }
  SECTION("and is silent about one that is") {
    prepared(story);
    story.commit(s1, {order(story, Outcome::account_locked)});
    CHECK(story.reasons().empty());
  }
}

TEST_CASE("O-T5 catches what is locked for ever, and an unlocking of what was not (two-phase commit)") {
  Story story("O-T5");
  SECTION("a debit") {
    preparing(story);
    story.phase(Phase::final_reads);
    CHECK(told_of(story.end(), {"USD of account 'a'", "since s1@7"}));
  }
  SECTION("a credit whose Commit never came") {
    committing(story);
    story.phase(Phase::final_reads);
    CHECK(told_of(story.end(), {"USD of account 'b'", "nothing is on its way"}));
  }
  SECTION("a Commit of what was never promised") {
    LegPlan plan = preparing(story);
    plan.second = 2;
    story.commit(s2, {story.second_received(plan, SecondPhase::commit)});
    CHECK(told_of(story.reasons(), {"unlocks", "which it had not locked"}));
  }
}

TEST_CASE("O-Q1 catches a step told at a place where the log does something else") {
  Story story("O-Q1");
  story.set_up();
  const LegPlan plan = story.transfer_across(3, 40);
  router::TransferStatusReply status;
  status.result = story.result(plan, Outcome::success);
  const PhaseStep debit{TransferPhase::execute, Side::debit, StepState::done, s1, plan.started, plan.started_stamp};
  const auto tell = [&](const PhaseStep& step) {
    status.steps = {step};
    const std::uint64_t op = story.call(router::TransferStatusRequest{id_of(3), "a"});
    router::Reply reply;
    reply.kind = router::RequestKind::transfer_status;
    reply.body = status;
    story.answer(op, reply);
  };
  tell(debit);
  REQUIRE(story.reasons().empty());
  PhaseStep wrong = debit;
  SECTION("another event's place") {
    wrong.position = Position(plan.started.value - 1);
    tell(wrong);
    CHECK(told_of(story.reasons(), {"execute of the debit", "the log does something else"}));
  }
  SECTION("another phase") {
    wrong.phase = TransferPhase::try_legs;
    tell(wrong);
    CHECK(told_of(story.reasons(), {"try of the debit", "the log does something else"}));
  }
  SECTION("refused, and it was done") {
    wrong.state = StepState::refused;
    tell(wrong);
    CHECK(told_of(story.reasons(), {"told as 'refused'"}));
  }
  SECTION("what has not committed") {
    wrong.position = Position(1'000);
    tell(wrong);
    CHECK(told_of(story.reasons(), {"had not committed when it was told"}));
  }
}
