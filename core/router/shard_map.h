// Which shard owns a slot, as far as this holder knows: a hint. The truth is in each shard's own log.
#pragma once

#include <string_view>
#include <vector>

#include "core/base/ids.h"

namespace coffer::router {

struct SlotOwner {
  ShardId shard;
  Slot first{0};
  std::uint32_t end = 0;  ///< one past the last slot
};

class ShardMap {
 public:
  /// Requires: ranges exclusive and exhaustive over all slots (checked).
  explicit ShardMap(std::vector<SlotOwner> owners);

  ShardId shard_of(Slot slot) const;
  ShardId shard_of(TenantId tenant, std::string_view account) const;
  const std::vector<ShardId>& shards() const;  ///< ascending

 private:
  std::vector<SlotOwner> owners_;  ///< ascending by first slot
  std::vector<ShardId> shards_;
};

}  // namespace coffer::router
