// Many seeds, side by side. Each seed is a run of its own; nothing is shared between runs, so that the result of a seed
// does not depend on the number of workers. Results are handed on in the order of the seeds.
// This is outside the simulated world: it uses threads and real time, and no run can tell.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/run/run.h"
#include "sim/run/swarm.h"

namespace coffer::sim {

/// A batch this large must have reached every fault and every required state (O-H2).
inline constexpr std::uint64_t coverage_seeds = 200;

struct FuzzOptions {
  const Profile* profile = nullptr;  ///< draws a scenario from each seed, unless there is one
  std::optional<Scenario> scenario;
  std::uint64_t first_seed = 1;
  std::uint64_t seeds = 100;  ///< 0: until the time is over
  Duration real_time;         ///< 0: until the seeds are done
  std::uint32_t jobs = 1;
  std::uint32_t slice = 1;  ///< takes every slices-th seed, 1..slices
  std::uint32_t slices = 1;
  bool twice = false;                              ///< runs each seed again, perturbed, and requires the same trace
  const std::atomic<bool>* interrupted = nullptr;  ///< set: no further seed is begun
};

struct FuzzReport {
  Verdict verdict = Verdict::pass;  ///< the worst of all
  std::string oracle;
  std::string reason;
  std::uint64_t seeds = 0;
  std::uint64_t passed = 0;
  std::vector<RunResult> failures;  ///< in the order of the seeds
  Operations operations;
  LeaderLossCounts leader_losses;
  AvailabilityCounts availability;
  std::map<std::string, AvailabilityCounts> availability_under;  ///< the fault, of worlds that have only one
  Orders::Counts orders;
  std::map<std::string, std::uint64_t> faults;
  std::map<std::string, std::uint64_t> sometimes;
  std::map<std::string, std::uint64_t> fault_seeds;      ///< in how many seeds it fired
  std::map<std::string, std::uint64_t> sometimes_seeds;  ///< how many seeds reached it
  std::uint64_t faults_with_work_in_flight = 0;
  std::uint64_t events = 0;
  std::int64_t simulated_ms = 0;
  std::int64_t real_ms = 0;
  struct Median {
    std::uint64_t succeeded = 0;
    std::uint64_t succeeded_across_shards = 0;
    std::uint64_t faults_with_work_in_flight = 0;
  } median;
};

struct FuzzListener {
  /// Each seed's result, in order.
  std::function<void(const RunResult&)> on_result;
  /// A few times a second.
  std::function<void(const FuzzReport& so_far)> on_progress;
};

FuzzReport fuzz(const FuzzOptions& options, const FuzzListener& listener);

}  // namespace coffer::sim
