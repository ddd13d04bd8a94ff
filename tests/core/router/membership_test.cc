#include <catch2/catch.hpp>

#include "core/router/targets.h"
#include "tests/core/router/router_bench.h"

namespace coffer::router {
namespace {

Bytes reconfigure(ShardId shard) {
  return Bench::request(RequestKind::reconfigure, ReconfigureRequest{{n1, n2}}, shard, 3000);
}

TEST_CASE("a membership request goes to the leader of its shard and comes back as it was told (design §8)") {
  Bench bench;
  bench.router.hint(s2, n3);
  bench.submit(reconfigure(s2));
  const auto attempt = bench.attempt();
  CHECK(attempt.to == n3);
  CHECK(header_of(attempt).route == Route::direct);
  CHECK(header_of(attempt).shard == s2);
  bench.say_success(attempt, RequestKind::reconfigure, ReconfigureReply{true});
  CHECK(std::get<ReconfigureReply>(bench.told().body).finished);
}

TEST_CASE("a membership request follows hints like any other (design §8)") {
  Bench bench;
  bench.submit(Bench::request(RequestKind::transfer_leadership, TransferLeadershipRequest{n2}, s1));
  const auto first = bench.attempt();
  const NodeId leader = first.to == n1 ? n2 : n1;
  bench.say_status(first, Outcome::not_leader, leader, RequestKind::transfer_leadership);
  const auto second = bench.attempt();
  CHECK(second.to == leader);
  bench.say_success(second, RequestKind::transfer_leadership, TransferLeadershipReply{false});
  CHECK_FALSE(std::get<TransferLeadershipReply>(bench.told().body).finished);
}

TEST_CASE("a change under way is told at once: only the operator can judge it") {
  Bench bench;
  bench.submit(reconfigure(s1));
  bench.say_status(bench.attempt(), Outcome::change_under_way, nobody, RequestKind::reconfigure);
  CHECK(bench.told().status == Outcome::change_under_way);
}

TEST_CASE("a membership request whose attempt was cut off and never answered is unknown, not refused (api: outcomes)") {
  Bench bench;
  bench.submit(reconfigure(s1));
  bench.pass(milliseconds(3500));
  CHECK(bench.told().status == Outcome::unknown);
}

TEST_CASE("a membership request for a shard nobody has is malformed") {
  Bench bench;
  bench.submit(reconfigure(ShardId{9}));
  CHECK(bench.told().status == Outcome::malformed);
}

TEST_CASE("a node that joined is asked in turn, and is believed in as a leader (design §8)") {
  Bench bench;
  const NodeId joined{4};
  bench.router.hint(s1, joined);
  bench.submit(Bench::transfer());
  CHECK(bench.attempt().to != joined);
  bench.router.meet(joined);
  bench.router.meet(joined);
  bench.router.hint(s1, joined);
  bench.submit(Bench::transfer(), 2);
  CHECK(bench.attempt().to == joined);
}

TEST_CASE("in whatever order nodes are met, rotation visits each of them") {
  for (const std::uint32_t number : {1u, 3u, 9u}) {
    Targets targets({NodeId{2}, NodeId{5}, NodeId{7}}, {s1}, 1);
    targets.lost(NodeId{5}, Instant{100});
    targets.meet(NodeId{number});
    CHECK(targets.is_node(NodeId{number}));
    CHECK(targets.is_lost(NodeId{5}, Instant{50}));
    CHECK_FALSE(targets.is_lost(NodeId{number}, Instant{50}));
    std::vector<NodeId> seen;
    for (int turn = 0; turn < 4; ++turn) {
      seen.push_back(targets.any(Instant{200}));
    }
    std::sort(seen.begin(), seen.end());
    CHECK(std::unique(seen.begin(), seen.end()) == seen.end());
  }
}

}  // namespace
}  // namespace coffer::router
