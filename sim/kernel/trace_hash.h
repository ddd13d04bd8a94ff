// The rolling hash of a run: two runs are the same run if and only if their hashes agree. Every event folds in its
// time, its sequence number, where it happened, what kind it was and a digest of its payload. Checkpoints let two
// differing runs be bisected to their first different event.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/base/hash.h"
#include "sim/observe/sim_time.h"

namespace coffer::sim {

class TraceHash {
 public:
  /// Folded events between two checkpoints.
  static constexpr std::uint64_t checkpoint_interval = 1024;

  void fold(SimTime at, std::uint64_t sequence, std::uint32_t entity, std::uint32_t kind, std::uint64_t digest);

  Hash128 value() const { return state_; }
  std::uint64_t events() const { return events_; }
  /// The hash after every checkpoint_interval-th event.
  const std::vector<Hash128>& checkpoints() const { return checkpoints_; }

 private:
  Hash128 state_;
  std::uint64_t events_ = 0;
  std::vector<Hash128> checkpoints_;
};

/// Folded events of the first stretch in which two runs differ: [first, end). Nothing when the runs are equal.
struct Difference {
  std::uint64_t first = 0;
  std::uint64_t end = 0;
};
std::optional<Difference> first_difference(const TraceHash& a, const TraceHash& b);

}  // namespace coffer::sim
