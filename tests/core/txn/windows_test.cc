// Ids that carry their own time: how long they are taken, answered and remembered (decision 12, W1 to W6). Whatever is
// decided is undone exactly, folds to the same state anywhere, and survives a snapshot.
#include "core/txn/windows.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>
#include <rapidcheck.h>

#include "core/base/check.h"
#include "core/base/prng.h"
#include "core/base/uuid_time.h"
#include "core/txn/frozen_state.h"
#include "core/txn/state_loader.h"
#include "tests/core/txn/leader.h"

namespace {

using namespace coffer;
using namespace coffer::txn;
using namespace coffer::txn::testing;

constexpr std::int64_t epoch_ms = 1'704'067'200'000;
constexpr Duration window = seconds(10);
constexpr Duration grace = seconds(2);

TransferId timed_id(std::uint64_t number, std::int64_t at_ms) {
  return uuid_made_at(static_cast<std::uint64_t>(epoch_ms + at_ms), id_of(number));
}
Stamp stamp_at(std::int64_t ms) { return Stamp{(epoch_ms + ms) * 1'000'000}; }

struct Rules {
  Duration id_window = window;
  Duration id_grace = grace;
  bool time_known = true;
};

/// A shard whose ids have a window, and whose batches are made at the times a test says.
struct Timed {
  explicit Timed(std::uint32_t shard = 1, std::uint32_t shards = 1,
                 ledger::Protocol protocol_of = ledger::Protocol::saga, const Rules& rules_of = {})
      : state(ShardId(shard)), protocol(protocol_of), rules(rules_of) {
    Batch batch(state, stamp_at(0), protocol, rules_at(stamp_at(0)));
    batch.found(ShardId(shard), slots_of(shard, shards));
    batch.move_window();
    log.push_back(batch.finish());
  }

  IdRules rules_at(Stamp stamp) const {
    IdRules made{rules.id_window, rules.id_grace, std::nullopt};
    if (rules.time_known) made.now = {WallTime{stamp.nanos}, WallTime{stamp.nanos}};
    return made;
  }
  /// Lets `work` fill a batch at this time, and keeps its entry where there is one. True: there was.
  template <class Work>
  bool at(std::int64_t ms, Work&& work) {
    const Stamp stamp = std::max(stamp_at(ms), Stamp{state.last_stamp().nanos + 1});
    Batch batch(state, stamp, protocol, rules_at(stamp));
    batch.move_window();
    work(batch);
    if (batch.events() == 0) return false;
    log.push_back(batch.finish());
    return true;
  }
  void open(std::string_view account, std::int64_t ms = 0) {
    at(ms, [&](Batch& batch) {
      bool already = false;
      REQUIRE(batch.open_account({default_tenant, PrincipalId(), account, usd}, already) == Outcome::success);
    });
  }
  Decision transfer(std::int64_t ms, ledger::TransferCommand command, const TransferId& id) {
    command.id = id;
    Decision decision;
    at(ms, [&](Batch& batch) { decision = batch.transfer(command); });
    return decision;
  }
  Decision deposit(std::int64_t ms, const TransferId& id, std::int64_t minor = 10) {
    return transfer(ms, deposit_of(0, "alice", minor), id);
  }
  std::int64_t balance(std::string_view account) const {
    return state.balance(default_tenant, account, usd).value_or(Money{-1, usd}).minor;
  }

  StateMachine state;
  ledger::Protocol protocol;
  Rules rules;
  std::vector<Bytes> log;
};

/// Undoes the log to its beginning and folds it again; each state must be the one that was there before.
void require_undone(const Timed& timed) {
  StateMachine forward(timed.state.self());
  std::vector<Bytes> states{exported(forward)};
  for (const Bytes& payload : timed.log) {
    forward.apply_entry(payload);
    states.push_back(exported(forward));
    REQUIRE(forward.size_estimate() == states.back().size());
  }
  REQUIRE(exported(timed.state) == states.back());
  for (std::size_t at = timed.log.size(); at-- > 0;) {
    forward.undo_entry(timed.log[at]);
    REQUIRE(exported(forward) == states[at]);
  }
}

std::unique_ptr<StateMachine> loaded(const StateMachine& state) {
  StateLoader loader(state.self());
  const Bytes bytes = exported(state);
  REQUIRE_FALSE(loader.feed(bytes).has_error());
  auto machine = loader.finish();
  REQUIRE_FALSE(machine.has_error());
  return std::move(*machine);
}

TEST_CASE("an id is taken for its window, answered for the grace beyond, and then expired (decision 12, W1, W4)") {
  Timed timed;
  timed.open("alice");
  const TransferId id = timed_id(1, 100);
  const Decision first = timed.deposit(9'000, id);
  REQUIRE(first.outcome == Outcome::success);
  REQUIRE(timed.state.dedup_rows() == 1);
  for (const std::int64_t ms : {9'001, 10'100, 10'200, 12'000}) {
    const Decision again = timed.deposit(ms, id);
    REQUIRE(again.outcome == Outcome::success);
    REQUIRE(again.replayed);
    REQUIRE(again.record.position == first.record.position);
  }
  const Decision late = timed.deposit(12'300, id);
  REQUIRE(late.outcome == Outcome::id_expired);
  REQUIRE_FALSE(late.replayed);
  REQUIRE(timed.state.dedup_rows() == 0);
  REQUIRE_FALSE(timed.state.find_transfer(default_tenant, "alice", id));
  REQUIRE(timed.state.has_passed(id));
  REQUIRE(timed.deposit(99'000, id).outcome == Outcome::id_expired);
  REQUIRE(timed.balance("alice") == 10);
  require_undone(timed);
}

TEST_CASE("an id that was never heard of expires when its window is over, and the log says so first (W1, W3)") {
  Timed timed;
  timed.open("alice");
  REQUIRE(timed.deposit(5'000, timed_id(1, -5'000)).outcome == Outcome::success);  // to the millisecond
  const std::size_t entries = timed.log.size();
  REQUIRE(timed.deposit(5'001, timed_id(2, -5'000)).outcome == Outcome::id_expired);
  REQUIRE(timed.log.size() == entries + 1);
  REQUIRE(timed.state.has_passed(timed_id(2, -5'000)));
  REQUIRE_FALSE(timed.state.has_passed(timed_id(2, -4'999)));
  REQUIRE(timed.deposit(5'002, timed_id(2, -5'000)).outcome == Outcome::id_expired);
  REQUIRE(timed.log.size() == entries + 1);  // it had passed
  require_undone(timed);
}

TEST_CASE("ids without a time are kept for ever, and so are those bound before there was a window") {
  Timed timed(1, 1, ledger::Protocol::saga, {.id_window = {}});
  timed.open("alice");
  const TransferId before = timed_id(1, 0);
  REQUIRE(timed.deposit(0, before).outcome == Outcome::success);
  REQUIRE(timed.state.id_window().passed_ms == 0);
  timed.rules.id_window = window;
  REQUIRE(timed.deposit(1'000, id_of(2)).outcome == Outcome::success);
  REQUIRE(timed.state.id_window().passed_ms > 0);
  for (const TransferId& id : {before, id_of(2)}) {
    const Decision again = timed.deposit(1'000'000, id);
    REQUIRE(again.outcome == Outcome::success);
    REQUIRE(again.replayed);
  }
  require_undone(timed);
}

TEST_CASE("an id far ahead of the time is refused, unless nobody knows the time: then it is kept for ever (W5)") {
  Timed timed;
  timed.open("alice");
  const std::int64_t ahead_ms = ledger::id_ahead_max.millis();
  REQUIRE(timed.deposit(1'000, timed_id(1, 1'000 + ahead_ms)).outcome == Outcome::success);
  const TransferId far = timed_id(2, 1'001 + ahead_ms);
  const std::size_t entries = timed.log.size();
  REQUIRE(timed.deposit(1'000, far).outcome == Outcome::id_in_future);
  REQUIRE(timed.log.size() == entries);  // not used up
  REQUIRE(timed.deposit(2'000, far).outcome == Outcome::success);
  timed.rules.time_known = false;
  const TransferId farther = timed_id(3, 100'000'000);
  REQUIRE(timed.deposit(2'000, farther).outcome == Outcome::success);
  timed.rules.time_known = true;
  REQUIRE(timed.deposit(200'000'000, farther).replayed);
  REQUIRE(timed.state.dedup_rows() == 1);  // the others are forgotten
  require_undone(timed);
}

TEST_CASE("what is not surely older than the window is taken, and what is not surely ahead (W2, W5)") {
  Timed timed;
  timed.open("alice");
  const auto deposit = [&](std::int64_t made_ms, std::int64_t earliest_ms, std::int64_t latest_ms) {
    ledger::TransferCommand command = deposit_of(0, "alice", 1);
    command.id = timed_id(static_cast<std::uint64_t>(made_ms + 1'000'000), made_ms);
    const Stamp stamp{std::max(stamp_at(50'000).nanos, timed.state.last_stamp().nanos + 1)};
    const IdRules rules{window, grace, IdRules::Bounds{{stamp_at(earliest_ms).nanos}, {stamp_at(latest_ms).nanos}}};
    Batch batch(timed.state, stamp, ledger::Protocol::saga, rules);
    const Outcome outcome = batch.transfer(command).outcome;
    if (batch.events() > 0) timed.log.push_back(batch.finish());
    return outcome;
  };
  REQUIRE(deposit(35'000, 45'000, 60'000) == Outcome::success);
  REQUIRE(deposit(34'999, 45'000, 60'000) == Outcome::id_expired);
  REQUIRE(deposit(39'999, 70'000, 80'000) == Outcome::id_expired);  // by the stamp, not later
  REQUIRE(deposit(40'001, 70'000, 80'000) == Outcome::success);
  REQUIRE(deposit(360'000, 45'000, 60'000) == Outcome::success);
  REQUIRE(deposit(360'001, 45'000, 60'000) == Outcome::id_in_future);
  require_undone(timed);
}

TEST_CASE("a change of an account has an id as a transfer has (decision 8)") {
  Timed timed;
  timed.open("alice");
  const auto change = [&](std::int64_t ms, ledger::Operation what, const TransferId& id) {
    ChangeDecision decision;
    timed.at(ms, [&](Batch& batch) {
      decision = batch.change_account({what, id, default_tenant, PrincipalId(), "alice"});
    });
    return decision.outcome;
  };
  const TransferId freeze = timed_id(1, 0);
  REQUIRE(change(0, ledger::Operation::freeze, freeze) == Outcome::success);
  REQUIRE(change(1'000, ledger::Operation::unfreeze, timed_id(2, 1'000)) == Outcome::success);
  REQUIRE(change(5'000, ledger::Operation::freeze, freeze) == Outcome::success);  // already
  REQUIRE(change(500'000, ledger::Operation::freeze, freeze) == Outcome::id_expired);
  REQUIRE(change(500'000, ledger::Operation::freeze, timed_id(3, 900'000)) == Outcome::id_in_future);
  REQUIRE(timed.state.account_state(default_tenant, "alice") == ledger::AccountState::open);
  REQUIRE(timed.state.dedup_rows() == 0);
  require_undone(timed);
}

TEST_CASE("a transfer that is still running keeps its row, and those bound after it (W4)") {
  for (const ledger::Protocol protocol : {ledger::Protocol::saga, ledger::Protocol::tcc}) {
    CAPTURE(protocol);
    Timed timed(1, 2, protocol);
    const std::string payer = name_on(1, 2, "payer");
    const std::string payee = name_on(2, 2, "payee");
    timed.open(payer);
    REQUIRE(timed.transfer(0, deposit_of(0, payer, 100), timed_id(1, 0)).outcome == Outcome::success);
    const ledger::TransferCommand across = transfer_of(0, payer, payee, 30, usd, ShardId(2));
    const TransferId id = timed_id(2, 0);
    REQUIRE(timed.transfer(0, across, id).outcome == Outcome::pending);
    REQUIRE(timed.transfer(1, deposit_of(0, payer, 5), timed_id(3, 1)).outcome == Outcome::success);
    const Decision running = timed.transfer(100'000, across, id);
    REQUIRE(running.outcome == Outcome::pending);
    REQUIRE(running.replayed);
    REQUIRE(timed.state.dedup_rows() == 2);
    REQUIRE(timed.state.leg(ShardId(2), LegNumber(1)).id == id);
    // Refused: the saga is over. TC/C sends a Cancel, whose leg still names the row.
    timed.at(100'001, [&](Batch& batch) {
      batch.answer_leg(ShardId(2), {LegNumber(1), id, Outcome::account_closed, Position(7), stamp_at(100'000)});
    });
    const bool cancels = protocol == ledger::Protocol::tcc;
    REQUIRE(timed.transfer(200'000, across, id).outcome == (cancels ? Outcome::account_closed : Outcome::id_expired));
    if (cancels) {
      REQUIRE(loaded(timed.state)->leg(ShardId(2), LegNumber(2)).id == id);
      timed.at(200'001, [&](Batch& batch) {
        batch.answer_leg(ShardId(2), {LegNumber(2), id, Outcome::success, Position(8), stamp_at(200'000)});
      });
      REQUIRE(timed.transfer(300'000, across, id).outcome == Outcome::id_expired);
    }
    REQUIRE(timed.state.dedup_rows() == 0);
    REQUIRE(timed.balance(payer) == 105);
    require_undone(timed);
  }
}

TEST_CASE("apply refuses to forget what is running, what could be bound again, and to go back (W2, W4)") {
  Timed timed(1, 2);
  const std::string payer = name_on(1, 2, "payer");
  timed.open(payer);
  timed.transfer(0, deposit_of(0, payer, 100), timed_id(1, 0));
  timed.transfer(0, transfer_of(0, payer, name_on(2, 2, "payee"), 30, usd, ShardId(2)), timed_id(2, 0));
  const ledger::IdWindow stands = timed.state.id_window();
  const auto passed = [](std::int64_t ms) { return static_cast<std::uint64_t>(epoch_ms + ms); };
  struct Forgery {
    std::string what;
    ledger::WindowMoved event;
  };
  const std::vector<Forgery> forged = {
      {"from elsewhere", {{stands.passed_ms + 1, 0}, {passed(20'000), 0}}},
      {"what is running", {stands, {passed(20'000), 2}}},
      {"what is not there", {stands, {passed(20'000), 3}}},
      {"what has not passed", {stands, {stands.passed_ms, 1}}},
      {"what is still to come", {stands, {passed(200'000), 1}}},
  };
  for (const Forgery& forgery : forged) {
    CAPTURE(forgery.what);
    Bytes payload;
    ByteWriter out(payload);
    ledger::encode(ledger::EntryHeader{1, timed.state.last_position().next(), stamp_at(100'000)}, out);
    ledger::encode(forgery.event, out);
    StateMachine state(timed.state);
    REQUIRE_THROWS_AS(state.apply_entry(payload), CheckFailure);
  }
}

TEST_CASE("a snapshot carries what is left of a window, and goes on as the machine it was taken from") {
  Timed timed;
  timed.open("alice");
  for (std::int64_t ms = 0; ms < 60'000; ms += 100) {
    REQUIRE(timed.deposit(ms, timed_id(static_cast<std::uint64_t>(ms), ms), 1).outcome == Outcome::success);
  }
  REQUIRE(timed.state.dedup_rows() < 130);
  REQUIRE(timed.state.id_window().first > 400);
  const std::unique_ptr<StateMachine> other = loaded(timed.state);
  REQUIRE(exported(*other) == exported(timed.state));
  REQUIRE(other->dedup_rows() == timed.state.dedup_rows());
  const std::size_t before = timed.log.size();
  for (std::int64_t ms = 60'000; ms < 90'000; ms += 500) {
    timed.deposit(ms, timed_id(static_cast<std::uint64_t>(ms), ms), 1);
    timed.deposit(ms, timed_id(static_cast<std::uint64_t>(ms), ms - 30'000), 1);
  }
  for (std::size_t at = before; at < timed.log.size(); ++at) other->apply_entry(timed.log[at]);
  REQUIRE(exported(*other) == exported(timed.state));
  other->committed(other->last_position());
  REQUIRE(exported(*other) == exported(timed.state));
  REQUIRE(exported(*loaded(*other)) == exported(timed.state));
}

TEST_CASE("a snapshot frozen while ids are forgotten is the one of its moment") {
  Timed timed;
  timed.open("alice");
  std::int64_t ms = 0;
  const auto go_on = [&](int count) {
    for (int i = 0; i < count; ++i, ms += 50) {
      timed.deposit(ms, timed_id(static_cast<std::uint64_t>(ms), ms), 1);
      timed.state.committed(timed.state.last_position());
    }
  };
  go_on(600);
  const Bytes then = exported(timed.state);
  const std::unique_ptr<FrozenState> frozen = timed.state.freeze();
  Bytes written;
  while (frozen->next_chunk(written, 700)) go_on(20);
  REQUIRE(written == then);
}

TEST_CASE("bytes that no window could have led to are no state") {
  Timed timed;
  timed.open("alice");
  for (std::int64_t ms = 0; ms < 2'000; ms += 500) timed.deposit(ms, timed_id(static_cast<std::uint64_t>(ms), ms), 1);
  const Bytes good = exported(timed.state);
  const std::uint64_t passed = timed.state.id_window().passed_ms;
  std::size_t at = 0;  // of windowed.passed_ms
  for (; at + 8 <= good.size(); ++at) {
    std::uint64_t value = 0;
    std::memcpy(&value, good.data() + at, sizeof value);
    if (value == passed) break;
  }
  const auto refused = [&](std::size_t where, std::uint64_t value) {
    Bytes bad = good;
    std::memcpy(bad.data() + where, &value, sizeof value);
    StateLoader loader(ShardId(1));
    return loader.feed(bad).has_error() || loader.finish().has_error();
  };
  REQUIRE_FALSE(refused(at, passed));
  REQUIRE(refused(at, 0));
  REQUIRE(refused(at, ledger::id_time_ms_max + 1));
  REQUIRE(refused(at + 8, UINT64_MAX));
  REQUIRE(refused(at + 16, 3));
  REQUIRE(refused(at + 16, 5));
  Bytes older = good;
  older[0] = std::byte{3};
  StateLoader loader(ShardId(1));
  const bool is_refused = loader.feed(older).has_error() || loader.finish().has_error();
  REQUIRE(is_refused);
}

TEST_CASE("a day of ids and no more is remembered, in memory too (design, Dedup: bounded by rate and window)") {
  Timed timed;
  timed.rules = {seconds(86'400), seconds(600), true};
  timed.open("alice");
  constexpr std::int64_t every_ms = 10'000;
  constexpr std::uint64_t a_day = 86'400'000 / every_ms;
  std::uint64_t most = 0;
  for (std::int64_t ms = 0; ms < 4 * 86'400'000LL; ms += every_ms) {
    REQUIRE(timed.deposit(ms, timed_id(static_cast<std::uint64_t>(ms), ms), 1).outcome == Outcome::success);
    timed.state.committed(timed.state.last_position());
    timed.log.clear();
    most = std::max(most, timed.state.dedup_rows());
  }
  REQUIRE(most >= a_day);
  REQUIRE(most <= a_day + a_day / 64 + 600'000 / every_ms + 2);
  // Whoever comes back a day later gets the old answer, or hears that it is too late; never a second transfer.
  const std::int64_t balance = timed.balance("alice");
  const std::int64_t now = 4 * 86'400'000LL;
  REQUIRE(timed.deposit(now, timed_id(static_cast<std::uint64_t>(now - 86'400'000), now - 86'400'000), 1).replayed);
  REQUIRE(timed.deposit(now, timed_id(static_cast<std::uint64_t>(now - 90'000'000), now - 90'000'000), 1).outcome ==
          Outcome::id_expired);
  REQUIRE(timed.balance("alice") == balance);
}

TEST_CASE("property: an id acts once, however late, whatever the window; what is undone and folded again is the same") {
  REQUIRE(rc::check("property: once", [](std::uint64_t seed) {
    Prng prng(seed);
    Timed timed;
    timed.open("alice");
    timed.rules.id_window = milliseconds(prng.between(1, 4'000));
    timed.rules.id_grace = milliseconds(prng.between(0, 2'000));
    std::vector<TransferId> ids;
    std::set<TransferId> done;
    std::int64_t ms = 0;
    for (int step = 0; step < 200; ++step) {
      ms += prng.between(0, 100);
      timed.rules.time_known = prng.chance(900);
      const bool is_new = ids.empty() || prng.chance(500);
      if (is_new) ids.push_back(timed_id(ids.size() + 1, ms + prng.between(-3'000, 500)));
      const TransferId id = ids[is_new ? ids.size() - 1 : static_cast<std::size_t>(prng.below(ids.size()))];
      const Decision decision = timed.deposit(ms, id, 1);
      if (decision.outcome == Outcome::success) {
        RC_ASSERT(done.contains(id) == decision.replayed);
        done.insert(id);
      } else {
        RC_ASSERT(decision.outcome == Outcome::id_expired);
        RC_ASSERT(timed.state.has_passed(id));
      }
      RC_ASSERT(timed.balance("alice") == static_cast<std::int64_t>(done.size()));
      if (prng.chance(100)) {  // the tail is lost, and decided anew
        timed.state.undo_entry(timed.log.back());
        timed.state.apply_entry(timed.log.back());
      }
    }
    require_undone(timed);
  }));
}

}  // namespace
