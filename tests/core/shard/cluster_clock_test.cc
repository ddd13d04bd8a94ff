#include "core/shard/cluster_clock.h"

#include <vector>

#include <catch2/catch.hpp>
#include <rapidcheck.h>

namespace coffer::shard {
namespace {

const std::vector<NodeId> three{NodeId(1), NodeId(2), NodeId(3)};

Now now_at(std::int64_t monotonic_ms, std::int64_t wall_ms, std::int64_t error_ms) {
  return {{monotonic_ms * 1'000'000}, {wall_ms * 1'000'000}, milliseconds(error_ms)};
}

/// Node `peer` said `wall_ms` within `error_ms` between these instants of node 1.
void sample(ClusterClock& clock, std::uint32_t peer, std::int64_t sent_ms, std::int64_t received_ms,
            std::int64_t wall_ms, std::int64_t error_ms) {
  clock.sampled(NodeId(peer), {sent_ms * 1'000'000}, {received_ms * 1'000'000}, {wall_ms * 1'000'000},
                milliseconds(error_ms));
}

TEST_CASE("a clock alone in a group of one is the cluster's") {
  const ClusterClock clock{NodeId(1)};
  CHECK(clock.time(std::vector{NodeId(1)}, now_at(5, 1000, 10)) == WallTime{1'000'000'000});
}

TEST_CASE("without answers from a majority there is no cluster time") {
  ClusterClock clock{NodeId(1)};
  CHECK_FALSE(clock.time(three, now_at(5, 1000, 10)));
  sample(clock, 2, 0, 2, 1000, 1);
  CHECK(clock.time(three, now_at(5, 1000, 10)));
}

TEST_CASE("the own clock is used while it lies within the interval of the majority") {
  ClusterClock clock{NodeId(1)};
  sample(clock, 2, 0, 2, 1000, 5);
  CHECK(clock.time(three, now_at(2, 1003, 5)) == WallTime{1'003'000'000});
}

TEST_CASE("a clock outside the interval of the majority uses its nearer edge") {
  ClusterClock clock{NodeId(1)};
  sample(clock, 2, 0, 0, 1000, 5);
  sample(clock, 3, 0, 0, 1002, 5);
  const std::optional<WallTime> ahead = clock.time(three, now_at(0, 900'000, 1));
  REQUIRE(ahead);
  CHECK(ahead->nanos >= 1'005'000'000);
  CHECK(ahead->nanos < 1'006'000'000);
  const std::optional<WallTime> behind = clock.time(three, now_at(0, 1, 1));
  REQUIRE(behind);
  CHECK(behind->nanos <= 997'000'000);
  CHECK(behind->nanos > 996'000'000);
}

TEST_CASE("clocks that agree with nobody leave the group without cluster time") {
  ClusterClock clock{NodeId(1)};
  sample(clock, 2, 0, 0, 5000, 1);
  sample(clock, 3, 0, 0, 9000, 1);
  CHECK_FALSE(clock.time(three, now_at(0, 1000, 1)));
}

TEST_CASE("an answer ages: it says less and less, and in the end nothing") {
  ClusterClock clock{NodeId(1)};
  sample(clock, 2, 0, 10, 1000, 1);
  const auto young = clock.agreed(three, now_at(10, 1000, 100'000));
  const auto old = clock.agreed(three, now_at(20'000, 21'000, 100'000));
  REQUIRE(young);
  REQUIRE(old);
  CHECK(old->latest.nanos - old->earliest.nanos > young->latest.nanos - young->earliest.nanos);
  CHECK_FALSE(clock.agreed(three, now_at(31'000, 32'000, 100'000)));
}

TEST_CASE("absurd answers are ignored") {
  ClusterClock clock{NodeId(1)};
  sample(clock, 2, 5, 4, 1000, 1);
  sample(clock, 3, 0, 1, 1000, -1);
  CHECK_FALSE(clock.agreed(three, now_at(5, 1000, 1)));
  clock.sampled(NodeId(2), {0}, {0}, {INT64_MAX}, {0});
  clock.sampled(NodeId(3), {0}, {0}, {0}, {INT64_MAX});  // right, whatever the time is
  CHECK(clock.time(three, now_at(5, 1000, 1)) == WallTime{1'000'000'000});
}

TEST_CASE("property: while a majority tells the truth, cluster time is true within that majority's errors") {
  CHECK(rc::check("cluster time is true", [] {
    const std::int64_t truth = 1'700'000'000'000'000'000;
    const std::int64_t error = *rc::gen::inRange<std::int64_t>(0, 50'000'000);
    const auto off = [&] { return *rc::gen::inRange<std::int64_t>(-error, error + 1); };
    const std::int64_t round_trip = *rc::gen::inRange<std::int64_t>(0, 20'000'000);
    const std::int64_t later = *rc::gen::inRange<std::int64_t>(0, 5'000'000'000);
    const int liar = *rc::gen::inRange(1, 4);
    const auto lie = [&] { return *rc::gen::arbitrary<std::int64_t>(); };
    ClusterClock clock{NodeId(1)};
    for (const std::uint32_t peer : {2u, 3u}) {
      const std::int64_t at = *rc::gen::inRange<std::int64_t>(0, round_trip + 1);
      const std::int64_t wall = static_cast<std::uint32_t>(liar) == peer ? lie() : truth + at + off();
      clock.sampled(NodeId(peer), {0}, {round_trip}, {wall}, {error});
    }
    const std::int64_t elapsed = round_trip + later;
    const std::int64_t own = liar == 1 ? lie() : truth + elapsed + off();
    const std::optional<WallTime> time = clock.time(three, {{elapsed}, {own}, {error}});
    RC_ASSERT(time.has_value());
    // Two honest intervals overlap and hold the truth; the answer lies in one of at most twice their width.
    const std::int64_t width = 2 * error + round_trip + elapsed / 1000 + 2;
    RC_ASSERT(time->nanos - (truth + elapsed) <= width);
    RC_ASSERT(truth + elapsed - time->nanos <= width);
  }));
}

}  // namespace
}  // namespace coffer::shard
