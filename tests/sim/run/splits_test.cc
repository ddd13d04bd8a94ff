// What clients are told of splits from end to end: all are paid or none, once, and who refused.
#include <vector>

#include <catch2/catch.hpp>

#include "core/router/protocol.h"
#include "sim/run/run.h"
#include "tests/sim/run/scenario_files.h"
#include "tests/sim/run/told.h"

namespace coffer::sim {
namespace {

const router::SplitReply& split(const Told& told, std::size_t call) { return told.body<router::SplitReply>(call); }
std::int64_t balance(const Told& told, std::size_t call) { return told.body<router::BalanceReply>(call).balance; }

TEST_CASE("a split pays all or none, once, whatever protocol the cluster uses, and says who refused (decision 10)") {
  Scenario scenario = scenario_of("scenarios/basics/split.json");
  scenario.tuning.protocol =
      GENERATE(ledger::Protocol::saga, ledger::Protocol::tcc, ledger::Protocol::two_phase_commit);
  Told told;
  RunOptions options;
  options.onlookers = {&told};
  const RunResult result = run(scenario, scenario.seed, options);
  INFO(result.oracle << ": " << result.reason);
  REQUIRE(result.verdict == Verdict::pass);
  for (const char* state : {"split_across_shards", "split_within_a_shard", "split_confirmed", "split_cancelled",
                            "split_refused_for_its_debit"}) {
    INFO(state);
    CHECK(result.sometimes.at(state) >= 1);
  }
  REQUIRE(told.replies.size() == 16);
  CHECK(split(told, 0).result.outcome == Outcome::success);
  CHECK_FALSE(split(told, 0).result.replayed);
  CHECK(split(told, 0).parts.size() == 3);
  CHECK(split(told, 1).result.replayed);
  CHECK(split(told, 1).result.position == split(told, 0).result.position);
  CHECK(split(told, 1).parts.at(0).position == split(told, 0).parts.at(0).position);
  CHECK(told.replies[2].status == Outcome::idempotency_payload_mismatch);
  CHECK(split(told, 3).result.outcome == Outcome::credit_account_not_found);
  CHECK(split(told, 3).refused == 1);
  CHECK(balance(told, 4) == 4);
  CHECK(split(told, 6).result.outcome == Outcome::account_frozen);
  CHECK(split(told, 6).refused == 2);
  CHECK(split(told, 8).result.outcome == Outcome::insufficient_funds);
  CHECK(split(told, 8).refused == router::no_part);
  CHECK(split(told, 9).result.replayed);
  CHECK(split(told, 10).result.outcome == Outcome::success);
  const auto& status = told.body<router::TransferStatusReply>(11);
  CHECK(status.operation == router::TransferOperation::split);
  CHECK(status.steps.size() == 8);
  CHECK(balance(told, 12) == 2);
  CHECK(balance(told, 13) == 3);
  CHECK(balance(told, 14) == 2);
  CHECK(balance(told, 15) == 3);
}

}  // namespace
}  // namespace coffer::sim
