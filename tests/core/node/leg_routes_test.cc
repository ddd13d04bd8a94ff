#include "core/node/leg_routes.h"

#include <catch2/catch.hpp>

namespace coffer::node {
namespace {

constexpr ShardId s1{1};
constexpr ShardId s2{2};
const std::vector<NodeId> nodes = {NodeId(2), NodeId(3), NodeId(4), NodeId(5)};

TEST_CASE("while nobody answers, legs go to all other nodes in turn, for each target on its own") {
  LegRoutes routes(NodeId(4), milliseconds(100));
  Instant now = Instant{} + seconds(1);
  for (const std::uint32_t expected : {2, 3, 5, 2}) {
    CHECK(routes.next(now, s1, nodes) == NodeId(expected));
    CHECK(routes.next(now + milliseconds(99), s1, nodes) == NodeId(expected));  // it may still answer
    now = now + milliseconds(100);
  }
  CHECK(routes.next(now, s2, nodes) == NodeId(2));
}

TEST_CASE("who answered gets the legs that follow, however late, until it does not answer any more") {
  LegRoutes routes(NodeId(4), milliseconds(100));
  Instant now = Instant{} + seconds(1);
  routes.answered(now, s1, NodeId(3));
  CHECK(routes.next(now + milliseconds(99), s1, nodes) == NodeId(3));
  now = now + seconds(5);
  for (const std::uint32_t expected : {3, 5, 2, 3}) {
    CHECK(routes.next(now, s1, nodes) == NodeId(expected));
    now = now + milliseconds(100);
  }
}

}  // namespace
}  // namespace coffer::node
