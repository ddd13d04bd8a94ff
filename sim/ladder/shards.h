// How the sharded designs of the ladder are laid out: two wallet services, then three shards. Account a lies in shard
// a mod 3; the text keeps the number of shards and their addresses in a central store, which here never fails.
#pragma once

#include <string>
#include <vector>

#include "sim/ladder/design.h"

namespace coffer::sim::ladder {

inline constexpr Node services_count = 2;
inline constexpr Node shards_count = 3;

/// `services`: how many nodes stand before the shards.
constexpr Node shard_of(std::uint32_t account, Node services = services_count) {
  return services + account % shards_count + 1;
}

inline std::vector<std::string> roles_of_shards(std::vector<std::string> services) {
  for (Node shard = 1; shard <= shards_count; ++shard) services.push_back("shard " + std::to_string(shard));
  return services;
}

/// Opens the accounts of a shard with what they hold at the start.
inline void open_accounts_of_shard(Context& context, Node services = services_count) {
  for (std::uint32_t account = 0; account < accounts_count; ++account) {
    if (shard_of(account, services) == context.self()) {
      context.book().open(account, context.account(account).balance);
    }
  }
}

}  // namespace coffer::sim::ladder
