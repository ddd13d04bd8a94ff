// JSON Schema as far as /openapi.json uses it (2020-12). A word it does not know is a mistake of the schema, so that
// nothing is believed to be checked that is not.
#pragma once

#include <regex>
#include <set>
#include <string>

#include <nlohmann/json.hpp>

namespace coffer::test {

class SchemaCheck {
 public:
  using Json = nlohmann::json;

  /// `document`: what "#/..." is looked up in.
  explicit SchemaCheck(const Json& document) : document_(document) {}

  /// Where and why `value` is not as the schema wants it; empty when it is.
  std::string mistake(const Json& schema, const Json& value, const std::string& at = "") const {
    std::string found;
    for (const auto& [word, wanted] : schema.items()) {
      found = found.empty() ? mistake_in(word, wanted, schema, value, at) : found;
    }
    return found;
  }
  const Json& find(const std::string& reference) const { return document_.at(Json::json_pointer(reference.substr(1))); }

 private:
  std::string mistake_in(const std::string& word, const Json& wanted, const Json& schema, const Json& value,
                         const std::string& at) const {
    if (word == "$ref") return mistake(find(wanted), value, at);
    if (word == "default") return "";
    bool good = false;
    if (word == "type") good = is_of(wanted, value);
    if (word == "enum") good = std::find(wanted.begin(), wanted.end(), value) != wanted.end();
    if (word == "pattern")
      good = !value.is_string() || std::regex_search(value.get<std::string>(), std::regex(wanted.get<std::string>()));
    if (word == "minimum") good = !value.is_number() || value >= wanted;
    if (word == "maximum") good = !value.is_number() || value <= wanted;
    if (word == "minItems") good = !value.is_array() || value.size() >= wanted.get<std::size_t>();
    if (word == "maxItems") good = !value.is_array() || value.size() <= wanted.get<std::size_t>();
    if (word == "required") good = has_all(wanted, value);
    if (word == "additionalProperties") good = wanted == false && has_no_others(schema.at("properties"), value);
    if (word == "items") return in_items(wanted, value, at);
    if (word == "properties") return in_members(wanted, value, at);
    return good ? "" : at + ": " + word + " " + wanted.dump().substr(0, 80);
  }

  static bool is_of(const Json& type, const Json& value) {
    return (type == "object" && value.is_object()) || (type == "array" && value.is_array()) ||
           (type == "string" && value.is_string()) || (type == "boolean" && value.is_boolean()) ||
           (type == "integer" && value.is_number_integer());
  }
  static bool has_all(const Json& names, const Json& value) {
    return !value.is_object() || std::all_of(names.begin(), names.end(), [&value](const Json& name) {
      return value.contains(name.get<std::string>());
    });
  }
  static bool has_no_others(const Json& members, const Json& value) {
    if (!value.is_object()) return true;
    for (const auto& [name, member] : value.items()) {
      if (!members.contains(name)) return false;
    }
    return true;
  }
  std::string in_items(const Json& schema, const Json& value, const std::string& at) const {
    std::string found;
    for (std::size_t i = 0; value.is_array() && i < value.size() && found.empty(); ++i) {
      found = mistake(schema, value[i], at + "/" + std::to_string(i));
    }
    return found;
  }
  std::string in_members(const Json& schemas, const Json& value, const std::string& at) const {
    std::string found;
    for (const auto& [name, schema] : schemas.items()) {
      if (found.empty() && value.is_object() && value.contains(name)) {
        found = mistake(schema, value[name], at + "/" + name);
      }
    }
    return found;
  }

  const Json& document_;
};

}  // namespace coffer::test
