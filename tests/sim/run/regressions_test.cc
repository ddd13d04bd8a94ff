// Every seed that once failed and was understood runs again: scenarios/regressions, one file each (docs/TESTING.md).
#include <filesystem>

#include <catch2/catch.hpp>

#include "sim/run/run.h"
#include "tests/sim/run/scenario_files.h"

namespace coffer::sim {
namespace {

TEST_CASE("what once failed passes (scenarios/regressions)") {
  const char* root = std::getenv("COFFER_SOURCE_DIR");
  const std::filesystem::path folder = std::filesystem::path(root == nullptr ? "." : root) / "scenarios/regressions";
  int ran = 0;
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    const Scenario scenario = scenario_of("scenarios/regressions/" + file.path().filename().string());
    const RunResult result = run(scenario, scenario.seed);
    INFO(file.path().filename().string() << ": " << result.oracle << " " << result.reason);
    CHECK(result.verdict == Verdict::pass);
    ++ran;
  }
  CHECK(ran > 0);
}

}  // namespace
}  // namespace coffer::sim
