// The walk up the ladder: every rung under the same plans, one a seed, with its verdict, what it costs, and for one
// that fails the smallest story of how.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "sim/ladder/rungs.h"
#include "sim/ladder/smallest.h"
#include "sim/ladder/world.h"

namespace coffer::sim::ladder {

struct RungReport {
  const Rung* rung = nullptr;
  Verdict verdict = Verdict::pass;  ///< the worst of all seeds
  std::string oracle;               ///< of the first seed with that verdict
  std::string reason;
  std::uint64_t seed = 0;  ///< that seed; 0: all pass
  std::uint64_t seeds = 0;
  std::uint64_t failing = 0;  ///< seeds that do not pass
  Costs under_faults;         ///< availability and latencies
  Costs calm;                 ///< messages, writes, syncs and what is held, of the same work without faults
  std::optional<Smallest> story;
  bool as_expected() const { return verdict == rung->expected; }
};

struct ClimbOptions {
  std::vector<const Rung*> rungs;  ///< which; in this order
  std::uint64_t first_seed = 1;
  std::uint64_t seeds = 100;
  std::uint64_t calm_seeds = 50;     ///< at most; without faults one seed is much like another
  std::uint64_t product_seeds = 20;  ///< at most, of a rung that is the product itself
};

struct ClimbListener {
  /// Before every run; false stops the climb, and the reports have what there is.
  std::function<bool(const RungReport& so_far)> may_go_on;
};

std::vector<RungReport> climb(const ClimbOptions& options, const ClimbListener& listener = {});

}  // namespace coffer::sim::ladder
