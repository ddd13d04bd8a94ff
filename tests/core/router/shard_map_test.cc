#include "core/router/shard_map.h"

#include <catch2/catch.hpp>
#include <rapidcheck.h>

#include "core/base/check.h"
#include "core/base/hash.h"

namespace coffer::router {
namespace {

TEST_CASE("every slot belongs to the shard whose range holds it (design: slots are exclusive and exhaustive)") {
  const ShardMap map({{ShardId{7}, Slot{100}, slot_count}, {ShardId{2}, Slot{0}, 100}});
  CHECK(map.shard_of(Slot{0}) == ShardId{2});
  CHECK(map.shard_of(Slot{99}) == ShardId{2});
  CHECK(map.shard_of(Slot{100}) == ShardId{7});
  CHECK(map.shard_of(Slot{slot_count - 1}) == ShardId{7});
  CHECK(map.shards() == std::vector{ShardId{2}, ShardId{7}});
}

TEST_CASE("a shard may own several ranges and is listed once (design: slots move)") {
  const ShardMap map({{ShardId{1}, Slot{0}, 10}, {ShardId{2}, Slot{10}, 20}, {ShardId{1}, Slot{20}, slot_count}});
  CHECK(map.shard_of(Slot{5}) == ShardId{1});
  CHECK(map.shard_of(Slot{15}) == ShardId{2});
  CHECK(map.shard_of(Slot{25}) == ShardId{1});
  CHECK(map.shards() == std::vector{ShardId{1}, ShardId{2}});
}

TEST_CASE("overlaps, gaps and missing ends are refused (design: slots are exclusive and exhaustive)") {
  using Owners = std::vector<SlotOwner>;
  CHECK_THROWS_AS(ShardMap(Owners{}), CheckFailure);
  CHECK_THROWS_AS(ShardMap(Owners{{ShardId{1}, Slot{0}, 100}}), CheckFailure);
  CHECK_THROWS_AS(ShardMap(Owners{{ShardId{1}, Slot{1}, slot_count}}), CheckFailure);
  CHECK_THROWS_AS(ShardMap(Owners{{ShardId{1}, Slot{0}, 9}, {ShardId{2}, Slot{10}, slot_count}}), CheckFailure);
  CHECK_THROWS_AS(ShardMap(Owners{{ShardId{1}, Slot{0}, 11}, {ShardId{2}, Slot{10}, slot_count}}), CheckFailure);
  CHECK_THROWS_AS(ShardMap(Owners{{ShardId{1}, Slot{0}, slot_count + 1}}), CheckFailure);
  CHECK_THROWS_AS(ShardMap(Owners{{ShardId{0}, Slot{0}, slot_count}}), CheckFailure);
}

TEST_CASE("property: an account's shard is its slot's") {
  REQUIRE(rc::check("shard_of(tenant, account) == shard_of(slot_of(tenant, account))", [] {
    const auto cut = *rc::gen::inRange<std::uint16_t>(1, slot_count);
    const ShardMap map({{ShardId{1}, Slot{0}, cut}, {ShardId{2}, Slot{cut}, slot_count}});
    const auto account = *rc::gen::arbitrary<std::string>();
    const TenantId tenant{*rc::gen::arbitrary<std::uint32_t>()};
    const Slot slot = slot_of(tenant, account);
    RC_ASSERT(map.shard_of(tenant, account) == map.shard_of(slot));
    RC_ASSERT(map.shard_of(slot) == (slot.value < cut ? ShardId{1} : ShardId{2}));
  }));
}

}  // namespace
}  // namespace coffer::router
