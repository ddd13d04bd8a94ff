// Handing leadership over (Raft thesis §3.10), leaders that have lost their quorum (§6.2), and followers that hear
// their leader (§4.2.3). Sections are the Raft thesis' (Ongaro 2014).
#include <catch2/catch.hpp>

#include "tests/core/raft/replica.h"

namespace coffer::raft::test {
namespace {

using Ids = std::vector<std::uint64_t>;

// ---- Transfer --------------------------------------------------------------------------------------------------

TEST_CASE("a leader tells a successor that has its whole log to start an election at once (Raft thesis §3.10)") {
  Replica replica = Replica::leading();
  CHECK(replica.transfer(2));
  CHECK(replica.raft.transferring());
  REQUIRE(replica.sent<TimeoutNow>(2).size() == 1);
  CHECK(replica.sent<TimeoutNow>(2).front().term == Term(1));
  CHECK(replica.sent<TimeoutNow>(3).empty());
  CHECK(replica.trace_of(TraceKind::transfer_begun).a == 2);
}

TEST_CASE("a successor that lacks entries gets them first (Raft thesis §3.10 step 2)") {
  Replica replica = Replica::leading();
  replica.propose("x");
  CHECK(replica.transfer(2));
  CHECK(replica.sent<TimeoutNow>().empty());
  replica.receive(3, accepted(1, 2));
  CHECK(replica.sent<TimeoutNow>().empty());
  replica.receive(2, accepted(1, 2));
  CHECK(replica.sent<TimeoutNow>(2).size() == 1);
}

TEST_CASE("a leader that hands over takes no proposals and appends nothing, but reads (Raft thesis §3.10 step 1)") {
  Replica replica = Replica::leading();
  CHECK(replica.transfer(2));
  CHECK_FALSE(replica.propose("x"));
  CHECK_FALSE(replica.reconfigure({1, 2}));
  CHECK(replica.raft.last_index() == Index(1));
  CHECK(replica.read(11));
  replica.receive(3, accepted(1, 1, 1));
  CHECK(replica.out.reads_confirmed == Ids{11});
}

TEST_CASE("a transfer that does not come about within an election time-out is given up (Raft thesis §3.10)") {
  Replica replica = Replica::leading();
  CHECK(replica.transfer(2));
  for (int beat = 0; beat < 9; ++beat) {
    replica.receive(2, accepted(1, 1));
    replica.time_out();
    CHECK(replica.sent<TimeoutNow>(2).size() == 1);  // it may have been lost
    CHECK(replica.raft.transferring());
  }
  replica.receive(2, accepted(1, 1));
  replica.time_out();
  CHECK_FALSE(replica.raft.transferring());
  CHECK(replica.raft.role() == Role::leader);
  CHECK(replica.propose("x") == Index(2));
  CHECK(replica.transfer(3));
}

TEST_CASE("leadership goes only to another voter that is certain, and to one at a time (Raft thesis §3.10)") {
  Replica replica = Replica::leading({.learners = {4}});
  CHECK_FALSE(replica.transfer(1));
  CHECK_FALSE(replica.transfer(4));
  CHECK_FALSE(replica.transfer(9));
  replica.receive(3, refused_uncertainly(1, 0));
  CHECK_FALSE(replica.transfer(3));
  CHECK(replica.transfer(2));
  CHECK(replica.transfer(2));
  CHECK(replica.out.messages.empty());  // asked again, it is the same transfer
  replica.receive(3, accepted(1, 1));
  CHECK_FALSE(replica.transfer(3));
  Replica follower;
  CHECK_FALSE(follower.transfer(2));
}

TEST_CASE("a leader that resigns hands over to the most advanced voter that it hears (Raft thesis §3.10)") {
  Replica replica = Replica::leading({.learners = {4}});
  replica.propose("x");
  replica.receive(3, accepted(1, 2));
  CHECK(replica.resign());
  CHECK(replica.trace_of(TraceKind::transfer_begun).a == 3);
  CHECK(replica.sent<TimeoutNow>(3).size() == 1);
  CHECK_FALSE(replica.resign());  // it is on its way
}

TEST_CASE("a leader stays where nobody can take over (Raft thesis §3.10)") {
  Replica replica = Replica::leading();
  replica.receive(2, refused_uncertainly(1, 0));
  replica.receive(3, refused_uncertainly(1, 0));
  CHECK_FALSE(replica.resign());
  CHECK_FALSE(replica.raft.transferring());
  Replica follower;
  CHECK_FALSE(follower.resign());
}

TEST_CASE("who is told campaigns at once, without pre-votes, and says that its leader wished it (Raft thesis §3.10)") {
  Replica replica({.term = 1, .log = {1}});
  replica.receive(2, append_request(1, 1, 1, {}));
  replica.receive(2, TimeoutNow{Term(1)});
  CHECK(replica.raft.role() == Role::candidate);
  CHECK(replica.raft.term() == Term(2));
  REQUIRE(replica.sent<VoteRequest>().size() == 2);
  CHECK(replica.sent<VoteRequest>().front().transfer);
  CHECK_FALSE(replica.sent<VoteRequest>().front().pre);
  for (const Outgoing& outgoing : replica.out.messages) CHECK(outgoing.after_sync);
  replica.receive(2, TimeoutNow{Term(1)});  // the leader says so again
  CHECK(replica.raft.term() == Term(2));
  replica.reconnected(3);
  CHECK(replica.sent<VoteRequest>(3).front().transfer);
  replica.wait(election_timeout);  // the next election is an ordinary one
  CHECK(replica.sent<VoteRequest>().front().pre);
  CHECK_FALSE(replica.sent<VoteRequest>().front().transfer);
}

TEST_CASE("only the leader of the present term is obeyed (Raft thesis §3.10)") {
  Replica replica({.term = 3, .log = {1}});
  replica.receive(2, TimeoutNow{Term(2)});
  CHECK(replica.raft.role() == Role::follower);
  replica.receive(2, append_request(3, 1, 1, {}));
  replica.receive(3, TimeoutNow{Term(3)});
  CHECK(replica.raft.role() == Role::follower);
  Replica leader = Replica::leading();
  leader.receive(2, TimeoutNow{Term(1)});
  CHECK(leader.raft.role() == Role::leader);
  Replica late({.term = 3});
  late.receive(2, TimeoutNow{Term(4)});
  CHECK(late.raft.term() == Term(5));
}

TEST_CASE("a vote that the leader wished is given although the leader is heard (Raft thesis §4.2.3)") {
  Replica replica({.term = 1});
  replica.receive(2, append_request(1, 0, 0, {1}));
  replica.receive(3, transfer_vote_request(2, 1, 1));
  CHECK(replica.answer<VoteReply>().granted);
  Replica leader = Replica::leading();
  leader.receive(2, transfer_vote_request(2, 1, 1));
  CHECK(leader.raft.role() == Role::follower);
  CHECK(leader.answer<VoteReply>().granted);
}

TEST_CASE("a read asked during a transfer is confirmed by nobody who follows the successor (§6.4) (known bug 23)") {
  Replica replica = Replica::leading();
  CHECK(replica.transfer(2));
  CHECK(replica.read(11));
  // Node 2 leads term 2 by its own vote and that of 3; 3 answers the round in its new term.
  replica.receive(3, refused(2, 1, 0));
  CHECK(replica.out.reads_confirmed.empty());
  CHECK(replica.out.reads_dropped == Ids{11});
  CHECK(replica.raft.role() == Role::follower);
  CHECK_FALSE(replica.raft.transferring());
}

TEST_CASE("an answer from before a transfer does not confirm a read asked in it (§6.4) (known bug 23)") {
  Replica replica = Replica::leading();
  replica.read(11);
  replica.receive(3, accepted(1, 1, 1));
  CHECK(replica.transfer(2));
  replica.read(12);
  replica.receive(3, accepted(1, 1, 1));
  CHECK(replica.out.reads_confirmed.empty());
}

// ---- Check-quorum ----------------------------------------------------------------------------------------------

TEST_CASE("a leader that hears of no quorum for an election time-out steps down (Raft thesis §6.2)") {
  Replica replica = Replica::leading(5);
  const Instant heard = replica.now;
  std::size_t lost = 0;
  while (replica.raft.role() == Role::leader && replica.now < heard + seconds(5)) {
    replica.receive(5, accepted(1, 1));  // one of four others is no quorum with the leader
    replica.time_out();
    lost += replica.traced(TraceKind::quorum_lost);
  }
  CHECK(lost == 1);
  CHECK(replica.now == heard + election_timeout);
  CHECK(replica.out.lost_leadership);
  CHECK(replica.raft.leader() == nobody);
  CHECK(replica.raft.term() == Term(1));
  CHECK(replica.sent<AppendRequest>().empty());
  CHECK(replica.sent<TimeoutNow>().size() == 1);  // where links fail one way, it may still be heard
  CHECK(replica.raft.wake_at() >= replica.now + election_timeout);
}

TEST_CASE("a leader that hears a quorum leads on, whoever is silent (Raft thesis §6.2)") {
  Replica replica = Replica::leading(5);
  for (int beat = 0; beat < 50; ++beat) {
    replica.receive(2 + static_cast<std::uint32_t>(beat % 2), refused(1, 1));
    replica.time_out();
  }
  CHECK(replica.raft.role() == Role::leader);
}

TEST_CASE("a leader of a joint configuration must hear both majorities (Raft thesis §4.3, §6.2)") {
  Replica replica = Replica::leading();
  replica.reconfigure({1, 4, 5});
  replica.replicate_on({2, 3});
  replica.receive(4, accepted(1, 2));
  replica.receive(5, accepted(1, 2));
  replica.receive(5, accepted(1, 2));
  REQUIRE(replica.raft.configuration().joint());
  std::size_t lost = 0;
  for (int beat = 0; beat < 12 && lost == 0; ++beat) {
    replica.receive(4, accepted(1, 2));
    replica.time_out();
    lost = replica.traced(TraceKind::quorum_lost);
  }
  CHECK(lost == 1);
  CHECK(replica.raft.role() == Role::follower);
}

TEST_CASE("reads of a leader without a quorum do not pile up: they are given back (Raft thesis §6.2)") {
  Replica replica = Replica::leading();
  std::size_t given_back = 0;
  std::uint64_t asked = 0;
  while (replica.raft.role() == Role::leader && asked < 100) {
    replica.read(++asked);
    replica.time_out();
    given_back += replica.out.reads_dropped.size();
  }
  CHECK(asked == 10);
  CHECK(given_back == asked);
  CHECK_FALSE(replica.read(99));
}

TEST_CASE("a group of one hears its quorum always (Raft thesis §6.2)") {
  Replica replica({.members = 1, .learners = {2}});
  replica.time_out();
  replica.sync();
  for (int beat = 0; beat < 30; ++beat) replica.time_out();
  CHECK(replica.raft.role() == Role::leader);
  CHECK(replica.sent<AppendRequest>(2).size() == 1);
}

// ---- Who hears its leader ignores candidates -------------------------------------------------------------------

TEST_CASE("a vote request is ignored, its term too, while a leader is heard (Raft thesis §4.2.3)") {
  Replica replica({.term = 1});
  replica.receive(2, append_request(1, 0, 0, {}));
  replica.now = replica.now + election_timeout - nanoseconds(1);
  replica.receive(3, vote_request(7, 9, 1));
  CHECK(replica.raft.term() == Term(1));
  CHECK(replica.out.messages.empty());
  replica.now = replica.now + nanoseconds(1);
  replica.receive(3, vote_request(7, 9, 1));
  CHECK(replica.raft.term() == Term(7));
  CHECK(replica.answer<VoteReply>().granted);
}

TEST_CASE("a removed server cannot depose a leader that is heard (Raft thesis §4.2.3)") {
  Replica replica = Replica::leading();
  replica.receive(9, vote_request(5, 9, 4));
  CHECK(replica.raft.role() == Role::leader);
  CHECK(replica.raft.term() == Term(1));
  CHECK(replica.out.messages.empty());
}

TEST_CASE("a follower in a later term is not ignored: its leader could not reach it otherwise (Raft thesis §4.2.3)") {
  Replica replica = Replica::leading();
  replica.receive(3, refused(4, 1));
  CHECK(replica.raft.role() == Role::follower);
  CHECK(replica.raft.term() == Term(4));
}

}  // namespace
}  // namespace coffer::raft::test
