// What oracles say of holds: a breach planted in each rule is caught.
#include <catch2/catch.hpp>

#include "tests/sim/oracles/caught.h"
#include "tests/sim/oracles/story.h"

using namespace coffer;
using namespace coffer::sim;
using namespace coffer::sim::oracles;
using End = ledger::HoldEnd;
using State = router::HoldState;

namespace {

/// Account a has 1000, of which 400 are held under id 20 from s1@7 on, as hold 0.
void hold_400(Story& story, Duration expires_in = Story::hold_time) {
  story.set_up();
  story.place_hold(20, 400, expires_in);
  REQUIRE(story.reasons().empty());
}

void ask_to_capture(Story& story, std::uint8_t id, std::int64_t amount) {
  story.call(router::CaptureHoldRequest{usd, amount, id_of(id), "a", "c"});
}

void ask_to_void(Story& story, std::uint8_t id) { story.call(router::VoidHoldRequest{id_of(id), "a"}); }

router::Reply voided(Position at, bool already) {
  router::Reply reply;
  reply.kind = router::RequestKind::void_hold;
  reply.shard = s1;
  reply.body = router::VoidHoldReply{already, at};
  return reply;
}

}  // namespace

TEST_CASE("O-L6 catches a hold that ends twice") {
  Story story("O-L6");
  hold_400(story);
  SECTION("captured, and then voided: what is held is let go twice") {
    story.capture_hold(0, 20, 400);
    ask_to_void(story, 20);
    story.commit(s1, {story.hold_ended(0, 20, 400, End::voided)});
    CHECK(told_of(story.reasons(), {"s1@10", "account 'a' is voided", "it was captured before"}));
  }
  SECTION("voided twice") {
    story.void_hold(0, 20);
    story.commit(s1, {story.hold_ended(0, 20, 400, End::voided)});
    CHECK(told_of(story.reasons(), {"s1@9", "is voided", "it was voided before"}));
  }
  SECTION("expired, and then captured") {
    story.expire_hold(0, 20);
    ask_to_capture(story, 20, 400);
    story.commit(s1, {story.hold_ended(0, 20, 400, End::captured), story.capture(20, 400)});
    CHECK(told_of(story.reasons(), {"s1@9", "is captured", "it was expired before"}));
  }
  SECTION("a hold that was never placed") {
    ask_to_void(story, 21);
    story.commit(s1, {story.hold_ended(1, 21, 400, End::voided)});
    CHECK(told_of(story.reasons(), {"s1@8 ends hold 1, which was never placed"}));
  }
}

TEST_CASE("O-L6 catches a hold that ends though nobody asked for it, or against all refusals") {
  Story story("O-L6");
  hold_400(story);
  SECTION("voided unasked") {
    story.commit(s1, {story.hold_ended(0, 20, 400, End::voided)});
    CHECK(told_of(story.reasons(), {"is voided, and nobody asked for it"}));
  }
  SECTION("captured, and only its voiding was asked for") {
    ask_to_void(story, 20);
    story.commit(s1, {story.hold_ended(0, 20, 400, End::captured), story.capture(20, 400)});
    CHECK(told_of(story.reasons(), {"is captured, and nobody asked for it"}));
  }
  SECTION("voided, and each attempt had been refused") {
    const std::uint64_t op = story.call(router::VoidHoldRequest{id_of(20), "a"});
    story.answer(op, Outcome::not_leader);
    story.commit(s1, {story.hold_ended(0, 20, 400, End::voided)});
    CHECK(told_of(story.end(), {"was voided", "all 1 attempts had been refused"}));
  }
  SECTION("not where one of them is open") {
    for (const Outcome outcome : {Outcome::not_leader, Outcome::unknown}) {
      const std::uint64_t op = story.call(router::VoidHoldRequest{id_of(20), "a"});
      story.answer(op, outcome);
    }
    story.commit(s1, {story.hold_ended(0, 20, 400, End::voided)});
    CHECK(story.end().empty());
  }
}

TEST_CASE("O-L6 catches what does not keep to the expiry") {
  Story story("O-L6");
  hold_400(story, milliseconds(50));
  SECTION("expired too soon (expiry by a clock of its own)") {
    story.commit(s1, {story.hold_ended(0, 20, 400, End::expired)});
    CHECK(told_of(story.reasons(), {"s1@8", "is expired, though its time is not over"}));
  }
  SECTION("at its very last stamp it is live") {
    story.wait(milliseconds(49));
    ask_to_void(story, 20);
    story.commit(s1, {story.hold_ended(0, 20, 400, End::voided)});
    CHECK(story.end().empty());
  }
  SECTION("captured too late") {
    story.wait(milliseconds(50));
    ask_to_capture(story, 20, 400);
    story.commit(s1, {story.hold_ended(0, 20, 400, End::captured), story.capture(20, 400)});
    CHECK(told_of(story.reasons(), {"s1@8", "is captured, and its time is over"}));
  }
  SECTION("left live by an entry stamped later") {
    story.wait(milliseconds(50));
    story.transfer_within(3, 5);
    CHECK(told_of(story.reasons(), {"hold", "expired at", "the entry at s1@8", "left it as it was"}));
  }
  SECTION("placed in the past") {
    story.commit(s1, {story.hold_placed(21, 5, Duration{})});
    CHECK(told_of(story.reasons(), {"s1@8 places hold", "has expired already"}));
  }
  SECTION("held still, long after: nothing is committed any more, and nobody looks") {
    story.phase(Phase::healing);
    story.time_passes(seconds(4));
    story.phase(Phase::final_reads);
    CHECK(told_of(story.reasons(), {"hold", "is held still", "ms late"}));
  }
  SECTION("ended as late, when somebody came to read it") {
    story.phase(Phase::healing);
    story.time_passes(seconds(4));
    story.expire_hold(0, 20);
    CHECK(told_of(story.reasons(), {"s1@8 says that hold", "is expired", "ms late"}));
  }
  SECTION("but soon after all has healed that may be") {
    story.phase(Phase::healing);
    story.time_passes(seconds(2));
    story.phase(Phase::final_reads);
    CHECK(story.end().empty());
  }
}

TEST_CASE("O-L6 catches a capture that takes what it may not, or when it may not") {
  Story story("O-L6");
  hold_400(story);
  SECTION("more than is held") {
    ask_to_capture(story, 20, 401);
    story.commit(s1, {story.hold_ended(0, 20, 400, End::captured), story.capture(20, 401)});
    CHECK(told_of(story.reasons(), {"401 minor units are to be taken of the 400 held"}));
  }
  SECTION("the hold ends, and nothing is taken") {
    ask_to_capture(story, 20, 400);
    story.commit(s1, {story.hold_ended(0, 20, 400, End::captured)});
    CHECK(told_of(story.reasons(), {"is captured, and the next event of the entry does not decide what takes it"}));
  }
  SECTION("another transfer comes between") {
    ask_to_capture(story, 20, 400);
    story.commit(s1, {story.hold_ended(0, 20, 400, End::captured),
                      story.local(transfer_item(3, "a", "c", 5), Outcome::success, AccountNumber(0), first, second),
                      story.capture(20, 400)});
    CHECK(told_of(story.reasons(), {"the next event of the entry does not decide what takes it"}));
  }
  SECTION("taken, and the hold goes on") {
    ask_to_capture(story, 20, 400);
    story.commit(s1, {story.capture(20, 400)});
    CHECK(told_of(story.reasons(), {"s1@8 decides the transfer that captures hold", "does not end there"}));
  }
  SECTION("but for a transfer of a client's own that has the id of the capture") {
    router::TransferItem item = transfer_item(0, "a", "c", 7);
    item.id = capture_of(20);
    story.ask(item);
    story.commit(s1, {story.capture(20, 7)});
    CHECK(story.reasons().empty());
  }
  SECTION("ended with another amount") {
    ask_to_void(story, 20);
    story.commit(s1, {story.hold_ended(0, 20, 399, End::voided)});
    CHECK(told_of(story.reasons(), {"with another id, pocket or amount"}));
  }
  SECTION("a transit pocket that is opened on the way is no breach") {
    ask_to_capture(story, 20, 400);
    story.commit(s1, {story.hold_ended(0, 20, 400, End::captured),
                      ledger::AccountOpened{ledger::PocketKind::transit, default_tenant, no_account, PocketNumber(4),
                                            currency_of("JPY"), s2, PrincipalId(0), ""},
                      story.capture(20, 400)});
    CHECK(story.reasons().empty());
    CHECK(story.oracle().sometimes().at("hold_captured_within") == 1);
  }
}

TEST_CASE("O-L6 catches answers about holds that the log does not have") {
  Story story("O-L6");
  hold_400(story);
  const auto refuse = [&](const router::RequestBody& body, Outcome outcome) {
    story.answer(story.call(body), outcome);
    return story.reasons();
  };
  const router::CaptureHoldRequest capture{usd, 400, id_of(20), "a", "c"};
  const router::VoidHoldRequest voiding{id_of(20), "a"};
  SECTION("expired, and it was not") {
    CHECK(
        told_of(refuse(capture, Outcome::hold_expired), {"the capture of hold", "'hold-expired'", "was not expired"}));
  }
  SECTION("voided, and it was not") {
    CHECK(told_of(refuse(capture, Outcome::hold_voided), {"'hold-voided'", "was not voided"}));
  }
  SECTION("captured, and it was not") {
    CHECK(told_of(refuse(voiding, Outcome::hold_captured), {"the voiding of hold", "was not captured"}));
  }
  SECTION("exceeded, and it keeps as much") {
    CHECK(told_of(refuse(capture, Outcome::hold_exceeded), {"'hold-exceeded'", "it keeps as much"}));
  }
  SECTION("of another currency, and it is not") {
    CHECK(told_of(refuse(capture, Outcome::currency_mismatch), {"'currency-mismatch'", "that is its currency"}));
  }
  SECTION("so they are") {
    CHECK(refuse(router::CaptureHoldRequest{currency_of("JPY"), 4, id_of(20), "a", "c"}, Outcome::currency_mismatch)
              .empty());
    CHECK(refuse(router::CaptureHoldRequest{usd, 401, id_of(20), "a", "c"}, Outcome::hold_exceeded).empty());
    story.expire_hold(0, 20);
    CHECK(refuse(capture, Outcome::hold_expired).empty());
    CHECK(refuse(voiding, Outcome::hold_expired).empty());
    CHECK(story.oracle().sometimes().at("hold_expiry_beat_capture") == 1);
    CHECK(story.oracle().sometimes().at("hold_expired") == 1);
  }
  SECTION("another expiry") {
    const std::uint64_t op = story.call(router::PlaceHoldRequest{usd, 400, id_of(20), 10'000, "a"});
    router::Reply reply;
    reply.kind = router::RequestKind::place_hold;
    reply.body = router::PlaceHoldReply{story.result(s1, Position(7)), story.last_stamp(s1)};
    story.answer(op, reply);
    CHECK(told_of(story.reasons(), {"the expiry of hold", "was told as"}));
  }
  SECTION("another transfer than the hold's") {
    const std::uint64_t op = story.call(capture);
    story.commit(s1, {story.hold_ended(0, 20, 400, End::captured), story.capture(20, 400)});
    router::Reply reply;
    reply.kind = router::RequestKind::capture_hold;
    reply.body = router::CaptureHoldReply{id_of(99), story.result(s1, Position(9))};
    story.answer(op, reply);
    CHECK(told_of(story.reasons(), {"the capture of hold", "was told as transfer"}));
  }
  SECTION("two attempts are told that they did it") {
    const std::uint64_t one = story.call(voiding);
    const std::uint64_t other = story.call(voiding);
    const Position at = story.commit(s1, {story.hold_ended(0, 20, 400, End::voided)});
    story.answer(one, voided(at, false));
    story.answer(other, voided(at, false));
    CHECK(told_of(story.end(), {"was told 2 times as that which did it"}));
  }
}

TEST_CASE("O-L6 counts what holds go through") {
  Story story("O-L6");
  hold_400(story);
  const auto times = [&](const std::string& state) {
    const auto& sometimes = story.oracle().sometimes();
    return sometimes.contains(state) ? sometimes.at(state) : 0;
  };
  SECTION("a debit kept out") {
    story.transfer_within(3, 700, Outcome::insufficient_funds);
    CHECK(times("hold_kept_debit_out") == 1);
    story.transfer_within(4, 1001, Outcome::insufficient_funds);
    CHECK(times("hold_kept_debit_out") == 1);
  }
  SECTION("a capture refused") {
    story.capture_hold(0, 20, 400, Outcome::balance_overflow);
    CHECK(times("hold_capture_refused") == 1);
  }
  SECTION("a capture across shards, and one that comes back") {
    const bool agrees = GENERATE(true, false);
    story.call(router::CaptureHoldRequest{usd, 400, id_of(20), "a", "b"});
    LegPlan plan;
    plan.amount = 400;
    auto started = std::get<ledger::LegStarted>(story.leg_started(plan));
    started.decided.id = capture_of(20);
    plan.started = story.commit(s1, {story.hold_ended(0, 20, 400, End::captured), started}).next();
    plan.started_stamp = story.last_stamp(s1);
    auto answered =
        std::get<ledger::LegAnswered>(story.leg_answered(plan, agrees ? Outcome::success : Outcome::account_frozen));
    answered.id = capture_of(20);
    story.commit(s1, {answered});
    CHECK(times("hold_captured_across") == (agrees ? 1 : 0));
    CHECK(times("hold_capture_compensated") == (agrees ? 0 : 1));
  }
  CHECK(story.reasons().empty());
}

TEST_CASE("O-L3 catches a debit of what is held, and a hold of what is not there") {
  Story story("O-L3");
  hold_400(story);
  SECTION("by a transfer") {
    story.transfer_within(3, 601);
    CHECK(told_of(story.reasons(), {"account a has USD 399", "s1@8", "400 of them are held"}));
  }
  SECTION("by a leg") {
    story.start_across(3, 601);
    CHECK(told_of(story.reasons(), {"account a has USD 399"}));
  }
  SECTION("by another hold") {
    story.place_hold(21, 601);
    CHECK(told_of(story.reasons(), {"account a has USD 1000", "1001 of them are held"}));
  }
  SECTION("not of what is free, nor of what was let go") {
    story.transfer_within(3, 600);
    story.capture_hold(0, 20, 400);
    CHECK(story.end().empty());
  }
}

TEST_CASE("O-Q1 catches a refusal for want of money that a hold does not explain, and reads of holds that are not so") {
  Story story("O-Q1");
  hold_400(story);
  const auto told_hold = [&](const router::Reply& reply) {
    story.answer(story.call(router::HoldRequest{id_of(20), "a"}), reply);
    return story.reasons();
  };
  SECTION("600 are available") {
    story.transfer_within(3, 600, Outcome::insufficient_funds);
    CHECK(told_of(story.reasons(), {"'insufficient-funds'", "s1@8", "held 1000, 400 of them for captures"}));
  }
  SECTION("601 are not") {
    story.transfer_within(3, 601, Outcome::insufficient_funds);
    CHECK(story.reasons().empty());
  }
  SECTION("what is held is told otherwise") {
    story.read("a", 1000, s1, Position(7), router::Consistency::linearizable, 399);
    CHECK(told_of(story.reasons(), {"balance of account 'a'", "399 minor units held at s1@7", "the book says 400"}));
  }
  SECTION("what is held later or earlier") {
    story.read("a", 1000, s1, Position(7), router::Consistency::linearizable, 400);
    story.read("a", 1000, s1, Position(6), router::Consistency::eventual, 0);
    CHECK(story.reasons().empty());
  }
  SECTION("a live hold is told as voided") {
    CHECK(told_of(told_hold(story.hold_reply(20, State::voided)), {"was told as 3", "the book says 1"}));
  }
  SECTION("a voided one as live") {
    story.void_hold(0, 20);
    CHECK(told_of(told_hold(story.hold_reply(20, State::held)), {"was told as 1", "the book says 3"}));
  }
  SECTION("a captured one with another capture") {
    story.capture_hold(0, 20, 400);
    router::Reply reply = story.hold_reply(20, State::captured);
    std::get<router::HoldReply>(reply.body).transfer = id_of(99);
    CHECK(told_of(told_hold(reply), {"or another expiry or capture"}));
  }
  SECTION("it was placed, and is not found") {
    story.answer(story.call(router::HoldRequest{id_of(20), "a"}), Outcome::hold_not_found);
    CHECK(told_of(story.reasons(), {"was told as 'hold-not-found'", "its placing had been told"}));
  }
  SECTION("read in the past") {
    router::Reply reply = story.hold_reply(20, State::held);
    story.transfer_within(3, 1);
    CHECK(told_of(told_hold(reply), {"was read at s1@7", "s1@8 had been told before"}));
  }
  SECTION("a voiding that is not in the log") {
    const std::uint64_t op = story.call(router::VoidHoldRequest{id_of(20), "a"});
    story.answer(op, voided(Position(7), false));
    CHECK(told_of(story.reasons(), {"the voiding of hold", "was told at s1@7", "the log does not have it"}));
  }
  SECTION("a voiding that stands before what was told before it was asked") {
    ask_to_void(story, 20);
    const Position at = story.commit(s1, {story.hold_ended(0, 20, 400, End::voided)});
    story.transfer_within(3, 1);
    const std::uint64_t op = story.call(router::VoidHoldRequest{id_of(20), "a"});
    story.answer(op, voided(at.next(), false));
    CHECK(told_of(story.reasons(), {"the voiding of hold", "stands at s1@8", "s1@9 had been told before"}));
  }
}

TEST_CASE("O-L4 catches a hold that was told placed and is not, one that nobody asked for, and a capture made twice") {
  Story story("O-L4");
  story.set_up();
  const router::PlaceHoldRequest placing{usd, 400, id_of(20), 10'000, "a"};
  router::Reply reply;
  reply.kind = router::RequestKind::place_hold;
  SECTION("told, and lost") {
    const std::uint64_t op = story.call(placing);
    reply.body = router::PlaceHoldReply{story.result(s1, Position(7)), Stamp{}};
    story.answer(op, reply);
    CHECK(told_of(story.end(), {"was answered 'success'", "no effect"}));
  }
  SECTION("unasked") {
    story.commit(s1, {story.hold_placed(20, 400)});
    CHECK(told_of(story.end(), {"was decided in s1@7", "nobody asked for it"}));
  }
  SECTION("for longer than was asked") {
    story.call(placing);
    story.commit(s1, {story.hold_placed(20, 400, milliseconds(10'001))});
    CHECK(told_of(story.end(), {"with a body nobody asked for"}));
  }
  SECTION("a capture for another amount") {
    story.place_hold(20, 400);
    ask_to_capture(story, 20, 300);
    story.commit(s1, {story.hold_ended(0, 20, 400, End::captured), story.capture(20, 400)});
    CHECK(told_of(story.end(), {"was decided in s1@9", "with a body nobody asked for"}));
  }
  SECTION("a capture made twice") {
    story.place_hold(20, 400);
    story.capture_hold(0, 20, 100);
    story.commit(s1, {story.capture(20, 100)});
    CHECK(told_of(story.end(), {"took effect 2 times"}));
  }
}

TEST_CASE("O-L5 catches a hold that is told twice in two ways, or a conflict with its own body") {
  Story story("O-L5");
  hold_400(story);
  const router::PlaceHoldRequest placing{usd, 400, id_of(20), 10'000, "a"};
  SECTION("at another place") {
    router::Reply reply;
    reply.kind = router::RequestKind::place_hold;
    reply.body = router::PlaceHoldReply{story.result(s1, Position(8)), Stamp{}};
    story.answer(story.call(placing), reply);
    CHECK(told_of(story.reasons(), {"was told 'success' at s1@7", "later 'success' at s1@8"}));
  }
  SECTION("a conflict with the body it has") {
    story.answer(story.call(placing), Outcome::idempotency_payload_mismatch);
    CHECK(told_of(story.end(), {"a conflict with the very body it is bound to"}));
  }
  SECTION("a conflict with a body that lasts longer is none") {
    router::PlaceHoldRequest longer = placing;
    longer.expires_in_ms += 1;
    story.answer(story.call(longer), Outcome::idempotency_payload_mismatch);
    CHECK(story.end().empty());
  }
}

TEST_CASE("O-L7 catches a hold on a frozen account, and lets through the capture of one placed before") {
  Story story("O-L7");
  hold_400(story);
  story.change_account(21, ledger::Operation::freeze, ledger::AccountState::open);
  SECTION("a new hold") {
    story.place_hold(22, 5);
    CHECK(told_of(story.reasons(), {"s1@9 holds money of account 'a'", "frozen"}));
  }
  SECTION("a capture") {
    story.capture_hold(0, 20, 400);
    CHECK(story.end().empty());
    CHECK(story.oracle().sometimes().at("hold_captured_while_frozen") == 1);
  }
  SECTION("a transfer that captures nothing") {
    ask_to_void(story, 20);
    story.commit(s1, {story.hold_ended(0, 20, 400, End::voided),
                      story.local(transfer_item(3, "a", "c", 5), Outcome::success, AccountNumber(0), first, second)});
    CHECK(told_of(story.reasons(), {"s1@10 takes from account 'a'", "frozen"}));
  }
}

TEST_CASE("O-H3 catches a hold that was not read at the end") {
  Story story("O-H3");
  hold_400(story);
  story.phase(Phase::healing);
  story.phase(Phase::final_reads);
  SECTION("not read") { CHECK(told_of(story.end(), {"hold", "account 'a' was not read at the end"})); }
  SECTION("read") {
    story.answer(story.call(router::HoldRequest{id_of(20), "a"}), story.hold_reply(20, State::held));
    CHECK_FALSE(told_of(story.end(), {"hold", "was not read at the end"}));
  }
}

TEST_CASE("O-E1 catches a replica that remembers no id for a hold") {
  Story story("O-E1");
  hold_400(story);
  shard::Observation replica = story.replica(s1);
  replica.dedup_rows -= 1;
  story.oracle().on_replica({}, n2, replica);
  CHECK(told_of(story.reasons(), {"remembers 1 ids, the log bound 2"}));
}

TEST_CASE("O-E1 catches a replica that holds another sum than the log says") {
  Story story("O-E1");
  hold_400(story);
  shard::Observation replica = story.replica(s1);
  REQUIRE(replica.pockets[2].held == 400);
  replica.pockets[2].held = 0;  // as one that starts from a snapshot and has forgotten
  story.oracle().on_replica({}, n2, replica);
  CHECK(told_of(story.reasons(), {"keeps 0 minor units of 'a' USD", "the fold of the log says 400"}));
}
