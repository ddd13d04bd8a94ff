// Splits, run by whole nodes: all payees or none, by leaders that are lost on the way, told once they are paid.
#include <vector>

#include <catch2/catch.hpp>

#include "tests/core/node/two_leaders.h"

namespace coffer::node {
namespace {

using Parts = std::vector<router::SplitRequest::Part>;

router::Request split(std::uint64_t id, std::string_view account, Parts parts) {
  router::Request request;
  request.header.kind = router::RequestKind::split;
  request.body = router::SplitRequest{usd, id_of(id), account, std::move(parts)};
  return request;
}

router::SplitReply told(const router::Reply& reply) {
  REQUIRE(reply.status == Outcome::success);
  return std::get<router::SplitReply>(reply.body);
}

struct SplitCluster : TwoLeaders {
  explicit SplitCluster(ledger::Protocol protocol = ledger::Protocol::saga) : TwoLeaders(protocol) {
    REQUIRE(cluster.call(NodeId(1), opening(neighbour)).status == Outcome::success);
  }
  Parts parts(std::int64_t far, std::int64_t near) const { return {{far, bob}, {near, neighbour}}; }
  void require_settled() {
    cluster.run(seconds(1));
    REQUIRE(cluster.settled_wrong().empty());
  }

  const std::string neighbour = cluster.name_on(first, "neighbour");
  const std::string ghost = cluster.name_on(second, "ghost");
};

TEST_CASE("a split pays all its payees, here and in another shard, whatever protocol the cluster uses (decision 10)") {
  const auto protocol = GENERATE(ledger::Protocol::saga, ledger::Protocol::tcc, ledger::Protocol::two_phase_commit);
  CAPTURE(static_cast<int>(protocol));
  SplitCluster world(protocol);
  Cluster& cluster = world.cluster;
  const router::Reply reply = cluster.call(world.third(), split(1, world.alice, world.parts(300, 50)));
  const router::SplitReply paid = told(reply);
  REQUIRE(paid.result.outcome == Outcome::success);
  REQUIRE(paid.result.shard == first);
  REQUIRE(paid.refused == router::no_part);
  REQUIRE(paid.parts.size() == 2);
  REQUIRE(paid.parts[0].shard == second);
  REQUIRE(paid.parts[1].shard == first);
  REQUIRE(paid.parts[1].position > paid.result.position);
  REQUIRE(world.balance_at(NodeId(1), world.alice) == 650);
  REQUIRE(world.balance_at(NodeId(1), world.bob) == 1300);
  REQUIRE(world.balance_at(NodeId(1), world.neighbour) == 50);
  const router::Reply again = cluster.call(NodeId(2), split(1, world.alice, world.parts(300, 50)));
  REQUIRE(told(again).result.replayed);
  REQUIRE(told(again).parts[0].position == paid.parts[0].position);
  REQUIRE(cluster.call(NodeId(2), split(1, world.alice, world.parts(300, 51))).status ==
          Outcome::idempotency_payload_mismatch);
  const router::Reply status = cluster.call(NodeId(1), transfer_status(1, world.alice));
  const auto& record = std::get<router::TransferStatusReply>(status.body);
  REQUIRE(record.operation == router::TransferOperation::split);
  REQUIRE(record.result.outcome == Outcome::success);
  REQUIRE(record.steps.size() == 6);
  world.require_settled();
}

TEST_CASE("a split of which one part is refused pays nobody, and says which part it was (decision 10)") {
  SplitCluster world;
  const Parts parts = {{100, world.bob}, {50, world.neighbour}, {7, world.ghost}};
  const router::Reply reply = world.cluster.call(world.third(), split(1, world.alice, parts));
  REQUIRE(told(reply).result.outcome == Outcome::credit_account_not_found);
  REQUIRE(told(reply).refused == 2);
  REQUIRE(world.cluster.traced(TraceKind::split_cancelling) == 1);
  REQUIRE(world.balance_at(NodeId(1), world.alice) == 1000);
  REQUIRE(world.balance_at(NodeId(1), world.bob) == 1000);
  REQUIRE(world.balance_at(NodeId(1), world.neighbour) == 0);
  world.require_settled();
  const router::Reply poor = world.cluster.call(NodeId(1), split(2, world.alice, world.parts(900, 101)));
  REQUIRE(told(poor).result.outcome == Outcome::insufficient_funds);
  REQUIRE(told(poor).refused == router::no_part);
  REQUIRE(told(poor).parts.empty());
  const std::string nobody = world.cluster.name_on(first, "ghost");
  const Parts here = {{1, world.neighbour}, {1, nobody}};
  const router::Reply within = world.cluster.call(NodeId(1), split(3, world.alice, here));
  REQUIRE(told(within).result.outcome == Outcome::credit_account_not_found);
  REQUIRE(told(within).refused == 1);
}

TEST_CASE("duplicates of a split under way are answered with it, and move nothing (T8)") {
  SplitCluster world;
  Cluster& cluster = world.cluster;
  cluster.loses = [](NodeId, NodeId, const Section& section) { return section.kind == SectionKind::leg_answers; };
  std::vector<std::uint64_t> asked;
  for (const NodeId via : cluster.nodes()) asked.push_back(cluster.ask(via, split(1, world.alice, world.parts(10, 5))));
  cluster.run(milliseconds(200));
  for (const std::uint64_t number : asked) REQUIRE_FALSE(cluster.reply(number));
  cluster.loses = nullptr;
  cluster.run(seconds(1));
  int originals = 0;
  for (const std::uint64_t number : asked) {
    const router::SplitReply reply = told(*cluster.reply(number));
    REQUIRE(reply.result.outcome == Outcome::success);
    REQUIRE(reply.parts.at(0).position > Position(0));
    originals += reply.result.replayed ? 0 : 1;
  }
  REQUIRE(originals == 1);
  REQUIRE(world.balance_at(NodeId(1), world.alice) == 985);
  REQUIRE(cluster.settled_wrong().empty());
}

TEST_CASE("a new leader goes on with a split whose legs were lost (T2)") {
  SplitCluster world;
  Cluster& cluster = world.cluster;
  cluster.loses = [](NodeId, NodeId, const Section& section) { return section.kind == SectionKind::legs; };
  const NodeId source = world.source();
  cluster.ask(source, split(1, world.alice, world.parts(10, 5)));
  cluster.run(milliseconds(100));
  REQUIRE(cluster.traced(TraceKind::split_started) == 1);
  REQUIRE(cluster.traced(TraceKind::leg_received) == 0);
  cluster.stop(source);
  cluster.loses = nullptr;
  cluster.run(seconds(3));
  const NodeId other = other_than(cluster, {source});
  REQUIRE(world.balance_at(other, world.alice) == 985);
  REQUIRE(world.balance_at(other, world.bob) == 1010);
  REQUIRE(world.balance_at(other, world.neighbour) == 5);
  const router::Reply again = cluster.call(other, split(1, world.alice, world.parts(10, 5)));
  REQUIRE(told(again).result.outcome == Outcome::success);
  REQUIRE(told(again).result.replayed);
}

}  // namespace
}  // namespace coffer::node
