// What each protocol across shards costs on paper, beside what the simulator measures where only the network takes
// time (docs/PROTOCOLS.md).
#include <algorithm>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <utility>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "core/txn/protocols.h"
#include "sim/run/run.h"
#include "tests/sim/run/scenario_files.h"

namespace coffer::sim {
namespace {

using Line = nlohmann::json;
using ledger::Protocol;

/// Message delays between a proxy's request and its reply, when proxy and both leaders are on three nodes; and messages
/// between the two leaders for one transfer.
struct Cost {
  std::int64_t success = 0;
  std::int64_t refusal = 0;
  std::uint64_t messages = 0;
};

Cost on_paper(Protocol protocol) {
  switch (protocol) {
    case Protocol::saga:
      return {8, 10, 2};
    case Protocol::tcc:
    case Protocol::two_phase_commit:
      return {14, 10, 4};
  }
  return {};
}

struct Measured {
  std::map<std::string, std::int64_t> delays;  ///< the most, by outcome
  std::uint64_t answered = 0;                  ///< transfers answered with success
  std::uint64_t messages = 0;                  ///< legs and answers
  std::uint64_t started = 0;
};

Measured measured(Scenario scenario, Protocol protocol, const std::string& what = "transfers") {
  scenario.tuning.protocol = protocol;
  const std::int64_t delay = scenario.network.delay_floor.nanos;
  std::stringstream out;
  RunOptions options;
  options.trace_jsonl = &out;
  REQUIRE(run(scenario, scenario.seed, options).verdict == Verdict::pass);
  Measured found;
  std::map<std::uint64_t, std::int64_t> called;
  bool running = false;
  const std::set<std::string> starts = {"saga_started", "try_started", "prepare_started"};
  const std::set<std::string> messages = {"leg_sent", "leg_answer"};
  for (std::string text; std::getline(out, text);) {
    const Line line = Line::parse(text);
    if (line.contains("phase")) running = line["phase"] == "running";
    const std::string event = line.value("event", "");
    found.started += starts.count(event);
    found.messages += messages.count(event);
    if (!running) continue;
    if (line.value("call", "") == what) called[line["op"]] = line["t"];
    const auto call = called.find(line.value("op", std::uint64_t{0}));
    const bool has_outcome = line.contains("outcomes") || line.contains("outcome");
    if (!line.contains("told") || !has_outcome || call == called.end()) continue;
    // The client's own link takes one delay each way.
    const std::int64_t took = (line["t"].get<std::int64_t>() - call->second) / delay - 2;
    const std::string outcome = line.contains("outcomes") ? line["outcomes"][0] : line["outcome"];
    found.delays[outcome] = std::max(found.delays[outcome], took);
    if (outcome == "success") ++found.answered;
  }
  return found;
}

TEST_CASE(
    "each protocol answers after as many message delays as it costs on paper (docs/PROTOCOLS.md, What each costs)") {
  const Scenario scenario = scenario_of("scenarios/basics/message_delays.json");
  for (const txn::ProtocolRow& row : txn::protocols()) {
    CAPTURE(row.name);
    const Cost paper = on_paper(row.protocol);
    const Measured found = measured(scenario, row.protocol);
    REQUIRE(found.answered > 20);
    CHECK(found.delays.at("success") == paper.success);
    CHECK(found.delays.at("credit-account-not-found") == paper.refusal);
    CHECK(found.messages == found.started * paper.messages);
  }
}

TEST_CASE("a split costs as many message delays as one transfer by TC/C, however many parts it has (decision 10)") {
  Scenario scenario = scenario_of("scenarios/basics/message_delays.json");
  scenario.shards = 3;
  scenario.workload.split_per_mille = 1000;
  const Measured found = measured(scenario, Protocol::saga, "split");
  REQUIRE(found.answered > 20);
  CHECK(found.delays.at("success") == on_paper(Protocol::tcc).success);
  CHECK(found.delays.at("credit-account-not-found") == on_paper(Protocol::tcc).refusal);
}

}  // namespace
}  // namespace coffer::sim
