#include "core/base/uuid.h"

namespace coffer {

namespace {

constexpr std::size_t text_length = 36;

constexpr bool is_hyphen_place(std::size_t at) { return at == 8 || at == 13 || at == 18 || at == 23; }

/// 0 to 15, or 16 for a character that is no hexadecimal digit.
constexpr unsigned digit_of(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10;
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A') + 10;
  return 16;
}

}  // namespace

std::optional<Uuid> parse_uuid(std::string_view text) {
  if (text.size() != text_length) return std::nullopt;
  Uuid uuid;
  std::size_t byte = 0;
  for (std::size_t at = 0; at < text_length;) {
    if (is_hyphen_place(at)) {
      if (text[at] != '-') return std::nullopt;
      ++at;
      continue;
    }
    const unsigned high = digit_of(text[at]);
    const unsigned low = digit_of(text[at + 1]);
    if (high > 15 || low > 15) return std::nullopt;
    uuid.bytes[byte++] = static_cast<std::uint8_t>(high << 4 | low);
    at += 2;
  }
  return uuid;
}

std::string to_string(const Uuid& uuid) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  text.reserve(text_length);
  for (const std::uint8_t byte : uuid.bytes) {
    if (is_hyphen_place(text.size())) text += '-';
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

}  // namespace coffer
