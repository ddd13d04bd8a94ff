#include "sim/run/leader_losses.h"

#include <catch2/catch.hpp>

namespace coffer::sim {
namespace {

using oracles::NodeSet;

constexpr Duration timeout = milliseconds(100);

/// A group of so many nodes, led by node 1 in term 1, all in touch.
struct Group {
  explicit Group(std::uint32_t size) : nodes(size), losses(topology(size), timeout), up(size, true), side(size, 0) {
    touch(0);
    lead(1, 1, 0);
    append(1, 1, 0);
    commit(1, 0);
  }

  static Topology topology(std::uint32_t size) {
    Topology all{size, 1, {{}}, {}, {}};
    for (std::uint32_t n = 1; n <= size; ++n) all.members[0].push_back(NodeId(n));
    return all;
  }
  static SimTime at(std::int64_t ms) { return {ms * 1'000'000}; }

  void touch(std::int64_t ms) {
    Touch all(nodes);
    for (std::uint32_t a = 0; a < nodes; ++a) {
      for (std::uint32_t b = 0; b < nodes; ++b) {
        if (up[a] && up[b] && (a == b || side[a] == side[b])) all[a].add(NodeId(b + 1));
      }
    }
    losses.on_touch(at(ms), all, storing);
  }
  void trace(std::uint32_t node, TraceKind kind, std::uint64_t term, std::int64_t ms, std::uint64_t at_index = 0) {
    TraceEvent event;
    event.index = Index(at_index);
    event.kind = kind;
    event.shard = ShardId(1);
    event.term = Term(term);
    losses.on_trace(at(ms), NodeId(node), event);
  }
  void lead(std::uint32_t node, std::uint64_t term, std::int64_t ms) {
    trace(node, TraceKind::became_leader, term, ms);
  }
  /// The next entry that commits is appended here.
  void append(std::uint32_t node, std::uint64_t term, std::int64_t ms) {
    trace(node, TraceKind::appended, term, ms, index + 1);
  }
  void commit(std::uint64_t term, std::int64_t ms) {
    losses.on_committed(at(ms), NodeId(2), {ShardId(1), Index(++index), Term(term), EntryKind::state, {}});
  }
  void crash(std::uint32_t node, std::int64_t ms) {
    up[node - 1] = false;
    touch(ms);
    losses.on_crash(at(ms), NodeId(node));
  }
  void restart(std::uint32_t node, std::int64_t ms) {
    up[node - 1] = true;
    touch(ms);
  }
  void isolate(std::uint32_t node, std::int64_t ms) {
    side[node - 1] = node;
    touch(ms);
  }
  void heal(std::int64_t ms) {
    side.assign(nodes, 0);
    touch(ms);
  }
  void stop_storing(std::uint32_t node, std::int64_t ms) {
    NodeSet one;
    one.add(NodeId(node));
    storing = storing.without(one);
    touch(ms);
  }
  void store_again(std::uint32_t node, std::int64_t ms) {
    storing.add(NodeId(node));
    touch(ms);
  }
  LeaderLossCounts end(std::int64_t ms) {
    losses.finish(at(ms));
    return losses.counts();
  }

  std::uint32_t nodes;
  LeaderLosses losses;
  NodeSet storing = NodeSet(~std::uint64_t{0});
  std::vector<bool> up;
  std::vector<std::uint32_t> side;
  std::uint64_t index = 0;
};

TEST_CASE("a crashed leader is lost until an entry of a later term commits") {
  Group g(3);
  g.crash(1, 50);
  SECTION("in time") {
    g.lead(2, 2, 180);
    g.commit(2, 200);
    const LeaderLossCounts counts = g.end(9000);
    CHECK(counts.losses == 1);
    CHECK(counts.healed_in_time == 1);
    CHECK(counts.worst_ms == 150);
    CHECK(counts.worst_permille == 1500);
  }
  SECTION("just in time") {
    g.commit(2, 250);
    CHECK(g.end(9000).healed_in_time == 1);
  }
  SECTION("late") {
    g.lead(2, 2, 180);
    g.commit(2, 251);
    const LeaderLossCounts counts = g.end(9000);
    CHECK(counts.losses == 1);
    CHECK(counts.healed_in_time == 0);
    CHECK(counts.worst_ms == 201);
  }
  SECTION("never") {
    const LeaderLossCounts counts = g.end(1050);
    CHECK(counts.losses == 1);
    CHECK(counts.healed_in_time == 0);
    CHECK(counts.worst_ms == 1000);
  }
  SECTION("an entry of its own term that others commit later does not heal it") {
    g.commit(1, 100);
    CHECK(g.end(1050).healed_in_time == 0);
  }
  SECTION("it has restarted meanwhile, and does not lead by that") {
    g.restart(1, 60);
    g.commit(2, 400);
    CHECK(g.end(9000).losses == 1);
    CHECK(g.end(9000).healed_in_time == 0);
  }
}

TEST_CASE("a leader cut off from a quorum is lost, and one that steps down is not") {
  Group g(3);
  SECTION("isolated") {
    g.isolate(1, 50);
    g.trace(1, TraceKind::became_follower, 1, 150);  // by check-quorum
    g.commit(2, 200);
    CHECK(g.end(9000).healed_in_time == 1);
  }
  SECTION("paused") {
    g.up[0] = false;
    g.touch(50);
    g.commit(2, 900);
    CHECK(g.end(9000).losses == 1);
    CHECK(g.end(9000).healed_in_time == 0);
  }
  SECTION("a follower cut off: it leads on") {
    g.isolate(2, 50);
    CHECK(g.end(9000).losses == 0);
  }
  SECTION("deposed") {
    g.trace(1, TraceKind::became_follower, 2, 50);
    g.crash(1, 60);
    CHECK(g.end(9000).losses == 0);
  }
}

TEST_CASE("a loss is void when there is nobody to heal it, or nothing to heal") {
  Group g(3);
  SECTION("no core when it happened") {
    g.crash(2, 40);
    g.crash(1, 50);
    CHECK(g.end(9000).losses == 0);
  }
  SECTION("no core soon after") {
    g.crash(1, 50);
    g.crash(2, 249);
    CHECK(g.end(9000).losses == 0);
  }
  SECTION("no core when it was late already: it counts") {
    g.crash(1, 50);
    g.crash(2, 251);
    CHECK(g.end(9000).losses == 1);
  }
  SECTION("it was cut off for a moment") {
    g.isolate(1, 50);
    g.heal(120);
    CHECK(g.end(9000).losses == 0);
  }
  SECTION("it was not cut off at all: what it has appended since commits") {
    g.isolate(1, 50);
    g.append(1, 1, 60);
    g.commit(1, 90);
    CHECK(g.end(9000).losses == 0);
  }
  SECTION("what it had appended before commits: that says nothing") {
    g.append(1, 1, 45);
    g.isolate(1, 50);
    g.commit(1, 90);
    CHECK(g.end(9000).losses == 1);
  }
  SECTION("what it has appended since commits with the next leader's entry: that heals it") {
    g.isolate(1, 50);
    g.append(1, 1, 60);
    g.lead(2, 2, 180);
    g.commit(1, 190);
    g.commit(2, 190);
    CHECK(g.end(9000).losses == 1);
    CHECK(g.end(9000).healed_in_time == 1);
  }
  SECTION("what it has appended since commits too late: it counts") {
    g.isolate(1, 50);
    g.append(1, 1, 60);
    g.commit(1, 251);
    CHECK(g.end(9000).losses == 1);
    CHECK(g.end(9000).healed_in_time == 0);
  }
  SECTION("and then for good: that is the loss") {
    g.isolate(1, 50);
    g.heal(120);
    g.isolate(1, 200);
    g.commit(2, 390);
    CHECK(g.end(9000).healed_in_time == 1);
    CHECK(g.end(9000).worst_ms == 190);
  }
  SECTION("the run ended") {
    g.crash(1, 50);
    CHECK(g.end(200).losses == 0);
  }
}

TEST_CASE("a core may shrink, and the next leader's loss is its own") {
  Group g(5);
  g.crash(1, 50);
  SECTION("it still decides") {
    g.crash(5, 100);
    g.commit(2, 240);
    CHECK(g.end(9000).healed_in_time == 1);
  }
  SECTION("it does not: void") {
    g.crash(5, 100);
    g.crash(4, 110);
    CHECK(g.end(9000).losses == 0);
  }
  SECTION("nodes that come back do not make it whole") {
    g.crash(5, 100);
    g.restart(1, 105);
    g.crash(4, 110);
    CHECK(g.end(9000).losses == 0);
  }
  SECTION("two losses") {
    g.lead(2, 2, 150);
    g.commit(2, 160);
    g.crash(2, 300);
    g.lead(3, 3, 420);
    g.commit(3, 430);
    const LeaderLossCounts counts = g.end(9000);
    CHECK(counts.losses == 2);
    CHECK(counts.healed_in_time == 2);
    CHECK(counts.worst_ms == 130);
  }
  SECTION("the next leader goes before it commits: the first loss goes on") {
    g.lead(2, 2, 150);
    g.crash(2, 155);
    g.commit(3, 260);
    const LeaderLossCounts counts = g.end(9000);
    CHECK(counts.losses == 1);
    CHECK(counts.healed_in_time == 0);
  }
}

TEST_CASE("a leader lost while too few others can store anything is counted by itself") {
  Group g(3);
  g.stop_storing(2, 40);
  g.crash(1, 50);
  g.commit(2, 900);
  const LeaderLossCounts counts = g.end(1000);
  CHECK(counts.losses == 0);
  CHECK(counts.without_disks == 1);
}

TEST_CASE("disks that fail after the leader void its loss as crashes do; a late one does not") {
  const std::int64_t fails_at = GENERATE(80, 251);
  Group g(3);
  g.crash(1, 50);
  g.stop_storing(3, fails_at);
  g.commit(2, 900);
  const LeaderLossCounts counts = g.end(1000);
  CHECK(counts.losses == (fails_at == 80 ? 0 : 1));
  CHECK(counts.healed_in_time == 0);
  CHECK(counts.without_disks == 0);
}

TEST_CASE("a disk that stores nothing costs neither a leader nor a group that has enough others") {
  Group g(5);
  g.stop_storing(2, 30);
  g.stop_storing(1, 40);  // it leads on: its followers can commit
  g.store_again(1, 45);
  g.crash(1, 50);
  g.commit(2, 100);
  const LeaderLossCounts counts = g.end(1000);
  CHECK(counts.losses == 1);
  CHECK(counts.healed_in_time == 1);
  CHECK(counts.worst_ms == 50);
}

TEST_CASE("a leader lost while too few others are certain of their logs to vote is counted by itself") {
  Group g(3);
  g.trace(2, TraceKind::recovery_asked, 1, 40);
  g.crash(1, 50);
  g.commit(2, 900);
  const LeaderLossCounts counts = g.end(1000);
  CHECK(counts.losses == 0);
  CHECK(counts.without_votes == 1);
}

TEST_CASE("a voter that was starting when the leader was lost, and then doubts its log, had no vote to give") {
  Group g(3);
  g.crash(1, 50);
  SECTION("and without it there are too few") {
    g.trace(2, TraceKind::recovery_asked, 1, 80);
    g.commit(2, 900);
    CHECK(g.end(1000).losses == 0);
    CHECK(g.end(1000).without_votes == 1);
  }
  SECTION("it finds out too late for that: it counts") {
    g.trace(2, TraceKind::recovery_asked, 1, 251);
    g.commit(2, 900);
    CHECK(g.end(1000).losses == 1);
    CHECK(g.end(1000).without_votes == 0);
  }
}

TEST_CASE("a voter that doubts its log is not needed where the others are enough") {
  Group g(5);
  g.crash(1, 50);
  g.trace(2, TraceKind::recovery_asked, 1, 80);
  g.commit(2, 100);
  const LeaderLossCounts counts = g.end(1000);
  CHECK(counts.losses == 1);
  CHECK(counts.healed_in_time == 1);
}

TEST_CASE("who knows again what its log must hold has a vote again") {
  const auto settled = GENERATE(TraceKind::recovery_settled, TraceKind::recovery_bound);
  Group g(3);
  g.trace(2, TraceKind::recovery_asked, 1, 30);
  g.trace(2, settled, 1, 40);
  g.crash(1, 50);
  g.commit(2, 60);
  const LeaderLossCounts counts = g.end(1000);
  CHECK(counts.losses == 1);
  CHECK(counts.healed_in_time == 1);
  CHECK(counts.without_votes == 0);
}

}  // namespace
}  // namespace coffer::sim
