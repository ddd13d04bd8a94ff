#include "sim/kernel/trace_hash.h"

#include <algorithm>
#include <array>
#include <span>

namespace coffer::sim {

void TraceHash::fold(SimTime at, std::uint64_t sequence, std::uint32_t entity, std::uint32_t kind,
                     std::uint64_t digest) {
  const std::array<std::uint64_t, 6> words{state_.low,
                                           state_.high,
                                           static_cast<std::uint64_t>(at.nanos),
                                           sequence,
                                           (static_cast<std::uint64_t>(entity) << 32) | kind,
                                           digest};
  state_ = hash128(std::as_bytes(std::span(words)));
  ++events_;
  if (events_ % checkpoint_interval == 0) checkpoints_.push_back(state_);
}

std::optional<Difference> first_difference(const TraceHash& a, const TraceHash& b) {
  if (a.value() == b.value() && a.events() == b.events()) return std::nullopt;
  const std::size_t shared = std::min(a.checkpoints().size(), b.checkpoints().size());
  // A hash that has parted never meets again, so the equal checkpoints are a prefix.
  const auto parted = std::mismatch(
      a.checkpoints().begin(), a.checkpoints().begin() + static_cast<std::ptrdiff_t>(shared), b.checkpoints().begin());
  const std::uint64_t equal = static_cast<std::uint64_t>(parted.first - a.checkpoints().begin());
  return Difference{equal * TraceHash::checkpoint_interval, (equal + 1) * TraceHash::checkpoint_interval};
}

}  // namespace coffer::sim
