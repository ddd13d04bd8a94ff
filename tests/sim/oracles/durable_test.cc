#include <catch2/catch.hpp>

#include "tests/sim/oracles/caught.h"
#include "tests/sim/oracles/shown_disk.h"
#include "tests/sim/oracles/story.h"

using namespace coffer;
using namespace coffer::sim;
using namespace coffer::sim::oracles;

namespace {

const Bytes one(7, std::byte{1});
const Bytes two(5000, std::byte{2});

/// Three disks of empty logs, and what is said of them.
struct Three {
  Three() : story("O-R4"), oracle(story.oracle()) {}

  void store(std::initializer_list<ShownDisk*> on, std::uint64_t index, std::uint64_t term, const Bytes& payload) {
    for (ShownDisk* disk : on) disk->store(oracle, s1, index, term, payload);
  }
  void commit(std::uint64_t index, std::uint64_t term, const Bytes& payload, NodeId seen_on = n1) {
    oracle.on_committed({}, seen_on, {s1, Index(index), Term(term), EntryKind::state, payload});
  }
  void lead(NodeId node, std::uint64_t term) {
    TraceEvent event;
    event.kind = TraceKind::became_leader;
    event.shard = s1;
    event.term = Term(term);
    oracle.on_trace({}, node, event);
  }

  Story story;
  Oracle& oracle;
  ShownDisk d1{n1};
  ShownDisk d2{n2};
  ShownDisk d3{n3};
};

}  // namespace

TEST_CASE("O-R4 catches an entry that commits before a majority holds it durably (Raft thesis section 3.5)") {
  Three w;
  w.store({&w.d1, &w.d2, &w.d3}, 1, 1, one);
  w.commit(1, 1, one);
  REQUIRE(w.story.reasons().empty());
  SECTION("the leader alone has synced it") {
    w.store({&w.d1}, 2, 1, two);
    w.commit(2, 1, two);
    CHECK(told_of(w.story.reasons(), {"s1 entry 2 of term 1", "first seen on node 1", "durable on 1 of 3 disks",
                                      "node 1 ends at entry 2", "node 2 ends at entry 1"}));
  }
  SECTION("a follower alone has synced it") {
    w.store({&w.d3}, 2, 1, two);
    w.commit(2, 1, two);
    CHECK(told_of(w.story.reasons(), {"s1 entry 2", "durable on 1 of 3 disks", "node 3 ends at entry 2"}));
  }
  SECTION("two of three have, and be it without the leader") {
    w.store({&w.d2, &w.d3}, 2, 1, two);
    w.commit(2, 1, two);
    CHECK(w.story.end().empty());
  }
  SECTION("the third only later") {
    w.store({&w.d1}, 2, 1, two);
    w.commit(2, 1, two);
    w.store({&w.d2}, 2, 1, two);
    CHECK(told_of(w.story.end(), {"s1 entry 2", "durable on 1 of 3 disks"}));
  }
  SECTION("the second has other bytes") {
    w.store({&w.d1}, 2, 1, two);
    w.store({&w.d2}, 2, 1, one);
    w.commit(2, 1, two);
    CHECK(told_of(w.story.reasons(), {"durable on 1 of 3 disks", "node 2 ends at entry 2 and differs from entry 2"}));
  }
  SECTION("the second has it of another term") {
    w.store({&w.d1}, 2, 3, two);
    w.store({&w.d2}, 2, 2, two);
    w.commit(2, 3, two);
    CHECK(told_of(w.story.reasons(), {"entry 2 of term 3", "durable on 1 of 3 disks"}));
  }
  SECTION("the second's frame is torn") {
    w.store({&w.d1}, 2, 1, two);
    w.d2.append(s1, 2, 1, two);
    w.d2.write_frame();
    const bool torn = GENERATE(true, false);
    if (torn) w.d2.segment().back() ^= std::byte{1};
    w.d2.show(w.oracle, w.d2.segment_name());
    w.commit(2, 1, two);
    CHECK(w.story.reasons().size() == (torn ? 1 : 0));
  }
}

TEST_CASE("O-R4 catches a crash that leaves a committed entry without a majority") {
  Three w;
  w.store({&w.d1, &w.d2}, 1, 1, one);
  w.commit(1, 1, one);
  SECTION("gone") {
    w.d2.segment().resize(4096);
    w.d2.crash(w.oracle);
    CHECK(told_of(w.story.reasons(), {"s1 entry 1 of term 1", "node 2 crashed", "durable on 1 of 3 disks"}));
  }
  SECTION("the file gone") {
    w.oracle.on_crash({}, n2);
    w.oracle.on_restart({}, n2);
    CHECK(told_of(w.story.reasons(), {"node 2 crashed", "node 2 ends at entry 0"}));
  }
  SECTION("there, and another's crash takes only what never committed") {
    w.store({&w.d3}, 1, 1, one);
    w.d2.crash(w.oracle);
    w.d3.segment().resize(4096);
    w.d3.crash(w.oracle);
    w.commit(1, 1, one, n3);
    CHECK(w.story.end().empty());
  }
  SECTION("rotten by the end of the run") {
    const bool rotten = GENERATE(true, false);
    if (rotten) w.d2.segment()[4096 + 70] ^= std::byte{1};
    w.story.phase(Phase::over);
    for (const ShownDisk* disk : {&w.d1, &w.d2, &w.d3}) disk->show_all(w.oracle);
    CHECK(w.story.end().size() == (rotten ? 1 : 0));
  }
}

TEST_CASE("O-R4 does not blame the wallet for a disk that a fault emptied, but for the others still") {
  Three w;
  w.store({&w.d1, &w.d2}, 1, 1, one);
  w.commit(1, 1, one);
  w.oracle.on_disk_emptied({}, n1);
  w.d1.files().clear();
  w.d1.crash(w.oracle);
  w.oracle.on_phase({}, Phase::over);
  w.d2.show_all(w.oracle);
  w.d3.show_all(w.oracle);
  w.oracle.finish({});
  REQUIRE(w.story.reasons().empty());
  w.d2.files().clear();
  w.d2.crash(w.oracle);
  INFO((w.story.reasons().empty() ? std::string("none") : w.story.reasons().front()));
  CHECK(told_of(w.story.reasons(), {"s1 entry 1", "node 2 crashed", "durable on 0 of 3 disks"}));
}

TEST_CASE("O-R4 counts an acknowledgement that outlived its disk, also when the node was refused in between") {
  Three w;
  const bool acknowledged = GENERATE(true, false);
  w.store({&w.d1}, 1, 1, one);
  if (acknowledged) w.store({&w.d2}, 1, 1, one);
  w.oracle.on_disk_emptied({}, n2);
  w.d2.files().clear();
  w.d2.crash(w.oracle);
  w.oracle.on_restart({}, n2);
  w.commit(1, 1, one);
  CHECK(w.story.reasons().size() == (acknowledged ? 0 : 1));
}

TEST_CASE("O-R4 catches a majority's disk that gives a committed entry up") {
  Three w;
  w.store({&w.d1, &w.d2}, 1, 1, one);
  w.store({&w.d3}, 1, 2, two);  // a leader of term 2 that nobody heard
  w.commit(1, 1, one);
  SECTION("a rival's entry may go") {
    w.d3.cut(s1, 1);
    w.store({&w.d3}, 1, 3, one);
    CHECK(w.story.end().empty());
  }
  SECTION("the entry itself may not") {
    w.d2.cut(s1, 1);
    w.d2.write_frame(GENERATE(true, false));
    w.d2.show(w.oracle, w.d2.segment_name());
    CHECK(told_of(w.story.reasons(), {"s1 entry 1", "node 2 cut its log", "durable on 1 of 3 disks"}));
  }
}

TEST_CASE("O-R4 catches a leader whose votes are not durable (Raft thesis section 3.4)") {
  Three w;
  w.d1.vote(w.oracle, s1, 4, n1);
  w.d3.vote(w.oracle, s1, 4, n3);
  SECTION("one of three") {
    w.d2.vote(w.oracle, s1, 4, nobody);
    w.lead(n1, 4);
    CHECK(told_of(w.story.reasons(),
                  {"node 1 leads s1 in term 4 by the durable votes of nodes {1}", "no quorum of {1,2,3}"}));
  }
  SECTION("two of three") {
    w.d2.vote(w.oracle, s1, 4, n1);
    w.lead(n1, 4);
    CHECK(w.story.end().empty());
  }
  SECTION("a voter that went on to a later term meanwhile") {
    w.d2.vote(w.oracle, s1, 5, nobody);
    w.lead(n1, 4);
    CHECK(w.story.end().empty());
  }
  SECTION("a vote of long ago") {
    w.d2.vote(w.oracle, s1, 3, n1);
    w.lead(n1, 4);
    CHECK(told_of(w.story.reasons(), {"node 1 leads s1 in term 4 by the durable votes of nodes {1}"}));
  }
}

TEST_CASE("O-R4 catches a disk whose terms and votes go back") {
  Three w;
  w.d1.vote(w.oracle, s1, 4, n2);
  w.d1.vote(w.oracle, s2, 9, nobody);
  REQUIRE(w.story.reasons().empty());
  const auto shown = [&](std::uint64_t term, NodeId vote) {
    w.d1.vote(w.oracle, s1, term, vote);
    return w.story.reasons();
  };
  SECTION("an earlier term") { CHECK(told_of(shown(3, n2), {"node 1", "s1", "node 2 in term 4 was", "in term 3 is"})); }
  SECTION("another vote") { CHECK(told_of(shown(4, n3), {"vote for node 2 in term 4", "node 3 in term 4"})); }
  SECTION("a vote taken back") { CHECK(told_of(shown(4, nobody), {"vote for node 2 in term 4"})); }
  SECTION("the next term") { CHECK(shown(5, nobody).empty()); }
  SECTION("both copies bad after a crash") {
    for (std::byte& byte : w.d1.files()["hard-state"]) byte ^= std::byte{1};
    w.d1.crash(w.oracle);
    CHECK(told_of(w.story.reasons(), {"node 1", "vote for node 2 in term 4 was durable"}));
  }
  SECTION("one copy bad after a crash") {
    w.d1.files()["hard-state"][4096 + 50] ^= std::byte{1};
    w.d1.crash(w.oracle);
    CHECK(w.story.end().empty());
  }
}

TEST_CASE("O-R4 catches logs that cannot be") {
  Three w;
  w.store({&w.d1}, 1, 1, one);
  const auto shown = [&] {
    w.d1.write_frame();
    w.d1.show(w.oracle, w.d1.segment_name());
    return w.story.reasons();
  };
  SECTION("ahead of their term") {
    w.d1.append(s1, 2, 2, one);
    CHECK(told_of(shown(), {"node 1: s1 entry 2 is of term 2", "hard state only of term 1"}));
  }
  SECTION("with a hole") {
    w.d1.append(s1, 3, 1, one);
    CHECK(told_of(shown(), {"s1 entry 3 stands behind entry 1"}));
  }
  SECTION("cut beyond their end") {
    w.d1.cut(s1, 3);
    CHECK(told_of(shown(), {"s1 is cut from entry 3 on, and goes from entry 0 to entry 1"}));
  }
  SECTION("against the grammar") {
    w.d1.records() = one;
    CHECK(told_of(shown(), {"node 1: frame 2 in stream-000001 holds records that cannot be"}));
  }
  SECTION("sound") {
    w.d1.append(s1, 2, 1, one);
    w.d1.append(s2, 1, 0, {});
    w.d1.cut(s1, 2);
    w.d1.append(s1, 2, 1, two);
    CHECK(shown().empty());
  }
}
