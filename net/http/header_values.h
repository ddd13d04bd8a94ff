// What the values of request headers mean to the wallet; absent is empty. Pure.
#pragma once

#include <cstdint>
#include <string_view>

namespace coffer::net {

/// Whether Accept lets application/json pass (RFC 9110, 12.5.1). Absent means anything.
bool accepts_json(std::string_view accept);
/// Whether Content-Type is application/json, at most with charset=utf-8.
bool is_json(std::string_view content_type);
/// Prefer: wait=N, in seconds (RFC 7240, 4.3), as milliseconds from 1 to 60000; 5000 where there is none.
std::uint32_t patience_of(std::string_view prefer);
/// Idempotency-Key, bare or as a quoted string.
std::string_view bare_key(std::string_view header);

}  // namespace coffer::net
