#include "sim/models/orders.h"

#include <catch2/catch.hpp>

namespace coffer::sim {
namespace {

constexpr ShardId s1(1);
constexpr ShardId s2(2);
constexpr NodeId n1(1), n2(2), n3(3), n4(4), n5(5);

TEST_CASE("an order stays open until it has finished") {
  Orders orders(2, 5, {n1, n2, n3});
  REQUIRE(orders.spares(s1) == std::vector<NodeId>{n4, n5});
  const std::uint64_t number = orders.reconfigure(s1, {n4, n1, n2});
  REQUIRE(orders.open().size() == 1);
  REQUIRE(orders.open()[0].voters == std::vector<NodeId>{n1, n2, n4});
  REQUIRE(orders.voters(s1) == std::vector<NodeId>{n1, n2, n4});
  REQUIRE(orders.voters(s2) == std::vector<NodeId>{n1, n2, n3});
  REQUIRE(orders.spares(s1) == std::vector<NodeId>{n3, n5});
  REQUIRE(orders.votes(s1, n4));
  REQUIRE_FALSE(orders.votes(s1, n3));
  orders.finish(number + 1);
  REQUIRE(orders.open().size() == 1);
  orders.finish(number);
  REQUIRE(orders.open().empty());
  REQUIRE(orders.counts().finished == 1);
}

TEST_CASE("a newer order of the same kind takes the place of an older one of its shard, and of no other") {
  Orders orders(2, 5, {n1, n2, n3});
  const std::uint64_t old = orders.reconfigure(s1, {n1, n2, n4});
  orders.transfer(s1, n2);
  orders.reconfigure(s2, {n1, n2, n5});
  orders.reconfigure(s1, {n1, n2, n5});
  REQUIRE(orders.open().size() == 3);
  REQUIRE(orders.counts().superseded == 1);
  orders.finish(old);
  orders.call_off(old);
  REQUIRE(orders.open().size() == 3);
  REQUIRE(orders.counts().finished == 0);
  REQUIRE(orders.counts().called_off == 0);
}

TEST_CASE("an order called off leaves the voters that were reached last to be restored") {
  Orders orders(1, 5, {n1, n2, n3});
  orders.finish(orders.reconfigure(s1, {n1, n2, n4}));
  orders.call_off(orders.reconfigure(s1, {n1, n2, n5}));
  REQUIRE(orders.counts().called_off == 1);
  REQUIRE(orders.open().size() == 1);
  REQUIRE(orders.open()[0].voters == std::vector<NodeId>{n1, n2, n4});
  REQUIRE(orders.voters(s1) == std::vector<NodeId>{n1, n2, n4});
  orders.call_off(orders.transfer(s1, n2));
  REQUIRE(orders.open().size() == 1);
}

TEST_CASE("an order that a late request has undone is given again") {
  Orders orders(1, 5, {n1, n2, n3});
  orders.finish(orders.reconfigure(s1, {n1, n2, n4}));
  REQUIRE_FALSE(orders.open_for(s1));
  orders.repeat(s1);
  REQUIRE(orders.open_for(s1));
  REQUIRE(orders.open()[0].voters == std::vector<NodeId>{n1, n2, n4});
  REQUIRE(orders.counts().repeated == 1);
}

}  // namespace
}  // namespace coffer::sim
