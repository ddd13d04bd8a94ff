// Text form of UUIDs (RFC 9562, section 4): 8-4-4-4-12 hexadecimal digits.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/ids.h"

namespace coffer {

/// Reads the canonical 36-character form in either case; nothing for any other form (braces, "urn:uuid:", no hyphens).
/// Every version and variant is accepted: the id is opaque. Source: RFC 9562, section 4.
std::optional<Uuid> parse_uuid(std::string_view text);
/// The canonical form in lower case.
std::string to_string(const Uuid& uuid);

}  // namespace coffer
