#include "core/shard/epoch.h"

#include <algorithm>

#include "core/base/check.h"

namespace coffer::shard {

EpochCounter::EpochCounter(std::uint64_t epoch_bytes, Index boundary, std::uint64_t state_size)
    : epoch_bytes_(epoch_bytes), last_(boundary), committed_(boundary) {
  check(epoch_bytes > 0, "an epoch has bytes");
  epochs_.push_back({boundary, length_after(state_size), 0});
}

std::uint64_t EpochCounter::length_after(std::uint64_t state_size) const { return std::max(epoch_bytes_, state_size); }

bool EpochCounter::passed(Index index, std::uint64_t payload_bytes, std::uint64_t state_size) {
  check(index == last_.next(), "entries are passed without gaps");
  last_ = index;
  Epoch& epoch = epochs_.back();
  epoch.bytes += payload_bytes;
  if (epoch.bytes < epoch.length) return false;
  epochs_.push_back({index, length_after(state_size), 0});
  return true;
}

bool EpochCounter::undone(Index index, std::uint64_t payload_bytes) {
  check(index == last_ && index > committed_, "only the last entry is undone, and no committed one");
  const bool was_boundary = epochs_.back().boundary == index;
  if (was_boundary) epochs_.pop_back();
  check(!epochs_.empty() && epochs_.back().bytes >= payload_bytes, "what is undone was passed");
  epochs_.back().bytes -= payload_bytes;
  last_ = Index(index.value - 1);
  return was_boundary;
}

void EpochCounter::committed(Index index) {
  committed_ = std::max(committed_, std::min(index, last_));
  std::size_t gone = 0;
  while (gone + 1 < epochs_.size() && epochs_[gone + 1].boundary <= committed_) ++gone;
  epochs_.erase(epochs_.begin(), epochs_.begin() + static_cast<std::ptrdiff_t>(gone));
}

}  // namespace coffer::shard
