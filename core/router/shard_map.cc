#include "core/router/shard_map.h"

#include <algorithm>

#include "core/base/check.h"
#include "core/base/hash.h"

namespace coffer::router {

ShardMap::ShardMap(std::vector<SlotOwner> owners) : owners_(std::move(owners)) {
  std::sort(owners_.begin(), owners_.end(), [](const SlotOwner& a, const SlotOwner& b) { return a.first < b.first; });
  std::uint32_t covered = 0;
  for (const SlotOwner& owner : owners_) {
    check(owner.shard != ShardId{0}, "a slot range belongs to a shard");
    check(owner.first.value == covered && owner.end > covered, "slot ranges are exclusive and exhaustive");
    covered = owner.end;
    shards_.push_back(owner.shard);
  }
  check(covered == slot_count, "slot ranges are exclusive and exhaustive");
  std::sort(shards_.begin(), shards_.end());
  shards_.erase(std::unique(shards_.begin(), shards_.end()), shards_.end());
}

ShardId ShardMap::shard_of(Slot slot) const {
  check(slot.value < slot_count, "a slot is below the slot count");
  const auto above = std::upper_bound(owners_.begin(), owners_.end(), slot,
                                      [](Slot wanted, const SlotOwner& owner) { return wanted < owner.first; });
  return std::prev(above)->shard;
}

ShardId ShardMap::shard_of(TenantId tenant, std::string_view account) const {
  return owners_.size() == 1 ? owners_.front().shard : shard_of(slot_of(tenant, account));
}

const std::vector<ShardId>& ShardMap::shards() const { return shards_; }

}  // namespace coffer::router
