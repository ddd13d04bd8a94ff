// Properties of the router against a cluster that knows the truth.
#include <catch2/catch.hpp>
#include <rapidcheck.h>

#include "tests/core/router/fake_cluster.h"

namespace coffer::router {
namespace {

TEST_CASE("property: what is told is true, once and in time, whatever the cluster does (api: outcomes)") {
  REQUIRE(rc::check("told == truth, or unknown", [] {
    FakeWorld world;
    world.mode = *rc::gen::element(Mode::to_leaders, Mode::to_proxies);
    world.loss_per_mille = *rc::gen::inRange(0u, 500u);
    world.trouble_per_mille = *rc::gen::inRange(0u, 500u);
    world.delay_ms_max = *rc::gen::inRange<std::int64_t>(1, 3000);
    const auto first = *rc::gen::arbitrary<std::uint32_t>();
    for (std::uint32_t seed = first; seed - first < 20; ++seed) {
      world.seed = seed;
      FakeSightings seen;
      RC_LOG() << "seed " << seed;
      RC_ASSERT(FakeCluster(world).run(seen) == "");
    }
  }));
}

TEST_CASE("the fake cluster reaches every situation worth having (simulator: sometimes)") {
  for (const Mode mode : {Mode::to_leaders, Mode::to_proxies}) {
    FakeSightings seen;
    for (std::uint64_t seed = 1; seed <= 600; ++seed) {
      FakeWorld world;
      world.seed = seed;
      world.mode = mode;
      world.delay_ms_max = seed % 3 == 0 ? 5 : seed % 3 == 1 ? 200 : 1500;
      world.loss_per_mille = seed % 2 == 0 ? 0 : 100;
      INFO(seed);
      REQUIRE(FakeCluster(world).run(seen) == "");
    }
    CHECK(seen.succeeded > 100);
    CHECK(seen.refused > 10);
    CHECK(seen.not_executed > 10);
    CHECK(seen.unknown_done > 10);
    CHECK(seen.unknown_not_done > 10);
    CHECK(seen.account_not_found > 10);
    CHECK(seen.withheld > 10);
    CHECK(seen.retried > 100);
  }
}

TEST_CASE(
    "a quiet cluster leaves next to nothing unknown: only what a broken link or a short patience cuts off (design "
    "§8)") {
  FakeSightings seen;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    FakeWorld world;
    world.seed = seed;
    world.loss_per_mille = 0;
    world.trouble_per_mille = 0;
    world.delay_ms_max = 1;
    REQUIRE(FakeCluster(world).run(seen) == "");
  }
  CHECK(seen.succeeded > 500);
  CHECK(seen.unknown_done + seen.unknown_not_done < 50);
}

}  // namespace
}  // namespace coffer::router
