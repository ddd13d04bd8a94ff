#include "sim/ladder/report.h"

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

#include "sim/run/report.h"

namespace coffer::sim::ladder {

namespace {

using nlohmann::ordered_json;

/// In thousandths, cut off; nothing where there is nothing to divide by.
std::optional<std::int64_t> thousandths(std::uint64_t part, std::uint64_t whole) {
  if (whole == 0) return std::nullopt;
  return static_cast<std::int64_t>(part * 1000 / whole);
}

/// The value below which so many thousandths of all lie.
std::optional<std::int64_t> quantile(std::vector<std::int64_t> values, std::size_t permille) {
  if (values.empty()) return std::nullopt;
  const std::size_t place = (values.size() - 1) * permille / 1000;
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(place), values.end());
  return values[place];
}

struct Figures {
  std::optional<std::int64_t> availability;  ///< all in thousandths
  std::optional<std::int64_t> messages;
  std::optional<std::int64_t> writes;
  std::optional<std::int64_t> syncs;
  std::optional<std::int64_t> held_ms;
  std::optional<std::int64_t> p50_ms;
  std::optional<std::int64_t> p99_ms;
};

Figures figures_of(const RungReport& report) {
  const Costs& faults = report.under_faults;
  Figures figures;
  figures.availability = thousandths(faults.answered_in_time, faults.requests);
  figures.p50_ms = quantile(faults.latencies_us, 500);
  figures.p99_ms = quantile(faults.latencies_us, 990);
  figures.messages = thousandths(report.calm.messages, report.calm.answered);
  figures.writes = thousandths(report.calm.writes, report.calm.answered);
  figures.syncs = thousandths(report.calm.syncs, report.calm.answered);
  figures.held_ms = thousandths(static_cast<std::uint64_t>(report.calm.held_for.nanos) / 1000000,
                                std::max<std::uint64_t>(report.calm.held, 1));
  return figures;
}

ordered_json number(std::optional<std::int64_t> thousandth) {
  if (!thousandth) return nullptr;
  return static_cast<double>(*thousandth) / 1000.0;
}

/// One digit behind the point.
std::string tenths(std::optional<std::int64_t> thousandth) {
  if (!thousandth) return "-";
  return std::to_string(*thousandth / 1000) + "." + std::to_string(*thousandth % 1000 / 100);
}

std::string percent(std::optional<std::int64_t> thousandth) { return thousandth ? tenths(*thousandth * 100) : "-"; }

ordered_json json_of(const Plan& plan) {
  ordered_json json;
  json["seed"] = plan.seed;
  json["accounts"] = ordered_json::array();
  for (const Account& account : plan.accounts) {
    json["accounts"].push_back({{"balance", account.balance}, {"barred", account.barred}});
  }
  json["transfers"] = ordered_json::array();
  for (const Transfer& transfer : plan.transfers) {
    json["transfers"].push_back({{"number", transfer.number},
                                 {"at_us", transfer.at.nanos / 1000},
                                 {"from", transfer.from},
                                 {"to", transfer.to},
                                 {"amount", transfer.amount},
                                 {"patient", transfer.patient}});
  }
  json["faults"] = ordered_json::array();
  for (const Fault& fault : plan.faults) {
    json["faults"].push_back({{"number", fault.number},
                              {"fault", name(fault.kind)},
                              {"at_us", fault.at.nanos / 1000},
                              {"for_us", fault.lasts.nanos / 1000},
                              {"one", fault.one},
                              {"other", fault.other},
                              {"per_mille", fault.per_mille},
                              {"extra_us", fault.extra.nanos / 1000}});
  }
  return json;
}

FaultKind kind_named(const std::string& word) {
  for (std::uint32_t kind = 0; kind < fault_kinds; ++kind) {
    if (name(static_cast<FaultKind>(kind)) == word) return static_cast<FaultKind>(kind);
  }
  throw ordered_json::other_error::create(500, "no fault \"" + word + "\"", nullptr);
}

Plan plan_of(const ordered_json& json) {
  Plan plan;
  plan.seed = json.at("seed");
  for (const auto& account : json.at("accounts"))
    plan.accounts.push_back({account.at("balance"), account.at("barred")});
  if (plan.accounts.size() != accounts_count) {
    throw ordered_json::other_error::create(501, "there are " + std::to_string(accounts_count) + " accounts", nullptr);
  }
  for (const auto& row : json.at("transfers")) {
    Transfer transfer{row.at("number"), microseconds(row.at("at_us")), row.at("from"), row.at("to"), row.at("amount"),
                      row.at("patient")};
    if (transfer.from >= accounts_count || transfer.to >= accounts_count || transfer.from == transfer.to) {
      throw ordered_json::other_error::create(502, "a transfer needs two accounts from 0 to 5", nullptr);
    }
    plan.transfers.push_back(transfer);
  }
  for (const auto& row : json.at("faults")) {
    plan.faults.push_back({row.at("number"), kind_named(row.at("fault")), microseconds(row.at("at_us")),
                           microseconds(row.at("for_us")), row.at("one"), row.at("other"), row.at("per_mille"),
                           microseconds(row.at("extra_us"))});
  }
  return plan;
}

ordered_json json_of(const RungReport& report) {
  const Figures figures = figures_of(report);
  ordered_json json;
  json["id"] = report.rung->id;
  json["title"] = report.rung->idea;
  json["flaw"] = report.rung->flaw;
  json["verdict"] = name(report.verdict);
  json["expected"] = name(report.rung->expected);
  json["oracle"] = report.oracle;
  json["reason"] = report.reason;
  json["seed"] = report.seed == 0 ? ordered_json(nullptr) : ordered_json(report.seed);
  json["seeds"] = report.seeds;
  json["failing_seeds"] = report.failing;
  json["availability"] = number(figures.availability);
  json["messages_per_transfer"] = number(figures.messages);
  json["writes_per_transfer"] = number(figures.writes);
  json["syncs_per_transfer"] = number(figures.syncs);
  json["held_ms"] = number(figures.held_ms);
  json["p50_ms"] = number(figures.p50_ms);
  json["p99_ms"] = number(figures.p99_ms);
  if (report.story) {
    json["story"] = report.story->outcome.chronicle;
    json["story"].push_back(report.oracle + ": " + report.story->outcome.finding.reason);
    json["plan"] = json_of(report.story->plan);
  }
  return json;
}

std::string padded(const std::string& text, std::size_t width, bool left = true) {
  const std::string space(text.size() < width ? width - text.size() : 0, ' ');
  return left ? text + space : space + text;
}

constexpr std::size_t columns = 12;
using Line = std::array<std::string, columns>;

Line line_of(const RungReport& report) {
  const Figures figures = figures_of(report);
  return {std::string(report.rung->id),
          std::string(report.rung->idea),
          std::string(name(report.verdict)) + (report.as_expected() ? "" : "!"),
          report.oracle,
          report.seed == 0 ? "-" : std::to_string(report.seed),
          std::to_string(report.failing) + "/" + std::to_string(report.seeds),
          percent(figures.availability),
          tenths(figures.messages),
          tenths(figures.syncs),
          tenths(figures.held_ms),
          tenths(figures.p50_ms),
          tenths(figures.p99_ms)};
}

}  // namespace

std::string to_text(const std::vector<RungReport>& reports) {
  std::vector<Line> lines = {{"rung", "design", "verdict", "oracle", "seed", "failing", "avail %", "messages", "syncs",
                              "held ms", "p50 ms", "p99 ms"}};
  for (const RungReport& report : reports) lines.push_back(line_of(report));
  std::array<std::size_t, columns> widths{};
  for (const Line& line : lines) {
    for (std::size_t i = 0; i < columns; ++i) widths[i] = std::max(widths[i], line[i].size());
  }
  std::string text;
  for (const Line& line : lines) {
    std::string row;
    for (std::size_t i = 0; i < columns; ++i) row += (i == 0 ? "" : "  ") + padded(line[i], widths[i], i < 4);
    text += row.substr(0, row.find_last_not_of(' ') + 1) + "\n";
  }
  for (const RungReport& report : reports) {
    if (!report.story) continue;
    text += "\n" + std::string(report.rung->id) + ", " + std::string(report.rung->idea) + " (seed " +
            std::to_string(report.seed) + ", " + std::to_string(report.story->plan.faults.size()) + " faults, " +
            std::to_string(report.story->plan.transfers.size()) + " transfers)\n";
    for (const std::string& line : report.story->outcome.chronicle) text += "  " + line + "\n";
    text += "  " + report.oracle + ": " + report.story->outcome.finding.reason + "\n";
  }
  return text;
}

std::string to_json(const std::vector<RungReport>& reports, std::string_view build_id) {
  ordered_json json;
  json["build"] = build_id;
  json["as_expected"] =
      std::all_of(reports.begin(), reports.end(), [](const RungReport& report) { return report.as_expected(); });
  json["rungs"] = ordered_json::array();
  for (const RungReport& report : reports) json["rungs"].push_back(json_of(report));
  return json.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

std::string write_plan(const SavedPlan& saved) {
  ordered_json json;
  json["about"] = saved.about;
  json["rung"] = saved.rung;
  json["expect"] = saved.expect;
  const ordered_json plan = json_of(saved.plan);
  for (const auto& [key, value] : plan.items()) json[key] = value;
  return json.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

std::optional<SavedPlan> read_plan(std::string_view text, std::string& mistake) {
  try {
    const ordered_json json = ordered_json::parse(text);
    return SavedPlan{json.at("rung"), json.value("about", ""), json.at("expect"), plan_of(json)};
  } catch (const ordered_json::exception& wrong) {
    mistake = wrong.what();
    return std::nullopt;
  }
}

}  // namespace coffer::sim::ladder
