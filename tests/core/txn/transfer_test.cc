#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "core/base/check.h"
#include "core/txn/state_machine.h"
#include "tests/core/txn/leader.h"

namespace {

using namespace coffer;
using namespace coffer::txn;
using namespace coffer::txn::testing;

/// alice has 100.00 USD, bob an empty USD pocket, eva only euros.
Leader bank() {
  Leader leader(1);
  leader.open("alice");
  leader.open("bob");
  leader.open("eva", eur);
  leader.transfer(deposit_of(1, "alice", 10'000));
  return leader;
}

/// The command is refused without a trace: no event, and the id stays free.
void require_unlogged(Leader& leader, const ledger::TransferCommand& command, Outcome outcome) {
  const std::size_t entries = leader.log.size();
  const std::uint64_t rows = leader.state.dedup_rows();
  const Decision decision = leader.transfer(command);
  REQUIRE(decision.outcome == outcome);
  REQUIRE_FALSE(decision.replayed);
  REQUIRE(leader.log.size() == entries);
  REQUIRE(leader.state.dedup_rows() == rows);
}

/// The command is refused for ever: its event binds the id, moves nothing, and the same id gets the same answer.
void require_logged(Leader& leader, const ledger::TransferCommand& command, Outcome outcome) {
  const std::vector<StateMachine::PocketRow> before = leader.state.pockets();
  const Decision decision = leader.transfer(command);
  REQUIRE(decision.outcome == outcome);
  REQUIRE_FALSE(decision.replayed);
  REQUIRE(decision.record.position == leader.state.last_position());
  const Decision again = leader.transfer(command);
  REQUIRE(again.outcome == outcome);
  REQUIRE(again.replayed);
  REQUIRE(again.record.position == decision.record.position);
  const std::vector<StateMachine::PocketRow> after = leader.state.pockets();
  REQUIRE(after.size() == before.size());
  for (std::size_t i = 0; i < before.size(); ++i) REQUIRE(after[i].balance == before[i].balance);
}

TEST_CASE("a transfer takes from one account what it gives to the other") {
  Leader leader = bank();
  const Decision decision = leader.transfer(transfer_of(2, "alice", "bob", 4'000));
  REQUIRE(decision.outcome == Outcome::success);
  REQUIRE(leader.balance("alice") == 6'000);
  REQUIRE(leader.balance("bob") == 4'000);
  REQUIRE(decision.record.position == leader.state.last_position());
  REQUIRE(decision.record.stamp == leader.state.last_stamp());
  REQUIRE(decision.record.target == ShardId());
}

TEST_CASE("a deposit comes from the issue account, a withdrawal goes back to it (design, Money and identity)") {
  Leader leader = bank();
  REQUIRE(leader.system("sys:issue:USD") == -10'000);
  REQUIRE(leader.transfer(withdrawal_of(2, "alice", 2'500)).outcome == Outcome::success);
  REQUIRE(leader.balance("alice") == 7'500);
  REQUIRE(leader.system("sys:issue:USD") == -7'500);
}

TEST_CASE("the same id with the same body is answered from its record (api, Transfer)") {
  Leader leader = bank();
  const Decision first = leader.transfer(transfer_of(2, "alice", "bob", 4'000));
  const std::size_t entries = leader.log.size();
  const Decision again = leader.transfer(transfer_of(2, "alice", "bob", 4'000));
  REQUIRE(again.replayed);
  REQUIRE(again.outcome == Outcome::success);
  REQUIRE(again.record.position == first.record.position);
  REQUIRE(again.record.stamp == first.record.stamp);
  REQUIRE(leader.log.size() == entries);
  REQUIRE(leader.balance("bob") == 4'000);
}

TEST_CASE("the same id with another body is a conflict and changes nothing (api, Transfer)") {
  Leader leader = bank();
  leader.transfer(transfer_of(2, "alice", "bob", 4'000));
  require_unlogged(leader, transfer_of(2, "alice", "bob", 4'001), Outcome::idempotency_payload_mismatch);
  require_unlogged(leader, transfer_of(2, "alice", "carol", 4'000), Outcome::idempotency_payload_mismatch);
  require_unlogged(leader, withdrawal_of(2, "alice", 4'000), Outcome::idempotency_payload_mismatch);
  require_unlogged(leader, transfer_of(2, "alice", "bob", 4'000, eur), Outcome::idempotency_payload_mismatch);
}

TEST_CASE("an id is bound to its home account: another account may use it too (design, Dedup)") {
  Leader leader = bank();
  REQUIRE(leader.transfer(transfer_of(2, "alice", "bob", 4'000)).outcome == Outcome::success);
  REQUIRE(leader.transfer(transfer_of(2, "bob", "alice", 1'000)).outcome == Outcome::success);
  REQUIRE(leader.balance("alice") == 7'000);
  const std::optional<TransferRecord> first = leader.state.find_transfer(default_tenant, id_of(2));
  REQUIRE(first.has_value());
  REQUIRE(first->position == leader.state.find_transfer(default_tenant, "alice", id_of(2))->position);
  REQUIRE_FALSE(leader.state.find_transfer(TenantId(1), id_of(2)).has_value());
  REQUIRE_FALSE(leader.state.find_transfer(default_tenant, "carol", id_of(2)).has_value());
  REQUIRE_FALSE(leader.state.find_transfer(default_tenant, "alice", id_of(3)).has_value());
}

TEST_CASE("what is refused in the log is refused for ever (design, Event sourcing)") {
  Leader leader = bank();
  SECTION("insufficient funds, also when the money comes later") {
    require_logged(leader, transfer_of(2, "alice", "bob", 10'001), Outcome::insufficient_funds);
    leader.transfer(deposit_of(3, "alice", 50'000));
    REQUIRE(leader.transfer(transfer_of(2, "alice", "bob", 10'001)).outcome == Outcome::insufficient_funds);
    require_logged(leader, withdrawal_of(4, "bob", 1), Outcome::insufficient_funds);
  }
  SECTION("credit account not found, also when it is opened later") {
    require_logged(leader, transfer_of(2, "alice", "carol", 1), Outcome::credit_account_not_found);
    leader.open("carol");
    REQUIRE(leader.transfer(transfer_of(2, "alice", "carol", 1)).outcome == Outcome::credit_account_not_found);
  }
  SECTION("no pocket in the currency, on either side") {
    require_logged(leader, transfer_of(2, "alice", "eva", 1), Outcome::currency_mismatch);
    require_logged(leader, transfer_of(3, "alice", "bob", 1, eur), Outcome::currency_mismatch);
    require_logged(leader, deposit_of(4, "eva", 1), Outcome::currency_mismatch);
    require_logged(leader, withdrawal_of(5, "eva", 1), Outcome::currency_mismatch);
  }
  SECTION("balance overflow of the account, and of the issue account") {
    REQUIRE(leader.transfer(deposit_of(2, "bob", INT64_MAX - 10'000)).outcome == Outcome::success);
    require_logged(leader, deposit_of(3, "alice", 1), Outcome::balance_overflow);  // sys:issue:USD is at its end
    require_logged(leader, deposit_of(4, "bob", 10'001), Outcome::balance_overflow);
    REQUIRE(leader.transfer(transfer_of(5, "alice", "bob", 10'000)).outcome == Outcome::success);
    REQUIRE(leader.balance("bob") == INT64_MAX);
  }
}

TEST_CASE("what is refused without an event never uses the id up (api, Outcomes)") {
  Leader leader = bank();
  require_unlogged(leader, transfer_of(2, "nobody", "bob", 1), Outcome::account_not_found);
  require_unlogged(leader, deposit_of(2, "nobody", 1), Outcome::account_not_found);
  require_unlogged(leader, transfer_of(2, "alice", "alice", 1), Outcome::same_account);
  require_unlogged(leader, transfer_of(2, "alice", "bob", 0), Outcome::malformed);
  require_unlogged(leader, transfer_of(2, "alice", "bob", -1), Outcome::malformed);
  require_unlogged(leader, transfer_of(2, "alice", "bob", 1, Currency{}), Outcome::malformed);
  require_unlogged(leader, transfer_of(2, "", "bob", 1), Outcome::malformed);
  require_unlogged(leader, transfer_of(2, "alice", "", 1), Outcome::malformed);
  require_unlogged(leader, transfer_of(2, "al ice", "bob", 1), Outcome::malformed);
  require_unlogged(leader, transfer_of(2, "sys:issue:USD", "bob", 1), Outcome::reserved_account);
  require_unlogged(leader, transfer_of(2, "alice", "sys:issue:USD", 1), Outcome::reserved_account);
  require_unlogged(leader, deposit_of(2, "sys:issue:USD", 1), Outcome::reserved_account);
  ledger::TransferCommand strange = transfer_of(2, "alice", "bob", 1);
  strange.operation = ledger::Operation::deposit;  // with a debit account
  require_unlogged(leader, strange, Outcome::malformed);
  strange.operation = static_cast<ledger::Operation>(9);
  require_unlogged(leader, strange, Outcome::malformed);
  REQUIRE(leader.transfer(transfer_of(2, "alice", "bob", 1)).outcome == Outcome::success);
}

TEST_CASE("accounts of different tenants are different accounts (design, Money and identity)") {
  Leader leader = bank();
  ledger::TransferCommand command = transfer_of(2, "alice", "bob", 1);
  command.tenant = TenantId(1);
  require_unlogged(leader, command, Outcome::account_not_found);
  REQUIRE(leader.open("alice", usd, TenantId(1)) == Outcome::success);
  require_logged(leader, command, Outcome::insufficient_funds);
  REQUIRE(leader.balance("alice") == 10'000);
}

TEST_CASE("a shard refuses what its slots do not hold (design, Money and identity)") {
  Leader leader(1, 2);
  const std::string here = name_on(1, 2, "here");
  const std::string there = name_on(2, 2, "there");
  leader.open(here);
  leader.transfer(deposit_of(1, here, 100));
  REQUIRE(leader.open(there) == Outcome::wrong_shard);
  require_unlogged(leader, transfer_of(2, there, here, 1), Outcome::wrong_shard);
  require_unlogged(leader, deposit_of(2, there, 1), Outcome::wrong_shard);
  // The caller's map contradicts ours about the credit account.
  require_unlogged(leader, transfer_of(2, here, there, 1, usd, ShardId(1)), Outcome::wrong_shard);
  require_unlogged(leader, transfer_of(2, here, there, 1, usd, ShardId(0)), Outcome::wrong_shard);
  const std::string second = name_on(1, 2, "second");
  require_unlogged(leader, transfer_of(2, here, second, 1, usd, ShardId(2)), Outcome::wrong_shard);
}

TEST_CASE("a shard owns nothing before it is founded, and is founded once") {
  StateMachine state((ShardId(1)));
  REQUIRE_FALSE(state.is_founded());
  REQUIRE_FALSE(state.owns(Slot(0)));
  Batch batch(state, Stamp{1});
  bool already = false;
  REQUIRE(batch.open_account({default_tenant, PrincipalId(), "alice", usd}, already) == Outcome::wrong_shard);
  REQUIRE(batch.transfer(deposit_of(1, "alice", 1)).outcome == Outcome::wrong_shard);
  REQUIRE(batch.events() == 0);
  REQUIRE_THROWS_AS(batch.finish(), CheckFailure);
  Leader leader(1);
  REQUIRE(leader.state.is_founded());
  REQUIRE(leader.state.owns(Slot(16383)));
  Batch second(leader.state, leader.stamp());
  REQUIRE_THROWS_AS(second.found(ShardId(1), slots_of(1, 1)), CheckFailure);
}

TEST_CASE("opening an account again says it was there, a further currency opens a further pocket (api, Accounts)") {
  Leader leader = bank();
  Batch batch(leader.state, leader.stamp());
  bool already = false;
  REQUIRE(batch.open_account({default_tenant, PrincipalId(), "alice", usd}, already) == Outcome::success);
  REQUIRE(already);
  REQUIRE(batch.events() == 0);
  REQUIRE(batch.open_account({default_tenant, PrincipalId(), "alice", eur}, already) == Outcome::success);
  REQUIRE_FALSE(already);
  REQUIRE(batch.events() == 1);
  REQUIRE(batch.open_account({default_tenant, PrincipalId(), "sys:x", eur}, already) == Outcome::reserved_account);
  REQUIRE(batch.open_account({default_tenant, PrincipalId(), "-", eur}, already) == Outcome::malformed);
  REQUIRE(batch.open_account({default_tenant, PrincipalId(), "a", Currency{}}, already) == Outcome::malformed);
  leader.log.push_back(batch.finish());
  REQUIRE(leader.balance("alice") == 10'000);
  REQUIRE(leader.balance("alice", eur) == 0);
  REQUIRE(leader.state.account_exists(default_tenant, "alice"));
  REQUIRE_FALSE(leader.state.account_exists(default_tenant, "carol"));
  REQUIRE_FALSE(leader.state.balance(default_tenant, "bob", eur).has_value());
}

TEST_CASE("later commands of a batch see earlier ones") {
  Leader leader = bank();
  Batch batch(leader.state, leader.stamp());
  REQUIRE(batch.transfer(transfer_of(2, "alice", "bob", 10'000)).outcome == Outcome::success);
  REQUIRE(batch.transfer(transfer_of(3, "alice", "bob", 1)).outcome == Outcome::insufficient_funds);
  REQUIRE(batch.transfer(transfer_of(2, "alice", "bob", 10'000)).replayed);
  REQUIRE(batch.transfer(transfer_of(4, "bob", "alice", 10'000)).outcome == Outcome::success);
  REQUIRE(batch.events() == 3);
  leader.log.push_back(batch.finish());
  REQUIRE(leader.balance("alice") == 10'000);
  REQUIRE(exported(folded(ShardId(1), leader.log)) == exported(leader.state));
}

TEST_CASE("the trial balance is zero in every currency") {
  Leader leader = bank();
  leader.transfer(transfer_of(2, "alice", "bob", 4'000));
  leader.transfer(deposit_of(3, "eva", 70, eur));
  const std::vector<TrialBalanceRow> rows = leader.state.trial_balance();
  REQUIRE(rows.size() == 2);
  for (const TrialBalanceRow& row : rows) {
    REQUIRE(static_cast<std::int64_t>(row.customers + row.issue + row.transit) == 0);
  }
  REQUIRE(rows[0].currency < rows[1].currency);
  for (const TrialBalanceRow& row : rows) {
    REQUIRE(static_cast<std::int64_t>(row.customers) == (row.currency == usd ? 10'000 : 70));
  }
}

TEST_CASE("an entry that does not follow the last one is divergence (design, Event sourcing)") {
  Leader leader = bank();
  StateMachine follower = folded(ShardId(1), leader.log);
  REQUIRE_THROWS_AS(follower.apply_entry(leader.log.back()), CheckFailure);
  Bytes old_stamp = leader.log.back();
  ByteWriter(old_stamp).patch_u64(8, follower.last_position().value + 1);
  REQUIRE_THROWS_AS(StateMachine(follower).apply_entry(old_stamp), CheckFailure);  // the id is bound already
  ByteWriter(old_stamp).patch_u64(16, static_cast<std::uint64_t>(follower.last_stamp().nanos));
  REQUIRE_THROWS_AS(StateMachine(follower).apply_entry(old_stamp), CheckFailure);
  REQUIRE_THROWS_AS(Batch(leader.state, leader.state.last_stamp()), CheckFailure);
  follower.apply_entry({});
  REQUIRE(exported(follower) == exported(leader.state));
}

TEST_CASE("only the last uncommitted entry is undone (design, Event sourcing)") {
  Leader leader = bank();
  const Position before = leader.state.last_position();
  const Stamp stamp = leader.state.last_stamp();
  leader.transfer(transfer_of(2, "alice", "bob", 1));
  leader.transfer(transfer_of(3, "alice", "bob", 1));
  REQUIRE_THROWS_AS(StateMachine(leader.state).undo_entry(leader.log[leader.log.size() - 2]), CheckFailure);
  leader.state.undo_entry(leader.log.back());
  leader.state.undo_entry({});
  leader.log.pop_back();
  leader.state.undo_entry(leader.log.back());
  leader.log.pop_back();
  REQUIRE(leader.state.last_position() == before);
  REQUIRE(leader.state.last_stamp() == stamp);
  leader.state.committed(leader.state.last_position());
  REQUIRE(leader.state.last_stamp() == stamp);
  REQUIRE_THROWS_AS(leader.state.undo_entry(leader.log.back()), CheckFailure);
}

}  // namespace
