// The leader's side of replication, sentence by sentence. Sections and figures are the Raft thesis' (Ongaro 2014).
#include <catch2/catch.hpp>

#include "core/base/hash.h"
#include "tests/core/raft/replica.h"

namespace coffer::raft::test {
namespace {

using Terms = std::vector<std::uint64_t>;

TEST_CASE("who holds durably what another member's log stands on commits up to it (docs/PROTOCOLS.md R31)") {
  Replica replica({.term = 2, .log = {1, 1, 2}, .uncertain = GENERATE(false, true)});
  const auto learn = [&](std::uint64_t index, std::uint64_t term) {
    Output out;
    replica.raft.learn_committed(replica.now, {Index(index), Term(term)}, out);
    return replica.raft.commit().value;
  };
  CHECK(learn(2, 2) == 0);  // another history
  CHECK(learn(4, 2) == 0);  // not here
  CHECK(learn(2, 1) == 2);
  CHECK(learn(1, 1) == 2);
  CHECK(learn(3, 2) == 3);
}

TEST_CASE("what is not durable yet does not commit by what another member's log stands on (docs/PROTOCOLS.md R31)") {
  Replica replica({.term = 1});
  replica.receive(2, append_request(1, 0, 0, {1}));
  Output out;
  replica.raft.learn_committed(replica.now, {Index(1), Term(1)}, out);
  CHECK(replica.raft.commit() == Index(0));
}

TEST_CASE("a new leader appends a no-op of its term and sends it to all at once (Raft thesis §6.4, fig. 3.1 leaders)") {
  Replica replica({.term = 2, .log = {1, 2}});
  replica.win_election();
  CHECK(replica.log_terms() == Terms{1, 2, 3});
  CHECK(replica.raft.entry(Index(3)).payload == nullptr);
  CHECK(replica.trace_of(TraceKind::became_leader).a == 2);
  CHECK(replica.trace_of(TraceKind::appended).a == 0);
  CHECK(replica.trace_of(TraceKind::appended).b == 1);
  for (const std::uint32_t peer : {2u, 3u}) {
    const auto requests = replica.sent<AppendRequest>(peer);
    REQUIRE(requests.size() == 1);
    CHECK(requests.front().prev_index == Index(2));
    CHECK(requests.front().prev_term == Term(2));
    REQUIRE(requests.front().entries.size() == 1);
    CHECK(requests.front().entries.front().term == Term(3));
  }
  for (const Outgoing& outgoing : replica.out.messages) CHECK_FALSE(outgoing.after_sync);
}

TEST_CASE("an idle leader repeats heartbeats (Raft thesis fig. 3.1, leaders)") {
  Replica replica;
  replica.win_election();
  replica.replicate_everywhere();
  for (int beat = 0; beat < 3; ++beat) {
    CHECK(replica.raft.wake_at() == replica.now + heartbeat_interval);
    replica.time_out();
    REQUIRE(replica.sent<AppendRequest>().size() == 2);
    CHECK(replica.sent<AppendRequest>(2).front().entries.empty());
    CHECK(replica.sent<AppendRequest>(2).front().prev_index == Index(1));
    CHECK(replica.sent<AppendRequest>(2).front().commit == Index(1));
  }
}

TEST_CASE("a proposal is appended to the leader's log and sent (Raft thesis fig. 3.1, leaders)") {
  Replica replica;
  replica.win_election();
  replica.replicate_everywhere();
  CHECK(replica.propose("x") == Index(2));
  REQUIRE(replica.out.appended.size() == 1);
  CHECK(text(replica.out.appended.front()) == "x");
  CHECK(replica.trace_of(TraceKind::appended).a == hash64(bytes_of("x")));
  CHECK(replica.trace_of(TraceKind::appended).b == 1);
  REQUIRE(replica.sent<AppendRequest>(3).size() == 1);
  CHECK(text(replica.sent<AppendRequest>(3).front().entries.front()) == "x");
  // Sending shares the payload.
  CHECK(replica.sent<AppendRequest>(3).front().entries.front().payload == replica.raft.entry(Index(2)).payload);
}

TEST_CASE("only a leader takes proposals (Raft thesis §3.3)") {
  Replica replica;
  CHECK_FALSE(replica.propose("x"));
  replica.stand();
  CHECK_FALSE(replica.propose("x"));
  CHECK(replica.raft.last_index() == Index(0));
}

TEST_CASE("a refused append is retried further back, down to the hint (Raft thesis fig. 3.1, leaders)") {
  Replica replica({.term = 2, .log = {1, 1, 1, 2, 2}});
  replica.win_election();
  replica.receive(2, refused(3, 1));
  const auto requests = replica.sent<AppendRequest>(2);
  REQUIRE(requests.size() == 1);
  CHECK(requests.front().prev_index == Index(1));
  CHECK(requests.front().prev_term == Term(1));
  CHECK(requests.front().entries.size() == 5);
  replica.receive(2, refused(3, 1));  // a duplicate of the first refusal
  CHECK(replica.sent<AppendRequest>().empty());
  replica.receive(2, accepted(3, 6));
  replica.propose("x");
  CHECK(replica.sent<AppendRequest>(2).front().prev_index == Index(6));
}

TEST_CASE("a leader never changes or removes its own entries (Raft thesis fig. 3.2, leader append-only)") {
  Replica replica({.term = 2, .log = {1, 2}});
  replica.win_election();
  replica.receive(2, append_request(3, 1, 1, {3}));
  replica.receive(2, append_request(2, 1, 1, {2}));
  replica.receive(2, refused(3, 0));
  replica.receive(2, refused_uncertainly(3, 0));
  CHECK(replica.log_terms() == Terms{1, 2, 3});
  CHECK(replica.raft.generation() == 0);
}

TEST_CASE("an entry commits once a majority has it (Raft thesis §3.5)") {
  Replica replica({.members = 5});
  replica.win_election();
  replica.sync();
  replica.receive(2, accepted(1, 1));
  CHECK(replica.raft.commit() == Index(0));
  replica.receive(2, accepted(1, 1));
  CHECK(replica.raft.commit() == Index(0));
  replica.receive(3, accepted(1, 1));
  CHECK(replica.raft.commit() == Index(1));
  CHECK(replica.trace_of(TraceKind::committed).index == Index(1));
}

TEST_CASE(
    "entries of earlier terms never commit by counting, only along with one of the own term (Raft thesis §3.6.2) "
    "(known bug 1)") {
  // Figure 3.7 (c): entry 2 of term 2 is on a majority, and could still be replaced by a leader of term 3.
  Replica replica({.members = 5, .term = 3, .log = {1, 2}});
  replica.win_election();
  REQUIRE(replica.raft.term() == Term(4));
  replica.sync();
  replica.receive(2, accepted(4, 2));
  replica.receive(3, accepted(4, 2));
  replica.receive(4, accepted(4, 2));
  CHECK(replica.raft.commit() == Index(0));
  replica.receive(2, accepted(4, 3));
  CHECK(replica.raft.commit() == Index(0));
  replica.receive(3, accepted(4, 3));
  CHECK(replica.raft.commit() == Index(3));
}

TEST_CASE("the leader's own entries count once they are durable (Raft thesis §10.2.1)") {
  Replica replica;
  replica.win_election();
  replica.receive(2, accepted(1, 1));
  CHECK(replica.raft.commit() == Index(0));
  replica.sync();
  CHECK(replica.raft.commit() == Index(1));
}

TEST_CASE("a majority of followers commits before the leader's own write is done (Raft thesis §10.2.1)") {
  Replica replica;
  replica.win_election();
  replica.receive(2, accepted(1, 1));
  replica.receive(3, accepted(1, 1));
  CHECK(replica.raft.commit() == Index(1));
}

TEST_CASE("the completion of a write that was since overwritten does not count (Raft thesis §10.2.1) (known bug 9)") {
  Replica replica({.term = 1});
  replica.receive(2, append_request(1, 0, 0, {1, 1}));
  const std::uint64_t old_generation = replica.raft.generation();
  replica.receive(3, append_request(2, 0, 0, {2, 2}));
  REQUIRE(replica.raft.generation() == old_generation + 1);
  replica.win_election();
  REQUIRE(replica.raft.term() == Term(3));
  replica.out.clear();
  replica.raft.persisted(replica.now, old_generation, Index(2), replica.out);
  replica.receive(2, accepted(3, 3));
  CHECK(replica.raft.commit() == Index(0));
  replica.sync();
  CHECK(replica.raft.commit() == Index(3));
}

TEST_CASE("a stale answer never lowers what a follower is known to have (Raft thesis §3.5, matchIndex)") {
  Replica replica({.members = 5});
  replica.win_election();
  replica.propose("x");
  replica.propose("y");
  replica.receive(2, accepted(1, 3));
  replica.receive(2, accepted(1, 1));
  replica.receive(2, refused(1, 0));
  replica.receive(3, accepted(1, 3));
  replica.sync();
  CHECK(replica.raft.commit() == Index(3));
}

TEST_CASE("an answer of an earlier term says nothing of this term's log (Raft thesis §3.3)") {
  // Led term 1 up to entry 3, lost entries 2 and 3 to another leader, leads again.
  Replica replica;
  replica.win_election();
  replica.propose("x");
  replica.propose("y");
  replica.receive(2, append_request(2, 1, 1, {2}));
  REQUIRE(replica.log_terms() == Terms{1, 2});
  replica.win_election();
  REQUIRE(replica.log_terms() == Terms{1, 2, 3});
  replica.sync();
  replica.receive(3, accepted(1, 3));
  CHECK(replica.raft.commit() == Index(0));
  replica.receive(3, accepted(3, 3));
  CHECK(replica.raft.commit() == Index(3));
}

TEST_CASE("answers to what was never sent are ignored (Raft thesis §3.5)") {
  Replica replica;
  replica.win_election();
  replica.sync();
  replica.receive(2, accepted(1, 9));
  CHECK(replica.raft.commit() == Index(0));
  replica.receive(2, accepted(1, 1, 5));
  CHECK(replica.raft.commit() == Index(0));
  replica.receive(2, refused(1, number_max));
  CHECK(replica.raft.role() == Role::leader);
}

TEST_CASE("appends go ahead of their answers once the follower's place is known (Raft thesis §10.2.2)") {
  Replica replica({.appends_in_flight_max = 3});
  replica.win_election();
  replica.propose("a");
  CHECK(replica.sent<AppendRequest>(2).empty());  // the first append is still a probe
  replica.receive(2, accepted(1, 1));
  CHECK(replica.sent<AppendRequest>(2).size() == 1);
  replica.propose("b");
  REQUIRE(replica.sent<AppendRequest>(2).size() == 1);
  CHECK(replica.sent<AppendRequest>(2).front().prev_index == Index(2));
  replica.propose("c");
  CHECK(replica.sent<AppendRequest>(2).size() == 1);
  replica.propose("d");
  CHECK(replica.sent<AppendRequest>(2).empty());  // three in flight
  replica.receive(2, accepted(1, 3));
  REQUIRE(replica.sent<AppendRequest>(2).size() == 1);
  CHECK(replica.sent<AppendRequest>(2).front().entries.size() == 1);
  CHECK(text(replica.sent<AppendRequest>(2).front().entries.front()) == "d");
}

TEST_CASE("an append is bounded in bytes but carries at least one entry (Raft thesis §10.2.2)") {
  Replica replica({.append_bytes_max = 10});
  replica.win_election();
  for (const char* const text : {"1234", "5678", "ab", "cd", "a payload beyond the bound", "e"}) {
    replica.propose(text);
  }
  replica.receive(2, accepted(1, 1));
  const auto requests = replica.sent<AppendRequest>(2);
  REQUIRE(requests.size() == 4);
  CHECK(requests[0].entries.size() == 3);
  CHECK(requests[1].entries.size() == 1);
  CHECK(requests[2].entries.size() == 1);
  CHECK(text(requests[2].entries.front()) == "a payload beyond the bound");
  CHECK(requests[3].entries.size() == 1);
  CHECK(requests[3].prev_index == Index(6));
}

TEST_CASE("a heartbeat stands behind what is in flight, so that a loss shows as a refusal (Raft thesis §3.5)") {
  Replica replica;
  replica.win_election();
  replica.receive(2, accepted(1, 1));
  replica.propose("x");
  replica.propose("y");
  replica.wait(heartbeat_interval);
  CHECK(replica.sent<AppendRequest>(2).front().prev_index == Index(3));
  replica.receive(2, refused(1, 1));  // both were lost
  REQUIRE(replica.sent<AppendRequest>(2).size() == 1);
  CHECK(replica.sent<AppendRequest>(2).front().prev_index == Index(1));
  CHECK(replica.sent<AppendRequest>(2).front().entries.size() == 2);
}

TEST_CASE("what stays unanswered over heartbeats is sent again from the match (Raft thesis §3.5, indefinite retry)") {
  Replica replica;
  replica.win_election();
  replica.receive(2, accepted(1, 1));
  replica.propose("x");
  for (std::uint32_t beat = 0; beat < silent_beats_max; ++beat) {
    replica.wait(heartbeat_interval);
    CHECK(replica.sent<AppendRequest>(2).front().prev_index == Index(2));
  }
  replica.wait(heartbeat_interval);
  CHECK(replica.sent<AppendRequest>(2).front().prev_index == Index(1));
  replica.receive(2, accepted(1, 1));
  REQUIRE(replica.sent<AppendRequest>(2).size() == 1);
  CHECK(text(replica.sent<AppendRequest>(2).front().entries.front()) == "x");
}

TEST_CASE("a lost probe is made good by the next heartbeat's answer (Raft thesis §3.5, indefinite retry)") {
  Replica replica;
  replica.win_election();  // the no-op to 2 is lost
  replica.wait(heartbeat_interval);
  CHECK(replica.sent<AppendRequest>(2).front().prev_index == Index(0));
  replica.receive(2, accepted(1, 0));
  REQUIRE(replica.sent<AppendRequest>(2).size() == 1);
  CHECK(replica.sent<AppendRequest>(2).front().entries.size() == 1);
}

TEST_CASE("a new leader says its first entry again, soon, until that has committed (Raft thesis §6.4)") {
  Replica replica({.members = 5, .term = 1, .log = {1}});
  replica.win_election();
  replica.receive(2, accepted(2, 2));  // has it
  replica.receive(3, accepted(2, 1));  // has what is before it; that the no-op follows is on its way
  replica.receive(4, refused(2, 0));   // has nothing
  replica.wait(heartbeat_interval / 4);
  CHECK(replica.sent<AppendRequest>(2).empty());
  for (const std::uint32_t asked : {3u, 5u}) {
    REQUIRE(replica.sent<AppendRequest>(asked).size() == 1);
    CHECK(replica.sent<AppendRequest>(asked).front().prev_index == Index(1));
    CHECK(replica.sent<AppendRequest>(asked).front().entries.size() == 1);
  }
  REQUIRE(replica.sent<AppendRequest>(4).size() == 1);
  CHECK(replica.sent<AppendRequest>(4).front().prev_index == Index(0));
  CHECK(replica.sent<AppendRequest>(4).front().entries.empty());
  replica.sync();
  replica.receive(5, accepted(2, 2));
  REQUIRE(replica.raft.leads_in_own_term());
  CHECK(replica.raft.wake_at() == replica.now + heartbeat_interval * 3 / 4);
  replica.wait(heartbeat_interval / 4);
  CHECK(replica.out.messages.empty());
}

TEST_CASE("after a reconnection the leader resends from the match (Raft thesis §3.5, indefinite retry)") {
  Replica replica;
  replica.win_election();
  replica.receive(2, accepted(1, 1));
  replica.propose("x");
  replica.reconnected(2);
  REQUIRE(replica.sent<AppendRequest>(2).size() == 1);
  CHECK(replica.sent<AppendRequest>(2).front().prev_index == Index(1));
  CHECK(replica.sent<AppendRequest>(3).empty());
  replica.receive(2, accepted(1, 1));
  CHECK(replica.sent<AppendRequest>(2).front().entries.size() == 1);
  replica.reconnected(9);
  CHECK(replica.out.messages.empty());
}

TEST_CASE("a leader that steps down says so, and how much it leaves uncommitted (Raft thesis §3.5)") {
  Replica replica;
  replica.win_election();
  replica.replicate_everywhere();
  replica.propose("x");
  replica.propose("y");
  replica.receive(3, append_request(2, 1, 1, {2}, 2));
  CHECK(replica.out.lost_leadership);
  CHECK(replica.trace_of(TraceKind::leader_lost_tail).a == 2);
  CHECK(replica.trace_of(TraceKind::leader_lost_tail).term == Term(1));
  CHECK(replica.log_terms() == Terms{1, 2});
  CHECK(replica.raft.commit() == Index(2));
  replica.wait(nanoseconds(0));
  CHECK_FALSE(replica.out.lost_leadership);
}

TEST_CASE("leadership lost within an output is told even if it was won in it (Raft thesis §3.3)") {
  Replica replica;
  replica.stand();
  replica.out.clear();
  replica.raft.receive(replica.now, NodeId(2), VoteReply{Term(1), false, true}, replica.out);
  replica.raft.receive(replica.now, NodeId(3), transfer_vote_request(2, 9, 1), replica.out);
  CHECK(replica.out.became_leader);
  CHECK(replica.out.lost_leadership);
  CHECK(replica.raft.role() == Role::follower);
}

TEST_CASE("a leader serves only once an entry of its own term has committed (Raft thesis §6.4) (known bug 27)") {
  Replica replica({.term = 1, .log = {1}});
  CHECK_FALSE(replica.raft.leads_in_own_term());
  replica.win_election();
  replica.sync();
  replica.receive(2, accepted(2, 1));
  CHECK_FALSE(replica.raft.leads_in_own_term());
  replica.receive(2, accepted(2, 2));
  CHECK(replica.raft.leads_in_own_term());
  replica.receive(3, transfer_vote_request(3, 2, 2));
  CHECK_FALSE(replica.raft.leads_in_own_term());
}

}  // namespace
}  // namespace coffer::raft::test
