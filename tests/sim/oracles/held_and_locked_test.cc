// What oracles say of a replica's derived state, what is held and what is locked, which no export shows.
#include <algorithm>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/sim/oracles/story.h"

using namespace coffer;
using namespace coffer::sim;
using namespace coffer::sim::oracles;

TEST_CASE("O-E1 and O-E2 follow what is held and locked through every phase, as it was at each entry") {
  const std::string oracle = GENERATE(as<std::string>{}, "O-E1", "O-E2");
  Story story(oracle);
  story.asks_by = ledger::Protocol::two_phase_commit;
  story.set_up();
  std::vector<shard::Observation> seen;
  const auto look = [&] {
    for (const ShardId shard : {s1, s2}) {
      seen.push_back(story.replica(shard));
      story.oracle().on_replica({}, n2, seen.back());
      story.oracle().on_replica_undone({}, n3, seen.back(), 1);
    }
  };
  look();
  story.place_hold(20, 400);
  look();
  LegPlan plan = story.try_across(3, 40);
  look();
  story.receive_try(plan, Outcome::success);
  look();
  story.begin_second(plan, Outcome::success);
  look();
  story.receive_second(plan, ledger::SecondPhase::commit);
  story.void_hold(0, 20);
  look();
  const auto is_locked = [](const shard::Observation& replica) { return replica.pockets[2].locked; };
  CHECK(std::count_if(seen.begin(), seen.end(), is_locked) == 4);  // a twice, b twice
  for (const shard::Observation& old : seen) {                     // the same, when more has committed
    story.oracle().on_replica({}, n2, old);
    story.oracle().on_replica_undone({}, n3, old, 1);
  }
  REQUIRE(story.reasons().empty());
  for (shard::Observation old : seen) {
    old.pockets[2].locked = !old.pockets[2].locked;
    const std::size_t before = story.reasons().size();
    story.oracle().on_replica({}, n2, old);
    story.oracle().on_replica_undone({}, n3, old, 1);
    CHECK(story.reasons().size() == before + 1);
  }
}
