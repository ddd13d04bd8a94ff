// Ids that carry a number of a source: each is decided once, in its order, whoever sends it and however often (decision
// 12, section 2, N1 to N7). Whatever is decided is undone exactly, folds to the same state anywhere, and survives a
// snapshot.
#include "core/txn/sources.h"

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>
#include <rapidcheck.h>

#include "core/base/check.h"
#include "core/base/prng.h"
#include "core/base/uuid_number.h"
#include "core/base/uuid_time.h"
#include "core/txn/frozen_state.h"
#include "core/txn/state_loader.h"
#include "tests/core/txn/leader.h"

namespace {

using namespace coffer;
using namespace coffer::txn;
using namespace coffer::txn::testing;

constexpr std::uint64_t gateway = 0xABC'0000'0000'0007;

TransferId numbered(std::uint64_t number, std::uint64_t source = gateway) { return uuid_numbered({source, number}); }

/// A shard whose leader reads numbers, or does not.
struct Numbered {
  explicit Numbered(std::uint32_t shard = 1, std::uint32_t shards = 1,
                    ledger::Protocol protocol_of = ledger::Protocol::saga)
      : state(ShardId(shard)), protocol(protocol_of) {
    entry([&](Batch& batch) { batch.found(ShardId(shard), slots_of(shard, shards)); });
  }

  template <class Work>
  void entry(Work&& work, Stamp at_least = {}) {
    IdRules rules;
    rules.numbered = reads_numbers;
    const Stamp stamp{std::max(state.last_stamp().nanos + 10, at_least.nanos)};
    if (window > Duration{}) {
      rules.window = window;
      rules.now = {WallTime{stamp.nanos}, WallTime{stamp.nanos}};
    }
    Batch batch(state, stamp, protocol, rules);
    batch.move_window();
    work(batch);
    if (batch.events() > 0) log.push_back(batch.finish());
  }
  void open(std::string_view account) {
    entry([&](Batch& batch) {
      bool already = false;
      REQUIRE(batch.open_account({default_tenant, PrincipalId(), account, usd}, already) == Outcome::success);
    });
  }
  Decision decide(ledger::TransferCommand command, const TransferId& id) {
    command.id = id;
    Decision decision;
    entry([&](Batch& batch) { decision = batch.transfer(command); });
    return decision;
  }
  Decision deposit(const TransferId& id, std::int64_t minor = 10, std::string_view account = "alice") {
    return decide(deposit_of(0, account, minor), id);
  }
  std::int64_t balance(std::string_view account = "alice") const {
    return state.balance(default_tenant, account, usd).value_or(Money{-1, usd}).minor;
  }

  StateMachine state;
  ledger::Protocol protocol;
  bool reads_numbers = true;
  Duration window;
  std::vector<Bytes> log;
};

/// Undoes the log to its beginning and folds it again; each state must be the one that was there before.
void require_undone(const Numbered& world) {
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

std::unique_ptr<StateMachine> loaded(const Bytes& bytes, ShardId shard) {
  StateLoader loader(shard);
  REQUIRE_FALSE(loader.feed(bytes).has_error());
  auto machine = loader.finish();
  REQUIRE_FALSE(machine.has_error());
  return std::move(*machine);
}

TEST_CASE("numbers are decided one after the other; a repetition is answered, a gap refused by name (N1 to N4)") {
  Numbered world;
  world.open("alice");
  const Decision early = world.deposit(numbered(2));
  REQUIRE(early.outcome == Outcome::id_gap);
  REQUIRE(early.expected == 1);
  REQUIRE(world.log.size() == 2);  // which leaves no trace
  const Decision first = world.deposit(numbered(1));
  REQUIRE(first.outcome == Outcome::success);
  REQUIRE_FALSE(first.replayed);
  const Decision again = world.deposit(numbered(1));
  REQUIRE(again.replayed);
  REQUIRE(again.outcome == Outcome::success);
  REQUIRE(again.record.position == first.record.position);
  REQUIRE(world.deposit(numbered(1), 11).outcome == Outcome::idempotency_payload_mismatch);
  REQUIRE(world.deposit(numbered(2), 5).outcome == Outcome::success);
  REQUIRE(world.deposit(numbered(1)).outcome == Outcome::id_expired);
  const Decision far = world.deposit(numbered(id_number_max));
  REQUIRE(far.outcome == Outcome::id_gap);
  REQUIRE(far.expected == 3);
  REQUIRE(world.balance() == 15);
  REQUIRE(world.state.dedup_rows() == 1);
  require_undone(world);
}

TEST_CASE("what is refused in the log uses its number up, what leaves no trace does not (N2)") {
  Numbered world;
  world.open("alice");
  world.open("bob");
  REQUIRE(world.decide(transfer_of(0, "alice", "bob", 10), numbered(1)).outcome == Outcome::insufficient_funds);
  REQUIRE(world.decide(transfer_of(0, "alice", "bob", 10), numbered(1)).replayed);
  REQUIRE(world.decide(transfer_of(0, "alice", "alice", 10), numbered(2)).outcome == Outcome::same_account);
  REQUIRE(world.deposit(numbered(2)).outcome == Outcome::success);
  REQUIRE(world.decide(transfer_of(0, "alice", "bob", 4), numbered(3)).outcome == Outcome::success);
  REQUIRE(world.decide(withdrawal_of(0, "alice", 6), numbered(4)).outcome == Outcome::success);
  REQUIRE(world.balance() == 0);
  require_undone(world);
}

TEST_CASE("each account of each source has numbers of its own (N1)") {
  Numbered world;
  world.open("alice");
  world.open("bob");
  for (const std::uint64_t number : {1, 2, 3}) {
    for (const char* account : {"alice", "bob"}) {
      for (const std::uint64_t source : {std::uint64_t{0}, gateway, id_source_max}) {
        REQUIRE(world.deposit(numbered(number, source), 1, account).outcome == Outcome::success);
      }
    }
  }
  REQUIRE(world.balance("alice") == 9);
  REQUIRE(world.balance("bob") == 9);
  REQUIRE(world.state.dedup_rows() == 6);
  require_undone(world);
}

TEST_CASE("ids are numbered only where that is set, and a source that is known stays so (N6)") {
  Numbered world;
  world.open("alice");
  world.reads_numbers = false;
  REQUIRE(world.deposit(numbered(9, 1)).outcome == Outcome::success);  // an id as any other
  REQUIRE(world.deposit(numbered(3, 1)).outcome == Outcome::success);
  REQUIRE(world.deposit(numbered(9, 1)).replayed);
  REQUIRE(exported(world.state)[0] == std::byte{1});
  world.reads_numbers = true;
  REQUIRE(world.deposit(numbered(9, 1)).replayed);  // bound before
  REQUIRE(world.deposit(numbered(1)).outcome == Outcome::success);
  REQUIRE(world.deposit(numbered(2)).outcome == Outcome::success);
  world.reads_numbers = false;
  REQUIRE(world.deposit(numbered(4)).outcome == Outcome::id_gap);
  REQUIRE(world.deposit(numbered(1)).outcome == Outcome::id_expired);
  REQUIRE(world.deposit(numbered(3)).outcome == Outcome::success);
  REQUIRE(world.deposit(numbered(8, 2)).outcome == Outcome::success);  // of a source that nobody knows
  require_undone(world);
}

TEST_CASE("a number waits until nothing of the one before is under way, by every protocol (N3)") {
  const auto protocol = GENERATE(ledger::Protocol::saga, ledger::Protocol::tcc, ledger::Protocol::two_phase_commit);
  const bool agrees = GENERATE(true, false);
  Numbered world(1, 2, protocol);
  const std::string payer = name_on(1, 2, "payer");
  const std::string payee = name_on(2, 2, "payee");
  world.open(payer);
  REQUIRE(world.deposit(numbered(1), 100, payer).outcome == Outcome::success);
  const ledger::TransferCommand across = transfer_of(0, payer, payee, 30, usd, ShardId(2));
  REQUIRE(world.decide(across, numbered(2)).outcome == Outcome::pending);
  const auto next_waits = [&] {
    REQUIRE(world.deposit(numbered(3), 1, payer).outcome == Outcome::in_flight);
    REQUIRE(world.deposit(numbered(4), 1, payer).outcome == Outcome::id_gap);
    REQUIRE(world.decide(across, numbered(2)).replayed);
    const auto copy = loaded(exported(world.state), ShardId(1));
    REQUIRE(copy->leg(ShardId(2), copy->first_unanswered(ShardId(2))).id == numbered(2));
  };
  next_waits();
  const Outcome said = agrees ? Outcome::success : Outcome::account_closed;
  const Stamp first_stamp{world.state.last_stamp().nanos + 100};
  world.entry(
      [&](Batch& batch) {
        batch.answer_leg(ShardId(2), {LegNumber(1), numbered(2), said, Position(7), first_stamp});
      },
      Stamp{first_stamp.nanos + 1});
  if (protocol != ledger::Protocol::saga) {
    next_waits();
    const Stamp second_stamp{world.state.last_stamp().nanos + 100};
    world.entry(
        [&](Batch& batch) {
          batch.answer_leg(ShardId(2), {LegNumber(2), numbered(2), Outcome::success, Position(8), second_stamp});
        },
        Stamp{second_stamp.nanos + 1});
  }
  REQUIRE(world.decide(across, numbered(2)).outcome == said);
  REQUIRE(world.deposit(numbered(3), 1, payer).outcome == Outcome::success);
  REQUIRE(world.decide(across, numbered(2)).outcome == Outcome::id_expired);
  REQUIRE(world.decide(across, numbered(4)).outcome == Outcome::pending);  // a leg of the taken row's own
  REQUIRE(world.balance(payer) == (agrees ? 41 : 71));
  require_undone(world);
}

TEST_CASE("holds, splits and changes of accounts are not numbered, and say so (N5)") {
  Numbered world;
  world.open("alice");
  world.open("bob");
  world.deposit(id_of(1), 100);
  const auto outcomes = [&](const TransferId& id) {
    std::vector<Outcome> all;
    world.entry([&](Batch& batch) {
      ledger::PlaceHoldCommand hold;
      hold.id = id;
      hold.account = "alice";
      hold.amount = {10, usd};
      hold.expires_in = seconds(1000);
      all.push_back(batch.place_hold(hold).outcome);
      const std::vector<ledger::SplitCommand::Part> parts = {{"bob", 5, ShardId(1)}};
      ledger::SplitCommand split;
      split.id = id;
      split.debit_account = "alice";
      split.currency = usd;
      split.parts = parts;
      all.push_back(batch.split(split).outcome);
      ledger::ChangeAccountCommand change;
      change.change = ledger::Operation::unfreeze;
      change.id = id;
      change.account = "alice";
      all.push_back(batch.change_account(change).outcome);
    });
    return all;
  };
  REQUIRE(outcomes(numbered(1)) == std::vector<Outcome>(3, Outcome::id_is_numbered));
  world.deposit(numbered(1));
  world.reads_numbers = false;
  REQUIRE(outcomes(numbered(2)) == std::vector<Outcome>(3, Outcome::id_is_numbered));
  REQUIRE(outcomes(numbered(2, 5)).front() == Outcome::success);  // of a source that nobody knows
  require_undone(world);
}

TEST_CASE("a hold is captured where ids are numbered, though the capture's id is one of version 8") {
  Numbered world;
  world.open("alice");
  world.open("bob");
  world.deposit(numbered(1), 100);
  ledger::PlaceHoldCommand hold;
  hold.id = id_of(77);
  hold.account = "alice";
  hold.amount = {10, usd};
  hold.expires_in = seconds(1000);
  world.entry([&](Batch& batch) { REQUIRE(batch.place_hold(hold).outcome == Outcome::success); });
  ledger::CaptureHoldCommand capture;
  capture.id = hold.id;
  capture.account = "alice";
  capture.credit_account = "bob";
  capture.amount = hold.amount;
  capture.credit_shard = ShardId(1);
  REQUIRE(id_number_of(ledger::capture_id_of(hold.id)).has_value());
  world.entry([&](Batch& batch) {
    const CaptureDecision decision = batch.capture_hold(capture);
    REQUIRE(decision.status == Outcome::success);
    REQUIRE(decision.decision.outcome == Outcome::success);
  });
  REQUIRE(world.deposit(numbered(2)).outcome == Outcome::success);
  REQUIRE(world.balance("bob") == 10);
  require_undone(world);
}

TEST_CASE(
    "the status of a number that was taken over is that it has expired, of one to come that it is not found (N7)") {
  Numbered world;
  world.open("alice");
  const auto why = [&](const TransferId& id, std::string_view account) {
    REQUIRE_FALSE(world.state.find_transfer(default_tenant, account, id));
    return world.state.why_not_found(default_tenant, account, id);
  };
  REQUIRE(why(numbered(1), "alice") == Outcome::transfer_not_found);
  REQUIRE(world.state.why_not_found(default_tenant, "", numbered(1)) == Outcome::transfer_not_found);
  world.deposit(numbered(1));
  world.deposit(numbered(2));
  REQUIRE(why(numbered(1), "alice") == Outcome::id_expired);
  REQUIRE(why(numbered(3), "alice") == Outcome::transfer_not_found);
  REQUIRE(why(numbered(1, 5), "alice") == Outcome::transfer_not_found);
  REQUIRE(why(numbered(1), "nobody") == Outcome::transfer_not_found);
  REQUIRE(why(id_of(1), "alice") == Outcome::transfer_not_found);
  REQUIRE(world.state.find_transfer(default_tenant, "alice", numbered(2))->outcome == Outcome::success);
  REQUIRE(world.state.why_not_found(default_tenant, "", numbered(1)) == Outcome::id_is_numbered);
  REQUIRE(world.state.why_not_found(default_tenant, "", id_of(1)) == Outcome::transfer_not_found);
}

TEST_CASE("a number that several accounts have had is nobody's without the account, other ids are found (N7)") {
  Numbered world;
  world.open("alice");
  world.open("bob");
  world.reads_numbers = false;
  world.deposit(numbered(9, 1), 3);  // of version 8, and nobody's number
  world.reads_numbers = true;
  world.deposit(id_of(1), 2);
  const auto is_nobodys = [&](const TransferId& id) {
    return !world.state.find_transfer(default_tenant, id) &&
           world.state.why_not_found(default_tenant, "", id) == Outcome::id_is_numbered;
  };
  world.deposit(numbered(1), 5, "alice");
  REQUIRE(is_nobodys(numbered(1)));
  world.deposit(numbered(1), 7, "bob");
  world.deposit(numbered(2), 7, "bob");
  REQUIRE(is_nobodys(numbered(1)));
  REQUIRE(is_nobodys(numbered(2)));
  REQUIRE(world.state.find_transfer(default_tenant, "alice", numbered(1))->outcome == Outcome::success);
  REQUIRE_FALSE(world.state.find_transfer(default_tenant, "alice", numbered(2)));
  REQUIRE(world.state.find_transfer(default_tenant, numbered(9, 1))->outcome == Outcome::success);
  REQUIRE(world.state.find_transfer(default_tenant, id_of(1))->outcome == Outcome::success);
}

TEST_CASE("a state with sources says so, with a window beside or without, and comes back from its bytes") {
  const bool has_window = GENERATE(false, true);
  Numbered world(1, 2);
  const std::string payer = name_on(1, 2, "payer");
  if (has_window) world.window = seconds(10);
  world.open(payer);
  world.entry([&](Batch&) {}, Stamp{1'704'067'200'000'000'000});
  for (std::uint64_t source = 1; source <= 100; ++source) {
    world.deposit(numbered(1, source), 10, payer);
    if (has_window) {
      const auto now = static_cast<std::uint64_t>(world.state.last_stamp().nanos / 1'000'000);
      world.deposit(uuid_made_at(now, id_of(source)), 1, payer);
    }
    if (source % 10 == 0) {
      world.decide(transfer_of(0, payer, name_on(2, 2, "payee"), 1, usd, ShardId(2)), numbered(2, source));
    }
  }
  const Bytes bytes = exported(world.state);
  REQUIRE(bytes[0] == std::byte{static_cast<std::uint8_t>(has_window ? 9 : 8)});
  const auto copy = loaded(bytes, ShardId(1));
  REQUIRE(exported(*copy) == bytes);
  REQUIRE(copy->dedup_rows() == world.state.dedup_rows());
  Bytes frozen_bytes;
  const auto frozen = world.state.freeze();
  world.deposit(numbered(2, 5), 10, payer);  // while it is written
  while (frozen->next_chunk(frozen_bytes, 333)) {
  }
  REQUIRE(frozen_bytes == bytes);
  // The copy goes on as the original has.
  copy->apply_entry(world.log.back());
  REQUIRE(exported(*copy) == exported(world.state));
  copy->undo_entry(world.log.back());
  REQUIRE(exported(*copy) == bytes);
  require_undone(world);

  Bytes older = bytes;
  older[0] = std::byte{static_cast<std::uint8_t>(has_window ? 7 : 6)};
  StateLoader loader(ShardId(1));
  const bool is_refused = loader.feed(older).has_error() || loader.finish().has_error();
  REQUIRE(is_refused);
}

TEST_CASE("apply refuses numbers out of their order, and sources that cannot be") {
  Numbered world;
  world.open("alice");
  world.deposit(numbered(1));
  world.deposit(numbered(2));
  const auto forged = [&](const std::vector<ledger::Event>& events) {
    Bytes payload;
    ByteWriter out(payload);
    ledger::encode(ledger::EntryHeader{static_cast<std::uint32_t>(events.size()), world.state.last_position().next(),
                                       Stamp{world.state.last_stamp().nanos + 1}},
                   out);
    for (const ledger::Event& event : events) ledger::encode(event, out);
    return payload;
  };
  const auto decided = [&](std::uint64_t number) {
    ledger::Decided made;
    made.operation = ledger::Operation::deposit;
    made.outcome = Outcome::insufficient_funds;
    made.home = AccountNumber(0);
    made.amount = {1, usd};
    made.id = numbered(number);
    return ledger::TransferDecided{made};
  };
  for (const std::vector<ledger::Event>& events : {std::vector<ledger::Event>{decided(1)},
                                                   {decided(2)},
                                                   {decided(4)},
                                                   {decided(3), decided(3)},
                                                   {ledger::SourceOpened{AccountNumber(0), gateway}},
                                                   {ledger::SourceOpened{AccountNumber(1), gateway}}}) {
    StateMachine state(world.state);
    REQUIRE_THROWS_AS(state.apply_entry(forged(events)), CheckFailure);
  }
  StateMachine state(world.state);
  state.apply_entry(forged({decided(3), ledger::SourceOpened{AccountNumber(0), 1}}));
  REQUIRE(exported(*loaded(exported(state), ShardId(1))) == exported(state));  // a source without a number yet
}

/// What a source and an account are told, plainly: the bodies of the numbers decided.
struct Model {
  std::map<std::pair<std::string, std::uint64_t>, std::vector<std::int64_t>> decided;
  std::int64_t balance(const std::string& account) const {
    std::int64_t sum = 0;
    for (const auto& [key, amounts] : decided) {
      if (key.first != account) continue;
      for (const std::int64_t amount : amounts) sum += amount;
    }
    return sum;
  }
};

TEST_CASE("property: numbers are decided as by a plain list, forward, back, and from a snapshot") {
  REQUIRE(rc::check("property: numbers", [](std::uint64_t seed) {
    Prng prng(seed);
    Numbered world;
    const std::vector<std::string> accounts = {"alice", "bob"};
    for (const std::string& account : accounts) world.open(account);
    Model model;
    std::vector<Model> before;  // each entry of the log that can be undone
    for (int step = 0; step < 200; ++step) {
      const std::string& account = accounts[static_cast<std::size_t>(prng.below(2))];
      const std::uint64_t source = prng.below(2);
      std::vector<std::int64_t>& amounts = model.decided[{account, source}];
      const std::uint64_t last = amounts.size();
      const std::uint64_t number = prng.chance(600) ? last + 1 : 1 + prng.below(last + 3);
      const bool repeats = number == last && prng.chance(700);
      const std::int64_t amount = repeats ? amounts.back() : prng.between(1, 3);
      const std::size_t entries = world.log.size();
      const Model as_before = model;
      const Decision decision = world.deposit(numbered(number, source), amount, account);
      if (number == last + 1) {
        RC_ASSERT(decision.outcome == Outcome::success && !decision.replayed);
        model.decided[{account, source}].push_back(amount);
      } else if (number > last + 1) {
        RC_ASSERT(decision.outcome == Outcome::id_gap && decision.expected == last + 1);
      } else if (number < last) {
        RC_ASSERT(decision.outcome == Outcome::id_expired);
      } else if (amount == amounts.back()) {
        RC_ASSERT(decision.outcome == Outcome::success && decision.replayed);
      } else {
        RC_ASSERT(decision.outcome == Outcome::idempotency_payload_mismatch);
      }
      if (world.log.size() > entries) before.push_back(as_before);
      RC_ASSERT(world.balance(account) == model.balance(account));
      if (prng.chance(100)) {  // the tail is lost
        for (std::uint64_t lost = prng.below(4); lost > 0 && !before.empty(); --lost) {
          world.state.undo_entry(world.log.back());
          world.log.pop_back();
          model = before.back();
          before.pop_back();
        }
      }
      if (prng.chance(50)) {  // ... and some of it never will be
        world.state.committed(world.state.last_position());
        before.clear();
      }
      if (prng.chance(50)) {
        const Bytes bytes = exported(world.state);
        RC_ASSERT(exported(*loaded(bytes, ShardId(1))) == bytes);
      }
    }
    require_undone(world);
  }));
}

}  // namespace
