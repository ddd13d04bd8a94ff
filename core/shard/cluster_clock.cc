#include "core/shard/cluster_clock.h"

#include <algorithm>
#include <vector>

namespace coffer::shard {

namespace {

/// Sums of honest values stay far inside 64 bits; a lying peer's must not overflow.
constexpr std::int64_t far_away = INT64_MAX / 4;

std::int64_t bounded(std::int64_t nanos) { return std::clamp(nanos, -far_away, far_away); }

std::int64_t drift_over(Duration elapsed) { return elapsed.nanos / 1'000'000 * ClusterClock::drift_ppm_max + 1; }

}  // namespace

void ClusterClock::sampled(NodeId peer, Instant sent, Instant received, WallTime wall, Duration error) {
  if (received < sent || error.nanos < 0 || peer == self_) {
    return;
  }
  samples_[peer] = {sent, received, {bounded(wall.nanos)}, {bounded(error.nanos)}};
}

std::optional<WallInterval> ClusterClock::interval_of(NodeId node, Now now) const {
  if (node == self_) {
    const std::int64_t error = bounded(now.wall_error.nanos);
    const std::int64_t wall = bounded(now.wall.nanos);
    return WallInterval{{wall - error}, {wall + error}};
  }
  const auto found = samples_.find(node);
  if (found == samples_.end()) {
    return std::nullopt;
  }
  const Sample& sample = found->second;
  const Duration at_least = now.monotonic - sample.received;
  const Duration at_most = now.monotonic - sample.sent;
  if (at_least.nanos < 0 || at_most > sample_age_max) {
    return std::nullopt;
  }
  return WallInterval{{sample.wall.nanos - sample.error.nanos + at_least.nanos - drift_over(at_least)},
                      {sample.wall.nanos + sample.error.nanos + at_most.nanos + drift_over(at_most)}};
}

/// Marzullo's sweep over the intervals' edges: the stretch that most of them hold.
std::optional<WallInterval> ClusterClock::agreed(std::span<const NodeId> voters, Now now) const {
  struct Edge {
    std::int64_t at;
    bool ends;
    bool operator<(const Edge& other) const { return at != other.at ? at < other.at : ends < other.ends; }
  };
  std::vector<Edge> edges;
  for (const NodeId voter : voters) {
    if (const std::optional<WallInterval> interval = interval_of(voter, now)) {
      edges.push_back({interval->earliest.nanos, false});
      edges.push_back({interval->latest.nanos, true});
    }
  }
  std::sort(edges.begin(), edges.end());
  std::size_t holding = 0;
  std::size_t most = 0;
  WallInterval best;
  for (std::size_t i = 0; i < edges.size(); ++i) {
    if (edges[i].ends) {
      --holding;
    } else if (++holding > most) {
      most = holding;
      best = {{edges[i].at}, {edges[i + 1].at}};  // the next edge ends one of them, or is where the next begins
    }
  }
  if (most < voters.size() / 2 + 1) {
    return std::nullopt;
  }
  return best;
}

std::optional<WallTime> ClusterClock::time(std::span<const NodeId> voters, Now now) const {
  const std::optional<WallInterval> interval = agreed(voters, now);
  if (!interval) {
    return std::nullopt;
  }
  return std::clamp(now.wall, interval->earliest, interval->latest);
}

}  // namespace coffer::shard
