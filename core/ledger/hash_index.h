// HashIndex: a derived index from a key's 64-bit hash to the rows that may have that key; the rows themselves decide.
// Open addressing with linear probing, eight slots to a cache line. Never iterated as a whole, never exported: it can
// be rebuilt from the rows at any time. Single-threaded.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/check.h"

namespace coffer::ledger {

class HashIndex {
 public:
  static constexpr std::uint32_t none = 0xFFFF'FFFFu;

  /// A row added with this hash for which `matches(row)` holds, or `none`.
  template <class Matches>
  std::uint32_t find(std::uint64_t hash, Matches&& matches) const {
    const Part& part = parts_[part_of(hash)];
    if (part.slots.empty()) return none;
    const std::uint32_t tag = tag_of(hash);
    for (std::size_t at = tag & part.mask();; at = (at + 1) & part.mask()) {
      const Slot slot = part.slots[at];
      if (slot == empty) return none;
      if (tag_in(slot) == tag && matches(row_in(slot))) return row_in(slot);
    }
  }
  /// The first row that may have this hash, or `none`: a guess for prefetching.
  std::uint32_t guess(std::uint64_t hash) const {
    return find(hash, [](std::uint32_t) { return true; });
  }
  /// Starts loading what find will look at. Inlined always, as is every function around it that does nothing else: g++
  /// takes a function that only prefetches for one without effect, and drops the calls it has not inlined.
  [[gnu::always_inline]] void prefetch(std::uint64_t hash) const {
    const Part& part = parts_[part_of(hash)];
    if (!part.slots.empty()) __builtin_prefetch(part.slots.data() + (tag_of(hash) & part.mask()));
  }

  /// Requires: row != none (checked). Rows with equal hashes may stand side by side.
  void add(std::uint64_t hash, std::uint32_t row) {
    check(row != none, "row numbers do not run out");
    Part& part = parts_[part_of(hash)];
    if (part.used * 2 >= part.slots.size()) part.grow();
    part.insert(Slot{tag_of(hash)} << 32 | (row + 1));
    ++part.used;
  }
  /// The inverse of add. Requires: the row was added with this hash (checked).
  void remove(std::uint64_t hash, std::uint32_t row) {
    Part& part = parts_[part_of(hash)];
    check(part.used > 0, "only rows added are removed");
    const Slot wanted = Slot{tag_of(hash)} << 32 | (row + 1);
    std::size_t at = tag_of(hash) & part.mask();
    while (part.slots[at] != wanted) {
      check(part.slots[at] != empty, "only rows added are removed");
      at = (at + 1) & part.mask();
    }
    part.erase(at);
    --part.used;
  }

 private:
  using Slot = std::uint64_t;  ///< tag in the high half, row + 1 in the low half
  static constexpr Slot empty = 0;
  static std::uint32_t tag_in(Slot slot) { return static_cast<std::uint32_t>(slot >> 32); }
  static std::uint32_t row_in(Slot slot) { return static_cast<std::uint32_t>(slot) - 1; }

  // Many small tables, so that none takes long when it grows, and not all grow at once. Their number, the place in one
  // and the tag come from different bits than an account's slot.
  static constexpr std::size_t part_count = 64;
  static std::size_t part_of(std::uint64_t hash) { return hash >> 58; }
  static std::uint32_t tag_of(std::uint64_t hash) { return static_cast<std::uint32_t>(hash >> 26); }

  struct Part {
    std::vector<Slot> slots;  ///< a power of two, at most half used, or nothing
    std::size_t used = 0;

    std::size_t mask() const { return slots.size() - 1; }
    void insert(Slot slot) {
      std::size_t at = tag_in(slot) & mask();
      while (slots[at] != empty) at = (at + 1) & mask();
      slots[at] = slot;
    }
    void grow() {
      constexpr std::size_t first_size = 8;
      std::vector<Slot> old(slots.empty() ? first_size : slots.size() * 2, empty);
      old.swap(slots);
      for (const Slot slot : old) {
        if (slot != empty) insert(slot);
      }
    }
    /// Closes the hole, so that no probe ends too early.
    void erase(std::size_t hole) {
      for (std::size_t at = (hole + 1) & mask(); slots[at] != empty; at = (at + 1) & mask()) {
        const std::size_t home = tag_in(slots[at]) & mask();
        if (((at - home) & mask()) < ((at - hole) & mask())) continue;
        slots[hole] = slots[at];
        hole = at;
      }
      slots[hole] = empty;
    }
  };

  std::array<Part, part_count> parts_;
};

}  // namespace coffer::ledger
