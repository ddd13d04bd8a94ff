// Freezing, exporting and loading the state of a shard: what a snapshot is made of.
#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>
#include <rapidcheck.h>

#include "core/base/check.h"
#include "core/base/prng.h"
#include "core/txn/frozen_state.h"
#include "core/txn/state_loader.h"
#include "tests/core/txn/leader.h"
#include "tests/core/txn/world.h"

namespace {

using namespace coffer;
using namespace coffer::txn;
using namespace coffer::txn::testing;

std::string broken_rule(std::uint32_t shards, const std::vector<std::array<std::uint8_t, 6>>& steps,
                        std::uint64_t* frozen = nullptr, bool splits = false) {
  World world(shards, {ledger::Protocol::saga, ledger::Protocol::tcc, ledger::Protocol::two_phase_commit});
  world.freeze_often();
  if (splits) world.split_often();
  try {
    for (const auto& [kind, shard, debit, credit, amount, id] : steps) {
      world.step({kind, shard, debit, credit, amount, id});
    }
    world.thaw();
  } catch (const CheckFailure& failure) {
    return std::string(failure.why) + " (line " + std::to_string(failure.where.line()) + ")";
  }
  if (frozen != nullptr) *frozen += world.frozen();
  return "";
}

Result<std::unique_ptr<StateMachine>> loaded(ByteView snapshot, ShardId shard = ShardId(1)) {
  StateLoader loader(shard);
  if (const Result<void> fed = loader.feed(snapshot); !fed) return fed.error();
  return loader.finish();
}

Bytes frozen_bytes(FrozenState& frozen, std::size_t chunk) {
  Bytes bytes;
  while (frozen.next_chunk(bytes, chunk)) {
  }
  return bytes;
}

/// A shard with every kind of row: accounts, pockets of two currencies, refusals, legs unanswered, answered and
/// compensated, outcomes kept and freed.
Leader rich_leader() {
  Leader leader(1, 2);
  const std::string payer = name_on(1, 2, "payer");
  const std::string payee = name_on(2, 2, "payee");
  leader.open(payer);
  leader.open(payer, eur);
  leader.transfer(deposit_of(1, payer, 1'000));
  leader.transfer(transfer_of(2, payer, payee, 5'000, usd, ShardId(2)));  // refused
  for (std::uint64_t id = 3; id < 8; ++id) leader.transfer(transfer_of(id, payer, payee, 10, usd, ShardId(2)));
  leader.answer(ShardId(2), {LegNumber(1), id_of(3), Outcome::success, Position(3), Stamp{4}});
  leader.answer(ShardId(2), {LegNumber(2), id_of(4), Outcome::currency_mismatch, Position(4), Stamp{4}});
  LegRequest leg;
  leg.amount = {5, usd};
  leg.credit_account = payer;
  for (std::uint64_t number = 1; number < 6; ++number) {
    leg.number = LegNumber(number);
    leader.receive(ShardId(2), leg, LegNumber(number / 2));
  }
  return leader;
}

/// A shard with TC/C in every state: a Try without its answer, a Confirm and a Cancel under way, and at the other end
/// Tries that succeeded and were refused.
Leader tried_leader() {
  Leader leader(1, 2, ledger::Protocol::tcc);
  const std::string payer = name_on(1, 2, "payer");
  const std::string payee = name_on(2, 2, "payee");
  leader.open(payer);
  leader.transfer(deposit_of(1, payer, 1'000));
  for (std::uint64_t id = 2; id < 5; ++id) leader.transfer(transfer_of(id, payer, payee, 10, usd, ShardId(2)));
  leader.answer(ShardId(2), {LegNumber(1), id_of(2), Outcome::success, Position(3), Stamp{4}});
  leader.answer(ShardId(2), {LegNumber(2), id_of(3), Outcome::currency_mismatch, Position(4), Stamp{4}});
  LegRequest leg;
  leg.step = ledger::LegStep::try_credit;
  leg.amount = {5, usd};
  for (std::uint64_t number = 1; number < 4; ++number) {
    leg.number = LegNumber(number);
    leg.id = id_of(10 + number);
    leg.credit_account = number == 2 ? "stranger" : payer;
    leader.receive(ShardId(2), leg);
  }
  return leader;
}

/// The same, with accounts that were frozen and closed.
Leader changed_leader() {
  Leader leader = tried_leader();
  const std::string payer = name_on(1, 2, "payer");
  const std::string ended = name_on(1, 2, "ended");
  leader.open(ended);
  for (const auto& [account, change] :
       {std::pair(payer, ledger::Operation::freeze), std::pair(ended, ledger::Operation::freeze),
        std::pair(ended, ledger::Operation::close)}) {
    const ledger::ChangeAccountCommand command{change, id_of(40 + static_cast<std::uint64_t>(change)), default_tenant,
                                               PrincipalId(), account};
    leader.entry([&](Batch& batch) { return batch.change_account(command); }, leader.stamp());
  }
  return leader;
}

/// The same, with a split in every state: begun, one part answered, confirming, cancelling, with a part here and
/// without, ended, done at once, and refused.
Leader split_leader() {
  Leader leader = changed_leader();
  const std::string rich = name_on(1, 2, "rich");
  const std::string near = name_on(1, 2, "near");
  const std::string far = name_on(2, 2, "far");
  leader.open(rich);
  leader.open(near);
  leader.transfer(deposit_of(50, rich, 10'000));
  const auto split = [&](std::uint64_t id, const std::vector<ledger::SplitCommand::Part>& parts) {
    ledger::SplitCommand command;
    command.id = id_of(id);
    command.debit_account = rich;
    command.currency = usd;
    command.parts = parts;
    return leader.entry([&](Batch& batch) { return batch.split(command); }, leader.stamp()).outcome;
  };
  const ledger::SplitCommand::Part there{far, 3, ShardId(2)};
  const ledger::SplitCommand::Part here{near, 5, ShardId(1)};
  REQUIRE(split(51, {here, here}) == Outcome::success);
  REQUIRE(split(52, {{near, 20'000, ShardId(1)}}) == Outcome::insufficient_funds);
  REQUIRE(split(53, {here, {name_on(1, 2, "nobody"), 5, ShardId(1)}}) == Outcome::credit_account_not_found);
  const auto answer_next = [&](Outcome outcome) {
    const LegNumber number = leader.state.first_unanswered(ShardId(2));
    const TransferId id = leader.state.leg(ShardId(2), number).id;
    REQUIRE(leader.answer(ShardId(2), {number, id, outcome, Position(60), Stamp{60}}));
  };
  while (leader.state.first_unanswered(ShardId(2)) != leader.state.next_leg(ShardId(2))) answer_next(Outcome::success);
  REQUIRE(split(54, {there, here}) == Outcome::pending);
  answer_next(Outcome::success);
  answer_next(Outcome::success);  // ended
  REQUIRE(split(55, {there, there}) == Outcome::pending);
  REQUIRE(split(56, {here, there}) == Outcome::pending);
  REQUIRE(split(57, {there, here, there}) == Outcome::pending);
  answer_next(Outcome::success);
  answer_next(Outcome::success);                   // 55 confirming
  answer_next(Outcome::credit_account_not_found);  // 56 cancelling
  answer_next(Outcome::success);                   // 57: one of two answered
  REQUIRE(split(58, {there, here}) == Outcome::pending);
  answer_next(Outcome::success);  // 57 confirming
  answer_next(Outcome::success);  // 58 confirming
  answer_next(Outcome::success);  // of 55, the first Confirm is done
  REQUIRE(split(59, {there, there, here}) == Outcome::pending);
  return leader;
}

TEST_CASE("property: a frozen state stays as it was, whatever is decided, undone and committed after it") {
  REQUIRE(rc::check("property: frozen = then", [] {
    using Steps = std::vector<std::array<std::uint8_t, 6>>;
    RC_ASSERT(broken_rule(2, *rc::gen::scale(4, rc::gen::arbitrary<Steps>())) == "");
  }));
}

TEST_CASE("long random runs freeze, load and go on from snapshots, with splits and without") {
  std::uint64_t frozen = 0;
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    Prng prng(seed);
    std::vector<std::array<std::uint8_t, 6>> steps(1'500);
    for (auto& step : steps) {
      for (std::uint8_t& number : step) number = static_cast<std::uint8_t>(prng.next());
    }
    REQUIRE(broken_rule(1 + static_cast<std::uint32_t>(seed % 3), steps, &frozen, seed >= 6) == "");
  }
  REQUIRE(frozen > 50);
}

TEST_CASE("an export does not depend on what is kept for undo (design, Snapshots)") {
  Leader leader = rich_leader();
  const Bytes speculative = frozen_bytes(*leader.state.freeze(), 64);
  leader.state.committed(leader.state.last_position());
  StateMachine follower(ShardId(1));
  for (const Bytes& payload : leader.log) {
    follower.apply_entry(payload);
    follower.committed(follower.last_position());
  }
  REQUIRE(frozen_bytes(*leader.state.freeze(), 64) == speculative);
  REQUIRE(frozen_bytes(*follower.freeze(), 1'000'000) == speculative);
  REQUIRE(exported(follower) == speculative);
}

TEST_CASE("a snapshot remembers ids: the same id gets the same answer after it is loaded") {
  const Leader leader = rich_leader();
  const Result<std::unique_ptr<StateMachine>> state = loaded(exported(leader.state));
  REQUIRE(state.has_value());
  REQUIRE((*state)->dedup_rows() == leader.state.dedup_rows());
  const std::string payer = name_on(1, 2, "payer");
  const std::string payee = name_on(2, 2, "payee");
  const std::vector<std::pair<std::uint64_t, Outcome>> bound = {
      {3, Outcome::success}, {4, Outcome::currency_mismatch}, {5, Outcome::pending}};
  for (const auto& [id, outcome] : bound) {
    Batch batch(**state, leader.stamp());
    const Decision decision = batch.transfer(transfer_of(id, payer, payee, 10, usd, ShardId(2)));
    REQUIRE(decision.replayed);
    REQUIRE(decision.outcome == outcome);
    REQUIRE(batch.events() == 0);
    const auto before = leader.state.find_transfer(default_tenant, payer, id_of(id));
    REQUIRE(decision.record.position == before->position);
    REQUIRE(decision.record.target_position == before->target_position);
  }
  REQUIRE((*state)->first_unanswered(ShardId(2)) == LegNumber(3));
  REQUIRE((*state)->next_leg(ShardId(2)) == LegNumber(6));
  REQUIRE((*state)->next_expected(ShardId(2)) == LegNumber(6));
  REQUIRE_FALSE((*state)->recorded_answer(ShardId(2), LegNumber(2)).has_value());
  REQUIRE((*state)->recorded_answer(ShardId(2), LegNumber(3)).has_value());
}

TEST_CASE("what is in a snapshot cannot be undone, what comes after it can") {
  Leader leader = rich_leader();
  const Result<std::unique_ptr<StateMachine>> state = loaded(exported(leader.state));
  REQUIRE(state.has_value());
  REQUIRE_THROWS_AS((*state)->undo_entry(leader.log.back()), CheckFailure);
  leader.answer(ShardId(2), {LegNumber(3), id_of(5), Outcome::success, Position(5), Stamp{9}});
  const Bytes before = exported(**state);
  (*state)->apply_entry(leader.log.back());
  REQUIRE(exported(**state) == exported(leader.state));
  (*state)->undo_entry(leader.log.back());
  REQUIRE(exported(**state) == before);
}

TEST_CASE("a frozen state outlives its machine, and two of them each other") {
  Leader leader = rich_leader();
  std::optional<StateMachine> machine(std::in_place, leader.state);
  const std::unique_ptr<FrozenState> first = machine->freeze();
  const Bytes then = exported(*machine);
  leader.open(name_on(1, 2, "late"));
  machine->apply_entry(leader.log.back());
  const std::unique_ptr<FrozenState> second = machine->freeze();
  const Bytes later = exported(*machine);
  machine.reset();
  REQUIRE(frozen_bytes(*first, 7) == then);
  REQUIRE(frozen_bytes(*second, 7) == later);
}

TEST_CASE("an empty shard is exported and loaded as well") {
  StateMachine empty(ShardId(3));
  REQUIRE(empty.size_estimate() == exported(empty).size());
  const Result<std::unique_ptr<StateMachine>> state = loaded(exported(empty), ShardId(3));
  REQUIRE(state.has_value());
  REQUIRE(exported(**state) == exported(empty));
  REQUIRE_FALSE((*state)->is_founded());
}

TEST_CASE("the export of another shard, another version, a part or too much is refused") {
  const Bytes bytes = exported(rich_leader().state);
  REQUIRE(loaded(bytes).has_value());
  REQUIRE_FALSE(loaded(bytes, ShardId(2)).has_value());
  for (std::size_t size = 0; size < bytes.size(); ++size)
    REQUIRE_FALSE(loaded(ByteView(bytes).first(size)).has_value());
  Bytes more = bytes;
  more.push_back({});
  REQUIRE_FALSE(loaded(more).has_value());
  Bytes version = bytes;
  version[0] = std::byte{2};
  REQUIRE_FALSE(loaded(version).has_value());
}

TEST_CASE("property: mutated exports are loaded as the canonical export of something, or refused") {
  const Bytes bytes = exported(rich_leader().state);
  REQUIRE(rc::check("property: loading is total", [&](std::uint64_t seed) {
    Prng prng(seed);
    for (int round = 0; round < 50; ++round) {
      Bytes mutated = bytes;
      for (std::uint64_t flips = prng.below(3) + 1; flips > 0; --flips) {
        mutated[prng.below(mutated.size())] = static_cast<std::byte>(prng.chance(500) ? prng.next() : prng.below(3));
      }
      if (prng.chance(100)) mutated.resize(prng.below(mutated.size()) + 1);
      const Result<std::unique_ptr<StateMachine>> state = loaded(mutated);
      if (state) RC_ASSERT(exported(**state) == mutated);
    }
  }));
}

TEST_CASE("a snapshot holds what TC/C has tried and not ended: the Try, the Confirm, the Cancel, the room kept") {
  Leader leader = tried_leader();
  const Bytes bytes = exported(leader.state);
  REQUIRE(bytes[0] == std::byte{2});
  const Result<std::unique_ptr<StateMachine>> state = loaded(bytes);
  REQUIRE(state.has_value());
  REQUIRE(exported(**state) == bytes);
  REQUIRE((*state)->size_estimate() == bytes.size());
  REQUIRE(frozen_bytes(*leader.state.freeze(), 7) == bytes);
  REQUIRE((*state)->leg(ShardId(2), LegNumber(3)).step == ledger::LegStep::try_credit);
  REQUIRE((*state)->leg(ShardId(2), LegNumber(4)).step == ledger::LegStep::confirm);
  REQUIRE((*state)->leg(ShardId(2), LegNumber(5)).step == ledger::LegStep::cancel);
  REQUIRE((*state)->leg(ShardId(2), LegNumber(5)).tried == LegNumber(2));
  for (std::size_t size = 0; size < bytes.size(); ++size)
    REQUIRE_FALSE(loaded(ByteView(bytes).first(size)).has_value());
  Bytes version = bytes;
  version[0] = std::byte{1};
  REQUIRE_FALSE(loaded(version).has_value());
}

TEST_CASE("property: mutated exports with tries are loaded as the canonical export of something, or refused") {
  const Bytes bytes = exported(tried_leader().state);
  REQUIRE(rc::check("property: loading tries is total", [&](std::uint64_t seed) {
    Prng prng(seed);
    for (int round = 0; round < 50; ++round) {
      Bytes mutated = bytes;
      for (std::uint64_t flips = prng.below(3) + 1; flips > 0; --flips) {
        mutated[prng.below(mutated.size())] = static_cast<std::byte>(prng.chance(500) ? prng.next() : prng.below(3));
      }
      const Result<std::unique_ptr<StateMachine>> state = loaded(mutated);
      if (state) RC_ASSERT(exported(**state) == mutated);
    }
  }));
}

TEST_CASE("property: mutated exports with account states are loaded as the canonical export of something, or refused") {
  const Bytes bytes = exported(changed_leader().state);
  REQUIRE(bytes[0] == std::byte{3});
  REQUIRE(exported(**loaded(bytes)) == bytes);
  REQUIRE(rc::check("property: loading account states is total", [&](std::uint64_t seed) {
    Prng prng(seed);
    for (int round = 0; round < 50; ++round) {
      Bytes mutated = bytes;
      for (std::uint64_t flips = prng.below(3) + 1; flips > 0; --flips) {
        mutated[prng.below(mutated.size())] = static_cast<std::byte>(prng.chance(500) ? prng.next() : prng.below(7));
      }
      const Result<std::unique_ptr<StateMachine>> state = loaded(mutated);
      if (state) RC_ASSERT(exported(**state) == mutated);
    }
  }));
}

TEST_CASE("a snapshot holds splits in every state, and those who begin from it go on as those who did not") {
  Leader leader = split_leader();
  const Bytes bytes = exported(leader.state);
  REQUIRE(bytes[0] == std::byte{6});
  const Result<std::unique_ptr<StateMachine>> state = loaded(bytes);
  REQUIRE(state.has_value());
  REQUIRE(exported(**state) == bytes);
  REQUIRE((*state)->size_estimate() == bytes.size());
  REQUIRE(frozen_bytes(*leader.state.freeze(), 7) == bytes);
  for (std::size_t size = 0; size < bytes.size(); ++size)
    REQUIRE_FALSE(loaded(ByteView(bytes).first(size)).has_value());
  while (leader.state.first_unanswered(ShardId(2)) != leader.state.next_leg(ShardId(2))) {
    const LegNumber number = leader.state.first_unanswered(ShardId(2));
    const TransferId id = leader.state.leg(ShardId(2), number).id;
    REQUIRE(leader.answer(ShardId(2), {number, id, Outcome::success, Position(70), Stamp{70}}));
    (*state)->apply_entry(leader.log.back());
    REQUIRE(exported(**state) == exported(leader.state));
  }
}

TEST_CASE("a snapshot in which a split does not stand as its parts have answered is refused") {
  const Bytes bytes = exported(split_leader().state);
  const auto with = [&](std::uint64_t id, Outcome outcome) {
    const TransferId bound = id_of(id);
    const auto same = [](std::byte byte, std::uint8_t number) { return byte == std::byte{number}; };
    Bytes changed = bytes;
    auto at = changed.begin();
    do {
      at = std::search(at + 1, changed.end(), bound.bytes.begin(), bound.bytes.end(), same);
    } while (at[48] != std::byte{8});  // id, digest, position, stamp; the operation, and behind it the outcome
    at[49] = static_cast<std::byte>(outcome);
    return loaded(changed).has_value();
  };
  REQUIRE(with(57, Outcome::pending));               // as it is
  REQUIRE_FALSE(with(57, Outcome::success));         // and its Confirms are under way
  REQUIRE_FALSE(with(54, Outcome::pending));         // and nothing is
  REQUIRE_FALSE(with(56, Outcome::account_frozen));  // and the part says that there is no account
}

TEST_CASE("property: mutated exports with splits are loaded as the canonical export of something, or refused") {
  const Bytes bytes = exported(split_leader().state);
  REQUIRE(rc::check("property: loading splits is total", [&](std::uint64_t seed) {
    Prng prng(seed);
    for (int round = 0; round < 50; ++round) {
      Bytes mutated = bytes;
      for (std::uint64_t flips = prng.below(3) + 1; flips > 0; --flips) {
        mutated[prng.below(mutated.size())] = static_cast<std::byte>(prng.chance(500) ? prng.next() : prng.below(7));
      }
      const Result<std::unique_ptr<StateMachine>> state = loaded(mutated);
      if (state) RC_ASSERT(exported(**state) == mutated);
    }
  }));
}

TEST_CASE("property: arbitrary bytes behind a head are refused without reserving for the counts they claim") {
  Bytes head = exported(Leader(1).state);
  head.resize(1 + 4 + 1 + 8 + 8 + 4 + 6);  // founded, with all slots
  REQUIRE(rc::check("property: counts are not trusted", [&](std::uint64_t seed) {
    Prng prng(seed);
    Bytes bytes = head;
    for (std::uint64_t left = prng.below(400); left > 0; --left) bytes.push_back(static_cast<std::byte>(prng.next()));
    RC_ASSERT(!loaded(bytes).has_value());
  }));
}

TEST_CASE("money from nowhere and legs without their transfer are refused") {
  Leader leader(1, 2);
  leader.open(name_on(1, 2, "payer"));
  leader.transfer(deposit_of(1, name_on(1, 2, "payer"), 1'000));
  Bytes bytes = exported(leader.state);
  REQUIRE(loaded(bytes).has_value());
  const Bytes balance = [] {
    Bytes little;
    ByteWriter(little).i64(1'000);
    return little;
  }();
  const auto at = std::search(bytes.begin(), bytes.end(), balance.begin(), balance.end());
  REQUIRE(at != bytes.end());
  *at ^= std::byte{1};
  REQUIRE_FALSE(loaded(bytes).has_value());
}

}  // namespace
