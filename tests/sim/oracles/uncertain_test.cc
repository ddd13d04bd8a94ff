// O-R2 on replicas whose disks may have lost something: what they may do, and until when.
#include <algorithm>
#include <memory>

#include <catch2/catch.hpp>

#include "tests/sim/oracles/caught.h"
#include "tests/sim/oracles/story.h"

namespace coffer::sim::oracles {

std::unique_ptr<Oracle> make_persistence(const Topology& topology);

namespace {

TraceEvent traced(TraceKind kind, std::uint64_t term, std::uint64_t index = 0, std::uint64_t a = 0) {
  TraceEvent event;
  event.kind = kind;
  event.shard = s1;
  event.term = Term(term);
  event.index = Index(index);
  event.a = a;
  return event;
}

TEST_CASE("O-R2 believes what has settled, though the hard state that says so was not synced") {
  Story story("O-R2");
  Oracle& oracle = story.oracle();
  ShownDisk disk(n1);
  const auto show_uncertain = [&] {
    disk.write_ballot(s1, 3, nobody, true);
    disk.show(oracle, "hard-state");
  };
  oracle.on_trace({}, n1, traced(TraceKind::recovered, 3));
  oracle.on_crash({}, n1);
  oracle.on_restart({}, n1);
  oracle.on_trace({}, n1, traced(TraceKind::tail_uncertain, 0));
  show_uncertain();
  oracle.on_trace({}, n1, traced(TraceKind::recovered, 3));
  SECTION("it votes on, unless it was bound only") {
    const bool settled = GENERATE(true, false);
    oracle.on_trace({}, n1, traced(settled ? TraceKind::recovery_settled : TraceKind::recovery_bound, 3, 3, 1));
    oracle.on_crash({}, n1);
    show_uncertain();
    oracle.on_restart({}, n1);
    oracle.on_trace({}, n1, traced(TraceKind::recovered, 3));
    oracle.on_trace({}, n1, traced(TraceKind::voted, 4, 0, 2));
    CHECK(story.end().empty() == settled);
  }
  SECTION("until a hard state that tells of new damage is durable") {
    const bool durable = GENERATE(true, false);
    oracle.on_trace({}, n1, traced(TraceKind::recovery_settled, 3, 3, 1));
    oracle.on_crash({}, n1);
    oracle.on_restart({}, n1);
    oracle.on_trace({}, n1, traced(TraceKind::quarantined, 0));
    if (durable) show_uncertain();
    oracle.on_crash({}, n1);
    oracle.on_restart({}, n1);
    oracle.on_trace({}, n1, traced(TraceKind::recovered, 3));
    oracle.on_trace({}, n1, traced(TraceKind::voted, 4, 0, 2));
    CHECK(story.end().empty() != durable);
  }
}

/// Entry 1 became durable; then a tail in doubt was found, and as many copies of the hard state as given say so.
void doubt_told_in(int copies, Oracle& oracle) {
  ShownDisk disk(n1);
  disk.write_ballot(s1, 3, nobody);
  disk.show(oracle, "hard-state");
  oracle.on_trace({}, n1, traced(TraceKind::recovered, 3, 0, 1));
  oracle.on_crash({}, n1);
  oracle.on_restart({}, n1);
  oracle.on_trace({}, n1, traced(TraceKind::tail_uncertain, 0));
  const Bytes before = disk.files()["hard-state"];
  disk.write_ballot(s1, 3, nobody, true);
  Bytes& file = disk.files()["hard-state"];
  if (copies < 2) std::copy(before.begin() + 4096, before.end(), file.begin() + 4096);
  if (copies < 1) file = before;
  disk.show(oracle, "hard-state");
}

TEST_CASE("O-R2 lets a start lose a doubt that one copy of the hard state knows of, while nothing has been cut (U1)") {
  Story story("O-R2");
  Oracle& oracle = story.oracle();
  const int copies = GENERATE(0, 1, 2);
  doubt_told_in(copies, oracle);
  oracle.on_crash({}, n1);
  oracle.on_restart({}, n1);
  SECTION("it votes with all it had") {
    oracle.on_trace({}, n1, traced(TraceKind::recovered, 3, 0, 1));
    oracle.on_trace({}, n1, traced(TraceKind::voted, 4, 0, 2));
    CHECK(story.end().empty() == (copies < 2));
  }
  SECTION("it has less only when both copies knew") {
    oracle.on_trace({}, n1, traced(TraceKind::recovered, 3, 0, 0));
    CHECK(story.end().empty() == (copies == 2));
  }
}

TEST_CASE("O-R2 believes a doubt that the process before wrote and the next one makes durable") {
  Story story("O-R2");
  Oracle& oracle = story.oracle();
  doubt_told_in(0, oracle);
  oracle.on_crash({}, n1);
  oracle.on_restart({}, n1);
  ShownDisk disk(n1);
  disk.write_ballot(s1, 3, nobody, true);
  const bool known = GENERATE(true, false);
  if (known) disk.show(oracle, "hard-state");
  oracle.on_trace({}, n1, traced(TraceKind::recovered, 3, 0, 0));
  if (!known) disk.show(oracle, "hard-state");
  CHECK(story.reasons().empty() == known);
  if (!known) return;
  oracle.on_trace({}, n1, traced(TraceKind::voted, 4, 0, 2));
  CHECK(told_of(story.end(), {"node 1 may have lost acknowledged entries of s1"}));
}

TEST_CASE("O-R2 catches a leader made by a bound vote that does not cover its floor (R27)") {
  Story story("O-R2");
  Oracle& oracle = story.oracle();
  const std::uint64_t floor = GENERATE(2, 3);
  for (std::uint64_t i = 1; i <= 2; ++i) oracle.on_trace({}, n2, traced(TraceKind::appended, 1, i, 10 + i));
  oracle.on_trace({}, n1, traced(TraceKind::tail_uncertain, 0));
  oracle.on_trace({}, n1, traced(TraceKind::recovered, 1));
  oracle.on_trace({}, n1, traced(TraceKind::recovery_bound, 1, floor));
  oracle.on_trace({}, n2, traced(TraceKind::became_candidate, 2, 2));
  oracle.on_trace({}, n1, traced(TraceKind::became_follower, 2));
  oracle.on_trace({}, n1, traced(TraceKind::voted, 2, 0, 2));
  REQUIRE(story.reasons().empty());
  oracle.on_trace({}, n2, traced(TraceKind::became_leader, 2, 2, 2));
  if (floor == 2) {
    CHECK(story.end().empty());
  } else {
    CHECK(told_of(story.reasons(), {"node 2 leads s1 in term 2", "ends at entry 2 of term 1", "vote of node 1"}));
  }
}

TEST_CASE("O-R2 forgets what recovery found when that begins again for lack of space") {
  Story story("O-R2");
  Oracle& oracle = story.oracle();
  oracle.on_restart({}, n1);
  oracle.on_trace({}, n1, traced(TraceKind::tail_uncertain, 0));
  const bool begun_again = GENERATE(true, false);
  if (begun_again) oracle.on_trace({}, n1, traced(TraceKind::space_refused, 0));
  oracle.on_trace({}, n1, traced(TraceKind::recovered, 3));
  if (!begun_again) oracle.on_trace({}, n1, traced(TraceKind::space_refused, 0));
  oracle.on_trace({}, n1, traced(TraceKind::voted, 4, 0, 2));
  CHECK(story.end().empty() == begun_again);
}

TEST_CASE("O-R2 lets one voter alone forget a term in which it has told nothing") {
  const bool alone = GENERATE(true, false);
  const std::unique_ptr<Oracle> oracle =
      make_persistence(alone ? Topology{1, 1, {{n1}}, {}, {}} : Topology{2, 1, {{n1, n2}}, {}, {}});
  for (const NodeId node : {n1, n2}) {
    if (alone && node == n2) break;
    oracle->on_trace({}, node, traced(node == n1 ? TraceKind::became_candidate : TraceKind::voted, 2, 0, 1));
  }
  oracle->on_trace({}, n1, traced(TraceKind::became_leader, 2));
  oracle->on_crash({}, n1);
  oracle->on_restart({}, n1);
  oracle->on_trace({}, n1, traced(TraceKind::recovered, 1));
  CHECK(oracle->violations().empty() == alone);
}

}  // namespace
}  // namespace coffer::sim::oracles
