// A replica whose disk may have lost what it had acknowledged: rule and proof are in docs/PROTOCOLS.md, "An uncertain
// replica". The thesis (Ongaro 2014, section 3.8) assumes that disks lose nothing.
#include "core/raft/recovery.h"

#include <set>

#include <catch2/catch.hpp>

#include "tests/core/raft/replica.h"
#include "tests/core/raft/world.h"

namespace coffer::raft::test {
namespace {

using Terms = std::vector<std::uint64_t>;

/// Uncertain, of term 2, with entries 1..3 left of its log. It has asked; `nonce` is what it asked with.
struct Uncertain {
  explicit Uncertain(Replica::Start start = {.term = 2, .log = {1, 2, 2}}) : replica(certain_or_not(start)) {
    replica.time_out();
    nonce = replica.trace_of(TraceKind::recovery_asked).a;
  }
  static Replica::Start certain_or_not(Replica::Start start) {
    start.uncertain = true;
    return start;
  }
  void answered(std::uint32_t from, std::uint64_t last_index, std::uint64_t last_term, bool leads = false,
                std::uint64_t term = 2, const Configuration& c = configuration({1, 2, 3})) {
    replica.receive(from, RecoveryReply{Term(term), nonce, leads, false, {Index(last_index), Term(last_term)}, c});
  }
  bool votes_for(std::uint32_t candidate, std::uint64_t term, std::uint64_t last_index, std::uint64_t last_term) {
    replica.receive(candidate, transfer_vote_request(term, last_index, last_term));
    return replica.answer<VoteReply>().granted;
  }

  Replica replica;
  std::uint64_t nonce = 0;
};

TEST_CASE("an uncertain replica asks all members at once, and again every election time-out (docs/PROTOCOLS.md R28)") {
  Replica replica({.term = 2, .log = {1, 2}, .uncertain = true});
  CHECK(replica.raft.uncertain());
  CHECK(replica.raft.wake_at() == replica.now);
  replica.time_out();
  CHECK(replica.sent<RecoveryRequest>().size() == 2);
  CHECK(replica.traced(TraceKind::recovery_asked) == 1);
  // A leader that beats does not put the questions off: the first may be lost.
  std::size_t asked = 0;
  for (int beat = 0; beat < 25; ++beat) {
    replica.receive(2, append_request(2, 2, 2, {}));
    replica.wait(heartbeat_interval);
    asked += replica.sent<RecoveryRequest>(2).size();
  }
  CHECK(asked == 2);
  replica.reconnected(3);
  CHECK(replica.sent<RecoveryRequest>(3).size() == 1);
}

TEST_CASE("each start asks with a nonce of its own (docs/PROTOCOLS.md R28)") {
  std::set<std::uint64_t> nonces;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    nonces.insert(Uncertain({.term = 2, .log = {1}, .seed = seed}).nonce);
  }
  CHECK(nonces.size() == 50);
}

TEST_CASE("an uncertain replica gives no vote and no pre-vote (docs/PROTOCOLS.md R27) (known bug 16)") {
  // The blank end of its log may have held what it acknowledged: node 3 could be elected without it.
  Uncertain u;
  CHECK_FALSE(u.votes_for(3, 3, 3, 2));
  CHECK_FALSE(u.votes_for(3, 4, 9, 3));
  u.replica.receive(3, pre_vote_request(5, 9, 3));
  CHECK_FALSE(u.replica.answer<VoteReply>().granted);
  CHECK(u.replica.hard_state() == HardState{Term(4), nobody});
}

TEST_CASE("an uncertain replica does not campaign, whoever wishes it (docs/PROTOCOLS.md R27) (known bug 16)") {
  Uncertain u;
  for (int i = 0; i < 6; ++i) {
    u.replica.time_out();
    CHECK(u.replica.raft.role() == Role::follower);
    CHECK(u.replica.sent<VoteRequest>().empty());
  }
  u.replica.receive(2, TimeoutNow{Term(2)});
  CHECK(u.replica.raft.role() == Role::follower);
}

TEST_CASE("an uncertain replica takes entries, and says that it is uncertain (docs/PROTOCOLS.md R11, R27)") {
  Uncertain u;
  u.replica.receive(2, append_request(2, 3, 2, {2}));
  CHECK(u.replica.answer<AppendReply>().success);
  CHECK(u.replica.answer<AppendReply>().uncertain);
  u.replica.receive(2, append_request(2, 9, 2, {}));
  CHECK_FALSE(u.replica.answer<AppendReply>().success);
  CHECK(u.replica.answer<AppendReply>().uncertain);
  Replica certain({.term = 2});
  certain.receive(2, append_request(2, 0, 0, {2}));
  CHECK_FALSE(certain.answer<AppendReply>().uncertain);
}

TEST_CASE("it is certain again once it durably holds what a leader held after its start (docs/PROTOCOLS.md R28 a)") {
  Uncertain u;
  u.answered(2, 5, 2, true);
  CHECK(u.replica.raft.uncertain());
  u.replica.receive(2, append_request(2, 3, 2, {2, 2, 2}));
  CHECK(u.replica.raft.uncertain());  // not durable yet
  CHECK_FALSE(u.replica.out.settled);
  u.replica.sync();
  CHECK(u.replica.out.settled);
  CHECK_FALSE(u.replica.raft.uncertain());
  CHECK(u.replica.trace_of(TraceKind::recovery_settled).index == Index(5));
  CHECK(u.replica.trace_of(TraceKind::recovery_settled).a == 1);
  u.replica.sync();
  CHECK_FALSE(u.replica.out.settled);  // told once
  CHECK(u.votes_for(3, 3, 6, 2));
}

TEST_CASE("a floor that everybody has lost is lowered once all have answered anew (docs/PROTOCOLS.md R28 b)") {
  Uncertain u;
  u.answered(2, 9, 2);
  u.answered(3, 3, 2);
  REQUIRE(u.replica.traced(TraceKind::recovery_bound) == 1);
  CHECK_FALSE(u.votes_for(3, 3, 8, 2));
  u.replica.wait(election_timeout);
  REQUIRE(u.replica.sent<RecoveryRequest>(2).size() == 1);
  const std::uint64_t nonce = u.replica.sent<RecoveryRequest>(2).front().nonce;
  u.answered(2, 4, 2);  // an answer to the first question says nothing now
  u.answered(3, 4, 2);
  CHECK(u.replica.traced(TraceKind::recovery_bound) == 0);
  RecoveryReply again;
  again.term = u.replica.raft.term();
  again.nonce = nonce;
  again.last = {Index(4), Term(2)};
  again.configuration = configuration({1, 2, 3});
  u.replica.receive(2, again);
  CHECK(u.replica.traced(TraceKind::recovery_bound) == 0);
  CHECK_FALSE(u.votes_for(3, 4, 8, 2));  // the old floor holds until all have answered
  u.replica.receive(3, again);
  CHECK(u.replica.traced(TraceKind::recovery_bound) == 1);
  CHECK(u.replica.trace_of(TraceKind::recovery_bound).index == Index(4));
  CHECK(u.votes_for(3, 5, 4, 2));
}

TEST_CASE("what was committed in its stead, or is in a snapshot, is as good as what the leader held (R28 a)") {
  Uncertain u;
  u.answered(2, 4, 2, true);
  SECTION("a later leader has replaced it") {
    u.replica.receive(3, append_request(3, 3, 2, {3, 3}, 5));
    u.replica.sync();
    CHECK_FALSE(u.replica.raft.uncertain());
  }
  SECTION("not before that has committed") {
    u.replica.receive(3, append_request(3, 3, 2, {3, 3}, 3));
    u.replica.sync();
    CHECK(u.replica.raft.uncertain());
  }
  SECTION("a snapshot covers it, once that is durable") {
    u.replica.restore(9, 2, configuration({1, 2, 3}));
    CHECK(u.replica.raft.uncertain());
    u.replica.sync();
    CHECK_FALSE(u.replica.raft.uncertain());
  }
}

TEST_CASE(
    "a leader of an earlier term proves nothing, nor does an answer to an earlier start (docs/PROTOCOLS.md R28)") {
  Uncertain u({.term = 3, .log = {1, 2, 2}});
  u.answered(2, 3, 2, true, 2);
  CHECK(u.replica.raft.uncertain());
  u.replica.receive(2, RecoveryReply{Term(3), u.nonce + 1, true, false, {Index(3), Term(2)}, configuration({1, 2, 3})});
  u.replica.receive(3, RecoveryReply{Term(3), u.nonce + 1, true, false, {Index(3), Term(2)}, configuration({1, 2, 3})});
  CHECK(u.replica.raft.uncertain());
  u.answered(2, 3, 2, true, 3);
  CHECK_FALSE(u.replica.raft.uncertain());
}

TEST_CASE("it is certain when all others have answered and nobody has more (docs/PROTOCOLS.md R28 b)") {
  Uncertain u;
  u.answered(2, 3, 2);
  CHECK(u.replica.raft.uncertain());
  CHECK_FALSE(u.votes_for(2, 3, 3, 2));
  u.answered(3, 1, 1, false, 3);
  CHECK(u.replica.out.settled);
  CHECK_FALSE(u.replica.raft.uncertain());
  CHECK(u.replica.trace_of(TraceKind::recovery_settled).a == 2);
  CHECK(u.votes_for(2, 4, 3, 2));
}

TEST_CASE("when another has more, only logs that cover it get the vote, until its own does (docs/PROTOCOLS.md R28 b)") {
  Uncertain u;
  u.answered(2, 5, 2);
  u.answered(3, 3, 2);
  CHECK(u.replica.raft.uncertain());
  CHECK_FALSE(u.replica.out.settled);
  CHECK_FALSE(u.votes_for(3, 3, 4, 2));  // better than its own, and still not enough
  u.replica.receive(3, pre_vote_request(9, 4, 2));
  CHECK_FALSE(u.replica.answer<VoteReply>().granted);
  u.replica.time_out();
  u.replica.time_out();
  CHECK(u.replica.raft.role() == Role::follower);
  CHECK(u.votes_for(2, 4, 5, 2));
  u.replica.receive(2, append_request(4, 3, 2, {2, 2}));
  u.replica.sync();
  CHECK(u.replica.out.settled);
  CHECK_FALSE(u.replica.raft.uncertain());
}

TEST_CASE("an entry of a later term covers the floor too (docs/PROTOCOLS.md R28 b)") {
  Uncertain u;
  u.answered(2, 5, 2);
  u.answered(3, 3, 2);
  u.replica.receive(3, append_request(3, 3, 2, {3}));
  u.replica.sync();
  CHECK_FALSE(u.replica.raft.uncertain());
}

TEST_CASE("it waits for every voter of every configuration that an answer names (docs/PROTOCOLS.md R28 b)") {
  Uncertain u;
  CHECK(u.replica.raft.recovery_waits_for() == nodes({2, 3}));
  u.answered(2, 3, 2, false, 2, configuration({1, 2, 4}, {1, 2, 3}));
  u.answered(3, 3, 2);
  CHECK(u.replica.raft.uncertain());
  CHECK(u.replica.raft.recovery_waits_for() == nodes({4}));
  u.replica.wait(election_timeout);
  CHECK(u.replica.sent<RecoveryRequest>(4).size() == 1);
  u.answered(4, 3, 2, false, 2, configuration({1, 2, 4, 5}));
  CHECK(u.replica.raft.uncertain());
  u.answered(5, 3, 2, false, 2, configuration({1, 2, 4, 5}));
  CHECK_FALSE(u.replica.raft.uncertain());
}

TEST_CASE("who has no vote is not waited for, and its tail binds nobody (docs/PROTOCOLS.md R28 b)") {
  const Configuration c = configuration({1, 2, 3}, {}, {4});
  const bool learner_answers = GENERATE(true, false);
  Uncertain u({.learners = {4}, .term = 2, .log = {1, 2, 2}});
  CHECK(u.replica.raft.recovery_waits_for() == nodes({2, 3}));
  if (learner_answers) u.answered(4, 9, 2, false, 2, c);
  u.answered(2, 3, 2, false, 2, c);
  CHECK(u.replica.raft.uncertain());
  u.answered(3, 3, 2, false, 2, c);
  CHECK_FALSE(u.replica.raft.uncertain());
}

TEST_CASE("the answers of learners alone make no voter certain (docs/PROTOCOLS.md R28 b)") {
  Uncertain u({.members = 1, .learners = {4}, .term = 2, .log = {1, 2, 2}});
  u.answered(4, 3, 2, false, 2, configuration({1}, {}, {4}));
  CHECK(u.replica.raft.uncertain());
}

TEST_CASE("what the disk has shown and nobody has is told, not waited for (docs/PROTOCOLS.md R28 b)") {
  Uncertain u({.term = 2, .log = {1, 2, 2}, .evidence = {Index(6), Term(2)}});
  u.answered(2, 3, 2);
  u.answered(3, 3, 2);
  CHECK_FALSE(u.replica.raft.uncertain());
  CHECK(u.replica.trace_of(TraceKind::recovery_settled).b == 6);
}

TEST_CASE("who has nobody to ask is never certain by itself: it may have lost who there was (docs/PROTOCOLS.md R28)") {
  Replica replica({.members = 1, .term = 2, .log = {1, 2}, .uncertain = true});
  for (int i = 0; i < 5; ++i) replica.time_out();
  CHECK(replica.raft.uncertain());
  CHECK(replica.raft.role() == Role::follower);
}

TEST_CASE("an answer tells place, term, leadership and configuration, and waits until that is durable (R3, R28)") {
  Replica replica = Replica::leading({.term = 4, .log = {3}});
  replica.propose("x");
  replica.receive(9, RecoveryRequest{Term(1), 77});
  const auto reply = replica.answer<RecoveryReply>();
  CHECK(replica.out.messages.front().after_sync);
  CHECK(replica.out.messages.front().to == NodeId(9));
  CHECK(reply.term == Term(5));
  CHECK(reply.nonce == 77);
  CHECK(reply.leads);
  CHECK_FALSE(reply.uncertain);
  CHECK(reply.last == LogPlace{Index(3), Term(5)});
  CHECK(reply.configuration == configuration({1, 2, 3}));
}

TEST_CASE("a question raises nobody's term (docs/PROTOCOLS.md R28)") {
  Replica replica = Replica::leading();
  replica.receive(2, RecoveryRequest{Term(9), 1});
  CHECK(replica.raft.role() == Role::leader);
  CHECK(replica.raft.term() == Term(1));
}

TEST_CASE("a leader believes an uncertain follower that it has less than it acknowledged (docs/PROTOCOLS.md R11)") {
  Replica replica = Replica::leading();
  replica.propose("x");
  replica.propose("y");
  replica.receive(2, accepted(1, 3));
  CHECK(replica.raft.follower_match(NodeId(2)) == Index(3));
  replica.receive(2, refused(1, 1));  // stale: it has been answered since
  CHECK(replica.raft.follower_match(NodeId(2)) == Index(3));
  replica.receive(2, refused_uncertainly(1, 1));
  CHECK(replica.raft.follower_match(NodeId(2)) == Index(1));
  REQUIRE(replica.sent<AppendRequest>(2).size() == 1);
  CHECK(replica.sent<AppendRequest>(2).front().prev_index == Index(1));
  CHECK(replica.sent<AppendRequest>(2).front().entries.size() == 2);
  replica.sync();
  CHECK(replica.raft.commit() == Index(1));
}

TEST_CASE("an uncertain rejection of an earlier term lowers nothing (docs/PROTOCOLS.md R11)") {
  Replica replica({.term = 3, .log = {1, 2}});
  replica.win_election();
  replica.receive(2, accepted(4, 3));
  replica.receive(2, refused_uncertainly(3, 0));
  CHECK(replica.raft.follower_match(NodeId(2)) == Index(3));
}

// ---- Whole groups ----------------------------------------------------------------------------------------------

/// Time passes until a leader's entry has committed everywhere, or for a long while.
bool moves_on(World& world) {
  for (int beat = 0; beat < 200; ++beat) {
    world.sleep(heartbeat_interval);
    for (std::uint32_t id = 1; id <= world.size(); ++id) {
      if (world.member(id).raft && world.member(id).raft->wake_at() <= world.now()) world.tick(id);
    }
    world.settle();
    const std::uint32_t leader = world.leader();
    if (leader != 0 && world.member(leader).raft->leads_in_own_term()) return world.propose(leader, "on").has_value();
  }
  return false;
}

TEST_CASE("three torn tails after a common power cut settle among themselves (docs/PROTOCOLS.md R28) (known bug 29)") {
  World world(3, 1);
  REQUIRE(moves_on(world));
  const std::uint32_t leader = world.leader();
  for (const char* const text : {"a", "b", "c"}) world.propose(leader, text);
  world.settle();
  const Index committed = world.safety().highest_committed();
  REQUIRE(committed == Index(5));
  for (std::uint32_t id = 1; id <= 3; ++id) world.crash(id);
  // Nobody's disk loses an entry's last copy: one keeps all of it, whichever.
  const std::uint32_t whole = GENERATE(1u, 2u, 3u);
  for (std::uint32_t id = 1; id <= 3; ++id) {
    if (id == whole) {
      world.member(id).disk.uncertain = true;  // its end is as blank as theirs
    } else {
      REQUIRE(world.lose_tail(id, id));
    }
  }
  for (std::uint32_t id = 1; id <= 3; ++id) world.restart(id);
  CHECK(moves_on(world));
  CHECK(world.safety().breaches().empty());
  for (std::uint32_t id = 1; id <= 3; ++id) {
    CHECK_FALSE(world.member(id).raft->uncertain());
    CHECK_FALSE(world.member(id).disk.uncertain);
  }
}

TEST_CASE("a torn tail waits for the one member that may have what it lost (docs/PROTOCOLS.md R28) (known bug 16)") {
  World world(3, 1);
  REQUIRE(moves_on(world));
  const std::uint32_t leader = world.leader();
  world.settle();
  std::uint32_t others[2] = {};
  for (std::uint32_t id = 1, i = 0; id <= 3; ++id) {
    if (id != leader) others[i++] = id;
  }
  // The leader commits with one follower; that one's disk loses it; the leader is away.
  while (world.queued(leader, others[1]) > 0) world.drop(leader, others[1]);
  world.propose(leader, "precious");
  world.sync(leader);
  while (world.queued(leader, others[1]) > 0) world.drop(leader, others[1]);
  while (world.queued(leader, others[0]) > 0) world.deliver(leader, others[0]);
  world.sync(others[0]);
  while (world.queued(others[0], leader) > 0) world.deliver(others[0], leader);
  const Index committed = world.safety().highest_committed();
  REQUIRE(committed == world.member(leader).raft->last_index());
  world.crash(leader);
  world.crash(others[0]);
  REQUIRE(world.lose_tail(others[0], 1));
  world.restart(others[0]);
  CHECK_FALSE(moves_on(world));
  world.restart(leader);
  CHECK(moves_on(world));
  CHECK(world.safety().breaches().empty());
  CHECK(world.safety().highest_committed() > committed);
}

}  // namespace
}  // namespace coffer::raft::test
