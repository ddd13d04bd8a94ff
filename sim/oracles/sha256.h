// SHA-256 by the standard's text, for chains that the product computes with a library. Source: FIPS 180-4, section 6.2.
#pragma once

#include <array>
#include <cstdint>

#include "core/base/bytes.h"

namespace coffer::sim::oracles {

using Sha256 = std::array<std::uint8_t, 32>;

Sha256 sha256(ByteView message);

}  // namespace coffer::sim::oracles
