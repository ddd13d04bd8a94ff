// JSON as a wallet reads it: RFC 8259 and nothing else. No byte order mark, no repeated keys, no NUL, no lone
// surrogates, no bytes that are not UTF-8, no garbage behind the value, no deep nesting. Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace coffer::net {

enum class JsonType : std::uint8_t { null, boolean, number, string, array, object };

/// "a string", "an object", …
std::string_view name(JsonType type);

struct JsonValue {
  JsonType type = JsonType::null;
  bool boolean = false;
  bool is_integer = false;  ///< a number without fraction and exponent, within int64
  std::int64_t integer = 0;
  std::string text = {};  ///< of a string
  std::vector<JsonValue> items = {};
  std::vector<std::pair<std::string, JsonValue>> members = {};  ///< in order of appearance; keys are unique

  const JsonValue* find(std::string_view key) const;
};

enum class JsonError : std::uint8_t { none, malformed, duplicate_key };

struct JsonDocument {
  JsonValue root;
  JsonError error = JsonError::none;
  std::string pointer;  ///< RFC 6901: where the error was met
  std::string detail;
};

/// Units: `depth_max` counts nested arrays and objects.
JsonDocument parse_json(std::string_view text, std::size_t depth_max = 8);

/// One more step of a JSON pointer, with ~ and / escaped.
std::string pointer_to(std::string_view parent, std::string_view key);
/// `text` as a JSON string with its quotes. Requires: valid UTF-8 (bytes that are not become U+FFFD).
std::string quoted(std::string_view text);

}  // namespace coffer::net
