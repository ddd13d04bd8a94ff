#include "sim/shrink/explain.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "sim/shrink/story.h"
#include "tests/sim/run/scenario_files.h"

namespace coffer::sim::shrink {
namespace {

using Role = Explanation::Strike::Role;

/// A majority crashes for ever; the cut of a link beside it does nothing.
Scenario stuck_for_ever() {
  Scenario scenario = scenario_of("scenarios/basics/fails_on_purpose.json");
  faults::FaultSpec beside;
  beside.fault = "connection_reset";
  beside.stream = 99;
  beside.when = faults::When::at;
  beside.at = milliseconds(20);
  beside.lasts_min = beside.lasts_max = milliseconds(10);
  scenario.faults.push_back(beside);
  return scenario;
}

TEST_CASE("the strikes that a failure needs are told from those that do not matter (simulator: stories)") {
  const Explanation told = explain(stuck_for_ever());
  REQUIRE(told.result.verdict == Verdict::stuck);
  REQUIRE(told.strikes.size() == 2);
  CHECK(told.strikes[0].fault.fault == "connection_reset");
  CHECK(told.strikes[0].role == Role::needless);
  CHECK(told.strikes[1].fault.fault == "crash_restart");
  CHECK(told.strikes[1].role == Role::needed);
  CHECK(told.finished());
  const std::string text = to_text(told, "b", "coffer sim run x.json");
  INFO(text);
  for (const char* part : {"needed      at 500 ms  crash_restart", "needless    at 20 ms  connection_reset", "crashed",
                           "leads shard 1 in term", "verdict     stuck (O-V1)", "gone for ever, by the scenario's wish",
                           "replay      coffer sim run x.json"}) {
    INFO(part);
    CHECK(text.find(part) != std::string::npos);
  }
  const auto json = nlohmann::json::parse(to_json(told, "b", "r"));
  CHECK(json["faults"][1]["role"] == "needed");
  CHECK(json["events"].size() == told.moments.size());
  CHECK(json["finished"] == true);
}

TEST_CASE("an explanation that is stopped says what it has not tried") {
  const Explanation told = explain(stuck_for_ever(), [] { return false; });
  CHECK_FALSE(told.finished());
  CHECK(told.strikes[0].role == Role::untried);
  CHECK_FALSE(told.moments.empty());
  CHECK(to_text(told, "b", "r").find("untried     at 20 ms") != std::string::npos);
}

TEST_CASE("what passes has no story") {
  const Explanation told = explain(scenario_of("scenarios/basics/happy_path.json"));
  CHECK(told.result.verdict == Verdict::pass);
  CHECK(told.moments.empty());
}

TEST_CASE("what an oracle's words name is found in them") {
  const Subject lost = subject_of("s2 entry 31 of term 1 has committed, first seen on node 3; node 2 ends at entry 4");
  CHECK(lost.shard == ShardId(2));
  CHECK(lost.entry == Index(31));
  CHECK(lost.transfers.empty());
  const Subject twice = subject_of("transfer 572ddf6d-3571-4ac7-aee2-c48fe85dcf62 of account 'a1' answered two bodies");
  CHECK(twice.transfers.size() == 1);
  CHECK(twice.accounts == std::set<std::string>{"a1"});
  CHECK_FALSE(twice.entry);
  CHECK(subject_of("account a0 has USD -1 minor units after s1@4").accounts == std::set<std::string>{"a0"});
}

TEST_CASE("the life of a transfer across shards is told in order (Digital Wallet, fig. 12.29)") {
  const Scenario scenario = scenario_of("scenarios/basics/figure_12_29.json");
  Chronicle chronicle{Subject{}};
  RunOptions watched;
  watched.onlookers = {&chronicle};
  REQUIRE(run(scenario, scenario.seed, watched).verdict == Verdict::pass);
  std::string all;
  for (const Moment& moment : chronicle.moments(moments_max)) all += moment.what + "\n";
  std::size_t at = 0;
  for (const char* part : {"asks for transfer", "is debited", "is sent to shard 1", "is decided: success",
                           "hears from shard 1", "is done", "is told: transfer"}) {
    INFO(part << " in\n" << all);
    at = all.find(part, at);
    REQUIRE(at != std::string::npos);
  }
}

TEST_CASE("a long story keeps its beginning, its end, and what it is about") {
  Chronicle chronicle{Subject{}};
  for (std::uint32_t i = 0; i < 100; ++i) chronicle.machine({}, NodeId(1), "crashed");
  const std::vector<Moment> moments = chronicle.moments(10);
  CHECK(moments.size() == 10);
  CHECK(moments.front().what == "node 1 crashed");
}

}  // namespace
}  // namespace coffer::sim::shrink
