// Delta debugging (Zeller and Hildebrandt 2002) over a plan: drops faults and transfers, and money and bars of
// accounts, for as long as the design fails by the same oracle; then shortens what is left.
#pragma once

#include <cstdint>

#include "sim/ladder/world.h"

namespace coffer::sim::ladder {

struct Smallest {
  Plan plan;
  Outcome outcome;  ///< of its run, with the chronicle
  std::uint64_t runs = 0;
};

/// Requires: the design does not pass with this plan (checked).
Smallest smallest(const Design& design, const Plan& plan);

}  // namespace coffer::sim::ladder
