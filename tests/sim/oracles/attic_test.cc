// O-L10 on made-up stories: what it is silent of, and what it catches.
#include <string>

#include <catch2/catch.hpp>

#include "core/base/money.h"
#include "core/ledger/events.h"
#include "tests/sim/oracles/story.h"

using namespace coffer;
using namespace coffer::sim;
using namespace coffer::sim::oracles;

namespace {

constexpr AccountNumber home_a{0};

/// Accounts, an attic, and transfers 10 to 13 of 1 each from a to c; told.
Story with_transfers() {
  Story story("O-L10");
  story.set_up();
  story.commit(s1, {ledger::RowsLeft{true, 0, 0}});
  for (std::uint8_t id = 10; id < 14; ++id) story.transfer_within(id, 1);
  return story;
}

Position bind_again(Story& story, std::uint8_t id) {
  return story.commit(s1, {story.local(transfer_item(id, "a", "c", 1), Outcome::success, home_a, first, second)});
}

}  // namespace

TEST_CASE("O-L10 is silent while rows leave from the front, and old ids are told what the log says") {
  Story story("O-L10");
  story.set_up();
  story.commit(s1, {ledger::RowsLeft{true, 0, 0}});
  const Position ten = bind_again(story, 10);
  bind_again(story, 11);
  story.commit(s1, {ledger::RowsLeft{false, 0, 1}});
  router::TransferResult told = story.result(s1, ten);
  told.replayed = true;
  story.answer(story.ask(transfer_item(10, "a", "c", 1)), told);
  story.answer(story.ask(transfer_item(10, "a", "c", 2)), Outcome::idempotency_payload_mismatch);
  CHECK(story.end().empty());
  CHECK(story.oracle().sometimes().at("told_of_one_that_had_left") == 1);
}

TEST_CASE("O-L10 catches rows that leave out of their order, twice, or before they were bound") {
  Story story = with_transfers();
  REQUIRE(story.reasons().empty());
  SECTION("not from the front") {
    story.commit(s1, {ledger::RowsLeft{false, 1, 2}});
    CHECK(story.reasons().size() == 1);
  }
  SECTION("more than there are") {
    story.commit(s1, {ledger::RowsLeft{false, 0, 5}});
    CHECK(story.reasons().size() == 1);
  }
  SECTION("an attic that is opened again") {
    story.commit(s1, {ledger::RowsLeft{true, 0, 0}});
    CHECK(story.reasons().size() == 1);
  }
}

TEST_CASE("O-L10 catches a row that leaves while its leg is on its way") {
  Story story("O-L10");
  story.set_up();
  story.commit(s1, {ledger::RowsLeft{true, 0, 0}});
  story.start_across(20, 5);
  story.commit(s1, {ledger::RowsLeft{false, 0, 1}});
  REQUIRE(story.reasons().size() == 1);
  CHECK(story.reasons().front().find("still running") != std::string::npos);
}

TEST_CASE("O-L10 catches an id that acts again after its row has left") {
  Story story = with_transfers();
  story.commit(s1, {ledger::RowsLeft{false, 0, 2}});
  REQUIRE(story.reasons().empty());
  bind_again(story, 10);
  REQUIRE(story.reasons().size() == 1);
  CHECK(story.reasons().front().find("again") != std::string::npos);
}

TEST_CASE("O-L10 catches who is told of an id whose row has left what the log does not say") {
  Story story = with_transfers();
  story.commit(s1, {ledger::RowsLeft{false, 0, 2}});
  REQUIRE(story.reasons().empty());
  SECTION("that there is none") {
    story.answer(story.call(router::TransferStatusRequest{id_of(10), "a"}), Outcome::transfer_not_found);
    CHECK(story.reasons().size() == 1);
  }
  SECTION("that there is none, asked without its account") {
    story.answer(story.call(router::TransferStatusRequest{id_of(10), ""}), Outcome::transfer_not_found);
    CHECK(story.reasons().size() == 1);
  }
  SECTION("another place in the log") {
    story.answer(story.ask(transfer_item(10, "a", "c", 1)), story.result(s1, Position(1)));
    CHECK(story.reasons().size() == 1);
  }
  SECTION("but not who asks of one that was never bound") {
    story.answer(story.call(router::TransferStatusRequest{id_of(77), "a"}), Outcome::transfer_not_found);
    CHECK(story.reasons().empty());
  }
}
