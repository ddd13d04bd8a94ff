#include "sim/faults/faults.h"

#include <algorithm>
#include <sstream>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "sim/run/run.h"
#include "sim/run/swarm.h"
#include "tests/sim/run/scenario_files.h"

namespace coffer::sim {
namespace {

std::vector<nlohmann::json> trace_of(const Scenario& scenario, std::uint64_t seed) {
  std::stringstream out;
  RunOptions options;
  options.trace_jsonl = &out;
  run(scenario, seed, options);
  std::vector<nlohmann::json> lines;
  for (std::string line; std::getline(out, line);) lines.push_back(nlohmann::json::parse(line));
  return lines;
}

/// When the strikes of this fault (by its place in the scenario) began.
std::vector<std::int64_t> strikes_of(const std::vector<nlohmann::json>& trace, std::uint64_t place) {
  std::vector<std::int64_t> times;
  for (const auto& line : trace) {
    if (line.value("kind", "") == "strike" && line.value("number", 0u) == place) times.push_back(line["t"]);
  }
  return times;
}

TEST_CASE("the table of faults is in name order, and every row is whole") {
  const std::vector<faults::Row>& rows = faults::table();
  REQUIRE(rows.size() == 12);
  REQUIRE(std::is_sorted(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.name < b.name; }));
  for (const faults::Row& row : rows) {
    INFO(row.name);
    REQUIRE_FALSE(row.acts.doc.empty());
    REQUIRE(row.acts.draw != nullptr);
    REQUIRE(row.acts.strike != nullptr);
    REQUIRE(row.acts.heal != nullptr);
    REQUIRE(faults::find(row.name) == &row);
  }
  REQUIRE(faults::find("sunshine") == nullptr);
}

TEST_CASE("every fault really fires in its scenario, and the wallet holds") {
  for (const faults::Row& row : faults::table()) {
    const Scenario scenario = scenario_of("scenarios/faults/" + std::string(row.name) + ".json");
    const RunResult result = run(scenario, scenario.seed);
    INFO(row.name << ": " << name(result.verdict) << " " << result.oracle << " " << result.reason);
    REQUIRE(as_expected(scenario, result));
    REQUIRE(result.faults.at(std::string(row.name)) > 0);
    REQUIRE(result.operations.succeeded > 100);
  }
}

TEST_CASE("a torn write leaves a torn tail, which recovery finds") {
  const Scenario scenario = scenario_of("scenarios/faults/torn_unsynced.json");
  std::uint64_t tails = 0;
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const RunResult result = run(scenario, seed);
    REQUIRE(result.verdict == Verdict::pass);
    REQUIRE(result.faults.at("torn_unsynced") > 0);
    tails += result.sometimes.at("torn_tail");
  }
  REQUIRE(tails > 0);
}

TEST_CASE("a fault strikes at the exact event it names, the n-th time") {
  Scenario scenario = scenario_of("scenarios/basics/happy_path.json");
  faults::FaultSpec crash;
  crash.fault = "crash_restart";
  crash.stream = 1;
  crash.when = faults::When::trigger;
  crash.trigger = {TraceKind::saga_started, {}, ShardId(2), 3, false, {}};
  crash.target = {faults::Who::self, {}, {}};
  crash.lasts_min = crash.lasts_max = milliseconds(300);
  scenario.faults = {crash};
  std::uint64_t seen = 0;
  bool crashed = false;
  bool running = false;
  nlohmann::json last;
  for (const auto& line : trace_of(scenario, 1)) {
    running = running || line.value("phase", "") == "running";
    if (running && line.value("event", "") == "saga_started" && line.value("shard", 0) == 2 && ++seen == 3) last = line;
    if (line.value("machine", "") == "crashed") {
      REQUIRE_FALSE(crashed);
      crashed = true;
      REQUIRE(seen >= 3);
      REQUIRE(line["t"] == last["t"]);
      REQUIRE(line["node"] == last["node"]);
    }
  }
  REQUIRE(crashed);
}

TEST_CASE("taking one fault away leaves the strikes of the others where they were") {
  Scenario scenario = scenario_of("scenarios/faults/pause.json");
  const auto add = [&](const char* name, std::uint64_t stream) {
    faults::FaultSpec spec;
    spec.fault = name;
    spec.stream = stream;
    spec.every = milliseconds(700);
    spec.lasts_min = spec.lasts_max = milliseconds(100);
    scenario.faults.push_back(spec);
  };
  scenario.faults.clear();
  add("pause", 1);
  add("crash_restart", 2);
  scenario.limits.running_min = seconds(5);
  scenario.limits.running_max = seconds(5);
  const std::vector<std::int64_t> with = strikes_of(trace_of(scenario, 1), 1);
  scenario.faults.erase(scenario.faults.begin());
  const std::vector<std::int64_t> without = strikes_of(trace_of(scenario, 1), 0);
  REQUIRE(with.size() >= 3);
  REQUIRE(with == without);
}

TEST_CASE("a crash that loses nothing is not a lost write") {
  Scenario scenario = scenario_of("scenarios/faults/crash_restart.json");
  scenario.faults.resize(1);
  scenario.faults[0].how = faults::How::process;
  const RunResult result = run(scenario, 1);
  REQUIRE(result.faults.at("crash_restart") == 1);
  REQUIRE_FALSE(result.faults.contains("lost_unsynced"));
}

TEST_CASE("what the swarm draws of each fault is a minority's trouble and heals") {
  faults::Mood mood{5, seconds(2), milliseconds(500)};
  for (const faults::Row& row : faults::table()) {
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
      Prng prng(seed);
      const faults::FaultSpec spec = row.acts.draw(prng, mood);
      INFO(row.name << " " << seed);
      REQUIRE_FALSE(spec.forever);
      REQUIRE(spec.every > Duration{});
      REQUIRE(spec.lasts_min > Duration{});
      REQUIRE(spec.lasts_min <= spec.lasts_max);
      REQUIRE(spec.count <= 2);
      REQUIRE(spec.lose_per_mille + spec.tear_per_mille <= 1000);
    }
  }
}

}  // namespace
}  // namespace coffer::sim
