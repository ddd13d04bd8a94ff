// What an upstream is told that numbers what it sends, from end to end (decision 12, section 2).
#include <catch2/catch.hpp>

#include "core/router/protocol.h"
#include "sim/run/onlooker.h"
#include "sim/run/run.h"
#include "tests/sim/run/scenario_files.h"
#include "tests/sim/run/told.h"

namespace coffer::sim {
namespace {

TEST_CASE("an upstream that loses a number is told which, and each number acts once, by every protocol") {
  Scenario scenario = scenario_of("scenarios/basics/numbered_source.json");
  scenario.tuning.protocol =
      GENERATE(ledger::Protocol::saga, ledger::Protocol::tcc, ledger::Protocol::two_phase_commit);
  Told told(1);
  RunOptions options;
  options.onlookers = {&told};
  const RunResult result = run(scenario, scenario.seed, options);
  INFO(result.oracle << ": " << result.reason);
  REQUIRE(result.verdict == Verdict::pass);
  REQUIRE(told.replies.size() == 11);
  CHECK(result_of(told.replies[0]).outcome == Outcome::success);
  const router::TransferResult gap = result_of(told.replies[1]);
  CHECK(gap.outcome == Outcome::id_gap);
  CHECK(gap.position == Position(2));
  CHECK(result_of(told.replies[2]).outcome == Outcome::success);
  const router::TransferResult third = result_of(told.replies[3]);
  CHECK(third.outcome == Outcome::success);
  CHECK_FALSE(third.replayed);
  const router::TransferResult again = result_of(told.replies[4]);
  CHECK(again.outcome == Outcome::success);
  CHECK(again.replayed);
  CHECK(again.position == third.position);
  CHECK(result_of(told.replies[5]).outcome == Outcome::id_expired);
  CHECK(told.replies[6].status == Outcome::id_expired);
  CHECK(told.replies[7].status == Outcome::transfer_not_found);
  CHECK(std::get<router::TransferStatusReply>(told.replies[8].body).result.outcome == Outcome::success);
  CHECK(told.replies[9].status == Outcome::id_is_numbered);
  CHECK(std::get<router::BalanceReply>(told.replies[10].body).balance == 7);
  CHECK(result.sometimes.at("number_decided") == 3);
  CHECK(result.sometimes.at("source_opened") == 1);
}

}  // namespace
}  // namespace coffer::sim
