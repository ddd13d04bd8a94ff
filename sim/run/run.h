// Scenario and seed in, verdict out. The only inputs are the binary, the scenario and the seed.
#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <map>
#include <string>
#include <vector>

#include "core/base/hash.h"
#include "sim/kernel/trace_hash.h"
#include "sim/models/orders.h"
#include "sim/run/scenario.h"

namespace coffer::sim {

class Onlooker;

/// The same words everywhere: output, exit codes, scenario files.
enum class Verdict : std::uint8_t { pass, violation, stuck, nondeterministic, unknown };
std::string_view name(Verdict verdict);
/// Of several runs the gravest verdict is told: 0 for pass, most for a violation.
int severity(Verdict verdict);

struct Operations {
  std::uint64_t succeeded = 0;  ///< client operations (transfers count one by one)
  std::uint64_t refused = 0;
  std::uint64_t unknown = 0;
  std::uint64_t succeeded_across_shards = 0;
};

/// How fast groups got over the loss of their leader; defined in sim/run/leader_losses.h.
struct LeaderLossCounts {
  std::uint64_t losses = 0;
  std::uint64_t healed_in_time = 0;  ///< within two election time-outs
  std::uint64_t without_disks = 0;   ///< not among the losses: too few voters could store anything
  std::uint64_t without_votes = 0;   ///< not among the losses: too few voters were certain of their logs
  std::int64_t worst_ms = 0;         ///< the longest that one lasted
  std::int64_t worst_permille = 0;   ///< ... in thousandths of the election time-out
  void add(const LeaderLossCounts& more);
};

/// What became of the requests of the running phase; defined in sim/run/availability.h.
struct AvailabilityCounts {
  std::uint64_t requests = 0;
  std::uint64_t served = 0;
  std::int64_t worst_outage_ms = 0;
  void add(const AvailabilityCounts& more);
};

struct RunResult {
  Verdict verdict = Verdict::unknown;
  std::string oracle;  ///< set for violation and stuck
  std::string reason;
  std::uint64_t seed = 0;
  Hash128 scenario_hash;
  Hash128 trace_hash;
  TraceHash trace;  ///< the same with its checkpoints, to find where two runs part
  std::int64_t simulated_ms = 0;
  std::uint64_t events = 0;
  Operations operations;
  LeaderLossCounts leader_losses;
  AvailabilityCounts availability;
  Orders::Counts orders;                           ///< what became of the operator's
  std::map<std::string, std::uint64_t> faults;     ///< how often each fault fired
  std::uint64_t faults_with_work_in_flight = 0;    ///< … while a client call was outstanding
  std::map<std::string, std::uint64_t> sometimes;  ///< interesting states reached
};

/// O-H1. When the second run is another one than the first: nondeterministic, and between which events they parted.
/// Else the first.
RunResult compare(RunResult first, const RunResult& second);

struct RunOptions {
  std::ostream* trace_jsonl = nullptr;                ///< one JSON object per event when set
  std::vector<faults::FaultSpec>* strikes = nullptr;  ///< gets every strike, as a fault of its own, when set
  std::vector<Onlooker*> onlookers;                   ///< told everything that happens
  // Ends of the run for reasons outside it: the verdict is then unknown, with no oracle.
  std::uint64_t events_max = 0;     ///< 0: as the scenario says
  Duration simulated_max;           ///< 0: as the scenario says
  std::function<bool()> may_go_on;  ///< asked now and then
};

/// Runs one world to its end. Never throws for anything the wallet does: a broken check is a violation, oracle "check".
RunResult run(const Scenario& scenario, std::uint64_t seed, const RunOptions& options = {});
/// Whether the verdict is the one the scenario expects.
bool as_expected(const Scenario& scenario, const RunResult& result);

}  // namespace coffer::sim
