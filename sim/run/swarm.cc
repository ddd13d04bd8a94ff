#include "sim/run/swarm.h"

#include <algorithm>
#include <string>

#include "sim/faults/faults.h"
#include "sim/kernel/streams.h"

namespace coffer::sim {

namespace {

// Sites of the swarm's streams: what is drawn at one never moves what is drawn at another.
enum Site : std::uint64_t { world_site, tuning_site, workload_site, times_site, mood_site, fault_site = 100 };

std::uint32_t draw(Prng& prng, std::int64_t low, std::int64_t high) {
  return static_cast<std::uint32_t>(prng.between(low, high));
}
Duration draw_us(Prng& prng, std::int64_t low, std::int64_t high) { return microseconds(prng.between(low, high)); }
Duration draw_ms(Prng& prng, std::int64_t low, std::int64_t high) { return milliseconds(prng.between(low, high)); }
/// Small values as often as large ones: uniform over the magnitudes between.
Duration draw_magnitude_us(Prng& prng, std::int64_t low, std::int64_t doublings) {
  const std::int64_t base = low << prng.below(static_cast<std::uint64_t>(doublings));
  return microseconds(prng.between(base, base * 2));
}

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
  w.batch_max = 1u << prng.below(5);
  w.operations = draw(prng, 250, 400);
  // The workload lasts about ten undisturbed seconds.
  w.think_mean = seconds(prng.between(8, 14)) * w.clients / w.operations;
  w.cross_shard_per_mille = draw(prng, 300, 800);
  w.overdraft_per_mille = draw(prng, 10, 100);
  w.missing_account_per_mille = draw(prng, 10, 80);
  w.wrong_currency_per_mille = draw(prng, 0, 40);
  w.duplicate_per_mille = draw(prng, 20, 200);
  w.other_body_per_mille = draw(prng, 5, 60);
  w.read_per_mille = draw(prng, 50, 250);
  w.deposit_per_mille = draw(prng, 0, 100);
  w.withdrawal_per_mille = draw(prng, 0, 100);
  w.patience_ms = draw(prng, 400, 3000);
  w.opening_balance = prng.chance(300) ? prng.between(100, 2000) : prng.between(10'000, 1'000'000);
  scenario.client_attempt_timeout = draw_ms(prng, 150, 1200);
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

/// Each fault exists or not; each that exists has a violence of its own.
void draw_faults(Scenario& scenario, std::uint64_t seed) {
  Prng prng = stream(seed, Domain::swarm, 0, mood_site);
  const std::uint32_t exists_per_mille = draw(prng, 250, 600);
  faults::Mood mood;
  mood.nodes = scenario.nodes;
  mood.every_mean = draw_ms(prng, 1500, 5000);
  mood.outage = draw_ms(prng, 100, 1500);
  const std::uint64_t sure = prng.below(faults::table().size());  // at least one
  std::uint64_t number = 0;
  for (const faults::Row& row : faults::table()) {
    const bool exists = prng.chance(exists_per_mille) || number == sure;
    ++number;
    if (!exists) continue;
    Prng own = stream(seed, Domain::swarm, 0, fault_site + number);
    faults::FaultSpec spec = row.acts.draw(own, mood);
    spec.fault = std::string(row.name);
    spec.stream = number;
    if (spec.target.who == faults::Who::leader) spec.target.shard = ShardId(draw(own, 1, scenario.shards));
    scenario.faults.push_back(std::move(spec));
  }
}

Scenario draw_default(std::uint64_t seed) {
  Scenario scenario;
  scenario.seed = seed;
  Prng prng = stream(seed, Domain::swarm, 0, world_site);
  scenario.nodes = prng.chance(800) ? 3 : 5;
  const std::uint64_t shards = prng.below(100);
  scenario.shards = shards < 15 ? 1 : shards < 75 ? 2 : 3;
  draw_tuning(scenario, seed);
  draw_workload(scenario, seed);
  draw_times(scenario, seed);
  draw_faults(scenario, seed);
  return scenario;
}

faults::FaultSpec of_leader(std::string fault, std::uint64_t number, Scenario& scenario, Prng& prng) {
  faults::FaultSpec spec;
  spec.fault = std::move(fault);
  spec.stream = number;
  spec.every = draw_ms(prng, 300, 1200);
  spec.target = {faults::Who::leader, {}, ShardId(draw(prng, 1, scenario.shards))};
  spec.lasts_min = milliseconds(50);
  spec.lasts_max = draw_ms(prng, 100, 500);
  return spec;
}

/// Five replicas whose leaders never last: what only goes wrong over several elections in a row.
Scenario draw_short_leaderships(std::uint64_t seed) {
  Scenario scenario = draw_default(seed);
  Prng prng = stream(seed, Domain::swarm, 1, world_site);
  scenario.nodes = 5;
  scenario.shards = draw(prng, 1, 2);
  scenario.tuning.election_timeout = draw_ms(prng, 40, 120);
  scenario.tuning.heartbeat_interval = scenario.tuning.election_timeout / 5;
  scenario.tuning.attempt_timeout = draw_ms(prng, 100, 300);
  scenario.client_attempt_timeout = draw_ms(prng, 100, 400);
  scenario.faults.clear();
  scenario.faults.push_back(of_leader("crash_restart", 1, scenario, prng));
  scenario.faults.back().how = faults::How::either;
  scenario.faults.back().lose_per_mille = 300;
  scenario.faults.push_back(of_leader("partition", 2, scenario, prng));
  scenario.faults.back().count = draw(prng, 1, 2);
  if (prng.chance(500)) scenario.faults.push_back(of_leader("partition_one_way", 3, scenario, prng));
  if (prng.chance(300)) scenario.faults.push_back(of_leader("pause", 4, scenario, prng));
  if (prng.chance(300)) {
    scenario.faults.push_back(of_leader("drop", 5, scenario, prng));
    scenario.faults.back().per_mille = draw(prng, 50, 500);
  }
  return scenario;
}

}  // namespace

const std::vector<Profile>& profiles() {
  static const std::vector<Profile> all = {
      {"default", "everything a seed can draw", draw_default},
      {"short_leaderships", "five replicas whose leaders crash or are cut off every few hundred milliseconds",
       draw_short_leaderships},
  };
  return all;
}

const Profile* find_profile(std::string_view name) {
  for (const Profile& profile : profiles()) {
    if (profile.name == name) return &profile;
  }
  return nullptr;
}

}  // namespace coffer::sim
