// What makes the wallet fast is not seen in what it says.
#include "sim/run/optimisations.h"

#include <string>
#include <variant>
#include <vector>

#include <catch2/catch.hpp>

#include "core/txn/protocols.h"
#include "sim/run/onlooker.h"
#include "sim/run/run.h"
#include "sim/run/swarm.h"

namespace coffer::sim {
namespace {

constexpr std::uint64_t worlds = 6;

/// One client that asks for one thing after the other, and nothing goes wrong.
Scenario sequential(std::uint64_t seed, ledger::Protocol protocol) {
  Scenario scenario = find_profile("default")->draw(seed);
  scenario.faults.clear();
  scenario.workload.clients = 1;
  scenario.workload.batch_max = 1;  // those of one request run side by side
  scenario.workload.operations = 100;
  // An early answer may be ahead of the credit: it has arrived before the next call, which may be a read of it.
  scenario.workload.period = milliseconds(200);
  scenario.workload.patience_ms = 30'000;
  scenario.client_attempt_timeout = seconds(5);  // a second attempt would be told that it is one
  scenario.tuning.attempt_timeout = seconds(5);
  scenario.tuning.protocol = protocol;
  return scenario;
}

/// What the client was told, but for places and times.
class Told final : public Onlooker {
 public:
  void told(SimTime, std::uint32_t client, std::uint64_t op, const router::Reply& reply) override {
    std::string line =
        std::to_string(client) + "/" + std::to_string(op) + " " + std::string(coffer::name(reply.status));
    if (const auto* transfers = std::get_if<router::TransfersReply>(&reply.body)) {
      for (const router::TransferResult& result : transfers->results) {
        line += " " + std::string(coffer::name(result.outcome)) + (result.replayed ? " again" : "");
        ++(result.target == ShardId() ? within_ : across_);
      }
    } else if (const auto* balance = std::get_if<router::BalanceReply>(&reply.body)) {
      line += " " + std::to_string(balance->balance);
    }
    lines_.push_back(std::move(line));
  }

  const std::vector<std::string>& lines() const { return lines_; }
  std::uint64_t within() const { return within_; }
  std::uint64_t across() const { return across_; }

 private:
  std::vector<std::string> lines_;
  std::uint64_t within_ = 0;  ///< transfers inside one shard
  std::uint64_t across_ = 0;  ///< ... and between two
};

Told told_in(const Scenario& scenario) {
  Told told;
  RunOptions options;
  options.onlookers.push_back(&told);
  const RunResult result = run(scenario, scenario.seed, options);
  INFO(result.oracle << " " << result.reason);
  REQUIRE(result.verdict == Verdict::pass);
  return told;
}

}  // namespace

TEST_CASE("a client alone is told the same whichever optimisation is off (mission row I9)", "[optimisations]") {
  for (const txn::ProtocolRow& protocol : txn::protocols()) {
    std::uint64_t across = 0;
    std::uint64_t within = 0;
    for (std::uint64_t seed = 1; seed <= worlds; ++seed) {
      const Scenario plain = sequential(seed, protocol.protocol);
      const Told with_all = told_in(plain);
      across += with_all.across();
      within += with_all.within();
      Scenario none = plain;
      for (const Optimisation& optimisation : optimisations()) {
        Scenario without = plain;
        optimisation.off(without.tuning);
        optimisation.off(none.tuning);
        INFO(protocol.name << ", seed " << seed << ", without " << optimisation.name);
        CHECK(told_in(without).lines() == with_all.lines());
      }
      INFO(protocol.name << ", seed " << seed << ", without any");
      CHECK(told_in(none).lines() == with_all.lines());
    }
    CHECK(within > 100);
    CHECK(across > 100);
  }
}

TEST_CASE("each optimisation that is off is off: the same world takes another course", "[optimisations]") {
  Scenario busy = find_profile("default")->draw(3);
  busy.workload.clients = 6;
  busy.workload.think_mean = Duration{};
  busy.network.delay_floor = milliseconds(5);  // so that much is under way at once
  busy.tuning = simulated_tuning();
  faults::FaultSpec absence;  // after it, a node has entries to catch up on
  absence.fault = "crash_restart";
  absence.stream = 1;
  absence.when = faults::When::at;
  absence.at = seconds(1);
  absence.lasts_min = absence.lasts_max = milliseconds(500);
  busy.faults = {absence};
  const Hash128 plain = run(busy, busy.seed).trace_hash;
  for (const Optimisation& optimisation : optimisations()) {
    Scenario without = busy;
    optimisation.off(without.tuning);
    INFO(optimisation.name);
    CHECK(run(without, without.seed).trace_hash != plain);
  }
}

TEST_CASE("optimisations are told apart by name, in order", "[optimisations]") {
  const std::vector<Optimisation>& all = optimisations();
  REQUIRE(!all.empty());
  for (std::size_t i = 1; i < all.size(); ++i) CHECK(all[i - 1].name < all[i].name);
  for (const Optimisation& one : all) CHECK(!one.doc.empty());
}

}  // namespace coffer::sim
