// Rows that leave the state for the attic: which, when, and that nothing else changes (decision 12, section 3, G1 to G3
// and G7). Whatever has left is undone exactly, is in no snapshot, and is found for as long as it is in memory; what is
// recalled is answered as if it had never left.
#include "core/txn/leaving.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>
#include <rapidcheck.h>

#include "core/base/check.h"
#include "core/base/prng.h"
#include "core/base/uuid_number.h"
#include "core/txn/frozen_state.h"
#include "core/txn/state_loader.h"
#include "tests/core/txn/leader.h"

namespace {

using namespace coffer;
using namespace coffer::txn;
using namespace coffer::txn::testing;

/// A shard that keeps few rows, or all.
struct Forgetful {
  explicit Forgetful(std::uint64_t rows, std::uint32_t shard = 1, std::uint32_t shards = 1)
      : state(ShardId(shard)), rows_in_memory(rows) {
    entry([&](Batch& batch) { batch.found(ShardId(shard), slots_of(shard, shards)); });
    for (const std::string_view account : {"alice", "bob"}) {
      entry([&](Batch& batch) {
        bool already = false;
        (void)batch.open_account({default_tenant, PrincipalId(), account, usd}, already);
      });
    }
  }

  template <class Work>
  void entry(Work&& work) {
    IdRules rules;
    rules.rows_in_memory = rows_in_memory;
    Batch batch(state, Stamp{state.last_stamp().nanos + 10}, ledger::Protocol::saga, rules);
    batch.let_rows_leave();
    work(batch);
    if (batch.events() > 0) log.push_back(batch.finish());
  }
  Decision decide(const ledger::TransferCommand& command) {
    Decision decision;
    entry([&](Batch& batch) { decision = batch.transfer(command); });
    return decision;
  }
  Decision deposit(std::uint64_t id, std::int64_t minor = 10) { return decide(deposit_of(id, "alice", minor)); }
  void deposits(std::uint64_t from, std::uint64_t to) {
    for (std::uint64_t id = from; id <= to; ++id) REQUIRE(deposit(id).outcome == Outcome::success);
  }
  std::int64_t balance() const { return state.balance(default_tenant, "alice", usd)->minor; }

  StateMachine state;
  std::uint64_t rows_in_memory;
  std::vector<Bytes> log;
};

std::unique_ptr<StateMachine> loaded(const Bytes& bytes, ShardId shard = ShardId(1)) {
  StateLoader loader(shard);
  REQUIRE_FALSE(loader.feed(bytes).has_error());
  auto machine = loader.finish();
  REQUIRE_FALSE(machine.has_error());
  return std::move(*machine);
}

/// Undoes the log to its beginning and folds it again; each state must be the one that was there before.
void require_undone(const Forgetful& world) {
  StateMachine forward(world.state.self());
  std::vector<Bytes> states{exported(forward)};
  for (const Bytes& payload : world.log) {
    forward.apply_entry(payload);
    states.push_back(exported(forward));
    REQUIRE(forward.size_estimate() == states.back().size());
  }
  REQUIRE(exported(world.state) == states.back());
  for (std::size_t at = world.log.size(); at-- > 0;) {
    forward.undo_entry(world.log[at]);
    REQUIRE(exported(forward) == states[at]);
  }
}

/// Of alice's ids.
bool in_memory(const StateMachine& state, const TransferId& id) {
  return state.is_in_memory(*state.account_number(default_tenant, "alice"), id);
}

TEST_CASE("no row leaves unless the leader's settings say so, and then those beyond the limit, the oldest first (G1)") {
  Forgetful all(0);
  all.deposits(1, 20);
  REQUIRE_FALSE(all.state.has_attic());
  REQUIRE(all.state.dedup_rows() == 20);

  Forgetful few(4);
  few.deposits(1, 20);
  REQUIRE(few.state.has_attic());
  REQUIRE(few.state.dedup_rows() <= 6);
  REQUIRE(few.state.rows_left() == 20 - few.state.dedup_rows());
  REQUIRE(few.state.left_row(0).row.id == id_of(1));
  require_undone(few);
}

TEST_CASE("a row that was bound before the attic was opened stays, and so do numbered ids and holds") {
  Forgetful world(0);
  world.deposits(1, 5);
  world.rows_in_memory = 1;
  world.deposits(6, 6);  // opens the attic
  TransferId numbered = uuid_numbered({7, 1});
  ledger::TransferCommand command = deposit_of(0, "alice", 3);
  command.id = numbered;
  REQUIRE(world.decide(command).outcome == Outcome::success);
  world.entry([&](Batch& batch) {
    ledger::PlaceHoldCommand hold;
    hold.id = id_of(100);
    hold.tenant = default_tenant;
    hold.account = "alice";
    hold.amount = {1, usd};
    hold.expires_in = seconds(1);
    REQUIRE(batch.place_hold(hold).outcome == Outcome::success);
  });
  world.deposits(7, 20);
  for (const std::uint64_t id : {1u, 2u, 3u, 4u, 5u}) {
    REQUIRE(in_memory(world.state, id_of(id)));
  }
  for (std::uint64_t place = 0; place < world.state.rows_left(); ++place) {
    REQUIRE(world.state.left_row(place).row.id != numbered);
    REQUIRE(world.state.left_row(place).row.operation == ledger::Operation::deposit);
  }
  REQUIRE(world.state.rows_left() > 0);
  require_undone(world);
}

TEST_CASE("what has left is found until it is let go, and is in no snapshot (G3)") {
  Forgetful world(2);
  world.deposits(1, 12);
  world.rows_in_memory = 0;  // so that what follows makes no event
  const std::uint64_t left = world.state.rows_left();
  REQUIRE(left >= 8);
  REQUIRE(world.deposit(1).replayed);
  REQUIRE(world.deposit(1, 11).outcome == Outcome::idempotency_payload_mismatch);
  const Bytes before = exported(world.state);

  SECTION("while its leaving may be undone it stays, whatever the index holds") {
    world.state.let_go(left);
    REQUIRE(world.state.rows_in_memory_from() == 0);
    REQUIRE(in_memory(world.state, id_of(1)));
  }
  SECTION("while the index does not hold it, it stays, though nothing can be undone") {
    world.state.committed(world.state.last_position());
    REQUIRE(world.state.rows_in_memory_from() == 0);
    world.state.let_go(3);
    REQUIRE(world.state.rows_in_memory_from() == 3);
    REQUIRE_FALSE(in_memory(world.state, id_of(3)));
    REQUIRE(in_memory(world.state, id_of(4)));
  }
  SECTION("a snapshot is the same before and after it is let go, and loads without it") {
    world.state.committed(world.state.last_position());
    world.state.let_go(left);
    REQUIRE(exported(world.state) == before);
    const auto other = loaded(before);
    REQUIRE(exported(*other) == before);
    REQUIRE(other->rows_left() == left);
    REQUIRE(other->rows_in_memory_from() == left);
    REQUIRE_FALSE(in_memory(*other, id_of(1)));
    REQUIRE(in_memory(*other, id_of(12)));
  }
}

TEST_CASE("what is recalled is answered as if it had never left, and is no state (G7)") {
  Forgetful world(2);
  world.deposits(1, 12);
  const std::uint64_t left = world.state.rows_left();
  std::vector<LeftRow> rows;
  for (std::uint64_t place = 0; place < left; ++place) rows.push_back(world.state.left_row(place));
  world.state.committed(world.state.last_position());
  world.state.let_go(left);
  REQUIRE_FALSE(world.state.find_transfer(default_tenant, "alice", id_of(1)).has_value());
  world.rows_in_memory = 0;  // so that what follows makes no event
  const Bytes before = exported(world.state);

  world.state.recall(rows[0]);
  REQUIRE(exported(world.state) == before);
  const Decision again = world.deposit(1);
  REQUIRE(again.replayed);
  REQUIRE(again.outcome == Outcome::success);
  REQUIRE(again.record.position == rows[0].row.position);
  REQUIRE(world.deposit(1, 11).outcome == Outcome::idempotency_payload_mismatch);
  REQUIRE(world.state.find_transfer(default_tenant, "alice", id_of(1))->position == rows[0].row.position);
  REQUIRE(world.state.find_transfer(default_tenant, id_of(1))->position == rows[0].row.position);
  REQUIRE_FALSE(world.state.find_transfer(default_tenant, "bob", id_of(1)).has_value());
  world.state.forget_recalled();
  REQUIRE_FALSE(world.state.find_transfer(default_tenant, "alice", id_of(1)).has_value());
  REQUIRE(exported(world.state) == before);
  REQUIRE(world.balance() == 120);
}

TEST_CASE("a transfer across shards keeps its row, and those behind it, until its leg is answered (G2)") {
  const std::string home = name_on(1, 2, "home");
  Forgetful world(1, 1, 2);
  world.entry([&](Batch& batch) {
    bool already = false;
    REQUIRE(batch.open_account({default_tenant, PrincipalId(), home, usd}, already) == Outcome::success);
  });
  REQUIRE(world.decide(deposit_of(1, home, 100)).outcome == Outcome::success);
  const std::string far = name_on(2, 2, "far");
  const Decision sent = world.decide(transfer_of(2, home, far, 10, usd, ShardId(2)));
  REQUIRE(sent.outcome == Outcome::pending);
  for (std::uint64_t id = 3; id <= 12; ++id) (void)world.decide(deposit_of(id, home, 1));
  REQUIRE(world.state.rows_left() <= 1);
  world.entry([&](Batch& batch) {
    const LegAnswer answer{sent.record.leg, id_of(2), Outcome::success, Position(9), Stamp{5}};
    REQUIRE(batch.answer_leg(ShardId(2), answer).kind == AnswerDecision::Kind::done);
  });
  for (std::uint64_t id = 13; id <= 16; ++id) (void)world.decide(deposit_of(id, home, 1));
  REQUIRE(world.state.rows_left() > 2);
  const LeftRow row = world.state.left_row(world.state.left_row(0).row.id == id_of(2) ? 0 : 1);
  REQUIRE(row.row.id == id_of(2));
  REQUIRE(row.row.link != ledger::no_row);
  REQUIRE(row.link.target_position == Position(9));
  require_undone(world);
}

TEST_CASE("property: with any limit the same commands are told the same, and what has left and what has not add up") {
  rc::check("few rows in memory or all", [] {
    Prng prng(*rc::gen::arbitrary<std::uint64_t>());
    Forgetful all(0);
    Forgetful few(1 + prng.below(20));
    for (int step = 0; step < 120; ++step) {
      const std::uint64_t id = 1 + prng.below(60);
      const std::int64_t minor = 1 + static_cast<std::int64_t>(prng.below(2));
      const ledger::TransferCommand command =
          prng.chance(300) ? transfer_of(id, "alice", "bob", minor) : deposit_of(id, "alice", minor);
      const Decision expected = all.decide(command);
      const Decision told = few.decide(command);
      RC_ASSERT(told.outcome == expected.outcome);
      RC_ASSERT(told.replayed == expected.replayed);
      RC_ASSERT(few.state.dedup_rows() + few.state.rows_left() == all.state.dedup_rows());
    }
    require_undone(few);
    RC_ASSERT(exported(*loaded(exported(few.state))) == exported(few.state));
  });
}

}  // namespace
