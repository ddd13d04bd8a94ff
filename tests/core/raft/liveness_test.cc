// Groups that other systems could not move, or that moved wrongly: bridges, deadlocks of pre-votes, leaders that carry
// a term which is not theirs. Sections are the Raft thesis' (Ongaro 2014).
#include <algorithm>
#include <set>
#include <utility>

#include <catch2/catch.hpp>

#include "tests/core/raft/replica.h"
#include "tests/core/raft/world.h"

namespace coffer::raft::test {
namespace {

/// Runs a world whose listed links, either way, are cut.
class Cut {
 public:
  explicit Cut(std::uint32_t size) : world(size, 3) {}

  void between(std::uint32_t a, std::uint32_t b) {
    cut_.insert({a, b});
    cut_.insert({b, a});
  }
  void mend() { cut_.clear(); }

  void beats(int count) {
    for (; count > 0; --count) {
      world.sleep(heartbeat_interval);
      for (std::uint32_t id = 1; id <= world.size(); ++id) {
        if (world.member(id).raft && world.member(id).raft->wake_at() <= world.now()) world.tick(id);
      }
      settle();
    }
  }
  /// Whether some leader commits something new within a few election time-outs.
  bool moves() {
    const Index before = world.safety().highest_committed();
    for (int beat = 0; beat < 80; ++beat) {
      beats(1);
      for (std::uint32_t id = 1; id <= world.size(); ++id) {
        if (beat % 10 == 9 && world.member(id).raft && world.member(id).raft->leads_in_own_term())
          world.propose(id, "more");
      }
      settle();
      if (world.safety().highest_committed().value > before.value + 1) return true;
    }
    return false;
  }

  World world;

 private:
  void settle() {
    for (bool busy = true; busy;) {
      busy = false;
      for (std::uint32_t a = 1; a <= world.size(); ++a) {
        if (!world.member(a).unsynced.empty()) {
          world.sync(a);
          busy = true;
        }
        for (std::uint32_t b = 1; b <= world.size(); ++b) {
          for (; world.queued(a, b) > 0; busy = true) {
            if (cut_.contains({a, b})) {
              world.drop(a, b);
            } else {
              world.deliver(a, b);
            }
          }
        }
      }
    }
  }

  std::set<std::pair<std::uint32_t, std::uint32_t>> cut_;
};

std::uint64_t highest_term(World& world) {
  std::uint64_t highest = 0;
  for (std::uint32_t id = 1; id <= world.size(); ++id) {
    highest = std::max(highest, world.member(id).raft->term().value);
  }
  return highest;
}

TEST_CASE("a bridge between two halves keeps its leader, and no term rises (Raft thesis §4.2.3, §9.6) (known bug 25)") {
  Cut cut(3);
  REQUIRE(cut.moves());
  const std::uint32_t leader = cut.world.leader();
  const std::uint32_t far = leader == 3 ? 1 : 3;
  cut.between(leader, far);  // both still hear the third
  cut.beats(5);
  const std::uint64_t term = highest_term(cut.world);
  CHECK(cut.moves());
  cut.beats(100);
  CHECK(cut.world.leader() == leader);
  CHECK(highest_term(cut.world) == term);
  CHECK(cut.world.safety().breaches().empty());
}

TEST_CASE("a leader that only hears one node of five gives way to one that hears a quorum (§6.2) (known bug 25)") {
  Cut cut(5);
  REQUIRE(cut.moves());
  const std::uint32_t old_leader = cut.world.leader();
  const std::uint32_t bridge = old_leader == 5 ? 4 : 5;  // hears everybody
  for (std::uint32_t a = 1; a <= 5; ++a) {
    for (std::uint32_t b = 1; b <= 5; ++b) {
      if (a != b && a != bridge && b != bridge) cut.between(a, b);
    }
  }
  CHECK(cut.moves());
  cut.beats(40);
  CHECK(cut.world.leader() == bridge);
  const std::uint64_t term = highest_term(cut.world);
  cut.beats(60);
  CHECK(cut.world.leader() == bridge);
  CHECK(highest_term(cut.world) == term);
}

TEST_CASE("a member in a later term with a shorter log does not stall its group (§9.6) (known bug 24)") {
  // Node 1 has campaigned in vain for a later term; its log is behind, so nobody gives it a pre-vote, and it takes no
  // entries of the leader's earlier term.
  Cut cut(3);
  REQUIRE(cut.moves());
  const std::uint32_t leader = cut.world.leader();
  const std::uint32_t late = leader == 1 ? 2 : 1;
  for (std::uint32_t id = 1; id <= 3; ++id) {
    if (id != late) cut.between(late, id);
  }
  cut.beats(3);
  REQUIRE(cut.moves());
  const std::uint64_t term = highest_term(cut.world);
  cut.world.crash(late);
  cut.world.member(late).disk.hard_state = {Term(term + 3), NodeId(late)};
  cut.world.restart(late);
  cut.mend();
  CHECK(cut.moves());
  cut.beats(40);
  CHECK(cut.world.member(late).raft->commit() >= Index(cut.world.safety().highest_committed().value - 1));
  CHECK(cut.world.safety().breaches().empty());
}

TEST_CASE("two members of which the one with the longer log is in the earlier term elect it (§9.6) (known bug 24)") {
  // The third is gone. The longer log's pre-votes are for a term that the other has passed: its denial says so.
  Cut cut(3);
  REQUIRE(cut.moves());
  const std::uint32_t leader = cut.world.leader();
  const std::uint32_t late = leader == 1 ? 2 : 1;
  const std::uint32_t gone = 6 - leader - late;
  for (std::uint32_t id = 1; id <= 3; ++id) {
    if (id != late) cut.between(late, id);
  }
  REQUIRE(cut.moves());
  const std::uint64_t term = highest_term(cut.world);
  for (std::uint32_t id = 1; id <= 3; ++id) cut.world.crash(id);
  cut.world.member(late).disk.hard_state = {Term(term + 5), NodeId(late)};
  cut.world.restart(leader);
  cut.world.restart(late);
  REQUIRE_FALSE(cut.world.member(gone).raft);
  cut.mend();
  CHECK(cut.moves());
  CHECK(cut.world.leader() == leader);
}

TEST_CASE("a leader that learns of a later term sends nothing in it (Raft thesis §3.3) (known bug 26)") {
  const auto news = GENERATE(Message(refused(5, 0)), Message(transfer_vote_request(5, 9, 1)),
                             Message(append_request(5, 1, 1, {})), Message(VoteReply{Term(5), false, false}),
                             Message(RecoveryReply{Term(5), 1, true, false, {Index(1), Term(1)}, configuration({1})}));
  Replica replica = Replica::leading();
  replica.out.clear();
  // All in one output: a proposal of the old term, the news, and whatever is due afterwards.
  replica.raft.propose(replica.now, payload("old"), replica.out);
  replica.raft.receive(replica.now, NodeId(2), news, replica.out);
  replica.raft.propose(replica.now, payload("new"), replica.out);
  replica.raft.reconnected(replica.now, NodeId(3), replica.out);
  replica.raft.persisted(replica.now, replica.out.generation, replica.raft.last_index(), replica.out);
  replica.raft.tick(replica.now + heartbeat_interval, replica.out);
  CHECK(replica.raft.role() == Role::follower);
  CHECK(replica.raft.term() == Term(5));
  for (const AppendRequest& request : replica.sent<AppendRequest>()) CHECK(request.term == Term(1));
  CHECK(replica.sent<AppendRequest>().size() == 2);
}

TEST_CASE("a sole voter sends its learners nothing of a term that it could forget (docs/PROTOCOLS.md R3)") {
  Replica replica({.members = 1, .learners = {2}});
  replica.time_out();
  REQUIRE(replica.raft.role() == Role::leader);
  REQUIRE(replica.sent<AppendRequest>(2).size() == 1);
  CHECK(replica.out.messages.front().after_sync);
  replica.time_out();
  CHECK(replica.out.messages.front().after_sync);
  replica.sync();
  replica.time_out();
  CHECK_FALSE(replica.out.messages.front().after_sync);
  Replica three;
  three.win_election();  // the others' votes came after its own was durable
  CHECK_FALSE(three.out.messages.front().after_sync);
}

TEST_CASE("who leaves a joint configuration never holds the key to it alone (docs/PROTOCOLS.md R20)") {
  // Node 2 leads {1,2} and leaves. Had it appended {1} itself and crashed, node 1 would need its vote, and it would
  // neither give it, for its log is longer, nor campaign, for it has no vote of its own.
  Cut cut(2);
  REQUIRE(cut.moves());
  const std::uint32_t leader = cut.world.leader();
  const std::uint32_t stays = 3 - leader;
  REQUIRE(cut.world.reconfigure(leader, nodes({stays})));
  cut.beats(20);
  CHECK(cut.world.leader() == stays);
  CHECK(cut.world.member(stays).raft->configuration() == configuration({stays}));
  CHECK(cut.world.member(leader).raft->configuration() == configuration({stays}));
  cut.world.crash(leader);
  CHECK(cut.moves());
  CHECK(cut.world.safety().breaches().empty());
}

}  // namespace
}  // namespace coffer::raft::test
