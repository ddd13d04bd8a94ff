// Crash at every step, by enumeration: one transfer across shards by each protocol, agreed to and refused. For every
// event of the run in which nothing goes wrong (entries appended, synced, committed and applied, legs, answers,
// decisions), the leader of the coordinator's shard, and in a second pass that of the participant's, is lost exactly
// there: with the power of its machine and everything unsynced, or by handing over. All oracles judge every run, and
// every run ends with the same answer and the same balances.
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "core/txn/protocols.h"
#include "sim/run/onlooker.h"
#include "sim/run/run.h"
#include "tests/sim/run/scenario_files.h"

namespace coffer::sim {
namespace {

constexpr ShardId coordinator(2);  // where figure 12.29's A is
constexpr ShardId participant(1);  // where its C is

/// How a run ended, and what happened while it ran.
class Watch final : public Onlooker {
 public:
  void phase(SimTime, Phase phase) override { phase_ = phase; }
  void node(SimTime, NodeId node, const TraceEvent& event) override {
    if (event.kind == TraceKind::became_leader) leaders[event.shard] = node;
    if (phase_ == Phase::running) ++events[event.kind];
  }
  void call(SimTime, std::uint32_t, std::uint64_t op, const router::Request& request) override {
    if (const auto* read = std::get_if<router::BalanceRequest>(&request.body))
      accounts_[op] = std::string(read->account);
    if (const auto* asked = std::get_if<router::TransfersRequest>(&request.body)) {
      is_transfer_[op] = asked->items.front().operation == router::TransferOperation::transfer;
    }
  }
  void told(SimTime, std::uint32_t, std::uint64_t op, const router::Reply& reply) override {
    if (const auto* read = std::get_if<router::BalanceReply>(&reply.body)) balances[accounts_[op]] = read->balance;
    if (const auto* split = std::get_if<router::SplitReply>(&reply.body)) answers.insert(split->result.outcome);
    const auto* told = std::get_if<router::TransfersReply>(&reply.body);
    if (told == nullptr || !is_transfer_[op]) return;
    const Outcome outcome = told->results.front().outcome;
    if (outcome == Outcome::success || is_logged(outcome)) answers.insert(outcome);
  }

  std::map<TraceKind, std::uint32_t> events;  ///< of the running phase
  std::map<ShardId, NodeId> leaders;          ///< the last elected
  std::set<Outcome> answers;                  ///< every definite one told
  std::map<std::string, std::int64_t> balances;

 private:
  Phase phase_{};
  std::map<std::uint64_t, std::string> accounts_;
  std::map<std::uint64_t, bool> is_transfer_;
};

struct Variant {
  ledger::Protocol protocol;
  bool refused;

  Scenario scenario() const {
    Scenario scenario = scenario_of("scenarios/basics/figure_12_29.json");
    scenario.tuning.protocol = protocol;
    if (!refused) return scenario;
    scenario.script.accounts.pop_back();  // nobody opens C
    ScriptedCall deposit;                 // for O-H4: something succeeds
    deposit.operation = CallKind::deposit;
    deposit.to = "A";
    scenario.script.calls.push_back(deposit);
    return scenario;
  }
  void require_ended(const Watch& watch, const RunResult& result) const {
    INFO(result.oracle << " " << result.reason);
    REQUIRE(result.verdict == Verdict::pass);
    REQUIRE(watch.answers == std::set{refused ? Outcome::credit_account_not_found : Outcome::success});
    const std::map<std::string, std::int64_t> gave{{"A", 0}, {"C", 1}};
    const std::map<std::string, std::int64_t> kept{{"A", 2}};
    REQUIRE(watch.balances == (refused ? kept : gave));
  }
};

std::vector<Variant> variants() {
  std::vector<Variant> all;
  for (const txn::ProtocolRow& row : txn::protocols()) {
    for (const bool refused : {false, true}) all.push_back({row.protocol, refused});
  }
  return all;
}

/// One payment to payees of three shards, one of them the payer's.
struct SplitVariant {
  bool refused;

  Scenario scenario() const {
    Scenario scenario = scenario_of("scenarios/basics/split_once.json");
    if (!refused) return scenario;
    scenario.script.accounts.pop_back();  // nobody opens C
    ScriptedCall deposit;                 // for O-H4: something succeeds
    deposit.operation = CallKind::deposit;
    deposit.to = "A";
    scenario.script.calls.push_back(deposit);
    return scenario;
  }
  void require_ended(const Watch& watch, const RunResult& result) const {
    INFO(result.oracle << " " << result.reason);
    REQUIRE(result.verdict == Verdict::pass);
    REQUIRE(watch.answers == std::set{refused ? Outcome::credit_account_not_found : Outcome::success});
    const std::map<std::string, std::int64_t> gave{{"A", 0}, {"B", 3}, {"C", 2}, {"E", 1}};
    const std::map<std::string, std::int64_t> kept{{"A", 7}, {"B", 0}, {"E", 0}};
    REQUIRE(watch.balances == (refused ? kept : gave));
  }
};

/// Each event of the running phase moves the transfer on; these say so.
constexpr TraceKind steps[] = {
    TraceKind::appended,       TraceKind::synced,          TraceKind::committed,      TraceKind::applied,
    TraceKind::request_routed, TraceKind::answered,        TraceKind::leg_sent,       TraceKind::leg_received,
    TraceKind::leg_answer,     TraceKind::saga_started,    TraceKind::saga_done,      TraceKind::saga_compensated,
    TraceKind::try_started,    TraceKind::confirm_started, TraceKind::confirm_done,   TraceKind::cancel_started,
    TraceKind::cancel_done,    TraceKind::prepare_started, TraceKind::commit_started, TraceKind::commit_done,
    TraceKind::abort_started,  TraceKind::abort_done,
};
constexpr TraceKind steps_of_splits[] = {
    TraceKind::appended,         TraceKind::synced,        TraceKind::committed,       TraceKind::applied,
    TraceKind::request_routed,   TraceKind::answered,      TraceKind::leg_sent,        TraceKind::leg_received,
    TraceKind::leg_answer,       TraceKind::split_started, TraceKind::split_answered,  TraceKind::split_confirming,
    TraceKind::split_cancelling, TraceKind::split_ended,   TraceKind::split_confirmed, TraceKind::split_cancelled,
};

/// A seed whose two leaders are two nodes, and its run in which nothing goes wrong.
std::pair<std::uint64_t, Watch> undisturbed(const Variant& variant) {
  for (std::uint64_t seed = 1;; ++seed) {
    Watch watch;
    RunOptions options;
    options.onlookers = {&watch};
    const RunResult result = run(variant.scenario(), seed, options);
    variant.require_ended(watch, result);
    if (watch.leaders.at(coordinator) != watch.leaders.at(participant)) return {seed, watch};
  }
}

faults::FaultSpec loss_of(ShardId shard, TraceKind event, std::uint32_t nth, bool by_crash) {
  faults::FaultSpec spec;
  spec.fault = by_crash ? "crash_restart" : "transfer_leadership";
  spec.stream = 1;
  spec.when = faults::When::trigger;
  spec.trigger.event = event;
  spec.trigger.nth = nth;
  spec.target =
      by_crash ? faults::Target{faults::Who::leader, {}, shard} : faults::Target{faults::Who::follower, {}, shard};
  spec.how = faults::How::power;
  spec.lose_per_mille = 1000;
  spec.lasts_min = spec.lasts_max = milliseconds(300);
  return spec;
}

/// Loses the leader at every event; returns how often it really was lost.
std::uint64_t lose_everywhere(ShardId shard, bool by_crash) {
  std::uint64_t lost = 0;
  for (const Variant& variant : variants()) {
    const auto [seed, calm] = undisturbed(variant);
    for (const TraceKind event : steps) {
      const std::uint32_t times = calm.events.contains(event) ? calm.events.at(event) : 0;
      for (std::uint32_t nth = 1; nth <= times; ++nth) {
        CAPTURE(txn::row_of(variant.protocol).name, variant.refused, name(event), nth, seed);
        Scenario scenario = variant.scenario();
        scenario.faults = {loss_of(shard, event, nth, by_crash)};
        Watch watch;
        RunOptions options;
        options.onlookers = {&watch};
        const RunResult result = run(scenario, seed, options);
        variant.require_ended(watch, result);
        lost += result.faults.at(scenario.faults.front().fault);
      }
    }
  }
  return lost;
}

/// Of a split, the leader of this shard; returns how often it really was lost.
std::uint64_t lose_everywhere_in_splits(ShardId shard, bool by_crash) {
  std::uint64_t lost = 0;
  for (const bool refused : {false, true}) {
    const SplitVariant variant{refused};
    constexpr std::uint64_t seed = 1;
    const auto run_once = [&](const std::vector<faults::FaultSpec>& faults) {
      Scenario scenario = variant.scenario();
      scenario.faults = faults;
      Watch watch;
      RunOptions options;
      options.onlookers.push_back(&watch);
      const RunResult result = run(scenario, seed, options);
      variant.require_ended(watch, result);
      for (const faults::FaultSpec& fault : faults) lost += result.faults.at(fault.fault);
      return watch;
    };
    const Watch calm = run_once({});
    for (const TraceKind event : steps_of_splits) {
      const std::uint32_t times = calm.events.contains(event) ? calm.events.at(event) : 0;
      for (std::uint32_t nth = 1; nth <= times; ++nth) {
        CAPTURE(refused, shard.value, name(event), nth);
        run_once({loss_of(shard, event, nth, by_crash)});
      }
    }
  }
  return lost;
}

TEST_CASE("any shard's leader crashes at every step of a split: same answer, same balances (recovery)") {
  for (const ShardId shard : {ShardId(1), ShardId(2), ShardId(3)}) CHECK(lose_everywhere_in_splits(shard, true) > 60);
}

TEST_CASE("any shard's leader hands over at every step of a split: same answer, same balances (recovery)") {
  for (const ShardId shard : {ShardId(1), ShardId(2), ShardId(3)}) CHECK(lose_everywhere_in_splits(shard, false) > 60);
}

TEST_CASE("the coordinator's leader crashes at every step of every protocol: same answer, same balances (recovery)") {
  CHECK(lose_everywhere(coordinator, true) > 300);
}

TEST_CASE("the participant's leader crashes at every step of every protocol: same answer, same balances (recovery)") {
  CHECK(lose_everywhere(participant, true) > 300);
}

TEST_CASE("the coordinator's leader hands over at every step of every protocol: same answer, same balances") {
  CHECK(lose_everywhere(coordinator, false) > 300);
}

TEST_CASE("the participant's leader hands over at every step of every protocol: same answer, same balances") {
  CHECK(lose_everywhere(participant, false) > 300);
}

}  // namespace
}  // namespace coffer::sim
