// The fifteen steps of figure 12.29 of "Digital Wallet", found in order in the trace of one transfer.
#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "sim/run/run.h"
#include "tests/sim/run/scenario_files.h"

namespace coffer::sim {
namespace {

using Line = nlohmann::json;

struct Step {
  const char* says;
  std::function<bool(const Line&)> is;
};

TEST_CASE(
    "each of the fifteen steps of a transfer across shards is an event of the trace (Digital Wallet, fig. 12.29)") {
  const Scenario scenario = scenario_of("scenarios/basics/figure_12_29.json");
  std::stringstream out;
  RunOptions options;
  options.trace_jsonl = &out;
  const RunResult result = run(scenario, scenario.seed, options);
  REQUIRE(result.verdict == Verdict::pass);
  REQUIRE(result.operations.succeeded_across_shards == 1);
  std::vector<Line> lines;
  for (std::string line; std::getline(out, line);) lines.push_back(Line::parse(line));

  // A -1 is on shard 2, C +1 on shard 1; the coordinator lives with the debit account, in the log of shard 2.
  const int debit = 2;
  const int credit = 1;
  std::uint64_t entry = 0;   // the one that records and debits
  std::uint64_t target = 0;  // the one that credits
  int coordinator = 0;       // the node that leads the debit shard
  int creditor = 0;          // the node that leads the credit shard
  const auto event = [](const Line& line, const char* name, int shard) {
    return line.value("event", "") == name && line.value("shard", 0) == shard;
  };
  const Step steps[] = {
      {"1 the user sends the coordinator {A -1, C +1}",
       [&](const Line& line) { return line.value("call", "") == "transfers" && line["items"][0]["from"] == "A"; }},
      {"2 and 3 the phase status record is made, and A -1 is picked first: one entry with 4",
       [&](const Line& line) {
         coordinator = line.value("node", 0);
         return event(line, "saga_started", debit);
       }},
      {"4 the leader of A's shard stores the command and its event",
       [&](const Line& line) {
         entry = line.value("index", 0u);
         return event(line, "appended", debit) && line.value("b", 0) == 1 && line["node"] == coordinator;
       }},
      {"4 Raft replicates it; 5 and 6 the read path is pushed to; 7 the coordinator hears of success; 8 it is "
       "recorded: "
       "all of it is the commit of the one entry",
       [&](const Line& line) {
         return event(line, "committed", debit) && line["node"] == coordinator && line.value("index", 0u) >= entry;
       }},
      {"9 the coordinator sends C +1 to its shard",
       [&](const Line& line) { return event(line, "leg_sent", debit) && line.value("a", 0) == credit; }},
      {"10 the leader of C's shard validates it and makes the event",
       [&](const Line& line) {
         creditor = line.value("node", 0);
         return event(line, "leg_received", credit) && line.value("c", 0) == 1;
       }},
      {"10 and stores it",
       [&](const Line& line) {
         target = line.value("index", 0u);
         return event(line, "appended", credit) && line.value("b", 0) == 1 && line["node"] == creditor;
       }},
      {"10 Raft replicates it; 11 and 12 the read path is pushed to: its commit",
       [&](const Line& line) {
         return event(line, "committed", credit) && line["node"] == creditor && line.value("index", 0u) >= target;
       }},
      {"13 the coordinator hears of success",
       [&](const Line& line) { return event(line, "leg_answer", debit) && line.value("c", 0) == 1; }},
      {"14 it records it", [&](const Line& line) { return event(line, "saga_done", debit); }},
      {"15 the transaction is complete and the user is told",
       [&](const Line& line) { return line.value("told", "") == "success" && line["outcomes"][0] == "success"; }},
  };

  std::size_t at = 0;
  while (at < lines.size() && lines[at].value("phase", "") != "running") ++at;
  for (const Step& step : steps) {
    while (at < lines.size() && !step.is(lines[at])) ++at;
    INFO(step.says);
    REQUIRE(at < lines.size());
    ++at;
  }
}

}  // namespace
}  // namespace coffer::sim
