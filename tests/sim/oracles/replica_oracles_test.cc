#include <catch2/catch.hpp>

#include "tests/sim/oracles/caught.h"
#include "tests/sim/oracles/story.h"

using namespace coffer;
using namespace coffer::sim;
using namespace coffer::sim::oracles;

namespace {

constexpr AccountNumber home_a{0};

TraceEvent traced(TraceKind kind, std::uint64_t term, std::uint64_t index = 0, std::uint64_t a = 0) {
  TraceEvent event;
  event.kind = kind;
  event.shard = s1;
  event.term = Term(term);
  event.index = Index(index);
  event.a = a;
  return event;
}

}  // namespace

TEST_CASE("O-E1 catches a replica that is not the fold of its log") {
  Story story("O-E1");
  story.set_up();
  shard::Observation replica = story.replica(s1);
  story.oracle().on_replica({}, n2, replica);
  REQUIRE(story.reasons().empty());
  SECTION("a balance") {
    replica.pockets[2].balance += 1;
    story.oracle().on_replica({}, n3, replica);
    CHECK(told_of(story.reasons(), {"node 3", "'a'", "USD 1001", "the fold of the log says 1000"}));
  }
  SECTION("a pocket too few") {
    replica.pockets.pop_back();
    story.oracle().on_replica({}, n3, replica);
    CHECK(told_of(story.reasons(), {"node 3", "lacks pocket 3", "c"}));
  }
  SECTION("a position") {
    replica.position = Position(5);
    story.oracle().on_replica({}, n3, replica);
    CHECK(told_of(story.reasons(), {"position 5", "the log says 6"}));
  }
  SECTION("a leg") {
    replica.legs_unanswered = 1;
    story.oracle().on_replica({}, n3, replica);
    CHECK(told_of(story.reasons(), {"1 unanswered legs", "the log says 0"}));
  }
  SECTION("an id") {
    replica.dedup_rows -= 1;
    story.oracle().on_replica({}, n3, replica);
    CHECK(told_of(story.reasons(), {"remembers 0 ids", "the log bound 1"}));
  }
  SECTION("anything else that the digest covers") {
    replica.state.low ^= 1;
    story.oracle().on_replica({}, n3, replica);
    CHECK(told_of(story.reasons(), {"node 3", "another state digest than node 2"}));
  }
}

TEST_CASE("O-E1 catches an older state that is not the fold of its prefix") {
  Story story("O-E1");
  story.set_up();
  shard::Observation old = story.replica(s1);
  story.transfer_within(3, 10);
  story.oracle().on_replica({}, n2, old);
  REQUIRE(story.reasons().empty());
  old.pockets = story.replica(s1).pockets;  // already holds what comes later
  story.oracle().on_replica({}, n2, old);
  CHECK(told_of(story.reasons(), {"USD 990", "says 1000"}));
}

TEST_CASE("O-E1 catches a leader's speculative state once its entry commits") {
  Story story("O-E1");
  story.set_up();
  const shard::Observation before = story.replica(s1);
  shard::Observation ahead = before;
  ahead.role = shard::Role::leader;
  ahead.applied = Index(before.applied.value + 1);
  ahead.position = Position(7);
  ahead.dedup_rows += 1;
  ahead.pockets[2].balance -= 10;
  ahead.pockets[3].balance += 10;
  const ledger::Event event = story.local(transfer_item(3, "a", "c", 10), Outcome::success, home_a, first, second);
  SECTION("as told") {
    story.oracle().on_replica({}, n1, ahead);
    story.commit(s1, {event});
    CHECK(story.end().empty());
  }
  SECTION("wrong") {
    ahead.pockets[3].balance += 1;
    story.oracle().on_replica({}, n1, ahead);
    REQUIRE(story.reasons().empty());
    story.commit(s1, {event});
    CHECK(told_of(story.reasons(), {"node 1", "'c'", "USD 11", "says 10"}));
  }
  SECTION("of a term that did not commit there: forgotten") {
    ahead.applied_term = Term(2);
    ahead.pockets[3].balance += 1;
    story.oracle().on_replica({}, n1, ahead);
    story.commit(s1, {event});
    CHECK(story.end().empty());
  }
}

TEST_CASE("O-E1 catches a follower that runs ahead of its commit index") {
  Story story("O-E1");
  story.set_up();
  shard::Observation replica = story.replica(s1);
  replica.commit = Index(replica.applied.value - 1);
  story.oracle().on_replica({}, n2, replica);
  CHECK(told_of(story.reasons(), {"node 2", "ahead of its commit index 1", "without being the leader"}));
}

TEST_CASE("O-E2 catches an undo that does not give the earlier state") {
  Story story("O-E2");
  story.set_up();
  const shard::Observation earlier = story.replica(s1);
  story.oracle().on_replica({}, n2, earlier);
  story.transfer_within(3, 10);
  story.oracle().on_replica_undone({}, n3, earlier, 1);
  REQUIRE(story.reasons().empty());
  shard::Observation undone = earlier;
  SECTION("a balance") {
    undone.pockets[2].balance -= 10;
    story.oracle().on_replica_undone({}, n3, undone, 1);
    CHECK(told_of(story.reasons(), {"after undoing 1 entries", "USD 990", "says 1000"}));
  }
  SECTION("money that is held still") {
    undone.pockets[2].held = 1;
    story.oracle().on_replica_undone({}, n3, undone, 1);
    CHECK(told_of(story.reasons(), {"after undoing 1 entries", "keeps 1 minor units of 'a'", "says 0"}));
  }
  SECTION("a lock") {
    undone.pockets[2].locked = true;
    story.oracle().on_replica_undone({}, n3, undone, 1);
    CHECK(told_of(story.reasons(), {"after undoing 1 entries", "'a' USD locked", "it is free"}));
  }
  SECTION("what only the digest sees") {
    undone.state.high ^= 1;
    story.oracle().on_replica_undone({}, n3, undone, 1);
    CHECK(told_of(story.reasons(), {"after undoing 1 entries", "state digest", "node 2"}));
  }
}

TEST_CASE("O-R1 catches two leaders in one term (Raft thesis fig. 3.2, election safety)") {
  Story story("O-R1");
  Oracle& oracle = story.oracle();
  oracle.on_trace({}, n1, traced(TraceKind::became_leader, 2));
  oracle.on_trace({}, n2, traced(TraceKind::became_leader, 3));
  REQUIRE(story.reasons().empty());
  oracle.on_trace({}, n3, traced(TraceKind::became_leader, 3));
  CHECK(told_of(story.reasons(), {"election safety", "nodes 2 and 3", "s1", "term 3"}));
}

TEST_CASE("O-R1 catches logs that differ in or before an entry they share (Raft thesis fig. 3.2, log matching)") {
  Story story("O-R1");
  Oracle& oracle = story.oracle();
  for (const NodeId node : {n1, n2}) {
    oracle.on_trace({}, node, traced(TraceKind::appended, 1, 1, 11));
    oracle.on_trace({}, node, traced(TraceKind::appended, 1, 2, 12));
  }
  oracle.on_trace({}, n3, traced(TraceKind::appended, 1, 1, 11));
  REQUIRE(story.reasons().empty());
  const auto caught = [&] { return told_of(story.reasons(), {"log matching", "entry 2 of term 1", "s1"}); };
  SECTION("another payload") {
    oracle.on_trace({}, n3, traced(TraceKind::appended, 1, 2, 99));
    CHECK(caught());
  }
  SECTION("another past") {
    oracle.on_trace({}, n3, traced(TraceKind::truncated, 1, 1, 1));
    oracle.on_trace({}, n3, traced(TraceKind::appended, 0, 1, 10));
    oracle.on_trace({}, n3, traced(TraceKind::appended, 1, 2, 12));
    CHECK(caught());
  }
  SECTION("another payload read back from the disk") {
    oracle.on_crash({}, n2);
    oracle.on_restart({}, n2);
    oracle.on_trace({}, n2, traced(TraceKind::recovered_entry, 1, 1, 11));
    oracle.on_trace({}, n2, traced(TraceKind::recovered_entry, 1, 2, 0));
    CHECK(caught());
  }
}

TEST_CASE("O-R1 catches a log with a gap") {
  Story story("O-R1");
  story.oracle().on_trace({}, n1, traced(TraceKind::appended, 1, 1, 11));
  REQUIRE(story.reasons().empty());
  story.oracle().on_trace({}, n1, traced(TraceKind::appended, 1, 3, 13));
  CHECK(told_of(story.reasons(), {"node 1", "entry 3 behind entry 1"}));
}

TEST_CASE("O-R1 catches a leader without a committed entry (Raft thesis fig. 3.2, leader completeness)") {
  Story story("O-R1");
  Oracle& oracle = story.oracle();
  const auto elect = [&](NodeId node, std::uint64_t term) {
    oracle.on_trace({}, node, traced(TraceKind::became_leader, term));
  };
  elect(n1, 2);
  for (const NodeId node : {n1, n2}) oracle.on_trace({}, node, traced(TraceKind::appended, 2, 1, 11));
  oracle.on_committed({}, n1, {s1, Index(1), Term(2), EntryKind::state, {}});
  SECTION("complete") {
    elect(n2, 3);
    CHECK(story.end().empty());
  }
  SECTION("incomplete") {
    elect(n3, 3);
    CHECK(told_of(story.reasons(), {"leader completeness", "node 3", "term 3", "without entry 1 of term 2"}));
  }
  SECTION("an earlier term's late leader need not have it") {
    Story other("O-R1");
    other.oracle().on_trace({}, n1, traced(TraceKind::became_leader, 5));
    other.oracle().on_trace({}, n1, traced(TraceKind::appended, 5, 1, 11));
    other.oracle().on_committed({}, n1, {s1, Index(1), Term(5), EntryKind::state, {}});
    other.oracle().on_trace({}, n3, traced(TraceKind::became_leader, 4));
    CHECK(other.end().empty());
  }
}

TEST_CASE("O-R1 catches two entries committed at one index (Raft thesis fig. 3.2, state machine safety)") {
  Story story("O-R1");
  Oracle& oracle = story.oracle();
  const Bytes payload(3, std::byte{1});
  const Bytes other(3, std::byte{2});
  oracle.on_committed({}, n1, {s1, Index(1), Term(1), EntryKind::state, payload});
  oracle.on_committed({}, n2, {s1, Index(1), Term(1), EntryKind::state, payload});
  REQUIRE(story.reasons().empty());
  SECTION("another term") {
    oracle.on_committed({}, n3, {s1, Index(1), Term(2), EntryKind::state, payload});
    CHECK(told_of(story.reasons(), {"state machine safety", "s1 entry 1", "term 1", "node 3 in term 2"}));
  }
  SECTION("another payload") {
    oracle.on_committed({}, n3, {s1, Index(1), Term(1), EntryKind::state, other});
    CHECK(told_of(story.reasons(), {"state machine safety", "another payload"}));
  }
  SECTION("another kind") {
    oracle.on_committed({}, n3, {s1, Index(1), Term(1), EntryKind::configuration, payload});
    CHECK(told_of(story.reasons(), {"state machine safety", "another payload"}));
  }
  SECTION("a gap") {
    oracle.on_committed({}, n3, {s1, Index(3), Term(1), EntryKind::state, payload});
    CHECK(told_of(story.reasons(), {"entry 3", "before the entries in front of it"}));
  }
}

TEST_CASE("O-R1 follows a log on from a snapshot (Raft thesis section 5.1)") {
  Story story("O-R1");
  Oracle& oracle = story.oracle();
  for (std::uint64_t i = 1; i <= 3; ++i) {
    for (const NodeId node : {n1, n2}) oracle.on_trace({}, node, traced(TraceKind::appended, 1, i, 10 + i));
    oracle.on_committed({}, n1, {s1, Index(i), Term(1), EntryKind::state, {}});
  }
  oracle.on_trace({}, n1, traced(TraceKind::appended, 1, 4, 14));
  REQUIRE(story.reasons().empty());
  SECTION("installed by a replica that had nothing") {
    oracle.on_trace({}, n3, traced(TraceKind::restored, 1, 3));
    oracle.on_trace({}, n3, traced(TraceKind::appended, 1, 4, 14));
    oracle.on_trace({}, n3, traced(TraceKind::became_leader, 2));
    oracle.on_committed({}, n3, {s1, Index(4), Term(1), EntryKind::state, {}});
    CHECK(story.end().empty());
  }
  SECTION("installed by a replica that held its last entry, and keeps what is behind") {
    oracle.on_trace({}, n2, traced(TraceKind::appended, 1, 4, 14));
    oracle.on_trace({}, n2, traced(TraceKind::restored, 1, 3, 4));
    oracle.on_trace({}, n2, traced(TraceKind::appended, 1, 5, 15));
    CHECK(story.end().empty());
  }
  SECTION("installed by a replica whose suffix is another, and goes") {
    oracle.on_trace({}, n3, traced(TraceKind::appended, 0, 1, 1));
    oracle.on_trace({}, n3, traced(TraceKind::appended, 0, 2, 2));
    oracle.on_trace({}, n3, traced(TraceKind::appended, 0, 3, 3));
    oracle.on_trace({}, n3, traced(TraceKind::appended, 0, 4, 4));
    oracle.on_trace({}, n3, traced(TraceKind::restored, 1, 3, 4));
    oracle.on_trace({}, n3, traced(TraceKind::appended, 0, 5, 5));
    CHECK(told_of(story.reasons(), {"node 3 put entry 5 behind entry 3"}));
  }
  SECTION("read back: the entries before it are not shown again") {
    oracle.on_crash({}, n2);
    oracle.on_restart({}, n2);
    oracle.on_trace({}, n2, traced(TraceKind::recovered, 1, 2, 1));
    oracle.on_trace({}, n2, traced(TraceKind::recovered_entry, 1, 3, 13));
    oracle.on_committed({}, n2, {s1, Index(3), Term(1), EntryKind::state, {}});
    CHECK(story.end().empty());
  }
  SECTION("another entry behind it than elsewhere") {
    oracle.on_trace({}, n3, traced(TraceKind::restored, 1, 3));
    oracle.on_trace({}, n3, traced(TraceKind::appended, 1, 4, 99));
    CHECK(told_of(story.reasons(), {"log matching", "entry 4 of term 1"}));
  }
}

TEST_CASE("O-R1 catches a snapshot that stands for too much or too little") {
  Story story("O-R1");
  Oracle& oracle = story.oracle();
  for (std::uint64_t i = 1; i <= 3; ++i) {
    oracle.on_trace({}, n1, traced(TraceKind::appended, 1, i, 10 + i));
    oracle.on_committed({}, n1, {s1, Index(i), Term(1), EntryKind::state, {}});
  }
  REQUIRE(story.reasons().empty());
  SECTION("of entries that have not committed") {
    oracle.on_trace({}, n3, traced(TraceKind::restored, 1, 4));
    CHECK(told_of(story.reasons(), {"node 3", "snapshot of s1 at entry 4", "only 3 had committed"}));
  }
  SECTION("with a gap behind it") {
    oracle.on_trace({}, n3, traced(TraceKind::restored, 1, 2));
    oracle.on_committed({}, n3, {s1, Index(4), Term(1), EntryKind::state, {}});
    CHECK(told_of(story.reasons(), {"entry 4", "before the entries in front of it", "entry 3 was next"}));
  }
  SECTION("with an entry that comes twice") {
    oracle.on_trace({}, n3, traced(TraceKind::restored, 1, 2));
    oracle.on_committed({}, n3, {s1, Index(2), Term(1), EntryKind::state, {}});
    CHECK(told_of(story.reasons(), {"entry 2", "again", "entry 3 was next"}));
  }
  SECTION("a leader that installed too little") {
    oracle.on_trace({}, n3, traced(TraceKind::restored, 1, 2));
    oracle.on_trace({}, n3, traced(TraceKind::became_leader, 2));
    CHECK(told_of(story.reasons(), {"leader completeness", "node 3", "without entry 3 of term 1"}));
  }
}

TEST_CASE("O-R2 catches a term that goes back across a restart") {
  Story story("O-R2");
  Oracle& oracle = story.oracle();
  oracle.on_trace({}, n1, traced(TraceKind::became_follower, 4));
  SECTION("when it was durable") {
    oracle.on_trace({}, n1, traced(TraceKind::synced, 0));
    oracle.on_trace({}, n1, traced(TraceKind::synced, 0));
    oracle.on_crash({}, n1);
    oracle.on_restart({}, n1);
    oracle.on_trace({}, n1, traced(TraceKind::became_follower, 3));
    CHECK(told_of(story.reasons(), {"node 1", "term 3", "had been in term 4"}));
  }
  SECTION("not when it may never have reached the disk") {
    oracle.on_trace({}, n1, traced(TraceKind::synced, 0));
    oracle.on_crash({}, n1);
    oracle.on_restart({}, n1);
    oracle.on_trace({}, n1, traced(TraceKind::became_follower, 3));
    CHECK(story.end().empty());
  }
}

TEST_CASE("O-R2 catches two votes in one term") {
  Story story("O-R2");
  Oracle& oracle = story.oracle();
  oracle.on_trace({}, n1, traced(TraceKind::voted, 4, 0, 2));
  oracle.on_trace({}, n1, traced(TraceKind::voted, 4, 0, 2));
  REQUIRE(story.reasons().empty());
  SECTION("in one life") {
    oracle.on_trace({}, n1, traced(TraceKind::voted, 4, 0, 3));
    CHECK(told_of(story.reasons(), {"node 1", "nodes 2 and 3", "term 4"}));
  }
  SECTION("one of them for itself") {
    oracle.on_trace({}, n1, traced(TraceKind::became_candidate, 4));
    CHECK(told_of(story.reasons(), {"node 1", "nodes 2 and 1", "term 4"}));
  }
  SECTION("in two lives") {
    oracle.on_trace({}, n1, traced(TraceKind::synced, 0));
    oracle.on_trace({}, n1, traced(TraceKind::synced, 0));
    oracle.on_crash({}, n1);
    oracle.on_restart({}, n1);
    oracle.on_trace({}, n1, traced(TraceKind::voted, 4, 0, 3));
    CHECK(told_of(story.reasons(), {"node 1", "nodes 2 and 3", "term 4"}));
  }
  SECTION("not when the first never reached the disk") {
    oracle.on_crash({}, n1);
    oracle.on_restart({}, n1);
    oracle.on_trace({}, n1, traced(TraceKind::voted, 4, 0, 3));
    CHECK(story.end().empty());
  }
}

TEST_CASE("O-R2 catches a vote that is not there after a restart") {
  Story story("O-R2");
  Oracle& oracle = story.oracle();
  const auto recovered = [&](std::uint64_t term, std::uint64_t vote) {
    TraceEvent event = traced(TraceKind::recovered, term);
    event.b = vote;
    oracle.on_trace({}, n2, event);
  };
  oracle.on_trace({}, n1, traced(TraceKind::became_candidate, 4));
  oracle.on_trace({}, n2, traced(TraceKind::voted, 4, 0, 1));
  SECTION("when it was synced") {
    oracle.on_trace({}, n2, traced(TraceKind::synced, 0));
    oracle.on_trace({}, n2, traced(TraceKind::synced, 0));
    oracle.on_crash({}, n2);
    recovered(4, 0);
    CHECK(told_of(story.reasons(), {"node 2", "term 4 without a vote", "had been in term 4 with a vote for node 1"}));
  }
  SECTION("when a leader needed it") {
    oracle.on_trace({}, n1, traced(TraceKind::became_leader, 4));
    oracle.on_crash({}, n2);
    recovered(3, 0);
    CHECK(told_of(story.reasons(), {"node 2", "term 3 without a vote", "had been in term 4 with a vote for node 1"}));
  }
  SECTION("when a leader needed it and learns of it later") {
    oracle.on_crash({}, n2);
    recovered(3, 0);
    oracle.on_trace({}, n1, traced(TraceKind::became_leader, 4));
    CHECK(told_of(story.reasons(), {"node 2 made node 1 leader", "term 4", "came back in term 3 without a vote"}));
  }
  SECTION("not when the leader had another") {
    oracle.on_trace({}, n3, traced(TraceKind::voted, 4, 0, 1));
    oracle.on_trace({}, n1, traced(TraceKind::became_leader, 4));
    oracle.on_crash({}, n2);
    recovered(3, 0);
    CHECK(story.end().empty());
  }
  SECTION("not when the leader had another, who has stood for a later term since") {
    oracle.on_trace({}, n3, traced(TraceKind::voted, 4, 0, 1));
    oracle.on_trace({}, n3, traced(TraceKind::became_candidate, 5));
    oracle.on_trace({}, n1, traced(TraceKind::became_leader, 4));
    oracle.on_crash({}, n2);
    recovered(3, 0);
    CHECK(story.end().empty());
  }
  SECTION("not when it is there") {
    oracle.on_trace({}, n1, traced(TraceKind::became_leader, 4));
    oracle.on_crash({}, n2);
    recovered(4, 1);
    CHECK(story.end().empty());
  }
}

TEST_CASE("O-R2 catches a node that takes part again under its old identity after its disk was emptied") {
  Story story("O-R2");
  Oracle& oracle = story.oracle();
  oracle.on_trace({}, n1, traced(TraceKind::voted, 4, 0, 2));
  oracle.on_trace({}, n1, traced(TraceKind::synced, 0));
  oracle.on_trace({}, n1, traced(TraceKind::synced, 0));
  oracle.on_disk_emptied({}, n1);
  oracle.on_crash({}, n1);
  oracle.on_restart({}, n1);
  oracle.on_trace({}, n1, traced(TraceKind::failed, 0));  // it refuses
  oracle.on_trace({}, n2, traced(TraceKind::became_follower, 9));
  REQUIRE(story.reasons().empty());
  // Even where nothing else would contradict.
  oracle.on_trace({}, n1, traced(TraceKind::became_follower, 9));
  CHECK(told_of(story.reasons(), {"node 1 takes part in s1 in term 9", "its disk had been emptied"}));
}

TEST_CASE("O-R2 catches committed entries that are removed or change") {
  Story story("O-R2");
  Oracle& oracle = story.oracle();
  oracle.on_trace({}, n1, traced(TraceKind::appended, 1, 1, 11));
  oracle.on_trace({}, n1, traced(TraceKind::appended, 1, 2, 12));
  oracle.on_committed({}, n1, {s1, Index(1), Term(1), EntryKind::state, {}});
  oracle.on_trace({}, n1, traced(TraceKind::truncated, 2, 2, 1));
  REQUIRE(story.reasons().empty());
  SECTION("removed") {
    oracle.on_trace({}, n1, traced(TraceKind::truncated, 2, 1, 1));
    CHECK(told_of(story.reasons(), {"node 1", "from 1 on", "had committed up to 1"}));
  }
  SECTION("changed") {
    oracle.on_crash({}, n1);
    oracle.on_committed({}, n1, {s1, Index(1), Term(2), EntryKind::state, {}});
    CHECK(told_of(story.reasons(), {"entry 1", "in term 1", "again in term 2"}));
  }
}

TEST_CASE("O-R2 catches synced entries that are lost") {
  Story story("O-R2");
  Oracle& oracle = story.oracle();
  oracle.on_trace({}, n1, traced(TraceKind::appended, 1, 1, 11));
  oracle.on_trace({}, n1, traced(TraceKind::synced, 0));
  oracle.on_trace({}, n1, traced(TraceKind::synced, 0));
  oracle.on_trace({}, n1, traced(TraceKind::appended, 1, 2, 12));
  oracle.on_crash({}, n1);
  oracle.on_restart({}, n1);
  SECTION("the unsynced one may be") {
    oracle.on_trace({}, n1, traced(TraceKind::recovered, 1, 0, 1));
    CHECK(story.end().empty());
  }
  SECTION("the synced one may not") {
    oracle.on_trace({}, n1, traced(TraceKind::recovered, 1, 0, 0));
    CHECK(told_of(story.reasons(), {"node 1", "came back with 0 entries", "1 had been synced"}));
  }
}

TEST_CASE("O-R2 catches a replica that lost entries and does not know it (uncertain replicas, docs/PROTOCOLS.md)") {
  Story story("O-R2");
  Oracle& oracle = story.oracle();
  for (std::uint64_t i = 1; i <= 3; ++i) oracle.on_trace({}, n1, traced(TraceKind::appended, 1, i, 10 + i));
  oracle.on_trace({}, n1, traced(TraceKind::synced, 0));
  oracle.on_trace({}, n1, traced(TraceKind::synced, 0));
  oracle.on_crash({}, n1);
  SECTION("its damage was found in an earlier life only") {
    oracle.on_restart({}, n1);
    oracle.on_trace({}, n1, traced(TraceKind::quarantined, 0));
    oracle.on_trace({}, n1, traced(TraceKind::recovered, 1, 0, 3));
    oracle.on_crash({}, n1);
    oracle.on_restart({}, n1);
    oracle.on_trace({}, n1, traced(TraceKind::recovered, 1, 0, 2));
    CHECK(told_of(story.reasons(), {"node 1", "came back with 2 entries", "3 had been synced"}));
  }
  SECTION("not when it says so") {
    oracle.on_restart({}, n1);
    oracle.on_trace({}, n1, traced(GENERATE(TraceKind::tail_uncertain, TraceKind::quarantined), 0));
    oracle.on_trace({}, n1, traced(TraceKind::recovered, 1, 0, 2));
    CHECK(story.end().empty());
  }
  SECTION("not when the rest is in a snapshot") {
    oracle.on_restart({}, n1);
    oracle.on_trace({}, n1, traced(TraceKind::recovered, 1, 2, 1));
    CHECK(story.end().empty());
  }
}

TEST_CASE("O-R2 catches a vote of a replica that may have lost acknowledged entries") {
  Story story("O-R2");
  Oracle& oracle = story.oracle();
  oracle.on_trace({}, n1, traced(TraceKind::tail_uncertain, 0));
  oracle.on_trace({}, n1, traced(TraceKind::recovered, 3));
  oracle.on_trace({}, n1, traced(TraceKind::became_follower, 4));
  REQUIRE(story.reasons().empty());
  const auto caught = [&](const std::string& what) {
    return told_of(story.reasons(), {"node 1 may have lost acknowledged entries of s1", what, "in term 4"});
  };
  SECTION("for another") {
    oracle.on_trace({}, n1, traced(TraceKind::voted, 4, 0, 2));
    CHECK(caught("votes for node 2"));
  }
  SECTION("for itself") {
    oracle.on_trace({}, n1, traced(TraceKind::became_candidate, 4));
    CHECK(caught("votes for node 1"));
  }
  SECTION("a campaign") {
    oracle.on_trace({}, n1, traced(TraceKind::became_pre_candidate, 4));
    CHECK(caught("stands for election"));
  }
  SECTION("not once it has settled") {
    oracle.on_trace({}, n1, traced(TraceKind::recovery_settled, 4, 3, 1));
    oracle.on_trace({}, n1, traced(TraceKind::voted, 4, 0, 2));
    CHECK(story.end().empty());
  }
  SECTION("not in a group it was never in a term of: there it has acknowledged nothing") {
    TraceEvent other = traced(TraceKind::recovered, 0);
    other.shard = s2;
    oracle.on_trace({}, n1, other);
    other = traced(TraceKind::voted, 4, 0, 2);
    other.shard = s2;
    oracle.on_trace({}, n1, other);
    CHECK(story.end().empty());
  }
  SECTION("not in the group that has settled, but in the other") {
    TraceEvent other = traced(TraceKind::recovered, 3);
    other.shard = s2;
    oracle.on_trace({}, n1, other);
    oracle.on_trace({}, n1, traced(TraceKind::recovery_settled, 4, 3, 1));
    other = traced(TraceKind::voted, 4, 0, 2);
    other.shard = s2;
    oracle.on_trace({}, n1, other);
    CHECK(told_of(story.reasons(), {"node 1 may have lost acknowledged entries of s2"}));
  }
}
