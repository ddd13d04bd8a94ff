// Delta debugging (Zeller and Hildebrandt 2002): makes a failing scenario smaller for as long as it fails in the same
// way. Faults that were drawn become strikes that are written out, each with its time, so that one can go without the
// others changing. Then, again and again, over ever smaller pieces:
//
//   time → shards and nodes → faults → clients → operations → kinds of operations → magnitudes
//
// This is outside the simulated world: it uses real time. The result is the best so far, whenever it is stopped.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>

#include "sim/run/run.h"
#include "sim/run/scenario.h"
#include "sim/shrink/signature.h"

namespace coffer::sim::shrink {

struct Options {
  Duration real_time = seconds(60);                ///< no further run is begun after that
  const std::atomic<bool>* interrupted = nullptr;  ///< set: likewise
};

struct Report {
  Scenario scenario;  ///< the smallest that failed in the same way; with its seed, and expecting that failure
  RunResult result;   ///< of its run
  Signature signature;
  std::uint64_t runs = 0;
  bool finished = false;  ///< no single step makes it smaller any more; else time was up
};

struct Listener {
  /// After every run that failed in the same way with less.
  std::function<void(const Report& so_far)> on_smaller;
};

/// Requires: the scenario fails with its seed (checked): neither passes nor is unknown.
Report smallest(const Scenario& scenario, const Options& options, const Listener& listener = {});

}  // namespace coffer::sim::shrink
