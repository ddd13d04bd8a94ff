#include "sim/shrink/hunt.h"

#include <algorithm>

#include "core/base/check.h"
#include "sim/run/scenario_sense.h"
#include "sim/shrink/recorder.h"

namespace coffer::sim::shrink {

namespace {

bool has_drawn_faults(const Scenario& scenario) {
  return std::any_of(scenario.faults.begin(), scenario.faults.end(),
                     [](const faults::FaultSpec& one) { return one.when != faults::When::at; });
}

/// Rounded up: faults may still strike in the very last moment.
Duration whole_ms(Duration time) { return milliseconds(time.millis() + 1); }

}  // namespace

Hunt::Hunt(const Scenario& scenario, const Listener& listener) : listener_(listener) {
  Recorder recorder(scenario);
  RunOptions watched;
  watched.strikes = &strikes_;
  watched.onlookers = {&recorder};
  report_.scenario = scenario;
  report_.result = run(scenario, scenario.seed, watched);
  report_.runs = 1;
  events_of_whole_ = report_.result.events;
  if (listener_.on_first) listener_.on_first(report_.result);
  report_.signature = signature_of(report_.result);
  const Verdict verdict = report_.signature.verdict;
  check(verdict != Verdict::pass && verdict != Verdict::unknown, "only what fails is made smaller");
  report_.scenario.expect = report_.result.oracle;
  const std::uint32_t mutant = scenario.signature.mutant;
  report_.scenario.signature = known_failure(report_.signature);
  report_.scenario.signature.mutant = mutant;
  hash_of_best_ = hash_of(scenario);
  script_ = recorder.script();
  running_ = recorder.running();
}

bool Hunt::write_out() {
  const bool faults_drawn = has_drawn_faults(best());
  const bool calls_drawn = best().script.empty() && !script_.empty();
  const auto write_faults = [&](Scenario& s) { s.faults = strikes_; };
  const auto write_calls = [&](Scenario& s) {
    s.script = script_;
    // The phase was as long as its calls took; from now on the one does not hang on the other.
    s.limits.running_min = std::min(std::max(s.limits.running_min, whole_ms(running_)), s.limits.running_max);
  };
  bool any = faults_drawn && calls_drawn && change([&](Scenario& s) {
               write_faults(s);
               write_calls(s);
             });
  if (any) return true;
  any = faults_drawn && change(write_faults);
  return (calls_drawn && change(write_calls)) || any;
}

bool Hunt::fails_the_same(const Scenario& candidate, std::uint64_t seed, RunResult& result) {
  // No passing run is worth much more time than the failing one took. What is stuck is so after a time of its own.
  constexpr std::uint64_t events_least = 20'000;
  RunOptions options;
  options.events_max = report_.result.events + report_.result.events / 2 + events_least;
  const Duration took = milliseconds(report_.result.simulated_ms);
  if (report_.signature.verdict == Verdict::violation) options.simulated_max = took + took / 8 + seconds(1);
  options.may_go_on = [this] { return may_go_on(); };
  const bool drawn = has_drawn_faults(candidate) || candidate.script.empty();
  Recorder recorder(candidate);
  std::vector<faults::FaultSpec> strikes;
  if (drawn) {
    options.strikes = &strikes;
    options.onlookers = {&recorder};
  }
  ++report_.runs;
  result = run(candidate, seed, options);
  events_ += result.events;
  if (signature_of(result) != report_.signature) return false;
  if (drawn) {
    strikes_ = std::move(strikes);
    script_ = recorder.script();
    running_ = recorder.running();
  }
  return true;
}

bool Hunt::keep(Scenario candidate) {
  if (!may_go_on() || !nonsense(candidate).empty()) return false;
  if (candidate.script.empty() && !best().script.empty()) return false;  // a workload would be drawn in its place
  const std::uint64_t first = candidate.seed;
  const Hash128 hash = hash_of(candidate);
  if (hash == hash_of_best_) return false;
  for (std::uint64_t seed = first; seed <= first + neighbours_; ++seed) {
    if (!tried_.insert({hash.high ^ mix64(seed), hash.low}).second) continue;
    RunResult result;
    if (!may_go_on()) return false;
    if (!fails_the_same(candidate, seed, result)) continue;
    candidate.seed = seed;
    hash_of_best_ = hash;
    report_.scenario = std::move(candidate);
    report_.result = std::move(result);
    if (listener_.on_smaller) listener_.on_smaller(report_);
    return true;
  }
  return false;
}

Report Hunt::finish(bool finished) {
  report_.finished = finished;
  return std::move(report_);
}

}  // namespace coffer::sim::shrink
