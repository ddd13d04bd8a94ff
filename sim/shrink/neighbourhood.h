// Plans rot: when the code changes, what a saved scenario does comes at slightly other times, and its failure may be
// gone though the bug is not. Then the neighbourhood is searched: seeds next to its own, and all its times a little
// earlier or later.
#pragma once

#include <cstdint>

#include "sim/run/run.h"
#include "sim/run/scenario.h"

namespace coffer::sim::shrink {

struct Replay {
  enum class State : std::uint8_t {
    same,     ///< fails as it is known to
    drifted,  ///< something next to it does: `scenario`
    lost,     ///< nothing near does
  } state = State::lost;
  Scenario scenario;  ///< what fails as known; lost: the saved one
  RunResult result;   ///< of its run
  std::uint64_t runs = 0;
};

/// Requires: the scenario has a signature (checked).
Replay replay(const Scenario& saved);

}  // namespace coffer::sim::shrink
