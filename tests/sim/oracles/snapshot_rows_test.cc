// O-E1: published snapshots against the fold of the log.
#include <catch2/catch.hpp>
#include <rapidcheck.h>

#include "core/base/codec.h"
#include "sim/oracles/state_decode.h"
#include "tests/sim/oracles/caught.h"
#include "tests/sim/oracles/shown_disk.h"
#include "tests/sim/oracles/story.h"

using namespace coffer;
using namespace coffer::sim;
using namespace coffer::sim::oracles;

namespace {

/// The grammar of docs/FORMATS.md, written.
Bytes encoded(const StateRows& rows) {
  bool has_tcc = !rows.tries.empty();
  bool has_changes = false;
  bool has_holds = false;
  for (const DedupRow& row : rows.dedup) {
    has_tcc = has_tcc || (row.link && row.link->protocol > 1);
    has_changes = has_changes || row.is_change();
    has_holds = has_holds || row.operation == Operation::hold;
  }
  Bytes bytes;
  ByteWriter out(bytes);
  out.u8(has_holds ? 4 : has_changes ? 3 : has_tcc ? 2 : 1);
  has_changes = has_changes || has_holds;
  has_tcc = has_tcc || has_changes;
  out.id(rows.shard);
  out.u8(rows.founded ? 1 : 0);
  out.id(rows.last_position);
  out.i64(rows.last_stamp.nanos);
  out.u32(static_cast<std::uint32_t>(rows.ranges.size()));
  for (const SlotRange& range : rows.ranges) {
    out.id(range.first);
    out.u32(range.end);
  }
  out.u64(rows.accounts.size());
  for (const AccountRow& row : rows.accounts) {
    out.id(row.tenant);
    out.short_string(row.name);
    if (has_changes) out.u8(static_cast<std::uint8_t>(row.state));
  }
  out.u64(rows.pockets.size());
  for (const PocketRow& row : rows.pockets) {
    out.id(row.account);
    out.u32(row.currency.packed);
    out.id(row.peer);
    out.u8(static_cast<std::uint8_t>(row.kind));
    out.i64(row.balance);
    out.i64(row.pending);
  }
  out.u64(rows.dedup.size());
  for (const DedupRow& row : rows.dedup) {
    out.id(row.home);
    out.uuid(row.id);
    out.hash(row.digest);
    out.id(row.position);
    out.i64(row.stamp.nanos);
    out.u8(static_cast<std::uint8_t>(row.operation));
    out.u8(static_cast<std::uint8_t>(row.outcome));
    out.u8(row.link ? row.link->protocol : 0);
    if (!row.link) continue;
    out.id(row.link->target);
    out.id(row.link->leg);
    out.id(row.link->target_position);
    out.i64(row.link->target_stamp.nanos);
  }
  out.u64(rows.outgoing.size());
  for (const auto& [target, flow] : rows.outgoing) {
    out.id(target);
    out.id(flow.next);
    out.id(flow.first_unanswered);
    for (const PhaseRow& row : flow.rows) {
      out.u32(row.dedup);
      out.id(row.debit);
      out.id(row.transit);
      out.i64(row.amount);
      out.short_string(row.credit_account);
      if (has_tcc) out.u8(row.second ? static_cast<std::uint8_t>(row.second->phase) : 0);
      if (!row.second) continue;
      out.id(row.second->tried);
      out.id(row.second->position);
      out.i64(row.second->stamp.nanos);
    }
  }
  out.u64(rows.incoming.size());
  for (const auto& [source, flow] : rows.incoming) {
    out.id(source);
    out.id(flow.next);
    out.id(flow.freed);
    for (const ReceivedRow& row : flow.rows) {
      out.uuid(row.id);
      out.id(row.position);
      out.i64(row.stamp.nanos);
      out.u8(static_cast<std::uint8_t>(row.outcome));
    }
  }
  if (!has_tcc) return bytes;
  out.u64(rows.tries.size());
  for (const TryRow& row : rows.tries) {
    out.id(row.source);
    out.id(row.leg);
    out.uuid(row.id);
    out.id(row.transit);
    out.id(row.credit);
    out.i64(row.amount);
    out.u8((row.out_of_order ? 1 : 0) | (row.prepared ? 2 : 0));
  }
  if (!has_holds) return bytes;
  out.u64(rows.holds.size());
  for (const HoldRow& row : rows.holds) {
    out.u32(row.dedup);
    out.id(row.pocket);
    out.i64(row.amount);
    out.i64(row.expires.nanos);
    out.u8(row.end);
  }
  return bytes;
}

Bytes members(std::initializer_list<std::uint32_t> voters) {
  Bytes bytes;
  ByteWriter out(bytes);
  out.u8(static_cast<std::uint8_t>(voters.size()));
  for (const std::uint32_t node : voters) out.u32(node);
  out.u16(0);
  return bytes;
}

/// Shard 1 after: a funded with 1000, 10 sent to c, 5 on their way to b, another leg of 7 done, an id refused.
struct World {
  World() : story("O-E1"), oracle(story.oracle()) {
    story.set_up();
    story.transfer_within(3, 10);
    done = story.transfer_across(4, 7);
    story.transfer_within(5, 5000, Outcome::insufficient_funds);
    open = story.start_across(6, 5);
    rows.shard = s1;
    rows.founded = true;
    rows.last_position = Position(11);
    rows.last_stamp = story.last_stamp(s1);
    rows.ranges = {{Slot(0), slot_count}};
    rows.accounts = {{default_tenant, "a"}, {default_tenant, "c"}};
    rows.pockets = {{no_account, usd, ShardId(0), PocketKind::issue, -1000, 0},
                    {no_account, usd, s2, PocketKind::transit, 12, 5},
                    {AccountNumber(0), usd, ShardId(0), PocketKind::customer, 978, 5},
                    {AccountNumber(1), usd, ShardId(0), PocketKind::customer, 10, 0}};
    bind(1, 6, Operation::deposit, Outcome::success);
    bind(3, 7, Operation::transfer, Outcome::success);
    bind(4, 8, Operation::transfer, Outcome::success);
    rows.dedup.back().stamp = done.started_stamp;
    rows.dedup.back().link = {s2, LegNumber(1), done.received, done.received_stamp};
    bind(5, 10, Operation::transfer, Outcome::insufficient_funds);
    bind(6, 11, Operation::transfer, Outcome::pending);
    rows.dedup.back().link = {s2, LegNumber(2), {}, {}};
    rows.outgoing[s2] = {LegNumber(3), LegNumber(2), {{4, first, transit, 5, "b"}}};
  }

  void bind(std::uint8_t id, std::uint64_t position, Operation operation, Outcome outcome) {
    // One entry holds the founding; from then on each event has its own, a millisecond later.
    const std::int64_t later = 1'000'000 * (static_cast<std::int64_t>(position) - 11);
    rows.dedup.push_back({AccountNumber(0),
                          id_of(id),
                          {},
                          Position(position),
                          Stamp{rows.last_stamp.nanos + later},
                          operation,
                          outcome,
                          {}});
  }
  SealedDraft draft() const {
    SealedDraft draft;
    draft.shard = rows.shard;
    draft.first = draft.last = 7;
    draft.last_position = rows.last_position.value;
    draft.last_stamp = rows.last_stamp.nanos;
    draft.meta = members({1, 2, 3});
    draft.payload = encoded(rows);
    return draft;
  }
  std::vector<std::string> published(const SealedDraft& draft) {
    disk.publish(oracle, draft);
    return story.reasons();
  }

  Story story;
  Oracle& oracle;
  LegPlan done;
  LegPlan open;
  StateRows rows;
  ShownDisk disk{n2};
};

}  // namespace

TEST_CASE("O-E1 is silent about a snapshot that is the fold of its prefix, later and earlier") {
  World w;
  SECTION("at once") { CHECK(w.published(w.draft()) == std::vector<std::string>()); }
  SECTION("when the log has gone on") {
    w.story.transfer_within(7, 1);
    CHECK(w.published(w.draft()) == std::vector<std::string>());
  }
}

TEST_CASE("O-E1 catches a snapshot that is not the fold of its prefix") {
  World w;
  const auto caught = [&](const std::string& what) {
    return told_of(w.published(w.draft()), {"node 2: the snapshot of s1 at entry 7", what});
  };
  SECTION("a balance") {
    w.rows.pockets[2].balance += 1;
    CHECK(caught("pocket 2 at 979 minor units, 5 of them waiting; the fold of the log says 978 and 5"));
  }
  SECTION("money on its way") {
    w.rows.pockets[1].pending = 0;
    CHECK(caught("pocket 1 at 12 minor units, 0 of them waiting"));
  }
  SECTION("the ids of an earlier prefix (a snapshot that loses the dedup table)") {
    w.rows.dedup.pop_back();
    CHECK(caught("4 rows of ids, the fold of the log 5"));
  }
  SECTION("an id's outcome") {
    w.rows.dedup[3].outcome = Outcome::success;
    CHECK(caught("differs from the fold of the log in id 3"));
  }
  SECTION("an id's digest") {
    w.rows.dedup[0].digest.low = 1;
    CHECK(caught("in id 0"));
  }
  SECTION("an account") {
    w.rows.accounts[1].name = "d";
    CHECK(caught("in account 1"));
  }
  SECTION("a leg that waits") {
    w.rows.outgoing.begin()->second.rows[0].amount = 6;
    CHECK(caught("in the legs to s2"));
  }
  SECTION("a leg that never came") {
    w.rows.incoming[s2] = {LegNumber(1), LegNumber(0), {}};
    CHECK(caught("legs from more shards"));
  }
  SECTION("its slots") {
    w.rows.ranges[0].end = 5;
    CHECK(caught("how the shard was founded"));
  }
  SECTION("a position (a boundary counted twice)") {
    w.rows.last_position = Position(12);
    CHECK(caught("is at position 12"));
  }
}

TEST_CASE("O-E1 catches a snapshot whose header or bytes do not fit") {
  World w;
  SealedDraft draft = w.draft();
  SECTION("another configuration") {
    draft.meta = members({1, 2});
    CHECK(told_of(w.published(draft), {"names the configuration {1,2}", "{1,2,3} was in force"}));
  }
  SECTION("none") {
    draft.meta = Bytes();
    CHECK(told_of(w.published(draft), {"names the configuration against the grammar"}));
  }
  SECTION("another position") {
    draft.last_position = 10;
    CHECK(told_of(w.published(draft), {"names another position or stamp than it holds"}));
  }
  SECTION("more bytes than a state has") {
    draft.payload.push_back(std::byte{0});
    CHECK(told_of(w.published(draft), {"does not follow the grammar of states"}));
  }
}

TEST_CASE("O-E1 knows what the target of legs holds") {
  World w;
  StateRows rows;
  rows.shard = s2;
  rows.founded = true;
  rows.last_position = Position(7);
  rows.last_stamp = w.story.last_stamp(s2);
  rows.ranges = {{Slot(0), slot_count}};
  rows.accounts = {{default_tenant, "b"}, {default_tenant, "d"}};
  rows.pockets = {{no_account, usd, ShardId(0), PocketKind::issue, -1000, 0},
                  {no_account, usd, s1, PocketKind::transit, -7, 0},
                  {AccountNumber(0), usd, ShardId(0), PocketKind::customer, 1007, 0},
                  {AccountNumber(1), usd, ShardId(0), PocketKind::customer, 0, 0}};
  rows.dedup.push_back({AccountNumber(0),
                        id_of(2),
                        {},
                        Position(6),
                        Stamp{rows.last_stamp.nanos - 2'000'000},
                        Operation::deposit,
                        Outcome::success,
                        {}});
  rows.incoming[s1] = {LegNumber(2), LegNumber(0), {{id_of(4), Position(7), rows.last_stamp, Outcome::success}}};
  w.rows = rows;
  SealedDraft draft = w.draft();
  draft.first = draft.last = 3;
  CHECK(joined(w.published(draft)) == "");
}

namespace {

/// A Confirm on its way for 40, the Try of 30 behind it: the state of both shards, and each as a snapshot.
struct Tries {
  Tries() : story("O-E1") {
    story.set_up();
    first_try = story.try_across(3, 40);
    story.receive_try(first_try, Outcome::success);
    story.begin_second(first_try, Outcome::success);
    second_try = story.try_across(4, 30);
    rows.founded = true;
    rows.ranges = {{Slot(0), slot_count}};
  }
  void at_source() {
    rows.shard = s1;
    rows.last_position = Position(9);
    rows.last_stamp = story.last_stamp(s1);
    rows.accounts = {{default_tenant, "a"}, {default_tenant, "c"}};
    rows.pockets = {{no_account, usd, ShardId(0), PocketKind::issue, -1000, 0},
                    {no_account, usd, s2, PocketKind::transit, 70, 70},
                    {AccountNumber(0), usd, ShardId(0), PocketKind::customer, 930, 70},
                    {AccountNumber(1), usd, ShardId(0), PocketKind::customer, 0, 0}};
    bind(1, 6, {rows.last_stamp.nanos - 3'000'000}, Operation::deposit, Outcome::success);
    bind(3, 7, first_try.started_stamp, Operation::transfer, Outcome::pending);
    rows.dedup.back().link = {s2, LegNumber(2), {}, {}, 2};
    bind(4, 9, second_try.started_stamp, Operation::transfer, Outcome::pending);
    rows.dedup.back().link = {s2, LegNumber(3), {}, {}, 2};
    const PhaseRow::Second confirm{SecondPhase::confirm, LegNumber(1), Position(8), first_try.second_stamp};
    rows.outgoing[s2] = {
        LegNumber(4), LegNumber(2), {{1, first, transit, 40, "b", confirm}, {2, first, transit, 30, "b", {}}}};
  }
  void at_target() {
    rows.shard = s2;
    rows.last_position = Position(7);
    rows.last_stamp = story.last_stamp(s2);
    rows.accounts = {{default_tenant, "b"}, {default_tenant, "d"}};
    rows.pockets = {{no_account, usd, ShardId(0), PocketKind::issue, -1000, 0},
                    {no_account, usd, s1, PocketKind::transit, 0, 40},
                    {AccountNumber(0), usd, ShardId(0), PocketKind::customer, 1000, 40},
                    {AccountNumber(1), usd, ShardId(0), PocketKind::customer, 0, 0}};
    bind(2, 6, {rows.last_stamp.nanos - 2'000'000}, Operation::deposit, Outcome::success);
    rows.incoming[s1] = {LegNumber(2), LegNumber(0), {{id_of(3), Position(7), rows.last_stamp, Outcome::success}}};
    rows.tries = {{s1, LegNumber(1), id_of(3), transit, first, 40, false}};
  }
  void bind(std::uint8_t id, std::uint64_t position, Stamp stamp, Operation operation, Outcome outcome) {
    rows.dedup.push_back({AccountNumber(0), id_of(id), {}, Position(position), stamp, operation, outcome, {}});
  }
  std::vector<std::string> published() {
    SealedDraft draft;
    draft.shard = rows.shard;
    draft.first = draft.last = rows.shard == s1 ? 5 : 3;
    draft.last_position = rows.last_position.value;
    draft.last_stamp = rows.last_stamp.nanos;
    draft.meta = members({1, 2, 3});
    draft.payload = encoded(rows);
    disk.publish(story.oracle(), draft);
    return story.reasons();
  }

  Story story;
  LegPlan first_try;
  LegPlan second_try;
  StateRows rows;
  ShownDisk disk{n2};
};

}  // namespace

TEST_CASE("O-E1 knows what TC/C keeps at both ends") {
  Tries tries;
  if (GENERATE(true, false)) {
    tries.at_source();  // the Confirm and the Try under way
  } else {
    tries.at_target();  // the room a Try keeps
  }
  CHECK(joined(tries.published()) == "");
}

TEST_CASE("O-E1 catches a snapshot that keeps other Tries than the log (TC/C)") {
  Tries tries;
  SECTION("room that is not kept") {
    tries.at_target();
    tries.rows.pockets[2].pending = 0;
    CHECK(told_of(tries.published(), {"pocket 2 at 1000 minor units, 0 of them waiting", "says 1000 and 40"}));
  }
  SECTION("a Try forgotten") {
    tries.at_target();
    tries.rows.tries.clear();
    CHECK(told_of(tries.published(), {"0 rows of tried legs"}));
  }
  SECTION("a Try of another amount") {
    tries.at_target();
    tries.rows.tries[0].amount = 41;
    CHECK(told_of(tries.published(), {"in tried leg 0"}));
  }
  SECTION("a raised flag") {
    tries.at_target();
    tries.rows.tries[0].out_of_order = true;
    CHECK(told_of(tries.published(), {"in tried leg 0"}));
  }
  SECTION("a Cancel in place of a Confirm") {
    tries.at_source();
    tries.rows.outgoing[s2].rows[0].second->phase = SecondPhase::cancel;
    CHECK(told_of(tries.published(), {"in the legs to s2"}));
  }
  SECTION("an id that waits for its Try, whose Confirm is on its way") {
    tries.at_source();
    tries.rows.dedup[1].link->leg = LegNumber(1);
    CHECK(told_of(tries.published(), {"in id 1"}));
  }
}

TEST_CASE("O-E1 knows the states of accounts, and the ids of their changes") {
  World w;
  const Stamp before = w.story.last_stamp(s1);
  w.story.change_account(20, ledger::Operation::freeze, ledger::AccountState::open);
  w.bind(20, 12, static_cast<Operation>(AccountChange::freeze), Outcome::success);
  w.rows.dedup.back().stamp = w.rows.last_stamp = w.story.last_stamp(s1);
  REQUIRE(before < w.rows.last_stamp);
  w.rows.last_position = Position(12);
  w.rows.accounts[0].state = AccountState::frozen;
  const auto published = [&] {
    SealedDraft draft = w.draft();
    draft.first = draft.last = 8;
    return w.published(draft);
  };
  SECTION("as they are") { CHECK(published() == std::vector<std::string>()); }
  SECTION("an account that was thawed on the way") {
    w.rows.accounts[0].state = AccountState::open;
    CHECK(told_of(published(), {"in account 0"}));
  }
  SECTION("a change forgotten: a late attempt would make it again") {
    w.rows.dedup.pop_back();
    CHECK_FALSE(published().empty());
  }
}

TEST_CASE("O-E1 knows holds, live and ended, and the ids of refused ones") {
  World w;
  w.story.place_hold(20, 40);
  w.bind(20, 12, Operation::hold, Outcome::success);
  w.rows.dedup.back().stamp = w.story.last_stamp(s1);
  const Stamp expires{w.story.last_stamp(s1).nanos + Story::hold_time.nanos};
  w.story.void_hold(0, 20);
  w.story.place_hold(21, 30);
  w.bind(21, 14, Operation::hold, Outcome::success);
  w.rows.dedup.back().stamp = w.story.last_stamp(s1);
  w.rows.holds = {{5, first, 40, expires, 2},
                  {6, first, 30, Stamp{w.story.last_stamp(s1).nanos + Story::hold_time.nanos}, 0}};
  w.story.commit(s1, {w.story.hold_placed(22, 5000, Story::hold_time, Outcome::insufficient_funds)});
  w.bind(22, 15, Operation::hold, Outcome::insufficient_funds);
  w.rows.dedup.back().stamp = w.rows.last_stamp = w.story.last_stamp(s1);
  w.rows.last_position = Position(15);
  const auto published = [&] {
    SealedDraft draft = w.draft();
    draft.first = draft.last = 11;
    return w.published(draft);
  };
  SECTION("as they are") { CHECK(published() == std::vector<std::string>()); }
  SECTION("one that has ended is live again") {
    w.rows.holds[0].end = 0;
    CHECK(told_of(published(), {"in hold 0"}));
  }
  SECTION("one that keeps less") {
    w.rows.holds[1].amount = 29;
    CHECK(told_of(published(), {"in hold 1"}));
  }
  SECTION("another expiry") {
    w.rows.holds[1].expires.nanos += 1;
    CHECK(told_of(published(), {"in hold 1"}));
  }
  SECTION("one forgotten") {
    w.rows.holds.pop_back();
    CHECK(told_of(published(), {"1 rows of holds, the fold of the log 2"}));
  }
  SECTION("all of them forgotten, and their ids") {
    w.rows.holds.clear();
    w.rows.dedup.resize(5);
    CHECK_FALSE(published().empty());
  }
}

TEST_CASE("property: any bytes are read as a state without harm") {
  REQUIRE(rc::check("property: any bytes are read as a state without harm", [](const std::vector<std::uint8_t>& any) {
    const ByteView bytes = std::as_bytes(std::span(any));
    const auto rows = decode_state(bytes);
    if (rows) RC_ASSERT(encoded(*rows) == Bytes(bytes.begin(), bytes.end()));
  }));
}
