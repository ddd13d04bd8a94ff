// What O-L9 says of ids that carry a number of a source: a breach planted in each rule of decision 12, section 2, is
// caught; and the oracles read the rows of sources as the wallet writes them.
#include <catch2/catch.hpp>

#include "core/base/uuid_number.h"
#include "sim/oracles/state_decode.h"
#include "sim/oracles/state_fold.h"
#include "tests/core/txn/leader.h"
#include "tests/sim/oracles/caught.h"
#include "tests/sim/oracles/story.h"

using namespace coffer;
using namespace coffer::sim;
using namespace coffer::sim::oracles;

namespace {

constexpr AccountNumber home_a{0};
constexpr std::uint64_t gateway = 77;

Story numbered_story() {
  Story story("O-L9", {}, {}, true);
  story.set_up();
  return story;
}

router::TransferItem numbered_item(std::uint64_t number, std::uint64_t source = gateway) {
  router::TransferItem item = transfer_item(99, "a", "c", 5);
  item.id = uuid_numbered({source, number});
  return item;
}

ledger::Event opened_source(std::uint64_t source = gateway) { return ledger::SourceOpened{home_a, source}; }

Position decide(Story& story, std::uint64_t number, Outcome outcome = Outcome::success) {
  return story.commit(s1, {story.local(numbered_item(number), outcome, home_a, first, second)});
}

/// Numbers 1 to `last` are decided.
void decide_through(Story& story, std::uint64_t last) {
  story.commit(s1, {opened_source(), story.local(numbered_item(1), Outcome::success, home_a, first, second)});
  for (std::uint64_t number = 2; number <= last; ++number) decide(story, number);
}

std::uint64_t ask_status(Story& story, std::uint64_t number) {
  return story.call(router::TransferStatusRequest{uuid_numbered({gateway, number}), "a"});
}

}  // namespace

TEST_CASE("O-L9 is silent of numbers that are decided in their order, refused ones among them") {
  Story story = numbered_story();
  decide_through(story, 2);
  decide(story, 3, Outcome::insufficient_funds);
  decide(story, 4);
  CHECK(story.end().empty());
  CHECK(story.oracle().sometimes().at("number_decided") == 4);
}

TEST_CASE("O-L9 catches a number that acts twice, or before its predecessor") {
  Story story = numbered_story();
  decide_through(story, 3);
  REQUIRE(story.reasons().empty());
  SECTION("the last again") {
    decide(story, 3);
    CHECK(told_of(story.reasons(), {"decides number 3 of source 77", "it acts again"}));
  }
  SECTION("an old one again") {
    decide(story, 1);
    CHECK(told_of(story.reasons(), {"decides number 1 of source 77", "number 3 was decided before"}));
  }
  SECTION("one too far") {
    decide(story, 5);
    CHECK(told_of(story.reasons(), {"decides number 5 of source 77", "number 4 before it was not"}));
  }
  SECTION("another account's, another source's") {
    const router::TransferItem item = transfer_item(99, "c", "a", 5);
    router::TransferItem of_c = item;
    of_c.id = uuid_numbered({gateway, 1});
    story.commit(s1, {ledger::SourceOpened{AccountNumber(1), gateway},
                      story.local(of_c, Outcome::insufficient_funds, AccountNumber(1), second, first)});
    story.commit(s1, {opened_source(5), story.local(numbered_item(1, 5), Outcome::success, home_a, first, second)});
    CHECK(story.end().empty());
  }
}

TEST_CASE("O-L9 catches a number that is decided while the one before is under way") {
  Story story = numbered_story();
  decide_through(story, 1);
  const auto begin = [&](std::uint64_t number) {
    return coffer::sim::oracles::decided(numbered_item(number), Outcome::pending, home_a, first, transit);
  };
  const bool asks = GENERATE(false, true);
  if (asks) {
    story.commit(s1, {ledger::TryStarted{begin(2), s2, LegNumber(1), "b"}});
  } else {
    story.commit(s1, {ledger::LegStarted{begin(2), s2, LegNumber(1), "b"}});
  }
  SECTION("at once") {
    decide(story, 3);
    CHECK(told_of(story.reasons(), {"decides number 3 of source 77 while the one before is under way"}));
  }
  SECTION("when all has ended") {
    const TransferId id = uuid_numbered({gateway, 2});
    const Money amount{5, usd};
    if (asks) {
      story.commit(s1, {ledger::SecondStarted{Outcome::success, s2, LegNumber(1), LegNumber(2), id, first, transit,
                                              amount, Position(9), Stamp{9}}});
      story.commit(s1, {ledger::SecondEnded{ledger::SecondPhase::confirm, s2, LegNumber(2), id, first, transit, amount,
                                            Position(9), Stamp{9}}});
    } else {
      story.commit(s1, {ledger::LegAnswered{Outcome::success, s2, LegNumber(1), id, first, transit, amount, Position(9),
                                            Stamp{9}}});
    }
    decide(story, 3);
    CHECK(story.end().empty());
  }
}

TEST_CASE("O-L9 catches numbers given to what is no transfer, and leaves captures alone") {
  Story story = numbered_story();
  SECTION("a hold") {
    ledger::HoldPlaced hold = story.hold_placed(9, 5);
    hold.decided.id = uuid_numbered({gateway, 1});
    story.commit(s1, {hold});
    CHECK(told_of(story.reasons(), {"gives number 1 of source 77 to what is no transfer"}));
  }
  SECTION("a change of an account") {
    ledger::AccountChanged change = story.account_changed(9, ledger::Operation::freeze, ledger::AccountState::open);
    change.id = uuid_numbered({gateway, 1});
    story.commit(s1, {change});
    CHECK(told_of(story.reasons(), {"gives number 1 of source 77 to what is no transfer"}));
  }
  SECTION("a capture, whose id is of version 8 too") {
    REQUIRE(numbered_as(capture_of(9)).has_value());
    story.place_hold(9, 50);
    story.capture_hold(0, 9, 20);
    CHECK(story.end().empty());
  }
}

TEST_CASE("O-L9 catches sources where ids are not numbered, and the same one twice") {
  const bool numbered_ids = GENERATE(false, true);
  Story story("O-L9", {}, {}, numbered_ids);
  story.set_up();
  story.commit(s1, {opened_source()});
  CHECK(story.reasons().empty() == numbered_ids);
  story.commit(s1, {opened_source()});
  CHECK(told_of(story.reasons(), {"opens source 77 again"}));
}

TEST_CASE("O-L9 leaves ids of version 8 alone where ids are not numbered") {
  Story story("O-L9");
  story.set_up();
  decide(story, 9);
  decide(story, 3);
  CHECK(story.end().empty());
}

TEST_CASE("O-L9 holds a gap that is told against what was decided when it was asked and when it was told") {
  Story story = numbered_story();
  decide_through(story, 2);
  const std::uint64_t op = story.ask(numbered_item(6));
  decide(story, 3);
  router::TransferResult gap = story.result(s1, Position(), Outcome::id_gap);
  SECTION("as it was, and as it is") {
    gap.position = Position(GENERATE(3u, 4u));
    story.answer(op, gap);
    CHECK(story.end().empty());
    CHECK(story.oracle().sometimes().at("id_gap") == 1);
  }
  SECTION("a number that had been decided") {
    gap.position = Position(2);
    story.answer(op, gap);
    CHECK(told_of(story.reasons(), {"was told 'id-gap' with number 2 expected", "the last decided was 2 when it was"}));
  }
  SECTION("a number beyond the next") {
    gap.position = Position(5);
    story.answer(op, gap);
    CHECK(told_of(story.reasons(), {"was told 'id-gap' with number 5 expected", "and 3 when it was told"}));
  }
  SECTION("the very number") {
    const std::uint64_t next = story.ask(numbered_item(4));
    gap.position = Position(4);
    story.answer(next, gap);
    CHECK(told_of(story.reasons(), {"was told 'id-gap' with number 4 expected before number 4"}));
  }
  SECTION("an id without a number") {
    const std::uint64_t other = story.ask(transfer_item(10, "a", "c", 5));
    story.answer(other, gap);
    CHECK(told_of(story.reasons(), {"was told 'id-gap', and carries no number"}));
  }
}

TEST_CASE("O-L9 catches a number that is told as expired before a later one was decided") {
  Story story = numbered_story();
  decide_through(story, 2);
  const std::uint64_t number = GENERATE(1u, 2u, 3u);
  const std::uint64_t op = story.ask(numbered_item(number));
  story.answer(op, story.result(s1, Position(), Outcome::id_expired));
  CHECK(story.reasons().empty() == (number == 1));
}

TEST_CASE("O-L9 catches the status of a number that was decided and is not found") {
  Story story = numbered_story();
  decide_through(story, 2);
  const std::uint64_t number = GENERATE(1u, 2u, 3u);
  story.answer(ask_status(story, number), Outcome::transfer_not_found);
  CHECK(story.reasons().empty() == (number == 3));
}

TEST_CASE("O-L9 catches transfers that are refused because their ids are numbers, and ids that nobody numbers") {
  const bool numbered_ids = GENERATE(true, false);
  Story story("O-L9", {}, {}, numbered_ids);
  story.set_up();
  SECTION("a transfer") {
    const std::uint64_t op = story.ask(numbered_item(1));
    story.answer(op, story.result(s1, Position(), Outcome::id_is_numbered));
    CHECK(story.reasons().size() == 1);
  }
  SECTION("its status, asked with the account") {
    story.answer(ask_status(story, 1), Outcome::id_is_numbered);
    CHECK(story.reasons().size() == 1);
  }
  SECTION("a hold") {
    const TransferId id = uuid_numbered({gateway, 1});
    story.answer(story.call(router::PlaceHoldRequest{usd, 4, id, 10'000, "a"}), Outcome::id_is_numbered);
    CHECK(story.reasons().empty() == numbered_ids);
  }
}

TEST_CASE("the oracles' fold of sources is the state that the wallet exports") {
  using namespace coffer::txn::testing;
  constexpr ShardId shard{1};
  const std::string payer = name_on(1, 2, "payer");
  const std::string payee = name_on(2, 2, "payee");
  for (const ledger::Protocol protocol : {ledger::Protocol::saga, ledger::Protocol::tcc}) {
    txn::StateMachine state(shard);
    StateRows rows = empty_state(shard);
    const auto entry = [&](auto&& work) {
      txn::IdRules rules;
      rules.numbered = true;
      txn::Batch batch(state, Stamp{state.last_stamp().nanos + 100}, protocol, rules);
      if (!state.is_founded()) batch.found(shard, slots_of(1, 2));
      work(batch);
      if (batch.events() == 0) return;
      const auto read = decode_entry(batch.finish());
      REQUIRE(read.has_value());
      fold(*read, rows);
      Bytes bytes;
      state.export_state(bytes);
      const std::optional<StateRows> told = decode_state(bytes);
      REQUIRE(told.has_value());
      CHECK(told->dedup == rows.dedup);
      CHECK(told->numbered == rows.numbered);
      CHECK(told->outgoing == rows.outgoing);
    };
    entry([&](txn::Batch& batch) {
      bool already = false;
      batch.open_account({default_tenant, PrincipalId(), payer, coffer::txn::testing::usd}, already);
    });
    std::map<std::uint64_t, std::uint64_t> lasts;
    for (std::uint64_t i = 1; i < 80; ++i) {
      entry([&](txn::Batch& batch) {
        const std::uint64_t source = i % 4;
        ledger::TransferCommand command = deposit_of(i, payer, 10);
        if (i % 7 == 3) command = transfer_of(i, payer, payee, 1, coffer::txn::testing::usd, ShardId(2));
        if (i % 5 != 4) command.id = uuid_numbered({source, lasts[source] + 1});
        const txn::Decision decision = batch.transfer(command);
        const bool decided = decision.outcome == Outcome::success || decision.outcome == Outcome::pending;
        if (i % 5 != 4 && decided) ++lasts[source];
        const LegNumber next = state.first_unanswered(ShardId(2));
        if (i % 3 != 2 || next == state.next_leg(ShardId(2))) return;
        const txn::LegRequest leg = state.leg(ShardId(2), next);
        const Outcome outcome = i % 2 == 0 || leg.tried != LegNumber() ? Outcome::success : Outcome::account_closed;
        batch.answer_leg(ShardId(2), {next, leg.id, outcome, Position(i), leg.source_stamp});
      });
    }
    CHECK(rows.numbered.size() == 4);
    CHECK(lasts[1] > 5);
  }
}
