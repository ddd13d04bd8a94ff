// What tests of several shards start with: a cluster whose two shards are led by different nodes, with money in an
// account of each, so that legs and their answers cross the network.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include <catch2/catch.hpp>

#include "core/base/check.h"
#include "tests/core/node/cluster.h"

namespace coffer::node {

inline constexpr ShardId first(1);
inline constexpr ShardId second(2);

/// Another node than these.
inline NodeId other_than(const Cluster& cluster, std::set<NodeId> those) {
  for (const NodeId node : cluster.nodes()) {
    if (!those.contains(node)) return node;
  }
  check_failed("there is another node");
}

struct TwoLeaders {
  static std::uint64_t seed() {
    for (std::uint64_t seed = 1;; ++seed) {
      Cluster cluster(2, seed);
      if (cluster.run_until_led() && cluster.leader(first) != cluster.leader(second)) return seed;
    }
  }
  explicit TwoLeaders(ledger::Protocol protocol = ledger::Protocol::saga) : cluster(2, seed(), tuned(protocol)) {
    REQUIRE(cluster.run_until_led());
    REQUIRE(cluster.leader(first) != cluster.leader(second));
    for (const std::string& account : {alice, bob}) {
      REQUIRE(cluster.call(NodeId(1), opening(account)).status == Outcome::success);
      REQUIRE(result_of(cluster.call(NodeId(2), deposit(++ids, account, 1000))).outcome == Outcome::success);
    }
  }

  NodeId source() const { return cluster.leader(first); }
  NodeId target() const { return cluster.leader(second); }
  NodeId third() const { return other_than(cluster, {source(), target()}); }
  std::int64_t balance_at(NodeId via, const std::string& account) {
    return balance_of(cluster.call(via, balance(account)));
  }

  static Tuning tuned(ledger::Protocol protocol) {
    Tuning tuning;
    tuning.protocol = protocol;
    return tuning;
  }

  Cluster cluster;
  const std::string alice = cluster.name_on(first, "alice");
  const std::string bob = cluster.name_on(second, "bob");
  std::uint64_t ids = 100;
};

}  // namespace coffer::node
