// Captures whose payee lives on another shard, by every protocol; and snapshots of states with holds.
#include <optional>
#include <string>

#include <catch2/catch.hpp>
#include <rapidcheck.h>

#include "core/base/check.h"
#include "core/base/prng.h"
#include "core/txn/frozen_state.h"
#include "core/txn/state_loader.h"
#include "tests/core/txn/holding.h"

namespace {

using namespace coffer;
using namespace coffer::txn;
using namespace coffer::txn::testing;
using ledger::HoldEnd;
using ledger::Protocol;

constexpr ShardId one(1);
constexpr ShardId two(2);

/// A payer with 100.00 USD in the first shard, of which 60.00 are held, and a payee in the second.
struct Across {
  explicit Across(Protocol protocol) : source(1, 2, protocol), target(2, 2, protocol) {
    source.open(payer);
    target.open(payee);
    source.transfer(deposit_of(1, payer, 10'000));
    place(source, hold_of(2, payer, 6'000));
  }
  /// Delivers every leg and its answer until nothing is on its way.
  void settle() {
    while (source.state.first_unanswered(two) != source.state.next_leg(two)) {
      const LegDecision taken = target.receive(one, source.state.leg(two, source.state.first_unanswered(two)));
      REQUIRE(source.answer(two, taken.answer));
    }
  }
  Outcome outcome(const TransferId& id) const { return source.state.find_transfer(default_tenant, payer, id)->outcome; }
  void require_right(std::int64_t moved) {
    REQUIRE(source.balance(payer) == 10'000 - moved);
    REQUIRE(target.balance(payee) == moved);
    REQUIRE(held(source, payer) == 0);
    REQUIRE(source.system("sys:transit:USD:2") + target.system("sys:transit:USD:1") == 0);
    check_undone(source);
    check_undone(target);
  }

  std::string payer = name_on(1, 2, "payer");
  std::string payee = name_on(2, 2, "payee");
  Leader source;
  Leader target;
};

TEST_CASE("a capture across shards takes what was held by any protocol, and its repetition waits with it") {
  const Protocol protocol = GENERATE(Protocol::saga, Protocol::tcc, Protocol::two_phase_commit);
  CAPTURE(static_cast<int>(protocol));
  Across world(protocol);
  const ledger::CaptureHoldCommand command = capture_of(2, world.payer, world.payee, 5'000, usd, two);
  const CaptureDecision captured = capture(world.source, command);
  REQUIRE(captured.status == Outcome::success);
  REQUIRE(captured.decision.outcome == Outcome::pending);
  REQUIRE(captured.decision.record.target == two);
  REQUIRE(held(world.source, world.payer) == 0);
  REQUIRE(world.source.balance(world.payer) == 5'000);
  const CaptureDecision again = capture(world.source, command);
  REQUIRE(again.decision.outcome == Outcome::pending);
  REQUIRE(again.decision.replayed);
  REQUIRE(again.decision.record.leg == captured.decision.record.leg);
  REQUIRE(release(world.source, 2, world.payer).outcome == Outcome::hold_captured);
  world.settle();
  REQUIRE(world.outcome(captured.transfer) == Outcome::success);
  REQUIRE(capture(world.source, command).decision.outcome == Outcome::success);
  world.require_right(5'000);
}

TEST_CASE("a capture that the payee's shard refuses comes back to the payer, and the hold has ended") {
  const Protocol protocol = GENERATE(Protocol::saga, Protocol::tcc, Protocol::two_phase_commit);
  CAPTURE(static_cast<int>(protocol));
  Across world(protocol);
  const std::string stranger = name_on(2, 2, "stranger");
  const CaptureDecision captured = capture(world.source, capture_of(2, world.payer, stranger, 6'000, usd, two));
  REQUIRE(captured.decision.outcome == Outcome::pending);
  world.settle();
  REQUIRE(world.outcome(captured.transfer) == Outcome::credit_account_not_found);
  REQUIRE(hold_at(world.source, 2, world.payer).end == HoldEnd::captured);
  world.require_right(0);
}

TEST_CASE("a capture from a frozen account goes across shards as well (A2)") {
  const Protocol protocol = GENERATE(Protocol::saga, Protocol::tcc, Protocol::two_phase_commit);
  Across world(protocol);
  const ledger::ChangeAccountCommand freeze{ledger::Operation::freeze, id_of(9), default_tenant, PrincipalId(),
                                            world.payer};
  world.source.entry([&](Batch& batch) { return batch.change_account(freeze); }, world.source.stamp());
  REQUIRE(world.source.transfer(transfer_of(3, world.payer, world.payee, 1, usd, two)).outcome ==
          Outcome::account_frozen);
  const CaptureDecision captured = capture(world.source, capture_of(2, world.payer, world.payee, 6'000, usd, two));
  REQUIRE(captured.decision.outcome == Outcome::pending);
  world.settle();
  REQUIRE(world.outcome(captured.transfer) == Outcome::success);
  world.require_right(6'000);
}

TEST_CASE("legs, Tries and prepares begin with what is not held") {
  const Protocol protocol = GENERATE(Protocol::saga, Protocol::tcc, Protocol::two_phase_commit);
  Across world(protocol);
  REQUIRE(world.source.transfer(transfer_of(3, world.payer, world.payee, 4'001, usd, two)).outcome ==
          Outcome::insufficient_funds);
  REQUIRE(world.source.transfer(transfer_of(4, world.payer, world.payee, 4'000, usd, two)).outcome == Outcome::pending);
  REQUIRE(held(world.source, world.payer) == 6'000);
  REQUIRE(world.source.balance(world.payer) == 6'000);
  world.settle();
  REQUIRE(world.target.balance(world.payee) == 4'000);
  check_undone(world.source);
}

TEST_CASE("two-phase commit's lock keeps holds out, and puts a capture off without a trace (D5, decision 11)") {
  Across world(Protocol::two_phase_commit);
  const std::string neighbour = name_on(1, 2, "neighbour");
  world.source.open(neighbour);
  world.source.transfer(transfer_of(3, world.payer, world.payee, 1'000, usd, two));
  REQUIRE(place(world.source, hold_of(4, world.payer, 1)).outcome == Outcome::account_locked);
  const bool across = GENERATE(false, true);
  const ledger::CaptureHoldCommand command =
      across ? capture_of(2, world.payer, world.payee, 5'000, usd, two) : capture_of(2, world.payer, neighbour, 5'000);
  const std::size_t entries = world.source.log.size();
  REQUIRE(capture(world.source, command).status == Outcome::account_busy);
  REQUIRE(capture(world.source, command).status == Outcome::account_busy);
  REQUIRE(world.source.log.size() == entries);
  REQUIRE(held(world.source, world.payer) == 6'000);
  REQUIRE(hold_at(world.source, 2, world.payer).end == HoldEnd::live);
  const TransferId taking = ledger::capture_id_of(id_of(2));
  REQUIRE_FALSE(world.source.state.find_transfer(default_tenant, world.payer, taking).has_value());
  // What would be refused for ever is refused as ever, lock or not.
  REQUIRE(capture(world.source, capture_of(2, world.payer, neighbour, 6'001)).status == Outcome::hold_exceeded);
  REQUIRE(capture(world.source, capture_of(9, world.payer, neighbour, 1)).status == Outcome::hold_not_found);
  world.settle();
  const CaptureDecision again = capture(world.source, command);
  REQUIRE(again.status == Outcome::success);
  REQUIRE_FALSE(again.decision.replayed);
  world.settle();
  REQUIRE(world.outcome(again.transfer) == Outcome::success);
  REQUIRE(world.source.balance(world.payer) == 4'000);
  REQUIRE(held(world.source, world.payer) == 0);
  check_undone(world.source);
}

TEST_CASE("a hold is voided, and expires, though two-phase commit has locked its account (D5)") {
  Across world(Protocol::two_phase_commit);
  place(world.source, hold_of(4, world.payer, 1'000, nanoseconds(100)));
  world.source.transfer(transfer_of(3, world.payer, world.payee, 1'000, usd, two));
  REQUIRE(release(world.source, 2, world.payer).outcome == Outcome::success);
  REQUIRE(expire(world.source, Stamp{world.source.state.last_stamp().nanos + 1'000}).size() == 1);
  REQUIRE(held(world.source, world.payer) == 0);
  world.settle();
  world.require_right(1'000);
}

TEST_CASE("a lock on the payee's side only has ended the hold: it is known too late (D4)") {
  Across world(Protocol::two_phase_commit);
  world.target.transfer(deposit_of(8, world.payee, 50));
  world.target.transfer(transfer_of(9, world.payee, world.payer, 50, usd, one));  // locks the payee
  const CaptureDecision captured = capture(world.source, capture_of(2, world.payer, world.payee, 1, usd, two));
  REQUIRE(captured.decision.outcome == Outcome::pending);
  world.settle();
  REQUIRE(world.outcome(captured.transfer) == Outcome::account_locked);
  REQUIRE(hold_at(world.source, 2, world.payer).end == HoldEnd::captured);
  REQUIRE(held(world.source, world.payer) == 0);
}

// ---- snapshots ------------------------------------------------------------------------------------------------------

/// A shard with holds that live, were captured here and across, voided, expired and refused.
Leader holding_leader() {
  Across world(Protocol::tcc);
  Leader& leader = world.source;
  place(leader, hold_of(3, world.payer, 100));
  place(leader, hold_of(4, world.payer, 100, nanoseconds(50)));
  place(leader, hold_of(5, world.payer, 100));
  place(leader, hold_of(6, world.payer, 9'000));  // refused
  const std::string neighbour = name_on(1, 2, "neighbour");
  leader.open(neighbour);
  capture(leader, capture_of(2, world.payer, world.payee, 5'000, usd, two));
  place(leader, hold_of(7, world.payer, 70));
  capture(leader, capture_of(7, world.payer, neighbour, 60));
  release(leader, 3, world.payer);
  expire(leader, Stamp{leader.state.last_stamp().nanos + 1'000});
  place(leader, hold_of(8, world.payer, 80));
  return leader;
}

Result<std::unique_ptr<StateMachine>> loaded(ByteView snapshot) {
  StateLoader loader(one);
  if (const Result<void> fed = loader.feed(snapshot); !fed) return fed.error();
  return loader.finish();
}

TEST_CASE(
    "a snapshot remembers holds, in a version of its own, and what becomes of them is the same (docs/FORMATS.md)") {
  const Leader leader = holding_leader();
  const Bytes bytes = exported(leader.state);
  REQUIRE(bytes[0] == std::byte{4});
  REQUIRE(leader.state.size_estimate() == bytes.size());
  auto state = loaded(bytes);
  REQUIRE(state.has_value());
  REQUIRE(exported(**state) == bytes);
  REQUIRE((*state)->size_estimate() == bytes.size());
  const std::string payer = name_on(1, 2, "payer");
  REQUIRE((*state)->held(default_tenant, payer, usd) == (Money{180, usd}));
  REQUIRE((*state)->next_expiry() == leader.state.next_expiry());
  for (const auto& [id, end] :
       {std::pair(2, HoldEnd::captured), std::pair(3, HoldEnd::voided), std::pair(4, HoldEnd::expired),
        std::pair(5, HoldEnd::live), std::pair(7, HoldEnd::captured), std::pair(8, HoldEnd::live)}) {
    CAPTURE(id);
    const auto hold = (*state)->find_hold(default_tenant, payer, id_of(static_cast<std::uint64_t>(id)));
    REQUIRE(hold.has_value());
    REQUIRE(hold->end == end);
  }
  REQUIRE_FALSE((*state)->find_hold(default_tenant, payer, id_of(6)).has_value());
  Batch batch(**state, leader.stamp());
  REQUIRE(batch.place_hold(hold_of(5, payer, 100)).replayed);
  REQUIRE(batch.place_hold(hold_of(6, payer, 9'000)).outcome == Outcome::insufficient_funds);
  REQUIRE(batch.capture_hold(capture_of(7, payer, name_on(1, 2, "neighbour"), 60)).decision.replayed);
  REQUIRE(batch.void_hold({id_of(3), default_tenant, PrincipalId(), payer}).already);
  REQUIRE(batch.void_hold({id_of(8), default_tenant, PrincipalId(), payer}).outcome == Outcome::success);
}

TEST_CASE("a frozen state keeps its holds while they are placed and end (known bug 30)") {
  Leader leader = holding_leader();
  const std::string payer = name_on(1, 2, "payer");
  const Bytes then = exported(leader.state);
  const std::unique_ptr<FrozenState> frozen = leader.state.freeze();
  Bytes bytes;
  REQUIRE(frozen->next_chunk(bytes, 10));
  const std::size_t entries = leader.log.size();
  release(leader, 5, payer);
  capture(leader, capture_of(8, payer, name_on(1, 2, "neighbour"), 80));
  for (std::uint64_t id = 20; id < 150; ++id) place(leader, hold_of(id, payer, 1));
  expire(leader, Stamp{leader.state.last_stamp().nanos + seconds(2).nanos});
  while (frozen->next_chunk(bytes, 100)) {
  }
  REQUIRE(bytes == then);
  while (leader.log.size() > entries) {
    leader.state.undo_entry(leader.log.back());
    leader.log.pop_back();
  }
  REQUIRE(exported(leader.state) == then);
}

TEST_CASE("holds that no shard can have are refused by the loader") {
  const Leader leader = holding_leader();
  const Bytes bytes = exported(leader.state);
  // The last rows are the holds': 6 of them, 25 bytes each, behind their count.
  const std::size_t rows = bytes.size() - 6 * hold_row_bytes;
  const auto changed = [&](std::size_t row, std::size_t at, std::byte to) {
    Bytes other = bytes;
    other[rows + row * hold_row_bytes + at] = to;
    return !loaded(other).has_value();
  };
  REQUIRE(bytes[rows - 8] == std::byte{6});
  REQUIRE(changed(0, 24, std::byte{2}) == false);  // it might have been voided
  REQUIRE(changed(0, 24, std::byte{0}));           // but not be live: there is no money for it
  REQUIRE(changed(1, 24, std::byte{1}));           // nor captured: no transfer has its id
  REQUIRE(changed(1, 24, std::byte{4}));
  REQUIRE(changed(1, 0, std::byte{0}));     // of another id
  REQUIRE(changed(1, 0, std::byte{0xEE}));  // of none
  REQUIRE(changed(3, 4, std::byte{1}));     // on a system pocket
  REQUIRE(changed(3, 15, std::byte{0x80}));
  REQUIRE(changed(3, 14, std::byte{0x7F}));  // more than the balance
  Bytes fewer(bytes.begin(), bytes.end() - static_cast<std::ptrdiff_t>(hold_row_bytes));
  fewer[rows - 8] = std::byte{5};
  REQUIRE_FALSE(loaded(fewer).has_value());
  Bytes version = bytes;
  version[0] = std::byte{3};
  REQUIRE_FALSE(loaded(version).has_value());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    REQUIRE_FALSE(loaded(ByteView(bytes).first(size)).has_value());
  }
}

TEST_CASE("property: mutated exports with holds are loaded as the canonical export of something, or refused") {
  const Bytes bytes = exported(holding_leader().state);
  REQUIRE(rc::check("property: loading holds is total", [&](std::uint64_t seed) {
    Prng prng(seed);
    for (int round = 0; round < 50; ++round) {
      Bytes mutated = bytes;
      for (std::uint64_t flips = prng.below(3) + 1; flips > 0; --flips) {
        // Mostly among the holds, which come last.
        const std::size_t last = prng.chance(700) ? 160 : mutated.size();
        mutated[mutated.size() - 1 - prng.below(last)] =
            static_cast<std::byte>(prng.chance(500) ? prng.next() : prng.below(5));
      }
      const Result<std::unique_ptr<StateMachine>> state = loaded(mutated);
      if (state) RC_ASSERT(exported(**state) == mutated);
    }
  }));
}

TEST_CASE("property: a mutated entry with holds is folded or ends the run by a check, and nothing else") {
  const Leader leader = holding_leader();
  REQUIRE(rc::check("property: apply of holds is total", [&](std::uint64_t seed) {
    Prng prng(seed);
    StateMachine at_last(one);
    for (std::size_t last = 0; last < leader.log.size(); ++last) {
      StateMachine state(at_last);
      at_last.apply_entry(leader.log[last]);
      Bytes mutated = leader.log[last];
      for (std::uint64_t flips = prng.below(3) + 1; flips > 0; --flips) {
        mutated[prng.below(mutated.size())] = static_cast<std::byte>(prng.next());
      }
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
