// HashIndex: a derived index from a 64-bit hash to the newest row that has it. Rows with equal hashes are chained by
// the rows themselves. Never iterated, never exported: it can be rebuilt from the rows at any time. Single-threaded.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <boost/unordered/unordered_flat_map.hpp>

#include "core/base/check.h"

namespace coffer::ledger {

class HashIndex {
 public:
  static constexpr std::uint32_t none = 0xFFFF'FFFFu;

  /// The newest row with this hash, or `none`.
  std::uint32_t find(std::uint64_t hash) const {
    const Part& part = parts_[part_of(hash)];
    const auto found = part.find(hash);
    return found == part.end() ? none : found->second;
  }
  /// Makes `row` the newest with this hash; returns the one before it, or `none`: the caller chains them.
  std::uint32_t push(std::uint64_t hash, std::uint32_t row) {
    const auto [place, added] = parts_[part_of(hash)].try_emplace(hash, row);
    if (added) return none;
    const std::uint32_t before = place->second;
    place->second = row;
    return before;
  }
  /// The inverse of push: `row` goes, `before` is the newest again. Requires: `row` is the newest (checked).
  void pop(std::uint64_t hash, std::uint32_t row, std::uint32_t before) {
    Part& part = parts_[part_of(hash)];
    const auto place = part.find(hash);
    check(place != part.end() && place->second == row, "rows leave an index in the reverse order of their coming");
    if (before == none) {
      part.erase(place);
    } else {
      place->second = before;
    }
  }

 private:
  struct AsItIs {
    std::size_t operator()(std::uint64_t hash) const noexcept { return hash; }
  };
  using Part = boost::unordered_flat_map<std::uint64_t, std::uint32_t, AsItIs>;

  // Many small tables, so that none takes long when it grows, and not all grow at once.
  static constexpr std::size_t part_count = 64;
  static std::size_t part_of(std::uint64_t hash) { return (hash >> 20) % part_count; }

  std::array<Part, part_count> parts_;
};

}  // namespace coffer::ledger
