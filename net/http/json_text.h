// JSON being written: members in the order they are added, one line, the same bytes for the same content.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/ids.h"
#include "net/http/strict_json.h"

namespace coffer::net {

class JsonObject {
 public:
  JsonObject& text(std::string_view key, std::string_view value) { return raw(key, quoted(value)); }
  JsonObject& number(std::string_view key, std::int64_t value) { return raw(key, std::to_string(value)); }
  JsonObject& number(std::string_view key, std::uint64_t value) { return raw(key, std::to_string(value)); }
  JsonObject& number(std::string_view key, std::uint32_t value) { return raw(key, std::to_string(value)); }
  JsonObject& boolean(std::string_view key, bool value) { return raw(key, value ? "true" : "false"); }
  /// `json`: a value already written.
  JsonObject& raw(std::string_view key, std::string_view json) {
    members_.append(members_.empty() ? "" : ",").append(quoted(key)).append(":").append(json);
    return *this;
  }
  std::string str() const { return "{" + members_ + "}"; }

 private:
  std::string members_;
};

/// `[a,b]` of values already written.
inline std::string json_array(const std::vector<std::string>& items) {
  std::string out = "[";
  for (const std::string& item : items) {
    out.append(out.size() > 1 ? "," : "").append(item);
  }
  return out + "]";
}

/// `[1,2]`
inline std::string nodes_json(const std::vector<NodeId>& nodes) {
  std::vector<std::string> items;
  for (const NodeId node : nodes) {
    items.push_back(std::to_string(node.value));
  }
  return json_array(items);
}

}  // namespace coffer::net
