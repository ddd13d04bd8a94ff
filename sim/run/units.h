// Durations and sizes as scenarios write them: "150ms", "10MiB". Whole numbers only. Reading what was written gives the
// same value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/time.h"

namespace coffer::sim {

/// Units ns us ms s min h. Nothing when it is not a whole number of one of them, or too large.
std::optional<Duration> parse_duration(std::string_view text);
/// Units B KiB MiB GiB.
std::optional<std::uint64_t> parse_size(std::string_view text);
/// With the largest unit that divides it.
std::string format_duration(Duration duration);
std::string format_size(std::uint64_t bytes);

/// The word of `known` that `word` was probably meant to be; empty when none is near.
std::string nearest(std::string_view word, const std::vector<std::string>& known);

}  // namespace coffer::sim
