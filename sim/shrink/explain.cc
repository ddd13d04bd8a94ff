#include "sim/shrink/explain.h"

#include <algorithm>
#include <utility>

namespace coffer::sim::shrink {

namespace {

using Role = Explanation::Strike::Role;

class Inquiry {
 public:
  Inquiry(const Scenario& scenario, const std::function<bool()>& may_go_on) : may_go_on_(may_go_on) {
    told_.scenario = scenario;
  }

  Explanation hold() {
    std::vector<faults::FaultSpec> strikes;
    RunOptions watched;
    watched.strikes = &strikes;
    told_.result = run(told_.scenario, told_.scenario.seed, watched);
    told_.runs = 1;
    told_.signature = signature_of(told_.result);
    if (told_.result.verdict == Verdict::pass || told_.result.verdict == Verdict::unknown) return std::move(told_);
    write_out(std::move(strikes));
    try_without_each();
    tell_what_happened();
    std::stable_sort(told_.strikes.begin(), told_.strikes.end(),
                     [](const auto& a, const auto& b) { return a.fault.at < b.fault.at; });
    return std::move(told_);
  }

 private:
  bool may_go_on() const { return !may_go_on_ || may_go_on_(); }

  /// Not if the run was stopped, or went on for much longer than the failure took.
  bool fails_the_same(const Scenario& candidate) {
    constexpr std::uint64_t events_least = 20'000;
    RunOptions options;
    options.events_max = told_.result.events * 2 + events_least;
    options.may_go_on = may_go_on_;
    ++told_.runs;
    return signature_of(run(candidate, candidate.seed, options)) == told_.signature;
  }

  void write_out(std::vector<faults::FaultSpec> strikes) {
    Scenario written = told_.scenario;
    written.faults = std::move(strikes);
    const bool drawn = std::any_of(told_.scenario.faults.begin(), told_.scenario.faults.end(),
                                   [](const faults::FaultSpec& one) { return one.when != faults::When::at; });
    if (drawn && may_go_on() && fails_the_same(written)) {
      told_.scenario = std::move(written);
      told_.result = run(told_.scenario, told_.scenario.seed);
      ++told_.runs;
    }
    for (const faults::FaultSpec& fault : told_.scenario.faults) told_.strikes.push_back({Role::untried, fault});
  }

  void try_without_each() {
    for (std::size_t i = 0; i < told_.strikes.size() && may_go_on(); ++i) {
      Scenario less = told_.scenario;
      less.faults.erase(less.faults.begin() + static_cast<std::ptrdiff_t>(i));
      const bool the_same = fails_the_same(less);
      if (!may_go_on()) return;  // the run may have been cut off
      told_.strikes[i].role = the_same ? Role::needless : Role::needed;
    }
  }

  void tell_what_happened() {
    Chronicle chronicle(subject_of(told_.result.reason));
    RunOptions watched;
    watched.onlookers = {&chronicle};
    run(told_.scenario, told_.scenario.seed, watched);
    ++told_.runs;
    told_.moments = chronicle.moments(moments_max);
  }

  const std::function<bool()>& may_go_on_;
  Explanation told_;
};

}  // namespace

bool Explanation::finished() const {
  return std::none_of(strikes.begin(), strikes.end(), [](const Strike& one) { return one.role == Role::untried; });
}

Explanation explain(const Scenario& scenario, const std::function<bool()>& may_go_on) {
  return Inquiry(scenario, may_go_on).hold();
}

}  // namespace coffer::sim::shrink
