#include "core/attic/filter.h"

#include <array>
#include <utility>

#include "core/attic/run_format.h"
#include "core/base/check.h"

namespace coffer::attic {
namespace {

constexpr std::uint64_t bits_per_block = 32 * words_per_block;
constexpr std::array<std::uint32_t, words_per_block> salts = {0x47b6137bu, 0x44974d91u, 0x8824ad5bu, 0xa2b7289du,
                                                              0x705495c7u, 0x2df1424bu, 0x9efc4947u, 0x5c6bfb31u};

/// The one bit of a block's word that stands for the hash.
std::uint32_t bit_of(std::uint64_t hash, std::size_t word) {
  return std::uint32_t{1} << ((static_cast<std::uint32_t>(hash) * salts[word]) >> 27);
}

}  // namespace

std::uint32_t blocks_for(std::uint64_t keys) {
  check(keys <= run_records_max, "a filter has no more keys than a run has records");
  return static_cast<std::uint32_t>((keys * bits_per_key + bits_per_block - 1) / bits_per_block);
}

Filter::Filter(std::vector<std::uint32_t> words) : words_(std::move(words)) {
  check(words_.size() % words_per_block == 0, "a filter is made of whole blocks");
}

void Filter::add(std::uint64_t hash) {
  check(!words_.empty(), "a filter that is added to has blocks");
  std::uint32_t* const block = words_.data() + block_of(hash) * words_per_block;
  for (std::size_t word = 0; word < words_per_block; ++word) block[word] |= bit_of(hash, word);
}

bool Filter::may_have(std::uint64_t hash) const {
  if (words_.empty()) return false;
  const std::uint32_t* const block = words_.data() + block_of(hash) * words_per_block;
  std::uint32_t missing = 0;
  for (std::size_t word = 0; word < words_per_block; ++word) missing |= bit_of(hash, word) & ~block[word];
  return missing == 0;
}

}  // namespace coffer::attic
