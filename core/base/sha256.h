// SHA-256: the digest behind chains and heads, where an adversary must not find a second text (checksums against chance
// are in hash.h). The one wrapper of OpenSSL's libcrypto in the core: no allocation, no locks, no state of its own.
// Source: FIPS 180-4.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>

#include "core/base/bytes.h"

namespace coffer {

struct Hash256 {
  std::array<std::uint8_t, 32> bytes{};
  constexpr auto operator<=>(const Hash256&) const = default;
};

/// Of bytes that come in pieces.
class Sha256 {
 public:
  Sha256();
  Sha256& update(ByteView bytes);
  /// Requires: asked once, and nothing updated afterwards (checked).
  Hash256 finish();

 private:
  alignas(8) std::array<std::byte, 112> context_{};  ///< OpenSSL's SHA256_CTX
  bool finished_ = false;
};

Hash256 sha256(ByteView bytes);
/// 64 hexadecimal digits, lower case.
std::string to_string(const Hash256& hash);

}  // namespace coffer
