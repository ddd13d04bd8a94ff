// Who has the only vote of a group has nobody to ask what its disk may have lost; who once had it and shares it now,
// has (docs/PROTOCOLS.md, "An uncertain replica"; core/log/hard_state.h, H10).
#include <algorithm>

#include <catch2/catch.hpp>

#include "core/log/block.h"
#include "tests/core/node/two_leaders.h"

namespace coffer::node {
namespace {

using router::RequestKind;

/// Asks until the group has exactly these voters.
void reconfigure(Cluster& cluster, std::vector<NodeId> voters) {
  for (int i = 0; i < 200; ++i) {
    router::Request request;
    request.header.kind = RequestKind::reconfigure;
    request.header.shard = first;
    request.body = router::ReconfigureRequest{voters};
    const router::Reply reply = cluster.call(voters.front(), request);
    const auto* told = std::get_if<router::ReconfigureReply>(&reply.body);
    if (reply.status == Outcome::success && told != nullptr && told->finished) return;
    cluster.run(milliseconds(100));
  }
  FAIL("the change of voters does not end");
}

/// The last frame of the stream reads as garbage.
void lose_last_frame(Cluster& cluster, NodeId node) {
  for (auto file = cluster.disk(node).rbegin(); file != cluster.disk(node).rend(); ++file) {
    if (!file->first.starts_with("stream-")) continue;
    Bytes& bytes = file->second;
    for (std::size_t at = bytes.size() / log::block_size * log::block_size; at > log::block_size;
         at -= log::block_size) {
      const auto block = bytes.begin() + static_cast<std::ptrdiff_t>(at - log::block_size);
      if (std::all_of(block, block + log::block_size, [](std::byte b) { return b == std::byte{0}; })) continue;
      std::fill(block, block + log::block_size, std::byte{0x5A});
      return;
    }
  }
  FAIL("there is no frame");
}

/// Stops without rest, so that no mark covers the last frame.
void kill_busy(Cluster& cluster, NodeId node, NodeId via, std::uint64_t id) {
  REQUIRE(result_of(cluster.call(via, deposit(id, "alice", 5))).outcome == Outcome::success);
  cluster.stop(node);
}

TEST_CASE("a group that has shrunk to one voter leads again when that has been killed in the midst of its work") {
  Cluster cluster(1);
  REQUIRE(cluster.run_until_led());
  REQUIRE(cluster.call(NodeId(1), opening("alice")).status == Outcome::success);
  reconfigure(cluster, {NodeId(1)});
  cluster.run(seconds(2));
  kill_busy(cluster, NodeId(1), NodeId(1), 1);
  cluster.start(NodeId(1));
  REQUIRE(cluster.run_until([&] { return cluster.leader(first) == NodeId(1); }));
  CHECK(cluster.traced(TraceKind::tail_uncertain) > 0);
  CHECK(balance_of(cluster.call(NodeId(1), balance("alice"))) == 5);
}

TEST_CASE("who had the only vote and shares it now asks the others what its disk has lost") {
  Cluster cluster(1);
  REQUIRE(cluster.run_until_led());
  REQUIRE(cluster.call(NodeId(1), opening("alice")).status == Outcome::success);
  reconfigure(cluster, {NodeId(1)});
  cluster.run(seconds(1));
  reconfigure(cluster, {NodeId(1), NodeId(2), NodeId(3)});
  REQUIRE(cluster.run_until_led());
  // Node 1 loses an entry that it has acknowledged, and the only other one that has it is away.
  const NodeId leader = cluster.leader(first);
  const NodeId keeper = leader == NodeId(1) ? NodeId(2) : leader;
  const NodeId late = other_than(cluster, {NodeId(1), keeper});
  cluster.isolate(late);
  kill_busy(cluster, NodeId(1), keeper, 1);
  lose_last_frame(cluster, NodeId(1));
  cluster.stop(keeper);
  cluster.heal();
  cluster.start(NodeId(1));
  cluster.run(seconds(5));
  CHECK(cluster.leader(first) == nobody);
  CHECK(cluster.node(NodeId(1)).observe(first).uncertain);
  cluster.start(keeper);
  REQUIRE(cluster.run_until_led());
  CHECK(balance_of(cluster.call(late, balance("alice"))) == 5);
}

}  // namespace
}  // namespace coffer::node
