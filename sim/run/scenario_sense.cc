#include "sim/run/scenario_sense.h"

#include <set>
#include <string_view>
#include <tuple>
#include <utility>

namespace coffer::sim {

namespace {

std::string number(std::uint64_t n) { return std::to_string(n); }

std::string of_target(const faults::Target& target, const Scenario& scenario, bool trigger) {
  using faults::Who;
  const bool of_shard = target.who == Who::leader || target.who == Who::follower;
  if (target.who == Who::node && (target.node.value == 0 || target.node.value > scenario.nodes)) {
    return "there is no node " + number(target.node.value) + ", the topology has " + number(scenario.nodes);
  }
  if (of_shard && (target.shard.value == 0 || target.shard.value > scenario.shards)) {
    return "there is no shard " + number(target.shard.value) + ", the topology has " + number(scenario.shards);
  }
  if (target.who == Who::self && !trigger) return "\"self\" is the node of an event: the fault needs \"when\"";
  return "";
}

/// What a fault cannot do without.
std::string of_magnitude(const faults::FaultSpec& fault, const Scenario& scenario) {
  const std::string_view name = fault.fault;
  const bool later = name == "duplicate" || name == "delay" || name == "reorder";
  const bool of_links = later || name == "drop" || name == "payload_corruption";
  if (of_links && fault.per_mille == 0) return "/per_mille: how many packets? 1 to 1000 of a thousand";
  if (later && fault.extra == Duration{}) return "/extra: how much later? such as \"20ms\"";
  if (name == "lost_unsynced" && fault.lose_per_mille == 0) return "/lose_per_mille: how many of the unsynced writes?";
  if (name == "torn_unsynced" && fault.tear_per_mille == 0) return "/tear_per_mille: how many of the unsynced writes?";
  if (name == "slow_disk" && fault.times < 2) return "/times: how many times as long? 2 or more";
  if (name == "clock_drift" && fault.drift_ppm == 0) return "/drift_ppm: how fast does it drift?";
  if ((name == "clock_jump" || name == "clock_lies") && fault.extra == Duration{}) {
    return "/extra: how far off at most? such as \"2s\"";
  }
  if (name == "leap_second" && fault.per_mille > 0 && (fault.forever || fault.lasts_min <= milliseconds(1100))) {
    return "/for: a second is smeared over more than 1100 ms";
  }
  if (name == "replace_member" && scenario.nodes < 2) return "/fault: the topology has no node to take another's place";
  if ((name == "grow_group" || name == "shrink_group") && scenario.nodes < 5) {
    return "/fault: the topology has fewer than five nodes";
  }
  if (name == "rolling_upgrade" && fault.forever) return "/for: each node is down for a while, not for ever";
  if (name == "clock_skew" && fault.extra == Duration{} && fault.drift_ppm == 0) {
    return "/extra: how far is the clock off? (or drift_ppm: how fast does it drift?)";
  }
  return "";
}

std::string of_fault(const faults::FaultSpec& fault, const Scenario& scenario) {
  const bool trigger = fault.when == faults::When::trigger;
  if (fault.fault.empty()) return "/fault: which one?";
  if (!fault.forever && fault.lasts_max == Duration{}) return "/for: how long? such as \"300ms\", or \"forever\"";
  if (const std::string problem = of_target(fault.target, scenario, trigger); !problem.empty()) {
    return "/node: " + problem;
  }
  if (fault.count > scenario.nodes) return "/nodes: the topology has " + number(scenario.nodes);
  if (fault.lose_per_mille + fault.tear_per_mille > 1000) return "/tear_per_mille: more than the rest of 1000";
  if (trigger) {
    const faults::Target& node = fault.trigger.node;
    if (node.who == faults::Who::self || node.who == faults::Who::all) return "/when/node: name one node, or \"any\"";
    if (const std::string problem = of_target(node, scenario, true); !problem.empty()) return "/when/node: " + problem;
    if (fault.trigger.shard.value > scenario.shards) return "/when/shard: the topology has " + number(scenario.shards);
  }
  return of_magnitude(fault, scenario);
}

std::string of_script(const Script& script) {
  std::set<std::tuple<TenantId, std::string, std::string>> pockets;
  for (std::size_t i = 0; i < script.accounts.size(); ++i) {
    const Script::Account& account = script.accounts[i];
    const std::string at = "/script/accounts/" + number(i);
    if (account.account.empty()) return at + "/account: which one?";
    if (!parse_currency(account.currency)) return at + "/currency: no such currency";
    const TenantId tenant = workload::tenant_of(account.client, script.tenants);
    if (!pockets.emplace(tenant, account.account, account.currency).second) return at + "/account: stands twice";
  }
  for (std::size_t i = 0; i < script.calls.size(); ++i) {
    const ScriptedCall& call = script.calls[i];
    const std::string at = "/script/calls/" + number(i);
    if (names_pocket(call.operation) && !parse_currency(call.currency)) return at + "/currency: no such currency";
    if ((call.source == 0) != (call.number == 0)) return at + "/number: which one, and whose?";
    if (!moves_money(call.operation)) {
      if (call.account.empty()) return at + "/account: which one?";
      if (call.operation == CallKind::status && call.id == 0) return at + "/id: of which transfer?";
      if (is_of_hold(call.operation) && call.operation != CallKind::hold && call.id == 0) {
        return at + "/id: of which hold?";
      }
      if (call.operation == CallKind::capture && call.to.empty()) return at + "/to: to whom?";
      if (call.operation == CallKind::split && (call.parts.empty() || call.parts.size() > router::split_parts_max)) {
        return at + "/parts: 1 to " + std::to_string(router::split_parts_max);
      }
      for (const ScriptedPart& part : call.parts) {
        if (part.to.empty()) return at + "/parts: to whom?";
      }
      if (call.operation == CallKind::hold && call.expires_in.nanos % 1'000'000 != 0) {
        return at + "/expires_in: in whole milliseconds";
      }
      continue;
    }
    const bool deposit = call.operation == CallKind::deposit;
    const bool withdrawal = call.operation == CallKind::withdrawal;
    if (call.from.empty() != deposit) return at + "/from: " + (deposit ? "a deposit has none" : "whose money?");
    if (call.to.empty() != withdrawal) return at + "/to: " + (withdrawal ? "a withdrawal has none" : "to whom?");
  }
  return "";
}

}  // namespace

std::string nonsense(const Scenario& scenario) {
  if (scenario.spares >= scenario.nodes) return "/topology/spares: somebody has to found the shards";
  if (scenario.tuning.heartbeat_interval * 2 > scenario.tuning.election_timeout) {
    return "/tuning/heartbeat_interval: more than half the election timeout: leaders could not hold on";
  }
  if (scenario.workload.hot_accounts > scenario.workload.accounts) return "/workload/hot_accounts: more than there are";
  if (scenario.limits.running_min > scenario.limits.running_max) return "/limits/running_min: beyond running_max";
  const KnownFailure& known = scenario.signature;
  if (!known.verdict.empty() && known.verdict != "violation" && known.verdict != "stuck") {
    return "/signature/verdict: neither \"violation\" nor \"stuck\"";
  }
  if (std::string problem = of_script(scenario.script); !problem.empty()) return problem;
  std::set<std::pair<std::uint64_t, std::uint64_t>> streams;
  for (std::size_t i = 0; i < scenario.faults.size(); ++i) {
    const std::string at = "/faults/" + number(i);
    if (const std::string problem = of_fault(scenario.faults[i], scenario); !problem.empty()) return at + problem;
    if (!streams.emplace(scenario.faults[i].stream, scenario.faults[i].strike).second)
      return at + "/stream: another fault draws from it";
  }
  return "";
}

}  // namespace coffer::sim
