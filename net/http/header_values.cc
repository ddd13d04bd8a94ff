#include "net/http/header_values.h"

#include <algorithm>
#include <charconv>
#include <string>

namespace coffer::net {

namespace {

constexpr std::uint32_t patience_default_ms = 5000;
constexpr std::uint32_t patience_max_ms = 60'000;

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return out;
}

/// Takes the next piece up to `separator` off `rest`.
std::string_view take(std::string_view& rest, char separator) {
  const std::size_t end = std::min(rest.find(separator), rest.size());
  const std::string_view piece = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return trimmed(piece);
}

}  // namespace

bool accepts_json(std::string_view accept) {
  if (trimmed(accept).empty()) {
    return true;
  }
  while (!accept.empty()) {
    std::string_view range = take(accept, ',');
    const std::string type = lower(take(range, ';'));
    bool refused = false;
    while (!range.empty()) {
      const std::string parameter = lower(take(range, ';'));
      refused =
          refused || (parameter.rfind("q=0", 0) == 0 && parameter.find_first_not_of("0.", 2) == std::string::npos);
    }
    if (!refused && (type == "*/*" || type == "application/*" || type == "application/json")) {
      return true;
    }
  }
  return false;
}

bool is_json(std::string_view content_type) {
  if (lower(take(content_type, ';')) != "application/json") {
    return false;
  }
  while (!content_type.empty()) {
    const std::string parameter = lower(take(content_type, ';'));
    if (!parameter.empty() && parameter != "charset=utf-8" && parameter != "charset=\"utf-8\"") {
      return false;
    }
  }
  return true;
}

std::uint32_t patience_of(std::string_view prefer) {
  while (!prefer.empty()) {
    const std::string preference = lower(take(prefer, ','));
    if (preference.rfind("wait=", 0) != 0) {
      continue;
    }
    std::uint32_t wait_s = 0;
    const char* end = preference.data() + preference.size();
    const auto [stop, failed] = std::from_chars(preference.data() + 5, end, wait_s);
    if (failed == std::errc() && stop == end) {
      return std::max(1u, std::min(wait_s, patience_max_ms / 1000) * 1000);
    }
  }
  return patience_default_ms;
}

std::string_view bare_key(std::string_view header) {
  const std::string_view key = trimmed(header);
  return key.size() >= 2 && key.front() == '"' && key.back() == '"' ? key.substr(1, key.size() - 2) : key;
}

}  // namespace coffer::net
