// Requests already taken, so that a frame delivered twice is not executed twice: a refusal that was told speaks for its
// attempt, and a second copy of that attempt must not turn it into a success. Links deliver at most once by themselves;
// this guards against those that do not. Bounded: the latest `capacity` are remembered.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <set>
#include <utility>

namespace coffer::node {

class SeenOnce {
 public:
  explicit SeenOnce(std::size_t capacity) : capacity_(capacity) {}

  /// True the first time this number comes from this sender.
  bool first_time(std::uint64_t sender, std::uint64_t number) {
    if (!seen_.emplace(sender, number).second) {
      return false;
    }
    order_.emplace_back(sender, number);
    if (order_.size() > capacity_) {
      seen_.erase(order_.front());
      order_.pop_front();
    }
    return true;
  }

 private:
  std::size_t capacity_;
  std::set<std::pair<std::uint64_t, std::uint64_t>> seen_;
  std::deque<std::pair<std::uint64_t, std::uint64_t>> order_;
};

}  // namespace coffer::node
