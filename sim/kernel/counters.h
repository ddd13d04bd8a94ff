// Named counts of a run: faults that fired, interesting states that were reached. Ordered by name, so that they print
// and add up alike everywhere.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace coffer::sim {

class Counters {
 public:
  void declare(std::string_view name) { counts_.try_emplace(std::string(name), 0); }
  void add(std::string_view name, std::uint64_t count = 1) {
    const auto found = counts_.find(name);
    if (found == counts_.end()) {
      counts_.emplace(std::string(name), count);
    } else {
      found->second += count;
    }
  }
  std::uint64_t of(std::string_view name) const {
    const auto found = counts_.find(name);
    return found == counts_.end() ? 0 : found->second;
  }
  std::map<std::string, std::uint64_t> to_map() const { return {counts_.begin(), counts_.end()}; }

 private:
  std::map<std::string, std::uint64_t, std::less<>> counts_;
};

}  // namespace coffer::sim
