#include "sim/run/fuzz.h"

#include <set>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "sim/faults/faults.h"
#include "sim/run/judge.h"
#include "sim/run/report.h"
#include "tests/sim/run/scenario_files.h"

namespace coffer::sim {
namespace {

/// Worlds in which nearly nothing happens.
Scenario draw_tiny(std::uint64_t seed) {
  Scenario scenario;
  scenario.seed = seed;
  scenario.shards = 1;
  scenario.workload.clients = 1;
  scenario.workload.accounts = 2;
  scenario.workload.operations = 5;
  scenario.workload.think_mean = milliseconds(1);
  return scenario;
}
const Profile tiny{"tiny", "nearly nothing", draw_tiny};
const Profile tiny_default{"default", "claims to draw everything", draw_tiny};

struct Seen {
  std::vector<std::uint64_t> seeds;
  std::vector<Hash128> hashes;
  FuzzReport report;
};

Seen fuzz_with(FuzzOptions options) {
  Seen seen;
  FuzzListener listener;
  listener.on_result = [&](const RunResult& result) {
    seen.seeds.push_back(result.seed);
    seen.hashes.push_back(result.trace_hash);
  };
  seen.report = fuzz(options, listener);
  return seen;
}

FuzzOptions of(const Profile& profile, std::uint64_t seeds) {
  FuzzOptions options;
  options.profile = &profile;
  options.seeds = seeds;
  return options;
}

TEST_CASE("results come in the order of the seeds, whatever the number of workers") {
  FuzzOptions options = of(tiny, 30);
  options.first_seed = 100;
  const Seen one = fuzz_with(options);
  options.jobs = 3;
  const Seen three = fuzz_with(options);
  REQUIRE(one.seeds.size() == 30);
  REQUIRE(one.seeds.front() == 100);
  REQUIRE(one.seeds.back() == 129);
  REQUIRE(three.seeds == one.seeds);
  REQUIRE(three.hashes == one.hashes);
  REQUIRE(one.report.passed == 30);
  REQUIRE(one.report.verdict == Verdict::pass);
}

TEST_CASE("the slices of a campaign are all of it, each seed once") {
  std::set<std::uint64_t> seeds;
  std::size_t runs = 0;
  for (std::uint32_t slice = 1; slice <= 3; ++slice) {
    FuzzOptions options = of(tiny, 10);
    options.slice = slice;
    options.slices = 3;
    const Seen seen = fuzz_with(options);
    seeds.insert(seen.seeds.begin(), seen.seeds.end());
    runs += seen.seeds.size();
  }
  REQUIRE(runs == 10);
  REQUIRE(seeds.size() == 10);
  REQUIRE(*seeds.rbegin() == 10);
}

TEST_CASE("a campaign without an end stops when its time is over") {
  FuzzOptions options = of(tiny, 0);
  options.real_time = milliseconds(200);
  const Seen seen = fuzz_with(options);
  REQUIRE(seen.report.seeds > 0);
  REQUIRE(seen.report.real_ms >= 200);
}

TEST_CASE("an interrupted campaign reports what it has") {
  const std::atomic<bool> interrupted{true};
  FuzzOptions options = of(tiny, 10);
  options.interrupted = &interrupted;
  REQUIRE(fuzz_with(options).report.seeds == 0);
}

TEST_CASE("a large batch that never reached a fault or a state says which (O-H2)") {
  const Seen seen = fuzz_with(of(tiny_default, coverage_seeds));
  REQUIRE(seen.report.passed == coverage_seeds);
  REQUIRE(seen.report.verdict == Verdict::unknown);
  REQUIRE(seen.report.oracle == "O-H2");
  for (const std::string_view name : required_sometimes()) {
    INFO(seen.report.reason);
    REQUIRE(seen.report.reason.find(name) != std::string::npos);
  }
  for (const faults::Row& row : faults::table()) {
    INFO(row.name);
    REQUIRE((seen.report.reason.find(row.name) != std::string::npos) == (!row.acts.of_disk && !row.acts.of_cluster));
  }
}

TEST_CASE("the profile for storage has a list of its own of what it must reach (O-H2)") {
  const Profile tiny_storage{"storage", "claims to damage disks", draw_tiny};
  const Seen seen = fuzz_with(of(tiny_storage, coverage_seeds));
  REQUIRE(seen.report.oracle == "O-H2");
  for (const std::string_view name : required_of_storage()) {
    INFO(seen.report.reason);
    REQUIRE(seen.report.reason.find(name) != std::string::npos);
  }
  REQUIRE(seen.report.reason.find("compensation") == std::string::npos);
}

TEST_CASE("a scenario that fails as it expects is no failure of the batch") {
  FuzzOptions options;
  options.scenario = scenario_of("scenarios/basics/fails_on_purpose.json");
  options.seeds = 3;
  const Seen seen = fuzz_with(options);
  REQUIRE(seen.report.passed == 3);
  options.scenario->expect = "pass";
  const Seen failed = fuzz_with(options);
  REQUIRE(failed.report.passed == 0);
  REQUIRE(failed.report.verdict == Verdict::stuck);
  REQUIRE(failed.report.failures.size() == 3);
  REQUIRE(failed.report.failures[0].seed == 1);
}

TEST_CASE("the JSON of a run and of a batch has the fields of the contract") {
  FuzzOptions options = of(tiny, 3);
  FuzzReport report = fuzz(options, {});
  const RunResult one = run(draw_tiny(1), 1);
  report.failures.push_back(one);
  const auto run_json = nlohmann::json::parse(run_to_json(one, true, "build", "coffer sim run --seed 1"));
  for (const char* field : {"verdict", "oracle", "reason", "seed", "build_id", "scenario_hash", "trace_hash",
                            "simulated_ms", "events", "operations", "faults", "sometimes"}) {
    INFO(field);
    REQUIRE(run_json.contains(field));
  }
  REQUIRE(run_json["trace_hash"] == hex_of(one.trace_hash));
  REQUIRE(hex_of(one.trace_hash).size() == 32);
  const auto fuzz_json = nlohmann::json::parse(fuzz_to_json(report, options, "build", ""));
  for (const char* field :
       {"seeds", "passed", "failures", "seeds_per_second", "events_per_second", "simulated_seconds_per_second",
        "simulated_ms", "events", "operations", "faults", "sometimes", "sometimes_seeds", "median", "build_id"}) {
    INFO(field);
    REQUIRE(fuzz_json.contains(field));
  }
  REQUIRE(fuzz_json["failures"][0]["replay"] == "coffer sim run --seed 1 --profile tiny");
  for (const char* field : {"succeeded", "refused", "unknown"}) REQUIRE(fuzz_json["operations"].contains(field));
  for (const char* field : {"succeeded", "succeeded_across_shards", "faults_with_work_in_flight"}) {
    REQUIRE(fuzz_json["median"].contains(field));
  }
}

TEST_CASE("200 fuzz seeds pass, each run twice with the same trace, and reach everything there is to reach") {
  FuzzOptions options = of(*find_profile("default"), 200);
  options.jobs = 2;
  options.twice = true;
  const Seen seen = fuzz_with(options);
  INFO(fuzz_to_text(seen.report, options, "test", ""));
  REQUIRE(seen.report.verdict == Verdict::pass);
  REQUIRE(seen.report.passed == 200);
  REQUIRE(seen.report.median.succeeded >= 100);
  REQUIRE(seen.report.median.succeeded_across_shards >= 20);
  REQUIRE(seen.report.median.faults_with_work_in_flight >= 3);
  for (const std::string_view name : required_sometimes()) {
    INFO(name);
    REQUIRE(seen.report.sometimes_seeds.at(std::string(name)) >= 2);
  }
}

}  // namespace
}  // namespace coffer::sim
