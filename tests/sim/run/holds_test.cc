// What clients are told of holds from end to end: kept, captured, voided, expired, and who is refused meanwhile.
#include <vector>

#include <catch2/catch.hpp>

#include "core/router/protocol.h"
#include "sim/run/onlooker.h"
#include "sim/run/run.h"
#include "tests/sim/run/scenario_files.h"

namespace coffer::sim {
namespace {

/// What clients were told while the workload ran, in order.
struct Told final : Onlooker {
  void phase(SimTime, Phase now) override { running = now == Phase::running; }
  void told(SimTime, std::uint32_t, std::uint64_t, const router::Reply& reply) override {
    if (running) replies.push_back(reply);
  }
  template <class Body>
  const Body& body(std::size_t call) const {
    INFO("call " << call << " was told " << name(replies.at(call).status));
    REQUIRE(std::holds_alternative<Body>(replies.at(call).body));
    return std::get<Body>(replies.at(call).body);
  }
  Outcome placed(std::size_t call) const { return body<router::PlaceHoldReply>(call).result.outcome; }
  const router::TransferResult& captured(std::size_t call) const { return body<router::CaptureHoldReply>(call).result; }
  bool running = false;
  std::vector<router::Reply> replies;
};

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
  CHECK(told.placed(0) == Outcome::success);
  CHECK(told.body<router::TransfersReply>(1).results.at(0).outcome == Outcome::insufficient_funds);
  CHECK(told.body<router::BalanceReply>(2).balance == 10);
  CHECK(told.body<router::BalanceReply>(2).held == 6);
  CHECK(told.placed(4) == Outcome::account_frozen);
  CHECK(told.captured(5).outcome == Outcome::success);
  CHECK_FALSE(told.captured(5).replayed);
  CHECK(told.captured(7).replayed);
  CHECK(told.captured(7).position == told.captured(5).position);
  CHECK(told.replies[8].status == Outcome::idempotency_payload_mismatch);
  CHECK(told.replies[9].status == Outcome::hold_captured);
  CHECK_FALSE(told.body<router::VoidHoldReply>(11).already);
  CHECK(told.body<router::VoidHoldReply>(12).already);
  CHECK(told.placed(13) == Outcome::success);
  CHECK(told.replies[14].status == Outcome::hold_expired);
  CHECK(told.body<router::HoldReply>(15).state == router::HoldState::expired);
  CHECK(told.replies[17].status == Outcome::hold_exceeded);
  CHECK(told.captured(18).outcome == Outcome::credit_account_not_found);
  CHECK(told.body<router::HoldReply>(19).state == router::HoldState::captured);
  CHECK(told.body<router::BalanceReply>(20).balance == 6);
  CHECK(told.body<router::BalanceReply>(20).held == 0);
}

}  // namespace
}  // namespace coffer::sim
