// A freeze that comes between the phases of a transfer, and what clients are told around it, from end to end.
#include <vector>

#include <catch2/catch.hpp>

#include "core/router/protocol.h"
#include "sim/run/onlooker.h"
#include "sim/run/run.h"
#include "tests/sim/run/scenario_files.h"
#include "tests/sim/run/told.h"

namespace coffer::sim {
namespace {

TEST_CASE("what was promised before a freeze goes through, what is new is refused for ever, closed is the end") {
  Scenario scenario = scenario_of("scenarios/basics/frozen_account.json");
  scenario.tuning.protocol =
      GENERATE(ledger::Protocol::saga, ledger::Protocol::tcc, ledger::Protocol::two_phase_commit);
  Told told(1);
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
