// Failures that were made small once and are kept: scenarios/corpus, one file each (docs/TESTING.md).
#include <filesystem>

#include <catch2/catch.hpp>

#include "core/base/check.h"
#include "sim/shrink/neighbourhood.h"
#include "sim/shrink/shrink.h"
#include "sim/shrink/signature.h"
#include "tests/sim/run/scenario_files.h"

namespace coffer::sim::shrink {
namespace {

std::vector<std::string> corpus() {
  const char* root = std::getenv("COFFER_SOURCE_DIR");
  const std::filesystem::path folder = std::filesystem::path(root == nullptr ? "." : root) / "scenarios/corpus";
  std::vector<std::string> files;
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    files.push_back("scenarios/corpus/" + file.path().filename().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

TEST_CASE("what failed on purpose fails as it did; what a planted bug broke passes without it (scenarios/corpus)") {
  std::size_t ran = 0;
  for (const std::string& file : corpus()) {
    const Scenario scenario = scenario_of(file);
    INFO(file);
    REQUIRE_FALSE(scenario.signature.verdict.empty());
    ++ran;
    if (scenario.signature.mutant != 0) {
      const RunResult result = run(scenario, scenario.seed);
      INFO(result.reason);
      CHECK((result.verdict == Verdict::pass || result.verdict == Verdict::unknown));
      CHECK(as_expected(scenario, result));
      continue;
    }
    const Replay replayed = replay(scenario);
    INFO(replayed.result.oracle << " " << replayed.result.reason);
    CHECK(replayed.state != Replay::State::lost);
    CHECK(as_expected(scenario, replayed.result));
    if (replayed.state != Replay::State::drifted) continue;
    WARN(file << " has drifted: save it anew from what fails as it did, seed " << replayed.scenario.seed << ":\n"
              << write_scenario(replayed.scenario));
  }
  CHECK(ran >= 10);
}

TEST_CASE("a failure that has drifted is found in the neighbourhood, and one that is gone is not") {
  Scenario scenario = scenario_of("scenarios/basics/fails_on_purpose.json");
  scenario.signature = known_failure(signature_of(run(scenario, scenario.seed)));
  REQUIRE(replay(scenario).state == Replay::State::same);
  scenario.signature.oracle = "O-L1";
  scenario.workload.operations = 1;
  scenario.faults.clear();
  const Replay gone = replay(scenario);
  CHECK(gone.state == Replay::State::lost);
  CHECK(gone.result.verdict == Verdict::pass);
  CHECK(gone.runs > 100);
  scenario.signature = {};
  CHECK_THROWS_AS(replay(scenario), CheckFailure);
}

}  // namespace
}  // namespace coffer::sim::shrink
