#include "net/http/strict_json.h"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace coffer::net {

namespace {

using nlohmann::json;

/// Builds the tree; stops at the first breach of the rules the parser itself does not know.
class Builder : public nlohmann::json_sax<json> {
 public:
  Builder(JsonDocument& out, std::size_t depth_max) : out_(out), depth_max_(depth_max) {}

  bool null() override { return put({.type = JsonType::null}); }
  bool boolean(bool value) override { return put({.type = JsonType::boolean, .boolean = value}); }
  bool number_integer(number_integer_t value) override { return put_integer(value); }
  bool number_unsigned(number_unsigned_t value) override {
    if (value > static_cast<number_unsigned_t>(INT64_MAX)) {
      return put({.type = JsonType::number});
    }
    return put_integer(static_cast<std::int64_t>(value));
  }
  bool number_float(number_float_t, const string_t&) override { return put({.type = JsonType::number}); }
  bool string(string_t& value) override {
    if (value.find('\0') != std::string::npos) {
      return fail(JsonError::malformed, place(), "a string contains NUL");
    }
    JsonValue text{.type = JsonType::string};
    text.text = std::move(value);
    return put(std::move(text));
  }
  bool binary(binary_t&) override { return fail(JsonError::malformed, place(), "binary values are not JSON"); }

  bool start_object(std::size_t) override { return open(JsonType::object); }
  bool start_array(std::size_t) override { return open(JsonType::array); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& value) override {
    if (value.find('\0') != std::string::npos) {
      return fail(JsonError::malformed, place(), "a key contains NUL");
    }
    if (stack_.back()->find(value) != nullptr) {
      key_ = value;
      return fail(JsonError::duplicate_key, place(), "the key occurs twice");
    }
    key_ = std::move(value);
    return true;
  }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception& error) override {
    std::string what = error.what();
    // "[json.exception.parse_error.101] parse error at line 1, column 2: …": the reader needs what follows.
    const std::size_t start = what.find(": ");
    if (start != std::string::npos) {
      what.erase(0, start + 2);
    }
    return fail(JsonError::malformed, place(), "at byte " + std::to_string(position) + ": " + what);
  }

 private:
  bool put_integer(std::int64_t value) {
    return put({.type = JsonType::number, .boolean = false, .is_integer = true, .integer = value});
  }
  bool put(JsonValue value) {
    add(std::move(value));
    return true;
  }
  JsonValue* add(JsonValue value) {
    if (stack_.empty()) {
      out_.root = std::move(value);
      return &out_.root;
    }
    JsonValue& parent = *stack_.back();
    if (parent.type == JsonType::array) {
      parent.items.push_back(std::move(value));
      return &parent.items.back();
    }
    parent.members.emplace_back(std::move(key_), std::move(value));
    key_.clear();
    return &parent.members.back().second;
  }
  bool open(JsonType type) {
    if (stack_.size() >= depth_max_) {
      return fail(JsonError::malformed, place(), "nested deeper than " + std::to_string(depth_max_) + " levels");
    }
    const std::string path = place();
    // Only the innermost value grows, so that addresses of open ones stay valid.
    stack_.push_back(add({.type = type}));
    paths_.push_back(path);
    return true;
  }
  bool close() {
    stack_.pop_back();
    paths_.pop_back();
    return true;
  }
  /// Where the value about to come would stand.
  std::string place() const {
    if (stack_.empty()) {
      return "";
    }
    if (stack_.back()->type == JsonType::array) {
      return paths_.back() + "/" + std::to_string(stack_.back()->items.size());
    }
    return key_.empty() ? paths_.back() : pointer_to(paths_.back(), key_);
  }
  bool fail(JsonError error, std::string pointer, std::string detail) {
    if (out_.error == JsonError::none) {
      out_.error = error;
      out_.pointer = std::move(pointer);
      out_.detail = std::move(detail);
    }
    return false;
  }

  JsonDocument& out_;
  std::size_t depth_max_;
  std::vector<JsonValue*> stack_;   // the open arrays and objects
  std::vector<std::string> paths_;  // their pointers
  std::string key_;
};

}  // namespace

std::string_view name(JsonType type) {
  switch (type) {
    case JsonType::null:
      return "null";
    case JsonType::boolean:
      return "a boolean";
    case JsonType::number:
      return "a number";
    case JsonType::string:
      return "a string";
    case JsonType::array:
      return "an array";
    case JsonType::object:
      return "an object";
  }
  return "?";
}

const JsonValue* JsonValue::find(std::string_view key) const {
  const auto found =
      std::find_if(members.begin(), members.end(), [&](const auto& member) { return member.first == key; });
  return found == members.end() ? nullptr : &found->second;
}

JsonDocument parse_json(std::string_view text, std::size_t depth_max) {
  JsonDocument out;
  if (text.substr(0, 3) == "\xEF\xBB\xBF") {
    out.error = JsonError::malformed;
    out.detail = "the text begins with a byte order mark";
    return out;
  }
  Builder builder(out, depth_max);
  if (!json::sax_parse(text, &builder, json::input_format_t::json, true, false) && out.error == JsonError::none) {
    out.error = JsonError::malformed;
    out.detail = "not JSON";
  }
  return out;
}

std::string pointer_to(std::string_view parent, std::string_view key) {
  std::string pointer(parent);
  pointer.push_back('/');
  for (const char c : key) {
    if (c == '~') {
      pointer.append("~0");
    } else if (c == '/') {
      pointer.append("~1");
    } else {
      pointer.push_back(c);
    }
  }
  return pointer;
}

std::string quoted(std::string_view text) { return json(text).dump(-1, ' ', false, json::error_handler_t::replace); }

}  // namespace coffer::net
