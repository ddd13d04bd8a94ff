// Compaction and snapshots as consensus sees them: chapter 5 of the Raft thesis (Ongaro 2014). The bytes of a snapshot
// are moved by others; a replica says who needs one and is told what was installed.
#include <catch2/catch.hpp>

#include "core/raft/log_view.h"
#include "core/raft/progress.h"
#include "tests/core/raft/replica.h"

namespace coffer::raft::test {
namespace {

using Terms = std::vector<std::uint64_t>;

/// Leads term 2 with entries 1..6 committed everywhere but on node 3, whose answers are not in yet; compacted up to 4.
Replica compacted_leader() {
  Replica replica({.term = 1, .log = {1, 1, 1, 1, 1}});
  replica.win_election();
  replica.replicate_on({2});
  REQUIRE(replica.raft.commit() == Index(6));
  replica.raft.compact(Index(4));
  return replica;
}

/// A follower of node 2 in term 3 with this log and commit index.
Replica follower(std::initializer_list<std::uint64_t> log, std::uint64_t commit) {
  Replica replica({.term = 3, .log = log});
  replica.receive(2, append_request(3, log.size(), log.size() == 0 ? 0 : *(log.end() - 1), {}, commit));
  REQUIRE(replica.raft.commit() == Index(commit));
  return replica;
}

// ---- The log's base --------------------------------------------------------------------------------------------

TEST_CASE("a log keeps index and term of the last entry it has discarded (Raft thesis §5.1)") {
  LogView log({}, entries(1, {1, 1, 2, 2}));
  log.compact(Index(3));
  CHECK(log.base() == LogPlace{Index(3), Term(2)});
  CHECK(log.term_at(Index(3)) == Term(2));
  CHECK(log.matches(Index(3), Term(2)));
  CHECK_FALSE(log.matches(Index(2), Term(1)));
  CHECK_THROWS_AS(log.term_at(Index(2)), CheckFailure);
  CHECK_THROWS_AS(log.at(Index(3)), CheckFailure);
  CHECK(log.at(Index(4)).term == Term(2));
  CHECK(log.last_index() == Index(4));
  log.compact(Index(4));
  CHECK(log.last() == LogPlace{Index(4), Term(2)});
  CHECK_THROWS_AS(log.compact(Index(3)), CheckFailure);
  CHECK_THROWS_AS(log.truncate_from(Index(4)), CheckFailure);
  log.append({Index(5), Term(2), nullptr});
  CHECK(log.generation() == 0);
}

TEST_CASE("a log never packs what does not follow its base or its end (known bug 10) (known bug 20)") {
  LogView log({Index(3), Term(2)}, entries(4, {2, 3}));
  CHECK(log.last_index() == Index(5));
  CHECK_THROWS_AS(log.append({Index(7), Term(3), nullptr}), CheckFailure);
  CHECK_THROWS_AS(log.append({Index(5), Term(3), nullptr}), CheckFailure);
  CHECK_THROWS_AS(LogView({Index(3), Term(2)}, entries(5, {2})), CheckFailure);  // a gap behind the snapshot
  CHECK_THROWS_AS(LogView({Index(3), Term(2)}, entries(3, {2})), CheckFailure);
  CHECK_THROWS_AS(LogView({Index(3), Term(2)}, entries(4, {1})), CheckFailure);  // terms never fall
  CHECK_THROWS_AS(LogView({Index(3), Term(0)}, {}), CheckFailure);
}

TEST_CASE("entries that cannot be read never become an empty append (known bug 11)") {
  LogView log({}, entries(1, {1, 1, 1}));
  log.compact(Index(2));
  CHECK_THROWS_AS(log.slice(Index(2), Index(3), 100), CheckFailure);
  CHECK_THROWS_AS(log.slice(Index(3), Index(4), 100), CheckFailure);
  CHECK_THROWS_AS(log.slice(Index(4), Index(3), 100), CheckFailure);
  CHECK(log.slice(Index(3), Index(3), 0).size() == 1);
}

TEST_CASE("a snapshot keeps the entries behind the very entry it ends with, and no others (Raft thesis §5.3)") {
  LogView kept({}, entries(1, {1, 1, 2, 2}));
  kept.restore({Index(3), Term(2)});
  CHECK(kept.last_index() == Index(4));
  CHECK(kept.generation() == 0);
  CHECK(kept.durable() == Index(4));
  LogView other({}, entries(1, {1, 1, 1, 1}));
  other.restore({Index(3), Term(2)});
  CHECK(other.last() == LogPlace{Index(3), Term(2)});
  CHECK(other.generation() == 1);
  LogView shorter({}, entries(1, {1}));
  shorter.restore({Index(3), Term(2)});
  CHECK(shorter.last() == LogPlace{Index(3), Term(2)});
  CHECK(shorter.generation() == 1);
}

TEST_CASE("completions of writes from before a snapshot say nothing of the log behind it (§10.2.1) (known bug 9)") {
  LogView log({}, entries(1, {1, 1}));
  log.append({Index(3), Term(1), nullptr});
  log.append({Index(4), Term(1), nullptr});
  log.restore({Index(3), Term(2)});
  log.append({Index(4), Term(2), nullptr});
  log.persisted(0, Index(4));
  CHECK(log.durable() < Index(3));
  CHECK(log.durable_place() == LogPlace());
  log.persisted(1, Index(4));
  CHECK(log.durable_place() == LogPlace{Index(4), Term(2)});
}

TEST_CASE("a replica starts from a snapshot and the entries behind it (Raft thesis §5.1)") {
  Replica replica({.term = 3, .log = {2, 3}, .base = {Index(7), Term(2)}});
  CHECK(replica.raft.commit() == Index(7));
  CHECK(replica.raft.last_index() == Index(9));
  CHECK(replica.raft.base() == LogPlace{Index(7), Term(2)});
  CHECK(replica.raft.term_at(Index(7)) == Term(2));
  CHECK(replica.raft.configuration_at(Index(7)) == configuration({1, 2, 3}));
  CHECK_THROWS_AS(replica.raft.configuration_at(Index(6)), CheckFailure);
  Replica empty({.term = 3, .base = {Index(7), Term(2)}});
  empty.time_out();
  CHECK(empty.sent<VoteRequest>().front().last_index == Index(7));
  CHECK(empty.sent<VoteRequest>().front().last_term == Term(2));
}

TEST_CASE("only what is committed is compacted, and nothing twice (Raft thesis §5.1)") {
  Replica replica = follower({3, 3, 3}, 2);
  CHECK_THROWS_AS(replica.raft.compact(Index(3)), CheckFailure);
  replica.raft.compact(Index(2));
  replica.raft.compact(Index(1));
  CHECK(replica.raft.base() == LogPlace{Index(2), Term(3)});
}

// ---- The leader ------------------------------------------------------------------------------------------------

TEST_CASE("a follower that needs what is compacted needs a snapshot, and gets no entries (Raft thesis §5.3)") {
  Replica replica = compacted_leader();
  replica.receive(3, refused(2, 2));
  CHECK(replica.out.snapshots_needed == nodes({3}));
  CHECK(replica.trace_of(TraceKind::snapshot_needed).a == 3);
  CHECK(replica.sent<AppendRequest>(3).empty());
  replica.propose("x");
  CHECK(replica.sent<AppendRequest>(3).empty());
  CHECK(replica.out.snapshots_needed.empty());
  for (int beat = 0; beat < 3; ++beat) {
    replica.time_out();
    CHECK(replica.out.snapshots_needed == nodes({3}));
    CHECK(replica.traced(TraceKind::snapshot_needed) == 0);
    REQUIRE(replica.sent<AppendRequest>(3).size() == 1);
    CHECK(replica.sent<AppendRequest>(3).front().prev_index == Index(4));
    CHECK(replica.sent<AppendRequest>(3).front().entries.empty());
    replica.receive(3, refused(2, 2));
    CHECK(replica.sent<AppendRequest>(3).empty());
    replica.receive(2, accepted(2, 6));
  }
}

TEST_CASE("a follower is supplied from its snapshot on (Raft thesis §5.3)") {
  Replica replica = compacted_leader();
  replica.receive(3, refused(2, 0));
  const std::uint64_t installed = GENERATE(4, 5, 6);
  replica.receive(3, accepted(2, installed));
  CHECK(replica.out.snapshots_needed.empty());
  const auto requests = replica.sent<AppendRequest>(3);
  CHECK(requests.size() == (installed < 6 ? 1 : 0));
  if (installed < 6) CHECK(requests.front().prev_index == Index(installed));
  replica.propose("x");
  CHECK(replica.sent<AppendRequest>(3).size() == 1);
}

TEST_CASE("an answer from before the leader's base does not end the need for a snapshot (docs/PROTOCOLS.md R26)") {
  Replica replica = compacted_leader();
  replica.receive(3, refused(2, 0));
  replica.receive(3, accepted(2, 3));
  CHECK(replica.sent<AppendRequest>(3).empty());
  replica.time_out();
  CHECK(replica.out.snapshots_needed == nodes({3}));
}

TEST_CASE(
    "a follower that needs a snapshot still answers rounds and keeps the leader leading (Raft thesis §5.3, §6.2)") {
  Replica replica = compacted_leader();
  replica.receive(3, refused(2, 0));
  replica.read(11);
  CHECK(replica.sent<AppendRequest>(3).front().round == 1);
  replica.receive(3, refused(2, 0, 1));
  CHECK(replica.out.reads_confirmed == std::vector<std::uint64_t>{11});
  for (int beat = 0; beat < 20; ++beat) {
    replica.receive(3, refused(2, 0));
    replica.time_out();
  }
  CHECK(replica.raft.role() == Role::leader);
}

TEST_CASE("what was in flight when it was compacted is not sent again (docs/PROTOCOLS.md R26)") {
  Replica replica = Replica::leading();
  for (const char* const text : {"a", "b", "c"}) replica.propose(text);
  replica.receive(3, accepted(1, 4));
  replica.sync();
  REQUIRE(replica.raft.commit() == Index(4));
  replica.raft.compact(Index(4));
  replica.reconnected(2);
  CHECK(replica.out.snapshots_needed == nodes({2}));
  CHECK(replica.sent<AppendRequest>(2).front().prev_index == Index(4));
  replica.receive(2, accepted(1, 4));  // it had them
  replica.propose("d");
  CHECK(replica.sent<AppendRequest>(2).size() == 1);
}

TEST_CASE("a leader does not hand over to who needs a snapshot, nor promote it (Raft thesis §3.10, §4.2.1)") {
  Replica replica = compacted_leader();
  replica.receive(3, refused(2, 0));
  CHECK_FALSE(replica.transfer(3));
}

// ---- The follower ----------------------------------------------------------------------------------------------

TEST_CASE("an installed snapshot that is ahead replaces the log up to it (Raft thesis §5.3)") {
  Replica replica = follower({1, 1, 2}, 1);
  CHECK(replica.restore(5, 3, configuration({1, 2, 4})));
  CHECK(replica.raft.base() == LogPlace{Index(5), Term(3)});
  CHECK(replica.raft.commit() == Index(5));
  CHECK(replica.raft.last_index() == Index(5));
  CHECK(replica.raft.configuration() == configuration({1, 2, 4}));
  CHECK(replica.raft.configuration_index() == Index(5));
  CHECK(replica.out.restored == LogPlace{Index(5), Term(3)});
  CHECK_FALSE(replica.out.truncated_from);
  CHECK(replica.out.generation == 1);
  CHECK(replica.trace_of(TraceKind::restored).a == 3);
  CHECK(replica.trace_of(TraceKind::restored).index == Index(5));
  CHECK(replica.trace_of(TraceKind::configuration_changed).a == 0b10110);
  // The leader learns without waiting for a heartbeat, but not before the log's new base is durable.
  const auto reply = replica.answer<AppendReply>();
  CHECK(reply.success);
  CHECK(reply.match == Index(5));
  CHECK(replica.out.messages.front().after_sync);
  replica.receive(2, append_request(3, 5, 3, {3}, 6));
  CHECK(replica.raft.commit() == Index(6));
}

TEST_CASE("a snapshot whose last entry the log holds keeps what follows it, configurations too (Raft thesis §5.3)") {
  Replica replica({.term = 3, .log = {1, 1, 2, 2}});
  AppendRequest more = append_request(3, 4, 2, {});
  more.entries.push_back(configuration_entry(5, 3, configuration({1, 2})));
  replica.receive(2, more);
  CHECK(replica.restore(3, 2, configuration({1, 2, 3, 4})));
  CHECK(replica.log_terms() == Terms{2, 3});
  CHECK(replica.raft.commit() == Index(3));
  CHECK(replica.raft.configuration() == configuration({1, 2}));
  CHECK(replica.raft.configuration_at(Index(4)) == configuration({1, 2, 3, 4}));
  CHECK(replica.out.generation == 0);
}

TEST_CASE("a snapshot that is not ahead changes nothing (Raft thesis §5.3)") {
  Replica replica = follower({1, 1, 2}, 2);
  CHECK_FALSE(replica.restore(2, 1, configuration({1})));
  CHECK_FALSE(replica.restore(1, 1, configuration({1})));
  CHECK_FALSE(replica.out.restored);
  CHECK(replica.raft.base() == LogPlace());
  CHECK(replica.raft.configuration() == configuration({1, 2, 3}));
  Replica leader = Replica::leading();
  leader.propose("x");
  CHECK_FALSE(leader.restore(2, 1, configuration({1, 2, 3})));
  CHECK(leader.raft.role() == Role::leader);
}

TEST_CASE("a snapshot of a later term brings that term (docs/PROTOCOLS.md R1, R22)") {
  Replica replica = follower({1, 1}, 1);
  CHECK(replica.restore(9, 7, configuration({1, 2, 3})));
  CHECK(replica.raft.term() == Term(7));
  CHECK(replica.out.hard_state == HardState{Term(7), nobody});
  CHECK(replica.raft.leader() == nobody);
  CHECK(replica.out.messages.empty());
}

TEST_CASE(
    "an output that hands out entries and then a snapshot hands out only what is left of them (Raft thesis §5.3)") {
  Replica replica({.term = 3, .log = {1}});
  replica.out.clear();
  replica.raft.receive(replica.now, NodeId(2), append_request(3, 0, 0, {3, 3, 3}), replica.out);
  REQUIRE(replica.out.truncated_from == Index(1));
  SECTION("the snapshot's entry is among them") {
    replica.raft.restore(replica.now, {Index(2), Term(3)}, configuration({1, 2, 3}), replica.out);
    REQUIRE(replica.out.appended.size() == 1);
    CHECK(replica.out.appended.front().index == Index(3));
    CHECK_FALSE(replica.out.truncated_from);
  }
  SECTION("it is not") {
    replica.raft.restore(replica.now, {Index(9), Term(3)}, configuration({1, 2, 3}), replica.out);
    CHECK(replica.out.appended.empty());
    CHECK_FALSE(replica.out.truncated_from);
  }
}

TEST_CASE("an append that begins before the base is taken from the base on (docs/PROTOCOLS.md R22)") {
  Replica replica({.term = 3, .log = {3}, .base = {Index(4), Term(2)}});
  replica.receive(2, append_request(3, 2, 1, {2, 2, 3, 3}, 6));
  CHECK(replica.answer<AppendReply>().success);
  CHECK(replica.answer<AppendReply>().match == Index(6));
  CHECK(replica.log_terms() == Terms{3, 3});
  CHECK(replica.raft.commit() == Index(6));
  REQUIRE(replica.out.appended.size() == 1);
}

TEST_CASE("an append wholly before the base is answered with the base: it is all committed (docs/PROTOCOLS.md R22)") {
  Replica replica({.term = 3, .log = {3}, .base = {Index(4), Term(2)}});
  replica.receive(2, append_request(3, 1, 1, {1}, 2));
  CHECK(replica.answer<AppendReply>().success);
  CHECK(replica.answer<AppendReply>().match == Index(4));
  replica.receive(2, append_request(3, 1, 1, {}, 2));
  CHECK(replica.answer<AppendReply>().match == Index(4));
  CHECK(replica.log_terms() == Terms{3});
}

TEST_CASE("an append that contradicts the base takes nothing away (docs/PROTOCOLS.md R7)") {
  Replica replica({.term = 3, .log = {3}, .base = {Index(4), Term(2)}});
  replica.receive(2, append_request(3, 3, 1, {1, 3}, 5));
  CHECK_FALSE(replica.answer<AppendReply>().success);
  replica.receive(2, append_request(3, 4, 1, {3}, 5));
  CHECK_FALSE(replica.answer<AppendReply>().success);
  CHECK(replica.log_terms() == Terms{3});
  CHECK(replica.raft.commit() == Index(4));
}

TEST_CASE("a refusal never goes below the base (Raft thesis §3.5, §5)") {
  Replica replica({.term = 5, .log = {3, 3}, .base = {Index(4), Term(3)}});
  replica.receive(2, append_request(5, 6, 4, {}));
  CHECK(replica.answer<AppendReply>().match == Index(4));
}

TEST_CASE("who installs a snapshot ends its candidacy and follows the snapshot's configuration (known bug 22)") {
  Replica replica({.term = 1, .log = {1}});
  replica.stand();
  REQUIRE(replica.raft.role() == Role::candidate);
  CHECK(replica.restore(6, 2, configuration({2, 3, 4})));
  CHECK(replica.raft.role() == Role::follower);
  replica.receive(2, VoteReply{Term(2), false, true});
  replica.receive(3, VoteReply{Term(2), false, true});
  CHECK(replica.raft.role() == Role::follower);
  replica.time_out();
  CHECK(replica.sent<VoteRequest>().empty());  // it is no member any more
}

TEST_CASE(
    "a vote asked for with a snapshot's log waits until its base is durable (Raft thesis fig. 3.1) (known bug 22)") {
  Replica replica({.term = 1, .log = {1}});
  CHECK(replica.restore(6, 2, configuration({1, 2, 3})));
  replica.stand();
  for (const Outgoing& outgoing : replica.out.messages) CHECK(outgoing.after_sync);
  CHECK(replica.sent<VoteRequest>().front().last_index == Index(6));
}

// ---- Bytes in flight -------------------------------------------------------------------------------------------

TEST_CASE("what is in flight to a follower is bounded in bytes, and one append may go beyond (Raft thesis §10.2.2)") {
  Replica replica = Replica::leading({.append_bytes_max = 4, .appends_in_flight_max = 100, .window_bytes_max = 10});
  for (const char* const text : {"1234", "5678", "90ab", "cdef"}) replica.propose(text);
  CHECK(replica.sent<AppendRequest>(2).empty());  // twelve bytes are under way
  replica.receive(2, accepted(1, 2));
  CHECK(replica.sent<AppendRequest>(2).size() == 1);
  replica.receive(2, accepted(1, 5));
  CHECK(replica.sent<AppendRequest>(2).empty());
  replica.propose("an entry larger than the window goes alone");
  CHECK(replica.sent<AppendRequest>(2).size() == 1);
  replica.propose("x");
  CHECK(replica.sent<AppendRequest>(2).empty());
}

TEST_CASE("bytes in flight are counted exactly, whatever ends the flight (Raft thesis §10.2.2)") {
  Progress progress(NodeId(2), Index(0), Instant());
  progress.accepted(Index(0), Index(0));
  progress.sent(Index(1), 5);
  progress.sent(Index(3), 7);
  CHECK(progress.bytes_in_flight() == 12);
  CHECK_FALSE(progress.may_send({9, 12}));
  CHECK(progress.may_send({9, 13}));
  progress.accepted(Index(1), Index(0));
  CHECK(progress.bytes_in_flight() == 7);
  progress.need_snapshot();
  CHECK(progress.bytes_in_flight() == 0);
  CHECK_FALSE(progress.may_send({9, 13}));
  CHECK_THROWS_AS(progress.sent(Index(9), 1), CheckFailure);
  CHECK_FALSE(progress.rejected(Index(0)));
  progress.accepted(Index(5), Index(5));
  CHECK(progress.state() == Progress::State::streaming);
  CHECK(progress.next() == Index(6));
  progress.sent(Index(6), 3);
  progress.lost(Index(2));
  CHECK(progress.match() == Index(2));
  CHECK(progress.next() == Index(3));
  CHECK(progress.bytes_in_flight() == 0);
}

}  // namespace
}  // namespace coffer::raft::test
