// What the oracles say of splits: nothing of honest ones, and each breach planted is caught.
#include <catch2/catch.hpp>

#include "tests/sim/oracles/caught.h"
#include "tests/sim/oracles/story.h"

using namespace coffer;
using namespace coffer::sim;
using namespace coffer::sim::oracles;
using Second = ledger::SecondPhase;

namespace {

constexpr PocketNumber own_transit{4};  // of s1 for itself

/// Account a of s1 pays b of s2 30 and c of s1 20, under id 3.
struct SplitStory {
  explicit SplitStory(std::string_view oracle) : story(oracle) {
    story.set_up();
    ledger::AccountOpened opens;
    opens.kind = ledger::PocketKind::transit;
    opens.account = no_account;
    opens.pocket = own_transit;
    opens.currency = usd;
    opens.peer = s1;
    story.commit(s1, {opens});
    plan.id = 3;
    plan.amount = 30;
    op = story.call(router::SplitRequest{usd, id_of(3), "a", {{30, "b"}, {20, "c"}}});
  }

  ledger::SplitStarted started() const {
    ledger::SplitStarted event;
    event.decided = decided(transfer_item(3, "a", "", 50), Outcome::pending, AccountNumber(0), first, no_pocket);
    event.decided.operation = ledger::Operation::split;
    event.parts = {{s2, LegNumber(1), transit, no_pocket, 30, "b"}, {s1, LegNumber(), own_transit, second, 20, "c"}};
    return event;
  }
  void begin(const ledger::SplitStarted& event) {
    plan.started = story.commit(s1, {event});
    plan.started_stamp = story.last_stamp(s1);
  }
  void try_at_target(Outcome outcome) {
    plan.received = story.commit(s2, {story.try_received(plan, outcome)});
    plan.received_stamp = story.last_stamp(s2);
  }
  ledger::SplitAnswered answered(Outcome outcome) const {
    ledger::SplitAnswered event;
    event.outcome = outcome;
    event.target = s2;
    event.leg = LegNumber(1);
    event.id = id_of(3);
    event.debit = first;
    event.transit = transit;
    event.amount = {30, usd};
    event.target_position = plan.received;
    event.target_stamp = plan.received_stamp;
    return event;
  }
  static ledger::SplitDecided decision(Outcome outcome, std::uint8_t refused = ledger::no_part) {
    ledger::SplitDecided event;
    event.outcome = outcome;
    event.refused = refused;
    event.id = id_of(3);
    event.debit = first;
    event.currency = usd;
    event.parts = {{s2, LegNumber(1), LegNumber(2), transit, no_pocket, 30},
                   {s1, LegNumber(), LegNumber(), own_transit, second, 20}};
    return event;
  }
  void decide(Outcome answer, const ledger::SplitDecided& event) {
    plan.second_started = story.commit(s1, {answered(answer), event}).next();
    plan.second_stamp = story.last_stamp(s1);
    plan.second = 2;
  }
  void second_at_target(Second phase) {
    ledger::SecondReceived event = story.second_received(plan, phase);
    plan.second_received = story.commit(s2, {event});
    plan.second_received_stamp = story.last_stamp(s2);
  }
  void end(Second phase) {
    const auto ended = std::get<ledger::SecondEnded>(story.second_ended(plan, phase));
    ledger::SplitEnded event;
    event.phase = ended.phase;
    event.part = 0;
    event.target = ended.target;
    event.leg = ended.leg;
    event.id = ended.id;
    event.debit = ended.debit;
    event.transit = ended.transit;
    event.amount = ended.amount;
    event.target_position = ended.target_position;
    event.target_stamp = ended.target_stamp;
    story.commit(s1, {event});
  }
  router::Reply reply(Outcome outcome, std::uint8_t refused, std::vector<router::SplitReply::Part> parts) {
    router::Reply told;
    told.kind = router::RequestKind::split;
    told.shard = s1;
    router::SplitReply body;
    body.result.outcome = outcome;
    body.result.shard = s1;
    body.result.position = plan.started;
    body.result.stamp = plan.started_stamp;
    body.refused = refused;
    body.parts = std::move(parts);
    told.body = body;
    return told;
  }
  // What the answer tells of b's part and of c's.
  router::SplitReply::Part b_paid() const { return {s2, plan.second_received, plan.second_received_stamp}; }
  router::SplitReply::Part c_paid() const { return {s1, plan.second_started, plan.second_stamp}; }
  router::SplitReply::Part b_refused() const { return {s2, plan.received, plan.received_stamp}; }
  static router::SplitReply::Part c_unpaid() { return {s1, Position(), Stamp()}; }
  /// All but the answer to the client.
  void confirm() {
    begin(started());
    try_at_target(Outcome::success);
    decide(Outcome::success, decision(Outcome::success));
    second_at_target(Second::confirm);
    end(Second::confirm);
  }
  void cancel() {
    begin(started());
    try_at_target(Outcome::balance_overflow);
    decide(Outcome::balance_overflow, decision(Outcome::balance_overflow, 0));
    second_at_target(Second::cancel);
    end(Second::cancel);
  }

  Story story;
  LegPlan plan;
  std::uint64_t op = 0;
};

}  // namespace

TEST_CASE("of an honest split no oracle of the log says anything") {
  for (const std::string_view oracle : {"O-L1", "O-L2", "O-L3", "O-L7", "O-T1", "O-T2", "O-T3", "O-T5", "O-T6"}) {
    for (const bool confirms : {true, false}) {
      CAPTURE(oracle, confirms);
      SplitStory split(oracle);
      confirms ? split.confirm() : split.cancel();
      split.story.phase(Phase::final_reads);
      CHECK(joined(split.story.end()) == "");
    }
  }
}

TEST_CASE("O-L4, O-L5 and O-Q1 take a split for what its client was told") {
  for (const std::string_view oracle : {"O-L4", "O-L5", "O-Q1", "O-T6"}) {
    CAPTURE(oracle);
    SplitStory good(oracle);
    good.confirm();
    good.story.answer(good.op, good.reply(Outcome::success, router::no_part, {good.b_paid(), good.c_paid()}));
    CHECK(joined(good.story.reasons()) == "");
    SplitStory bad(oracle);
    bad.cancel();
    bad.story.answer(bad.op, bad.reply(Outcome::balance_overflow, 0, {bad.b_refused(), bad.c_unpaid()}));
    CHECK(joined(bad.story.reasons()) == "");
  }
}

TEST_CASE("O-T6 catches a split that takes something else than it gives") {
  SplitStory split("O-T6");
  ledger::SplitStarted event = split.started();
  event.decided.amount.minor = 51;
  split.begin(event);
  CHECK(told_of(split.story.reasons(), {"takes 51", "its parts are 50"}));
}

TEST_CASE("O-T6 catches a part confirmed although another was refused") {
  SplitStory split("O-T6");
  split.begin(split.started());
  split.try_at_target(Outcome::balance_overflow);
  split.decide(Outcome::balance_overflow, SplitStory::decision(Outcome::success));
  CHECK(told_of(split.story.reasons(), {"decides split", "'success'", "'balance-overflow' for part 0"}));
}

TEST_CASE("O-T6 catches a refusal for the wrong part, or for none") {
  SplitStory split("O-T6");
  split.begin(split.started());
  split.try_at_target(Outcome::success);
  split.decide(Outcome::success, SplitStory::decision(Outcome::account_frozen, 1));
  CHECK(told_of(split.story.reasons(), {"as 'account-frozen' for part 1", "its parts say 'success'"}));
}

TEST_CASE("O-T6 catches a decision before all have answered") {
  SplitStory split("O-T6");
  split.begin(split.started());
  split.try_at_target(Outcome::success);
  split.story.commit(s1, {SplitStory::decision(Outcome::success)});
  CHECK(told_of(split.story.reasons(), {"does not stand behind the answer to its last Try"}));
}

TEST_CASE("O-T6 catches a split decided with other parts than it was begun with") {
  SplitStory split("O-T6");
  split.begin(split.started());
  split.try_at_target(Outcome::success);
  ledger::SplitDecided event = SplitStory::decision(Outcome::success);
  if (GENERATE(true, false)) {
    event.parts[1].amount = 21;
  } else {
    event.parts.pop_back();
  }
  split.decide(Outcome::success, event);
  CHECK(told_of(split.story.reasons(), {"with other parts than it was begun with"}));
}

TEST_CASE("O-T6 catches a part credited twice, never, or before the decision") {
  SplitStory split("O-T6");
  SECTION("twice") {
    split.begin(split.started());
    split.try_at_target(Outcome::success);
    split.decide(Outcome::success, SplitStory::decision(Outcome::success));
    split.second_at_target(Second::confirm);
    split.second_at_target(Second::confirm);
    split.end(Second::confirm);
    split.story.phase(Phase::final_reads);
    CHECK(told_of(split.story.end(), {"was credited 2 times"}));
  }
  SECTION("never") {
    split.begin(split.started());
    split.try_at_target(Outcome::success);
    split.decide(Outcome::success, SplitStory::decision(Outcome::success));
    split.story.phase(Phase::final_reads);
    CHECK(told_of(split.story.end(), {"was credited 0 times, and the split is 'success'"}));
  }
  SECTION("before it was decided") {
    split.begin(split.started());
    split.try_at_target(Outcome::success);
    split.plan.second = 2;
    split.second_at_target(Second::confirm);
    CHECK(told_of(split.story.reasons(), {"credits part 0", "was not decided so"}));
  }
}

TEST_CASE("O-T6 catches a split that is forgotten") {
  SplitStory split("O-T6");
  split.begin(split.started());
  split.story.phase(Phase::final_reads);
  CHECK(told_of(split.story.end(), {"was never decided"}));
}

TEST_CASE("O-T6 catches an answer that names another part, another place, or another time") {
  SplitStory split("O-T6");
  SECTION("another part") {
    split.cancel();
    split.story.answer(split.op, split.reply(Outcome::balance_overflow, 1, {split.b_refused(), split.c_unpaid()}));
    CHECK(told_of(split.story.reasons(), {"names part 1 of 2 as refused", "the log part 0"}));
  }
  SECTION("another place") {
    split.confirm();
    split.story.answer(split.op, split.reply(Outcome::success, router::no_part, {split.b_refused(), split.c_paid()}));
    CHECK(told_of(split.story.reasons(), {"puts part 0 at"}));
  }
  SECTION("another time") {
    split.confirm();
    router::SplitReply::Part c = split.c_paid();
    c.stamp = split.plan.started_stamp;
    split.story.answer(split.op, split.reply(Outcome::success, router::no_part, {split.b_paid(), c}));
    CHECK(told_of(split.story.reasons(), {"puts part 1 at", "stamped"}));
  }
}

TEST_CASE("O-T6 catches a refusal for a payee who is not as it says") {
  const auto reasons = [](std::vector<router::SplitRequest::Part> parts, Outcome outcome, std::uint8_t refused) {
    SplitStory split("O-T6");
    const std::uint64_t op = split.story.call(router::SplitRequest{usd, id_of(3), "a", std::move(parts)});
    ledger::SplitStarted event = split.started();
    event.decided.outcome = outcome;
    event.decided.debit = no_pocket;
    event.refused = refused;
    event.parts.clear();
    split.begin(event);
    split.story.answer(op, split.reply(outcome, refused, {}));
    return joined(split.story.reasons());
  };
  using Parts = std::vector<router::SplitRequest::Part>;
  const Parts parts = {{30, "c"}, {20, "nobody"}};
  CHECK(reasons(parts, Outcome::credit_account_not_found, 1) == "");
  CHECK_THAT(reasons(parts, Outcome::credit_account_not_found, 0),
             Catch::Contains("for account 'c', which was not so"));
  CHECK_THAT(reasons(parts, Outcome::credit_account_not_found, router::no_part), Catch::Contains("for account 'a'"));
  CHECK_THAT(reasons(parts, Outcome::currency_mismatch, 0), Catch::Contains("for account 'c', which was not so"));
  CHECK_THAT(reasons(parts, Outcome::account_frozen, 0), Catch::Contains("for account 'c', which was not so"));
}

TEST_CASE("O-T5 catches a part refused for a lock where nothing is locked") {
  SplitStory split("O-T5");
  ledger::SplitStarted event = split.started();
  event.decided.outcome = Outcome::account_locked;
  event.refused = 1;
  event.parts.clear();
  split.begin(event);
  CHECK(told_of(split.story.reasons(), {"is refused", "for a lock, and nothing of it is locked"}));
}

TEST_CASE("O-T2 and O-T3 see a split's legs and money as any other's") {
  SECTION("a Confirm of what was not answered") {
    SplitStory split("O-T2");
    split.begin(split.started());
    split.story.commit(s1, {SplitStory::decision(Outcome::success)});
    CHECK(told_of(split.story.reasons(), {"no Try of this split that was answered"}));
  }
  SECTION("money that is left behind") {
    SplitStory split("O-T3");
    split.begin(split.started());
    split.story.phase(Phase::final_reads);
    CHECK(told_of(split.story.end(), {"30", "nothing is on its way any more"}));
  }
}
