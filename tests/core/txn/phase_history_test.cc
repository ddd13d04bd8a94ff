// The phase status table as it is told: what each step's state is at every moment of every protocol, and after it.
#include <algorithm>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "core/base/phases.h"
#include "core/txn/protocols.h"
#include "core/txn/state_loader.h"
#include "tests/core/txn/leader.h"

namespace {

using namespace coffer;
using namespace coffer::txn;
using namespace coffer::txn::testing;
using ledger::Protocol;

/// "try debit done s1@4", "try credit sent s2": a row a line.
using Table = std::vector<std::string>;

Table told(const std::vector<PhaseStep>& steps) {
  Table rows;
  for (const PhaseStep& step : steps) {
    std::string row(name(step.phase));
    row.append(" ").append(name(step.side)).append(" ").append(name(step.state));
    row += " s" + std::to_string(step.shard.value);
    if (step.position != Position()) row += "@" + std::to_string(step.position.value);
    REQUIRE((step.position == Position()) == (step.stamp == Stamp()));
    rows.push_back(row);
  }
  return rows;
}

struct TwoShards {
  std::string payer = name_on(1, 2, "payer");
  std::string payee;
  Leader source;
  Leader target{2, 2};

  TwoShards(Protocol protocol, bool refused)
      : payee(name_on(2, 2, refused ? "stranger" : "payee")), source(1, 2, protocol) {
    source.open(payer);                                                  // s1@2
    target.open(name_on(2, 2, "payee"));                                 // s2@2
    source.transfer(deposit_of(1, payer, 1'000));                        // s1@3 opens the issue pocket, s1@4
    source.transfer(transfer_of(2, payer, payee, 10, usd, ShardId(2)));  // s1@5 opens transit, s1@6
  }
  LegAnswer deliver(std::uint64_t number) {
    return target.receive(ShardId(1), source.state.leg(ShardId(2), LegNumber(number))).answer;
  }
  void answer(const LegAnswer& answer) { REQUIRE(source.answer(ShardId(2), answer)); }
  Table history(const StateMachine& state) const {
    const auto found = state.find_transfer(default_tenant, payer, id_of(2));
    REQUIRE(found.has_value());
    return told(state.history(*found));
  }
  Table history() const { return history(source.state); }
};

TEST_CASE("a transfer inside a shard is one step") {
  Leader leader(1);
  leader.open("alice");
  leader.transfer(deposit_of(1, "alice", 100));
  leader.transfer(withdrawal_of(2, "alice", 500));
  const auto history = [&](std::uint64_t id) {
    return told(leader.state.history(*leader.state.find_transfer(default_tenant, "alice", id_of(id))));
  };
  REQUIRE(history(1) == Table{"execute entry done s1@4"});
  REQUIRE(history(2) == Table{"execute entry refused s1@5"});
}

TEST_CASE("a saga's steps: the debit, then the credit, and what came back (Digital Wallet, phase status table)") {
  TwoShards good(Protocol::saga, false);
  REQUIRE(good.history() == Table{"execute debit done s1@6", "execute credit sent s2"});
  const LegAnswer credited = good.deliver(1);
  REQUIRE(good.history() == Table{"execute debit done s1@6", "execute credit sent s2"});
  good.answer(credited);
  REQUIRE(good.history() == Table{"execute debit done s1@6", "execute credit done s2@4"});

  TwoShards bad(Protocol::saga, true);
  bad.answer(bad.deliver(1));
  REQUIRE(bad.history() == Table{"execute debit done s1@6", "execute credit refused s2@3", "compensate debit done s1"});
}

TEST_CASE("TC/C's steps: Try of both sides, then Confirm of both (Digital Wallet, phase status table)") {
  TwoShards world(Protocol::tcc, false);
  REQUIRE(world.history() == Table{"try debit done s1@6", "try credit sent s2"});
  world.answer(world.deliver(1));
  REQUIRE(world.history() ==
          Table{"try debit done s1@6", "try credit done s2", "confirm debit done s1@7", "confirm credit sent s2"});
  world.answer(world.deliver(2));
  REQUIRE(world.history() ==
          Table{"try debit done s1@6", "try credit done s2", "confirm debit done s1", "confirm credit done s2@5"});
}

TEST_CASE("TC/C's steps after a refusal: Cancel of both") {
  TwoShards world(Protocol::tcc, true);
  world.answer(world.deliver(1));
  REQUIRE(world.history() ==
          Table{"try debit done s1@6", "try credit refused s2@3", "cancel debit done s1@7", "cancel credit sent s2"});
  world.answer(world.deliver(2));
  REQUIRE(world.history() ==
          Table{"try debit done s1@6", "try credit refused s2@3", "cancel debit done s1", "cancel credit done s2"});
}

TEST_CASE("the steps told follow from the position alone: not from undo, nor from how the state came to be") {
  for (const ProtocolRow& row : protocols()) {
    for (const bool refused : {false, true}) {
      CAPTURE(row.name, refused);
      TwoShards world(row.protocol, refused);
      std::vector<Table> before;
      for (std::uint64_t number = 1; number < world.source.state.next_leg(ShardId(2)).value; ++number) {
        before.push_back(world.history());
        world.answer(world.deliver(number));
        StateLoader loader(ShardId(1));
        REQUIRE(loader.feed(exported(world.source.state)).has_value());
        const auto loaded = loader.finish();
        REQUIRE(loaded.has_value());
        REQUIRE(world.history(**loaded) == world.history());
      }
      while (!before.empty()) {
        world.source.state.undo_entry(world.source.log.back());
        world.source.log.pop_back();
        REQUIRE(world.history() == before.back());
        before.pop_back();
      }
    }
  }
}

}  // namespace
