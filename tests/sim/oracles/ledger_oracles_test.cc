#include <catch2/catch.hpp>

#include "tests/sim/oracles/caught.h"
#include "tests/sim/oracles/story.h"

using namespace coffer;
using namespace coffer::sim;
using namespace coffer::sim::oracles;

namespace {

constexpr AccountNumber home_a{0};

}  // namespace

TEST_CASE("O-L1 catches a replica whose pockets hold money that came from nowhere") {
  Story story("O-L1");
  story.set_up();
  shard::Observation replica = story.replica(s1);
  story.oracle().on_replica({}, n2, replica);
  REQUIRE(story.reasons().empty());
  replica.pockets[2].balance += 7;
  story.oracle().on_replica({}, n2, replica);
  CHECK(told_of(story.reasons(), {"s1", "node 2", "USD 7", "instead of 0"}));
}

TEST_CASE("O-L1 catches a transfer whose credit pocket does not exist") {
  Story story("O-L1");
  story.set_up();
  REQUIRE(story.reasons().empty());
  story.commit(s1, {story.local(transfer_item(3, "a", "c", 5), Outcome::success, home_a, first, PocketNumber(9))});
  CHECK(told_of(story.reasons(), {"s1", "from nowhere", "customers 995"}));
}

TEST_CASE("O-L1 catches money left in transit when all is quiet") {
  Story story("O-L1");
  story.set_up();
  story.start_across(3, 40);
  story.phase(Phase::healing);
  REQUIRE(story.reasons().empty());
  story.phase(Phase::final_reads);
  CHECK(told_of(story.end(), {"transit", "USD 40"}));
}

TEST_CASE("O-L1 catches a trial balance that is not zero, and one that is not the book's") {
  Story story("O-L1");
  story.set_up();
  story.trial_balance(s1, 1000, -1000, 0);
  REQUIRE(story.reasons().empty());
  SECTION("not zero") {
    story.trial_balance(s1, 1001, -1000, 0);
    CHECK(told_of(story.reasons(), {"trial balance", "s1", "customers 1001", "= 1"}));
  }
  SECTION("zero, and wrong") {
    story.phase(Phase::final_reads);
    story.trial_balance(s1, 900, -900, 0);
    CHECK(told_of(story.reasons(), {"final trial balance", "customers 900", "the book says", "customers 1000"}));
  }
  SECTION("of one shard only") {
    story.phase(Phase::final_reads);
    story.trial_balance(s1, 1000, -1000, 0);
    REQUIRE(story.reasons().empty());
    CHECK(told_of(story.end(), {"final trial balance", "nothing of USD in s2"}));
  }
}

TEST_CASE("O-L2 catches an entry that does not follow the grammar") {
  Story story("O-L2");
  story.set_up();
  Bytes payload =
      story.payload(s1, {story.local(transfer_item(3, "a", "c", 5), Outcome::success, home_a, first, second)});
  payload.pop_back();
  REQUIRE(story.reasons().empty());
  story.commit_bytes(s1, payload);
  CHECK(told_of(story.reasons(), {"s1", "grammar"}));
}

TEST_CASE("O-L2 catches postings that a transfer must not have") {
  Story story("O-L2");
  story.set_up();
  REQUIRE(story.reasons().empty());
  const auto commit = [&](const router::TransferItem& item, PocketNumber debit, PocketNumber credit) {
    story.commit(s1, {story.local(item, Outcome::success, home_a, debit, credit)});
    return story.reasons();
  };
  SECTION("an unknown pocket") {
    CHECK(told_of(commit(transfer_item(3, "a", "c", 5), first, PocketNumber(9)), {"s1@7", "pocket 9", "never opened"}));
  }
  SECTION("a pocket and itself") {
    CHECK(told_of(commit(transfer_item(3, "a", "a", 5), first, first), {"s1@7", "to itself"}));
  }
  SECTION("a system pocket") {
    CHECK(told_of(commit(transfer_item(3, "a", "c", 5), first, issue), {"s1@7", "wrong kinds"}));
  }
  SECTION("another currency") {
    router::TransferItem item = transfer_item(3, "a", "c", 5);
    item.currency = currency_of("JPY");
    CHECK(told_of(commit(item, first, second), {"s1@7", "JPY", "USD"}));
  }
}

TEST_CASE("O-L2 catches positions and stamps that do not go on") {
  Story story("O-L2");
  story.set_up();
  Bytes payload =
      story.payload(s1, {story.local(transfer_item(3, "a", "c", 5), Outcome::success, home_a, first, second)});
  REQUIRE(story.reasons().empty());
  SECTION("positions") {
    payload[8] = std::byte{99};
    story.commit_bytes(s1, payload);
    CHECK(told_of(story.reasons(), {"position 99", "after position 6"}));
  }
  SECTION("stamps") {
    for (std::size_t i = 16; i < 24; ++i) payload[i] = std::byte{0};
    story.commit_bytes(s1, payload);
    CHECK(told_of(story.reasons(), {"stamped 0", "not later"}));
  }
}

TEST_CASE("O-L3 catches an account below zero, in the log and in a replica") {
  Story story("O-L3");
  story.set_up();
  story.transfer_within(3, 1000);
  shard::Observation replica = story.replica(s1);
  story.oracle().on_replica({}, n2, replica);
  REQUIRE(story.reasons().empty());
  SECTION("in the log, although the entry ends above zero") {
    const router::TransferItem out = transfer_item(4, "a", "c", 1);
    const router::TransferItem in = transfer_item(5, "c", "a", 10);
    story.commit(s1, {story.local(out, Outcome::success, home_a, first, second),
                      story.local(in, Outcome::success, AccountNumber(1), second, first)});
    CHECK(told_of(story.reasons(), {"account a", "USD -1", "s1@8"}));
  }
  SECTION("in a replica") {
    replica.pockets[2].balance = -3;
    story.oracle().on_replica({}, n2, replica);
    CHECK(told_of(story.reasons(), {"account a", "USD -3", "node 2"}));
  }
}

TEST_CASE("O-L4 catches a success that left no effect") {
  Story story("O-L4");
  story.set_up();
  const std::uint64_t op = story.ask(transfer_item(3, "a", "c", 10));
  SECTION("acknowledged") {
    story.answer(op, story.result(s1, Position(7)));
    CHECK(told_of(story.end(), {"'a'", "'success'", "no effect"}));
  }
  SECTION("unknown: nothing need have happened") {
    story.answer(op, Outcome::unknown);
    CHECK(story.end().empty());
  }
}

TEST_CASE("O-L4 catches an effect that happened twice") {
  Story story("O-L4");
  story.set_up();
  story.transfer_within(3, 10);
  const ledger::Event again = story.local(transfer_item(3, "a", "c", 10), Outcome::success, home_a, first, second);
  SECTION("within a shard") {
    story.commit(s1, {again});
    CHECK(told_of(story.end(), {"took effect 2 times", "s1@7", "s1@8"}));
  }
  SECTION("within and across") {
    LegPlan plan = story.start_across(3, 10);
    story.receive(plan, Outcome::success);
    CHECK(told_of(story.end(), {"took effect 2 times"}));
  }
}

TEST_CASE("O-L4 catches a refusal that moved money all the same") {
  Story story("O-L4");
  story.set_up();
  const std::uint64_t op = story.ask(transfer_item(3, "a", "c", 10));
  const Position at =
      story.commit(s1, {story.local(transfer_item(3, "a", "c", 10), Outcome::success, home_a, first, second)});
  SECTION("a logged refusal") {
    story.answer(op, story.result(s1, at, Outcome::insufficient_funds));
    CHECK(told_of(story.end(), {"'insufficient-funds'", "took effect in s1@7"}));
  }
  SECTION("an unlogged one in the only attempt") {
    story.answer(op, Outcome::no_leader);
    CHECK(told_of(story.end(), {"refused in all 1 attempts", "took effect in s1@7"}));
  }
  SECTION("an unlogged one, and another attempt that may have moved it") {
    story.answer(op, Outcome::no_leader);
    story.answer(story.ask(transfer_item(3, "a", "c", 10)), Outcome::unknown);
    CHECK(story.end().empty());
  }
}

TEST_CASE("O-L4 catches a refusal that leaves no mark, and a decision all the same") {
  Story story("O-L4");
  story.set_up();
  const std::uint64_t op = story.ask(transfer_item(3, "a", "c", 5000));
  const auto decide = [&] {
    story.commit(
        s1, {story.local(transfer_item(3, "a", "c", 5000), Outcome::insufficient_funds, home_a, first, no_pocket)});
  };
  SECTION("in the only attempt") {
    story.answer(op, Outcome::account_not_found);
    decide();
    CHECK(told_of(story.end(), {"refused in all 1 attempts", "'account-not-found'", "was decided in s1@7"}));
  }
  SECTION("beside an attempt that may have decided it") {
    story.answer(op, Outcome::unknown);
    story.answer(story.ask(transfer_item(3, "a", "c", 5000)), Outcome::no_leader);
    decide();
    CHECK(story.end().empty());
  }
}

TEST_CASE("O-L4 catches what nobody asked for") {
  Story story("O-L4");
  story.set_up();
  SECTION("an id") {
    story.commit(s1, {story.local(transfer_item(9, "a", "c", 10), Outcome::success, home_a, first, second)});
    CHECK(told_of(story.end(), {"s1@7", "nobody asked for it"}));
  }
  SECTION("a body") {
    story.answer(story.ask(transfer_item(3, "a", "c", 10)), Outcome::unknown);
    story.commit(s1, {story.local(transfer_item(3, "a", "c", 11), Outcome::success, home_a, first, second)});
    CHECK(told_of(story.end(), {"s1@7", "a body nobody asked for"}));
  }
}

TEST_CASE("O-L4 catches final answers that are not the book's") {
  Story story("O-L4");
  story.set_up();
  story.transfer_within(3, 10);
  story.phase(Phase::final_reads);
  SECTION("a balance") {
    story.read("a", 989, s1, Position(7));
    CHECK(told_of(story.end(), {"'a'", "USD 989", "the book says 990"}));
  }
  SECTION("a status") {
    story.answer(story.call(router::TransferStatusRequest{id_of(3), "a"}), Outcome::transfer_not_found);
    CHECK(told_of(story.end(), {"'transfer-not-found'", "hold an effect"}));
  }
}

TEST_CASE("O-L4 catches outcomes that are no answers") {
  Story story("O-L4");
  story.set_up();
  const std::uint64_t op = story.ask(transfer_item(3, "a", "c", 10));
  SECTION("pending") {
    story.answer(op, story.result(s1, Position(7), Outcome::pending));
    CHECK(told_of(story.reasons(), {"'pending'"}));
  }
  SECTION("a result missing") {
    router::Reply reply;
    reply.body = router::TransfersReply{};
    story.answer(op, reply);
    CHECK(told_of(story.reasons(), {"without a result for each"}));
  }
}

TEST_CASE("O-L5 catches two answers to one id") {
  Story story("O-L5");
  story.set_up();
  story.transfer_within(3, 10);
  const std::uint64_t op = story.ask(transfer_item(3, "a", "c", 10));
  router::TransferResult again = story.result(s1, Position(7));
  SECTION("the same bytes, marked as replayed") {
    again.replayed = true;
    story.answer(op, again);
    CHECK(story.end().empty());
  }
  SECTION("another outcome") {
    again.outcome = Outcome::insufficient_funds;
    story.answer(op, again);
    CHECK(told_of(story.reasons(), {"'success' at s1@7", "later 'insufficient-funds' at s1@7"}));
  }
  SECTION("another position") {
    again.position = Position(8);
    story.answer(op, again);
    CHECK(told_of(story.reasons(), {"s1@7", "s1@8"}));
  }
}

TEST_CASE("O-L5 catches an id that answers two bodies") {
  Story story("O-L5");
  story.set_up();
  story.transfer_within(3, 10);
  const std::uint64_t op = story.ask(transfer_item(3, "a", "c", 11));
  SECTION("with a conflict, as it should") {
    story.answer(op, Outcome::idempotency_payload_mismatch);
    CHECK(story.end().empty());
  }
  SECTION("with the other body's answer") {
    story.answer(op, story.result(s1, Position(7)));
    CHECK(told_of(story.reasons(), {"answered two bodies", "USD 10", "USD 11"}));
  }
}

TEST_CASE("O-L5 catches a conflict of a body with itself, and with nothing") {
  Story story("O-L5");
  story.set_up();
  SECTION("itself") {
    story.transfer_within(3, 10);
    story.answer(story.ask(transfer_item(3, "a", "c", 10)), Outcome::idempotency_payload_mismatch);
    CHECK(told_of(story.end(), {"the very body it is bound to", "USD 10"}));
  }
  SECTION("nothing") {
    story.answer(story.ask(transfer_item(3, "a", "c", 10)), Outcome::idempotency_payload_mismatch);
    CHECK(told_of(story.end(), {"no body was ever bound"}));
  }
}

TEST_CASE("O-L5 catches an id decided twice") {
  Story story("O-L5");
  story.set_up();
  story.transfer_within(3, 5000, Outcome::insufficient_funds);
  REQUIRE(story.reasons().empty());
  story.commit(s1, {story.local(transfer_item(3, "a", "c", 5000), Outcome::insufficient_funds, home_a, first, second)});
  CHECK(told_of(story.end(), {"decided 2 times", "s1@7", "s1@8"}));
}
