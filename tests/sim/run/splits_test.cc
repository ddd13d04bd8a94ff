// What clients are told of splits from end to end: all are paid or none, once, and who refused.
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
  const router::SplitReply& split(std::size_t call) const { return body<router::SplitReply>(call); }
  std::int64_t balance(std::size_t call) const { return body<router::BalanceReply>(call).balance; }
  bool running = false;
  std::vector<router::Reply> replies;
};

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
  CHECK(told.split(0).result.outcome == Outcome::success);
  CHECK_FALSE(told.split(0).result.replayed);
  CHECK(told.split(0).parts.size() == 3);
  CHECK(told.split(1).result.replayed);
  CHECK(told.split(1).result.position == told.split(0).result.position);
  CHECK(told.split(1).parts.at(0).position == told.split(0).parts.at(0).position);
  CHECK(told.replies[2].status == Outcome::idempotency_payload_mismatch);
  CHECK(told.split(3).result.outcome == Outcome::credit_account_not_found);
  CHECK(told.split(3).refused == 1);
  CHECK(told.balance(4) == 4);
  CHECK(told.split(6).result.outcome == Outcome::account_frozen);
  CHECK(told.split(6).refused == 2);
  CHECK(told.split(8).result.outcome == Outcome::insufficient_funds);
  CHECK(told.split(8).refused == router::no_part);
  CHECK(told.split(9).result.replayed);
  CHECK(told.split(10).result.outcome == Outcome::success);
  const auto& status = told.body<router::TransferStatusReply>(11);
  CHECK(status.operation == router::TransferOperation::split);
  CHECK(status.steps.size() == 8);
  CHECK(told.balance(12) == 2);
  CHECK(told.balance(13) == 3);
  CHECK(told.balance(14) == 2);
  CHECK(told.balance(15) == 3);
}

}  // namespace
}  // namespace coffer::sim
