// What Beast lets pass in a request's head and a wallet does not: everything two readers could read differently
// (request smuggling). Source: RFC 9112, sections 2.2, 3, 5.1, 5.2, 6.1, 6.3. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace coffer::net {

/// How many bytes of `bytes` are the head with its empty line; nothing when it is not complete yet.
std::optional<std::size_t> head_size(std::string_view bytes);
/// Whether what came so far can still become a head: no bare LF, no bare CR, no control characters.
bool may_be_head(std::string_view bytes);
/// Why this complete head is refused; nothing when Beast may read it.
std::optional<std::string> head_mistake(std::string_view head);

}  // namespace coffer::net
