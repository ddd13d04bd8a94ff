// Cluster time: the interval on which the clocks of a majority agree. Every node now and then asks its peers what time
// it is; an answer says where true time lies, as far as that peer knows, at some instant between question and answer.
// A clock that is wrong, or that lies about its error, is outvoted. Never used for order: only for what people read and
// for expiry.
//
// Single-threaded; owned by a node, read by its shards.
// Source: Marzullo, Maintaining the Time in a Distributed System (1984); the bound on an answer is Cristian's (1989).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>

#include "core/base/ids.h"
#include "core/base/time.h"

namespace coffer::shard {

/// Holds true time, as far as whoever names it knows. Requires: earliest <= latest.
struct WallInterval {
  WallTime earliest;
  WallTime latest;
};

class ClusterClock {
 public:
  /// A quartz may run this much too fast or too slow, in parts per million; larger drift counts as a wrong clock.
  static constexpr std::int64_t drift_ppm_max = 1000;
  /// Older answers say nothing.
  static constexpr Duration sample_age_max = seconds(30);

  explicit ClusterClock(NodeId self) : self_(self) {}

  /// `peer` showed `wall`, right within `error`, at some instant between `sent` and `received` of the own monotonic
  /// clock. Absurd answers (received before sent, a negative error) are ignored.
  void sampled(NodeId peer, Instant sent, Instant received, WallTime wall, Duration error);

  /// The interval on which the clocks of a majority of `voters` agree at `now`; nothing while no majority does.
  std::optional<WallInterval> agreed(std::span<const NodeId> voters, Now now) const;
  /// The own wall clock, held within agreed(): a clock outside it is wrong, and the nearer edge is used instead.
  std::optional<WallTime> time(std::span<const NodeId> voters, Now now) const;

 private:
  struct Sample {
    Instant sent;
    Instant received;
    WallTime wall;
    Duration error;
  };
  std::optional<WallInterval> interval_of(NodeId node, Now now) const;

  NodeId self_;
  std::map<NodeId, Sample> samples_;  ///< the latest of each peer
};

}  // namespace coffer::shard
