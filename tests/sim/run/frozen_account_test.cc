// A freeze that comes between the phases of a transfer, and what clients are told around it, from end to end.
#include <vector>

#include <catch2/catch.hpp>

#include "core/router/protocol.h"
#include "sim/run/onlooker.h"
#include "sim/run/run.h"
#include "tests/sim/run/scenario_files.h"

namespace coffer::sim {
namespace {

/// What one client was told while the workload ran, in order.
struct Told final : Onlooker {
  void phase(SimTime, Phase now) override { running = now == Phase::running; }
  void told(SimTime, std::uint32_t client, std::uint64_t, const router::Reply& reply) override {
    if (running && client == 1) replies.push_back(reply);
  }
  bool running = false;
  std::vector<router::Reply> replies;
};

router::TransferResult result_of(const router::Reply& reply) {
  return std::get<router::TransfersReply>(reply.body).results.at(0);
}

TEST_CASE("what was promised before a freeze goes through, what is new is refused for ever, closed is the end") {
  Scenario scenario = scenario_of("scenarios/basics/frozen_account.json");
  scenario.tuning.protocol =
      GENERATE(ledger::Protocol::saga, ledger::Protocol::tcc, ledger::Protocol::two_phase_commit);
  Told told;
  RunOptions options;
  options.onlookers = {&told};
  const RunResult result = run(scenario, scenario.seed, options);
  INFO(result.oracle << ": " << result.reason);
  REQUIRE(result.verdict == Verdict::pass);
  CHECK(result.sometimes.at("frozen_between_phases") == 1);
  CHECK(result.sometimes.at("refused_frozen") == 1);
  CHECK(result.sometimes.at("account_closed") == 1);
  CHECK(result.operations.succeeded_across_shards == 2);

  REQUIRE(told.replies.size() == 9);
  const auto frozen = std::get<router::ChangeAccountReply>(told.replies[0].body);
  CHECK_FALSE(frozen.already);
  CHECK(std::get<router::AccountReply>(told.replies[1].body).state == router::AccountState::frozen);
  CHECK(result_of(told.replies[2]).outcome == Outcome::account_frozen);
  CHECK_FALSE(result_of(told.replies[2]).replayed);
  CHECK(told.replies[3].status == Outcome::account_not_empty);
  CHECK_FALSE(std::get<router::ChangeAccountReply>(told.replies[4].body).already);
  CHECK(result_of(told.replies[5]).outcome == Outcome::account_frozen);
  CHECK(result_of(told.replies[5]).replayed);
  CHECK(result_of(told.replies[6]).outcome == Outcome::success);
  CHECK(told.replies[7].status == Outcome::success);
  const auto late = std::get<router::ChangeAccountReply>(told.replies[8].body);  // the freeze's id again
  CHECK(late.already);
  CHECK(late.position == frozen.position);
}

}  // namespace
}  // namespace coffer::sim
