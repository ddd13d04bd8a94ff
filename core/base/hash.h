// Checksums and digests: XXH3 with fixed seeds. Stable across builds, compilers and machines.
#pragma once

#include <compare>
#include <cstdint>
#include <string_view>

#include "core/base/bytes.h"
#include "core/base/ids.h"

namespace coffer {

struct Hash128 {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  constexpr auto operator<=>(const Hash128&) const = default;
};

/// XXH3-64 of the bytes; the checksum of every frame.
std::uint64_t hash64(ByteView bytes, std::uint64_t seed = 0);
/// XXH3-128 of the bytes; body digests and trace hashes.
Hash128 hash128(ByteView bytes, std::uint64_t seed = 0);

inline ByteView bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

/// The slot of an account, fixed for ever: XXH3(account id, seed = tenant) mod slot_count.
Slot slot_of(TenantId tenant, std::string_view account);

}  // namespace coffer
