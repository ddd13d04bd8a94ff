#include "core/shard/waiting_room.h"

#include <set>
#include <vector>

#include <catch2/catch.hpp>
#include <rapidcheck.h>

namespace coffer::shard {
namespace {

using Needs = WaitingRoom::Needs;

constexpr Instant late{1'000'000'000};
constexpr ShardId other(2);

Caller caller_of(std::uint64_t id) { return {nobody, ClientId(1), id}; }

router::Reply transfers_reply(std::vector<Outcome> outcomes) {
  router::TransfersReply body;
  for (const Outcome outcome : outcomes) {
    router::TransferResult& result = body.results.emplace_back();
    result.outcome = outcome;
    result.shard = ShardId(1);
    result.position = Position(5);
  }
  router::Reply reply;
  reply.body = body;
  return reply;
}

router::Reply balance_reply() {
  router::Reply reply;
  reply.kind = router::RequestKind::balance;
  reply.body = router::BalanceReply{42, 0, ShardId(1), Position(5), Stamp{6}};
  return reply;
}

std::vector<router::TransferResult> results_of(const Answer& answer) {
  return std::get<router::TransfersReply>(answer.reply.body).results;
}

txn::LegAnswer answer_of(std::uint64_t leg, Outcome outcome) {
  return {LegNumber(leg), {}, outcome, Position(77), Stamp{88}};
}

struct Room : WaitingRoom {
  Ticket admit_reply(router::Reply reply, Needs needs, Instant deadline = late) {
    const Ticket ticket = next_ticket();
    admit(ticket, caller_of(ticket), std::move(reply), std::move(needs), deadline);
    return ticket;
  }
  /// Who got an answer since the last call.
  std::vector<std::uint64_t> answered() {
    std::vector<std::uint64_t> callers;
    for (const Answer& answer : take_ready()) callers.push_back(answer.caller.id);
    return callers;
  }
};

using Callers = std::vector<std::uint64_t>;

TEST_CASE("nothing is told before the index it depends on has committed (design 4) (known bug 31)") {
  Room room;
  room.committed(Index(4));
  const auto success = room.admit_reply(transfers_reply({Outcome::success}), {.depends_on = Index(6), .legs = {}});
  const auto refusal =
      room.admit_reply(transfers_reply({Outcome::insufficient_funds}), {.depends_on = Index(5), .legs = {}});
  REQUIRE(room.answered().empty());
  room.committed(Index(5));
  REQUIRE(room.answered() == Callers{refusal});
  room.committed(Index(6));
  REQUIRE(room.answered() == Callers{success});
  REQUIRE(room.size() == 0);
}

TEST_CASE("what depends on a committed index is told at once") {
  Room room;
  room.committed(Index(4));
  const auto ticket = room.admit_reply(transfers_reply({Outcome::success}), {.depends_on = Index(4), .legs = {}});
  REQUIRE(room.answered() == Callers{ticket});
}

TEST_CASE("a read waits for its quorum round and for the index it read (design 4)") {
  Room room;
  const auto first = room.admit_reply(balance_reply(), {.depends_on = Index(1), .round = true, .legs = {}});
  const auto second = room.admit_reply(balance_reply(), {.depends_on = Index(1), .round = true, .legs = {}});
  room.committed(Index(1));
  REQUIRE(room.answered().empty());
  room.round_confirmed(first);
  REQUIRE(room.answered() == Callers{first});
  room.round_confirmed(first);  // told already
  REQUIRE(room.answered().empty());
  room.round_confirmed(second);
  REQUIRE(room.answered() == Callers{second});
}

TEST_CASE("a round confirmed before the index commits tells nothing yet") {
  Room room;
  const auto ticket = room.admit_reply(balance_reply(), {.depends_on = Index(1), .round = true, .legs = {}});
  room.round_confirmed(ticket);
  REQUIRE(room.answered().empty());
  room.committed(Index(1));
  REQUIRE(room.answered() == Callers{ticket});
}

TEST_CASE("a leg's success is told to the original at once (design 7)") {
  Room room;
  room.committed(Index(3));
  const auto ticket = room.admit_reply(transfers_reply({Outcome::success, Outcome::pending}),
                                       {.depends_on = Index(3), .legs = {{1, other, LegNumber(9), true}}});
  REQUIRE(room.answered().empty());
  room.leg_answered(other, answer_of(9, Outcome::success), Index(7));
  const std::vector<Answer> answers = room.take_ready();
  REQUIRE(answers.size() == 1);
  REQUIRE(answers[0].caller.id == ticket);
  const auto results = results_of(answers[0]);
  REQUIRE(results[1].outcome == Outcome::success);
  REQUIRE(results[1].target_position == Position(77));
  REQUIRE(results[1].target_stamp == Stamp{88});
}

TEST_CASE("a leg's success is not told before the debit has committed (design 4)") {
  Room room;
  const auto ticket = room.admit_reply(transfers_reply({Outcome::pending}),
                                       {.depends_on = Index(3), .legs = {{0, other, LegNumber(9), true}}});
  room.leg_answered(other, answer_of(9, Outcome::success), Index(4));
  REQUIRE(room.answered().empty());
  room.committed(Index(3));
  REQUIRE(room.answered() == Callers{ticket});
}

TEST_CASE("a duplicate waits until the leg's answer is in the log (design 7)") {
  Room room;
  room.committed(Index(3));
  const auto duplicate = room.admit_reply(transfers_reply({Outcome::pending}),
                                          {.depends_on = Index(3), .legs = {{0, other, LegNumber(9), false}}});
  room.leg_answered(other, answer_of(9, Outcome::success), Index(7));
  REQUIRE(room.answered().empty());
  room.committed(Index(6));
  REQUIRE(room.answered().empty());
  room.committed(Index(7));
  REQUIRE(room.answered() == Callers{duplicate});
}

TEST_CASE("a refused leg is told when its compensation has committed (design 7)") {
  Room room;
  room.committed(Index(3));
  room.admit_reply(transfers_reply({Outcome::pending}),
                   {.depends_on = Index(3), .legs = {{0, other, LegNumber(9), true}}});
  room.leg_answered(other, answer_of(9, Outcome::credit_account_not_found), Index(7));
  REQUIRE(room.answered().empty());
  room.committed(Index(7));
  const std::vector<Answer> answers = room.take_ready();
  REQUIRE(answers.size() == 1);
  REQUIRE(results_of(answers[0])[0].outcome == Outcome::credit_account_not_found);
}

TEST_CASE("who waits for a Try waits for the Confirm it begins, the original and the duplicate (design 7)") {
  Room room;
  room.committed(Index(4));
  const auto original = room.admit_reply(transfers_reply({Outcome::pending}),
                                         {.depends_on = Index(4), .legs = {{0, other, LegNumber(3), true}}});
  const auto duplicate =
      room.admit_reply(transfers_reply({Outcome::pending}),
                       {.depends_on = Index(4), .legs = {{0, other, LegNumber(3), false}}}, Instant{50});
  room.leg_continued(other, LegNumber(3), LegNumber(7));
  room.leg_answered(other, answer_of(3, Outcome::success), Index(5));  // nobody's any more
  REQUIRE(room.answered().empty());
  SECTION("and is told with the Confirm's position") {
    room.leg_answered(other, answer_of(7, Outcome::success), Index(6));
    const std::vector<Answer> first = room.take_ready();
    REQUIRE(first.size() == 1);
    REQUIRE(first[0].caller.id == original);
    REQUIRE(results_of(first[0])[0].outcome == Outcome::success);
    REQUIRE(results_of(first[0])[0].target_position == Position(77));
    room.committed(Index(6));
    REQUIRE(room.answered() == Callers{duplicate});
  }
  SECTION("and leaves nothing behind when its patience ends") {
    room.expire(Instant{60});
    REQUIRE(room.answered() == Callers{duplicate});
    room.leg_answered(other, answer_of(7, Outcome::success), Index(6));
    REQUIRE(room.answered() == Callers{original});
    REQUIRE(room.size() == 0);
  }
}

router::Reply capture_reply(Outcome outcome) {
  router::Reply reply;
  reply.kind = router::RequestKind::capture_hold;
  router::TransferResult result;
  result.outcome = outcome;
  reply.body = router::CaptureHoldReply{{}, result};
  return reply;
}

TEST_CASE("a capture across shards waits for its leg as a transfer does, and is unknown when nobody can say") {
  Room room;
  room.committed(Index(3));
  const Needs needs{.depends_on = Index(3), .legs = {{0, other, LegNumber(9), true}}};
  SECTION("told with its success") {
    const auto ticket = room.admit_reply(capture_reply(Outcome::pending), needs);
    REQUIRE(room.answered().empty());
    room.leg_continued(other, LegNumber(9), LegNumber(10));
    room.leg_answered(other, answer_of(10, Outcome::success), Index(7));
    const std::vector<Answer> answers = room.take_ready();
    REQUIRE(answers.size() == 1);
    REQUIRE(answers[0].caller.id == ticket);
    REQUIRE(answers[0].reply.status == Outcome::success);
    const router::TransferResult& result = std::get<router::CaptureHoldReply>(answers[0].reply.body).result;
    REQUIRE(result.outcome == Outcome::success);
    REQUIRE(result.target_position == Position(77));
  }
  SECTION("told of its refusal once that has committed") {
    room.admit_reply(capture_reply(Outcome::pending), needs);
    room.leg_answered(other, answer_of(9, Outcome::account_frozen), Index(7));
    REQUIRE(room.answered().empty());
    room.committed(Index(7));
    const std::vector<Answer> answers = room.take_ready();
    REQUIRE(answers.size() == 1);
    REQUIRE(std::get<router::CaptureHoldReply>(answers[0].reply.body).result.outcome == Outcome::account_frozen);
  }
  SECTION("unknown when leadership is lost, or patience ends") {
    room.admit_reply(capture_reply(Outcome::pending), needs, Instant{50});
    room.admit_reply(capture_reply(Outcome::success), {.depends_on = Index(4), .legs = {}});
    room.expire(Instant{50});
    room.abandon();
    const std::vector<Answer> answers = room.take_ready();
    REQUIRE(answers.size() == 2);
    for (const Answer& answer : answers) {
      REQUIRE(answer.reply.status == Outcome::unknown);
      REQUIRE(answer.reply.body.index() == 0);
    }
  }
}

TEST_CASE("a batch is told when its last leg is answered, whichever leg that is") {
  Room room;
  room.committed(Index(1));
  const auto ticket = room.admit_reply(
      transfers_reply({Outcome::pending, Outcome::pending, Outcome::pending}),
      {.depends_on = Index(1),
       .legs = {{0, other, LegNumber(1), true}, {1, ShardId(3), LegNumber(1), true}, {2, other, LegNumber(1), false}}});
  room.leg_answered(ShardId(3), answer_of(1, Outcome::success), Index(2));
  REQUIRE(room.answered().empty());
  room.leg_answered(other, answer_of(1, Outcome::success), Index(3));
  REQUIRE(room.answered().empty());
  room.committed(Index(3));
  REQUIRE(room.answered() == Callers{ticket});
}

TEST_CASE("an answer to another leg tells nobody") {
  Room room;
  room.committed(Index(1));
  room.admit_reply(transfers_reply({Outcome::pending}),
                   {.depends_on = Index(1), .legs = {{0, other, LegNumber(2), true}}});
  room.leg_answered(other, answer_of(1, Outcome::success), Index(1));
  room.leg_answered(ShardId(3), answer_of(2, Outcome::success), Index(1));
  REQUIRE(room.answered().empty());
}

TEST_CASE("when leadership is lost, what is not certain is unknown and reads are asked elsewhere") {
  Room room;
  room.committed(Index(3));
  room.admit_reply(transfers_reply({Outcome::success, Outcome::account_not_found}),
                   {.depends_on = Index(4), .legs = {}});
  room.admit_reply(transfers_reply({Outcome::success, Outcome::pending}),
                   {.depends_on = Index(3), .legs = {{1, other, LegNumber(1), true}}});
  room.admit_reply(transfers_reply({Outcome::success}), {.depends_on = Index(3), .round = true, .legs = {}});
  room.admit_reply(balance_reply(), {.depends_on = Index(3), .round = true, .legs = {}});
  router::Reply opening;
  opening.kind = router::RequestKind::open_account;
  opening.body = router::OpenAccountReply{false, Position(4)};
  room.admit_reply(opening, {.depends_on = Index(4), .legs = {}});
  router::Reply freezing;
  freezing.kind = router::RequestKind::change_account;
  freezing.body = router::ChangeAccountReply{false, Position(4)};
  room.admit_reply(freezing, {.depends_on = Index(4), .legs = {}});
  router::Reply state;
  state.kind = router::RequestKind::account;
  state.body = router::AccountReply{router::AccountState::open, Position(4), Stamp{6}};
  room.admit_reply(state, {.depends_on = Index(4), .round = true, .legs = {}});
  room.abandon();

  const std::vector<Answer> answers = room.take_ready();
  REQUIRE(answers.size() == 7);
  for (const router::TransferResult& result : results_of(answers[0])) {
    REQUIRE(result.outcome == Outcome::unknown);
    REQUIRE(result.position == Position(0));
  }
  REQUIRE(results_of(answers[1])[0].outcome == Outcome::success);  // committed: it stays
  REQUIRE(results_of(answers[1])[1].outcome == Outcome::unknown);
  REQUIRE(results_of(answers[2])[0].outcome == Outcome::unknown);
  REQUIRE(answers[3].reply.status == Outcome::not_leader);
  REQUIRE(answers[3].reply.body.index() == 0);
  REQUIRE(answers[4].reply.status == Outcome::unknown);
  REQUIRE(answers[4].reply.body.index() == 0);
  REQUIRE(answers[5].reply.status == Outcome::unknown);
  REQUIRE(answers[5].reply.body.index() == 0);
  REQUIRE(answers[6].reply.status == Outcome::not_leader);
  REQUIRE(room.size() == 0);
  REQUIRE(room.wake_at() == never);

  room.committed(Index(9));
  room.leg_answered(other, answer_of(1, Outcome::success), Index(9));
  REQUIRE(room.answered().empty());
}

TEST_CASE("a caller whose patience ends is told, the others go on waiting") {
  Room room;
  room.committed(Index(1));
  const auto hasty = room.admit_reply(transfers_reply({Outcome::pending}),
                                      {.depends_on = Index(1), .legs = {{0, other, LegNumber(1), true}}}, Instant{10});
  const auto patient =
      room.admit_reply(transfers_reply({Outcome::pending}),
                       {.depends_on = Index(1), .legs = {{0, other, LegNumber(1), false}}}, Instant{20});
  REQUIRE(room.wake_at() == Instant{10});
  room.expire(Instant{9});
  REQUIRE(room.answered().empty());
  room.expire(Instant{10});
  const std::vector<Answer> answers = room.take_ready();
  REQUIRE(answers.size() == 1);
  REQUIRE(answers[0].caller.id == hasty);
  REQUIRE(results_of(answers[0])[0].outcome == Outcome::unknown);
  REQUIRE(room.wake_at() == Instant{20});

  room.leg_answered(other, answer_of(1, Outcome::success), Index(2));
  room.committed(Index(2));
  REQUIRE(room.answered() == Callers{patient});
}

TEST_CASE("the same item may wait for the same leg as original and as duplicate") {
  Room room;
  room.committed(Index(1));
  const auto ticket = room.admit_reply(
      transfers_reply({Outcome::pending, Outcome::pending}),
      {.depends_on = Index(1), .legs = {{0, other, LegNumber(1), true}, {1, other, LegNumber(1), false}}}, Instant{10});
  room.expire(Instant{10});
  REQUIRE(room.answered() == Callers{ticket});
  room.leg_answered(other, answer_of(1, Outcome::success), Index(2));  // nobody waits any more
  room.committed(Index(2));
  REQUIRE(room.answered().empty());
}

TEST_CASE("property: everyone is told exactly once, and never before all its needs are met") {
  REQUIRE(rc::check("property: told once, not early", [] {
    Room room;
    struct Asked {
      std::uint64_t depends_on;
      bool round;
      bool leg;
    };
    const auto asked = *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 40));
    std::map<std::uint64_t, Asked> open;
    std::set<std::uint64_t> legs_answered;
    std::set<std::uint64_t> rounds;
    std::uint64_t committed = 0;
    const auto settle = [&] {
      for (const std::uint64_t ticket : room.answered()) {
        RC_ASSERT(open.contains(ticket));
        const Asked& one = open.at(ticket);
        RC_ASSERT(one.depends_on <= committed);
        RC_ASSERT(!one.round || rounds.contains(ticket));
        RC_ASSERT(!one.leg || legs_answered.contains(ticket));
        open.erase(ticket);
      }
    };
    for (const int what : asked) {
      const auto latest = room.next_ticket();
      const Asked one{committed + static_cast<std::uint64_t>(what % 3), (what & 4) != 0, (what & 8) != 0};
      open[latest] = one;
      Needs needs{.depends_on = Index(one.depends_on), .round = one.round, .legs = {}};
      if (one.leg) needs.legs.push_back({0, other, LegNumber(latest), true});
      room.admit(latest, caller_of(latest), transfers_reply({one.leg ? Outcome::pending : Outcome::success}), needs,
                 late);
      settle();
      const auto chosen = *rc::gen::inRange<std::uint64_t>(1, latest + 1);
      switch (*rc::gen::inRange(0, 3)) {
        case 0:
          room.committed(Index(++committed));
          break;
        case 1:
          rounds.insert(chosen);
          room.round_confirmed(chosen);
          break;
        default:
          legs_answered.insert(chosen);
          room.leg_answered(other, answer_of(chosen, Outcome::success), Index(committed));
      }
      settle();
    }
    RC_ASSERT(room.size() == open.size());
    room.abandon();
    RC_ASSERT(room.answered().size() == open.size());
  }));
}

}  // namespace
}  // namespace coffer::shard
