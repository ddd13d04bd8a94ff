// Membership changes, sentence by sentence: chapter 4 of the Raft thesis (Ongaro 2014), changes by joint consensus
// (4.3).
#include <catch2/catch.hpp>

#include "tests/core/raft/replica.h"

namespace coffer::raft::test {
namespace {

using Terms = std::vector<std::uint64_t>;

/// The configurations handed out to be stored, in order.
std::vector<Configuration> appended(const Replica& replica) {
  std::vector<Configuration> found;
  for (const Entry& entry : replica.out.appended) {
    if (entry.kind == EntryKind::configuration) found.push_back(*decode_configuration(view(entry.payload)));
  }
  return found;
}

/// A follower of node 2 in term 1 whose log holds these from index 1 on.
Replica follower_of(const std::vector<Configuration>& configurations, std::uint64_t commit = 0,
                    std::uint32_t self = 1) {
  Replica replica({.self = self, .term = 1});
  AppendRequest request = append_request(1, 0, 0, {}, commit);
  for (const Configuration& c : configurations) {
    request.entries.push_back(configuration_entry(request.entries.size() + 1, 1, c));
  }
  replica.receive(2, request);
  replica.sync();
  return replica;
}

/// Leads {1,2,3}, with 4 and 5 as learners that have caught up; the joint configuration stands at index 3.
Replica joint_leader() {
  Replica replica = Replica::leading();
  REQUIRE(replica.reconfigure({1, 2, 3, 4, 5}));
  replica.replicate_on({2, 3});
  replica.receive(4, accepted(1, 2));
  replica.receive(5, accepted(1, 2));
  REQUIRE(replica.raft.configuration().joint());
  return replica;
}

TEST_CASE("a server uses the latest configuration in its log, committed or not (Raft thesis §4.1) (known bug 3)") {
  const Replica replica = follower_of({configuration({1, 2, 3, 4})});
  CHECK(replica.raft.commit() == Index(0));
  CHECK(replica.raft.configuration() == configuration({1, 2, 3, 4}));
  CHECK(replica.raft.configuration_index() == Index(1));
  CHECK(replica.raft.reconfiguring());
  CHECK(replica.raft.configuration_at(Index(0)) == configuration({1, 2, 3}));
}

TEST_CASE("a configuration appended decides at once, before it commits (Raft thesis §4.1) (known bug 3)") {
  Replica replica = joint_leader();
  CHECK(replica.trace_of(TraceKind::configuration_changed).index == Index(3));
  CHECK(replica.trace_of(TraceKind::configuration_changed).a == 0b111110);
  CHECK(replica.trace_of(TraceKind::configuration_changed).b == 0b1110);
  CHECK(replica.trace_of(TraceKind::configuration_changed).c == 0);
  replica.sync();
  replica.receive(2, accepted(1, 3));
  CHECK(replica.raft.commit() == Index(2));  // two of the old three, but two of the new five
  replica.receive(4, accepted(1, 3));
  CHECK(replica.raft.commit() == Index(3));
}

TEST_CASE("while joint, an entry needs a majority of the old voters too (Raft thesis §4.3)") {
  Replica replica = joint_leader();
  replica.sync();
  replica.receive(4, accepted(1, 3));
  replica.receive(5, accepted(1, 3));
  CHECK(replica.raft.commit() == Index(2));  // three of the new five, but one of the old three
  replica.receive(3, accepted(1, 3));
  CHECK(replica.raft.commit() == Index(3));
}

TEST_CASE("a group grows from three to five: learners, joint, final (Raft thesis §4.2.1, §4.3)") {
  Replica replica = Replica::leading();
  CHECK(replica.reconfigure({1, 2, 3, 4, 5}));
  CHECK(appended(replica) == std::vector{configuration({1, 2, 3}, {}, {4, 5})});
  CHECK(replica.sent<AppendRequest>(4).size() == 1);
  CHECK(replica.trace_of(TraceKind::configuration_changed).c == 0b110000);
  replica.replicate_on({2, 3});
  CHECK(replica.raft.commit() == Index(2));
  CHECK(replica.raft.configuration().learners == nodes({4, 5}));
  replica.receive(4, accepted(1, 2));
  CHECK(appended(replica).empty());
  replica.receive(5, accepted(1, 2));
  CHECK(appended(replica) == std::vector{configuration({1, 2, 3, 4, 5}, {1, 2, 3})});
  replica.replicate_on({2, 3, 4, 5});
  CHECK(replica.raft.configuration() == configuration({1, 2, 3, 4, 5}));
  CHECK(replica.raft.configuration_index() == Index(4));
  replica.replicate_everywhere();
  CHECK(replica.raft.commit() == Index(4));
  CHECK_FALSE(replica.raft.reconfiguring());
}

TEST_CASE("a group shrinks from five to three without learners (Raft thesis §4.3)") {
  Replica replica = Replica::leading(5);
  CHECK(replica.reconfigure({1, 2, 3}));
  CHECK(appended(replica) == std::vector{configuration({1, 2, 3}, {1, 2, 3, 4, 5})});
  replica.sync();
  replica.receive(2, accepted(1, 2));
  CHECK(replica.raft.commit() == Index(1));
  replica.receive(4, accepted(1, 2));
  CHECK(replica.raft.commit() == Index(2));
  CHECK(appended(replica) == std::vector{configuration({1, 2, 3})});
  replica.replicate_on({2});
  CHECK(replica.raft.commit() == Index(3));
}

TEST_CASE("any voter is replaced by a new node (Raft thesis §4.3)") {
  Replica replica = Replica::leading();
  CHECK(replica.reconfigure({1, 2, 4}));
  replica.replicate_on({2});
  replica.receive(4, accepted(1, 2));
  replica.receive(4, accepted(1, 2));
  CHECK(replica.raft.configuration() == configuration({1, 2, 4}, {1, 2, 3}));
  replica.replicate_on({2});
  CHECK(replica.raft.configuration() == configuration({1, 2, 4}));
  replica.replicate_on({2});
  CHECK(replica.raft.commit() == Index(4));
  CHECK(replica.raft.role() == Role::leader);
}

TEST_CASE(
    "a leader that is replaced hands over while joint, and leaves the rest to its successor (Raft thesis §4.2.2)") {
  Replica replica = Replica::leading();
  CHECK(replica.reconfigure({2, 3, 4}));
  replica.replicate_on({2, 3});
  replica.receive(4, accepted(1, 2));
  replica.receive(4, accepted(1, 2));
  REQUIRE(replica.raft.configuration() == configuration({2, 3, 4}, {1, 2, 3}));
  replica.receive(3, accepted(1, 3));
  replica.receive(2, accepted(1, 3));
  REQUIRE(replica.raft.commit() == Index(3));
  CHECK(replica.raft.transferring());
  CHECK(replica.trace_of(TraceKind::transfer_begun).a == 2);
  CHECK(replica.sent<TimeoutNow>(2).size() == 1);
  CHECK(replica.raft.configuration().joint());
  CHECK_FALSE(replica.propose("x"));
  SECTION("when nobody takes over in time, it tries again") {
    replica.receive(2, accepted(1, 3));
    replica.receive(3, accepted(1, 3));
    replica.wait(election_timeout - milliseconds(1));
    replica.receive(2, accepted(1, 3));
    replica.receive(3, accepted(1, 3));
    replica.receive(4, accepted(1, 3));
    replica.wait(milliseconds(1));
    CHECK(replica.raft.role() == Role::leader);
    CHECK(replica.traced(TraceKind::transfer_begun) == 1);
  }
  SECTION("the successor's election makes it a follower") {
    replica.receive(2, transfer_vote_request(2, 3, 1));
    CHECK(replica.raft.role() == Role::follower);
    CHECK(replica.answer<VoteReply>().granted);
  }
}

TEST_CASE("a new leader finishes a joint configuration by itself, once an entry of its term has committed (§4.3)") {
  Replica replica = follower_of({configuration({1, 3, 4}, {1, 2, 3})});
  replica.win_election();
  CHECK(appended(replica).empty());
  replica.receive(3, accepted(2, 2));
  replica.sync();
  CHECK(replica.raft.commit() == Index(2));
  CHECK(appended(replica) == std::vector{configuration({1, 3, 4})});
}

TEST_CASE(
    "a new leader does not go on with learners it was not asked for; the next change drops them (Raft thesis §4.3)") {
  Replica replica = follower_of({configuration({1, 2, 3}, {}, {4})});
  replica.win_election();
  replica.replicate_everywhere();
  replica.receive(4, accepted(2, 2));
  replica.receive(4, accepted(2, 2));
  CHECK(replica.raft.configuration() == configuration({1, 2, 3}, {}, {4}));
  CHECK_FALSE(replica.raft.reconfiguring());
  CHECK(replica.reconfigure({1, 2, 3, 5}));
  CHECK(appended(replica) == std::vector{configuration({1, 2, 3}, {}, {5})});
}

TEST_CASE("no change before an entry of the leader's own term has committed (raft-dev 2015) (known bug 2)") {
  Replica replica({.term = 1, .log = {1}});
  CHECK_FALSE(replica.reconfigure({1, 2}));
  replica.win_election();
  CHECK_FALSE(replica.reconfigure({1, 2}));
  replica.receive(2, accepted(2, 1));
  replica.sync();
  CHECK_FALSE(replica.reconfigure({1, 2}));
  CHECK(replica.out.appended.empty());
  replica.receive(2, accepted(2, 2));
  CHECK(replica.reconfigure({1, 2}));
  CHECK(appended(replica).size() == 1);
}

TEST_CASE("one change at a time: the next step waits until the one before has committed (Raft thesis §4.1)") {
  Replica replica = Replica::leading();
  CHECK(replica.reconfigure({1, 2, 3, 4}));
  replica.receive(4, accepted(1, 2));
  replica.receive(4, accepted(1, 2));
  CHECK(appended(replica).empty());  // the learners' configuration has not committed
  CHECK_FALSE(replica.reconfigure({1, 2}));
  CHECK(replica.reconfigure({1, 2, 3, 4}));  // the same again is no other
  CHECK(appended(replica).empty());
  replica.replicate_on({2});
  replica.receive(4, accepted(1, 2));
  CHECK(replica.raft.configuration().joint());
  CHECK_FALSE(replica.reconfigure({1, 2, 3}));  // there is no way back from a joint one but through it
  CHECK(replica.reconfigure({1, 2, 3, 4}));
}

TEST_CASE("a change is called off by asking for the voters there are, until it is joint (Raft thesis §4.2.1)") {
  Replica replica = Replica::leading();
  CHECK(replica.reconfigure({1, 2, 3, 4}));
  replica.replicate_on({2, 3});
  CHECK(replica.reconfigure({1, 2, 3}));
  CHECK(appended(replica) == std::vector{configuration({1, 2, 3})});
  replica.replicate_on({2, 3});
  CHECK_FALSE(replica.raft.reconfiguring());
  CHECK(replica.reconfigure({1, 2}));
}

TEST_CASE("what is no group is no goal (core/raft/raft.h)") {
  Replica replica = Replica::leading();
  CHECK_FALSE(replica.reconfigure({}));
  CHECK_FALSE(replica.reconfigure({2, 1}));
  CHECK_FALSE(replica.reconfigure({0, 1}));
  CHECK_FALSE(replica.reconfigure({1, 1}));
  Numbers many;
  for (std::uint32_t id = 1; id <= 64; ++id) many.push_back(id);
  CHECK_FALSE(replica.reconfigure(many));
  CHECK_FALSE(replica.raft.reconfiguring());
  Replica follower;
  CHECK_FALSE(follower.reconfigure({1, 2}));
}

TEST_CASE("learners receive entries and count for nothing (Raft thesis §4.2.1)") {
  Replica replica = Replica::leading({.learners = {4, 5, 6}});
  replica.propose("x");
  CHECK(replica.sent<AppendRequest>(4).size() == 1);
  replica.sync();
  for (const std::uint32_t learner : {4u, 5u, 6u}) replica.receive(learner, accepted(1, 2));
  CHECK(replica.raft.commit() == Index(1));
  replica.read(11);
  for (const std::uint32_t learner : {4u, 5u, 6u}) replica.receive(learner, accepted(1, 2, 1));
  CHECK(replica.out.reads_confirmed.empty());
  replica.receive(2, accepted(1, 2, 1));
  CHECK(replica.out.reads_confirmed == std::vector<std::uint64_t>{11});
}

TEST_CASE("learners are not asked for votes, and theirs do not count (Raft thesis §4.2.1)") {
  Replica replica({.learners = {4, 5}});
  replica.time_out();
  CHECK(replica.sent<VoteRequest>().size() == 2);
  replica.receive(4, VoteReply{Term(1), true, true});
  replica.receive(5, VoteReply{Term(1), true, true});
  CHECK(replica.raft.role() == Role::pre_candidate);
}

TEST_CASE("who has no vote in its own configuration does not campaign (Raft thesis §4.2.1)") {
  Replica replica({.voters = {2, 3, 4}, .learners = {1}});
  for (int i = 0; i < 3; ++i) {
    replica.time_out();
    CHECK(replica.raft.role() == Role::follower);
    CHECK(replica.out.messages.empty());
  }
  replica.receive(2, TimeoutNow{Term(1)});
  CHECK(replica.raft.role() == Role::follower);
}

TEST_CASE("a server votes for candidates that are no members of its configuration (Raft thesis §4.2.2)") {
  Replica replica({.term = 1});
  replica.receive(9, vote_request(2, 0, 0));
  CHECK(replica.answer<VoteReply>().granted);
  Replica learner({.voters = {2, 3}, .learners = {1}, .term = 1});
  learner.receive(2, vote_request(2, 0, 0));
  CHECK(learner.answer<VoteReply>().granted);
}

TEST_CASE("a server takes entries of a leader that is no member of its configuration (Raft thesis §4.2.2)") {
  Replica replica({.term = 1});
  replica.receive(9, append_request(2, 0, 0, {2}));
  CHECK(replica.answer<AppendReply>().success);
  CHECK(replica.raft.leader() == NodeId(9));
}

TEST_CASE("a candidate of a joint configuration needs the votes of both majorities (Raft thesis §4.3)") {
  Replica replica = follower_of({configuration({1, 4, 5}, {1, 2, 3})});
  replica.time_out();
  CHECK(replica.sent<VoteRequest>().size() == 4);
  replica.receive(2, VoteReply{Term(2), true, true});
  replica.receive(3, VoteReply{Term(2), true, true});
  CHECK(replica.raft.role() == Role::pre_candidate);
  replica.receive(5, VoteReply{Term(2), true, true});
  CHECK(replica.raft.role() == Role::candidate);
  replica.receive(4, VoteReply{Term(2), false, true});
  replica.receive(5, VoteReply{Term(2), false, true});
  CHECK(replica.raft.role() == Role::candidate);
  replica.receive(2, VoteReply{Term(2), false, true});
  CHECK(replica.raft.role() == Role::leader);
}

TEST_CASE("a learner votes only once it has caught up within an election time-out (Raft thesis §4.2.1, rounds)") {
  Replica replica = Replica::leading();
  CHECK(replica.reconfigure({1, 2, 3, 4}));
  replica.replicate_on({2, 3});
  replica.receive(4, accepted(1, 1));  // the round to index 2 begins
  replica.now = replica.now + election_timeout;
  replica.receive(4, accepted(1, 2));  // too long; the next begins
  CHECK(appended(replica).empty());
  replica.receive(4, accepted(1, 2));
  CHECK(appended(replica) == std::vector{configuration({1, 2, 3, 4}, {1, 2, 3})});
}

TEST_CASE(
    "a learner without all sealed history, or uncertain, is not promoted (docs/PROTOCOLS.md R25) (known bug 27)") {
  Replica replica = Replica::leading();
  CHECK(replica.reconfigure({1, 2, 3, 4}));
  replica.replicate_on({2, 3});
  AppendReply reply = accepted(1, 2);
  reply.complete = false;
  for (int i = 0; i < 3; ++i) replica.receive(4, reply);
  CHECK_FALSE(replica.raft.configuration().joint());
  reply.complete = true;
  reply.uncertain = true;
  for (int i = 0; i < 3; ++i) replica.receive(4, reply);
  CHECK_FALSE(replica.raft.configuration().joint());
  reply.uncertain = false;
  replica.receive(4, reply);
  CHECK(replica.raft.configuration().joint());
}

TEST_CASE("a replica says whether it is complete (core/raft/raft.h)") {
  Replica replica;
  replica.receive(2, append_request(1, 0, 0, {1}));
  CHECK(replica.answer<AppendReply>().complete);
  replica.raft.set_complete(false);
  replica.receive(2, append_request(1, 1, 1, {}));
  CHECK_FALSE(replica.answer<AppendReply>().complete);
}

TEST_CASE("any number of configurations is rolled back at once (Raft thesis §4.1) (known bug 5)") {
  Replica replica = follower_of(
      {configuration({1, 2, 3, 4}), configuration({1, 2, 3, 4, 5}), configuration({2, 3, 4, 5}), configuration({2, 3})},
      1);
  REQUIRE(replica.raft.configuration() == configuration({2, 3}));
  replica.receive(3, append_request(2, 1, 1, {2}));
  CHECK(replica.raft.configuration() == configuration({1, 2, 3, 4}));
  CHECK(replica.raft.configuration_index() == Index(1));
  CHECK(replica.traced(TraceKind::configuration_rolled_back) == 1);
  CHECK(replica.trace_of(TraceKind::configuration_rolled_back).a == 0b11110);
  CHECK(replica.trace_of(TraceKind::configuration_rolled_back).index == Index(1));
}

TEST_CASE(
    "a truncation to before the first change restores the founding configuration (Raft thesis §4.1) (known bug 5)") {
  Replica replica = follower_of({configuration({1, 2}), configuration({2})});
  replica.receive(3, append_request(2, 0, 0, {2}));
  CHECK(replica.raft.configuration() == configuration({1, 2, 3}));
  CHECK(replica.raft.configuration_index() == Index(0));
  replica.time_out();
  CHECK(replica.raft.role() == Role::pre_candidate);  // and so it votes again
}

TEST_CASE("a removed member learns so only once that has committed, for its vote may be needed till then (R20)") {
  Replica replica = Replica::leading();
  CHECK(replica.reconfigure({1, 2}));
  replica.replicate_on({2, 3});
  REQUIRE(replica.raft.configuration() == configuration({1, 2}));
  REQUIRE(replica.raft.configuration_index() == Index(3));
  replica.receive(3, accepted(1, 2));
  CHECK(replica.sent<AppendRequest>(3).empty());
  replica.time_out();
  CHECK(replica.sent<AppendRequest>(3).front().entries.empty());
  replica.replicate_on({2});
  REQUIRE(replica.raft.commit() == Index(3));
  replica.receive(3, accepted(1, 2));
  REQUIRE(replica.sent<AppendRequest>(3).size() == 1);
  CHECK(replica.sent<AppendRequest>(3).front().entries.size() == 1);
  SECTION("then it is served no more") {
    replica.receive(3, accepted(1, 3));
    replica.time_out();
    CHECK(replica.sent<AppendRequest>(3).empty());
    CHECK(replica.sent<AppendRequest>(2).size() == 1);
  }
  SECTION("nor when it is silent") {
    for (int beat = 0; beat < 12; ++beat) {
      replica.receive(2, accepted(1, 3));
      replica.time_out();
    }
    CHECK(replica.raft.role() == Role::leader);
    CHECK(replica.sent<AppendRequest>(3).empty());
  }
}

TEST_CASE("a late answer of a removed member makes it none again (Raft thesis §4.2.3) (known bug 4)") {
  Replica replica = Replica::leading();
  CHECK(replica.reconfigure({1, 2}));
  replica.replicate_on({2, 3});
  replica.replicate_on({2, 3});
  replica.time_out();
  REQUIRE(replica.raft.configuration() == configuration({1, 2}));
  replica.receive(3, accepted(1, 2));
  replica.receive(3, refused(1, 0));
  replica.receive(3, refused_uncertainly(1, 0));
  CHECK(replica.out.messages.empty());
  CHECK(replica.raft.follower_match(NodeId(3)) == Index(0));
  replica.propose("x");
  CHECK(replica.sent<AppendRequest>(3).empty());
  replica.sync();
  replica.receive(3, accepted(1, 4));
  CHECK(replica.raft.commit() == Index(3));
}

TEST_CASE("a removed member does not come back by late messages (Raft thesis §4.2.3) (known bug 4)") {
  // Node 1 holds the configuration without it.
  Replica replica = follower_of({configuration({2, 3}, {1, 2, 3}), configuration({2, 3})}, 2);
  const auto late = GENERATE(0, 1, 2, 3, 4);
  if (late == 0) replica.receive(2, append_request(1, 0, 0, {}, 0));
  if (late == 1) replica.receive(2, TimeoutNow{Term(1)});
  if (late == 2) replica.receive(3, VoteReply{Term(2), true, true});
  if (late == 3) replica.receive(3, VoteReply{Term(1), false, true});
  if (late == 4) {
    AppendRequest first = append_request(1, 0, 0, {});
    first.entries.push_back(configuration_entry(1, 1, configuration({2, 3}, {1, 2, 3})));
    replica.receive(2, first);
  }
  CHECK(replica.raft.configuration() == configuration({2, 3}));
  replica.time_out();
  replica.time_out();
  CHECK(replica.raft.role() == Role::follower);
  CHECK(replica.sent<VoteRequest>().empty());
  CHECK(replica.raft.term() == Term(1));
}

TEST_CASE("a candidacy ends where the candidate is no voter any more (Raft thesis §4.2.2) (known bug 4)") {
  Replica replica({.term = 1});
  replica.time_out();
  AppendRequest removal = append_request(1, 0, 0, {}, 1);
  removal.entries.push_back(configuration_entry(1, 1, configuration({2, 3})));
  replica.receive(2, removal);
  replica.receive(3, VoteReply{Term(2), true, true});
  CHECK(replica.raft.role() == Role::follower);
  CHECK(replica.raft.term() == Term(1));
}

TEST_CASE("configurations of the log are in use after a restart (Raft thesis §4.1)") {
  Recovered recovered;
  recovered.hard_state = {Term(1), nobody};
  recovered.configuration = configuration({1, 2, 3});
  recovered.log = entries(1, {1});
  recovered.log.push_back(configuration_entry(2, 1, configuration({1, 2, 3, 4})));
  Config config;
  config.self = NodeId(1);
  config.election_timeout = election_timeout;
  config.heartbeat_interval = heartbeat_interval;
  const Raft raft(config, recovered, Prng(1), Instant());
  CHECK(raft.configuration() == configuration({1, 2, 3, 4}));
  CHECK(raft.configuration_index() == Index(2));
  CHECK(raft.configuration_at(Index(1)) == configuration({1, 2, 3}));
}

}  // namespace
}  // namespace coffer::raft::test
