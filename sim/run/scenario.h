// A scenario: everything about a run but the seed. Written by a person as JSON (scenarios/schema.json), or drawn from a
// seed (swarm.h); what was drawn can be written out and runs again with the same trace.
// Plain data; the JSON side is in scenario_json.h, so that few files carry the JSON library.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/hash.h"
#include "core/base/time.h"
#include "core/node/config.h"
#include "sim/faults/fault.h"
#include "sim/models/machine.h"
#include "sim/models/network.h"
#include "sim/workload/workload.h"

namespace coffer::sim {

inline constexpr std::uint32_t nodes_max = 9;
inline constexpr std::uint32_t shards_max = 16;
inline constexpr std::uint32_t clients_max = 32;

/// One call of a written-out plan.
struct ScriptedCall {
  std::uint32_t client = 0;
  Duration think;  ///< after the client's previous answer
  router::TransferOperation operation = router::TransferOperation::transfer;
  std::string from;         ///< empty for a deposit
  std::string to;           ///< empty for a withdrawal
  std::int64_t amount = 1;  ///< minor units
  std::string currency = "USD";
  std::uint32_t id = 0;  ///< the transaction's number; the same number is the same transaction id. 0: one of its own
  std::uint32_t patience_ms = 3000;
  bool operator==(const ScriptedCall&) const = default;
};

/// Accounts and calls by name, in place of a drawn workload.
struct Script {
  struct Account {
    std::string account;
    std::string currency = "USD";
    std::int64_t balance = 0;  ///< minor units deposited at setup
    bool operator==(const Account&) const = default;
  };
  std::vector<Account> accounts;
  std::vector<ScriptedCall> calls;
  bool empty() const { return accounts.empty() && calls.empty(); }
  bool operator==(const Script&) const = default;
};

/// How long each phase may take, in simulated time. A run that needs longer to heal is stuck.
struct Limits {
  Duration setup_max = seconds(20);
  Duration running_min = Duration{};  ///< faults go on at least this long, though the workload may be done
  Duration running_max = seconds(40);
  Duration healing_max = seconds(30);
  Duration final_reads_max = seconds(120);
  std::uint64_t events_max = 5'000'000;
};

/// As a node's, but with small segments: a simulated disk is memory.
inline node::Tuning simulated_tuning() {
  node::Tuning tuning;
  tuning.segment_size = 1u << 20;
  tuning.epoch_bytes = 1u << 20;
  tuning.chunk_bytes = 16u << 10;
  return tuning;
}

struct Scenario {
  std::string about;
  std::uint32_t nodes = 3;   ///< spares included
  std::uint32_t spares = 0;  ///< so many of the nodes, the last ones, have a vote in no shard at first
  std::uint32_t shards = 2;
  node::Tuning tuning = simulated_tuning();
  workload::Config workload;
  Duration client_attempt_timeout = milliseconds(1000);
  Script script;  ///< when not empty, it takes the place of the workload
  NetworkConfig network;
  MachineConfig machine;  ///< disk, process and clocks of every node
  Limits limits;
  std::vector<faults::FaultSpec> faults;
  bool fair = true;  ///< the atlas (sim/faults/atlas.h) withholds what would damage disks beyond what can be survived
  /// "pass", "stuck", "unknown", "violation", or the oracle that must be violated.
  std::string expect = "pass";
  std::uint64_t seed = 1;  ///< when none is given on the command line

  std::uint32_t clients() const;
  /// Whether it has an operator: some fault is an order to it.
  bool has_operator() const;
};

/// Of everything that influences a run: not of `about`, `expect` and `seed`.
Hash128 hash_of(const Scenario& scenario);

}  // namespace coffer::sim
