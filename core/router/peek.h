// The head of a request, read without decoding the rest: enough to route it.
#pragma once

#include <optional>

#include "core/base/bytes.h"
#include "core/router/protocol.h"

namespace coffer::router {

/// Nothing when the bytes are too short or kind or route are unknown. The rest may still be malformed.
std::optional<RequestHeader> peek_header(ByteView body);

}  // namespace coffer::router
