// The time that a version 7 UUID carries.
// Source: RFC 9562, section 5.7.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/base/ids.h"

namespace coffer {

/// When a version 7 UUID was made: milliseconds since 1970, as it says itself; nothing for other versions and variants.
constexpr std::optional<std::uint64_t> time_ms_of(const Uuid& uuid) {
  if (uuid.bytes[6] >> 4 != 7 || uuid.bytes[8] >> 6 != 2) return std::nullopt;
  std::uint64_t time = 0;
  for (std::size_t i = 0; i < 6; ++i) time = time << 8 | uuid.bytes[i];
  return time;
}

/// A version 7 UUID made at `time_ms` (of which the lower 48 bits count), its 74 other bits those of `rest`.
constexpr Uuid uuid_made_at(std::uint64_t time_ms, Uuid rest) {
  for (std::size_t i = 0; i < 6; ++i) rest.bytes[i] = static_cast<std::uint8_t>(time_ms >> (40 - 8 * i));
  rest.bytes[6] = static_cast<std::uint8_t>((rest.bytes[6] & 0x0F) | 0x70);
  rest.bytes[8] = static_cast<std::uint8_t>((rest.bytes[8] & 0x3F) | 0x80);
  return rest;
}

}  // namespace coffer
