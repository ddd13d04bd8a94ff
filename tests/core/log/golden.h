// Golden files: bytes of a format held still in tests/data/log, as text a reviewer can read. Rewrite them, after a
// wanted change of format and of its version, with COFFER_REWRITE_GOLDEN=1.
#pragma once

#include <string>

#include "core/base/bytes.h"

namespace coffer::log {

/// Rows of 16 bytes in hex with their offsets; rows of zeros are left out; the size comes first.
std::string hex_rows(ByteView bytes);
/// The golden file `name`, as text; first rewritten with `bytes` if that was asked for.
std::string golden_rows(const std::string& name, ByteView bytes);

}  // namespace coffer::log
