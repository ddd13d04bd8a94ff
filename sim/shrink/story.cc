#include "sim/shrink/story.h"

#include <algorithm>
#include <vector>

#include <nlohmann/json.hpp>

#include "sim/run/report.h"
#include "sim/run/units.h"
#include "sim/run/words.h"

namespace coffer::sim::shrink {

namespace {

std::string counted(std::uint64_t number, std::string_view what) {
  return std::to_string(number) + " " + std::string(what) + (number == 1 ? "" : "s");
}

/// In milliseconds: what people compare.
std::string when_of(const faults::FaultSpec& fault) {
  if (fault.when != faults::When::at) return "again and again";
  return "at " + std::to_string(fault.at.millis()) + " ms";
}

std::string line_of(const faults::FaultSpec& fault) {
  std::string line = when_of(fault) + "  " + fault.fault + "  " + words::spell(fault.target);
  if (fault.count > 1) line += " and " + counted(fault.count - 1, "more node");
  if (fault.forever) return line + ", for ever";
  if (fault.lasts_max < milliseconds(1)) return line;
  return line + ", for at most " + std::to_string(fault.lasts_max.millis()) + " ms";
}

std::vector<std::string> strikes_of(const Scenario& scenario) {
  std::vector<faults::FaultSpec> faults = scenario.faults;
  std::stable_sort(faults.begin(), faults.end(), [](const auto& a, const auto& b) { return a.at < b.at; });
  std::vector<std::string> lines;
  for (const faults::FaultSpec& fault : faults) lines.push_back(line_of(fault));
  return lines;
}

}  // namespace

std::string size_of(const Scenario& scenario) {
  const std::string operations = scenario.script.empty() ? counted(scenario.workload.operations, "operation") + " of " +
                                                               counted(scenario.workload.clients, "client")
                                                         : counted(scenario.script.calls.size(), "written call");
  return counted(scenario.nodes, "node") + ", " + counted(scenario.shards, "shard") + ", " +
         counted(scenario.faults.size(), "fault") + ", " + operations;
}

std::string to_text(const Report& report, std::string_view build_id, std::string_view replay) {
  std::string text = "after       " + size_of(report.scenario) + "\n";
  text += "verdict     " + std::string(name(report.result.verdict)) + " (" + report.result.oracle + ")\n";
  text += "reason      " + report.result.reason + "\n";
  const std::vector<std::string> strikes = strikes_of(report.scenario);
  for (const std::string& strike : strikes)
    text += (&strike == &strikes.front() ? "faults      " : "            ") + strike + "\n";
  if (strikes.empty()) text += "faults      none are needed\n";
  if (report.finished && !strikes.empty()) text += "            without any one of these it does not fail like this\n";
  text += "simulated   " + std::to_string(report.result.simulated_ms) + " ms, " + std::to_string(report.result.events) +
          " events\n";
  text += "runs        " + std::to_string(report.runs) +
          (report.finished ? "" : ", then it was stopped: it may become smaller still") + "\n";
  text += "build       " + std::string(build_id) + "\n";
  return text + "replay      " + std::string(replay) + "\n";
}

std::string to_json(const Report& report, std::string_view build_id, std::string_view replay) {
  nlohmann::ordered_json json;
  json["verdict"] = name(report.result.verdict);
  json["oracle"] = report.result.oracle;
  json["reason"] = report.result.reason;
  json["build_id"] = build_id;
  json["seed"] = report.scenario.seed;
  json["nodes"] = report.scenario.nodes;
  json["shards"] = report.scenario.shards;
  json["clients"] = report.scenario.clients();
  json["operations"] =
      report.scenario.script.empty() ? report.scenario.workload.operations : report.scenario.script.calls.size();
  json["faults"] = strikes_of(report.scenario);
  json["runs"] = report.runs;
  json["finished"] = report.finished;
  json["replay"] = replay;
  return json.dump(2) + "\n";
}

}  // namespace coffer::sim::shrink
