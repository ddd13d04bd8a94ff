// Delta debugging (Zeller and Hildebrandt 2002): makes a failing scenario smaller for as long as it fails in the same
// way. First a smaller world is drawn, for seeds near by: fewer calls, kinds of faults, shards and nodes. What was
// drawn is written out then, each strike of a fault and each call of a client with its time, so that one can go without
// the others changing; where that loses the failure, it stays drawn. Then, again and again, over ever smaller pieces:
//
//   faults → calls → shards and nodes → clients → accounts → time → magnitudes → what is special about the machines
//
// The result is the best so far, whenever it is stopped.
#pragma once

#include <cstdint>
#include <functional>

#include "sim/run/run.h"
#include "sim/run/scenario.h"
#include "sim/shrink/signature.h"

namespace coffer::sim::shrink {

struct Report {
  Scenario scenario;  ///< the smallest that failed in the same way; with its seed, and expecting that failure
  RunResult result;   ///< of its run
  Signature signature;
  std::uint64_t runs = 0;
  bool finished = false;  ///< no single step makes it smaller any more; else it was stopped
};

struct Listener {
  /// After the first run, whatever came of it; may throw where it does not fail.
  std::function<void(const RunResult& whole)> on_first;
  /// Before every run but the first, and now and then in it; false stops. Unset: goes on to the end.
  std::function<bool()> may_go_on;
  /// After every run that failed in the same way with less.
  std::function<void(const Report& so_far)> on_smaller;
};

/// Requires: the scenario fails with its seed (checked, after on_first): neither passes nor is unknown.
Report smallest(const Scenario& scenario, const Listener& listener = {});

}  // namespace coffer::sim::shrink
