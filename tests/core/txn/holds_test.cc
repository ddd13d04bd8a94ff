// Holds: what they keep and from whom, how they end, and what the same question gets again.
#include "core/txn/holds.h"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "core/base/check.h"
#include "tests/core/txn/holding.h"

namespace {

using namespace coffer;
using namespace coffer::txn;
using namespace coffer::txn::testing;
using ledger::HoldEnd;
using ledger::Operation;

TEST_CASE("a hold keeps part of a balance from transfers, withdrawals and other holds (issue: holds)") {
  Leader leader = with_money();
  const PlaceDecision placed = place(leader, hold_of(2, "alice", 6'000));
  REQUIRE(placed.outcome == Outcome::success);
  REQUIRE_FALSE(placed.replayed);
  REQUIRE(placed.position == leader.state.last_position());
  REQUIRE(placed.stamp == leader.state.last_stamp());
  REQUIRE(placed.expires == Stamp{placed.stamp.nanos + seconds(1).nanos});
  REQUIRE(leader.balance("alice") == 10'000);
  REQUIRE(held(leader, "alice") == 6'000);
  REQUIRE(leader.transfer(transfer_of(3, "alice", "bob", 4'001)).outcome == Outcome::insufficient_funds);
  REQUIRE(leader.transfer(withdrawal_of(4, "alice", 4'001)).outcome == Outcome::insufficient_funds);
  REQUIRE(place(leader, hold_of(5, "alice", 4'001)).outcome == Outcome::insufficient_funds);
  REQUIRE(leader.transfer(transfer_of(6, "alice", "bob", 1'500)).outcome == Outcome::success);
  REQUIRE(leader.transfer(withdrawal_of(7, "alice", 1'500)).outcome == Outcome::success);
  REQUIRE(place(leader, hold_of(8, "alice", 1'000)).outcome == Outcome::success);
  REQUIRE(leader.transfer(transfer_of(9, "alice", "bob", 1)).outcome == Outcome::insufficient_funds);
  REQUIRE(leader.balance("alice") == 7'000);
  REQUIRE(held(leader, "alice") == 7'000);
  REQUIRE(release(leader, 2, "alice").outcome == Outcome::success);
  REQUIRE(leader.transfer(transfer_of(10, "alice", "bob", 6'000)).outcome == Outcome::success);
  REQUIRE(leader.transfer(transfer_of(11, "alice", "bob", 1)).outcome == Outcome::insufficient_funds);
  check_undone(leader);
}

TEST_CASE("a capture takes at most what is held, by a transfer of its own, and the rest is free (issue: holds)") {
  Leader leader = with_money();
  place(leader, hold_of(2, "alice", 6'000));
  REQUIRE(capture(leader, capture_of(2, "alice", "bob", 6'001)).status == Outcome::hold_exceeded);
  REQUIRE(held(leader, "alice") == 6'000);
  const CaptureDecision captured = capture(leader, capture_of(2, "alice", "bob", 2'500));
  REQUIRE(captured.status == Outcome::success);
  REQUIRE(captured.decision.outcome == Outcome::success);
  REQUIRE(captured.transfer == ledger::capture_id_of(id_of(2)));
  REQUIRE(leader.balance("alice") == 7'500);
  REQUIRE(leader.balance("bob") == 2'500);
  REQUIRE(held(leader, "alice") == 0);
  const HoldRecord hold = hold_at(leader, 2, "alice");
  REQUIRE(hold.end == HoldEnd::captured);
  REQUIRE(hold.transfer == captured.transfer);
  REQUIRE(hold.amount == (Money{6'000, usd}));
  // It is a transfer as any other, and its id answers as one; the hold's own is none.
  const auto transfer = leader.state.find_transfer(default_tenant, "alice", captured.transfer);
  REQUIRE(transfer.has_value());
  REQUIRE(transfer->outcome == Outcome::success);
  REQUIRE(transfer->position == captured.decision.record.position);
  REQUIRE_FALSE(leader.state.find_transfer(default_tenant, "alice", id_of(2)).has_value());
  REQUIRE_FALSE(leader.state.find_transfer(default_tenant, id_of(2)).has_value());
  REQUIRE(leader.transfer(transfer_of(3, "alice", "bob", 7'500)).outcome == Outcome::success);
  check_undone(leader);
}

TEST_CASE("a hold ends once: what comes after its end is told how it ended (issue: holds)") {
  struct Row {
    HoldEnd first;
    Outcome of_capture;
    Outcome of_void;
  };
  const Row row = GENERATE(values<Row>({{HoldEnd::captured, Outcome::success, Outcome::hold_captured},
                                        {HoldEnd::voided, Outcome::hold_voided, Outcome::success},
                                        {HoldEnd::expired, Outcome::hold_expired, Outcome::hold_expired}}));
  CAPTURE(static_cast<int>(row.first));
  Leader leader = with_money();
  const PlaceDecision placed = place(leader, hold_of(2, "alice", 6'000));
  if (row.first == HoldEnd::captured)
    REQUIRE(capture(leader, capture_of(2, "alice", "bob", 1)).status == Outcome::success);
  if (row.first == HoldEnd::voided) REQUIRE_FALSE(release(leader, 2, "alice").already);
  if (row.first == HoldEnd::expired) REQUIRE(expire(leader, Stamp{placed.expires.nanos + 1}).size() == 1);
  REQUIRE(hold_at(leader, 2, "alice").end == row.first);
  REQUIRE(held(leader, "alice") == 0);
  const std::size_t entries = leader.log.size();
  const Bytes before = exported(leader.state);

  const CaptureDecision captured = capture(leader, capture_of(2, "alice", "bob", 1));
  REQUIRE(captured.status == row.of_capture);
  REQUIRE(captured.decision.replayed == (row.first == HoldEnd::captured));
  REQUIRE_FALSE(captured.expired.has_value());
  const VoidDecision voided = release(leader, 2, "alice");
  REQUIRE(voided.outcome == row.of_void);
  REQUIRE(voided.already == (row.first == HoldEnd::voided));
  REQUIRE(expire(leader, Stamp{placed.expires.nanos + 100}).empty());
  const PlaceDecision again = place(leader, hold_of(2, "alice", 6'000));  // it was placed, whatever became of it
  REQUIRE(again.outcome == Outcome::success);
  REQUIRE(again.replayed);
  REQUIRE(again.expires == placed.expires);
  REQUIRE(leader.log.size() == entries);
  REQUIRE(exported(leader.state) == before);
  check_undone(leader);
}

TEST_CASE("the same question gets the same answer, and another body none (design, Dedup)") {
  Leader leader = with_money();
  const PlaceDecision placed = place(leader, hold_of(2, "alice", 6'000));
  place(leader, hold_of(3, "alice", 9'000));  // refused
  const std::size_t entries = leader.log.size();
  const PlaceDecision again = place(leader, hold_of(2, "alice", 6'000));
  REQUIRE(again.replayed);
  REQUIRE(again.position == placed.position);
  REQUIRE(again.stamp == placed.stamp);
  REQUIRE(again.expires == placed.expires);
  const PlaceDecision refused = place(leader, hold_of(3, "alice", 9'000));
  REQUIRE(refused.replayed);
  REQUIRE(refused.outcome == Outcome::insufficient_funds);
  REQUIRE(refused.expires == Stamp{});
  REQUIRE(place(leader, hold_of(2, "alice", 6'001)).outcome == Outcome::idempotency_payload_mismatch);
  REQUIRE(place(leader, hold_of(2, "alice", 6'000, seconds(2))).outcome == Outcome::idempotency_payload_mismatch);
  REQUIRE(place(leader, hold_of(2, "alice", 6'000, seconds(1), eur)).outcome == Outcome::idempotency_payload_mismatch);
  REQUIRE(leader.transfer(transfer_of(2, "alice", "bob", 6'000)).outcome == Outcome::idempotency_payload_mismatch);
  REQUIRE(place(leader, hold_of(1, "alice", 10'000)).outcome == Outcome::idempotency_payload_mismatch);
  REQUIRE(capture(leader, capture_of(1, "alice", "bob", 1)).status == Outcome::hold_not_found);  // a deposit
  REQUIRE(capture(leader, capture_of(3, "alice", "bob", 1)).status == Outcome::hold_not_found);  // never placed
  REQUIRE(leader.log.size() == entries);

  const CaptureDecision captured = capture(leader, capture_of(2, "alice", "bob", 100));
  const CaptureDecision replayed = capture(leader, capture_of(2, "alice", "bob", 100));
  REQUIRE(replayed.status == Outcome::success);
  REQUIRE(replayed.decision.replayed);
  REQUIRE(replayed.decision.outcome == Outcome::success);
  REQUIRE(replayed.transfer == captured.transfer);
  REQUIRE(replayed.decision.record.position == captured.decision.record.position);
  REQUIRE(capture(leader, capture_of(2, "alice", "bob", 101)).status == Outcome::idempotency_payload_mismatch);
  REQUIRE(capture(leader, capture_of(2, "alice", "carol", 100)).status == Outcome::idempotency_payload_mismatch);
  REQUIRE(capture(leader, capture_of(2, "alice", "bob", 9'999)).status == Outcome::idempotency_payload_mismatch);
  REQUIRE(leader.balance("bob") == 100);
  REQUIRE(leader.log.size() == entries + 1);
  check_undone(leader);
}

TEST_CASE("a capture that is refused has ended the hold all the same (decision 11)") {
  Leader leader = with_money();
  leader.open("carol", eur);
  place(leader, hold_of(2, "alice", 6'000));
  place(leader, hold_of(3, "alice", 4'000));
  const CaptureDecision refused = capture(leader, capture_of(2, "alice", "nobody", 6'000));
  REQUIRE(refused.status == Outcome::success);
  REQUIRE(refused.decision.outcome == Outcome::credit_account_not_found);
  REQUIRE(capture(leader, capture_of(3, "alice", "carol", 6)).decision.outcome == Outcome::currency_mismatch);
  REQUIRE(held(leader, "alice") == 0);
  REQUIRE(leader.balance("alice") == 10'000);
  REQUIRE(hold_at(leader, 2, "alice").end == HoldEnd::captured);
  const CaptureDecision again = capture(leader, capture_of(2, "alice", "nobody", 6'000));
  REQUIRE(again.decision.replayed);
  REQUIRE(again.decision.outcome == Outcome::credit_account_not_found);
  REQUIRE(release(leader, 2, "alice").outcome == Outcome::hold_captured);
  REQUIRE(leader.transfer(withdrawal_of(4, "alice", 10'000)).outcome == Outcome::success);
  check_undone(leader);
}

TEST_CASE("what was promised before a freeze goes through, and gives to no frozen account (A1, A2)") {
  Leader leader = with_money();
  place(leader, hold_of(2, "alice", 3'000));
  place(leader, hold_of(3, "alice", 3'000));
  const auto change = [&](Operation what, std::string_view account, std::uint64_t id) {
    return leader
        .entry(
            [&](Batch& batch) {
              return batch.change_account({what, id_of(id), default_tenant, PrincipalId(), account});
            },
            leader.stamp())
        .outcome;
  };
  REQUIRE(change(Operation::freeze, "alice", 10) == Outcome::success);
  REQUIRE(place(leader, hold_of(4, "alice", 1)).outcome == Outcome::account_frozen);
  REQUIRE(capture(leader, capture_of(2, "alice", "bob", 3'000)).decision.outcome == Outcome::success);
  REQUIRE(leader.balance("bob") == 3'000);
  REQUIRE(leader.transfer(transfer_of(5, "alice", "bob", 1)).outcome == Outcome::account_frozen);
  REQUIRE(change(Operation::close, "alice", 11) == Outcome::account_not_empty);
  REQUIRE(change(Operation::freeze, "bob", 12) == Outcome::success);
  REQUIRE(capture(leader, capture_of(3, "alice", "bob", 3'000)).decision.outcome == Outcome::account_frozen);
  REQUIRE(leader.balance("alice") == 7'000);
  REQUIRE(change(Operation::unfreeze, "alice", 13) == Outcome::success);
  REQUIRE(place(leader, hold_of(6, "alice", 7'000)).outcome == Outcome::success);
  REQUIRE(change(Operation::close, "alice", 14) == Outcome::account_not_empty);  // A3: an account with a hold is not
  REQUIRE(change(Operation::freeze, "alice", 15) == Outcome::success);
  REQUIRE(release(leader, 6, "alice").outcome == Outcome::success);  // frozen or not
  REQUIRE(change(Operation::unfreeze, "alice", 16) == Outcome::success);
  REQUIRE(leader.transfer(withdrawal_of(7, "alice", 7'000)).outcome == Outcome::success);
  REQUIRE(change(Operation::close, "alice", 17) == Outcome::success);
  REQUIRE(place(leader, hold_of(8, "alice", 1)).outcome == Outcome::account_closed);
  REQUIRE(capture(leader, capture_of(2, "alice", "bob", 3'000)).decision.replayed);
  check_undone(leader);
}

TEST_CASE("a hold expires by the stamp of an entry, not by a clock (issue: holds; decision 11)") {
  Leader leader = with_money();
  const Stamp expires = place(leader, hold_of(2, "alice", 6'000, nanoseconds(1'000))).expires;
  place(leader, hold_of(3, "alice", 1'000, nanoseconds(1'000'000)));
  REQUIRE(leader.state.next_expiry() == expires);
  REQUIRE(expire(leader, expires).empty());  // the last stamp at which it has not
  REQUIRE(held(leader, "alice") == 7'000);
  const std::vector<ExpiredHold> expired = expire(leader, Stamp{expires.nanos + 1});
  REQUIRE(expired.size() == 1);
  REQUIRE(expired[0].id == id_of(2));
  REQUIRE(expired[0].expires == expires);
  REQUIRE(held(leader, "alice") == 1'000);
  REQUIRE(leader.state.next_expiry() > expires);
  REQUIRE(hold_at(leader, 2, "alice").end == HoldEnd::expired);
  // Who folds the log learns it from there, whatever the time is there.
  REQUIRE(exported(folded(ShardId(1), leader.log)) == exported(leader.state));
  check_undone(leader);
}

TEST_CASE("of many that expire together, those that found no room stay held, and are found expired when asked for") {
  Leader leader = with_money();
  for (std::uint64_t id = 2; id < 6; ++id) place(leader, hold_of(id, "alice", 2'000, nanoseconds(1'000)));
  const Stamp later{leader.state.last_stamp().nanos + 2'000};
  REQUIRE(expire(leader, later, 1).size() == 1);  // the earliest
  REQUIRE(hold_at(leader, 2, "alice").end == HoldEnd::expired);
  REQUIRE(held(leader, "alice") == 6'000);
  REQUIRE(leader.transfer(transfer_of(10, "alice", "bob", 4'001)).outcome == Outcome::insufficient_funds);
  const CaptureDecision captured = capture(leader, capture_of(4, "alice", "bob", 1));
  REQUIRE(captured.status == Outcome::hold_expired);
  REQUIRE(captured.expired.has_value());
  REQUIRE(captured.expired->id == id_of(4));
  const VoidDecision voided = release(leader, 5, "alice");
  REQUIRE(voided.outcome == Outcome::hold_expired);
  REQUIRE(voided.expired.has_value());
  REQUIRE(held(leader, "alice") == 2'000);
  REQUIRE(expire(leader, leader.stamp()).size() == 1);
  REQUIRE(held(leader, "alice") == 0);
  REQUIRE_FALSE(leader.state.next_expiry().has_value());
  check_undone(leader);
}

TEST_CASE("one entry may hold everything: placed, captured, voided and expired behind each other, and undone at once") {
  Leader leader = with_money();
  place(leader, hold_of(2, "alice", 1'000, nanoseconds(5)));
  const Bytes before = exported(leader.state);
  const std::size_t entries = leader.log.size();
  leader.entry(
      [&](Batch& batch) {
        REQUIRE(batch.expire_holds(SIZE_MAX).size() == 1);
        REQUIRE(batch.place_hold(hold_of(3, "alice", 10'000)).outcome == Outcome::success);
        REQUIRE(batch.transfer(transfer_of(4, "alice", "bob", 1)).outcome == Outcome::insufficient_funds);
        REQUIRE(batch.capture_hold(capture_of(3, "alice", "bob", 4'000)).decision.outcome == Outcome::success);
        REQUIRE(batch.place_hold(hold_of(5, "bob", 4'000)).outcome == Outcome::success);
        REQUIRE(batch.void_hold({id_of(5), default_tenant, PrincipalId(), "bob"}).outcome == Outcome::success);
        return batch.capture_hold(capture_of(5, "bob", "alice", 1)).status;
      },
      leader.stamp());
  REQUIRE(leader.log.size() == entries + 1);
  REQUIRE(leader.balance("bob") == 4'000);
  leader.state.undo_entry(leader.log.back());
  REQUIRE(exported(leader.state) == before);
  REQUIRE(held(leader, "alice") == 1'000);
  leader.state.apply_entry(leader.log.back());
  REQUIRE(held(leader, "alice") == 0);
  check_undone(leader);
}

TEST_CASE("what cannot be held, captured or voided is refused without a trace") {
  Leader leader(1, 2);
  const std::string here = name_on(1, 2, "here");
  const std::string friend_here = name_on(1, 2, "friend");
  const std::string there = name_on(2, 2, "there");
  const std::string stranger = name_on(1, 2, "stranger");
  leader.open(here);
  leader.open(here, eur);
  leader.open(friend_here);
  leader.transfer(deposit_of(1, here, 1'000));
  place(leader, hold_of(2, here, 500));
  const std::size_t entries = leader.log.size();
  const auto placed = [&](const ledger::PlaceHoldCommand& command) { return place(leader, command).outcome; };
  REQUIRE(placed(hold_of(3, here, 0)) == Outcome::malformed);
  REQUIRE(placed(hold_of(3, here, 1, seconds(1), currency_of("XAU"))) == Outcome::malformed);
  REQUIRE(placed(hold_of(3, here, 1, seconds(0))) == Outcome::malformed);
  REQUIRE(placed(hold_of(3, here, 1, ledger::hold_duration_max + nanoseconds(1))) == Outcome::malformed);
  REQUIRE(placed(hold_of(3, "a b", 1)) == Outcome::malformed);
  REQUIRE(placed(hold_of(3, "sys:issue:USD", 1)) == Outcome::reserved_account);
  REQUIRE(placed(hold_of(3, stranger, 1)) == Outcome::account_not_found);
  REQUIRE(placed(hold_of(3, there, 1)) == Outcome::wrong_shard);

  const auto captured = [&](const ledger::CaptureHoldCommand& command) { return capture(leader, command).status; };
  REQUIRE(captured(capture_of(2, here, friend_here, 0)) == Outcome::malformed);
  REQUIRE(captured(capture_of(2, here, "a b", 1)) == Outcome::malformed);
  REQUIRE(captured(capture_of(2, here, "sys:issue:USD", 1)) == Outcome::reserved_account);
  REQUIRE(captured(capture_of(2, here, here, 1)) == Outcome::same_account);
  REQUIRE(captured(capture_of(2, there, here, 1)) == Outcome::wrong_shard);
  REQUIRE(captured(capture_of(2, here, there, 1)) == Outcome::wrong_shard);  // by the caller's map it is here
  REQUIRE(captured(capture_of(2, stranger, here, 1)) == Outcome::account_not_found);
  REQUIRE(captured(capture_of(9, here, friend_here, 1)) == Outcome::hold_not_found);
  REQUIRE(captured(capture_of(2, friend_here, here, 1)) == Outcome::hold_not_found);  // another account's
  REQUIRE(captured(capture_of(2, here, friend_here, 1, eur)) == Outcome::currency_mismatch);
  REQUIRE(captured(capture_of(2, here, friend_here, 501)) == Outcome::hold_exceeded);

  REQUIRE(release(leader, 2, "a b").outcome == Outcome::malformed);
  REQUIRE(release(leader, 2, "sys:issue:USD").outcome == Outcome::reserved_account);
  REQUIRE(release(leader, 2, there).outcome == Outcome::wrong_shard);
  REQUIRE(release(leader, 2, stranger).outcome == Outcome::account_not_found);
  REQUIRE(release(leader, 9, here).outcome == Outcome::hold_not_found);
  REQUIRE(leader.log.size() == entries);
  REQUIRE(held(leader, here) == 500);
  REQUIRE(place(leader, hold_of(4, here, 1, ledger::hold_duration_max)).outcome == Outcome::success);
}

TEST_CASE("a currency the account lacks is refused for ever under the hold's id") {
  Leader leader = with_money();
  REQUIRE(place(leader, hold_of(2, "alice", 1, seconds(1), eur)).outcome == Outcome::currency_mismatch);
  leader.open("alice", eur);
  leader.transfer(deposit_of(3, "alice", 1, eur));
  const PlaceDecision again = place(leader, hold_of(2, "alice", 1, seconds(1), eur));
  REQUIRE(again.outcome == Outcome::currency_mismatch);
  REQUIRE(again.replayed);
  REQUIRE(exported(leader.state)[0] == std::byte{4});
  check_undone(leader);
}

TEST_CASE("a transfer that has taken the id of a capture keeps the hold from being captured, and nothing else") {
  Leader leader = with_money();
  place(leader, hold_of(2, "alice", 6'000));
  ledger::TransferCommand same = capture_of(2, "alice", "bob", 100).transfer();
  REQUIRE(leader.transfer(same).outcome == Outcome::success);
  const CaptureDecision captured = capture(leader, capture_of(2, "alice", "bob", 100));
  REQUIRE(captured.status == Outcome::idempotency_payload_mismatch);  // though it is the same body
  REQUIRE(hold_at(leader, 2, "alice").end == HoldEnd::live);
  REQUIRE(leader.balance("bob") == 100);
  REQUIRE(release(leader, 2, "alice").outcome == Outcome::success);
}

TEST_CASE("a hold that no decision places or ends is divergence") {
  Leader leader = with_money();
  const PlaceDecision placed = place(leader, hold_of(2, "alice", 6'000, nanoseconds(100)));
  const auto applied = [&](const ledger::Event& event, Stamp stamp) {
    StateMachine state(leader.state);
    Bytes bytes;
    ByteWriter out(bytes);
    ledger::encode(ledger::EntryHeader{1, state.last_position().next(), stamp}, out);
    ledger::encode(event, out);
    state.apply_entry(bytes);
  };
  const Stamp soon = leader.stamp();
  const Stamp later{placed.expires.nanos + 1};
  const ledger::HoldEnded good{HoldEnd::voided, 0, id_of(2), PocketNumber(0), {6'000, usd}};
  applied(good, soon);
  applied({ledger::HoldEnded{HoldEnd::expired, 0, id_of(2), PocketNumber(0), {6'000, usd}}}, later);
  std::vector<ledger::HoldEnded> bad(6, good);
  bad[0].hold = 1;
  bad[1].id = id_of(3);
  bad[2].pocket = PocketNumber(1);
  bad[3].amount.minor = 5'999;
  bad[4].amount.currency = eur;
  bad[5].how = HoldEnd::expired;  // too early
  for (const ledger::HoldEnded& event : bad) REQUIRE_THROWS_AS(applied(event, soon), CheckFailure);
  REQUIRE_THROWS_AS(applied(good, later), CheckFailure);  // too late
  ledger::HoldPlaced more;
  more.decided.operation = Operation::hold;
  more.decided.outcome = Outcome::success;
  more.decided.home = AccountNumber(0);
  more.decided.debit = PocketNumber(0);
  more.decided.amount = {4'000, usd};
  more.decided.id = id_of(3);
  more.expires = later;
  applied(more, soon);
  REQUIRE_THROWS_AS(applied(more, later), CheckFailure);  // expired when placed
  std::vector<ledger::HoldPlaced> placings(3, more);
  placings[0].decided.amount.minor = 4'001;
  placings[1].decided.debit = PocketNumber(1);  // bob's
  placings[2].decided.id = id_of(2);
  for (const ledger::HoldPlaced& event : placings) REQUIRE_THROWS_AS(applied(event, soon), CheckFailure);
}

}  // namespace
