#include "sim/run/draws.h"

#include <algorithm>

#include "sim/kernel/streams.h"

namespace coffer::sim {

void draw_tuning(Scenario& scenario, std::uint64_t seed) {
  Prng prng = stream(seed, Domain::swarm, 0, tuning_site);
  node::Tuning& t = scenario.tuning;
  t.election_timeout = draw_ms(prng, 150, 500);
  t.heartbeat_interval = t.election_timeout / prng.between(4, 10);
  t.leg_resend_interval = draw_ms(prng, 50, 400);
  t.attempt_timeout = draw_ms(prng, 200, 1000);
  t.entries_in_flight_max = std::uint32_t{1} << prng.below(5);
  t.append_bytes_max = 1u << prng.between(12, 20);
  t.legs_in_flight_max = 1u << prng.between(0, 10);
  t.requests_max = 1u << 14;
  t.segment_size = std::uint64_t{1} << prng.between(18, 22);
}

void draw_workload(Scenario& scenario, std::uint64_t seed) {
  Prng prng = stream(seed, Domain::swarm, 0, workload_site);
  workload::Config& w = scenario.workload;
  w.clients = draw(prng, 3, 6);
  w.accounts = draw(prng, 4, 24);
  w.hot_accounts = draw(prng, 1, 3);
  w.currencies = prng.chance(700) ? 1 : draw(prng, 2, 3);
  const std::uint32_t doublings = draw(prng, 0, 6);
  w.batch_max = 1u << doublings;
  w.operations = draw(prng, 250, 400) - 30 * doublings;  // fewer calls where each carries more
  // The workload lasts about ten undisturbed seconds.
  w.think_mean = seconds(prng.between(8, 14)) * w.clients / w.operations;
  w.cross_shard_per_mille = draw(prng, 300, 800);
  w.overdraft_per_mille = draw(prng, 10, 100);
  w.missing_account_per_mille = draw(prng, 20, 160);
  w.wrong_currency_per_mille = draw(prng, 0, 80);
  w.duplicate_per_mille = draw(prng, 20, 200);
  w.other_body_per_mille = draw(prng, 5, 60);
  w.read_per_mille = draw(prng, 50, 250);
  w.deposit_per_mille = draw(prng, 0, 100);
  w.withdrawal_per_mille = draw(prng, 0, 100);
  w.patience_ms = draw(prng, 400, 3000);
  w.opening_balance = prng.chance(300) ? prng.between(100, 2000) : prng.between(10'000, 1'000'000);
  scenario.client_attempt_timeout = draw_ms(prng, 150, 1200);
}

void draw_realms(Scenario& scenario, std::uint64_t seed) {
  Prng prng = stream(seed, Domain::swarm, 0, realms_site);
  workload::Config& w = scenario.workload;
  if (prng.chance(200)) {
    w.tenants = draw(prng, 2, 3);
    w.accounts = std::max(4u, w.accounts / w.tenants);
  }
  if (prng.chance(200)) w.opening_balance += std::int64_t{1} << prng.between(33, 55);
}

void draw_times(Scenario& scenario, std::uint64_t seed) {
  Prng prng = stream(seed, Domain::swarm, 0, times_site);
  scenario.network.delay_floor = draw_us(prng, 20, 300);
  scenario.network.delay_mean = draw_magnitude_us(prng, 50, 6);
  scenario.machine.step_mean = draw_us(prng, 5, 100);
  scenario.machine.io_floor = draw_us(prng, 2, 20);
  scenario.machine.write_mean = draw_us(prng, 5, 100);
  scenario.machine.sync_floor = draw_us(prng, 50, 500);
  scenario.machine.sync_mean = draw_magnitude_us(prng, 100, 6);
  scenario.machine.wall_offset_max = draw_ms(prng, 0, 50);
  scenario.machine.wall_ppm_max = static_cast<std::int32_t>(prng.between(0, 200));
  scenario.machine.monotonic_ppm_max = static_cast<std::int32_t>(prng.between(0, 200));
}

}  // namespace coffer::sim
