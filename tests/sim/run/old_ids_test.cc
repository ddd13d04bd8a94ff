// What a client is told that comes back with ids whose rows have left memory, from end to end (decision 12, section 3).
#include <catch2/catch.hpp>

#include "core/router/protocol.h"
#include "sim/run/onlooker.h"
#include "sim/run/run.h"
#include "tests/sim/run/scenario_files.h"
#include "tests/sim/run/told.h"

namespace coffer::sim {
namespace {

TEST_CASE("old ids are answered from the disk as they were from memory, and act once, by every protocol") {
  Scenario scenario = scenario_of("scenarios/basics/old_ids_on_disk.json");
  scenario.tuning.protocol =
      GENERATE(ledger::Protocol::saga, ledger::Protocol::tcc, ledger::Protocol::two_phase_commit);
  Told told(1);
  RunOptions options;
  options.onlookers = {&told};
  const RunResult result = run(scenario, scenario.seed, options);
  INFO(result.oracle << ": " << result.reason);
  REQUIRE(result.verdict == Verdict::pass);
  REQUIRE(told.replies.size() == 46);
  for (const std::size_t again : {std::size_t{40}, std::size_t{44}}) {
    CHECK(result_of(told.replies[again]).outcome == Outcome::success);
    CHECK(result_of(told.replies[again]).replayed);
    CHECK(result_of(told.replies[again]).position == result_of(told.replies[0]).position);
  }
  CHECK(result_of(told.replies[41]).outcome == Outcome::idempotency_payload_mismatch);
  CHECK(std::get<router::TransferStatusReply>(told.replies[42].body).result.outcome == Outcome::success);
  CHECK(result_of(told.replies[43]).outcome == Outcome::success);
  CHECK_FALSE(result_of(told.replies[43]).replayed);
  CHECK(std::get<router::BalanceReply>(told.replies[45].body).balance == 59);
  CHECK(result.sometimes.at("rows_left") >= 1);
  CHECK(result.sometimes.at("attic_repeated") >= 2);
  CHECK(result.sometimes.at("attic_conflict") >= 1);
  CHECK(result.sometimes.at("attic_status") >= 1);
}

}  // namespace
}  // namespace coffer::sim
