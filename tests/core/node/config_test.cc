#include "core/node/config.h"

#include <catch2/catch.hpp>

#include "core/base/check.h"

namespace coffer::node {
namespace {

TEST_CASE("even shards own every slot exactly once, and nearly equally many") {
  const std::vector<NodeId> members{NodeId(1), NodeId(2), NodeId(3)};
  for (const std::uint32_t count : {1u, 2u, 3u, 7u, 100u, slot_count}) {
    CAPTURE(count);
    const std::vector<ShardConfig> shards = even_shards(count, members);
    REQUIRE(shards.size() == count);
    std::uint32_t next = 0;
    std::uint32_t id = 0;
    for (const ShardConfig& shard : shards) {
      const std::uint32_t slots = shard.slot_end - shard.first_slot.value;
      const bool continues = shard.shard == ShardId(++id) && shard.first_slot.value == next;
      const bool is_fair = slots == slot_count / count || slots == slot_count / count + 1;
      if (!continues || !is_fair || shard.members != members) FAIL("shard " << id);
      next = shard.slot_end;
    }
    REQUIRE(next == slot_count);
  }
}

TEST_CASE("no shards, and more shards than slots, are refused") {
  REQUIRE_THROWS_AS(even_shards(0, {NodeId(1)}), CheckFailure);
  REQUIRE_THROWS_AS(even_shards(slot_count + 1, {NodeId(1)}), CheckFailure);
}

}  // namespace
}  // namespace coffer::node
