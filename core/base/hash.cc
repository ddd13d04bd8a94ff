#define XXH_INLINE_ALL
#include "core/base/hash.h"

#include <xxhash.h>

namespace coffer {

std::uint64_t hash64(ByteView bytes, std::uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

Hash128 hash128(ByteView bytes, std::uint64_t seed) {
  const XXH128_hash_t hash = XXH3_128bits_withSeed(bytes.data(), bytes.size(), seed);
  return {hash.low64, hash.high64};
}

Slot slot_of(TenantId tenant, std::string_view account) {
  return Slot(static_cast<std::uint16_t>(hash64(bytes_of(account), tenant.value) % slot_count));
}

}  // namespace coffer
