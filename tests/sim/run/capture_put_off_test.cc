// A capture that comes while two-phase commit has locked its account, or its payee's, and what its client is told, from
// end to end.
#include <catch2/catch.hpp>

#include "core/router/protocol.h"
#include "sim/run/run.h"
#include "tests/sim/run/scenario_files.h"
#include "tests/sim/run/told.h"

namespace coffer::sim {
namespace {

struct Played {
  Told told{1};
  RunResult result;
};

Played play(ledger::Protocol protocol, const char* file = "scenarios/basics/capture_meets_a_lock.json") {
  Scenario scenario = scenario_of(file);
  scenario.tuning.protocol = protocol;
  Played played;
  RunOptions options;
  options.onlookers = {&played.told};
  played.result = run(scenario, scenario.seed, options);
  return played;
}

const router::TransferResult& captured(const router::Reply& reply) {
  INFO(name(reply.status));
  REQUIRE(std::holds_alternative<router::CaptureHoldReply>(reply.body));
  return std::get<router::CaptureHoldReply>(reply.body).result;
}

TEST_CASE("a capture that meets a lock is put off, keeps its hold, and goes through under its id (rule D5)") {
  const Played played = play(ledger::Protocol::two_phase_commit);
  INFO(played.result.oracle << ": " << played.result.reason);
  REQUIRE(played.result.verdict == Verdict::pass);
  CHECK(played.result.sometimes.at("hold_capture_put_off") >= 1);
  CHECK(played.result.sometimes.at("hold_voided") == 1);

  const auto& replies = played.told.replies;
  REQUIRE(replies.size() == 7);
  CHECK(captured(replies[2]).outcome == Outcome::success);
  CHECK_FALSE(captured(replies[2]).replayed);
  CHECK(captured(replies[3]).replayed);
  CHECK(captured(replies[3]).position == captured(replies[2]).position);
  CHECK(std::get<router::HoldReply>(replies[4].body).state == router::HoldState::captured);
  CHECK_FALSE(std::get<router::VoidHoldReply>(replies[5].body).already);
  CHECK(std::get<router::BalanceReply>(replies[6].body).balance == 4);
  CHECK(std::get<router::BalanceReply>(replies[6].body).held == 0);
}

TEST_CASE("a capture for a payee who is locked in the same shard is put off, and goes through later (rule D5)") {
  const Played played = play(ledger::Protocol::two_phase_commit, "scenarios/basics/capture_meets_a_locked_payee.json");
  INFO(played.result.oracle << ": " << played.result.reason);
  REQUIRE(played.result.verdict == Verdict::pass);
  CHECK(played.result.sometimes.at("hold_capture_put_off") >= 1);

  const auto& replies = played.told.replies;
  REQUIRE(replies.size() == 5);
  CHECK(captured(replies[1]).outcome == Outcome::success);
  CHECK(std::get<router::HoldReply>(replies[2].body).state == router::HoldState::captured);
  CHECK(std::get<router::BalanceReply>(replies[3].body).balance == 6);
  CHECK(std::get<router::BalanceReply>(replies[4].body).balance == 13);
}

TEST_CASE("where nothing locks accounts, nobody is put off") {
  const Played played = play(GENERATE(ledger::Protocol::saga, ledger::Protocol::tcc));
  INFO(played.result.oracle << ": " << played.result.reason);
  REQUIRE(played.result.verdict == Verdict::pass);
  CHECK(played.result.sometimes.at("hold_capture_put_off") == 0);
  CHECK(captured(played.told.replies.at(2)).outcome == Outcome::success);
}

}  // namespace
}  // namespace coffer::sim
