// Counting voters: what a majority is, and what a majority holds. Pure functions.
// Source: Raft thesis, section 3.2 (majorities overlap) and figure 3.1 (the leader's commit rule).
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

#include "core/base/check.h"

namespace coffer::raft {

/// Voters needed so that any two sets of that many share one. Requires: voters > 0 (checked).
constexpr std::size_t majority(std::size_t voters) {
  check(voters > 0, "a group has voters");
  return voters / 2 + 1;
}

/// The highest value that a majority has reached; one value per voter, in any order (it is reordered).
/// Requires: not empty (checked).
template <class T>
T reached_by_majority(std::span<T> values) {
  const std::size_t needed = majority(values.size());
  const auto nth = values.begin() + static_cast<std::ptrdiff_t>(values.size() - needed);
  std::nth_element(values.begin(), nth, values.end());
  return *nth;
}

}  // namespace coffer::raft
