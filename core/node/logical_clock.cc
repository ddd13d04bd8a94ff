#include "core/node/logical_clock.h"

#include <algorithm>

namespace coffer::node {

namespace {

/// Members of a cluster and of all its pasts; a longer vector is no honest one.
constexpr std::uint32_t nodes_max = 1024;
/// Numbers from a peer beyond this are malformed: no honest node gets there, and +1 can never overflow.
constexpr std::uint64_t time_max = std::uint64_t{1} << 62;

}  // namespace

std::uint64_t& LogicalClock::component(NodeId node) {
  const auto found = std::lower_bound(vector_.begin(), vector_.end(), node,
                                      [](const auto& entry, NodeId wanted) { return entry.first < wanted; });
  if (found != vector_.end() && found->first == node) {
    return found->second;
  }
  return vector_.insert(found, {node, 0})->second;
}

void LogicalClock::begin_life(std::uint64_t floor) {
  lamport_ = std::max(lamport_, floor);
  std::uint64_t& own = component(self_);
  own = std::max(own, floor);
}

void LogicalClock::begin_step() { ++component(self_); }

bool LogicalClock::received(ByteView section) {
  ByteReader in(section);
  const std::uint64_t lamport = in.u64();
  const std::uint32_t count = in.u32();
  if (!in.ok() || lamport > time_max || count > nodes_max) {
    return false;
  }
  VectorTime theirs;
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    const NodeId node = in.id<NodeId>();
    const std::uint64_t steps = in.u64();
    if (steps > time_max || (!theirs.empty() && node <= theirs.back().first)) {
      return false;
    }
    theirs.emplace_back(node, steps);
  }
  if (!in.done()) {
    return false;
  }
  lamport_ = std::max(lamport_, lamport);
  for (const auto& [node, steps] : theirs) {
    std::uint64_t& known = component(node);
    known = std::max(known, steps);
  }
  return true;
}

void LogicalClock::stamp(std::vector<TraceEvent>& events) {
  for (TraceEvent& event : events) {
    if (event.lamport == 0) {
      event.lamport = ++lamport_;
    }
  }
}

void LogicalClock::encode(ByteWriter& out) const {
  out.u64(lamport_);
  out.u32(static_cast<std::uint32_t>(vector_.size()));
  for (const auto& [node, steps] : vector_) {
    out.id(node);
    out.u64(steps);
  }
}

}  // namespace coffer::node
