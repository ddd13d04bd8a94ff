#include "core/node/config.h"

#include "core/base/check.h"

namespace coffer::node {

std::vector<ShardConfig> even_shards(std::uint32_t shards, const std::vector<NodeId>& members) {
  check(shards >= 1 && shards <= slot_count, "every shard owns at least one slot");
  std::vector<ShardConfig> configs;
  for (std::uint32_t i = 0; i < shards; ++i) {
    const std::uint32_t first = slot_count * i / shards;
    const std::uint32_t end = slot_count * (i + 1) / shards;
    configs.push_back({ShardId(i + 1), members, Slot(static_cast<std::uint16_t>(first)), end});
  }
  return configs;
}

}  // namespace coffer::node
