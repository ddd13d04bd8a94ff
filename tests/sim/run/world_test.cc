#include "sim/run/world.h"

#include <algorithm>
#include <sstream>

#include <catch2/catch.hpp>

#include "sim/run/swarm.h"
#include "tests/sim/run/scenario_files.h"

namespace coffer::sim {
namespace {

TEST_CASE("nothing goes wrong on the happy path") {
  const Scenario scenario = scenario_of("scenarios/basics/happy_path.json");
  const RunResult result = run(scenario, scenario.seed);
  INFO(result.oracle << " " << result.reason);
  REQUIRE(result.verdict == Verdict::pass);
  REQUIRE(result.operations.succeeded > 100);
  REQUIRE(result.operations.unknown == 0);
  REQUIRE(result.sometimes.at("leader_elected") == scenario.shards);
}

TEST_CASE("the same seed gives the same trace, another seed another one") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const Scenario scenario = find_profile("default")->draw(seed);
    const RunResult first = run(scenario, seed);
    const RunResult second = run(scenario, seed);
    const RunResult other = run(scenario, seed + 1000);
    REQUIRE(first.trace_hash == second.trace_hash);
    REQUIRE(first.trace_hash != other.trace_hash);
    REQUIRE(compare(first, second).verdict == first.verdict);
    REQUIRE(compare(first, other).verdict == Verdict::nondeterministic);
    REQUIRE(compare(first, other).oracle == "O-H1");
  }
}

TEST_CASE("writing a trace does not change the run") {
  const Scenario scenario = find_profile("default")->draw(3);
  std::stringstream out;
  RunOptions options;
  options.trace_jsonl = &out;
  REQUIRE(run(scenario, 3, options).trace_hash == run(scenario, 3).trace_hash);
  REQUIRE(out.str().size() > 100'000);
}

TEST_CASE("a drawn scenario runs again from its file with the same trace") {
  for (const Profile& profile : profiles()) {
    Scenario drawn = profile.draw(7);
    drawn.limits.running_min = std::min(drawn.limits.running_min, seconds(20));
    drawn.limits.running_max = std::min(drawn.limits.running_max, seconds(60));
    const auto read = read_scenario(write_scenario(drawn));
    REQUIRE(read.has_value());
    REQUIRE(read->seed == 7);
    REQUIRE(run(*read, read->seed).trace_hash == run(drawn, 7).trace_hash);
  }
}

TEST_CASE("without a majority nothing moves: the run is stuck and says why") {
  const Scenario scenario = scenario_of("scenarios/basics/fails_on_purpose.json");
  const RunResult result = run(scenario, scenario.seed);
  REQUIRE(result.verdict == Verdict::stuck);
  REQUIRE(result.oracle == "O-V1");
  REQUIRE(as_expected(scenario, result));
  for (const char* part :
       {"gone for ever, by the scenario's wish", "client 0 waits", "shard 1: node", "down", "knows no leader"}) {
    INFO(result.reason);
    REQUIRE(result.reason.find(part) != std::string::npos);
  }
}

TEST_CASE("a minority that never comes back is no excuse, and none is needed to serve") {
  Scenario scenario = scenario_of("scenarios/basics/fails_on_purpose.json");
  scenario.faults[0].count = 1;
  const RunResult result = run(scenario, scenario.seed);
  REQUIRE(result.operations.succeeded > 20);
  REQUIRE(result.verdict == Verdict::stuck);  // one replica cannot catch up
  REQUIRE(result.reason.find("gone for ever") == std::string::npos);
}

TEST_CASE("a run that goes round in circles is ended") {
  Scenario scenario = scenario_of("scenarios/basics/happy_path.json");
  scenario.limits.events_max = 500;
  const RunResult result = run(scenario, 1);
  REQUIRE(result.verdict == Verdict::stuck);
  REQUIRE(result.reason.find("too many events") != std::string::npos);
}

TEST_CASE("a transfer that is asked again with its number is done once") {
  Scenario scenario = scenario_of("scenarios/basics/figure_12_29.json");
  scenario.script.accounts[0].balance = 10;
  scenario.script.calls[0].id = 5;
  scenario.script.calls.push_back(scenario.script.calls[0]);
  const RunResult result = run(scenario, 1);
  REQUIRE(result.verdict == Verdict::pass);
  REQUIRE(result.operations.succeeded == 2);
  REQUIRE(result.sometimes.at("dedup_hit") == 1);
}

}  // namespace
}  // namespace coffer::sim
