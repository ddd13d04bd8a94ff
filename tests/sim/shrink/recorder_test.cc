#include "sim/shrink/recorder.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "sim/run/run.h"
#include "sim/run/scenario_json.h"
#include "sim/run/swarm.h"
#include "tests/sim/run/scenario_files.h"

namespace coffer::sim::shrink {
namespace {

/// What clients called and were told until faults ended.
class Seen : public Onlooker {
 public:
  struct One {
    std::int64_t at;
    std::uint32_t client;
    std::string what;
    bool operator==(const One&) const = default;
  };
  void phase(SimTime, Phase phase) override { running_ = phase <= Phase::running; }
  void call(SimTime now, std::uint32_t client, std::uint64_t, const router::Request& request) override {
    if (running_) all.push_back({now.nanos, client, std::to_string(static_cast<int>(request.header.kind))});
  }
  void told(SimTime now, std::uint32_t client, std::uint64_t, const router::Reply& reply) override {
    std::string outcomes(name(reply.status));
    if (const auto* placed = std::get_if<router::PlaceHoldReply>(&reply.body)) {
      outcomes += " " + std::string(name(placed->result.outcome)) + std::to_string(placed->expires.nanos);
    }
    if (const auto* captured = std::get_if<router::CaptureHoldReply>(&reply.body)) {
      outcomes += " " + std::string(name(captured->result.outcome));
    }
    if (const auto* results = std::get_if<router::TransfersReply>(&reply.body)) {
      for (const router::TransferResult& one : results->results) outcomes += " " + std::string(name(one.outcome));
    }
    if (running_) all.push_back({now.nanos, client, outcomes});
  }
  std::vector<One> all;

 private:
  bool running_ = true;
};

/// The drawn run; what its clients did, written out, takes the place of the workload.
RunResult write_out(Scenario& scenario, Seen& seen) {
  Recorder recorder(scenario);
  RunOptions watched;
  watched.onlookers = {&recorder, &seen};
  const RunResult result = run(scenario, scenario.seed, watched);
  if (!recorder.script().empty()) scenario.script = recorder.script();
  return result;
}

TEST_CASE("calls that were drawn happen again when each is written out (simulator: keyed streams)") {
  const std::string profile = GENERATE("default", "storage", "accounts", "holds");
  const std::uint64_t seed = GENERATE(range<std::uint64_t>(1, 9));
  Scenario scenario = find_profile(profile)->draw(seed);
  scenario.seed = seed;
  Seen drawn;
  REQUIRE(write_out(scenario, drawn).verdict == Verdict::pass);
  const Result<Scenario> read = read_scenario(write_scenario(scenario));
  INFO(profile << " " << seed << (read ? "" : ": " + read.error().what));
  REQUIRE(read.has_value());
  REQUIRE(read->script == scenario.script);
  Seen again;
  RunOptions watched;
  watched.onlookers = {&again};
  CHECK(run(*read, seed, watched).verdict == Verdict::pass);
  CHECK(drawn.all.size() > 100);
  CHECK((again.all == drawn.all));
}

TEST_CASE("a call that is written out can go without the others being made at another time") {
  Scenario scenario = find_profile("default")->draw(3);
  scenario.seed = 3;
  Seen all;
  write_out(scenario, all);
  const std::vector<ScriptedCall> calls = scenario.script.calls;
  REQUIRE(calls.size() > 20);
  const ScriptedCall gone = calls[7];
  scenario.script.calls.erase(scenario.script.calls.begin() + 7);
  Seen less;
  RunOptions watched;
  watched.onlookers = {&less};
  CHECK(run(scenario, scenario.seed, watched).verdict == Verdict::pass);
  // Nobody else waits for it, so that the next call of each client comes when it came.
  const auto next = std::find_if(calls.begin() + 8, calls.end(), [&](const ScriptedCall& call) {
    return call.client == gone.client && (call.batch == 0 || call.batch != gone.batch);
  });
  REQUIRE(next != calls.end());
  const auto made_at = [&](const Seen& seen) {
    std::set<std::int64_t> times;
    for (const Seen::One& one : seen.all) times.insert(one.client == gone.client ? one.at : 0);
    return times;
  };
  std::vector<std::int64_t> both;
  const std::set<std::int64_t> before = made_at(all);
  const std::set<std::int64_t> after = made_at(less);
  std::set_intersection(before.begin(), before.end(), after.begin(), after.end(), std::back_inserter(both));
  CHECK(both.size() > before.size() / 3);
}

TEST_CASE("a scenario whose calls are written out already is left as it is") {
  Scenario scenario = scenario_of("scenarios/basics/figure_12_29.json");
  const Script script = scenario.script;
  Seen seen;
  CHECK(write_out(scenario, seen).verdict == Verdict::pass);
  CHECK(scenario.script == script);
}

TEST_CASE("a script may ask, open, and send several transfers in one request") {
  const Result<Scenario> scenario = read_scenario(R"({"topology": {"shards": 1}, "script": {
      "accounts": [{"account": "a", "balance": 10}],
      "calls": [{"operation": "open", "account": "b"},
                {"operation": "transfer", "from": "a", "to": "b", "amount": 3, "id": 1, "batch": 1},
                {"operation": "transfer", "from": "a", "to": "b", "amount": 4, "id": 1, "batch": 1},
                {"operation": "transfer", "from": "a", "to": "b", "amount": 100, "id": 2, "batch": 1},
                {"operation": "status", "account": "a", "id": 1},
                {"operation": "balance", "account": "b", "eventual": true, "at": "900ms"}]}})");
  INFO((scenario ? "" : scenario.error().what));
  REQUIRE(scenario.has_value());
  Seen seen;
  RunOptions watched;
  watched.onlookers = {&seen};
  const RunResult result = run(*scenario, 1, watched);
  CHECK(result.verdict == Verdict::pass);
  std::vector<std::string> told;
  for (std::size_t i = 5; i < seen.all.size(); i += 2) told.push_back(seen.all[i].what);
  CHECK(told == std::vector<std::string>{"success", "success success idempotency-payload-mismatch insufficient-funds",
                                         "success", "success"});
}

}  // namespace
}  // namespace coffer::sim::shrink
