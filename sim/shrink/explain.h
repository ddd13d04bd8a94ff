// Why a failing scenario fails, for a person: which of its strikes are needed (without any one of them it does not fail
// like this), which do not matter, what happened in order, and the oracle's words.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "sim/run/run.h"
#include "sim/run/scenario.h"
#include "sim/shrink/chronicle.h"
#include "sim/shrink/signature.h"

namespace coffer::sim::shrink {

inline constexpr std::size_t moments_max = 36;

struct Explanation {
  struct Strike {
    enum class Role : std::uint8_t { needed, needless, untried } role = Role::untried;
    faults::FaultSpec fault;
  };

  Scenario scenario;  ///< its strikes are written out where that fails in the same way
  RunResult result;
  Signature signature;
  std::vector<Strike> strikes;  ///< by their time
  std::vector<Moment> moments;
  std::uint64_t runs = 0;

  /// Whether each strike was tried.
  bool finished() const;
};

/// `may_go_on`: asked before and in every run but the first and the last; unset: as long as it takes.
/// The result passes or is unknown where the scenario does not fail; then nothing else is told.
Explanation explain(const Scenario& scenario, const std::function<bool()>& may_go_on = {});

}  // namespace coffer::sim::shrink
