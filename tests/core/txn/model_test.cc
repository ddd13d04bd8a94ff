#include <array>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <rapidcheck.h>

#include "core/base/check.h"
#include "core/base/prng.h"
#include "tests/core/txn/leader.h"
#include "tests/core/txn/world.h"

namespace {

using namespace coffer;
using namespace coffer::txn;
using namespace coffer::txn::testing;

/// Runs `steps` and says which rule broke, or nothing.
template <class Last>
std::string broken_rule(std::uint32_t shards, const std::vector<std::array<std::uint8_t, 6>>& steps, Last&& last,
                        const std::vector<ledger::Protocol>& protocols = {ledger::Protocol::saga},
                        bool splits = false) {
  World world(shards, protocols);
  if (splits) world.split_often();
  try {
    for (const auto& [kind, shard, debit, credit, amount, id] : steps) {
      world.step({kind, shard, debit, credit, amount, id});
    }
    last(world);
  } catch (const CheckFailure& failure) {
    return std::string(failure.why) + " (line " + std::to_string(failure.where.line()) + ")";
  }
  return "";
}

const std::vector<ledger::Protocol> tcc = {ledger::Protocol::tcc};
const std::vector<ledger::Protocol> locking = {ledger::Protocol::two_phase_commit};
const std::vector<ledger::Protocol> mixed = {ledger::Protocol::saga, ledger::Protocol::tcc,
                                             ledger::Protocol::two_phase_commit};

std::vector<std::array<std::uint8_t, 6>> any_steps() {
  using Steps = std::vector<std::array<std::uint8_t, 6>>;
  return *rc::gen::scale(4, rc::gen::arbitrary<Steps>());
}

TEST_CASE("property: one shard answers as the reference model does, through undo and replay") {
  REQUIRE(rc::check("property: one shard = model",
                    [] { RC_ASSERT(broken_rule(1, any_steps(), [](World& world) { world.settle(); }) == ""); }));
}

TEST_CASE("property: three shards exchange legs as the reference model says, and transit is zero once quiet") {
  REQUIRE(rc::check("property: three shards = model",
                    [] { RC_ASSERT(broken_rule(3, any_steps(), [](World& world) { world.settle(); }) == ""); }));
}

TEST_CASE("property: undo to any entry gives the state of then, and folding again the state of now (known bug 30)") {
  REQUIRE(rc::check("property: undo . apply = identity",
                    [] { RC_ASSERT(broken_rule(2, any_steps(), [](World& world) { world.unwind(); }) == ""); }));
}

TEST_CASE("property: TC/C moves money as the reference model says, alone and beside sagas") {
  const auto settles = [](World& world) { world.settle(); };
  REQUIRE(rc::check("property: TC/C = model", [&] { RC_ASSERT(broken_rule(3, any_steps(), settles, tcc) == ""); }));
  REQUIRE(rc::check("property: mixed = model", [&] { RC_ASSERT(broken_rule(3, any_steps(), settles, mixed) == ""); }));
}

TEST_CASE("property: two-phase commit moves money, locks and refuses as the reference model says") {
  const auto settles = [](World& world) { world.settle(); };
  REQUIRE(rc::check("property: two-phase commit = model",
                    [&] { RC_ASSERT(broken_rule(3, any_steps(), settles, locking) == ""); }));
}

TEST_CASE("property: undo to any entry gives the state of then by TC/C and two-phase commit too") {
  const auto unwinds = [](World& world) { world.unwind(); };
  REQUIRE(rc::check("property: undo . apply = identity (mixed)",
                    [&] { RC_ASSERT(broken_rule(2, any_steps(), unwinds, mixed) == ""); }));
}

TEST_CASE("property: splits pay all or none, as the reference model says, beside transfers of every protocol") {
  const auto settles = [](World& world) { world.settle(); };
  REQUIRE(rc::check("property: splits = model",
                    [&] { RC_ASSERT(broken_rule(4, any_steps(), settles, mixed, true) == ""); }));
}

TEST_CASE("property: undo to any entry gives the state of then with splits too") {
  const auto unwinds = [](World& world) { world.unwind(); };
  REQUIRE(rc::check("property: undo . apply = identity (splits)",
                    [&] { RC_ASSERT(broken_rule(3, any_steps(), unwinds, mixed, true) == ""); }));
}

/// What long random runs by these protocols have reached.
struct Reached {
  std::array<std::uint64_t, 256> outcomes{};
  std::array<std::uint64_t, 4> legs{};
  std::array<std::uint64_t, 17> answers{};
  std::uint64_t undone = 0;
  std::uint64_t expired = 0;
};

Reached run_long(const std::vector<ledger::Protocol>& protocols, bool splits = false) {
  Reached reached;
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    Prng prng(seed);
    std::vector<std::array<std::uint8_t, 6>> steps(4'000);
    for (auto& step : steps) {
      for (std::uint8_t& number : step) number = static_cast<std::uint8_t>(prng.next());
    }
    const auto last = [&](World& world) {
      world.settle();
      world.unwind();
      for (std::size_t i = 0; i < reached.outcomes.size(); ++i) reached.outcomes[i] += world.outcomes()[i];
      for (std::size_t i = 0; i < reached.legs.size(); ++i) reached.legs[i] += world.legs()[i];
      for (std::size_t i = 0; i < reached.answers.size(); ++i) reached.answers[i] += world.answers()[i];
      reached.undone += world.undone();
      reached.expired += world.expired();
    };
    REQUIRE(broken_rule(1 + static_cast<std::uint32_t>(seed % 4), steps, last, protocols, splits) == "");
  }
  return reached;
}

void require_all(const Reached& reached) {
  for (const Outcome outcome :
       {Outcome::pending, Outcome::success, Outcome::insufficient_funds, Outcome::credit_account_not_found,
        Outcome::currency_mismatch, Outcome::balance_overflow, Outcome::account_not_found, Outcome::same_account,
        Outcome::idempotency_payload_mismatch, Outcome::malformed, Outcome::wrong_shard, Outcome::account_frozen,
        Outcome::account_closed, Outcome::account_not_empty, Outcome::hold_not_found, Outcome::hold_captured,
        Outcome::hold_voided, Outcome::hold_expired, Outcome::hold_exceeded}) {
    CAPTURE(name(outcome));
    REQUIRE(reached.outcomes[static_cast<std::size_t>(outcome)] > 0);
  }
  for (const std::uint64_t count : reached.legs) REQUIRE(count > 0);
  REQUIRE(reached.undone > 0);
  REQUIRE(reached.expired > 0);
}

TEST_CASE("long random runs reach every outcome, undo included") {
  using Kind = AnswerDecision::Kind;
  const Reached sagas = run_long({ledger::Protocol::saga});
  require_all(sagas);
  for (const Kind kind : {Kind::done, Kind::compensated}) REQUIRE(sagas.answers[static_cast<std::size_t>(kind)] > 0);
  const Reached tries = run_long(tcc);
  require_all(tries);
  for (const Kind kind : {Kind::confirming, Kind::confirmed, Kind::cancelling, Kind::cancelled}) {
    REQUIRE(tries.answers[static_cast<std::size_t>(kind)] > 0);
  }
  const Reached locks = run_long(locking);
  require_all(locks);
  REQUIRE(locks.outcomes[static_cast<std::size_t>(Outcome::account_locked)] > 0);
  REQUIRE(locks.outcomes[static_cast<std::size_t>(Outcome::account_busy)] > 0);
  for (const Kind kind : {Kind::committing, Kind::committed, Kind::aborting, Kind::aborted}) {
    REQUIRE(locks.answers[static_cast<std::size_t>(kind)] > 0);
  }
  require_all(run_long(mixed));
}

TEST_CASE("long random runs with splits reach every turn of theirs, undo included") {
  using Kind = AnswerDecision::Kind;
  const Reached splits = run_long(mixed, true);
  require_all(splits);
  for (const Kind kind : {Kind::split_answered, Kind::split_confirming, Kind::split_cancelling, Kind::split_ended,
                          Kind::split_confirmed, Kind::split_cancelled}) {
    CAPTURE(static_cast<int>(kind));
    REQUIRE(splits.answers[static_cast<std::size_t>(kind)] > 0);
  }
}

TEST_CASE("property: a mutated entry is folded or ends the run by a check, and nothing else") {
  Leader leader(1, 2);
  const std::string payer = name_on(1, 2, "payer");
  const std::string payee = name_on(2, 2, "payee");
  leader.open(payer);
  leader.transfer(deposit_of(1, payer, 1'000));
  leader.transfer(transfer_of(2, payer, payee, 10, usd, ShardId(2)));
  leader.answer(ShardId(2), {LegNumber(1), id_of(2), Outcome::success, Position(3), Stamp{4}});
  LegRequest leg;
  leg.number = LegNumber(1);
  leg.amount = {5, usd};
  leg.credit_account = payer;
  leader.receive(ShardId(2), leg);
  REQUIRE(rc::check("property: apply is total", [&](std::uint64_t seed) {
    Prng prng(seed);
    for (std::size_t last = 0; last < leader.log.size(); ++last) {
      StateMachine state(ShardId(1));
      for (std::size_t i = 0; i < last; ++i) state.apply_entry(leader.log[i]);
      Bytes mutated = leader.log[last];
      for (std::uint64_t flips = prng.below(3) + 1; flips > 0; --flips) {
        mutated[prng.below(mutated.size())] = static_cast<std::byte>(prng.next());
      }
      if (prng.chance(200)) mutated.resize(prng.below(mutated.size()) + 1);
      const Bytes before = exported(state);
      try {
        state.apply_entry(mutated);
        state.undo_entry(mutated);
        RC_ASSERT(exported(state) == before);
      } catch (const CheckFailure&) {
      }
    }
  }));
}

}  // namespace
