#include "core/node/seen_once.h"

#include <catch2/catch.hpp>

#include "tests/core/node/two_leaders.h"

namespace coffer::node {
namespace {

TEST_CASE("a number is new once for each sender") {
  SeenOnce seen(10);
  REQUIRE(seen.first_time(1, 5));
  REQUIRE_FALSE(seen.first_time(1, 5));
  REQUIRE(seen.first_time(2, 5));
  REQUIRE(seen.first_time(1, 6));
  REQUIRE_FALSE(seen.first_time(2, 5));
}

TEST_CASE("only the latest numbers are remembered") {
  SeenOnce seen(3);
  for (std::uint64_t number = 1; number <= 4; ++number) REQUIRE(seen.first_time(1, number));
  REQUIRE_FALSE(seen.first_time(1, 2));
  REQUIRE_FALSE(seen.first_time(1, 4));
  REQUIRE(seen.first_time(1, 1));
}

TEST_CASE("a forwarded request that a link delivers again does not turn a refusal into a success (design 8)") {
  Cluster cluster(1);
  REQUIRE(cluster.run_until_led());
  const NodeId leader = cluster.leader(first);
  const NodeId proxy = other_than(cluster, {leader});
  cluster.record_frames(1000);
  REQUIRE(result_of(cluster.call(proxy, deposit(1, "alice", 5))).outcome == Outcome::account_not_found);
  REQUIRE(cluster.call(proxy, opening("alice")).status == Outcome::success);
  const std::vector<Bytes> frames = cluster.recorded();
  REQUIRE(frames.size() > 1);
  for (const Bytes& frame : frames) cluster.inject(proxy, leader, frame);
  cluster.run(seconds(1));
  REQUIRE(cluster.call(proxy, transfer_status(1, "alice")).status == Outcome::transfer_not_found);
  REQUIRE(balance_of(cluster.call(proxy, balance("alice"))) == 0);
}

}  // namespace
}  // namespace coffer::node
