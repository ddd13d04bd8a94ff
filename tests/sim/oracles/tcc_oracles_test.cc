// What the oracles of transactions across shards say of TC/C: a breach planted in each phase is caught.
#include <catch2/catch.hpp>

#include "tests/sim/oracles/caught.h"
#include "tests/sim/oracles/story.h"

using namespace coffer;
using namespace coffer::sim;
using namespace coffer::sim::oracles;
using Second = ledger::SecondPhase;

namespace {

/// A Try answered with success, and its Confirm on the way.
LegPlan confirming(Story& story) {
  story.set_up();
  LegPlan plan = story.try_across(3, 40);
  story.receive_try(plan, Outcome::success);
  story.begin_second(plan, Outcome::success);
  REQUIRE(story.reasons().empty());
  return plan;
}

LegPlan cancelling(Story& story) {
  story.set_up();
  LegPlan plan = story.try_across(3, 40);
  story.receive_try(plan, Outcome::balance_overflow);
  story.begin_second(plan, Outcome::balance_overflow);
  REQUIRE(story.reasons().empty());
  return plan;
}

}  // namespace

TEST_CASE("O-T1 catches a Try that never ends (TC/C)") {
  Story story("O-T1");
  SECTION("without its answer") {
    story.set_up();
    story.try_across(3, 40);
    story.phase(Phase::final_reads);
    CHECK(told_of(story.end(), {"leg 1 from s1 to s2", "a Try", "never received"}));
  }
  SECTION("without its Confirm: room is kept for ever") {
    confirming(story);
    story.phase(Phase::final_reads);
    CHECK(told_of(story.end(), {"leg 2 from s1 to s2", "a Confirm", "never received"}));
  }
  SECTION("without the end of its Cancel") {
    LegPlan plan = cancelling(story);
    story.receive_second(plan, Second::cancel);
    story.phase(Phase::final_reads);
    CHECK(told_of(story.end(), {"leg 2", "a Cancel", "never answered"}));
  }
}

TEST_CASE("O-T2 catches a decision that the answers to the Tries do not give (TC/C)") {
  Story story("O-T2");
  story.set_up();
  LegPlan plan = story.try_across(3, 40);
  SECTION("Confirm of what was refused") {
    story.receive_try(plan, Outcome::balance_overflow);
    story.begin_second(plan, Outcome::success);
    CHECK(told_of(story.reasons(), {"leg 1", "to be confirmed", "the target decided 'balance-overflow'"}));
  }
  SECTION("Cancel of what was promised") {
    story.receive_try(plan, Outcome::success);
    story.begin_second(plan, Outcome::balance_overflow);
    CHECK(told_of(story.reasons(), {"leg 1", "to be cancelled", "the target decided 'success'"}));
  }
  SECTION("a decision before the Try was answered") {
    story.begin_second(plan, Outcome::success);
    CHECK(told_of(story.reasons(), {"leg 1", "before the target had decided"}));
  }
  SECTION("two decisions") {
    story.receive_try(plan, Outcome::success);
    story.begin_second(plan, Outcome::success);
    REQUIRE(story.reasons().empty());
    story.begin_second(plan, Outcome::balance_overflow);
    CHECK(told_of(story.reasons(), {"leg 1", "to be cancelled in s1@9", "already to be confirmed in s1@8"}));
  }
}

TEST_CASE("O-T2 catches a second phase that is not the one decided (TC/C)") {
  Story story("O-T2");
  SECTION("confirmed and decided to be cancelled") {
    const LegPlan plan = cancelling(story);
    story.commit(s2, {story.second_received(plan, Second::confirm)});
    CHECK(told_of(story.reasons(), {"leg 2", "as a Confirm", "started as a Cancel"}));
  }
  SECTION("cancelled and decided to be confirmed") {
    const LegPlan plan = confirming(story);
    story.commit(s2, {story.second_received(plan, Second::cancel)});
    CHECK(told_of(story.reasons(), {"leg 2", "as a Cancel", "started as a Confirm"}));
  }
  SECTION("received before the decision had committed") {
    story.set_up();
    LegPlan plan = story.try_across(3, 40);
    story.receive_try(plan, Outcome::success);
    plan.second = 2;
    story.commit(s2, {story.second_received(plan, Second::confirm)});
    CHECK(told_of(story.reasons(), {"leg 2", "before its start had committed"}));
  }
  SECTION("confirmed twice") {
    LegPlan plan = confirming(story);
    story.receive_second(plan, Second::confirm);
    REQUIRE(story.reasons().empty());
    story.receive_second(plan, Second::confirm);
    CHECK(told_of(story.reasons(), {"leg 2", "received twice"}));
  }
  SECTION("of another Try") {
    const LegPlan plan = confirming(story);
    ledger::SecondReceived event = story.second_received(plan, Second::confirm);
    event.leg = LegNumber(2);
    event.tried = LegNumber(2);
    event.credit = second;
    // The grammar has a Try before its second phase; what is written is what an oracle must read.
    story.commit(s2, {event});
    CHECK(told_of(story.reasons(), {"leg 2", "ends the Try of leg 2", "started for leg 1"}));
  }
  SECTION("into another pocket than the Try kept room in") {
    const LegPlan plan = confirming(story);
    ledger::SecondReceived event = story.second_received(plan, Second::confirm);
    event.credit = second;
    story.commit(s2, {event});
    CHECK(told_of(story.reasons(), {"leg 2", "other pockets than its Try", "s2@7"}));
  }
  SECTION("of another amount") {
    LegPlan plan = confirming(story);
    plan.amount = 41;
    story.receive_second(plan, Second::confirm);
    CHECK(told_of(story.reasons(), {"leg 2", "something else", "s1@8"}));
  }
  SECTION("ended as something else than it began") {
    LegPlan plan = confirming(story);
    story.receive_second(plan, Second::confirm);
    story.commit(s1, {story.second_ended(plan, Second::cancel)});
    CHECK(told_of(story.reasons(), {"leg 2", "cancelled", "started as a Confirm"}));
  }
  SECTION("ended before it was received") {
    const LegPlan plan = confirming(story);
    story.commit(s1, {story.second_ended(plan, Second::confirm)});
    CHECK(told_of(story.reasons(), {"leg 2", "before the target had decided"}));
  }
}

TEST_CASE("O-T3 catches money that no Try accounts for (TC/C)") {
  Story story("O-T3");
  SECTION("a Confirm that never came") {
    confirming(story);
    story.phase(Phase::final_reads);
    CHECK(told_of(story.reasons(), {"s1 and s2", "USD 40", "nothing is on its way"}));
  }
  SECTION("a Cancel that gave money to the credit") {
    LegPlan plan = cancelling(story);
    story.commit(s2, {story.second_received(plan, Second::confirm)});
    story.commit(s1, {story.second_ended(plan, Second::cancel)});
    story.phase(Phase::final_reads);
    CHECK(told_of(story.reasons(), {"USD -40"}));
  }
  SECTION("while all is on its way, it is silent") {
    LegPlan plan = confirming(story);
    story.phase(Phase::healing);
    story.receive_second(plan, Second::confirm);
    story.phase(Phase::final_reads);
    CHECK(story.end().empty());
  }
}

TEST_CASE("O-L4 catches a success told whose Confirm was never received (TC/C)") {
  Story story("O-L4");
  story.set_up();
  const std::uint64_t op = story.ask(transfer_item(3, "a", "b", 40));
  LegPlan plan = story.try_across(3, 40);
  story.receive_try(plan, Outcome::success);
  story.begin_second(plan, Outcome::success);
  story.answer(op, story.result(plan, Outcome::success));
  CHECK(told_of(story.end(), {"'success'", "no effect"}));
}
