// The number that a version 8 UUID of a source carries: the id says who numbers, and the which of its transfers it is.
// So whoever knows the one before can see that none is missing (docs/decisions/0012-how-long-an-id-is-remembered.md,
// §2).
//
//   source bits 59..12 (48) | version 8 (4) | source bits 11..0 (12) | variant 2 (2) | number (62)
//
// Source: RFC 9562, section 5.8 (the layout is the application's).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/base/ids.h"

namespace coffer {

inline constexpr std::uint64_t id_source_max = (std::uint64_t{1} << 60) - 1;
inline constexpr std::uint64_t id_number_max = (std::uint64_t{1} << 62) - 1;

/// Who numbers, and which number: 1, 2, 3, …
struct IdNumber {
  std::uint64_t source = 0;  ///< at most id_source_max
  std::uint64_t number = 0;  ///< at most id_number_max
  constexpr bool operator==(const IdNumber&) const = default;
};

/// What these bits of a UUID say, whatever its version.
constexpr IdNumber bits_of_number(const Uuid& uuid) {
  IdNumber id;
  for (std::size_t i = 0; i < 6; ++i) id.source = id.source << 8 | uuid.bytes[i];
  id.source = id.source << 12 | static_cast<std::uint64_t>(uuid.bytes[6] & 0x0F) << 8 | uuid.bytes[7];
  id.number = uuid.bytes[8] & 0x3F;
  for (std::size_t i = 9; i < 16; ++i) id.number = id.number << 8 | uuid.bytes[i];
  return id;
}

/// What a version 8 UUID says; nothing for other versions and variants, and for number 0, which is nobody's.
constexpr std::optional<IdNumber> id_number_of(const Uuid& uuid) {
  if (uuid.bytes[6] >> 4 != 8 || uuid.bytes[8] >> 6 != 2) return std::nullopt;
  const IdNumber id = bits_of_number(uuid);
  if (id.number == 0) return std::nullopt;
  return id;
}

/// The UUID that says so; of source and number the lower 60 and 62 bits count.
constexpr Uuid uuid_numbered(const IdNumber& id) {
  Uuid uuid;
  for (std::size_t i = 0; i < 6; ++i) uuid.bytes[i] = static_cast<std::uint8_t>(id.source >> (52 - 8 * i));
  uuid.bytes[6] = static_cast<std::uint8_t>(0x80 | (id.source >> 8 & 0x0F));
  uuid.bytes[7] = static_cast<std::uint8_t>(id.source);
  uuid.bytes[8] = static_cast<std::uint8_t>(0x80 | (id.number >> 56 & 0x3F));
  for (std::size_t i = 9; i < 16; ++i) uuid.bytes[i] = static_cast<std::uint8_t>(id.number >> (8 * (15 - i)));
  return uuid;
}

}  // namespace coffer
