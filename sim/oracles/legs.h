// The story of every leg by the committed logs: started at the source, received at the target, answered at the source.
// Judges each step against the steps before it; shared by the oracles of transactions across shards.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/oracles/book.h"

namespace coffer::sim::oracles {

struct Leg {
  LegStarted started;
  Position started_at;
  Stamp started_stamp;
  std::optional<LegReceived> received;
  Position received_at;
  Stamp received_stamp;
  std::optional<LegAnswered> answered;
  Position answered_at;
};

class Legs {
 public:
  struct Route {
    ShardId source;
    ShardId target;
    auto operator<=>(const Route&) const = default;
  };
  struct Flow {
    std::vector<Leg> legs;  ///< leg n at n - 1
    std::uint64_t received = 0;
    std::uint64_t answered = 0;
  };

  explicit Legs(const Topology& topology) : book_(topology) {}

  /// Returns what contradicts an earlier step; at most one reason per entry.
  std::optional<std::string> committed(const CommittedEntry& entry);
  const Book& book() const { return book_; }
  const std::map<Route, Flow>& flows() const { return flows_; }

 private:
  using Reason = std::optional<std::string>;
  struct At {
    ShardId shard;
    Position position;
    Stamp stamp;
  };
  Reason started(const At& at, const LegStarted& event);
  Reason received(const At& at, const LegReceived& event);
  Reason answered(const At& at, const LegAnswered& event);

  Book book_;
  std::map<Route, Flow> flows_;
};

/// "leg 7 from s1 to s2".
std::string text(const Legs::Route& route, LegNumber leg);

}  // namespace coffer::sim::oracles
