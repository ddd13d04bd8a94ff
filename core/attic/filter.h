// The filter of a run: a split block Bloom filter, so that an id that is new costs no read of the disk. One block of 32
// bytes per hash asked: one cache line. Deterministic: the same hashes give the same words, in whatever order.
//
// Source: Apache Parquet format, BloomFilter.md ("split block Bloom filter"); Putze, Sanders, Singler, "Cache-, Hash-
// and Space-Efficient Bloom Filters", 2007. Block = ((hash >> 32) * blocks) >> 32; bit i of word i from the low half of
// the hash times an odd constant, upper 5 bits; the eight salts are Parquet's. With 16 bits a key some 0.1 % of hashes
// never added are said to be there.
#pragma once

#include <cstdint>
#include <vector>

namespace coffer::attic {

inline constexpr std::uint32_t words_per_block = 8;
inline constexpr std::uint64_t bits_per_key = 16;

/// Blocks for so many keys: 256 bits each, bits_per_key a key, rounded up; 0 for no keys. Requires: keys <=
/// run_records_max (checked).
std::uint32_t blocks_for(std::uint64_t keys);

class Filter {
 public:
  /// Empty, of `blocks` blocks. Without blocks it holds nothing and may_have is always false.
  explicit Filter(std::uint32_t blocks = 0) : words_(std::size_t{blocks} * words_per_block) {}
  /// Takes words as they were written. Requires: a multiple of words_per_block (checked).
  explicit Filter(std::vector<std::uint32_t> words);

  /// Requires: it has blocks (checked).
  void add(std::uint64_t hash);
  /// False: it was never added.
  bool may_have(std::uint64_t hash) const;
  /// Starts loading what may_have will look at.
  [[gnu::always_inline]] void prefetch(std::uint64_t hash) const {
    if (!words_.empty()) __builtin_prefetch(words_.data() + block_of(hash) * words_per_block);
  }
  const std::vector<std::uint32_t>& words() const { return words_; }

 private:
  std::uint64_t block_of(std::uint64_t hash) const {
    const std::uint64_t blocks = words_.size() / words_per_block;
    return ((hash >> 32) * blocks) >> 32;
  }

  std::vector<std::uint32_t> words_;
};

}  // namespace coffer::attic
