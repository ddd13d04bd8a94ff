// What O-L7 and O-Q1 say of frozen and closed accounts: a breach planted in each rule is caught.
#include <catch2/catch.hpp>

#include "tests/sim/oracles/caught.h"
#include "tests/sim/oracles/story.h"

using namespace coffer;
using namespace coffer::sim;
using namespace coffer::sim::oracles;
using State = ledger::AccountState;
using Change = ledger::Operation;

namespace {

constexpr AccountNumber home_a{0};

/// Account a, with 1000, is frozen at s1@7; ids from 20 on are changes.
void freeze_a(Story& story) {
  story.set_up();
  story.change_account(20, Change::freeze, State::open);
  REQUIRE(story.reasons().empty());
}

/// Account c, which holds nothing, is closed at s1@7.
void close_c(Story& story) {
  story.set_up();
  const std::uint64_t op = story.call(router::ChangeAccountRequest{router::AccountChange::close, id_of(20), "c"});
  const Position at = story.commit(s1, {story.account_changed(20, Change::close, State::open, second)});
  router::Reply reply;
  reply.kind = router::RequestKind::change_account;
  reply.shard = s1;
  reply.body = router::ChangeAccountReply{false, at};
  story.answer(op, reply);
  REQUIRE(story.reasons().empty());
}

}  // namespace

TEST_CASE("O-L7 catches money that is taken from a frozen account, or given to it") {
  Story story("O-L7");
  freeze_a(story);
  SECTION("within a shard, from it") {
    story.commit(s1, {story.local(transfer_item(3, "a", "c", 5), Outcome::success, home_a, first, second)});
    CHECK(told_of(story.reasons(), {"s1@8 takes from account 'a'", "frozen"}));
  }
  SECTION("within a shard, to it") {
    story.commit(s1, {story.local(transfer_item(3, "c", "a", 5), Outcome::success, AccountNumber(1), second, first)});
    CHECK(told_of(story.reasons(), {"s1@8 gives to account 'a'", "frozen"}));
  }
  SECTION("by the beginning of a leg") {
    story.start_across(3, 5);
    CHECK(told_of(story.reasons(), {"s1@8 takes from account 'a'"}));
  }
  SECTION("by a Try") {
    story.try_across(3, 5);
    CHECK(told_of(story.reasons(), {"s1@8 takes from account 'a'"}));
  }
  SECTION("not once it is open again") {
    story.change_account(21, Change::unfreeze, State::frozen);
    story.transfer_within(3, 5);
    CHECK(story.end().empty());
  }
}

TEST_CASE("O-L7 catches a credit that a frozen account takes from another shard") {
  Story story("O-L7");
  story.set_up();
  const bool by_try = GENERATE(false, true);
  LegPlan plan = by_try ? story.try_across(3, 5) : story.start_across(3, 5);
  story.commit(s2, {story.account_changed(20, Change::freeze, State::open)});
  REQUIRE(story.reasons().empty());
  if (by_try) {
    story.receive_try(plan, Outcome::success);
  } else {
    story.receive(plan, Outcome::success);
  }
  CHECK(told_of(story.reasons(), {"s2@8 gives to account 'b'", "frozen"}));
}

TEST_CASE("what was promised before a freeze goes through, says O-L7") {
  Story story("O-L7");
  story.set_up();
  SECTION("compensation") {
    LegPlan plan = story.start_across(3, 40);
    story.change_account(20, Change::freeze, State::open);
    story.receive(plan, Outcome::balance_overflow);
    story.commit(s1, {story.leg_answered(plan, Outcome::balance_overflow)});
    CHECK(story.end().empty());
    CHECK(story.oracle().sometimes().at("compensation_into_frozen") == 1);
    CHECK(story.oracle().sometimes().at("frozen_between_phases") == 1);
  }
  SECTION("the Confirm of a Try") {
    LegPlan plan = story.try_across(3, 40);
    story.receive_try(plan, Outcome::success);
    const std::uint64_t op = story.call(router::ChangeAccountRequest{router::AccountChange::freeze, id_of(20), "b"});
    story.commit(s2, {story.account_changed(20, Change::freeze, State::open)});
    story.answer(op, Outcome::unknown);
    story.begin_second(plan, Outcome::success);
    story.receive_second(plan, ledger::SecondPhase::confirm);
    CHECK(story.end().empty());
    CHECK(story.oracle().sometimes().at("confirmed_into_frozen") == 1);
  }
}

TEST_CASE("O-L7 catches a refusal as frozen or closed that is not so") {
  Story story("O-L7");
  story.set_up();
  SECTION("at home") {
    story.commit(s1,
                 {story.local(transfer_item(3, "a", "c", 5), Outcome::account_frozen, home_a, no_pocket, no_pocket)});
    CHECK(told_of(story.reasons(), {"s1@7 refuses with 'account-frozen'", "'a' is open"}));
  }
  SECTION("at the target") {
    LegPlan plan = story.start_across(3, 5);
    story.receive(plan, Outcome::account_closed);
    CHECK(told_of(story.reasons(), {"s2@7 refuses with 'account-closed'", "'b' is open"}));
  }
  SECTION("closed, and it was only frozen") {
    story.change_account(20, Change::freeze, State::open);
    story.commit(s1,
                 {story.local(transfer_item(3, "a", "c", 5), Outcome::account_closed, home_a, no_pocket, no_pocket)});
    CHECK(told_of(story.reasons(), {"refuses with 'account-closed'", "'a' is frozen"}));
  }
}

TEST_CASE("O-L7 catches an account that is closed while it holds money, or has some under way") {
  Story story("O-L7");
  story.set_up();
  SECTION("a balance") {
    story.commit(s1, {story.account_changed(20, Change::close, State::open)});
    CHECK(told_of(story.reasons(), {"s1@7 closes account 'a'"}));
  }
  SECTION("a leg without its answer") {
    story.start_across(3, 1000);
    story.commit(s1, {story.account_changed(20, Change::close, State::open)});
    CHECK(told_of(story.reasons(), {"s1@8 closes account 'a'"}));
  }
  SECTION("room kept by a Try") {
    story.commit(s2, {story.local(transfer_item(4, "b", "d", 1000), Outcome::success, home_a, first, second)});
    LegPlan plan = story.try_across(3, 5);
    story.receive_try(plan, Outcome::success);
    story.commit(s2, {story.account_changed(20, Change::close, State::open)});
    CHECK(told_of(story.reasons(), {"s2@9 closes account 'b'"}));
  }
}

TEST_CASE("O-L7 catches what happens to a closed account") {
  Story story("O-L7");
  close_c(story);
  SECTION("it is opened again") {
    story.commit(s1, {story.account_changed(21, Change::unfreeze, State::closed, second)});
    CHECK(told_of(story.reasons(), {"s1@8 makes account 'c' open", "it was closed"}));
  }
  SECTION("it gets money") {
    story.commit(s1, {story.local(transfer_item(3, "a", "c", 5), Outcome::success, home_a, first, second)});
    CHECK(told_of(story.reasons(), {"gives to account 'c'", "closed"}));
    CHECK(told_of(story.reasons(), {"moves money of account 'c'"}));
  }
  SECTION("it gets another pocket") {
    story.commit(s1, {ledger::AccountOpened{ledger::PocketKind::customer, default_tenant, AccountNumber(1),
                                            PocketNumber(4), currency_of("JPY"), ShardId(0), PrincipalId(0), "c"}});
    CHECK(told_of(story.reasons(), {"s1@8 opens a pocket of account 'c'"}));
  }
}

TEST_CASE("O-L7 catches a change made twice, unasked, against its refusals, or from another state") {
  Story story("O-L7");
  SECTION("twice") {
    freeze_a(story);
    story.commit(s1, {story.account_changed(20, Change::freeze, State::frozen)});
    CHECK(told_of(story.end(), {"account 'a'", "made 2 times"}));
  }
  SECTION("unasked") {
    story.set_up();
    story.commit(s1, {story.account_changed(20, Change::freeze, State::open)});
    CHECK(told_of(story.end(), {"account 'a'", "nobody asked for it"}));
  }
  SECTION("refused") {
    story.set_up();
    const std::uint64_t op = story.call(router::ChangeAccountRequest{router::AccountChange::close, id_of(20), "c"});
    story.answer(op, Outcome::account_not_empty);
    CHECK(story.oracle().sometimes().at("close_refused") == 1);
    story.commit(s1, {story.account_changed(20, Change::close, State::open, second)});
    CHECK(told_of(story.end(), {"account 'c'", "refused in all 1 attempts"}));
  }
  SECTION("from another state") {
    freeze_a(story);
    story.commit(s1, {story.account_changed(21, Change::unfreeze, State::open)});
    CHECK(told_of(story.reasons(), {"s1@8 says that account 'a' was open", "it was frozen"}));
  }
}

TEST_CASE("O-Q1 catches a state, a change or a refusal that the book does not have") {
  Story story("O-Q1");
  freeze_a(story);
  const auto read = [&](router::AccountState state, Position position) {
    const std::uint64_t op = story.call(router::AccountRequest{"a"});
    router::Reply reply;
    reply.kind = router::RequestKind::account;
    reply.shard = s1;
    reply.body = router::AccountReply{state, position, Stamp{}};
    story.answer(op, reply);
    return story.reasons();
  };
  const auto changed = [&](std::uint8_t id, bool already, Position position) {
    const std::uint64_t op = story.call(router::ChangeAccountRequest{router::AccountChange::freeze, id_of(id), "a"});
    router::Reply reply;
    reply.kind = router::RequestKind::change_account;
    reply.shard = s1;
    reply.body = router::ChangeAccountReply{already, position};
    story.answer(op, reply);
    return story.reasons();
  };
  SECTION("another state") {
    CHECK(told_of(read(router::AccountState::open, Position(7)), {"state of account 'a'", "s1@7", "book says 2"}));
  }
  SECTION("a stale one") {
    CHECK(told_of(read(router::AccountState::open, Position(6)), {"read at s1@6", "s1@7 had been told before"}));
  }
  SECTION("a change that is not there") {
    CHECK(told_of(changed(21, true, Position(7)), {"with id", "told to stand at s1@7", "does not have it"}));
  }
  SECTION("a change told to have changed what was so before") {
    const std::uint64_t op = story.call(router::ChangeAccountRequest{router::AccountChange::freeze, id_of(21), "a"});
    const Position at = story.commit(s1, {story.account_changed(21, Change::freeze, State::frozen)});
    router::Reply reply;
    reply.kind = router::RequestKind::change_account;
    reply.shard = s1;
    reply.body = router::ChangeAccountReply{false, at};
    story.answer(op, reply);
    CHECK(told_of(story.reasons(), {"told to have changed it at s1@8"}));
  }
  SECTION("a transfer refused as frozen between open accounts") {
    story.change_account(22, Change::unfreeze, State::frozen);
    story.transfer_within(3, 5, Outcome::account_frozen);
    CHECK(told_of(story.reasons(), {"'account-frozen'", "s1@9", "neither account was so"}));
  }
}
