// What clients are told of holds from end to end: kept, captured, voided, expired, and who is refused meanwhile.
#include <vector>

#include <catch2/catch.hpp>

#include "core/router/protocol.h"
#include "sim/run/run.h"
#include "tests/sim/run/scenario_files.h"
#include "tests/sim/run/told.h"

namespace coffer::sim {
namespace {

Outcome placed(const Told& told, std::size_t call) { return told.body<router::PlaceHoldReply>(call).result.outcome; }
const router::TransferResult& captured(const Told& told, std::size_t call) {
  return told.body<router::CaptureHoldReply>(call).result;
}

TEST_CASE("what is held is no debit's, and each hold ends once, whatever is asked of it then") {
  Scenario scenario = scenario_of("scenarios/basics/holds.json");
  scenario.tuning.protocol =
      GENERATE(ledger::Protocol::saga, ledger::Protocol::tcc, ledger::Protocol::two_phase_commit);
  Told told;
  RunOptions options;
  options.onlookers = {&told};
  const RunResult result = run(scenario, scenario.seed, options);
  INFO(result.oracle << ": " << result.reason);
  REQUIRE(result.verdict == Verdict::pass);
  for (const char* state : {"hold_captured_while_frozen", "hold_voided", "hold_expired", "hold_expiry_beat_capture",
                            "hold_exceeded", "hold_kept_debit_out"}) {
    INFO(state);
    CHECK(result.sometimes.at(state) == 1);
  }

  REQUIRE(told.replies.size() == 21);
  CHECK(placed(told, 0) == Outcome::success);
  CHECK(told.body<router::TransfersReply>(1).results.at(0).outcome == Outcome::insufficient_funds);
  CHECK(told.body<router::BalanceReply>(2).balance == 10);
  CHECK(told.body<router::BalanceReply>(2).held == 6);
  CHECK(placed(told, 4) == Outcome::account_frozen);
  CHECK(captured(told, 5).outcome == Outcome::success);
  CHECK_FALSE(captured(told, 5).replayed);
  CHECK(captured(told, 7).replayed);
  CHECK(captured(told, 7).position == captured(told, 5).position);
  CHECK(told.replies[8].status == Outcome::idempotency_payload_mismatch);
  CHECK(told.replies[9].status == Outcome::hold_captured);
  CHECK_FALSE(told.body<router::VoidHoldReply>(11).already);
  CHECK(told.body<router::VoidHoldReply>(12).already);
  CHECK(placed(told, 13) == Outcome::success);
  CHECK(told.replies[14].status == Outcome::hold_expired);
  CHECK(told.body<router::HoldReply>(15).state == router::HoldState::expired);
  CHECK(told.replies[17].status == Outcome::hold_exceeded);
  CHECK(captured(told, 18).outcome == Outcome::credit_account_not_found);
  CHECK(told.body<router::HoldReply>(19).state == router::HoldState::captured);
  CHECK(told.body<router::BalanceReply>(20).balance == 6);
  CHECK(told.body<router::BalanceReply>(20).held == 0);
}

}  // namespace
}  // namespace coffer::sim
