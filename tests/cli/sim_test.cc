// The verbs of `coffer sim` as their users run them: words, exit codes, one valid document.
#include <cstdlib>
#include <fstream>
#include <string>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/cli/program.h"

namespace coffer::cli {
namespace {

using nlohmann::json;
using test::run;

std::string scenario(const std::string& name) {
  const char* const root = std::getenv("COFFER_SOURCE_DIR");
  return (root == nullptr ? std::string(".") : std::string(root)) + "/scenarios/" + name;
}

TEST_CASE("a scenario runs, and its seed, build, scenario and trace are always printed") {
  const auto text = run("sim run " + scenario("basics/happy_path.json"));
  REQUIRE(text.exit_code == 0);
  for (const char* label :
       {"verdict     pass", "seed        1", "build       ", "scenario    ", "trace       ", "replay      "}) {
    INFO(text.out);
    REQUIRE(text.out.find(label) != std::string::npos);
  }
  const auto document =
      json::parse(run("sim run " + scenario("basics/happy_path.json") + " --seed 9 --output json").out);
  REQUIRE(document["verdict"] == "pass");
  REQUIRE(document["seed"] == 9);
  REQUIRE(document["operations"]["succeeded"] > 100);
}

TEST_CASE("a scenario that fails as it expects exits with 0, one that fails otherwise does not") {
  const test::Directory directory;
  REQUIRE(run("sim run " + scenario("basics/fails_on_purpose.json")).exit_code == 0);
  json changed = json::parse(std::ifstream(scenario("basics/fails_on_purpose.json")));
  changed.erase("expect");
  std::ofstream(directory.path() + "/stuck.json") << changed;
  const auto stuck = run("sim run " + directory.path() + "/stuck.json --output json");
  REQUIRE(stuck.exit_code == 4);
  REQUIRE(json::parse(stuck.out)["oracle"] == "O-V1");
  std::ofstream(directory.path() + "/calm.json") << R"({"workload":{"operations":5},"expect":"O-L1"})";
  const auto calm = run("sim run " + directory.path() + "/calm.json");
  REQUIRE(calm.exit_code == 9);
  REQUIRE(calm.err.find("expected O-L1") != std::string::npos);
}

TEST_CASE("a scenario with a mistake is refused with the place and a suggestion, in JSON too") {
  const test::Directory directory;
  std::ofstream(directory.path() + "/bad.json") << R"({"faults":[{"fault":"puase","at":"1s","for":"1s"}]})";
  const auto refused = run("sim run " + directory.path() + "/bad.json --output json");
  REQUIRE(refused.exit_code == 2);
  REQUIRE(refused.err.find("/faults/0/fault") != std::string::npos);
  REQUIRE(refused.err.find("did you mean \"pause\"?") != std::string::npos);
  REQUIRE(json::parse(refused.out)["exit_code"] == 2);
  REQUIRE(run("sim run nowhere.json").exit_code == 2);
  REQUIRE(run("sim run --profile nothing").exit_code == 2);
  REQUIRE(run("sim fuzz --slice 5/4").exit_code == 2);
  REQUIRE(run("sim fuzz --for soon").exit_code == 2);
  REQUIRE(run("sim list elephants").exit_code == 2);
  REQUIRE(run("sim").exit_code == 2);
}

TEST_CASE("what a seed drew is written out and runs again with the same trace") {
  const test::Directory directory;
  const std::string file = directory.path() + "/drawn.json";
  const auto drawn = run("sim run --seed 4 --write-scenario " + file + " --output json --check-determinism");
  REQUIRE(drawn.exit_code == 0);
  const auto again = run("sim run " + file + " --output json");
  REQUIRE(json::parse(drawn.out)["trace_hash"] == json::parse(again.out)["trace_hash"]);
  REQUIRE(json::parse(drawn.out)["scenario_hash"] == json::parse(again.out)["scenario_hash"]);
}

TEST_CASE("a trace is one JSON object a line") {
  const test::Directory directory;
  const std::string file = directory.path() + "/trace.jsonl";
  REQUIRE(run("sim run " + scenario("basics/figure_12_29.json") + " --trace " + file).exit_code == 0);
  std::ifstream lines(file);
  std::size_t count = 0;
  for (std::string line; std::getline(lines, line); ++count) REQUIRE(json::parse(line).contains("t"));
  REQUIRE(count > 100);
}

TEST_CASE("a batch prints data on stdout and progress elsewhere") {
  const auto batch = run("sim fuzz --seeds 4 --first-seed 10 --jobs 2 --twice --output json");
  REQUIRE(batch.exit_code == 0);
  const auto document = json::parse(batch.out);
  REQUIRE(document["seeds"] == 4);
  REQUIRE(document["passed"] == 4);
  REQUIRE(document["failures"].empty());
  const auto hashes = run("sim fuzz --seeds 4 --first-seed 10 --hashes");
  REQUIRE(hashes.out.substr(0, 3) == "10 ");
  REQUIRE(hashes.out.size() == 4 * (2 + 1 + 32 + 1));
}

/// Fails at once, whatever the seed: a majority is gone for ever.
void write_failing(const std::string& file) {
  json changed = json::parse(std::ifstream(scenario("basics/fails_on_purpose.json")));
  changed.erase("expect");
  std::ofstream(file) << changed;
}

TEST_CASE("a failing world is made smaller, and what is left is explained") {
  const test::Directory directory;
  const std::string failing = directory.path() + "/failing.json";
  const std::string small = directory.path() + "/small.json";
  write_failing(failing);
  const auto shrunk = run("sim shrink " + failing + " --write-scenario " + small + " --output json");
  REQUIRE(shrunk.exit_code == 0);
  REQUIRE(json::parse(shrunk.out)["finished"] == true);
  REQUIRE(json::parse(std::ifstream(small))["signature"]["oracle"] == "O-V1");
  REQUIRE(run("sim run " + small).exit_code == 0);  // as it expects
  const auto story = run("sim explain " + small);
  INFO(story.out);
  REQUIRE(story.exit_code == 0);
  for (const char* part :
       {"world       ", "needed      at ", "happened    ", "verdict     stuck (O-V1)", "reason      "}) {
    REQUIRE(story.out.find(part) != std::string::npos);
  }
  REQUIRE(json::parse(run("sim explain " + small + " --output json").out)["faults"][0]["role"] == "needed");
  const auto fine = run("sim explain " + scenario("basics/happy_path.json"));
  REQUIRE(fine.exit_code == 2);
  REQUIRE(fine.err.find("does not fail") != std::string::npos);
  REQUIRE(run("sim shrink " + scenario("basics/happy_path.json")).exit_code == 2);
}

TEST_CASE("the first failing seed of a batch is made smaller by itself, after the failures as they are") {
  const test::Directory directory;
  const std::string failing = directory.path() + "/failing.json";
  write_failing(failing);
  const std::string batch = "sim fuzz --scenario " + failing + " --seeds 2 --first-seed 5";
  const auto text = run(batch);
  REQUIRE(text.exit_code == 4);
  const std::size_t whole = text.out.find("seed 5: stuck (O-V1)");
  const std::size_t story = text.out.find("seed 5, made smaller:\nworld ");
  INFO(text.out);
  REQUIRE(whole != std::string::npos);
  REQUIRE(story != std::string::npos);
  REQUIRE(whole < story);
  REQUIRE(run(batch + " --no-shrink").out.find("made smaller") == std::string::npos);
  const std::string folder = directory.path() + "/failures";
  const auto document = json::parse(run(batch + " --output json --write-failures " + folder).out);
  REQUIRE(document["failures"].size() == 2);
  REQUIRE(document["shrunk"]["of_seed"] == 5);
  REQUIRE(document["shrunk"]["scenario"] == folder + "/failing-5.shrunk.json");
  REQUIRE(run("sim run " + folder + "/failing-5.shrunk.json").exit_code == 0);
  REQUIRE(run("sim run " + folder + "/failing-6.json").exit_code == 0);
}

TEST_CASE("what there is to choose from is listed") {
  const auto names = [](const char* what) {
    std::string all;
    for (const json& row : json::parse(run(std::string("sim list ") + what + " --output json").out)) {
      all += row["name"].get<std::string>() + " ";
    }
    return all;
  };
  REQUIRE(names("faults").find("torn_unsynced") != std::string::npos);
  REQUIRE(names("oracles").find("O-V1") != std::string::npos);
  REQUIRE(names("triggers").find("saga_started") != std::string::npos);
  REQUIRE(names("profiles") ==
          "accounts attic default holds ids membership membership_on_bad_disks numbers short_leaderships single_faults "
          "single_faults_long splits stale_reads storage tcc two_phase_commit unoptimised ");
  REQUIRE(names("protocols") == "saga tcc two_phase_commit ");
}

TEST_CASE("the ladder shows for each rung the verdict that the walk expects, and tells how a flawed one fails") {
  const auto climbed = run("sim ladder --rung B2 --rung B4 --rung B10 --seeds 200 --output json");
  INFO(climbed.err);
  REQUIRE(climbed.exit_code == 0);
  const json rungs = json::parse(climbed.out)["rungs"];
  REQUIRE(rungs.size() == 3);
  for (const json& rung : rungs) {
    for (const char* field : {"id", "title", "verdict", "expected", "oracle", "seed", "seeds", "availability",
                              "messages_per_transfer", "syncs_per_transfer", "p50_ms", "p99_ms"}) {
      INFO(field);
      REQUIRE(rung.contains(field));
    }
    REQUIRE(rung["verdict"] == rung["expected"]);
  }
  REQUIRE(rungs[0]["verdict"] == "violation");
  REQUIRE(rungs[0]["story"].size() > 2);
  REQUIRE(rungs[1]["verdict"] == "pass");
  REQUIRE(rungs[1]["seed"].is_null());
  REQUIRE(rungs[2]["verdict"] == "stuck");
  REQUIRE(run("sim ladder --rung B99").exit_code == 2);
  REQUIRE(run("sim ladder --rung B2 --seeds 1 --first-seed 2").exit_code == 9);
}

TEST_CASE("a saved plan of the ladder runs again and tells its story") {
  const auto told = run("sim ladder --plan " + scenario("ladder/B2.json"));
  INFO(told.err);
  REQUIRE(told.exit_code == 0);
  REQUIRE(told.out.find("violation, O-L1") != std::string::npos);
  REQUIRE(json::parse(run("sim ladder --output json --plan " + scenario("ladder/B2.json")).out)["oracle"] == "O-L1");
  const test::Directory directory;
  std::ofstream(directory.path() + "/bad.json") << R"({"rung": "B2"})";
  REQUIRE(run("sim ladder --plan " + directory.path() + "/bad.json").exit_code == 2);
}

}  // namespace
}  // namespace coffer::cli
