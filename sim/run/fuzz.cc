#include "sim/run/fuzz.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include "core/base/check.h"
#include "sim/faults/faults.h"
#include "sim/kernel/streams.h"
#include "sim/run/judge.h"

namespace coffer::sim {

namespace {

using RealClock = std::chrono::steady_clock;

/// Runs from deeper down the stack, as a larger environment would make it.
RunResult run_deeper(const Scenario& scenario, std::uint64_t seed, std::uint64_t depth) {
  volatile char pad[256];
  pad[depth % sizeof pad] = 1;
  if (depth == 0) return run(scenario, seed);
  RunResult result = run_deeper(scenario, seed, depth - 1);
  pad[0] = pad[depth % sizeof pad];  // keeps the frame
  return result;
}

/// The same run with other addresses everywhere: blocks of odd sizes lie in the heap, the stack begins elsewhere.
RunResult run_perturbed(const Scenario& scenario, std::uint64_t seed) {
  Prng prng = stream(seed, Domain::perturb);
  std::vector<std::unique_ptr<char[]>> blocks;
  for (int i = 0; i < 200; ++i) blocks.push_back(std::make_unique<char[]>(1 + prng.below(5000)));
  for (std::size_t i = 0; i < blocks.size(); i += 2) blocks[i].reset();
  const std::uint64_t depth = 1 + prng.below(40);
  return run_deeper(scenario, seed, depth);
}

std::uint64_t median_of(std::vector<std::uint64_t> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

class Campaign {
 public:
  Campaign(const FuzzOptions& options, const FuzzListener& listener)
      : options_(options), listener_(listener), began_(RealClock::now()) {}

  FuzzReport run_all();

 private:
  void work();
  RunResult run_one(std::uint64_t seed) const;
  std::optional<std::uint64_t> take_turn();
  void collect(std::unique_lock<std::mutex>& lock);
  void add(const RunResult& result, bool expected);
  void judge_coverage();
  std::int64_t real_ms() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(RealClock::now() - began_).count();
  }

  const FuzzOptions& options_;
  const FuzzListener& listener_;
  RealClock::time_point began_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  // Guarded by mutex_.
  std::uint64_t next_turn_ = 0;
  std::uint32_t working_ = 0;
  std::map<std::uint64_t, RunResult> results_;  // by turn, not yet handed on
  std::exception_ptr broken_;
  // Of the collecting thread.
  std::uint64_t handed_on_ = 0;
  FuzzReport report_;
  std::vector<std::uint64_t> succeeded_;
  std::vector<std::uint64_t> across_;
  std::vector<std::uint64_t> with_work_;
};

std::optional<std::uint64_t> Campaign::take_turn() {
  const std::lock_guard lock(mutex_);
  const bool interrupted = options_.interrupted != nullptr && options_.interrupted->load();
  const bool late = options_.real_time > Duration{} && real_ms() >= options_.real_time.millis();
  if (interrupted || late || broken_) return std::nullopt;
  const std::uint64_t of_slice = (options_.seeds + options_.slices - options_.slice) / options_.slices;
  if (options_.seeds > 0 && next_turn_ >= of_slice) return std::nullopt;
  return next_turn_++;
}

RunResult Campaign::run_one(std::uint64_t seed) const {
  const Scenario scenario = options_.scenario ? *options_.scenario : options_.profile->draw(seed);
  RunResult result = run(scenario, seed);
  if (options_.twice) result = compare(std::move(result), run_perturbed(scenario, seed));
  return result;
}

void Campaign::work() {
  while (const std::optional<std::uint64_t> turn = take_turn()) {
    const std::uint64_t seed = options_.first_seed + *turn * options_.slices + (options_.slice - 1);
    try {
      RunResult result = run_one(seed);
      const std::lock_guard lock(mutex_);
      results_.emplace(*turn, std::move(result));
    } catch (...) {
      const std::lock_guard lock(mutex_);
      broken_ = std::current_exception();
    }
    arrived_.notify_one();
  }
  const std::lock_guard lock(mutex_);
  --working_;
  arrived_.notify_one();
}

void Campaign::add(const RunResult& result, bool expected) {
  ++report_.seeds;
  if (expected) {
    ++report_.passed;
  } else {
    report_.failures.push_back(result);
    if (severity(result.verdict) > severity(report_.verdict)) {
      report_.verdict = result.verdict;
      report_.oracle = result.oracle;
      report_.reason = "seed " + std::to_string(result.seed) + ": " + result.reason;
    }
  }
  report_.operations.succeeded += result.operations.succeeded;
  report_.operations.refused += result.operations.refused;
  report_.operations.unknown += result.operations.unknown;
  report_.operations.succeeded_across_shards += result.operations.succeeded_across_shards;
  report_.leader_losses.add(result.leader_losses);
  report_.availability.add(result.availability);
  if (result.faults.size() == 1) report_.availability_under[result.faults.begin()->first].add(result.availability);
  report_.orders.add(result.orders);
  for (const auto& [name, count] : result.faults) {
    report_.faults[name] += count;
    report_.fault_seeds[name] += count > 0 ? 1 : 0;
  }
  for (const auto& [name, count] : result.sometimes) {
    report_.sometimes[name] += count;
    report_.sometimes_seeds[name] += count > 0 ? 1 : 0;
  }
  report_.faults_with_work_in_flight += result.faults_with_work_in_flight;
  report_.events += result.events;
  report_.simulated_ms += result.simulated_ms;
  succeeded_.push_back(result.operations.succeeded);
  across_.push_back(result.operations.succeeded_across_shards);
  with_work_.push_back(result.faults_with_work_in_flight);
}

void Campaign::collect(std::unique_lock<std::mutex>& lock) {
  while (!results_.empty() && results_.begin()->first == handed_on_) {
    const RunResult result = std::move(results_.begin()->second);
    results_.erase(results_.begin());
    ++handed_on_;
    lock.unlock();
    add(result, options_.scenario ? as_expected(*options_.scenario, result) : result.verdict == Verdict::pass);
    if (listener_.on_result) listener_.on_result(result);
    lock.lock();
  }
}

void Campaign::judge_coverage() {
  if (options_.scenario || report_.seeds < coverage_seeds) return;
  std::string zeros;
  const auto require = [&](std::string_view name, const std::map<std::string, std::uint64_t>& counts) {
    const auto found = counts.find(std::string(name));
    if (found == counts.end() || found->second == 0) zeros += (zeros.empty() ? "" : ", ") + std::string(name);
  };
  const bool draws_all = options_.profile->name == "default";
  const auto& own = options_.profile->faults;
  for (const faults::Row& row : faults::table()) {
    const bool wanted = draws_all ? !row.acts.of_disk && !row.acts.of_cluster
                                  : std::find(own.begin(), own.end(), row.name) != own.end();
    if (wanted || report_.faults.contains(std::string(row.name))) require(row.name, report_.faults);
  }
  const bool of_disks = options_.profile->name == "storage";
  const std::vector<std::string_view>& states = draws_all  ? required_sometimes()
                                                : of_disks ? required_of_storage()
                                                           : options_.profile->sometimes;
  for (const std::string_view name : states) {
    require(name, report_.sometimes);
  }
  if (zeros.empty() || report_.verdict != Verdict::pass) return;
  report_.verdict = Verdict::unknown;
  report_.oracle = "O-H2";
  report_.reason = "never reached in " + std::to_string(report_.seeds) + " seeds: " + zeros;
}

FuzzReport Campaign::run_all() {
  std::vector<std::thread> workers;
  working_ = std::max(options_.jobs, 1u);
  for (std::uint32_t i = 0; i < std::max(options_.jobs, 1u); ++i) workers.emplace_back([this] { work(); });
  auto told = began_;
  {
    std::unique_lock lock(mutex_);
    while (working_ > 0 || !results_.empty()) {
      arrived_.wait_for(lock, std::chrono::milliseconds(100));
      collect(lock);
      const bool stalled = working_ == 0 && !results_.empty() && results_.begin()->first != handed_on_;
      if (stalled) break;  // a seed in between broke the harness
      if (listener_.on_progress && RealClock::now() - told >= std::chrono::milliseconds(250)) {
        told = RealClock::now();
        report_.real_ms = real_ms();
        listener_.on_progress(report_);
      }
    }
  }
  for (std::thread& worker : workers) worker.join();
  if (broken_) std::rethrow_exception(broken_);
  report_.real_ms = real_ms();
  report_.median = {median_of(std::move(succeeded_)), median_of(std::move(across_)), median_of(std::move(with_work_))};
  judge_coverage();
  return std::move(report_);
}

}  // namespace

FuzzReport fuzz(const FuzzOptions& options, const FuzzListener& listener) {
  check(options.profile != nullptr || options.scenario, "a campaign has something to run");
  check(options.slice >= 1 && options.slice <= options.slices, "a slice is one of its slices");
  return Campaign(options, listener).run_all();
}

}  // namespace coffer::sim
