#include "sim/run/scenario.h"

#include <algorithm>

#include "sim/faults/faults.h"
#include "sim/run/scenario_json.h"

namespace coffer::sim {

std::uint32_t Scenario::clients() const {
  if (script.empty()) return workload.clients;
  std::uint32_t clients = std::max(script.clients, 1u);
  for (const Script::Account& account : script.accounts) clients = std::max(clients, account.client + 1);
  for (const ScriptedCall& call : script.calls) clients = std::max(clients, call.client + 1);
  return clients;
}

std::uint64_t Scenario::operations() const { return script.empty() ? workload.operations : script.calls.size(); }

bool Scenario::has_operator() const {
  return std::any_of(faults.begin(), faults.end(), [](const faults::FaultSpec& spec) {
    const faults::Row* row = faults::find(spec.fault);
    return row != nullptr && row->acts.of_cluster;
  });
}

Hash128 hash_of(const Scenario& scenario) {
  Scenario bare = scenario;
  bare.about.clear();
  bare.expect = "pass";
  bare.signature = {};
  bare.seed = 1;
  return hash128(bytes_of(write_scenario(bare)));
}

}  // namespace coffer::sim
