#include "sim/run/report.h"

#include <algorithm>
#include <map>

#include <nlohmann/json.hpp>

namespace coffer::sim {

namespace {

using nlohmann::ordered_json;

ordered_json to_json(const Operations& operations) {
  ordered_json json;
  json["succeeded"] = operations.succeeded;
  json["refused"] = operations.refused;
  json["unknown"] = operations.unknown;
  json["succeeded_across_shards"] = operations.succeeded_across_shards;
  return json;
}

/// Kept in thousandths, rounded down: what is told as 1 is all of them.
double permille(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 1.0 : static_cast<double>(part * 1000 / whole) / 1000.0;
}

ordered_json to_json(const LeaderLossCounts& counts) {
  ordered_json json;
  json["leader_losses"] = counts.losses;
  json["healed_in_time"] = counts.healed_in_time;
  json["without_disks"] = counts.without_disks;
  json["without_votes"] = counts.without_votes;
  json["share"] = permille(counts.healed_in_time, counts.losses);
  json["worst_ms"] = counts.worst_ms;
  json["worst_election_timeouts"] = static_cast<double>(counts.worst_permille) / 1000.0;
  return json;
}

ordered_json to_json(const AvailabilityCounts& counts) {
  ordered_json json;
  json["requests"] = counts.requests;
  json["served"] = counts.served;
  json["worst_outage_ms"] = counts.worst_outage_ms;
  return json;
}

ordered_json to_json(const Orders::Counts& orders) {
  ordered_json json;
  json["given"] = orders.given;
  json["finished"] = orders.finished;
  json["superseded"] = orders.superseded;
  json["called_off"] = orders.called_off;
  json["repeated"] = orders.repeated;
  return json;
}

ordered_json to_json(const std::map<std::string, std::uint64_t>& counts) {
  ordered_json json = ordered_json::object();
  for (const auto& [name, count] : counts) json[name] = count;
  return json;
}

ordered_json to_json(const RunResult& result) {
  ordered_json json;
  json["verdict"] = name(result.verdict);
  json["oracle"] = result.oracle;
  json["reason"] = result.reason;
  json["seed"] = result.seed;
  json["scenario_hash"] = hex_of(result.scenario_hash);
  json["trace_hash"] = hex_of(result.trace_hash);
  json["simulated_ms"] = result.simulated_ms;
  json["events"] = result.events;
  json["operations"] = to_json(result.operations);
  json["leader_loss"] = to_json(result.leader_losses);
  json["availability"] = to_json(result.availability);
  json["orders"] = to_json(result.orders);
  json["faults"] = to_json(result.faults);
  json["faults_with_work_in_flight"] = result.faults_with_work_in_flight;
  json["sometimes"] = to_json(result.sometimes);
  return json;
}

std::string dump(const ordered_json& json) {
  return json.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

std::string row(std::string_view label, const std::string& value) {
  return std::string(label) + std::string(label.size() < 12 ? 12 - label.size() : 1, ' ') + value + "\n";
}

std::string listed(const std::map<std::string, std::uint64_t>& counts) {
  std::string text;
  for (const auto& [name, count] : counts) {
    if (count > 0) text += (text.empty() ? "" : "  ") + name + " " + std::to_string(count);
  }
  return text.empty() ? "none" : text;
}

std::string spelled(const Operations& operations) {
  return std::to_string(operations.succeeded) + " succeeded (" + std::to_string(operations.succeeded_across_shards) +
         " across shards), " + std::to_string(operations.refused) + " refused, " + std::to_string(operations.unknown) +
         " unknown";
}

std::string spelled(const LeaderLossCounts& counts) {
  const std::string tenths = std::to_string((counts.worst_permille + 99) / 100);
  return std::to_string(counts.losses) + ", " + std::to_string(counts.healed_in_time) +
         " healed within two election time-outs; the longest took " +
         (tenths.size() == 1 ? "0" : tenths.substr(0, tenths.size() - 1)) + "." + tenths.back() + " (" +
         std::to_string(counts.worst_ms) + " ms)";
}

/// To the operator; nothing where there is none.
std::string row_of(const Orders::Counts& orders) {
  if (orders.given == 0) return "";
  return row("orders", std::to_string(orders.given) + " given, " + std::to_string(orders.finished) + " finished, " +
                           std::to_string(orders.superseded) + " superseded, " + std::to_string(orders.called_off) +
                           " called off, " + std::to_string(orders.repeated) + " repeated");
}

std::string seconds_of(std::int64_t ms) {
  const std::string rest = std::to_string(1000 + ms % 1000).substr(1);
  return std::to_string(ms / 1000) + "." + rest + " s";
}

std::string verdict_of(Verdict verdict, const std::string& oracle, bool expected) {
  std::string text(name(verdict));
  if (!oracle.empty()) text += " (" + oracle + ")";
  if (expected && verdict != Verdict::pass) text += ", as the scenario expects";
  return text;
}

std::uint64_t per_second(std::uint64_t count, std::int64_t real_ms) {
  return count * 1000 / static_cast<std::uint64_t>(std::max<std::int64_t>(real_ms, 1));
}

double rate(double count, std::int64_t real_ms) {
  const double tenths = count * 10000.0 / static_cast<double>(std::max<std::int64_t>(real_ms, 1));
  return static_cast<double>(static_cast<std::int64_t>(tenths)) / 10.0;
}

std::string_view profile_of(const FuzzOptions& options) {
  return options.scenario || options.profile == nullptr ? std::string_view() : options.profile->name;
}

/// "99.9876": rounded down.
std::string percent_of(const AvailabilityCounts& counts) {
  const std::uint64_t whole = std::max<std::uint64_t>(counts.requests, 1);
  const std::uint64_t millionths = counts.requests == 0 ? 1'000'000 : counts.served * 1'000'000 / whole;
  const std::string digits = std::to_string(1'000'000 + millionths % 10'000).substr(3);
  return std::to_string(millionths / 10'000) + "." + digits;
}

using Under = std::pair<std::string, AvailabilityCounts>;

std::vector<Under> worst_first(const FuzzReport& report) {
  std::vector<Under> rows(report.availability_under.begin(), report.availability_under.end());
  const auto unserved = [](const Under& row) { return row.second.requests - row.second.served; };
  std::stable_sort(rows.begin(), rows.end(),
                   [&](const Under& one, const Under& other) { return unserved(one) > unserved(other); });
  return rows;
}

std::string padded(std::string text, std::size_t width) {
  return text.size() < width ? std::string(width - text.size(), ' ') + text : text;
}

std::string availability_row(const std::string& fault, std::uint64_t strikes, const AvailabilityCounts& counts) {
  return fault + std::string(fault.size() < 22 ? 22 - fault.size() : 1, ' ') + padded(std::to_string(strikes), 7) +
         padded(std::to_string(counts.requests), 12) + padded(std::to_string(counts.requests - counts.served), 10) +
         padded(percent_of(counts), 10) + padded(std::to_string(counts.worst_outage_ms), 12) + "\n";
}

}  // namespace

std::string hex_of(const Hash128& hash) {
  constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (const std::uint64_t half : {hash.high, hash.low}) {
    for (int shift = 60; shift >= 0; shift -= 4) text += digits[half >> shift & 15];
  }
  return text;
}

std::string json_string(std::string_view text) {
  return ordered_json(text).dump(-1, ' ', true, ordered_json::error_handler_t::replace);
}

std::string replay_command(const RunResult& result, std::string_view file, std::string_view profile) {
  std::string command = "coffer sim run";
  if (!file.empty()) command += " " + std::string(file);
  command += " --seed " + std::to_string(result.seed);
  if (file.empty() && !profile.empty() && profile != "default") command += " --profile " + std::string(profile);
  return command;
}

std::string run_to_json(const RunResult& result, bool expected, std::string_view build_id, std::string_view replay) {
  ordered_json json = to_json(result);
  json["expected"] = expected;
  json["build_id"] = build_id;
  json["replay"] = replay;
  return dump(json);
}

std::string run_to_text(const RunResult& result, bool expected, std::string_view build_id, std::string_view replay) {
  std::string text = row("verdict", verdict_of(result.verdict, result.oracle, expected));
  if (!result.reason.empty()) text += row("reason", result.reason);
  text += row("seed", std::to_string(result.seed));
  text += row("build", std::string(build_id));
  text += row("scenario", hex_of(result.scenario_hash));
  text += row("trace", hex_of(result.trace_hash));
  text += row("simulated", seconds_of(result.simulated_ms) + ", " + std::to_string(result.events) + " events");
  text += row("operations", spelled(result.operations));
  text += row("leader loss", spelled(result.leader_losses));
  text += row_of(result.orders);
  text += row("faults", listed(result.faults));
  text += row("in flight", std::to_string(result.faults_with_work_in_flight) + " faults struck while clients waited");
  text += row("sometimes", listed(result.sometimes));
  text += row("replay", std::string(replay));
  return text;
}

std::string fuzz_to_json(const FuzzReport& report, const FuzzOptions& options, std::string_view build_id,
                         std::string_view file) {
  ordered_json json;
  json["verdict"] = name(report.verdict);
  json["oracle"] = report.oracle;
  json["reason"] = report.reason;
  json["build_id"] = build_id;
  json["profile"] = profile_of(options);
  json["scenario"] = file;
  json["first_seed"] = options.first_seed;
  json["twice"] = options.twice;
  json["seeds"] = report.seeds;
  json["passed"] = report.passed;
  json["failures"] = ordered_json::array();
  for (const RunResult& failure : report.failures) {
    ordered_json one = to_json(failure);
    one["replay"] = replay_command(failure, file, profile_of(options));
    json["failures"].push_back(std::move(one));
  }
  json["seeds_per_second"] = rate(static_cast<double>(report.seeds), report.real_ms);
  json["events_per_second"] = per_second(report.events, report.real_ms);
  json["simulated_seconds_per_second"] = rate(static_cast<double>(report.simulated_ms) / 1000.0, report.real_ms);
  json["simulated_ms"] = report.simulated_ms;
  json["events"] = report.events;
  json["operations"] = to_json(report.operations);
  json["leader_loss"] = to_json(report.leader_losses);
  json["availability"] = to_json(report.availability);
  json["orders"] = to_json(report.orders);
  json["faults"] = to_json(report.faults);
  json["faults_with_work_in_flight"] = report.faults_with_work_in_flight;
  json["sometimes"] = to_json(report.sometimes);
  json["fault_seeds"] = to_json(report.fault_seeds);
  json["sometimes_seeds"] = to_json(report.sometimes_seeds);
  json["median"]["succeeded"] = report.median.succeeded;
  json["median"]["succeeded_across_shards"] = report.median.succeeded_across_shards;
  json["median"]["faults_with_work_in_flight"] = report.median.faults_with_work_in_flight;
  return dump(json);
}

std::string fuzz_to_text(const FuzzReport& report, const FuzzOptions& options, std::string_view build_id,
                         std::string_view file) {
  std::string text;
  for (const RunResult& failure : report.failures) {
    text += "seed " + std::to_string(failure.seed) + ": " + verdict_of(failure.verdict, failure.oracle, false) + ": " +
            failure.reason + "\n    " + replay_command(failure, file, profile_of(options)) + "\n";
  }
  text += row("verdict", verdict_of(report.verdict, report.oracle, false));
  if (!report.reason.empty()) text += row("reason", report.reason);
  text += row("seeds", std::to_string(report.passed) + " of " + std::to_string(report.seeds) + " passed, from seed " +
                           std::to_string(options.first_seed) + (options.twice ? ", each run twice" : ""));
  text += row("build", std::string(build_id));
  text += row("simulated", seconds_of(report.simulated_ms) + ", " + std::to_string(report.events) + " events in " +
                               seconds_of(report.real_ms) + " of real time");
  text += row("operations", spelled(report.operations));
  text += row("leader loss", spelled(report.leader_losses));
  text += row_of(report.orders);
  text +=
      row("median seed", std::to_string(report.median.succeeded) + " succeeded (" +
                             std::to_string(report.median.succeeded_across_shards) + " across shards), " +
                             std::to_string(report.median.faults_with_work_in_flight) + " faults with work in flight");
  text += row("faults", listed(report.faults));
  text += row("sometimes", listed(report.sometimes));
  text += row("in seeds", listed(report.sometimes_seeds));
  return text;
}

std::string availability_to_json(const FuzzReport& report, std::string_view build_id) {
  ordered_json json;
  json["verdict"] = name(report.verdict);
  json["build_id"] = build_id;
  json["simulated_ms"] = report.simulated_ms;
  json["requests"] = report.availability.requests;
  json["served"] = report.availability.served;
  json["percent"] = std::stod(percent_of(report.availability));
  json["worst_outage_ms"] = report.availability.worst_outage_ms;
  json["faults"] = ordered_json::array();
  for (const auto& [fault, counts] : worst_first(report)) {
    ordered_json one = to_json(counts);
    one["fault"] = fault;
    one["strikes"] = report.faults.at(fault);
    one["percent"] = std::stod(percent_of(counts));
    json["faults"].push_back(std::move(one));
  }
  return dump(json);
}

std::string availability_to_text(const FuzzReport& report, std::string_view build_id) {
  std::string text = "fault                 strikes    requests  unserved   percent   outage ms\n";
  for (const auto& [fault, counts] : worst_first(report)) {
    text += availability_row(fault, report.faults.at(fault), counts);
  }
  std::uint64_t strikes = 0;
  for (const auto& [fault, count] : report.faults) strikes += count;
  text += availability_row("all", strikes, report.availability);
  text += row("verdict", verdict_of(report.verdict, report.oracle, false));
  if (!report.reason.empty()) text += row("reason", report.reason);
  text += row("simulated", seconds_of(report.simulated_ms) + " in " + seconds_of(report.real_ms) + " of real time");
  text += row("build", std::string(build_id));
  return text;
}

}  // namespace coffer::sim
