// What an operator reads: one line per event on stderr, with time and level. Nothing per request, no account ids, no
// amounts. Any thread; a line is written whole.
#pragma once

#include <cstdint>
#include <string_view>

namespace coffer::net {

enum class Level : std::uint8_t { info, warning, error };

/// "2026-11-21T22:15:03.123456789Z warning peer 2: connection refused"
void journal(Level level, std::string_view line);

}  // namespace coffer::net
