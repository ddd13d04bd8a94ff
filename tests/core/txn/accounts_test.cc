// Frozen and closed accounts: what is refused, what goes through, and that each change undoes exactly; for every phase
// of a transfer across shards between which it can come.
#include "core/txn/accounts.h"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "core/base/check.h"
#include "core/txn/state_loader.h"
#include "tests/core/txn/leader.h"

namespace {

using namespace coffer;
using namespace coffer::txn;
using namespace coffer::txn::testing;
using ledger::AccountState;
using ledger::Operation;
using ledger::Protocol;

constexpr ShardId one(1);
constexpr ShardId two(2);

ChangeDecision change(Leader& leader, Operation what, std::string_view account, std::uint64_t id,
                      TenantId tenant = default_tenant) {
  return leader.entry(
      [&](Batch& batch) {
        return batch.change_account({what, id_of(id), tenant, PrincipalId(1), account});
      },
      leader.stamp());
}

AccountState state_of(const Leader& leader, std::string_view account) {
  const auto state = leader.state.account_state(default_tenant, account);
  check(state.has_value(), "the test asks for an account that exists");
  return *state;
}

/// Undoes the leader's log to its beginning and folds it again; each state must be the one that was there before.
void require_undone(Leader& leader) {
  StateMachine forward(leader.state.self());
  std::vector<Bytes> states{exported(forward)};
  for (const Bytes& payload : leader.log) {
    forward.apply_entry(payload);
    states.push_back(exported(forward));
  }
  REQUIRE(exported(leader.state) == states.back());
  for (std::size_t at = leader.log.size(); at-- > 0;) {
    forward.undo_entry(leader.log[at]);
    REQUIRE(exported(forward) == states[at]);
  }
}

/// One shard: alice has 100.00 USD, bob nothing.
Leader one_shard() {
  Leader leader(1);
  leader.open("alice");
  leader.open("bob");
  leader.transfer(deposit_of(1, "alice", 10'000));
  return leader;
}

TEST_CASE("an account is open, then frozen, then open again, and its state tells (api: freeze, unfreeze)") {
  Leader leader = one_shard();
  REQUIRE(state_of(leader, "alice") == AccountState::open);
  const ChangeDecision frozen = change(leader, Operation::freeze, "alice", 10);
  REQUIRE(frozen.outcome == Outcome::success);
  REQUIRE_FALSE(frozen.already);
  REQUIRE(frozen.position == leader.state.last_position());
  REQUIRE(state_of(leader, "alice") == AccountState::frozen);
  REQUIRE(state_of(leader, "bob") == AccountState::open);
  const ChangeDecision again = change(leader, Operation::freeze, "alice", 11);
  REQUIRE(again.outcome == Outcome::success);
  REQUIRE(again.already);
  REQUIRE_FALSE(change(leader, Operation::unfreeze, "alice", 12).already);
  REQUIRE(state_of(leader, "alice") == AccountState::open);
  REQUIRE(change(leader, Operation::unfreeze, "alice", 13).already);
  require_undone(leader);
}

TEST_CASE("a late attempt of an earlier change does not undo what was ordered after it (design, Proxy and reads)") {
  Leader leader = one_shard();
  const Position first = change(leader, Operation::freeze, "alice", 10).position;
  change(leader, Operation::unfreeze, "alice", 11);
  const std::size_t entries = leader.log.size();
  const ChangeDecision late = change(leader, Operation::freeze, "alice", 10);
  REQUIRE(late.outcome == Outcome::success);
  REQUIRE(late.already);
  REQUIRE(late.position == first);
  REQUIRE(leader.log.size() == entries);
  REQUIRE(state_of(leader, "alice") == AccountState::open);
  // So with one that had found nothing to do.
  change(leader, Operation::unfreeze, "alice", 12);
  change(leader, Operation::freeze, "alice", 13);
  REQUIRE(change(leader, Operation::unfreeze, "alice", 12).already);
  REQUIRE(state_of(leader, "alice") == AccountState::frozen);
  require_undone(leader);
}

TEST_CASE("an id is bound to one thing: a change, or a transfer (design, Dedup)") {
  Leader leader = one_shard();
  REQUIRE(change(leader, Operation::freeze, "alice", 10).outcome == Outcome::success);
  REQUIRE(change(leader, Operation::unfreeze, "alice", 10).outcome == Outcome::idempotency_payload_mismatch);
  REQUIRE(leader.transfer(transfer_of(10, "alice", "bob", 1)).outcome == Outcome::idempotency_payload_mismatch);
  REQUIRE(change(leader, Operation::freeze, "alice", 1).outcome == Outcome::idempotency_payload_mismatch);
  REQUIRE(change(leader, Operation::freeze, "bob", 10).outcome == Outcome::success);  // another account's id
  REQUIRE_FALSE(leader.state.find_transfer(default_tenant, "alice", id_of(10)).has_value());
  REQUIRE_FALSE(leader.state.find_transfer(default_tenant, id_of(10)).has_value());
  REQUIRE(leader.state.find_transfer(default_tenant, id_of(1)).has_value());
}

TEST_CASE("a frozen account takes part in nothing new, and the refusal replays under its id (api: account-frozen)") {
  Leader leader = one_shard();
  leader.transfer(transfer_of(2, "alice", "bob", 1'000));
  const std::string frozen = GENERATE(std::string("alice"), std::string("bob"));
  change(leader, Operation::freeze, frozen, 10);
  std::vector<ledger::TransferCommand> all = {transfer_of(3, "alice", "bob", 1), transfer_of(4, "bob", "alice", 1),
                                              deposit_of(5, frozen, 1), withdrawal_of(6, frozen, 1)};
  const Bytes before = exported(leader.state);
  for (const ledger::TransferCommand& command : all) {
    const Decision refused = leader.transfer(command);
    REQUIRE(refused.outcome == Outcome::account_frozen);
    REQUIRE_FALSE(refused.replayed);
  }
  REQUIRE(leader.balance("alice") == 9'000);
  REQUIRE(leader.balance("bob") == 1'000);
  REQUIRE(exported(leader.state) != before);  // the ids are bound
  change(leader, Operation::unfreeze, frozen, 11);
  for (const ledger::TransferCommand& command : all) {
    const Decision again = leader.transfer(command);
    REQUIRE(again.outcome == Outcome::account_frozen);
    REQUIRE(again.replayed);
  }
  REQUIRE(leader.transfer(transfer_of(2, "alice", "bob", 1'000)).outcome == Outcome::success);  // as before the freeze
  REQUIRE(leader.transfer(transfer_of(7, "alice", "bob", 1)).outcome == Outcome::success);
  require_undone(leader);
}

TEST_CASE("an account is closed when it is empty, in all its pockets, and then for ever (api: account-closed)") {
  Leader leader = one_shard();
  leader.open("alice", eur);
  REQUIRE(change(leader, Operation::close, "alice", 10).outcome == Outcome::account_not_empty);
  leader.transfer(transfer_of(2, "alice", "bob", 10'000));
  leader.transfer(deposit_of(3, "alice", 1, eur));
  REQUIRE(change(leader, Operation::close, "alice", 10).outcome ==
          Outcome::account_not_empty);  // the id is not used up
  leader.transfer(withdrawal_of(4, "alice", 1, eur));
  change(leader, Operation::freeze, "alice", 11);  // frozen or not
  REQUIRE(change(leader, Operation::close, "alice", 10).outcome == Outcome::success);
  REQUIRE(state_of(leader, "alice") == AccountState::closed);
  REQUIRE(change(leader, Operation::close, "alice", 12).already);
  REQUIRE(change(leader, Operation::freeze, "alice", 13).outcome == Outcome::account_closed);
  REQUIRE(change(leader, Operation::unfreeze, "alice", 14).outcome == Outcome::account_closed);
  REQUIRE(change(leader, Operation::freeze, "alice", 11).already);  // an id used before answers as before
  REQUIRE(leader.transfer(transfer_of(5, "bob", "alice", 1)).outcome == Outcome::account_closed);
  REQUIRE(leader.transfer(transfer_of(6, "alice", "bob", 1)).outcome == Outcome::account_closed);
  REQUIRE(leader.transfer(deposit_of(7, "alice", 1)).outcome == Outcome::account_closed);
  REQUIRE(leader.transfer(withdrawal_of(8, "alice", 1)).outcome == Outcome::account_closed);
  REQUIRE(leader.open("alice", currency_of("JPY")) == Outcome::account_closed);
  REQUIRE(leader.open("alice") == Outcome::account_closed);
  REQUIRE(leader.balance("bob") == 10'000);
  require_undone(leader);
}

TEST_CASE("what cannot be changed is refused without a trace") {
  Leader leader(1, 2);
  const std::string here = name_on(1, 2, "here");
  leader.open(here);
  const std::size_t entries = leader.log.size();
  REQUIRE(change(leader, Operation::freeze, name_on(1, 2, "nobody"), 2).outcome == Outcome::account_not_found);
  REQUIRE(change(leader, Operation::freeze, name_on(2, 2, "there"), 3).outcome == Outcome::wrong_shard);
  REQUIRE(change(leader, Operation::freeze, "sys:issue:USD", 4).outcome == Outcome::reserved_account);
  REQUIRE(change(leader, Operation::freeze, "a b", 5).outcome == Outcome::malformed);
  REQUIRE(change(leader, Operation::transfer, here, 6).outcome == Outcome::malformed);
  REQUIRE(change(leader, Operation::freeze, here, 7, TenantId(9)).outcome !=
          Outcome::success);  // another tenant's name
  REQUIRE(leader.log.size() == entries);
  REQUIRE_FALSE(leader.state.account_state(default_tenant, "nobody").has_value());
}

/// A payer with 100.00 USD in the first shard, a payee in the second, and a transfer of it all, step by step.
struct Across {
  explicit Across(Protocol protocol) : source(1, 2, protocol), target(2, 2, protocol) {
    source.open(payer);
    target.open(payee);
    source.transfer(deposit_of(1, payer, 10'000));
  }
  bool is_over() const { return source.state.first_unanswered(two) == source.state.next_leg(two); }
  /// The next thing that happens: the beginning, then in turn a leg received and its answer logged.
  void step() {
    if (!begun) {
      source.transfer(transfer_of(2, payer, credit, 10'000, usd, two));
      begun = true;
    } else if (!is_over() && !answer) {
      answer = target.receive(one, source.state.leg(two, source.state.first_unanswered(two))).answer;
    } else if (!is_over()) {
      REQUIRE(source.answer(two, *answer));
      answer.reset();
    }
  }
  Outcome outcome() const { return source.state.find_transfer(default_tenant, payer, id_of(2))->outcome; }
  void require_right(Outcome expected) {
    REQUIRE(is_over());
    REQUIRE(outcome() == expected);
    const bool moved = expected == Outcome::success;
    REQUIRE(source.balance(payer) == (moved ? 0 : 10'000));
    REQUIRE(target.balance(payee) == (moved ? 10'000 : 0));
    REQUIRE(source.system("sys:transit:USD:2") + target.system("sys:transit:USD:1") == 0);
    require_undone(source);
    require_undone(target);
  }

  std::string payer = name_on(1, 2, "payer");
  std::string payee = name_on(2, 2, "payee");
  std::string credit = payee;
  Leader source;
  Leader target;
  bool begun = false;
  std::optional<LegAnswer> answer;
};

constexpr Outcome done = Outcome::success;
constexpr Outcome frozen = Outcome::account_frozen;
constexpr Outcome closed = Outcome::account_closed;
constexpr Outcome holds = Outcome::account_not_empty;

TEST_CASE("a freeze or close between any two phases, on either side (issue: recovery; design, Money and identity)") {
  struct Row {
    Protocol protocol;
    bool of_debit;
    Operation change;
    std::vector<Outcome> told;  ///< of the change, when it comes before step 0, 1, 2 …
    std::vector<Outcome> ends;  ///< of the transfer then
  };
  Row row = GENERATE(values<Row>({
      {Protocol::saga, true, Operation::freeze, {done, done, done, done}, {frozen, done, done, done}},
      {Protocol::saga, false, Operation::freeze, {done, done, done, done}, {frozen, frozen, done, done}},
      {Protocol::saga, true, Operation::close, {holds, holds, holds, done}, {done, done, done, done}},
      {Protocol::saga, false, Operation::close, {done, done, holds, holds}, {closed, closed, done, done}},
      {Protocol::tcc,
       true,
       Operation::freeze,
       {done, done, done, done, done, done},
       {frozen, done, done, done, done, done}},
      {Protocol::tcc,
       false,
       Operation::freeze,
       {done, done, done, done, done, done},
       {frozen, frozen, done, done, done, done}},
      {Protocol::tcc,
       true,
       Operation::close,
       {holds, holds, holds, holds, holds, done},
       {done, done, done, done, done, done}},
      {Protocol::tcc,
       false,
       Operation::close,
       {done, done, holds, holds, holds, holds},
       {closed, closed, done, done, done, done}},
  }));
  // Two-phase commit asks before it gives, as TC/C does.
  if (row.protocol == Protocol::tcc) row.protocol = GENERATE(Protocol::tcc, Protocol::two_phase_commit);
  for (std::size_t at = 0; at < row.told.size(); ++at) {
    CAPTURE(static_cast<int>(row.protocol), row.of_debit, static_cast<int>(row.change), at);
    Across world(row.protocol);
    for (std::size_t step = 0; step < at; ++step) world.step();
    Leader& leader = row.of_debit ? world.source : world.target;
    const std::string& account = row.of_debit ? world.payer : world.payee;
    REQUIRE(change(leader, row.change, account, 20).outcome == row.told[at]);
    for (int step = 0; step < 6; ++step) world.step();
    world.require_right(row.ends[at]);
    const bool is_frozen = row.change == Operation::freeze;
    const bool changed = row.told[at] == done;
    REQUIRE(state_of(leader, account) == (!changed    ? AccountState::open
                                          : is_frozen ? AccountState::frozen
                                                      : AccountState::closed));
  }
}

TEST_CASE("money comes back to an account that was frozen, and is not closed, while it was away (design, Legs)") {
  const Protocol protocol = GENERATE(Protocol::saga, Protocol::tcc, Protocol::two_phase_commit);
  const std::size_t at = GENERATE(std::size_t{1}, std::size_t{2});
  Across world(protocol);
  world.credit = name_on(2, 2, "stranger");
  for (std::size_t step = 0; step < at; ++step) world.step();
  REQUIRE(world.source.balance(world.payer) == 0);
  REQUIRE(change(world.source, Operation::close, world.payer, 20).outcome == Outcome::account_not_empty);
  REQUIRE(change(world.source, Operation::freeze, world.payer, 21).outcome == Outcome::success);
  for (int step = 0; step < 6; ++step) world.step();
  world.require_right(Outcome::credit_account_not_found);
  REQUIRE(state_of(world.source, world.payer) == AccountState::frozen);
  REQUIRE(world.source.transfer(withdrawal_of(3, world.payer, 1)).outcome == Outcome::account_frozen);
}

TEST_CASE("a Try that was refused keeps no room: the account may be closed before its Cancel comes (TC/C)") {
  Across world(Protocol::tcc);
  world.target.transfer(deposit_of(9, world.payee, INT64_MAX));
  world.step();
  world.step();  // refused: no room
  REQUIRE(world.answer->outcome == Outcome::balance_overflow);
  world.target.transfer(withdrawal_of(10, world.payee, INT64_MAX));
  REQUIRE(change(world.target, Operation::close, world.payee, 20).outcome == Outcome::success);
  for (int step = 0; step < 6; ++step) world.step();
  world.require_right(Outcome::balance_overflow);
}

TEST_CASE("a snapshot remembers states and the ids of changes, in a version of its own (docs/FORMATS.md)") {
  Leader leader = one_shard();
  const Bytes plain = exported(leader.state);
  REQUIRE(plain[0] == std::byte{1});
  change(leader, Operation::freeze, "alice", 10);
  change(leader, Operation::close, "bob", 11);
  const Bytes bytes = exported(leader.state);
  REQUIRE(bytes[0] == std::byte{3});
  REQUIRE(leader.state.size_estimate() == bytes.size());
  StateLoader loader(one);
  REQUIRE(loader.feed(bytes).has_value());
  auto loaded = loader.finish();
  REQUIRE(loaded.has_value());
  REQUIRE(exported(**loaded) == bytes);
  REQUIRE((*loaded)->account_state(default_tenant, "alice") == AccountState::frozen);
  REQUIRE((*loaded)->account_state(default_tenant, "bob") == AccountState::closed);
  Batch batch(**loaded, leader.stamp());
  REQUIRE(batch.change_account({Operation::freeze, id_of(10), default_tenant, PrincipalId(), "alice"}).already);
  REQUIRE(batch.transfer(deposit_of(12, "bob", 1)).outcome == Outcome::account_closed);
}

TEST_CASE("a change that does not begin with the state there is, or closes what is not empty, is divergence") {
  Leader leader = one_shard();
  const auto applied = [&](const ledger::AccountChanged& event) {
    StateMachine state(leader.state);
    Bytes bytes;
    ByteWriter out(bytes);
    ledger::encode(ledger::EntryHeader{1, state.last_position().next(), leader.stamp()}, out);
    ledger::encode(event, out);
    state.apply_entry(bytes);
  };
  const AccountNumber alice(0);
  applied({Operation::freeze, AccountState::open, PrincipalId(), alice, id_of(10)});
  REQUIRE_THROWS_AS(applied({Operation::freeze, AccountState::frozen, PrincipalId(), alice, id_of(10)}), CheckFailure);
  REQUIRE_THROWS_AS(applied({Operation::close, AccountState::open, PrincipalId(), alice, id_of(10)}), CheckFailure);
  REQUIRE_THROWS_AS(applied({Operation::freeze, AccountState::open, PrincipalId(), AccountNumber(7), id_of(10)}),
                    CheckFailure);
  REQUIRE_THROWS_AS(applied({Operation::freeze, AccountState::open, PrincipalId(), alice, id_of(1)}), CheckFailure);
}

}  // namespace
