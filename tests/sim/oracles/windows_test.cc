// What O-L8 says of ids that carry their own time: a breach planted in each rule of decision 12 is caught.
#include <catch2/catch.hpp>

#include "core/base/uuid_time.h"
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
constexpr std::uint64_t begin_ms = 1'700'000'000'000;  // of the story's stamps
constexpr Duration window = seconds(10);
constexpr Duration grace = seconds(2);

Story timed_story() {
  Story story("O-L8", window, grace);
  story.set_up();
  return story;
}

TransferId timed_id(std::uint8_t number, std::int64_t ms) {
  return uuid_made_at(begin_ms + static_cast<std::uint64_t>(ms), id_of(number));
}

router::TransferItem timed_item(std::uint8_t number, std::int64_t ms) {
  router::TransferItem item = transfer_item(number, "a", "c", 5);
  item.id = timed_id(number, ms);
  return item;
}

/// The window of s1 as the story moves it.
struct Mover {
  Story& story;
  ledger::IdWindow stands = {};

  /// Ids up to this millisecond of the story pass, and rows before `first` are forgotten.
  void to(std::int64_t ms, std::uint64_t first) {
    const ledger::IdWindow after{begin_ms + static_cast<std::uint64_t>(ms), first};
    story.commit(s1, {ledger::WindowMoved{stands, after}});
    stands = after;
  }
};

Position bind(Story& story, std::uint8_t number, std::int64_t ms) {
  return story.commit(s1, {story.local(timed_item(number, ms), Outcome::success, home_a, first, second)});
}

}  // namespace

TEST_CASE("O-L8 catches a window that moves before its time, backwards, or from elsewhere") {
  Story story = timed_story();
  Mover window_of{story};
  window_of.to(-10'000, 0);
  REQUIRE(story.reasons().empty());
  SECTION("before its time") {
    story.wait(seconds(5));
    window_of.to(-4'900, 0);
    CHECK(told_of(story.reasons(), {"lets ids up to 1699999995100 ms pass"}));
  }
  SECTION("in time") {
    story.wait(seconds(5));
    window_of.to(-5'000, 0);
    CHECK(story.end().empty());
  }
  SECTION("backwards") {
    window_of.stands.passed_ms -= 1;
    window_of.to(-9'999, 0);
    CHECK(told_of(story.reasons(), {"moves the window of ids from where it does not stand"}));
  }
}

TEST_CASE("O-L8 catches a window where ids have none") {
  Story story("O-L8");
  story.set_up();
  Mover{story}.to(-10'000, 0);
  CHECK(told_of(story.reasons(), {"lets ids up to"}));
}

TEST_CASE("O-L8 catches an id that is bound when it has passed") {
  Story story = timed_story();
  Mover{story}.to(-10'000, 0);
  SECTION("one that has not") {
    bind(story, 9, -9'999);
    CHECK(story.end().empty());
  }
  SECTION("by a transfer") {
    bind(story, 9, -10'000);
    CHECK(told_of(story.reasons(), {"binds the id", "which had passed"}));
  }
  SECTION("by a change of an account") {
    ledger::AccountChanged change = story.account_changed(9, ledger::Operation::freeze, ledger::AccountState::open);
    change.id = timed_id(9, -10'000);
    story.commit(s1, {change});
    CHECK(told_of(story.reasons(), {"binds the id", "which had passed"}));
  }
  SECTION("by a hold") {
    ledger::HoldPlaced hold = story.hold_placed(9, 5);
    hold.decided.id = timed_id(9, -10'000);
    story.commit(s1, {hold});
    CHECK(told_of(story.reasons(), {"binds the id", "which had passed"}));
  }
}

TEST_CASE("O-L8 catches a row that is forgotten too early") {
  Story story = timed_story();
  Mover window_of{story};
  window_of.to(-10'000, 0);
  bind(story, 9, 0);
  bind(story, 10, 1'000);
  story.wait(seconds(13));
  SECTION("in time") {
    window_of.to(2'000, 1);
    CHECK(story.end().empty());
  }
  SECTION("within its grace") {
    window_of.to(2'000, 2);
    CHECK(told_of(story.reasons(), {"within its grace of 2000 ms"}));
  }
  SECTION("rows that are not there") {
    window_of.to(3'000, 3);
    CHECK(told_of(story.reasons(), {"forgets rows that were never bound"}));
  }
}

TEST_CASE("O-L8 catches a row that is forgotten while its transfer is running") {
  Story story = timed_story();
  Mover window_of{story};
  window_of.to(-10'000, 0);
  const bool asks = GENERATE(false, true);
  ledger::Decided decided = coffer::sim::oracles::decided(timed_item(9, 0), Outcome::pending, home_a, first, transit);
  if (asks) {
    story.commit(s1, {ledger::TryStarted{decided, s2, LegNumber(1), "b"}});
  } else {
    story.commit(s1, {ledger::LegStarted{decided, s2, LegNumber(1), "b"}});
  }
  story.wait(seconds(20));
  window_of.to(3'000, 0);
  REQUIRE(story.reasons().empty());
  CHECK(story.oracle().sometimes().contains("id_kept_while_running"));
  window_of.to(4'000, 1);
  CHECK(told_of(story.reasons(), {"forgets an id whose transfer is still running"}));
}

TEST_CASE("O-L8 catches a client who is told that an id has expired, and the log does not say so") {
  Story story = timed_story();
  Mover{story}.to(-10'000, 0);
  const bool has_passed = GENERATE(false, true);
  const std::uint64_t op = story.ask(timed_item(9, has_passed ? -10'000 : -9'999));
  story.answer(op, story.result(s1, Position(), Outcome::id_expired));
  CHECK(story.reasons().empty() == has_passed);
  const std::uint64_t other = story.ask(transfer_item(10, "a", "c", 5));
  story.answer(other, story.result(s1, Position(), Outcome::id_expired));
  CHECK(told_of(story.reasons(), {"was told 'id-expired', and the committed log of s1 did not say so"}));
}

TEST_CASE("the oracles' fold of ids that are forgotten is the state that the wallet exports") {
  using namespace coffer::txn::testing;
  constexpr ShardId shard{1};
  const std::string payer = name_on(1, 2, "payer");
  const std::string payee = name_on(2, 2, "payee");
  for (const ledger::Protocol protocol : {ledger::Protocol::saga, ledger::Protocol::tcc}) {
    txn::StateMachine state(shard);
    StateRows rows = empty_state(shard);
    std::int64_t ms = 0;
    const auto entry = [&](auto&& work) {
      const Stamp stamp{(static_cast<std::int64_t>(begin_ms) + ms) * 1'000'000};
      ms += 100;
      const txn::IdRules rules{milliseconds(1000), milliseconds(200),
                               txn::IdRules::Bounds{{stamp.nanos}, {stamp.nanos}}};
      txn::Batch batch(state, stamp, protocol, rules);
      if (!state.is_founded()) batch.found(shard, slots_of(1, 2));
      batch.move_window();
      work(batch);
      const auto read = decode_entry(batch.finish());
      REQUIRE(read.has_value());
      fold(*read, rows);
      Bytes bytes;
      state.export_state(bytes);
      const std::optional<StateRows> told = decode_state(bytes);
      REQUIRE(told.has_value());
      CHECK(told->passed_ms == rows.passed_ms);
      CHECK(told->first_windowed == rows.first_windowed);
      CHECK(told->dedup == rows.dedup);
      CHECK(told->windowed == rows.windowed);
      CHECK(told->outgoing == rows.outgoing);
    };
    entry([&](txn::Batch& batch) {
      bool already = false;
      batch.open_account({default_tenant, PrincipalId(), payer, coffer::txn::testing::usd}, already);
    });
    for (std::uint8_t i = 1; i < 60; ++i) {
      entry([&](txn::Batch& batch) {
        ledger::TransferCommand command = deposit_of(i, payer, 10);
        if (i % 7 == 3) command = transfer_of(i, payer, payee, 1, coffer::txn::testing::usd, ShardId(2));
        command.id = i % 5 == 4 ? coffer::txn::testing::id_of(i) : timed_id(i, ms - 100);
        batch.transfer(command);
        const LegNumber next = state.first_unanswered(ShardId(2));
        if (i % 7 != 6 || next == state.next_leg(ShardId(2))) return;
        const txn::LegRequest leg = state.leg(ShardId(2), next);
        const Outcome outcome = i % 2 == 0 || leg.tried != LegNumber() ? Outcome::success : Outcome::account_closed;
        batch.answer_leg(ShardId(2), {next, leg.id, outcome, Position(i), leg.source_stamp});
      });
    }
    CHECK(rows.first_windowed > 10);
    CHECK(rows.dedup.size() > 5);
  }
}
