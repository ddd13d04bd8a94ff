// What a client is told who comes back a day later, from end to end (decision 12).
#include <vector>

#include <catch2/catch.hpp>

#include "core/router/protocol.h"
#include "sim/run/onlooker.h"
#include "sim/run/run.h"
#include "tests/sim/run/scenario_files.h"
#include "tests/sim/run/told.h"

namespace coffer::sim {
namespace {

TEST_CASE(
    "who comes back a day later gets the old answer or hears that the id has expired, and nothing is done twice") {
  Scenario scenario = scenario_of("scenarios/basics/late_client.json");
  scenario.tuning.protocol =
      GENERATE(ledger::Protocol::saga, ledger::Protocol::tcc, ledger::Protocol::two_phase_commit);
  Told told(1);
  RunOptions options;
  options.onlookers = {&told};
  const RunResult result = run(scenario, scenario.seed, options);
  INFO(result.oracle << ": " << result.reason);
  REQUIRE(result.verdict == Verdict::pass);
  REQUIRE(told.replies.size() == 7);
  const router::TransferResult first = result_of(told.replies[0]);
  CHECK(first.outcome == Outcome::success);
  const router::TransferResult again = result_of(told.replies[1]);
  CHECK(again.outcome == Outcome::success);
  CHECK(again.replayed);
  CHECK(again.position == first.position);
  CHECK(result_of(told.replies[2]).outcome == Outcome::id_expired);
  CHECK(result_of(told.replies[3]).outcome == Outcome::id_expired);
  CHECK(told.replies[4].status == Outcome::id_expired);
  CHECK(result_of(told.replies[5]).outcome == Outcome::id_in_future);
  CHECK(std::get<router::BalanceReply>(told.replies[6].body).balance == 9);
  CHECK(result.sometimes.at("id_forgotten") == 1);
}

}  // namespace
}  // namespace coffer::sim
