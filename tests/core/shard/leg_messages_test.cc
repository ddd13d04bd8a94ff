#include "core/shard/leg_messages.h"

#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <rapidcheck.h>

#include "core/raft/messages.h"
#include "tests/core/router/generators.h"

namespace coffer::shard {
namespace {

using ledger::LegStep;
using router::arbitrary_account;
using router::arbitrary_currency;
using router::arbitrary_uuid;

template <class Message>
Bytes encoded(const Message& message) {
  Bytes bytes;
  ByteWriter out(bytes);
  encode(message, out);
  return bytes;
}

/// Whether the bytes are a legs message.
bool is_legs(ByteView bytes) {
  ByteReader in(bytes);
  decode_legs(in);
  return in.done();
}

bool is_answers(ByteView bytes) {
  ByteReader in(bytes);
  decode_leg_answers(in);
  return in.done();
}

txn::LegRequest leg_of(std::uint64_t number) {
  txn::LegRequest leg;
  leg.number = LegNumber(number);
  leg.source_position = Position(7);
  leg.source_stamp = Stamp{8};
  leg.amount = {9, currency_of("USD")};
  leg.credit_account = "bob";
  return leg;
}

LegsMessage legs_of(std::uint64_t freed_through, const std::vector<std::uint64_t>& numbers) {
  LegsMessage message{ShardId(1), ShardId(2), LegNumber(freed_through), {}};
  for (const std::uint64_t number : numbers) message.legs.push_back(leg_of(number));
  return message;
}

LegAnswersMessage answers_of(Outcome outcome) {
  txn::LegAnswer answer;
  answer.number = LegNumber(1);
  answer.outcome = outcome;
  return {ShardId(1), ShardId(2), {answer}};
}

TEST_CASE("property: legs are read back as they were written") {
  REQUIRE(rc::check("property: decode(encode(legs)) = legs", [] {
    std::vector<std::string> names;
    LegsMessage message;
    message.source = ShardId(*rc::gen::arbitrary<std::uint32_t>());
    message.target = ShardId(*rc::gen::arbitrary<std::uint32_t>());
    std::uint64_t number = *rc::gen::inRange<std::uint64_t>(0, 1000);
    message.freed_through = LegNumber(number);
    const auto count = *rc::gen::inRange<std::size_t>(0, 20);
    for (std::size_t i = 0; i < count; ++i) names.push_back(arbitrary_account());
    for (const std::string& name : names) {
      number += *rc::gen::inRange<std::uint64_t>(1, 3);
      txn::LegRequest leg = leg_of(number);
      leg.tenant = TenantId(*rc::gen::arbitrary<std::uint32_t>());
      leg.id = arbitrary_uuid();
      leg.source_position = Position(*rc::gen::inRange<std::uint64_t>(0, raft::number_max));
      leg.source_stamp = Stamp{*rc::gen::inRange<std::int64_t>(0, stamp_max)};
      leg.amount = {*rc::gen::inRange<std::int64_t>(1, INT64_MAX), arbitrary_currency()};
      leg.credit_account = name;
      leg.step = static_cast<LegStep>(*rc::gen::inRange<int>(1, static_cast<int>(ledger::last_leg_step) + 1));
      const bool is_second = ledger::second_phase_of(leg.step) != ledger::SecondPhase::none;
      if (is_second) leg.tried = LegNumber(*rc::gen::inRange<std::uint64_t>(0, number - 1) + 1);
      if (is_second && number == 1) leg.step = LegStep::credit;  // there is no leg before it
      if (leg.step == LegStep::credit) leg.tried = {};
      message.legs.push_back(leg);
    }
    const Bytes bytes = encoded(message);
    ByteReader in(bytes);
    const LegsMessage read = decode_legs(in);
    RC_ASSERT(in.done());
    RC_ASSERT(read.legs.size() == message.legs.size());
    for (std::size_t i = 0; i < count; ++i) {
      RC_ASSERT(read.legs[i].step == message.legs[i].step);
      RC_ASSERT(read.legs[i].tried == message.legs[i].tried);
    }
    RC_ASSERT(encoded(read) == bytes);
  }));
}

TEST_CASE("legs of sagas are written as they always were, others say what they ask") {
  LegsMessage message = legs_of(1, {2, 3});
  const Bytes sagas = encoded(message);
  message.legs[1].step = LegStep::confirm;
  message.legs[1].tried = LegNumber(2);
  const Bytes mixed = encoded(message);
  REQUIRE(mixed.size() == sagas.size() + 2 * 9);
  REQUIRE(Bytes(mixed.begin(), mixed.begin() + static_cast<std::ptrdiff_t>(sagas.size())) == sagas);
  REQUIRE(is_legs(mixed));
  struct Bad {
    LegStep step;
    std::uint64_t tried;
  };
  for (const Bad bad : {Bad{LegStep::confirm, 0}, Bad{LegStep::confirm, 3}, Bad{LegStep::try_credit, 2},
                        Bad{LegStep::credit, 2}, Bad{LegStep::prepare, 2}, Bad{LegStep::commit, 0},
                        Bad{LegStep::abort, 3}, Bad{static_cast<LegStep>(8), 0}, Bad{static_cast<LegStep>(0), 0}}) {
    message.legs[1].step = bad.step;
    message.legs[1].tried = LegNumber(bad.tried);
    message.legs[0].step = LegStep::try_credit;
    REQUIRE_FALSE(is_legs(encoded(message)));
  }
  Bytes needless = sagas;  // steps of nothing but credits
  for (int leg = 0; leg < 2; ++leg) {
    ByteWriter out(needless);
    out.u8(1);
    out.u64(0);
  }
  REQUIRE_FALSE(is_legs(needless));
}

TEST_CASE("property: answers are read back as they were written") {
  REQUIRE(rc::check("property: decode(encode(answers)) = answers", [] {
    LegAnswersMessage message;
    message.source = ShardId(*rc::gen::arbitrary<std::uint32_t>());
    message.target = ShardId(*rc::gen::arbitrary<std::uint32_t>());
    const auto count = *rc::gen::inRange<std::size_t>(0, 20);
    for (std::size_t i = 0; i < count; ++i) {
      txn::LegAnswer answer;
      answer.number = LegNumber(*rc::gen::inRange<std::uint64_t>(0, raft::number_max));
      answer.id = arbitrary_uuid();
      answer.outcome =
          *rc::gen::element(Outcome::success, Outcome::credit_account_not_found, Outcome::balance_overflow);
      answer.position = Position(*rc::gen::inRange<std::uint64_t>(0, raft::number_max));
      answer.stamp = Stamp{*rc::gen::inRange<std::int64_t>(0, stamp_max)};
      message.answers.push_back(answer);
    }
    const Bytes bytes = encoded(message);
    ByteReader in(bytes);
    const LegAnswersMessage read = decode_leg_answers(in);
    RC_ASSERT(in.done());
    RC_ASSERT(read.answers.size() == message.answers.size());
    RC_ASSERT(encoded(read) == bytes);
  }));
}

TEST_CASE("property: arbitrary bytes are read or refused, never read past their end") {
  REQUIRE(rc::check("property: decoding is total", [](const std::vector<std::uint8_t>& raw) {
    Bytes bytes;
    for (const std::uint8_t byte : raw) bytes.push_back(std::byte{byte});
    ByteReader legs(bytes);
    decode_legs(legs);
    ByteReader answers(bytes);
    decode_leg_answers(answers);
    RC_ASSERT(legs.position() <= bytes.size());
    RC_ASSERT(answers.position() <= bytes.size());
  }));
}

TEST_CASE("property: a message cut short or with one byte changed is read or refused") {
  REQUIRE(rc::check("property: mutants are harmless", [](std::uint8_t flip) {
    for (Bytes bytes : {encoded(legs_of(1, {2, 3, 4})), encoded(answers_of(Outcome::success))}) {
      const auto at = *rc::gen::inRange<std::size_t>(0, bytes.size());
      bytes[at] ^= std::byte{flip};
      const auto size = *rc::gen::inRange<std::size_t>(0, bytes.size());
      const ByteView cut = ByteView(bytes).first(size);
      RC_ASSERT(!is_legs(cut) || size >= 20);
      RC_ASSERT(!is_answers(cut) || size >= 12);
    }
  }));
}

TEST_CASE("legs ascend and come after what is freed") {
  REQUIRE(is_legs(encoded(legs_of(0, {1}))));
  REQUIRE(is_legs(encoded(legs_of(4, {5, 6, 7}))));
  REQUIRE_FALSE(is_legs(encoded(legs_of(5, {5, 6, 7}))));
  REQUIRE_FALSE(is_legs(encoded(legs_of(9, {5, 6, 7}))));
  REQUIRE_FALSE(is_legs(encoded(legs_of(4, {5, 5}))));
  REQUIRE_FALSE(is_legs(encoded(legs_of(4, {6, 5}))));
  REQUIRE_FALSE(is_legs(encoded(legs_of(0, {0}))));
}

TEST_CASE("a leg moves a positive amount of a known currency to a well-formed account") {
  const auto with = [](auto&& change) {
    LegsMessage message = legs_of(0, {1});
    change(message.legs.front());
    return is_legs(encoded(message));
  };
  REQUIRE(with([](txn::LegRequest&) {}));
  REQUIRE_FALSE(with([](txn::LegRequest& leg) { leg.amount.minor = 0; }));
  REQUIRE_FALSE(with([](txn::LegRequest& leg) { leg.amount.minor = -1; }));
  REQUIRE_FALSE(with([](txn::LegRequest& leg) { leg.amount.currency = Currency{1}; }));
  REQUIRE_FALSE(with([](txn::LegRequest& leg) { leg.credit_account = ""; }));
  REQUIRE_FALSE(with([](txn::LegRequest& leg) { leg.credit_account = "no spaces"; }));
  REQUIRE_FALSE(with([](txn::LegRequest& leg) { leg.source_stamp = Stamp{-1}; }));
  REQUIRE_FALSE(with([](txn::LegRequest& leg) { leg.source_stamp = Stamp{INT64_MAX}; }));
  REQUIRE_FALSE(with([](txn::LegRequest& leg) { leg.source_position = Position(UINT64_MAX); }));
}

TEST_CASE("a leg's answer is a decided outcome") {
  REQUIRE(is_answers(encoded(answers_of(Outcome::success))));
  REQUIRE(is_answers(encoded(answers_of(Outcome::credit_account_not_found))));
  for (const Outcome outcome : {Outcome::pending, Outcome::insufficient_funds, Outcome::account_not_found,
                                Outcome::not_leader, Outcome::unknown, static_cast<Outcome>(255)}) {
    CAPTURE(static_cast<int>(outcome));
    REQUIRE_FALSE(is_answers(encoded(answers_of(outcome))));
  }
}

TEST_CASE("a count beyond the limit is refused before anything is reserved for it") {
  Bytes bytes = encoded(legs_of(0, {}));
  ByteWriter(bytes).patch_u32(bytes.size() - 4, static_cast<std::uint32_t>(legs_per_message_max + 1));
  REQUIRE_FALSE(is_legs(bytes));
  LegAnswersMessage answers = answers_of(Outcome::success);
  answers.answers.resize(legs_per_message_max + 1, answers.answers.front());
  REQUIRE_FALSE(is_answers(encoded(answers)));
  answers.answers.pop_back();
  REQUIRE(is_answers(encoded(answers)));
}

}  // namespace
}  // namespace coffer::shard
