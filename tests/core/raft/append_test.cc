// AppendEntries as its receiver sees it, sentence by sentence. "Fig. 3.1" is the Raft thesis' (Ongaro 2014).
#include <catch2/catch.hpp>

#include "tests/core/raft/replica.h"

namespace coffer::raft::test {
namespace {

using Terms = std::vector<std::uint64_t>;

/// A follower of node 2 in `term` with this log, `commit` of it committed.
Replica follower(std::uint64_t term, std::initializer_list<std::uint64_t> log, std::uint64_t commit = 0) {
  Replica replica({.term = term, .log = log});
  const std::uint64_t last_term = log.size() == 0 ? 0 : *(log.end() - 1);
  replica.receive(2, append_request(term, log.size(), last_term, {}, commit));
  REQUIRE(replica.raft.commit() == Index(commit));
  return replica;
}

TEST_CASE("an append of an earlier term is refused with the receiver's term (Raft thesis fig. 3.1, AppendEntries 1)") {
  Replica replica({.term = 3, .log = {1}});
  replica.receive(2, append_request(2, 1, 1, {2}));
  const auto reply = replica.answer<AppendReply>();
  CHECK_FALSE(reply.success);
  CHECK(reply.term == Term(3));
  CHECK(replica.log_terms() == Terms{1});
  CHECK(replica.raft.leader() == nobody);
}

TEST_CASE("an append of an earlier term does not count as hearing from the leader (Raft thesis fig. 3.1, followers)") {
  Replica replica({.term = 3});
  const Instant deadline = replica.raft.wake_at();
  replica.now = deadline - milliseconds(1);
  replica.receive(2, append_request(2, 0, 0, {}));
  CHECK(replica.raft.wake_at() == deadline);
}

TEST_CASE("an append is refused where the log ends before its previous entry (Raft thesis fig. 3.1, AppendEntries 2)") {
  Replica replica({.term = 1, .log = {1, 1}});
  replica.receive(2, append_request(1, 3, 1, {1}));
  const auto reply = replica.answer<AppendReply>();
  CHECK_FALSE(reply.success);
  CHECK(reply.match == Index(2));
  CHECK(replica.log_terms() == Terms{1, 1});
}

TEST_CASE("an append is refused where its previous entry has another term (Raft thesis fig. 3.1, AppendEntries 2)") {
  Replica replica({.term = 3, .log = {1, 2}});
  replica.receive(2, append_request(3, 2, 3, {3}));
  CHECK_FALSE(replica.answer<AppendReply>().success);
  CHECK(replica.log_terms() == Terms{1, 2});
  CHECK(replica.out.appended.empty());
}

TEST_CASE("a conflicting entry goes, and all that follow it (Raft thesis fig. 3.1, AppendEntries 3)") {
  Replica replica({.term = 4, .log = {1, 2, 2, 3}});
  replica.receive(2, append_request(4, 1, 1, {4}));
  CHECK(replica.answer<AppendReply>().success);
  CHECK(replica.log_terms() == Terms{1, 4});
  CHECK(replica.out.truncated_from == Index(2));
  REQUIRE(replica.out.appended.size() == 1);
  CHECK(replica.out.appended.front().index == Index(2));
  CHECK(replica.trace_of(TraceKind::truncated).index == Index(2));
  CHECK(replica.trace_of(TraceKind::truncated).a == 3);
}

TEST_CASE(
    "an append that ends early takes nothing away, for it may be old (Raft thesis fig. 3.1, AppendEntries 3) (known "
    "bug 7)") {
  Replica replica = follower(2, {1, 2, 2, 2});
  replica.receive(2, append_request(2, 0, 0, {1, 2}));
  CHECK(replica.answer<AppendReply>().success);
  CHECK(replica.answer<AppendReply>().match == Index(2));
  CHECK(replica.log_terms() == Terms{1, 2, 2, 2});
  CHECK_FALSE(replica.out.truncated_from);
  replica.receive(2, append_request(2, 1, 1, {}));
  CHECK(replica.log_terms() == Terms{1, 2, 2, 2});
}

TEST_CASE("only entries not already in the log are added (Raft thesis fig. 3.1, AppendEntries 4)") {
  Replica replica = follower(2, {1, 2});
  replica.receive(2, append_request(2, 0, 0, {1, 2, 2, 2}));
  CHECK(replica.log_terms() == Terms{1, 2, 2, 2});
  REQUIRE(replica.out.appended.size() == 2);
  CHECK(replica.out.appended.front().index == Index(3));
  CHECK_FALSE(replica.out.truncated_from);
  replica.receive(2, append_request(2, 0, 0, {1, 2, 2, 2}));
  CHECK(replica.out.appended.empty());
  CHECK(replica.answer<AppendReply>().match == Index(4));
}

TEST_CASE("an entry is kept as it came: index, term and payload (Raft thesis fig. 3.1, AppendEntries 4)") {
  Replica replica({.term = 1});
  replica.receive(2, append_request(1, 0, 0, {1, 1}));
  CHECK(text(replica.raft.entry(Index(2))) == "2@1");
  CHECK(replica.traced(TraceKind::appended) == 2);
  CHECK(replica.trace_of(TraceKind::appended).b == 0);
}

TEST_CASE("the commit index follows the leader's (Raft thesis fig. 3.1, AppendEntries 5)") {
  Replica replica({.term = 1});
  replica.receive(2, append_request(1, 0, 0, {1, 1, 1}, 2));
  CHECK(replica.raft.commit() == Index(2));
  CHECK(replica.trace_of(TraceKind::committed).index == Index(2));
  CHECK(replica.trace_of(TraceKind::committed).a == 0);
}

TEST_CASE(
    "the commit index stays within the last entry this append has checked (Raft thesis fig. 3.1, AppendEntries 5) "
    "(known bug 8)") {
  // Entries 2 to 4 are leftovers of an older leader; this leader has only vouched for entry 1, then 2.
  Replica replica({.term = 5, .log = {1, 2, 2, 2}});
  replica.receive(2, append_request(5, 1, 1, {}, 4));
  CHECK(replica.raft.commit() == Index(1));
  replica.receive(2, append_request(5, 1, 1, {5}, 4));
  CHECK(replica.raft.commit() == Index(2));
}

TEST_CASE("the commit index never goes back (Raft thesis fig. 3.1, commitIndex increases monotonically)") {
  Replica replica = follower(1, {1, 1, 1}, 3);
  replica.receive(2, append_request(1, 0, 0, {1}, 1));
  CHECK(replica.raft.commit() == Index(3));
}

TEST_CASE("an append's answer waits for the sync of its entries (Raft thesis fig. 3.1, persistent state)") {
  Replica replica({.term = 1});
  replica.receive(2, append_request(2, 0, 0, {2}));
  CHECK(replica.out.hard_state == HardState{Term(2), nobody});
  REQUIRE(replica.out.messages.size() == 1);
  CHECK(replica.out.messages.front().after_sync);
  replica.receive(2, append_request(2, 9, 2, {}));
  REQUIRE(replica.out.messages.size() == 1);
  CHECK(replica.out.messages.front().after_sync);
}

TEST_CASE("a refusal steps over a whole conflicting term at a time (Raft thesis §3.5)") {
  Replica replica({.term = 5, .log = {1, 2, 2, 2, 3, 3}});
  replica.receive(2, append_request(5, 6, 5, {}));
  CHECK(replica.answer<AppendReply>().match == Index(4));
  replica.receive(2, append_request(5, 4, 4, {}));
  CHECK(replica.answer<AppendReply>().match == Index(1));
}

TEST_CASE("a refusal leaves out terms the leader cannot have so early (Raft thesis §3.5)") {
  Replica replica({.term = 6, .log = {1, 2, 4, 4, 5}});
  replica.receive(2, append_request(6, 9, 3, {}));
  CHECK(replica.answer<AppendReply>().match == Index(2));
}

TEST_CASE("a refusal never asks for what is committed (Raft thesis §3.5)") {
  Replica replica = follower(5, {2, 2, 2, 2}, 2);
  replica.receive(2, append_request(5, 4, 5, {}));
  CHECK(replica.answer<AppendReply>().match == Index(2));
}

TEST_CASE("an answer echoes the round of its append (Raft thesis §6.4)") {
  Replica replica({.term = 1});
  AppendRequest request = append_request(1, 0, 0, {});
  request.round = 7;
  replica.receive(2, request);
  CHECK(replica.answer<AppendReply>().round == 7);
  request.prev_index = Index(4);
  request.prev_term = Term(1);
  replica.receive(2, request);
  CHECK_FALSE(replica.answer<AppendReply>().success);
  CHECK(replica.answer<AppendReply>().round == 7);
}

TEST_CASE(
    "an answer to an earlier term's append carries no round, lest it pass for a later term's (Raft thesis §6.4)") {
  Replica replica({.term = 3});
  AppendRequest request = append_request(2, 0, 0, {});
  request.round = 7;
  replica.receive(2, request);
  CHECK(replica.answer<AppendReply>().round == 0);
}

TEST_CASE("an append that contradicts a committed entry is ignored (Raft thesis fig. 3.2, leader completeness)") {
  Replica replica = follower(3, {1, 1, 1}, 2);
  replica.receive(2, append_request(3, 1, 1, {3, 3}));
  CHECK(replica.log_terms() == Terms{1, 1, 1});
  CHECK(replica.out.messages.empty());
  CHECK(replica.out.trace.empty());
  CHECK_FALSE(replica.out.truncated_from);
}

TEST_CASE("an append of a second leader in one term is ignored (Raft thesis fig. 3.2, election safety)") {
  Replica replica = follower(2, {1});
  replica.receive(3, append_request(2, 1, 1, {2}));
  CHECK(replica.out.messages.empty());
  CHECK(replica.log_terms() == Terms{1});
  CHECK(replica.raft.leader() == NodeId(2));

  Replica leader;
  leader.win_election();
  leader.receive(2, append_request(1, 0, 0, {}));
  CHECK(leader.raft.role() == Role::leader);
  CHECK(leader.out.messages.empty());
}

TEST_CASE("a malformed append is ignored, its term too (Raft thesis fig. 3.1, AppendEntries) (known bug 10)") {
  const auto spoil = GENERATE(0, 1, 2, 3, 4);
  AppendRequest request = append_request(5, 1, 1, {2, 3});
  switch (spoil) {
    case 0:
      request.entries[1].index = Index(4);
      break;
    case 1:
      request.entries[0].term = Term(4);
      break;
    case 2:
      request.entries[1].term = Term(6);
      break;
    case 3:
      request.prev_term = Term(0);
      break;
    default:
      request.term = Term(number_max + 1);
      break;
  }
  Replica replica({.term = 1, .log = {1}});
  replica.receive(2, request);
  CHECK(replica.raft.term() == Term(1));
  CHECK(replica.out.messages.empty());
}

TEST_CASE("messages of nobody and of oneself are ignored (Raft thesis fig. 3.1)") {
  Replica replica({.term = 1});
  replica.receive(0, append_request(5, 0, 0, {}));
  replica.receive(1, append_request(5, 0, 0, {}));
  CHECK(replica.raft.term() == Term(1));
  CHECK(replica.out.messages.empty());
}

TEST_CASE("an output filled by several calls hands out only what the log still holds (Raft thesis fig. 3.1)") {
  Replica replica({.term = 1, .log = {1}});
  replica.out.clear();
  replica.raft.receive(replica.now, NodeId(2), append_request(1, 1, 1, {1, 1}), replica.out);
  replica.raft.receive(replica.now, NodeId(3), append_request(2, 2, 1, {2}), replica.out);
  CHECK(replica.log_terms() == Terms{1, 1, 2});
  CHECK(replica.out.truncated_from == Index(3));
  CHECK(replica.out.generation == 1);
  REQUIRE(replica.out.appended.size() == 2);
  CHECK(replica.out.appended[0].term == Term(1));
  CHECK(replica.out.appended[1].term == Term(2));
  CHECK(replica.out.hard_state == HardState{Term(2), nobody});
}

}  // namespace
}  // namespace coffer::raft::test
