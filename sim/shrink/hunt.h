// A hunt for the smallest failing scenario: what it has so far, the budget, and the one question it asks: does this
// candidate fail in the same way? Candidates are cut off when they take much longer than the failure did. Every
// candidate is asked once; on request, with a few neighbouring seeds too, since whatever changes a plan changes its
// timing, and within a budget of events. Single-threaded.
#pragma once

#include <cstdint>
#include <limits>
#include <set>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/base/hash.h"
#include "sim/shrink/shrink.h"

namespace coffer::sim::shrink {

class Hunt {
 public:
  /// Runs the scenario, once. Requires: it fails (checked), unless the listener throws.
  Hunt(const Scenario& scenario, const Listener& listener);

  const Scenario& best() const { return report_.scenario; }
  bool may_go_on() const { return events_ < events_max_ && (!listener_.may_go_on || listener_.may_go_on()); }
  /// From now on candidates may take as many events together as so many runs of the whole failure.
  void allow(std::uint64_t whole_runs) { events_max_ = events_ + whole_runs * events_of_whole_; }
  void allow_all() { events_max_ = std::numeric_limits<std::uint64_t>::max(); }
  /// Every candidate is tried with so many more seeds.
  void try_neighbours(std::uint32_t seeds) { neighbours_ = seeds; }
  /// Tries to replace what is drawn by what it came to: faults by their strikes, the workload by its calls.
  bool write_out();
  Report finish(bool finished);

  /// Whether it fails in the same way; then it is what there is from now on.
  bool keep(Scenario candidate);
  /// Changes one thing of a copy and keeps the copy if it may.
  template <class Change>
  bool change(Change make) {
    Scenario candidate = best();
    make(candidate);
    return keep(std::move(candidate));
  }
  /// The least value from `least` on that still fails, by halving; it need not be the least of all.
  template <class Get>
  bool lower(Get field, std::uint64_t least) {
    bool any = false;
    std::uint64_t low = least;
    while (low < field(report_.scenario) && may_go_on()) {
      const std::uint64_t middle = low + (field(report_.scenario) - low) / 2;
      if (change([&](Scenario& s) { field(s) = static_cast<std::remove_reference_t<decltype(field(s))>>(middle); })) {
        any = true;
      } else {
        low = middle + 1;
      }
    }
    return any;
  }

 private:
  bool fails_the_same(const Scenario& candidate, std::uint64_t seed, RunResult& result);

  const Listener& listener_;
  Report report_;
  std::uint32_t neighbours_ = 0;
  std::uint64_t events_of_whole_ = 0;
  std::uint64_t events_ = 0;  ///< of all candidates
  std::uint64_t events_max_ = std::numeric_limits<std::uint64_t>::max();
  Hash128 hash_of_best_;
  std::set<Hash128> tried_;  ///< with the seed folded in
  // Of the run of the best, while something in it is drawn:
  std::vector<faults::FaultSpec> strikes_;
  Script script_;
  Duration running_;
};

}  // namespace coffer::sim::shrink
