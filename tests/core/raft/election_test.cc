// Elections, sentence by sentence: RequestVote, terms, time-outs, pre-vote. Sections are the Raft thesis' (Ongaro
// 2014).
#include <set>

#include <catch2/catch.hpp>

#include "tests/core/raft/replica.h"

namespace coffer::raft::test {
namespace {

TEST_CASE(
    "a vote request of an earlier term is refused with the receiver's term (Raft thesis fig. 3.1, RequestVote 1)") {
  Replica replica({.term = 3});
  replica.receive(2, vote_request(2, 0, 0));
  const auto reply = replica.answer<VoteReply>();
  CHECK_FALSE(reply.granted);
  CHECK(reply.term == Term(3));
}

TEST_CASE("the first candidate of a term gets the vote and no other does (Raft thesis §3.4)") {
  Replica replica;
  replica.receive(2, vote_request(1, 0, 0));
  CHECK(replica.answer<VoteReply>().granted);
  replica.receive(3, vote_request(1, 0, 0));
  CHECK_FALSE(replica.answer<VoteReply>().granted);
  CHECK(replica.hard_state() == HardState{Term(1), NodeId(2)});
}

TEST_CASE("a candidate that asks twice is answered twice (Raft thesis fig. 3.1, RequestVote 2)") {
  Replica replica;
  replica.receive(2, vote_request(1, 0, 0));
  replica.receive(2, vote_request(1, 0, 0));
  CHECK(replica.answer<VoteReply>().granted);
  CHECK(replica.traced(TraceKind::voted) == 0);
}

TEST_CASE("the vote outlives a restart (Raft thesis §3.8, persistent state)") {
  Replica replica({.term = 4, .vote = 2});
  replica.receive(3, vote_request(4, 0, 0));
  CHECK_FALSE(replica.answer<VoteReply>().granted);
  replica.receive(2, vote_request(4, 0, 0));
  CHECK(replica.answer<VoteReply>().granted);
}

TEST_CASE("term and vote are handed out to be stored and the answer waits for the sync (Raft thesis fig. 3.1)") {
  Replica replica({.term = 1});
  replica.receive(2, vote_request(2, 0, 0));
  CHECK(replica.out.hard_state == HardState{Term(2), NodeId(2)});
  REQUIRE(replica.out.messages.size() == 1);
  CHECK(replica.out.messages.front().after_sync);
  CHECK(replica.trace_of(TraceKind::voted).a == 2);
  CHECK(replica.trace_of(TraceKind::voted).term == Term(2));
  CHECK(replica.trace_of(TraceKind::voted).shard == ShardId(7));
}

TEST_CASE("a candidate whose log is less up-to-date gets no vote (Raft thesis §3.6.1)") {
  struct Row {
    std::uint64_t index, term;
    bool granted;
  };
  const auto row = GENERATE(Row{3, 2, true},    // the same log
                            Row{4, 2, true},    // longer
                            Row{1, 3, true},    // later last term beats length
                            Row{2, 2, false},   // shorter
                            Row{9, 1, false},   // earlier last term
                            Row{0, 0, false});  // empty
  Replica replica({.term = 2, .log = {1, 2, 2}});
  replica.receive(2, vote_request(5, row.index, row.term));
  CHECK(replica.answer<VoteReply>().granted == row.granted);
  CHECK(replica.raft.term() == Term(5));
  Replica asked({.term = 2, .log = {1, 2, 2}});
  asked.receive(2, pre_vote_request(5, row.index, row.term));
  CHECK(asked.answer<VoteReply>().granted == row.granted);
  CHECK(asked.raft.term() == Term(2));
}

TEST_CASE("a later term in any request or answer makes anyone a follower (Raft thesis §3.3)") {
  const auto message = GENERATE(Message(transfer_vote_request(9, 0, 0)), Message(VoteReply{Term(9), false, false}),
                                Message(VoteReply{Term(9), false, true}), Message(VoteReply{Term(9), true, false}),
                                Message(append_request(9, 0, 0, {})), Message(refused(9, 0)), Message(accepted(9, 0)));
  const auto role = GENERATE(Role::follower, Role::pre_candidate, Role::candidate, Role::leader);
  Replica replica;
  if (role == Role::pre_candidate) replica.time_out();
  if (role == Role::candidate) replica.stand();
  if (role == Role::leader) replica.win_election();
  REQUIRE(replica.raft.role() == role);
  replica.receive(2, message);
  CHECK(replica.raft.role() == Role::follower);
  CHECK(replica.raft.term() == Term(9));
  REQUIRE(replica.out.hard_state);
  CHECK(replica.out.hard_state->term == Term(9));
  CHECK(replica.traced(TraceKind::became_follower) == 1);
  CHECK(replica.out.lost_leadership == (role == Role::leader));
}

TEST_CASE("pre-vote requests and granted pre-votes raise nobody's term (Raft thesis §9.6)") {
  const auto message = GENERATE(Message(pre_vote_request(9, 0, 0)), Message(VoteReply{Term(9), true, true}));
  Replica replica;
  replica.stand();
  replica.receive(2, message);
  CHECK(replica.raft.term() == Term(1));
  CHECK(replica.raft.role() == Role::candidate);
  CHECK_FALSE(replica.out.hard_state);
}

TEST_CASE("a follower that hears nothing for its election time-out stands for election (Raft thesis §3.4)") {
  Replica replica;
  replica.now = replica.raft.wake_at() - nanoseconds(1);
  replica.wait(nanoseconds(0));
  CHECK(replica.raft.role() == Role::follower);
  replica.wait(nanoseconds(1));
  CHECK(replica.raft.role() == Role::pre_candidate);
}

TEST_CASE("election time-outs are spread over [1, 1.5) of the configured one (Raft thesis §3.4, narrowed)") {
  std::set<std::int64_t> seen;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const Replica replica({.seed = seed});
    const std::int64_t timeout = replica.raft.wake_at().nanos;
    CHECK(timeout >= election_timeout.nanos);
    CHECK(timeout < election_timeout.nanos * 3 / 2);
    seen.insert(timeout);
  }
  CHECK(seen.size() > 190);
  CHECK(*seen.rbegin() - *seen.begin() > election_timeout.nanos * 45 / 100);
}

TEST_CASE("an append of the current leader puts the election off (Raft thesis fig. 3.1, followers)") {
  Replica replica({.term = 1});
  const Instant deadline = replica.raft.wake_at();
  replica.now = deadline - milliseconds(1);
  replica.receive(2, append_request(1, 0, 0, {}));
  CHECK(replica.raft.wake_at() >= replica.now + election_timeout);
  CHECK(replica.raft.leader() == NodeId(2));
}

TEST_CASE("granting a vote puts the election off, refusing one does not (Raft thesis fig. 3.1, followers)") {
  Replica replica({.term = 1, .log = {1}});
  const Instant deadline = replica.raft.wake_at();
  replica.now = deadline - milliseconds(1);
  replica.receive(3, vote_request(2, 0, 0));
  CHECK(replica.raft.wake_at() == deadline);
  replica.receive(2, vote_request(2, 1, 1));
  CHECK(replica.raft.wake_at() >= replica.now + election_timeout);
}

TEST_CASE(
    "a candidate raises its term, votes for itself, resets its timer and asks all others (Raft thesis fig. 3.1)") {
  Replica replica({.members = 5, .term = 3, .log = {1, 3}});
  replica.stand();
  CHECK(replica.raft.term() == Term(4));
  CHECK(replica.out.hard_state == HardState{Term(4), NodeId(1)});
  const auto requests = replica.sent<VoteRequest>();
  REQUIRE(requests.size() == 4);
  for (const VoteRequest& request : requests) {
    CHECK(request.term == Term(4));
    CHECK_FALSE(request.pre);
    CHECK(request.last_index == Index(2));
    CHECK(request.last_term == Term(3));
  }
}

TEST_CASE("a candidate's requests wait until its own vote is durable (Raft thesis §3.8)") {
  Replica replica;
  replica.time_out();
  for (const Outgoing& outgoing : replica.out.messages) CHECK_FALSE(outgoing.after_sync);
  replica.receive(2, VoteReply{Term(1), true, true});
  REQUIRE(replica.out.messages.size() == 2);
  for (const Outgoing& outgoing : replica.out.messages) CHECK(outgoing.after_sync);
}

TEST_CASE("votes of a majority make a leader, fewer do not (Raft thesis §3.4)") {
  Replica replica({.members = 5});
  replica.stand();
  replica.receive(2, VoteReply{Term(1), false, true});
  CHECK(replica.raft.role() == Role::candidate);
  replica.receive(2, VoteReply{Term(1), false, true});  // the same voter counts once
  CHECK(replica.raft.role() == Role::candidate);
  replica.receive(3, VoteReply{Term(1), false, false});
  CHECK(replica.raft.role() == Role::candidate);
  replica.receive(4, VoteReply{Term(1), false, true});
  CHECK(replica.raft.role() == Role::leader);
  CHECK(replica.out.became_leader);
  CHECK(replica.raft.leader() == NodeId(1));
}

TEST_CASE("with an even number of members half is no majority (Raft thesis §3.2)") {
  Replica replica({.members = 4});
  replica.stand();
  replica.receive(2, VoteReply{Term(1), false, true});
  CHECK(replica.raft.role() == Role::candidate);
  replica.receive(3, VoteReply{Term(1), false, true});
  CHECK(replica.raft.role() == Role::leader);
}

TEST_CASE("votes of an earlier term do not count (Raft thesis §3.3)") {
  Replica replica;
  replica.stand();
  replica.wait(election_timeout);
  replica.receive(2, VoteReply{Term(2), true, true});
  REQUIRE(replica.raft.role() == Role::candidate);
  REQUIRE(replica.raft.term() == Term(2));
  replica.receive(2, VoteReply{Term(1), false, true});
  CHECK(replica.raft.role() == Role::candidate);
}

TEST_CASE("a candidate follows whoever leads its term (Raft thesis §3.4)") {
  Replica replica;
  replica.stand();
  replica.receive(2, append_request(1, 0, 0, {1}));
  CHECK(replica.raft.role() == Role::follower);
  CHECK(replica.raft.leader() == NodeId(2));
  CHECK(replica.raft.term() == Term(1));
  CHECK(replica.hard_state().vote == NodeId(1));
  CHECK(replica.answer<AppendReply>().success);
}

TEST_CASE("a candidate whose election times out starts another (Raft thesis §3.4)") {
  Replica replica;
  replica.stand();
  replica.wait(election_timeout / 2 - milliseconds(1));
  CHECK(replica.raft.role() == Role::candidate);
  replica.wait(election_timeout / 2 + milliseconds(1));
  CHECK(replica.raft.role() == Role::pre_candidate);
  CHECK(replica.sent<VoteRequest>().size() == 2);
  replica.receive(3, VoteReply{Term(2), true, true});
  CHECK(replica.raft.term() == Term(2));
}

TEST_CASE("whoever stands asks those again that have not granted, soon: questions get lost (Raft thesis §3.4)") {
  Replica replica;
  replica.time_out();
  replica.receive(2, VoteReply{Term(0), true, false});  // it still heard a leader
  replica.wait(heartbeat_interval / 4);
  CHECK(replica.raft.role() == Role::pre_candidate);
  CHECK(replica.sent<VoteRequest>().size() == 2);
  CHECK(replica.traced(TraceKind::became_pre_candidate) == 0);  // it is the same candidacy
  replica.receive(2, VoteReply{Term(1), true, true});
  REQUIRE(replica.raft.role() == Role::candidate);
  replica.wait(heartbeat_interval / 4);
  CHECK(replica.raft.term() == Term(1));
  REQUIRE(replica.sent<VoteRequest>().size() == 2);
  CHECK_FALSE(replica.sent<VoteRequest>().front().pre);
  for (const Outgoing& outgoing : replica.out.messages) CHECK(outgoing.after_sync);
}

TEST_CASE("a candidate that cannot win any more stands again within a heartbeat (Raft thesis §3.4, split votes)") {
  Replica replica({.members = 5});
  replica.stand();
  const Instant deadline = replica.now + election_timeout / 2;
  replica.receive(2, VoteReply{Term(1), false, false});
  replica.receive(2, VoteReply{Term(1), false, false});  // counts once
  replica.receive(3, vote_request(1, 0, 0));             // a rival: it has voted for itself
  CHECK_FALSE(replica.answer<VoteReply>().granted);
  replica.receive(4, VoteReply{Term(1), false, true});
  replica.wait(heartbeat_interval);
  REQUIRE(replica.raft.role() == Role::candidate);  // node 5 may still make it the leader
  replica.receive(5, VoteReply{Term(1), false, false});
  replica.wait(heartbeat_interval);
  CHECK(replica.now < deadline);
  CHECK(replica.raft.role() == Role::pre_candidate);
  CHECK(replica.raft.term() == Term(1));
}

TEST_CASE("who has voted grants no rival's pre-vote until its candidate may have shown (docs/PROTOCOLS.md R15)") {
  Replica replica({.members = 5});
  replica.receive(2, vote_request(1, 0, 0));
  replica.wait(heartbeat_interval - nanoseconds(1));
  replica.receive(3, pre_vote_request(2, 0, 0));
  CHECK_FALSE(replica.answer<VoteReply>().granted);
  replica.receive(2, pre_vote_request(2, 0, 0));  // it has lost, and stands again
  CHECK(replica.answer<VoteReply>().granted);
  replica.wait(nanoseconds(1));
  replica.receive(3, pre_vote_request(2, 0, 0));
  CHECK(replica.answer<VoteReply>().granted);
}

TEST_CASE("who asked for votes in a term that is over asks again within a heartbeat (Raft thesis §9.6)") {
  const bool pre = GENERATE(true, false);
  Replica replica;
  if (pre) {
    replica.time_out();
  } else {
    replica.stand();
  }
  replica.receive(2, VoteReply{Term(7), pre, false});
  REQUIRE(replica.raft.role() == Role::follower);
  CHECK(replica.raft.wake_at() < replica.now + heartbeat_interval);
  replica.time_out();
  CHECK(replica.raft.role() == Role::pre_candidate);
  CHECK(replica.raft.term() == Term(7));
}

TEST_CASE(
    "a late copy of an append is no sign of life of the leader: it puts no election off (docs/PROTOCOLS.md R30)") {
  Replica replica({.term = 1});
  replica.receive(2, append_request(1, 0, 0, {1}));
  replica.wait(milliseconds(10));
  replica.receive(2, append_request(1, 1, 1, {1}, 1));
  const Instant deadline = replica.raft.wake_at();
  replica.now = deadline - milliseconds(1);
  replica.receive_late(2, append_request(1, 0, 0, {1}), replica.now - Instant{});
  CHECK(replica.raft.wake_at() == deadline);
  CHECK(replica.answer<AppendReply>().success);  // it is answered all the same
  replica.time_out();
  replica.receive_late(2, append_request(1, 0, 0, {1}), replica.now - Instant{});
  CHECK(replica.raft.role() == Role::pre_candidate);
  CHECK(replica.raft.leader() == nobody);
  replica.receive(2, append_request(1, 2, 1, {}, 1));
  CHECK(replica.raft.role() == Role::follower);
  CHECK(replica.raft.leader() == NodeId(2));
}

TEST_CASE("an append that was held up on its way puts the election off from when it left (docs/PROTOCOLS.md R30)") {
  Replica replica({.term = 1});
  replica.receive(2, append_request(1, 0, 0, {1}));
  replica.now = replica.now + election_timeout * 9 / 10;
  replica.receive_late(2, append_request(1, 1, 1, {}), election_timeout / 2);
  CHECK(replica.raft.wake_at() >= replica.now + election_timeout / 2);
  CHECK(replica.raft.wake_at() < replica.now + election_timeout);
  replica.now = replica.now + election_timeout / 2 - nanoseconds(1);
  replica.receive(3, pre_vote_request(2, 1, 1));
  CHECK_FALSE(replica.answer<VoteReply>().granted);
  replica.now = replica.now + nanoseconds(1);
  replica.receive(3, pre_vote_request(2, 1, 1));
  CHECK(replica.answer<VoteReply>().granted);
  replica.time_out();
  REQUIRE(replica.raft.role() == Role::pre_candidate);
  SECTION("a later one that is older than an election time-out is no sign of life") {
    replica.receive_late(2, append_request(1, 1, 1, {}), election_timeout);
    CHECK(replica.raft.role() == Role::pre_candidate);
  }
  SECTION("one that is not is") {
    replica.receive_late(2, append_request(1, 1, 1, {}), election_timeout - milliseconds(1));
    CHECK(replica.raft.role() == Role::follower);
  }
}

TEST_CASE("who asks for pre-votes answers what its leader sends late: its link may be busy (docs/PROTOCOLS.md R30)") {
  Replica replica({.term = 1});
  replica.receive(2, append_request(1, 0, 0, {1}));
  replica.time_out();
  REQUIRE(replica.raft.role() == Role::pre_candidate);
  SECTION("a late heartbeat does not end its candidacy") {
    replica.receive_late(2, append_request(1, 1, 1, {}), replica.now - Instant{});
    CHECK(replica.answer<AppendReply>().success);
    CHECK(replica.raft.role() == Role::pre_candidate);
  }
  SECTION("late entries do: whoever is fed follows for half an election time-out, and votes for nobody else") {
    replica.receive_late(2, append_request(1, 1, 1, {1}), replica.now - Instant{});
    CHECK(replica.answer<AppendReply>().match == Index(2));
    CHECK(replica.raft.role() == Role::follower);
    CHECK(replica.raft.leader() == NodeId(2));
    CHECK(replica.raft.wake_at() >= replica.now + election_timeout / 2);
    CHECK(replica.raft.wake_at() < replica.now + election_timeout * 3 / 2);
    replica.receive(3, pre_vote_request(2, 2, 1));
    CHECK_FALSE(replica.answer<VoteReply>().granted);
    replica.now = replica.now + election_timeout / 2;
    replica.receive(3, pre_vote_request(2, 2, 1));
    CHECK(replica.answer<VoteReply>().granted);
  }
  SECTION("the same entries once more do not") {
    replica.receive_late(2, append_request(1, 0, 0, {1}), replica.now - Instant{});
    CHECK(replica.raft.role() == Role::pre_candidate);
  }
}

TEST_CASE("who hears a leader that hears no quorum stands when it must step down (docs/PROTOCOLS.md R23, R30)") {
  Replica replica({.term = 1});
  replica.receive(2, append_request(1, 0, 0, {1}));
  Instant last_heard = replica.now;
  for (Duration unheard{}; replica.raft.role() == Role::follower; unheard = unheard + heartbeat_interval) {
    REQUIRE(unheard < election_timeout * 2);
    replica.wait(heartbeat_interval);
    replica.receive_late(2, append_request(1, 1, 1, {}), {}, unheard);
    if (unheard == Duration{}) last_heard = replica.now;
  }
  CHECK(replica.now >= last_heard + election_timeout);
  CHECK(replica.now < last_heard + election_timeout * 3 / 2 + heartbeat_interval * 2);
}

TEST_CASE("a follower that sees the link to its leader break asks the others within a heartbeat (Raft thesis §9.6)") {
  Replica replica({.term = 1});
  replica.receive(2, append_request(1, 0, 0, {1}));
  replica.disconnected(3);
  CHECK(replica.raft.leader() == NodeId(2));
  CHECK(replica.raft.wake_at() >= replica.now + election_timeout);
  replica.disconnected(2);
  CHECK(replica.raft.leader() == nobody);
  CHECK(replica.raft.wake_at() < replica.now + heartbeat_interval);
  replica.time_out();
  CHECK(replica.raft.role() == Role::pre_candidate);
  CHECK(replica.raft.term() == Term(1));
  replica.receive(2, append_request(1, 1, 1, {}));  // it is there after all
  CHECK(replica.raft.role() == Role::follower);
  CHECK(replica.raft.leader() == NodeId(2));
}

TEST_CASE("a group of one leads at once but commits only what is durable (Raft thesis §3.4, §10.2.1) (known bug 12)") {
  Replica replica({.members = 1});
  replica.time_out();
  CHECK(replica.raft.role() == Role::leader);
  CHECK(replica.out.hard_state == HardState{Term(1), NodeId(1)});
  CHECK(replica.raft.commit() == Index(0));
  CHECK_FALSE(replica.raft.leads_in_own_term());
  replica.sync();
  CHECK(replica.raft.commit() == Index(1));
  CHECK(replica.raft.leads_in_own_term());
  CHECK(replica.raft.wake_at() == never);
}

TEST_CASE("a candidate asks for pre-votes first and changes nothing until a majority grants them (Raft thesis §9.6)") {
  Replica replica({.members = 5, .term = 3, .log = {3}});
  replica.time_out();
  CHECK(replica.raft.role() == Role::pre_candidate);
  CHECK(replica.raft.term() == Term(3));
  CHECK_FALSE(replica.out.hard_state);
  const auto requests = replica.sent<VoteRequest>();
  REQUIRE(requests.size() == 4);
  for (const VoteRequest& request : requests) {
    CHECK(request.pre);
    CHECK(request.term == Term(4));
  }
  replica.receive(2, VoteReply{Term(4), true, true});
  replica.receive(2, VoteReply{Term(4), true, true});
  replica.receive(4, VoteReply{Term(3), true, false});
  CHECK(replica.raft.role() == Role::pre_candidate);
  replica.receive(3, VoteReply{Term(4), true, true});
  CHECK(replica.raft.role() == Role::candidate);
  CHECK(replica.raft.term() == Term(4));
}

TEST_CASE("a pre-vote changes neither term nor vote nor timer of who grants it (Raft thesis §9.6)") {
  Replica replica({.term = 3, .vote = 2});
  const Instant deadline = replica.raft.wake_at();
  replica.now = deadline - milliseconds(1);
  replica.receive(3, pre_vote_request(4, 0, 0));
  CHECK(replica.answer<VoteReply>().granted);
  CHECK(replica.answer<VoteReply>().term == Term(4));
  CHECK_FALSE(replica.out.hard_state);
  CHECK(replica.raft.term() == Term(3));
  CHECK(replica.raft.wake_at() == deadline);
}

TEST_CASE("a pre-vote is refused while a leader is heard within the election time-out (Raft thesis §9.6)") {
  Replica replica({.term = 3});
  replica.receive(2, append_request(3, 0, 0, {}));
  replica.now = replica.now + election_timeout - nanoseconds(1);
  replica.receive(3, pre_vote_request(4, 0, 0));
  CHECK_FALSE(replica.answer<VoteReply>().granted);
  replica.now = replica.now + nanoseconds(1);
  replica.receive(3, pre_vote_request(4, 0, 0));
  CHECK(replica.answer<VoteReply>().granted);
}

TEST_CASE("a leader hears itself: it refuses pre-votes (Raft thesis §9.6)") {
  Replica replica;
  replica.win_election();
  replica.receive(2, pre_vote_request(2, 9, 1));
  CHECK_FALSE(replica.answer<VoteReply>().granted);
  CHECK(replica.raft.role() == Role::leader);
}

TEST_CASE(
    "of two that stand at once with equal logs the lower number lets the other go first (docs/PROTOCOLS.md R15)") {
  Replica higher({.self = 3, .term = 1, .log = {1}});
  higher.time_out();
  higher.receive(2, pre_vote_request(2, 1, 1));
  CHECK(higher.answer<VoteReply>().granted);
  higher.receive(2, VoteReply{Term(2), true, true});
  CHECK(higher.raft.role() == Role::candidate);

  Replica lower({.self = 2, .term = 1, .log = {1}});
  lower.time_out();
  lower.receive(3, pre_vote_request(2, 1, 1));
  CHECK(lower.answer<VoteReply>().granted);
  lower.receive(3, VoteReply{Term(2), true, true});
  REQUIRE(lower.raft.role() == Role::pre_candidate);
  SECTION("until it asks again, a heartbeat later: the other may be cut off from everybody else") {
    lower.wait(heartbeat_interval);
    CHECK(lower.sent<VoteRequest>().size() == 2);
    lower.receive(3, pre_vote_request(2, 1, 1));  // once is enough
    CHECK(lower.answer<VoteReply>().granted);
    lower.receive(3, VoteReply{Term(2), true, true});
    CHECK(lower.raft.role() == Role::candidate);
  }
  SECTION("and once each time it stands") {
    lower.wait(election_timeout * 2);
    REQUIRE(lower.raft.role() == Role::pre_candidate);
    lower.receive(3, pre_vote_request(2, 1, 1));
    lower.receive(3, VoteReply{Term(2), true, true});
    CHECK(lower.raft.role() == Role::pre_candidate);
  }
}

TEST_CASE("whoever stands lets a better log go first, and no worse one (docs/PROTOCOLS.md R15)") {
  Replica replica({.self = 3, .term = 1, .log = {1, 1}});
  replica.time_out();
  replica.receive(1, pre_vote_request(2, 1, 1));
  CHECK_FALSE(replica.answer<VoteReply>().granted);
  SECTION("worse") {
    replica.receive(1, VoteReply{Term(2), true, true});
    CHECK(replica.raft.role() == Role::candidate);
  }
  SECTION("better") {
    replica.receive(2, pre_vote_request(2, 3, 1));
    CHECK(replica.answer<VoteReply>().granted);
    replica.receive(2, VoteReply{Term(2), true, true});
    CHECK(replica.raft.role() == Role::pre_candidate);
  }
}

TEST_CASE("a pre-vote for a term already reached is refused with that term (Raft thesis §9.6)") {
  Replica replica({.term = 5});
  replica.receive(3, pre_vote_request(5, 9, 4));
  CHECK_FALSE(replica.answer<VoteReply>().granted);
  CHECK(replica.answer<VoteReply>().term == Term(5));
}

TEST_CASE("pre-votes do not count as votes, nor votes as pre-votes (Raft thesis §9.6)") {
  Replica replica;
  replica.time_out();
  replica.receive(2, VoteReply{Term(0), false, true});
  CHECK(replica.raft.role() == Role::pre_candidate);
  replica.receive(2, VoteReply{Term(1), true, true});
  REQUIRE(replica.raft.role() == Role::candidate);
  replica.receive(3, VoteReply{Term(1), true, true});
  CHECK(replica.raft.role() == Role::candidate);
}

TEST_CASE("a pre-candidate follows whoever leads its term (Raft thesis §9.6)") {
  Replica replica({.term = 1});
  replica.time_out();
  replica.receive(2, append_request(1, 0, 0, {}));
  CHECK(replica.raft.role() == Role::follower);
  CHECK(replica.raft.leader() == NodeId(2));
}

TEST_CASE("a candidate asks again who comes back (Raft thesis §3.4, requests are retried)") {
  Replica replica;
  replica.time_out();
  replica.reconnected(3);
  REQUIRE(replica.sent<VoteRequest>(3).size() == 1);
  CHECK(replica.sent<VoteRequest>(3).front().pre);
  replica.receive(2, VoteReply{Term(1), true, true});
  replica.reconnected(3);
  REQUIRE(replica.sent<VoteRequest>(3).size() == 1);
  CHECK_FALSE(replica.sent<VoteRequest>(3).front().pre);
  CHECK(replica.out.messages.front().after_sync);
}

TEST_CASE("no term follows the last one that messages can carry (Raft thesis §3.3)") {
  Replica replica({.term = number_max});
  replica.time_out();
  CHECK(replica.raft.role() == Role::follower);
  CHECK(replica.out.messages.empty());
  CHECK(replica.raft.wake_at() > replica.now);
}

}  // namespace
}  // namespace coffer::raft::test
