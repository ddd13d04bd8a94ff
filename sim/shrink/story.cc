#include "sim/shrink/story.h"

#include <algorithm>
#include <utility>
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

constexpr std::size_t calls_told = 16;

/// What a call does, without its client and time.
std::string line_of(const ScriptedCall& call) {
  const std::string sum = call.currency + " " + std::to_string(call.amount);
  const std::string id = call.id == 0 ? "" : " " + std::to_string(call.id);
  switch (call.operation) {
    case CallKind::transfer:
      return "transfer" + id + " of " + sum + " from " + call.from + " to " + call.to;
    case CallKind::deposit:
      return "deposit" + id + " of " + sum + " to " + call.to;
    case CallKind::withdrawal:
      return "withdrawal" + id + " of " + sum + " from " + call.from;
    case CallKind::open:
      return "opens " + call.account + " in " + call.currency;
    case CallKind::balance:
      return "reads the balance of " + call.account + (call.eventual ? " wherever it is" : "");
    case CallKind::status:
      return "reads the status of" + id + " of " + call.account;
    case CallKind::freeze:
      return "freezes " + call.account;
    case CallKind::unfreeze:
      return "unfreezes " + call.account;
    case CallKind::close:
      return "closes " + call.account;
    case CallKind::account:
      return "reads the state of " + call.account;
    case CallKind::hold:
      return "hold" + id + " of " + sum + " from " + call.account + " for " + std::to_string(call.expires_in.millis()) +
             " ms";
    case CallKind::capture:
      return "captures" + id + ", " + sum + " from " + call.account + " to " + call.to;
    case CallKind::void_hold:
      return "voids" + id + " of " + call.account;
    case CallKind::hold_state:
      return "reads hold" + id + " of " + call.account;
    case CallKind::split: {
      std::string parts;
      for (const ScriptedPart& part : call.parts) {
        parts += (parts.empty() ? "" : ", ") + std::to_string(part.amount) + " to " + part.to;
      }
      return "splits" + id + ", " + call.currency + " from " + call.account + ": " + parts;
    }
  }
  return "";
}

std::vector<std::string> calls_of(const Scenario& scenario) {
  std::vector<ScriptedCall> calls = scenario.script.calls;
  std::stable_sort(calls.begin(), calls.end(), [](const auto& a, const auto& b) { return a.at < b.at; });
  std::vector<std::string> lines;
  for (const ScriptedCall& call : calls) {
    lines.push_back("at " + std::to_string(call.at.millis()) + " ms  client " + std::to_string(call.client) + "  " +
                    line_of(call));
  }
  return lines;
}

/// A label, then lines below one another.
std::string block(std::string label, const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) {
    label.resize(12, ' ');
    text += std::exchange(label, "") + line + "\n";
  }
  return text;
}

using Role = Explanation::Strike::Role;

std::string_view name(Role role) {
  switch (role) {
    case Role::needed:
      return "needed";
    case Role::needless:
      return "needless";
    case Role::untried:
      return "untried";
  }
  return "?";
}

std::vector<std::string> strikes_of(const Explanation& told, Role role) {
  std::vector<std::string> lines;
  for (const Explanation::Strike& strike : told.strikes) {
    if (strike.role == role) lines.push_back(line_of(strike.fault));
  }
  return lines;
}

std::string aligned(std::int64_t ms) {
  const std::string digits = std::to_string(ms);
  return std::string(digits.size() < 7 ? 7 - digits.size() : 0, ' ') + digits + " ms  ";
}

}  // namespace

std::string size_of(const Scenario& scenario) {
  const std::string operations =
      counted(scenario.operations(), "operation") + " of " + counted(scenario.clients(), "client");
  return counted(scenario.nodes, "node") + ", " + counted(scenario.shards, "shard") + ", " +
         counted(scenario.faults.size(), "fault") + ", " + operations;
}

std::string to_text(const Report& report, std::string_view build_id, std::string_view replay) {
  std::string text = "after       " + size_of(report.scenario) + "\n";
  text += "verdict     " + std::string(sim::name(report.result.verdict)) + " (" + report.result.oracle + ")\n";
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
  json["verdict"] = sim::name(report.result.verdict);
  json["oracle"] = report.result.oracle;
  json["reason"] = report.result.reason;
  json["build_id"] = build_id;
  json["seed"] = report.scenario.seed;
  json["nodes"] = report.scenario.nodes;
  json["shards"] = report.scenario.shards;
  json["clients"] = report.scenario.clients();
  json["operations"] = report.scenario.operations();
  json["faults"] = strikes_of(report.scenario);
  json["runs"] = report.runs;
  json["finished"] = report.finished;
  json["replay"] = replay;
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

std::string to_text(const Explanation& told, std::string_view build_id, std::string_view replay) {
  std::string text = block("world", {size_of(told.scenario)});
  const std::vector<std::string> calls = calls_of(told.scenario);
  if (calls.size() <= calls_told) text += block("calls", calls);
  std::vector<std::string> needed = strikes_of(told, Role::needed);
  if (!needed.empty()) needed.emplace_back("without any one of these it does not fail like this");
  if (told.strikes.empty()) needed.emplace_back("no fault: it fails on a good day");
  text += block("needed", needed);
  std::vector<std::string> needless = strikes_of(told, Role::needless);
  if (!needless.empty()) needless.emplace_back("without any one of these it fails all the same");
  text += block("needless", needless);
  text += block("untried", strikes_of(told, Role::untried));
  std::vector<std::string> moments;
  for (const Moment& moment : told.moments) moments.push_back(aligned(moment.ms) + moment.what);
  text += block("happened", moments);
  text += block("verdict", {std::string(sim::name(told.result.verdict)) + " (" + told.result.oracle + ")"});
  text += block("reason", {told.result.reason});
  text += block("build", {std::string(build_id)});
  return text + block("replay", {std::string(replay)});
}

std::string to_json(const Explanation& told, std::string_view build_id, std::string_view replay) {
  nlohmann::ordered_json json;
  json["verdict"] = sim::name(told.result.verdict);
  json["oracle"] = told.result.oracle;
  json["reason"] = told.result.reason;
  json["shape"] = told.signature.shape;
  json["build_id"] = build_id;
  json["seed"] = told.scenario.seed;
  json["nodes"] = told.scenario.nodes;
  json["shards"] = told.scenario.shards;
  json["clients"] = told.scenario.clients();
  json["operations"] = told.scenario.operations();
  json["calls"] = calls_of(told.scenario);
  json["faults"] = nlohmann::ordered_json::array();
  for (const Explanation::Strike& strike : told.strikes) {
    json["faults"].push_back({{"fault", line_of(strike.fault)}, {"role", name(strike.role)}});
  }
  json["events"] = nlohmann::ordered_json::array();
  for (const Moment& moment : told.moments) json["events"].push_back({{"ms", moment.ms}, {"what", moment.what}});
  json["runs"] = told.runs;
  json["finished"] = told.finished();
  json["replay"] = replay;
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace coffer::sim::shrink
