// O-R4 where logs begin with snapshots, disks are damaged, and memberships change.
#include <catch2/catch.hpp>

#include "tests/sim/oracles/caught.h"
#include "tests/sim/oracles/shown_disk.h"
#include "tests/sim/oracles/story.h"

using namespace coffer;
using namespace coffer::sim;
using namespace coffer::sim::oracles;

namespace {

constexpr NodeId n4{4};
constexpr NodeId n5{5};
const Bytes bytes(7, std::byte{1});

/// Three entries of term 1, committed and durable on three disks.
struct World {
  World() : story("O-R4"), oracle(story.oracle()) {
    for (std::uint64_t i = 1; i <= 3; ++i) {
      for (ShownDisk* disk : {&d1, &d2, &d3}) disk->store(oracle, s1, i, 1, bytes);
      commit(i, 1);
    }
  }

  void commit(std::uint64_t index, std::uint64_t term, NodeId seen_on = n1) {
    oracle.on_committed({}, seen_on, {s1, Index(index), Term(term), EntryKind::state, bytes});
  }
  void trace(NodeId node, TraceKind kind, std::uint64_t term, std::uint64_t index = 0, std::uint64_t a = 0,
             std::uint64_t b = 0) {
    TraceEvent event;
    event.kind = kind;
    event.shard = s1;
    event.term = Term(term);
    event.index = Index(index);
    event.a = a;
    event.b = b;
    oracle.on_trace({}, node, event);
  }
  static SealedDraft snapshot(std::uint64_t last, std::uint64_t term = 1) {
    SealedDraft draft;
    draft.shard = s1;
    draft.first = draft.last = last;
    draft.last_term = term;
    draft.payload = Bytes(250, std::byte{3});
    return draft;
  }
  void flush(ShownDisk& disk, bool new_segment = false) {
    disk.write_frame(new_segment);
    disk.show(oracle, disk.segment_name());
  }
  void show_ballots(ShownDisk& disk) { disk.show(oracle, "hard-state"); }
  std::vector<std::string> reasons() const { return story.reasons(); }

  Story story;
  Oracle& oracle;
  ShownDisk d1{n1};
  ShownDisk d2{n2};
  ShownDisk d3{n3};
};

}  // namespace

TEST_CASE("O-R4 counts what a published snapshot holds") {
  World w;
  w.d1.publish(w.oracle, World::snapshot(2));
  w.d1.restore(s1, 2, 1, true);
  w.flush(w.d1);
  SECTION("beside the tail of the log") {
    w.d1.crash(w.oracle);
    w.d2.segment().resize(4096);
    w.d2.crash(w.oracle);
    CHECK(w.story.end().empty());
  }
  SECTION("when a later segment begins the stream") {
    w.d1.stand(s1, {Index(2), Term(1)}, {Index(3), Term(1)});
    w.flush(w.d1, true);
    w.d1.publish(w.oracle, World::snapshot(3));
    w.d1.restore(s1, 3, 1, true);
    w.flush(w.d1);
    w.d1.drop_old_segments();
    w.show_ballots(w.d1);
    w.d1.crash(w.oracle);
    w.d2.segment().resize(4096);
    w.d2.crash(w.oracle);
    CHECK(w.story.end().empty());
  }
  SECTION("installed where the log had nothing") {
    ShownDisk d4(n4);
    d4.vote(w.oracle, s1, 1, nobody);
    d4.publish(w.oracle, World::snapshot(3));
    d4.restore(s1, 3, 1, false);
    w.flush(d4);
    d4.append(s1, 4, 1, bytes);
    w.flush(d4);
    d4.crash(w.oracle);
    CHECK(w.story.end().empty());
  }
}

TEST_CASE("O-R4 catches a log that begins behind what no snapshot holds") {
  World w;
  SECTION("none was published") {
    w.d1.restore(s1, 2, 1, true);
    w.flush(w.d1);
    CHECK(told_of(w.reasons(), {"node 1", "s1 begins behind entry 2", "no whole snapshot is there"}));
  }
  SECTION("only an older one was") {
    w.d1.publish(w.oracle, World::snapshot(1));
    w.d1.restore(s1, 2, 1, true);
    w.flush(w.d1);
    CHECK(told_of(w.reasons(), {"s1 begins behind entry 2", "newest whole snapshot ends at entry 1"}));
  }
  SECTION("it has a bad chunk") {
    SealedDraft draft = World::snapshot(2);
    w.d1.files()[draft.file()] = draft.bytes();
    w.d1.files()[draft.file()][4096 + 120] ^= std::byte{1};
    w.d1.show(w.oracle, draft.file());
    w.d1.restore(s1, 2, 1, true);
    w.flush(w.d1);
    CHECK(told_of(w.reasons(), {"no whole snapshot is there"}));
  }
  SECTION("it is of another past") {
    w.d1.publish(w.oracle, World::snapshot(2, 9));
    w.d1.restore(s1, 2, 1, true);
    w.flush(w.d1);
    CHECK(told_of(w.reasons(), {"no whole snapshot is there"}));
  }
  SECTION("its name was not durable") {
    w.d1.publish(w.oracle, World::snapshot(2));
    w.d1.restore(s1, 2, 1, true);
    w.flush(w.d1);
    REQUIRE(w.reasons().empty());
    w.d1.files().erase(World::snapshot(2).file());
    w.d1.crash(w.oracle);
    CHECK(told_of(w.reasons(), {"node 1", "s1 begins behind entry 2"}));
  }
  SECTION("segments went too early") {
    w.d1.publish(w.oracle, World::snapshot(2));
    w.d1.restore(s1, 2, 1, true);
    w.flush(w.d1);
    w.d1.stand(s1, {Index(2), Term(1)}, {Index(3), Term(1)});
    w.flush(w.d1, true);
    w.d1.drop_old_segments();
    w.show_ballots(w.d1);
    w.d1.crash(w.oracle);
    CHECK(told_of(w.reasons(), {"node 1", "s1 begins behind entry 2", "not in the stream"}));
  }
}

TEST_CASE("O-R4 catches a base that does not fit its log") {
  World w;
  w.d1.publish(w.oracle, World::snapshot(3));
  SECTION("it keeps what is not there") {
    w.d1.restore(s1, 4, 1, true);
    w.flush(w.d1);
    CHECK(told_of(w.reasons(), {"node 1", "begin behind entry 4", "to entry 3"}));
  }
  SECTION("it keeps what is behind another entry") {
    w.d1.restore(s1, 3, 2, true);
    w.flush(w.d1);
    CHECK(told_of(w.reasons(), {"behind entry 3 of term 2", "holds another one there"}));
  }
  SECTION("it goes back") {
    w.d1.restore(s1, 3, 1, true);
    w.d1.restore(s1, 2, 1, true);
    w.flush(w.d1);
    CHECK(told_of(w.reasons(), {"begin behind entry 2", "goes from entry 3"}));
  }
  SECTION("a cut reaches into it") {
    w.d1.restore(s1, 3, 1, true);
    w.d1.cut(s1, 3);
    w.flush(w.d1);
    CHECK(told_of(w.reasons(), {"cut from entry 3 on"}));
  }
  SECTION("a segment begins elsewhere than the one before ended") {
    w.d1.stand(s1, {}, {Index(2), Term(1)});
    w.flush(w.d1, true);
    CHECK(told_of(w.reasons(), {"said to go from entry 0 to entry 2", "goes from entry 0 to entry 3"}));
  }
}

TEST_CASE("O-R4 catches a replica that comes back without what damage took and does not know it") {
  World w;
  w.d3.cut(s1, 2);
  w.d3.cut(s1, 1);  // nodes 1 and 2 hold the entries alone
  w.flush(w.d3);
  REQUIRE(w.reasons().empty());
  const bool announced = GENERATE(true, false);
  const auto damaged = [&] {
    if (announced) w.oracle.on_damaged({}, n1, w.d1.segment_name());
  };
  damaged();
  w.d1.segment().resize(4096 * 3);  // entry 3 and, with the frame that marks it, the rest
  w.d1.begin_anew();
  w.d1.write_ballot(s1, 1, nobody, true);
  w.oracle.on_crash({}, n1);
  damaged();
  w.d1.show_all(w.oracle);
  w.oracle.on_restart({}, n1);
  if (!announced) {
    CHECK(told_of(w.reasons(), {"s1 entry 1 of term 1", "node 1 crashed", "durable on 1 of 3 disks"}));
    return;
  }
  REQUIRE(w.reasons().empty());
  w.trace(n1, TraceKind::recovered, 1);
  SECTION("uncertain: it may") { CHECK(w.story.end().empty()); }
  SECTION("certain too early") {
    w.d1.vote(w.oracle, s1, 1, nobody);
    CHECK(told_of(w.story.end(), {"s1 entry 1 of term 1", "durable on 1 of 3 disks"}));
  }
  SECTION("certain, and supplied again") {
    for (std::uint64_t i = 1; i <= 3; ++i) w.d1.append(s1, i, 1, bytes);
    w.flush(w.d1);
    w.d1.vote(w.oracle, s1, 1, nobody);
    CHECK(w.story.end().empty());
  }
  SECTION("nobody has a whole copy left") {
    w.oracle.on_damaged({}, n2, w.d2.segment_name());
    w.d2.segment().resize(4096);
    w.oracle.on_crash({}, n2);
    w.oracle.on_damaged({}, n2, w.d2.segment_name());
    w.d2.show_all(w.oracle);
    w.oracle.on_restart({}, n2);
    CHECK(told_of(w.reasons(), {"s1 entry 1 of term 1", "durable on 0 of 3 disks", "(damaged)"}));
  }
}

TEST_CASE("O-R4 reads on where the stream began before, when the only copy that said otherwise is lost") {
  World w;
  w.d3.cut(s1, 2);
  w.d3.cut(s1, 1);  // nodes 1 and 2 hold the entries alone
  w.flush(w.d3);
  const ShownDisk before = w.d1;
  w.oracle.on_damaged({}, n1, w.d1.segment_name());
  w.oracle.on_crash({}, n1);
  w.d1.begin_anew();  // as if entries had been lost: a read had gone astray
  w.oracle.on_damaged({}, n1, "hard-state");
  w.d1.show_all(w.oracle);
  w.oracle.on_restart({}, n1);
  const bool taken_back = GENERATE(true, false);
  if (taken_back) before.show(w.oracle, "hard-state");
  w.trace(n1, TraceKind::recovered, 1);
  if (taken_back) {
    CHECK(w.story.end().empty());
  } else {
    CHECK(told_of(w.story.end(), {"s1 entry 1 of term 1", "durable on 1 of 3 disks"}));
  }
}

TEST_CASE("O-R4 reads anew what a node has cut while it opened its disk: another frame stands there now") {
  World w;
  ShownDisk cut = w.d1;
  w.d1.store(w.oracle, s1, 4, 1, bytes);
  for (const std::uint64_t i : {4, 5}) w.d2.store(w.oracle, s1, i, 1, bytes);
  w.oracle.on_damaged({}, n1, w.d1.segment_name());  // a read will go astray
  w.oracle.on_crash({}, n1);
  w.oracle.on_damaged({}, n1, w.d1.segment_name());
  w.d1.show_all(w.oracle);
  w.oracle.on_restart({}, n1);
  cut.show(w.oracle, cut.segment_name());
  w.trace(n1, TraceKind::recovered, 1);
  for (const std::uint64_t i : {4, 5}) cut.append(s1, i, 1, bytes);
  w.flush(cut);
  w.commit(4, 1);
  w.commit(5, 1);
  CHECK(w.story.end().empty());
}

TEST_CASE("O-R4 counts what a damaged disk believes to hold, but one whole copy there must be") {
  World w;
  for (std::uint64_t i = 1; i <= 4; ++i) w.trace(n2, TraceKind::appended, 1, i, 7);
  w.oracle.on_damaged({}, n2, w.d2.segment_name());  // its newest write landed elsewhere
  SECTION("the leader has it") {
    w.d2.show(w.oracle, w.d2.segment_name());
    w.d1.store(w.oracle, s1, 4, 1, bytes);
    w.commit(4, 1);
    CHECK(w.story.end().empty());
  }
  SECTION("and the other hears only after a crash that it was acknowledged") {
    w.d2.show(w.oracle, w.d2.segment_name());
    w.d2.crash(w.oracle);
    w.d1.store(w.oracle, s1, 4, 1, bytes);
    w.commit(4, 1);
    CHECK(w.story.end().empty());
  }
  SECTION("its disk has not said so yet") {
    w.d1.store(w.oracle, s1, 4, 1, bytes);
    w.commit(4, 1);
    CHECK(told_of(w.story.end(), {"s1 entry 4", "durable on 1 of 3 disks"}));
  }
  SECTION("nobody has it") {
    w.d2.show(w.oracle, w.d2.segment_name());
    w.commit(4, 1);
    CHECK(told_of(w.story.end(), {"s1 entry 4", "durable on 0 of 3 disks"}));
  }
}

TEST_CASE("O-R4 takes no hard state that a fault has changed for the node's word") {
  World w;
  w.d1.vote(w.oracle, s1, 4, n2);
  const bool announced = GENERATE(true, false);
  for (std::byte& byte : w.d1.files()["hard-state"]) byte ^= std::byte{1};
  if (announced) w.oracle.on_damaged({}, n1, "hard-state");
  w.show_ballots(w.d1);
  REQUIRE(w.reasons().size() == (announced ? 0 : 1));
  if (!announced) return;
  w.d1.write_ballot(s1, 5, n3);  // one copy is mended, the other one still bad
  w.d1.files()["hard-state"][4096 + 9] ^= std::byte{1};
  w.oracle.on_damaged({}, n1, "hard-state");
  w.show_ballots(w.d1);
  w.d1.append(s1, 4, 5, bytes);
  w.flush(w.d1);
  CHECK(w.reasons().empty());
  w.d1.vote(w.oracle, s1, 4, n2);
  CHECK(told_of(w.reasons(), {"vote for node 3 in term 5 was durable", "node 2 in term 4"}));
}

TEST_CASE("O-R4 counts what a disk held when it was damaged, though it commits later") {
  World w;
  for (ShownDisk* disk : {&w.d1, &w.d2}) disk->store(w.oracle, s1, 4, 1, bytes);
  const bool announced = GENERATE(true, false);
  if (announced) w.oracle.on_damaged({}, n2, w.d2.segment_name());
  w.d2.segment().resize(4096 * 2);
  w.d2.show(w.oracle, w.d2.segment_name());
  w.oracle.on_crash({}, n2);
  if (announced) w.oracle.on_damaged({}, n2, w.d2.segment_name());
  w.d2.show_all(w.oracle);
  w.commit(4, 1);
  CHECK(w.story.end().empty() == announced);
}

TEST_CASE("O-R4 lets a start lose the newer of two hard states, but nothing that both have held") {
  World w;
  w.d1.vote(w.oracle, s1, 4, n2);
  Bytes& file = w.d1.files()["hard-state"];
  const Bytes older = file;
  w.d1.write_ballot(s1, 5, n3);
  const auto start = [&] {
    w.d1.crash(w.oracle);
    w.oracle.on_damaged({}, n1, "hard-state");  // it reads the first copy wrong, and mends it after the second
  };
  const auto mend = [&] {
    file = older;
    w.show_ballots(w.d1);
    w.show_ballots(w.d1);  // it is two writes
  };
  const auto first_only = [&] { std::copy(older.begin() + 4096, older.end(), file.begin() + 4096); };
  SECTION("the second one was not written yet") {
    first_only();
    w.show_ballots(w.d1);
    start();
    mend();
    CHECK(w.reasons().empty());
  }
  SECTION("nothing was read wrong") {
    first_only();
    w.show_ballots(w.d1);
    w.d1.crash(w.oracle);
    mend();
    CHECK(told_of(w.reasons(), {"vote for node 3 in term 5 was durable", "node 2 in term 4"}));
  }
  SECTION("both were written") {
    w.show_ballots(w.d1);
    start();
    mend();
    CHECK(told_of(w.reasons(), {"vote for node 3 in term 5 was durable", "node 2 in term 4"}));
  }
  SECTION("it had started already") {
    first_only();
    w.show_ballots(w.d1);
    start();
    w.trace(n1, TraceKind::recovered, 5);
    w.show_ballots(w.d1);
    mend();
    CHECK(told_of(w.reasons(), {"vote for node 3 in term 5 was durable", "node 2 in term 4"}));
  }
}

TEST_CASE("O-R4 reads on behind a segment whose header was mended") {
  World w;
  for (const std::uint64_t i : {4u, 5u}) {
    w.d1.append(s1, i, 1, bytes);
    w.flush(w.d1, true);
    w.d2.store(w.oracle, s1, i, 1, bytes);
    w.commit(i, 1);
  }
  const bool mended = GENERATE(true, false);
  std::byte& header = w.d1.files()["stream-000002"][20];
  header ^= std::byte{1};
  w.oracle.on_damaged({}, n1, "stream-000002");
  w.d1.crash(w.oracle);
  REQUIRE(w.reasons().empty());
  header ^= std::byte{1};
  if (mended) w.d1.show(w.oracle, "stream-000002");  // and segment 3 stays as it was
  w.trace(n1, TraceKind::recovered, 1);
  CHECK(w.story.end().empty() == mended);
}

TEST_CASE("O-R4 waits for a replica whose snapshot was damaged until it takes part with a whole one") {
  World w;
  const SealedDraft two = World::snapshot(2);
  w.d1.publish(w.oracle, two);
  w.d1.restore(s1, 2, 1, true);
  w.flush(w.d1);
  const auto drop = [&] {
    w.d1.files().erase(two.file());
    w.oracle.on_durable({}, n1, two.file(), {});
  };
  const auto start = [&] {
    w.d1.crash(w.oracle);
    w.trace(n1, TraceKind::recovered, 1, 2, 1);
  };
  const bool announced = GENERATE(true, false);
  if (announced) w.oracle.on_damaged({}, n1, two.file());
  drop();
  start();
  start();  // nobody has helped it yet
  REQUIRE(w.reasons().empty() == announced);
  if (!announced) return;
  SECTION("it is still asleep in the end") { CHECK(w.story.end().empty()); }
  SECTION("it was supplied") {
    w.d1.publish(w.oracle, two);
    w.trace(n1, TraceKind::became_follower, 1, 3);
    drop();
    start();
    CHECK(told_of(w.reasons(), {"node 1", "s1 begins behind entry 2", "no whole snapshot is there"}));
  }
}

TEST_CASE("O-R4 forgives what went with an emptied disk, but not the next one's") {
  World w;
  w.oracle.on_disk_emptied({}, n2);
  w.oracle.on_crash({}, n2);
  REQUIRE(w.story.end().empty());
  w.d3.segment().resize(4096);
  w.d3.crash(w.oracle);
  CHECK(w.reasons().empty());  // node 2's place stays empty: it counts as holding what it held
  w.d1.segment().resize(4096);
  w.d1.crash(w.oracle);
  CHECK(told_of(w.reasons(), {"durable on 0 of 3 disks"}));
}

TEST_CASE("O-R4 catches a commit without a majority of both halves of a joint configuration (thesis section 4.3)") {
  World w;
  ShownDisk d4(n4);
  ShownDisk d5(n5);
  for (ShownDisk* disk : {&d4, &d5}) {
    for (std::uint64_t i = 1; i <= 3; ++i) disk->store(w.oracle, s1, i, 1, bytes);
  }
  for (std::uint64_t i = 1; i <= 3; ++i) w.trace(n1, TraceKind::appended, 1, i, 7);
  const std::uint64_t old_half = 1u << 1 | 1u << 2 | 1u << 3;
  const std::uint64_t new_half = 1u << 3 | 1u << 4 | 1u << 5;
  w.trace(n1, TraceKind::appended, 1, 4, 8);
  w.trace(n1, TraceKind::configuration_changed, 1, 4, new_half, old_half);
  const auto store = [&](std::initializer_list<ShownDisk*> disks) {
    for (ShownDisk* disk : disks) disk->store(w.oracle, s1, 4, 1, bytes);
  };
  const auto commit = [&] {
    w.trace(n1, TraceKind::committed, 1, 4, 3);
    w.commit(4, 1);
    return w.story.end();
  };
  SECTION("the new half only") {
    store({&w.d3, &d4, &d5});
    CHECK(told_of(commit(), {"s1 entry 4", "durable on 3 of 5 disks"}));
  }
  SECTION("the old half only") {
    store({&w.d1, &w.d2, &w.d3});
    CHECK(told_of(commit(), {"s1 entry 4", "durable on 3 of 5 disks"}));
  }
  SECTION("both") {
    store({&w.d1, &w.d3, &d4});
    CHECK(commit().empty());
  }
  SECTION("the old configuration decided, just before the new one was appended") {
    World early;
    for (std::uint64_t i = 1; i <= 4; ++i) early.trace(n1, TraceKind::appended, 1, i, 7);
    for (ShownDisk* disk : {&early.d1, &early.d2}) disk->store(early.oracle, s1, 4, 1, bytes);
    early.trace(n1, TraceKind::committed, 1, 4, 3);
    early.trace(n1, TraceKind::appended, 1, 5, 8);
    early.trace(n1, TraceKind::configuration_changed, 1, 5, new_half, old_half);
    early.commit(4, 1);
    CHECK(early.story.end().empty());
  }
  SECTION("votes of the new half only") {
    for (ShownDisk* disk : {&w.d3, &d4, &d5}) disk->vote(w.oracle, s1, 2, n1);
    w.trace(n1, TraceKind::became_leader, 2);
    CHECK(told_of(w.reasons(), {"node 1 leads s1 in term 2", "{3,4,5}", "no quorum of {3,4,5} joint with {1,2,3}"}));
  }
}
