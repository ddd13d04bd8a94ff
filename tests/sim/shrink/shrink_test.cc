#include "sim/shrink/shrink.h"

#include <catch2/catch.hpp>

#include "core/base/check.h"
#include "sim/run/scenario_json.h"
#include "sim/run/swarm.h"
#include "sim/shrink/story.h"
#include "tests/sim/run/scenario_files.h"

namespace coffer::sim::shrink {
namespace {

/// A world whose disks may be damaged beyond what can be survived, which costs it committed entries.
Scenario doomed() {
  Scenario scenario = find_profile("storage")->draw(9);
  scenario.seed = 9;
  scenario.fair = false;
  return scenario;
}

RunResult failed(Verdict verdict, std::string oracle, std::string reason) {
  RunResult result;
  result.verdict = verdict;
  result.oracle = std::move(oracle);
  result.reason = std::move(reason);
  return result;
}

/// Without those that never did.
std::map<std::string, std::uint64_t> fired(const RunResult& result) {
  std::map<std::string, std::uint64_t> counts = result.faults;
  std::erase_if(counts, [](const auto& one) { return one.second == 0; });
  return counts;
}

TEST_CASE("failures are the same when their oracle and the shape of its reason are (simulator: signatures)") {
  const Signature signature = signature_of(failed(Verdict::violation, "O-R4", "s1 entry 12 is lost; node 1 ends at 3"));
  CHECK(signature ==
        signature_of(failed(Verdict::violation, "O-R4", "s2 entry 7 is lost; node 2 ends at 9 (damaged)")));
  CHECK(signature != signature_of(failed(Verdict::violation, "O-R1", "s1 entry 12 is lost; node 1 ends at 3")));
  CHECK(signature != signature_of(failed(Verdict::violation, "O-R4", "s1 entry 12 differs; node 1 ends at 3")));
  CHECK(signature_of(failed(Verdict::stuck, "O-V1", "client 0 waits")) ==
        signature_of(failed(Verdict::stuck, "O-V1", "shard 1: node 1 down")));
}

TEST_CASE("faults that were drawn happen again when each strike is written out (sim/run/fault_driver.h)") {
  const std::uint64_t seed = GENERATE(range<std::uint64_t>(1, 17));
  Scenario scenario = find_profile("default")->draw(seed);
  // What a trigger pulls comes within an event; written out, it comes right after it. And the atlas, which judges
  // damage of disks, has weighed strikes that then came to nothing.
  std::erase_if(scenario.faults, [](const faults::FaultSpec& one) { return one.when == faults::When::trigger; });
  std::vector<faults::FaultSpec> strikes;
  RunOptions watched;
  watched.strikes = &strikes;
  const RunResult drawn = run(scenario, seed, watched);
  REQUIRE(drawn.verdict == Verdict::pass);
  scenario.faults = strikes;
  const Result<Scenario> read = read_scenario(write_scenario(scenario));
  REQUIRE(read.has_value());
  const RunResult written = run(*read, seed);
  CHECK(written.verdict == Verdict::pass);
  CHECK(fired(written) == fired(drawn));
  CHECK(written.simulated_ms == drawn.simulated_ms);
  CHECK(written.operations.succeeded == drawn.operations.succeeded);
}

TEST_CASE("a failure becomes as small as it can, and stays the same failure (Zeller 2002)") {
  const Scenario scenario = doomed();
  const RunResult whole = run(scenario, scenario.seed);
  REQUIRE(whole.verdict == Verdict::violation);
  const Report report = smallest(scenario);
  REQUIRE(report.finished);
  CHECK(report.signature == signature_of(whole));
  CHECK(report.scenario.faults.size() <= 3);
  CHECK(report.scenario.operations() <= 10);
  CHECK(report.scenario.expect == whole.oracle);
  const RunResult again = run(report.scenario, report.scenario.seed);
  CHECK(signature_of(again) == report.signature);
  CHECK(again.trace_hash == report.result.trace_hash);
  for (std::size_t i = 0; i < report.scenario.faults.size(); ++i) {
    Scenario less = report.scenario;
    less.faults.erase(less.faults.begin() + static_cast<std::ptrdiff_t>(i));
    CHECK(signature_of(run(less, less.seed)) != report.signature);
  }
}

TEST_CASE("what was found so far is kept when it is stopped") {
  Listener listener;
  listener.may_go_on = [] { return false; };
  const Scenario scenario = doomed();
  const Report report = smallest(scenario, listener);
  CHECK_FALSE(report.finished);
  CHECK(report.runs == 1);
  CHECK(report.scenario.faults == scenario.faults);
}

TEST_CASE("what does not fail is not made smaller") {
  CHECK_THROWS_AS(smallest(scenario_of("scenarios/basics/happy_path.json")), CheckFailure);
}

TEST_CASE("the story names every strike and says how to see it again") {
  Report report;
  report.scenario = doomed();
  report.scenario.faults.resize(1);
  report.scenario.faults[0].when = faults::When::at;
  report.scenario.faults[0].at = milliseconds(1234);
  report.result = failed(Verdict::violation, "O-R4", "an entry is lost");
  report.finished = true;
  const std::string text = to_text(report, "b", "coffer sim run x.json");
  CHECK(text.find("at 1234 ms  " + report.scenario.faults[0].fault) != std::string::npos);
  CHECK(text.find("without any one of these") != std::string::npos);
  CHECK(text.find("an entry is lost") != std::string::npos);
  CHECK(text.find("replay      coffer sim run x.json") != std::string::npos);
}

}  // namespace
}  // namespace coffer::sim::shrink
