#include "core/shard/leg_sender.h"

#include <vector>

#include <catch2/catch.hpp>

#include "tests/core/txn/leader.h"

namespace coffer::shard {
namespace {

using namespace txn::testing;

constexpr Duration interval = milliseconds(300);
constexpr ShardId target(2);

Instant at_ms(std::int64_t ms) { return Instant{} + milliseconds(ms); }

/// A source shard with money, whose legs a sender sends.
struct Source {
  explicit Source(std::uint32_t in_flight_max = 4096) : sender(interval, in_flight_max) {
    shard.open(payer);
    shard.transfer(deposit_of(++ids, payer, 1'000'000));
  }

  /// Starts `count` legs; returns the last one's number.
  LegNumber start(int count) {
    txn::Decision decision;
    for (int i = 0; i < count; ++i) {
      decision = shard.transfer(transfer_of(++ids, payer, payee, 1, usd, target));
      check(decision.outcome == Outcome::pending, "a transfer to another shard starts a leg");
    }
    return decision.record.leg;
  }
  /// Logs successes for `count` legs; returns the last one's number.
  LegNumber answer(int count) {
    LegNumber number;
    for (int i = 0; i < count; ++i) {
      number = shard.state.first_unanswered(target);
      const txn::LegRequest leg = shard.state.leg(target, number);
      const bool logged = shard.answer(target, {number, leg.id, Outcome::success, Position(1), leg.source_stamp});
      check(logged, "the first unanswered leg is answered");
    }
    return number;
  }
  /// Everything the sender has to say at that time.
  std::vector<LegsMessage> due(Instant now) {
    std::vector<LegsMessage> all;
    for (auto some = sender.due(now, shard.state); !some.empty(); some = sender.due(now, shard.state)) {
      all.insert(all.end(), some.begin(), some.end());
    }
    return all;
  }
  /// The numbers of all legs sent at that time.
  std::vector<std::uint64_t> sent(Instant now) {
    std::vector<std::uint64_t> numbers;
    for (const LegsMessage& message : due(now)) {
      for (const txn::LegRequest& leg : message.legs) numbers.push_back(leg.number.value);
    }
    return numbers;
  }

  const std::string payer = name_on(1, 2, "payer");
  const std::string payee = name_on(2, 2, "payee");
  std::uint64_t ids = 0;
  Leader shard{1, 2};
  LegSender sender;
};

using Numbers = std::vector<std::uint64_t>;

TEST_CASE("a leg is sent only after its entry has committed (design 7)") {
  Source source;
  source.sender.start(source.shard.state);
  const LegNumber last = source.start(2);
  REQUIRE(source.sent(at_ms(0)).empty());
  REQUIRE(source.sender.wake_at() == never);
  source.sender.started_committed(target, LegNumber(1));
  REQUIRE(source.sent(at_ms(1)) == Numbers{1});
  source.sender.started_committed(target, last);
  REQUIRE(source.sent(at_ms(2)) == Numbers{2});
  REQUIRE(source.sent(at_ms(3)).empty());
}

TEST_CASE("a leg's message says who sends what to whom") {
  Source source;
  source.sender.start(source.shard.state);
  source.sender.started_committed(target, source.start(1));
  const std::vector<LegsMessage> messages = source.due(at_ms(0));
  REQUIRE(messages.size() == 1);
  REQUIRE(messages[0].source == ShardId(1));
  REQUIRE(messages[0].target == target);
  REQUIRE(messages[0].freed_through == LegNumber(0));
  REQUIRE(messages[0].legs.size() == 1);
  REQUIRE(messages[0].legs[0].credit_account == source.payee);
  REQUIRE(messages[0].legs[0].amount == Money{1, usd});
  REQUIRE(messages[0].legs[0].id == id_of(source.ids));
}

TEST_CASE("after silence all legs are sent again, from the first unanswered one (design 7)") {
  Source source;
  source.sender.start(source.shard.state);
  source.sender.started_committed(target, source.start(3));
  REQUIRE(source.sent(at_ms(0)) == Numbers{1, 2, 3});
  REQUIRE(source.sender.wake_at() == at_ms(0) + interval);
  REQUIRE(source.sent(at_ms(299)).empty());
  REQUIRE(source.sent(at_ms(300)) == Numbers{1, 2, 3});
  source.answer(1);
  REQUIRE(source.sent(at_ms(500)).empty());  // progress: the clock starts anew
  REQUIRE(source.sender.wake_at() == at_ms(500) + interval);
  REQUIRE(source.sent(at_ms(799)).empty());
  REQUIRE(source.sent(at_ms(800)) == Numbers{2, 3});
}

TEST_CASE("when all legs are answered the sender sleeps") {
  Source source;
  source.sender.start(source.shard.state);
  source.sender.started_committed(target, source.start(2));
  source.sent(at_ms(0));
  source.answer(2);
  REQUIRE(source.sent(at_ms(1000)).empty());
  REQUIRE(source.sender.wake_at() == never);
  source.sender.started_committed(target, source.start(1));
  REQUIRE(source.sent(at_ms(5000)) == Numbers{3});
  REQUIRE(source.sender.wake_at() == at_ms(5000) + interval);
}

TEST_CASE("at most a window of unanswered legs is under way") {
  Source source(3);
  source.sender.start(source.shard.state);
  source.sender.started_committed(target, source.start(5));
  REQUIRE(source.sent(at_ms(0)) == Numbers{1, 2, 3});
  REQUIRE(source.sent(at_ms(1)).empty());
  source.answer(1);
  REQUIRE(source.sent(at_ms(2)) == Numbers{4});
  source.answer(3);
  REQUIRE(source.sent(at_ms(3)) == Numbers{5});
}

TEST_CASE("a message holds a bounded number of legs") {
  Source source(10'000);
  source.sender.start(source.shard.state);
  source.sender.started_committed(target, source.start(static_cast<int>(legs_per_message_max) + 1));
  const std::vector<LegsMessage> messages = source.due(at_ms(0));
  REQUIRE(messages.size() == 2);
  REQUIRE(messages[0].legs.size() == legs_per_message_max);
  REQUIRE(messages[1].legs.size() == 1);
}

TEST_CASE("a new leader resumes every leg its log leaves unanswered (design 7)") {
  Source source;
  source.start(4);
  source.answer(1);
  const auto resumed = source.sender.start(source.shard.state);
  REQUIRE(resumed == std::map<ShardId, std::uint64_t>{{target, 3}});
  const std::vector<LegsMessage> messages = source.due(at_ms(0));
  REQUIRE(messages.size() == 1);
  REQUIRE(messages[0].freed_through == LegNumber(1));
  REQUIRE(messages[0].legs.front().number == LegNumber(2));
  REQUIRE(messages[0].legs.back().number == LegNumber(4));
}

TEST_CASE("a new leader with nothing unanswered resumes nothing") {
  Source source;
  source.start(2);
  source.answer(2);
  REQUIRE(source.sender.start(source.shard.state).empty());
  REQUIRE(source.sent(at_ms(0)).empty());
  REQUIRE(source.sender.wake_at() == never);
}

TEST_CASE("the target may free an outcome only after its answer has committed here (design 7)") {
  Source source;
  source.sender.start(source.shard.state);
  source.sender.started_committed(target, source.start(3));
  source.sent(at_ms(0));
  const LegNumber answered = source.answer(2);  // logged, not committed
  source.sent(at_ms(1));
  std::vector<LegsMessage> again = source.due(at_ms(301));
  REQUIRE(again.size() == 1);
  REQUIRE(again[0].legs.front().number == LegNumber(3));
  REQUIRE(again[0].freed_through == LegNumber(0));
  source.sender.answered_committed(target, answered);
  again = source.due(at_ms(601));
  REQUIRE(again.size() == 1);
  REQUIRE(again[0].freed_through == answered);
}

TEST_CASE("a leader that stepped down sends nothing") {
  Source source;
  source.sender.start(source.shard.state);
  source.sender.started_committed(target, source.start(2));
  source.sender.stop();
  REQUIRE(source.sent(at_ms(1000)).empty());
  REQUIRE(source.sender.wake_at() == never);
}

}  // namespace
}  // namespace coffer::shard
