#include "sim/oracles/disk_log.h"

#include <algorithm>

#include "sim/oracles/book.h"

namespace coffer::sim::oracles {

std::optional<std::string> DiskLog::append(const EntryOnDisk& entry) {
  begun_ = true;
  if (entry.index.value != last() + 1) {
    return text(entry.shard) + " entry " + std::to_string(entry.index.value) + " stands behind entry " +
           std::to_string(last());
  }
  entries_.push_back({entry.term, entry.kind, hash128(entry.payload)});
  return std::nullopt;
}

std::optional<std::string> DiskLog::cut(const CutOnDisk& cut) {
  begun_ = true;
  const std::uint64_t from = cut.from.value;
  if (from <= base_.index.value || from > last() + 1) {
    return text(cut.shard) + " is cut from entry " + std::to_string(from) + " on, and goes from entry " +
           std::to_string(base_.index.value) + " to entry " + std::to_string(last());
  }
  if (from >= first_) {
    entries_.resize(static_cast<std::size_t>(from - first_));
  } else {
    entries_.clear();
    first_ = from;
  }
  matched_ = std::min(matched_, from - 1);
  return std::nullopt;
}

std::optional<std::string> DiskLog::restore(const BaseOnDisk& base) {
  begun_ = true;
  const std::uint64_t index = base.base.index.value;
  if (index < base_.index.value || (base.keeps && index > last())) {
    return text(base.shard) + " is to begin behind entry " + std::to_string(index) + ", and goes from entry " +
           std::to_string(base_.index.value) + " to entry " + std::to_string(last());
  }
  if (base.keeps && index >= first_ && entries_[static_cast<std::size_t>(index - first_)].term != base.base.term) {
    return text(base.shard) + " is to keep what is behind entry " + std::to_string(index) + " of term " +
           std::to_string(base.base.term.value) + ", and holds another one there";
  }
  if (!base.keeps) {
    entries_.clear();
    first_ = index + 1;
  } else if (index >= first_) {
    entries_.erase(entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(index + 1 - first_));
    first_ = index + 1;
  }
  base_ = base.base;
  matched_ = 0;
  return std::nullopt;
}

std::optional<std::string> DiskLog::stands(const StandingOnDisk& standing) {
  if (!begun_) {
    begun_ = true;
    base_ = standing.base;
    first_ = standing.last.index.value + 1;
    return std::nullopt;
  }
  if (standing.base.index == base_.index && standing.last.index.value == last()) return std::nullopt;
  return text(standing.shard) + " is said to go from entry " + std::to_string(standing.base.index.value) +
         " to entry " + std::to_string(standing.last.index.value) + ", and goes from entry " +
         std::to_string(base_.index.value) + " to entry " + std::to_string(last());
}

std::uint64_t DiskLog::matched(const std::vector<StoredEntry>& committed, std::uint64_t covered) {
  if (covered < covered_) matched_ = 0;  // a snapshot that counted is gone
  covered_ = covered;
  matched_ = std::max(matched_, std::min<std::uint64_t>(covered, committed.size()));
  if (first_ > matched_ + 1) return matched_;
  const std::uint64_t end = std::min<std::uint64_t>(last(), committed.size());
  while (matched_ < end && entries_[static_cast<std::size_t>(matched_ + 1 - first_)] == committed[matched_]) {
    ++matched_;
  }
  return matched_;
}

}  // namespace coffer::sim::oracles
