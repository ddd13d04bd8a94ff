#include "sim/run/single_faults.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "core/base/check.h"
#include "sim/faults/faults.h"
#include "sim/kernel/streams.h"

namespace coffer::sim {

namespace {

constexpr std::uint32_t requests_per_second = 10;
constexpr std::uint32_t turns = 30;  ///< clients; one that waits for an answer is not missed
constexpr std::uint64_t site = 5;

/// As `coffer init` founds one, on a local network with disks of today.
void found(Scenario& scenario, bool with_spares) {
  scenario.spares = with_spares ? 2 : 0;
  scenario.nodes = 3 + scenario.spares;
  scenario.shards = 2;
  scenario.tuning = simulated_tuning();
  scenario.tuning.attempt_timeout = node::Tuning{}.attempt_timeout;
  scenario.client_attempt_timeout = milliseconds(500);
}

void load(Scenario& scenario) {
  workload::Config& w = scenario.workload;
  w.clients = turns;
  w.period = seconds(turns) / requests_per_second;
  w.patience_ms = 2000;
  w.operations = static_cast<std::uint32_t>(length_of_piece().nanos / seconds(1).nanos) * requests_per_second;
  w.batch_max = 1;
  w.accounts = 200;
  w.hot_accounts = 10;
  w.opening_balance = 1'000'000;
  scenario.limits.running_min = length_of_piece();
  scenario.limits.running_max = length_of_piece() + seconds(60);
  scenario.limits.events_max = 100'000'000;
}

/// What a fault needs beyond the plain cluster and its load, or it never happens.
void let_it_strike(Scenario& scenario, std::string_view fault) {
  if (fault == "shrink_group") scenario.spares = 0;              // a group of five
  if (fault == "zeroed_tail") scenario.workload.batch_max = 32;  // writes of more than one sector
}

/// The typical length is drawn between these two. The fault lasts for a quarter of it and up to an exponential draw of
/// that mean longer: three quarters of it on the average.
Scenario draw_piece(std::uint64_t seed, Duration shortest_outage, Duration longest_outage) {
  check(seed > 0, "seeds of days begin at 1");
  const faults::Row& row = faults::table()[(seed - 1) % pieces_of_a_day()];
  Scenario scenario;
  scenario.seed = seed;
  found(scenario, row.acts.of_cluster);
  load(scenario);
  let_it_strike(scenario, row.name);
  Prng prng = stream(seed, Domain::swarm, site, 0);
  const Duration piece = length_of_piece();
  const Duration outage{prng.between(shortest_outage.nanos, longest_outage.nanos)};
  faults::FaultSpec spec = row.acts.draw(prng, {3, piece, outage});
  spec.fault = std::string(row.name);
  spec.stream = 1;
  spec.when = faults::When::at;
  spec.every = {};
  spec.at = piece / 10 + Duration{prng.between(0, piece.nanos * 7 / 10)};
  spec.count = 1;
  if (spec.target.who == faults::Who::leader) spec.target.shard = ShardId(1);
  const bool may_hit_all = row.name == "power_cut_all";
  if (spec.target.who == faults::Who::all && !may_hit_all) spec.target = {};
  scenario.faults.push_back(std::move(spec));
  return scenario;
}

}  // namespace

std::uint64_t pieces_of_a_day() { return faults::table().size(); }

Duration length_of_piece() { return seconds(86400) / static_cast<std::int64_t>(pieces_of_a_day()); }

Scenario draw_single_fault(std::uint64_t seed) { return draw_piece(seed, seconds(1), seconds(8)); }

Scenario draw_long_single_fault(std::uint64_t seed) { return draw_piece(seed, seconds(2), seconds(20)); }

}  // namespace coffer::sim
