#include "sim/shrink/signature.h"

#include <cctype>
#include <string_view>

#include "core/base/uuid.h"

namespace coffer::sim::shrink {

namespace {

constexpr std::size_t uuid_size = 36;

bool is_digit(char one) { return std::isdigit(static_cast<unsigned char>(one)) != 0; }

/// A number, with its sign, the numbers that follow it in a list, a transaction id, or a quoted name with a number in
/// it: so many characters; 0: none of these.
std::size_t length_of_number(std::string_view text) {
  if (parse_uuid(text.substr(0, uuid_size))) return uuid_size;
  if (text[0] == '\'') {
    const std::size_t end = text.find('\'', 1);
    const std::size_t digit = text.find_first_of("0123456789");
    return end != std::string_view::npos && digit < end ? end + 1 : 0;
  }
  std::size_t length = text[0] == '-' ? 1 : 0;
  if (length >= text.size() || !is_digit(text[length])) return 0;
  while (length < text.size() &&
         (is_digit(text[length]) || (text[length] == ',' && length + 1 < text.size() && is_digit(text[length + 1])))) {
    ++length;
  }
  return length;
}

/// Up to the first list of details, each number and each name as one "#".
std::string shape_of(const std::string& reason) {
  std::string_view rest = std::string_view(reason).substr(0, reason.find(';'));
  std::string shape;
  while (!rest.empty()) {
    const std::size_t length = length_of_number(rest);
    shape += length > 0 ? '#' : rest[0];
    rest.remove_prefix(length > 0 ? length : 1);
  }
  return shape;
}

}  // namespace

Signature signature_of(const RunResult& result) {
  const bool has_shape = result.verdict == Verdict::violation;
  return {result.verdict, result.oracle, has_shape ? shape_of(result.reason) : ""};
}

KnownFailure known_failure(const Signature& signature) {
  return {std::string(name(signature.verdict)), signature.oracle, signature.shape, 0};
}

bool is(const Signature& signature, const KnownFailure& known) {
  return name(signature.verdict) == known.verdict && signature.oracle == known.oracle && signature.shape == known.shape;
}

}  // namespace coffer::sim::shrink
