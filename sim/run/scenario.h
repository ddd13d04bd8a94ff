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

/// The first three as router::TransferOperation.
enum class CallKind : std::uint8_t {
  transfer = 1,
  deposit = 2,
  withdrawal = 3,
  open = 4,
  balance = 5,
  status = 6,
  freeze = 7,
  unfreeze = 8,
  close = 9,
  account = 10,
  hold = 11,
  capture = 12,
  void_hold = 13,
  hold_state = 14,
  split = 15,
};
constexpr bool moves_money(CallKind kind) { return kind <= CallKind::withdrawal; }
constexpr bool changes_account(CallKind kind) { return kind >= CallKind::freeze && kind <= CallKind::close; }
constexpr bool is_of_hold(CallKind kind) { return kind >= CallKind::hold && kind <= CallKind::hold_state; }
/// Is about an account in one currency.
constexpr bool names_pocket(CallKind kind) {
  return kind <= CallKind::balance || kind == CallKind::hold || kind == CallKind::capture || kind == CallKind::split;
}
/// Is about what has an id: a transfer, a change of an account, a hold, a split.
constexpr bool names_id(CallKind kind) {
  return moves_money(kind) || kind == CallKind::status || changes_account(kind) || is_of_hold(kind) ||
         kind == CallKind::split;
}
inline constexpr Duration hold_longest = seconds(31LL * 86400);

/// A payee of a split that is written out.
struct ScriptedPart {
  std::string to;
  std::int64_t amount = 1;  ///< minor units
  bool operator==(const ScriptedPart&) const = default;
};

/// One call of a written-out plan.
struct ScriptedCall {
  std::uint32_t client = 0;
  Duration at;     ///< not before so much of the running phase is over
  Duration think;  ///< after the client's previous answer
  std::uint32_t batch =
      0;  ///< what moves money and stands side by side in one batch of a client is one request; 0: alone
  CallKind operation = CallKind::transfer;
  std::string from;         ///< empty for a deposit
  std::string to;           ///< empty for a withdrawal; capture: who gets it
  std::int64_t amount = 1;  ///< minor units
  std::string currency = "USD";
  std::uint32_t id = 0;  ///< the transaction's number; the same number is the same transaction id. 0: one of its own
  std::int64_t made_ms = 0;  ///< the id is a UUIDv7 of this millisecond of the run; 0: it is none
  std::uint64_t source = 0;  ///< the id is this source's UUIDv8 of `number`, whatever `id` says; 0: it is none
  std::uint64_t number = 0;  ///< > 0 where there is a source
  std::string account;       ///< to open, to change, or to read; status: the one that decides the transfer; the hold's
  Duration expires_in = seconds(60);  ///< hold; whole milliseconds
  std::vector<ScriptedPart> parts;    ///< split
  bool eventual = false;              ///< balance: as it stands at whoever is asked
  std::uint32_t patience_ms = 3000;
  bool operator==(const ScriptedCall&) const = default;
};

/// Accounts and calls by name, in place of a drawn workload.
struct Script {
  struct Account {
    std::string account;
    std::string currency = "USD";
    std::int64_t balance = 0;  ///< minor units deposited at setup
    std::uint32_t client = 0;  ///< who opens it
    std::uint32_t id = 0;      ///< of the deposit; as a call's
    std::int64_t made_ms = 0;  ///< likewise
    bool operator==(const Account&) const = default;
  };
  std::uint32_t clients = 0;  ///< so many at least, though some may have nothing to call
  std::uint32_t tenants = 1;  ///< the clients belong to them in turn (workload::tenant_of)
  // Of the calls that are not written out: at setup, asking again what is open in the end, and the final reads.
  Duration think_mean;          ///< as in a drawn workload; 0: a millisecond each
  std::uint32_t again_max = 1;  ///< transfers asked again in one request
  std::uint32_t patience_ms = 3000;
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

/// As a node's, but with small segments, for a simulated disk is memory, and with the time-out of attempts that saved
/// scenarios were made with.
inline node::Tuning simulated_tuning() {
  node::Tuning tuning;
  tuning.segment_size = 1u << 20;
  tuning.epoch_bytes = 1u << 20;
  tuning.chunk_bytes = 16u << 10;
  tuning.id_grace = {};
  tuning.attempt_timeout = milliseconds(1000);
  return tuning;
}

/// How a saved scenario failed (sim/shrink/signature.h). Of a planted bug (tests/mutants), it does so in a tree with
/// that bug only.
struct KnownFailure {
  std::string verdict;  ///< empty: of no known failure
  std::string oracle;
  std::string shape;
  std::uint32_t mutant = 0;  ///< number of the planted bug; 0: none
  bool operator==(const KnownFailure&) const = default;
};

struct Scenario {
  std::string about;
  std::uint32_t nodes = 3;   ///< spares included
  std::uint32_t spares = 0;  ///< so many of the nodes, the last ones, have a vote in no shard at first
  std::uint32_t shards = 2;
  node::Tuning tuning = simulated_tuning();
  workload::Config workload;
  Duration client_attempt_timeout = milliseconds(1000);
  Duration client_outwait = {};  ///< so much longer than its patience a client waits for what a proxy says at the end
  Script script;                 ///< when not empty, it takes the place of the workload
  NetworkConfig network;
  MachineConfig machine;  ///< disk, process and clocks of every node
  Limits limits;
  std::vector<faults::FaultSpec> faults;
  bool fair = true;  ///< the atlas (sim/faults/atlas.h) withholds what would damage disks beyond what can be survived
  /// "pass", "stuck", "unknown", "violation", or the oracle that must be violated.
  std::string expect = "pass";
  KnownFailure signature;
  std::uint64_t seed = 1;  ///< when none is given on the command line

  std::uint32_t clients() const;
  /// Calls in the running phase; of a script, each transfer of a request counts.
  std::uint64_t operations() const;
  /// Whether it has an operator: some fault is an order to it.
  bool has_operator() const;
};

/// Of everything that influences a run: not of `about`, `expect`, `signature` and `seed`.
Hash128 hash_of(const Scenario& scenario);

}  // namespace coffer::sim
