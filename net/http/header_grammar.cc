#include "net/http/header_grammar.h"

#include <algorithm>

namespace coffer::net {

namespace {

constexpr std::size_t fields_max = 100;

bool is_control(char c) {
  const auto u = static_cast<unsigned char>(c);
  return (u < 0x20 && c != '\t') || u == 0x7F;
}

bool same_name(std::string_view a, std::string_view lower) {
  return a.size() == lower.size() && std::equal(a.begin(), a.end(), lower.begin(), [](char x, char y) {
           return (x >= 'A' && x <= 'Z' ? static_cast<char>(x - 'A' + 'a') : x) == y;
         });
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  return first == std::string_view::npos ? std::string_view()
                                         : text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// The next line without its CRLF. Requires: may_be_head, and a CRLF in `rest`.
std::string_view take_line(std::string_view& rest) {
  const std::size_t end = rest.find("\r\n");
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end + 2);
  return line;
}

struct Seen {
  std::size_t fields = 0;
  std::size_t hosts = 0;
  std::size_t lengths = 0;
  std::size_t encodings = 0;
};

std::optional<std::string> field_mistake(std::string_view line, Seen& seen) {
  if (line.front() == ' ' || line.front() == '\t') {
    return "a field is folded over several lines";
  }
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) {
    return "a field has no name";
  }
  const std::string_view name = line.substr(0, colon);
  if (name.find_first_of(" \t") != std::string_view::npos) {
    return "there is white space before a field's colon";
  }
  const std::string_view value = trimmed(line.substr(colon + 1));
  if (same_name(name, "host")) {
    ++seen.hosts;
  } else if (same_name(name, "content-length")) {
    ++seen.lengths;
    if (value.empty() || value.size() > 10 || value.find_first_not_of("0123456789") != std::string_view::npos) {
      return "Content-Length is not a number";
    }
  } else if (same_name(name, "transfer-encoding")) {
    ++seen.encodings;
    if (!same_name(value, "chunked")) {
      return "the only Transfer-Encoding known here is chunked";
    }
  }
  if (++seen.fields > fields_max) {
    return "there are more than " + std::to_string(fields_max) + " fields";
  }
  return std::nullopt;
}

std::optional<std::string> request_line_mistake(std::string_view line) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last || first == 0) {
    return "the request line is not: method, target, version";
  }
  const std::string_view target = line.substr(first + 1, last - first - 1);
  if (target.empty() || target.front() != '/' || target.find_first_of(" \t#") != std::string_view::npos) {
    return "the target must be a path";
  }
  const std::string_view version = line.substr(last + 1);
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    return "the version must be HTTP/1.1";
  }
  const bool ascii = std::all_of(line.begin(), line.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  return ascii ? std::nullopt : std::optional<std::string>("the target is not ASCII; percent-encode it");
}

}  // namespace

std::optional<std::size_t> head_size(std::string_view bytes) {
  const std::size_t end = bytes.find("\r\n\r\n");
  return end == std::string_view::npos ? std::nullopt : std::optional<std::size_t>(end + 4);
}

bool may_be_head(std::string_view bytes) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const char c = bytes[i];
    if (c == '\r') {
      if (i + 1 < bytes.size() && bytes[i + 1] != '\n') {
        return false;
      }
    } else if (c == '\n') {
      if (i == 0 || bytes[i - 1] != '\r') {
        return false;
      }
    } else if (is_control(c)) {
      return false;
    }
  }
  return true;
}

std::optional<std::string> head_mistake(std::string_view head) {
  if (!may_be_head(head)) {
    return "the head contains a bare CR, a bare LF or a control character";
  }
  std::string_view rest = head;
  const std::string_view request_line = take_line(rest);
  if (std::optional<std::string> mistake = request_line_mistake(request_line)) {
    return mistake;
  }
  Seen seen;
  for (std::string_view line = take_line(rest); !line.empty(); line = take_line(rest)) {
    if (std::optional<std::string> mistake = field_mistake(line, seen)) {
      return mistake;
    }
  }
  if (seen.lengths + seen.encodings > 1) {
    return "the length of the body is given more than once";
  }
  if (seen.encodings > 0 && request_line.substr(request_line.size() - 3) != "1.1") {
    return "HTTP/1.0 has no Transfer-Encoding";
  }
  if (seen.hosts > 1 || (seen.hosts == 0 && request_line.substr(request_line.size() - 3) == "1.1")) {
    return "there must be exactly one Host";
  }
  return std::nullopt;
}

}  // namespace coffer::net
