// One world, wired: machines and network, clients and their plan, faults, and the judge who watches. Moves through the
// phases
//     setup -> running -> healing -> final_reads -> over
// and ends early with a verdict when something is wrong. Single-threaded; a pure function of (scenario, seed).
//
//   enter         every edge of the phases
//   progress      decides when an edge is due, and when a phase has taken too long (stuck, unknown)
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/kernel/kernel.h"
#include "sim/models/cluster.h"
#include "sim/models/orders.h"
#include "sim/models/roles.h"
#include "sim/run/fault_driver.h"
#include "sim/run/judge.h"
#include "sim/run/onlooker.h"
#include "sim/run/operator.h"
#include "sim/run/plan.h"
#include "sim/run/run.h"
#include "sim/run/sim_client.h"
#include "sim/run/trace_writer.h"

namespace coffer::sim {

class World {
 public:
  World(const Scenario& scenario, std::uint64_t seed, const RunOptions& options);

  /// Runs to the end. Called once.
  RunResult run();
  const TraceHash& hash() const { return kernel_.hash(); }

 private:
  void handle(const Event& event);
  void of_client(const Event& event);
  void after_step(NodeId node);
  void drain_notices();
  void watch_touch();
  void show_durable(NodeId node, const std::vector<std::string>& files);
  void look_around();
  void look_at_all();
  void answered(SimClient& client, const SimClient::Answers& answers);
  void call(SimClient& client);
  void next_call(SimClient& client);
  Duration until_due(const SimClient& client);
  void enter(Phase phase);
  void progress();
  bool all_idle() const;
  bool quiet() const;
  void repeat_orders();
  std::string why_not_quiet() const;
  void end(Verdict verdict, std::string oracle, std::string reason);
  bool cut_off();
  void schedule_tick();
  SimClient& client_at(Endpoint endpoint) { return *clients_[endpoint - cluster_.nodes() - 1]; }

  const Scenario& scenario_;
  std::uint64_t seed_;
  Kernel kernel_;
  Cluster cluster_;
  Roles roles_;
  Orders orders_;
  FaultDriver faults_;
  Plan plan_;
  std::vector<std::unique_ptr<SimClient>> clients_;
  Judge judge_;
  const RunOptions& options_;
  std::optional<TraceWriter> writer_;
  Onlookers onlookers_;
  std::optional<Operator> operator_;
  Prng watch_prng_;

  Phase phase_ = Phase::setup;
  SimTime phase_began_;
  std::map<std::uint32_t, SimTime> due_;  ///< of each client of an open loop: its next call
  std::uint32_t waiting_ = 0;             ///< clients with a call under way
  std::uint64_t steps_ = 0;
  node::Effects effects_;
  std::vector<std::uint64_t> touch_cause_;  ///< what decides who is in touch, when last looked at
  bool ended_ = false;
  RunResult result_;
};

}  // namespace coffer::sim
