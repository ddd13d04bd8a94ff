// What a test says of an oracle: it was silent before the breach, and its reason names the numbers that contradict.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

namespace coffer::sim::oracles {

/// Whether one of the reasons holds all of these words.
inline bool told_of(const std::vector<std::string>& reasons, const std::vector<std::string>& words) {
  return std::any_of(reasons.begin(), reasons.end(), [&](const std::string& reason) {
    return std::all_of(words.begin(), words.end(),
                       [&](const std::string& word) { return reason.find(word) != std::string::npos; });
  });
}

inline std::string joined(const std::vector<std::string>& reasons) {
  std::string all;
  for (const std::string& reason : reasons) all += reason + "\n";
  return all;
}

}  // namespace coffer::sim::oracles
