// A replica that came back by a snapshot has never folded the entries it covers: what they decided it knows from the
// snapshot alone.
#include <catch2/catch.hpp>

#include "tests/core/node/cluster.h"

namespace coffer::node {
namespace {

constexpr ShardId first{1};
constexpr std::uint64_t ids = 200;

/// Stops leaders until this node leads.
bool make_leader(Cluster& cluster, NodeId wanted) {
  for (int attempt = 0; attempt < 20; ++attempt) {
    const NodeId leader = cluster.leader(first);
    if (leader == wanted) return true;
    cluster.stop(leader);
    if (!cluster.run_until_led()) return false;
    cluster.start(leader);
    cluster.run(seconds(2));
  }
  return false;
}

}  // namespace

TEST_CASE("who came back by a snapshot and then leads knows the old ids (known bug 33)") {
  Tuning small;
  small.epoch_bytes = 4096;
  small.chunk_bytes = 4096;
  Cluster cluster(1, 1, small);
  REQUIRE(cluster.run_until_led());
  const NodeId late = cluster.leader(first) == NodeId(1) ? NodeId(2) : NodeId(1);
  const NodeId via(3);
  cluster.call(via, opening("alice"));
  cluster.stop(late);
  for (std::uint64_t id = 1; id <= ids; ++id) {
    REQUIRE(result_of(cluster.call(via, deposit(id, "alice", 10))).outcome == Outcome::success);
  }
  REQUIRE(cluster.traced(TraceKind::restored) == 0);
  cluster.start(late);
  REQUIRE(cluster.run_until([&] { return cluster.traced(TraceKind::restored) > 0; }));
  REQUIRE(make_leader(cluster, late));
  for (std::uint64_t id = 1; id <= ids; ++id) {
    const router::TransferResult again = result_of(cluster.call(via, deposit(id, "alice", 10)));
    REQUIRE(again.outcome == Outcome::success);
    REQUIRE(again.replayed);
  }
  REQUIRE(result_of(cluster.call(via, deposit(1, "alice", 11))).outcome == Outcome::idempotency_payload_mismatch);
  REQUIRE(balance_of(cluster.call(via, balance("alice"))) == 10 * ids);
  REQUIRE(cluster.leader(first) == late);
  cluster.run(seconds(2));
  REQUIRE(cluster.settled_wrong().empty());
}

}  // namespace coffer::node
