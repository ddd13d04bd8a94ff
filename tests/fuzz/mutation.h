// Byte strings somebody might send: valid ones with a few changes, or noise. The same seed gives the same strings.
#pragma once

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "core/base/prng.h"

namespace coffer::fuzz {

class Mutation {
 public:
  explicit Mutation(std::uint64_t seed) : draw_(seed) {}

  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(draw_.below(bound)); }
  bool chance(std::uint32_t per_mille) { return draw_.chance(per_mille); }
  const std::string& one_of(const std::vector<std::string>& corpus) { return corpus[below(corpus.size())]; }

  std::string noise(std::size_t size_max) {
    std::string bytes(below(size_max + 1), '\0');
    for (char& byte : bytes) {
      byte = static_cast<char>(draw_.next());
    }
    return bytes;
  }

  /// One to four changes.
  std::string changed(std::string bytes) {
    const std::size_t changes = 1 + below(4);
    for (std::size_t i = 0; i < changes; ++i) {
      change(bytes);
    }
    return bytes;
  }

 private:
  void change(std::string& bytes) {
    const std::size_t at = below(bytes.size() + 1);
    const std::size_t rest = bytes.size() - at;
    switch (below(7)) {
      case 0:
        if (rest > 0) bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(8)));
        break;
      case 1:
        if (rest > 0) bytes[at] = static_cast<char>(draw_.next());
        break;
      case 2:
        bytes.erase(at, below(std::min<std::size_t>(rest, 16) + 1));
        break;
      case 3:
        bytes.insert(at, noise(16));
        break;
      case 4:
        bytes.insert(at, bytes.substr(at, below(64)));
        break;
      case 5:
        bytes.resize(at);
        break;
      default:
        overwrite(bytes, at);
        break;
    }
  }
  void overwrite(std::string& bytes, std::size_t at) {
    constexpr std::uint64_t numbers[] = {0,        1,          0x7F,       0x80,       0xFF,
                                         0x100,    0x7FFF,     0xFFFF,     0x7FFFFFFF, 0x80000000,
                                         1u << 31, 0xFFFFFFFF, 1ull << 62, INT64_MAX,  UINT64_MAX};
    const std::uint64_t number = numbers[below(std::size(numbers))];
    const std::size_t width = std::size_t{1} << below(4);
    if (bytes.size() - at >= width) {
      std::memcpy(bytes.data() + at, &number, width);
    }
  }

  Prng draw_;
};

}  // namespace coffer::fuzz
