#include "sim/run/availability.h"

#include <set>

#include <catch2/catch.hpp>

#include "sim/faults/faults.h"
#include "sim/run/single_faults.h"
#include "tests/sim/run/scenario_files.h"

namespace coffer::sim {
namespace {

SimTime at(std::int64_t ms) { return {ms * 1'000'000}; }

router::Reply reply_of(Outcome status) {
  router::Reply reply;
  reply.status = status;
  return reply;
}

router::Reply results_of(std::vector<Outcome> outcomes) {
  router::TransfersReply transfers;
  for (const Outcome outcome : outcomes) {
    transfers.results.emplace_back();
    transfers.results.back().outcome = outcome;
  }
  router::Reply reply;
  reply.body = std::move(transfers);
  return reply;
}

/// Requests of the running phase.
struct Load {
  Load() { availability.on_phase(at(0), Phase::running); }
  void request(std::int64_t called_ms, std::int64_t answered_ms, Outcome outcome = Outcome::success) {
    availability.on_call(at(called_ms), ++op);
    availability.on_return(at(answered_ms), op, reply_of(outcome));
  }
  Availability availability;
  std::uint64_t op = 0;
};

TEST_CASE("what says what has become of a request is definite") {
  for (const Outcome outcome : {Outcome::success, Outcome::insufficient_funds, Outcome::account_not_found,
                                Outcome::idempotency_payload_mismatch, Outcome::malformed}) {
    CHECK(is_definite(reply_of(outcome)));
    CHECK(is_definite(results_of({Outcome::success, outcome})));
  }
  for (const Outcome outcome : {Outcome::unknown, Outcome::in_flight, Outcome::pending, Outcome::no_leader,
                                Outcome::overloaded, Outcome::not_leader, Outcome::draining}) {
    CHECK_FALSE(is_definite(reply_of(outcome)));
    CHECK_FALSE(is_definite(results_of({Outcome::success, outcome})));
  }
}

TEST_CASE("a request is served by a definite answer within two seconds") {
  Load load;
  load.request(0, 2000);
  load.request(10, 2011);
  load.request(20, 30, Outcome::unknown);
  load.request(40, 50, Outcome::insufficient_funds);
  load.availability.on_call(at(60), ++load.op);  // never answered
  CHECK(load.availability.counts().requests == 5);
  CHECK(load.availability.counts().served == 2);
}

TEST_CASE("an outage lasts from the call of the first request that is not served to that of the next one that is") {
  Load load;
  load.request(0, 1);
  load.request(100, 5000);
  load.request(300, 5000);
  load.request(400, 401);
  load.request(1000, 9000);
  load.request(1200, 1201);
  CHECK(load.availability.counts().worst_outage_ms == 300);
  load.request(2000, 9000);
  load.request(3000, 9000);
  CHECK(load.availability.counts().worst_outage_ms == 1000);
}

TEST_CASE("only requests made while faults strike count") {
  Load load;
  load.request(0, 1);
  load.availability.on_phase(at(10), Phase::healing);
  load.request(11, 9000, Outcome::unknown);
  CHECK(load.availability.counts().requests == 1);
  CHECK(load.availability.counts().served == 1);
}

TEST_CASE("an open loop calls at its pace, whatever the answers") {
  Scenario scenario = scenario_of("scenarios/faults/power_cut_all.json");
  scenario.workload.clients = 8;
  scenario.workload.period = milliseconds(400);
  scenario.workload.patience_ms = 400;
  scenario.workload.operations = 200;
  scenario.workload.batch_max = 1;
  scenario.limits.running_min = seconds(10);
  scenario.faults = {scenario.faults.front()};
  scenario.faults[0].at = seconds(2);
  scenario.faults[0].lasts_min = scenario.faults[0].lasts_max = seconds(5);
  const RunResult result = run(scenario, scenario.seed);
  INFO(result.oracle << " " << result.reason);
  REQUIRE(result.verdict == Verdict::pass);
  REQUIRE(result.faults.at("power_cut_all") == 1);
  REQUIRE(result.availability.requests == 200);
  // Twenty a second: all of the first two seconds, none of the five of the cut, some while the machines come back one
  // after the other.
  REQUIRE(result.availability.served >= 40);
  REQUIRE(result.availability.served <= 100);
  REQUIRE(result.availability.worst_outage_ms >= 5000);
  REQUIRE(result.availability.worst_outage_ms <= 8000);
}

TEST_CASE("a day has a piece for each kind of fault, in which it strikes alone and once") {
  std::set<std::string> struck;
  const std::uint64_t pieces = pieces_of_a_day();
  REQUIRE(length_of_piece() * static_cast<std::int64_t>(pieces) <= seconds(86400));
  REQUIRE((length_of_piece() + seconds(1)) * static_cast<std::int64_t>(pieces) > seconds(86400));
  for (std::uint64_t seed = 1; seed <= 3 * pieces; ++seed) {
    const Scenario scenario = draw_single_fault(seed);
    REQUIRE(scenario.faults.size() == 1);
    const faults::FaultSpec& spec = scenario.faults[0];
    REQUIRE(spec.when == faults::When::at);
    REQUIRE(spec.at + spec.lasts_max < length_of_piece() + seconds(60));
    REQUIRE(spec.fault == faults::table()[(seed - 1) % pieces].name);
    struck.insert(spec.fault);
  }
  REQUIRE(struck.size() == pieces);
}

}  // namespace
}  // namespace coffer::sim
