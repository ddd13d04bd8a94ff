#include "sim/run/swarm.h"

#include <algorithm>
#include <string>

#include "sim/faults/faults.h"
#include "sim/kernel/streams.h"
#include "sim/run/draws.h"
#include "sim/run/optimisations.h"
#include "sim/run/single_faults.h"

namespace coffer::sim {

namespace {

/// In some worlds, clients now and then place holds, and capture, void or forget them.
void draw_holds(Scenario& scenario, std::uint64_t seed) {
  Prng prng = stream(seed, Domain::swarm, 9, world_site);
  if (prng.chance(200)) scenario.workload.hold_per_mille = draw(prng, 20, 80);
}

/// In some worlds, clients now and then split a payment.
void draw_splits(Scenario& scenario, std::uint64_t seed) {
  Prng prng = stream(seed, Domain::swarm, 21, world_site);
  if (prng.chance(200)) scenario.workload.split_per_mille = draw(prng, 20, 80);
}

/// A fault of the table as this stream draws it.
faults::FaultSpec drawn(const faults::Row& row, Prng& prng, const faults::Mood& mood, std::uint64_t number,
                        std::uint32_t shards) {
  faults::FaultSpec spec = row.acts.draw(prng, mood);
  spec.fault = std::string(row.name);
  spec.stream = number;
  if (spec.target.who == faults::Who::leader) spec.target.shard = ShardId(draw(prng, 1, shards));
  return spec;
}

/// As many kinds of faults in a world, on average, as a table of so many rows would give: a longer table makes worlds
/// more different, not more violent.
constexpr std::uint32_t rows_at_once = 18;

/// Drawn by the default profile.
bool is_for_all(const faults::Row& row) { return !row.acts.of_disk && !row.acts.of_cluster; }

/// Each fault exists or not; each that exists has a violence of its own.
void draw_faults(Scenario& scenario, std::uint64_t seed) {
  Prng prng = stream(seed, Domain::swarm, 0, mood_site);
  const auto rows =
      static_cast<std::uint32_t>(std::count_if(faults::table().begin(), faults::table().end(), is_for_all));
  const std::uint32_t exists_per_mille = draw(prng, 250, 600) * rows_at_once / std::max(rows, rows_at_once);
  faults::Mood mood;
  mood.nodes = scenario.nodes;
  mood.every_mean = draw_ms(prng, 1500, 5000);
  mood.outage = draw_ms(prng, 100, 1500);
  const std::uint64_t sure = prng.below(rows);  // at least one
  std::uint64_t number = 0;
  for (const faults::Row& row : faults::table()) {
    if (!is_for_all(row)) continue;
    const bool exists = prng.chance(exists_per_mille) || number == sure;
    ++number;
    if (!exists) continue;
    Prng own = stream(seed, Domain::swarm, 0, fault_site + number);
    scenario.faults.push_back(drawn(row, own, mood, number, scenario.shards));
  }
}

/// In some worlds clients race with each other (sim/workload/visitors.h).
void draw_races(Scenario& scenario, std::uint64_t seed) {
  Prng prng = stream(seed, Domain::swarm, 11, world_site);
  if (prng.chance(300)) scenario.workload.race_per_mille = draw(prng, 50, 250);
}

/// In some worlds, clients wait for what a proxy says when the patience they told it of is over: that nothing was done,
/// or that nobody knows.
void draw_outwait(Scenario& scenario, std::uint64_t seed) {
  Prng prng = stream(seed, Domain::swarm, 31, world_site);
  if (prng.chance(250)) scenario.client_outwait = draw_ms(prng, 50, 1000);
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
  draw_realms(scenario, seed);
  draw_holds(scenario, seed);
  draw_splits(scenario, seed);
  draw_times(scenario, seed);
  draw_faults(scenario, seed);
  draw_races(scenario, seed);
  draw_outwait(scenario, seed);
  return scenario;
}

Scenario draw_tcc(std::uint64_t seed) {
  Scenario scenario = draw_default(seed);
  scenario.tuning.protocol = ledger::Protocol::tcc;
  return scenario;
}

Scenario draw_two_phase_commit(std::uint64_t seed) {
  Scenario scenario = draw_default(seed);
  scenario.tuning.protocol = ledger::Protocol::two_phase_commit;
  return scenario;
}

ledger::Protocol draw_protocol(Prng& prng) {
  constexpr ledger::Protocol protocols[] = {ledger::Protocol::saga, ledger::Protocol::tcc,
                                            ledger::Protocol::two_phase_commit};
  return protocols[prng.below(std::size(protocols))];
}

/// The worlds of the default profile, by any protocol, whose clients freeze, unfreeze and close accounts while money
/// of them is under way: for longer than elsewhere, and more transfers are refused by their targets.
Scenario draw_accounts(std::uint64_t seed) {
  Scenario scenario = draw_default(seed);
  Prng prng = stream(seed, Domain::swarm, 8, world_site);
  scenario.tuning.protocol = draw_protocol(prng);
  scenario.shards = std::max(scenario.shards, 2u);  // never fewer than the faults know of
  scenario.network.delay_floor = draw_us(prng, 2000, 15'000);
  scenario.workload.account_change_per_mille = draw(prng, 30, 150);
  scenario.workload.accounts = draw(prng, 8, 24);
  scenario.workload.cross_shard_per_mille = draw(prng, 500, 900);
  scenario.workload.missing_account_per_mille = draw(prng, 60, 200);
  return scenario;
}

/// In some worlds accounts are frozen meanwhile, and in some snapshots are taken all the time.
void draw_company(Prng& prng, Scenario& scenario) {
  if (prng.chance(400)) scenario.workload.account_change_per_mille = draw(prng, 20, 100);
  if (prng.chance(300)) {
    scenario.tuning.segment_size = std::uint64_t{1} << prng.between(14, 16);
    scenario.tuning.epoch_bytes = std::uint64_t{1} << prng.between(12, 15);
    scenario.tuning.chunk_bytes = 1u << prng.between(12, 14);
  }
}

/// The worlds of the default profile, by any protocol, whose clients place, capture and void many holds, or let them
/// expire; in some of them accounts are frozen meanwhile, and in some snapshots are taken all the time.
Scenario draw_many_holds(std::uint64_t seed) {
  Scenario scenario = draw_default(seed);
  Prng prng = stream(seed, Domain::swarm, 10, world_site);
  scenario.tuning.protocol = draw_protocol(prng);
  scenario.shards = std::max(scenario.shards, 2u);  // never fewer than the faults know of
  scenario.workload.hold_per_mille = draw(prng, 150, 500);
  draw_company(prng, scenario);
  return scenario;
}

/// The worlds of the default profile, by any protocol, whose ids carry their own time, and are remembered for seconds:
/// in one run many pass and are forgotten, and clients come back late. Small epochs, so that snapshots hold windows.
Scenario draw_ids(std::uint64_t seed) {
  Scenario scenario = draw_default(seed);
  Prng prng = stream(seed, Domain::swarm, 11, world_site);
  scenario.tuning.protocol = draw_protocol(prng);
  scenario.tuning.id_window = draw_magnitude_us(prng, 300'000, 5);
  scenario.tuning.id_grace = prng.chance(200) ? Duration{} : draw_ms(prng, 10, 3000);
  scenario.tuning.epoch_bytes = std::uint64_t{1} << prng.between(13, 18);
  scenario.workload.timed_id_per_mille = draw(prng, 500, 1000);
  scenario.workload.odd_time_per_mille = draw(prng, 10, 150);
  scenario.workload.late_per_mille = draw(prng, 20, 200);
  if (prng.chance(500)) scenario.workload.account_change_per_mille = draw(prng, 20, 80);
  if (prng.chance(300)) scenario.workload.hold_per_mille = draw(prng, 30, 150);
  return scenario;
}

/// The worlds of the default profile, by any protocol, whose clients are upstreams that number most of what they ask
/// for; in some of them other ids carry their own time, accounts are frozen meanwhile, or there are holds. Small
/// epochs, so that snapshots hold the rows of sources.
Scenario draw_numbers(std::uint64_t seed) {
  Scenario scenario = draw_default(seed);
  Prng prng = stream(seed, Domain::swarm, 23, world_site);
  scenario.tuning.protocol = draw_protocol(prng);
  scenario.tuning.numbered_ids = true;
  scenario.tuning.epoch_bytes = std::uint64_t{1} << prng.between(13, 18);
  scenario.workload.numbered_per_mille = draw(prng, 400, 1000);
  if (prng.chance(300)) {
    scenario.tuning.id_window = draw_magnitude_us(prng, 300'000, 5);
    scenario.tuning.id_grace = draw_ms(prng, 10, 3000);
    scenario.workload.timed_id_per_mille = draw(prng, 500, 1000);
  }
  if (prng.chance(300)) scenario.workload.account_change_per_mille = draw(prng, 20, 80);
  if (prng.chance(300)) scenario.workload.hold_per_mille = draw(prng, 30, 150);
  return scenario;
}

/// The worlds of the default profile, by any protocol, whose clients split many payments over the shards, three at
/// least; in some of them accounts are frozen meanwhile, and in some snapshots are taken all the time.
Scenario draw_many_splits(std::uint64_t seed) {
  Scenario scenario = draw_default(seed);
  Prng prng = stream(seed, Domain::swarm, 22, world_site);
  scenario.tuning.protocol = draw_protocol(prng);
  scenario.shards = std::max(scenario.shards, 3u);  // never fewer than the faults know of
  scenario.workload.split_per_mille = draw(prng, 150, 500);
  draw_company(prng, scenario);
  return scenario;
}

/// Each optimisation that is off is off for the whole world; at least one is.
Scenario draw_unoptimised(std::uint64_t seed) {
  Scenario scenario = draw_default(seed);
  Prng prng = stream(seed, Domain::swarm, 7, world_site);
  const std::uint64_t sure = prng.below(optimisations().size());
  for (std::size_t i = 0; i < optimisations().size(); ++i) {
    if (i == sure || prng.chance(400)) optimisations()[i].off(scenario.tuning);
  }
  return scenario;
}

/// A fault that strikes leaders, and lasts about as long as it takes to elect the next ones.
faults::FaultSpec& add_for_leaders(Scenario& scenario, std::string fault, Prng& prng) {
  faults::FaultSpec spec;
  spec.fault = std::move(fault);
  spec.stream = scenario.faults.size() + 1;
  spec.every = draw_ms(prng, 500, 1500);
  spec.target = {faults::Who::leader, {}, ShardId(draw(prng, 1, scenario.shards))};
  spec.lasts_min = scenario.tuning.election_timeout * 5 / 4;
  spec.lasts_max = scenario.tuning.election_timeout * prng.between(3, 5);
  return scenario.faults.emplace_back(std::move(spec));
}

/// The same, up to `after` later than every n-th election.
faults::FaultSpec& add_after_elections(Scenario& scenario, std::string fault, std::uint32_t nth, Duration after,
                                       Prng& prng) {
  faults::FaultSpec& spec = add_for_leaders(scenario, std::move(fault), prng);
  spec.when = faults::When::trigger;
  spec.every = {};
  spec.trigger.event = TraceKind::became_leader;
  spec.trigger.nth = nth;
  spec.trigger.again = true;
  spec.trigger.after = after;
  spec.target = {faults::Who::self, {}, {}};
  return spec;
}

/// Five replicas far apart whose leaders never last, and logs sent one entry at a time: what only goes wrong over
/// several elections in a row (Raft thesis, figure 3.7).
Scenario draw_short_leaderships(std::uint64_t seed) {
  Scenario scenario = draw_default(seed);
  Prng prng = stream(seed, Domain::swarm, 1, world_site);
  scenario.nodes = 5;
  scenario.shards = prng.chance(900) ? 1 : 2;
  scenario.tuning.election_timeout = draw_ms(prng, 150, 250);
  scenario.tuning.heartbeat_interval = scenario.tuning.election_timeout / 5;
  scenario.tuning.attempt_timeout = draw_ms(prng, 150, 300);
  scenario.tuning.append_bytes_max = prng.chance(900) ? 1 : 1u << prng.below(12);
  scenario.client_attempt_timeout = draw_ms(prng, 150, 400);
  scenario.network.delay_floor = draw_us(prng, 5000, 10'000);
  scenario.network.delay_mean = draw_us(prng, 2000, 6000);
  scenario.workload.clients = 4;
  scenario.workload.operations = 600;
  scenario.workload.batch_max = 1u << prng.below(3);
  scenario.workload.think_mean = draw_ms(prng, 10, 30);
  scenario.limits.running_max = seconds(60);
  scenario.workload.patience_ms = draw(prng, 800, 2000);
  scenario.tuning.entries_in_flight_max = draw(prng, 2, 8);
  scenario.faults.clear();
  add_for_leaders(scenario, "partition", prng);
  // Some leaders are cut off before anybody has heard of their first entry, some while it is on its way.
  const Duration round_trip = (scenario.network.delay_floor + scenario.network.delay_mean) * 2;
  add_after_elections(scenario, "partition", 2, Duration{}, prng);
  add_after_elections(scenario, "partition", 1, round_trip * prng.between(4, 6) / 2, prng);
  if (prng.chance(200)) {
    add_after_elections(scenario, "crash_restart", draw(prng, 2, 4), round_trip * 3, prng).lose_per_mille = 300;
  }
  if (prng.chance(100)) add_for_leaders(scenario, "partition", prng).count = 2;
  if (prng.chance(100)) add_for_leaders(scenario, "partition_one_way", prng);
  if (prng.chance(100)) add_for_leaders(scenario, "pause", prng);
  if (prng.chance(100)) add_for_leaders(scenario, "drop", prng).per_mille = draw(prng, 50, 300);
  return scenario;
}

/// Clients that mostly read while leaders are cut off from their peers, but not from them: what a leader that does not
/// know of its successor must not tell (Raft thesis, section 6.4).
Scenario draw_stale_reads(std::uint64_t seed) {
  Scenario scenario = draw_default(seed);
  Prng prng = stream(seed, Domain::swarm, 2, world_site);
  scenario.nodes = 3;
  scenario.shards = 1;
  scenario.workload.clients = draw(prng, 6, 12);
  scenario.workload.read_per_mille = draw(prng, 850, 970);
  scenario.workload.operations = 1500;
  scenario.workload.think_mean = draw_ms(prng, 10, 40);
  scenario.faults.clear();
  add_for_leaders(scenario, "partition", prng);
  if (prng.chance(300)) add_for_leaders(scenario, "partition_one_way", prng);
  return scenario;
}

/// Few clients, small files, and disks that go wrong in every way there is while nodes crash again and again: what the
/// log, its snapshots and its repair must withstand.
Scenario draw_storage(std::uint64_t seed) {
  Scenario scenario = draw_default(seed);
  Prng prng = stream(seed, Domain::swarm, 3, world_site);
  scenario.nodes = prng.chance(800) ? 3 : 5;
  scenario.shards = draw(prng, 1, 4);
  scenario.tuning.segment_size = std::uint64_t{1} << prng.between(14, 16);
  scenario.tuning.epoch_bytes = std::uint64_t{1} << prng.between(12, 17);
  scenario.tuning.chunk_bytes = 1u << prng.between(12, 14);
  scenario.tuning.history_bytes_max = std::uint64_t{1} << prng.between(15, 22);
  scenario.tuning.history_age_max = prng.chance(300) ? seconds(prng.between(2, 10)) : seconds(86400);
  scenario.workload.clients = draw(prng, 2, 4);
  scenario.workload.operations = draw(prng, 150, 300);
  scenario.workload.batch_max = 1u << prng.below(6);
  scenario.workload.think_mean =
      seconds(prng.between(8, 14)) * scenario.workload.clients / scenario.workload.operations;
  scenario.faults.clear();
  faults::Mood mood{scenario.nodes, draw_ms(prng, 500, 2500), draw_ms(prng, 100, 1000)};
  const std::uint32_t exists_per_mille = draw(prng, 200, 600);
  std::uint64_t number = 0;
  for (const faults::Row& row : faults::table()) {
    const bool crash = row.name == "crash_restart" || row.name == "lost_unsynced" || row.name == "power_cut_all" ||
                       row.name == "torn_unsynced";
    if (!row.acts.of_disk && !crash) continue;
    ++number;
    if (!prng.chance(crash ? 800 : exists_per_mille)) continue;
    Prng own = stream(seed, Domain::swarm, 3, fault_site + number);
    scenario.faults.push_back(drawn(row, own, mood, number, scenario.shards));
  }
  return scenario;
}

/// What strikes a group while it changes.
constexpr std::string_view while_changing[] = {
    "bridge_partition",
    "clog",
    "connection_reset",
    "crash_restart",
    "cyclic_partition",
    "delay",
    "drop",
    "duplicate",
    "isolate_one",
    "lost_unsynced",
    "partition",
    "partition_one_way",
    "pause",
    "power_cut_all",
    "reorder",
    "rolling_upgrade",
    "torn_unsynced",
};
constexpr std::string_view orders_to_operators[] = {"grow_group", "replace_member", "shrink_group",
                                                    "transfer_leadership"};
constexpr std::string_view at_bad_moments[] = {"crash_restart",  "isolate_one",  "pause",
                                               "replace_member", "shrink_group", "transfer_leadership"};
/// When a group is least like what it was, or what it is about to be.
constexpr TraceKind bad_moments[] = {
    TraceKind::became_leader,   TraceKind::chunk_fetched,      TraceKind::configuration_changed,
    TraceKind::epoch_passed,    TraceKind::restored,           TraceKind::segment_removed,
    TraceKind::snapshot_needed, TraceKind::snapshot_published, TraceKind::transfer_begun,
};

/// The highest that a fault draws from.
std::uint64_t last_stream(const Scenario& scenario) {
  std::uint64_t last = 0;
  for (const faults::FaultSpec& spec : scenario.faults) last = std::max(last, spec.stream);
  return last;
}

faults::FaultSpec& add_drawn(Scenario& scenario, std::string_view fault, const faults::Mood& mood, std::uint64_t seed) {
  const std::uint64_t number = last_stream(scenario) + 1;
  Prng own = stream(seed, Domain::swarm, 4, fault_site + number);
  return scenario.faults.emplace_back(drawn(*faults::find(fault), own, mood, number, scenario.shards));
}

void add_at_bad_moment(Scenario& scenario, const faults::Mood& mood, std::uint64_t seed, Prng& prng) {
  faults::FaultSpec& spec = add_drawn(scenario, at_bad_moments[prng.below(std::size(at_bad_moments))], mood, seed);
  spec.when = faults::When::trigger;
  spec.every = {};
  spec.trigger.event = bad_moments[prng.below(std::size(bad_moments))];
  spec.trigger.nth = draw(prng, 1, 6);
  spec.trigger.again = prng.chance(700);
  spec.trigger.after = prng.chance(500) ? Duration{} : draw_ms(prng, 1, 100);
  spec.pending_io = false;
  const bool is_order = faults::find(spec.fault)->acts.of_cluster;
  if (!is_order && prng.chance(700)) spec.target = {faults::Who::self, {}, {}};
}

/// Faults of disks, each now and then.
void add_disk_faults(Scenario& scenario, std::uint64_t seed, std::uint64_t of, std::uint32_t exists_per_mille,
                     const faults::Mood& mood, Prng& prng) {
  std::uint64_t number = last_stream(scenario);
  for (const faults::Row& row : faults::table()) {
    if (!row.acts.of_disk || row.name == "empty_disk") continue;  // orders about a lost node never end
    ++number;
    if (!prng.chance(exists_per_mille)) continue;
    Prng own = stream(seed, Domain::swarm, of, fault_site + number);
    scenario.faults.push_back(drawn(row, own, mood, number, scenario.shards));
  }
}

/// Groups of three and of five whose members and leaders an operator changes, with epochs so small that newcomers need
/// snapshots, while everything but the disks goes wrong.
Scenario draw_membership(std::uint64_t seed) {
  Scenario scenario = draw_default(seed);
  Prng prng = stream(seed, Domain::swarm, 4, world_site);
  const std::uint32_t founders = prng.chance(600) ? 3 : 5;
  scenario.spares = draw(prng, founders == 3 ? 2 : 1, 3);
  scenario.nodes = founders + scenario.spares;
  scenario.shards = draw(prng, 1, 2);
  scenario.tuning.segment_size = std::uint64_t{1} << prng.between(14, 16);
  scenario.tuning.epoch_bytes = std::uint64_t{1} << prng.between(12, 15);
  scenario.tuning.chunk_bytes = 1u << prng.between(12, 13);
  scenario.workload.clients = draw(prng, 2, 4);
  scenario.workload.operations = draw(prng, 150, 300);
  scenario.workload.think_mean =
      seconds(prng.between(8, 14)) * scenario.workload.clients / scenario.workload.operations;
  scenario.faults.clear();
  const faults::Mood mood{founders, draw_ms(prng, 1000, 4000), draw_ms(prng, 100, 1000)};
  const std::uint64_t sure = prng.below(std::size(orders_to_operators));  // at least one
  for (std::size_t i = 0; i < std::size(orders_to_operators); ++i) {
    if (prng.chance(500) || i == sure) add_drawn(scenario, orders_to_operators[i], mood, seed);
  }
  const std::uint32_t exists_per_mille = draw(prng, 50, 350);
  for (const std::string_view fault : while_changing) {
    if (prng.chance(exists_per_mille)) add_drawn(scenario, fault, mood, seed);
  }
  for (std::uint64_t moments = prng.below(4); moments > 0; --moments) add_at_bad_moment(scenario, mood, seed, prng);
  return scenario;
}

/// The same, and their disks go wrong as well, if not as often as where nothing else does.
Scenario draw_membership_on_bad_disks(std::uint64_t seed) {
  Scenario scenario = draw_membership(seed);
  Prng prng = stream(seed, Domain::swarm, 6, world_site);
  const faults::Mood mood{scenario.nodes - scenario.spares, draw_ms(prng, 2000, 6000), draw_ms(prng, 100, 1000)};
  const std::uint32_t exists_per_mille = draw(prng, 50, 350);
  add_disk_faults(scenario, seed, 6, exists_per_mille, mood, prng);
  return scenario;
}

/// The worlds of the default profile, by any protocol, where most rows leave the state: few stay in memory, epochs are
/// small, and clients come back late. In half of them disks go wrong too; in some ids have a window, or are numbered,
/// or there are holds, splits and changes of accounts besides.
Scenario draw_attic(std::uint64_t seed) {
  Scenario scenario = draw_default(seed);
  Prng prng = stream(seed, Domain::swarm, 31, world_site);
  scenario.tuning.protocol = draw_protocol(prng);
  scenario.tuning.rows_in_memory = std::uint64_t{1} << prng.between(0, 7);
  scenario.tuning.epoch_bytes = std::uint64_t{1} << prng.between(12, 16);
  scenario.tuning.chunk_bytes = 1u << prng.between(12, 13);
  scenario.tuning.segment_size = std::uint64_t{1} << prng.between(14, 18);
  scenario.workload.late_per_mille = draw(prng, 50, 300);
  scenario.workload.other_body_per_mille = draw(prng, 30, 120);
  if (prng.chance(200)) {
    scenario.tuning.id_window = draw_magnitude_us(prng, 300'000, 5);
    scenario.tuning.id_grace = draw_ms(prng, 10, 3000);
    scenario.workload.timed_id_per_mille = draw(prng, 200, 600);
  }
  if (prng.chance(200)) {
    scenario.tuning.numbered_ids = true;
    scenario.workload.numbered_per_mille = draw(prng, 200, 600);
  }
  if (prng.chance(300)) scenario.workload.account_change_per_mille = draw(prng, 20, 80);
  if (prng.chance(300)) scenario.workload.hold_per_mille = draw(prng, 30, 150);
  if (prng.chance(300)) scenario.workload.split_per_mille = draw(prng, 20, 80);
  const faults::Mood mood{scenario.nodes, draw_ms(prng, 1000, 4000), draw_ms(prng, 100, 1000)};
  if (prng.chance(500)) add_disk_faults(scenario, seed, 31, draw(prng, 50, 350), mood, prng);
  for (std::uint64_t rot = prng.below(4); rot > 0; --rot) {
    add_drawn(scenario, "bit_rot", mood, seed);
    scenario.faults.back().file = faults::Files::attic;
  }
  return scenario;
}

Profile attic_profile() {
  return {"attic",
          "the worlds of the default profile, where most rows of ids leave memory for the disk, and clients come back "
          "late",
          draw_attic,
          {},
          {"attic_conflict", "attic_damaged", "attic_false_positive", "attic_found", "attic_published", "attic_rebuilt",
           "attic_repeated", "attic_status", "attic_waited_for_cover", "dedup_hit_after_failover", "left_with_a_leg",
           "rows_left", "snapshot_installed", "snapshot_published", "undo"}};
}

Profile membership_profile() {
  return {"membership",
          "groups whose members and leaders an operator changes while everything but the disks goes wrong",
          draw_membership,
          {"grow_group", "replace_member", "shrink_group", "transfer_leadership"},
          {"change_called_off", "change_taken_over", "configuration_rolled_back", "fetch_resumed", "founders_gone",
           "group_grew", "group_shrank", "joint_committed", "leader_replaced", "learner_promoted",
           "learner_promoted_by_snapshot", "segment_removed", "snapshot_installed", "snapshot_published",
           "transfer_done", "transfer_given_up"}};
}

}  // namespace

const std::vector<Profile>& profiles() {
  static const std::vector<Profile> all = {
      {"accounts",
       "the worlds of the default profile, whose clients freeze, unfreeze and close accounts",
       draw_accounts,
       {},
       {"account_closed", "close_refused", "compensation_into_frozen", "confirmed_into_frozen", "frozen_between_phases",
        "refused_closed", "refused_frozen", "undo"}},
      attic_profile(),
      {"default", "everything a seed can draw", draw_default},
      {"holds",
       "the worlds of the default profile, whose clients place, capture and void holds, or let them expire",
       draw_many_holds,
       {},
       {"hold_capture_compensated", "hold_capture_put_off", "hold_capture_refused", "hold_captured_across",
        "hold_captured_while_frozen", "hold_captured_within", "hold_exceeded", "hold_expired",
        "hold_expiry_beat_capture", "hold_kept_debit_out", "hold_voided", "snapshot_published", "undo"}},
      {"ids",
       "the worlds of the default profile, whose ids carry their own time and are remembered for seconds",
       draw_ids,
       {},
       {"answered_after_its_window", "id_expired", "id_forgotten", "id_in_future", "id_kept_while_running",
        "id_window_moved", "snapshot_published", "undo"}},
      membership_profile(),
      {"membership_on_bad_disks", "groups whose members and leaders an operator changes while everything goes wrong",
       draw_membership_on_bad_disks},
      {"numbers",
       "the worlds of the default profile, whose clients number what they ask for, and lose or repeat numbers",
       draw_numbers,
       {},
       {"dedup_hit_after_failover", "id_gap", "id_is_numbered", "number_decided", "number_expired", "number_repeated",
        "snapshot_published", "source_opened", "undo"}},
      {"short_leaderships", "five replicas far apart whose leaders are cut off or crash soon after each election",
       draw_short_leaderships},
      {"single_faults",
       "days of steady load on a plain cluster, each kind of fault once a day; a seed is a piece of one",
       draw_single_fault},
      {"single_faults_long", "the same days, with faults of up to half a minute", draw_long_single_fault},
      {"splits",
       "the worlds of the default profile, whose clients split payments among payees of several shards",
       draw_many_splits,
       {},
       {"confirmed_into_frozen", "dedup_hit_after_failover", "snapshot_published", "split_across_shards",
        "split_cancelled", "split_confirmed", "split_refused_for_a_part_here", "split_refused_for_its_debit",
        "split_within_a_shard", "undo"}},
      {"stale_reads", "clients that mostly read while leaders are cut off from their peers", draw_stale_reads},
      {"storage", "disks that go wrong in every way there is while nodes crash again and again", draw_storage},
      {"tcc",
       "the worlds of the default profile, with transfers across shards by TC/C",
       draw_tcc,
       {},
       {"cancelled", "confirmed", "dedup_hit_after_failover", "frame_rejected", "leader_lost_uncommitted_tail",
        "leg_repeated", "saga_resumed", "torn_tail", "undo", "unknown_later_done", "unknown_later_not_done"}},
      {"two_phase_commit",
       "the worlds of the default profile, with transfers across shards by two-phase commit",
       draw_two_phase_commit,
       {},
       {"aborted", "committed", "dedup_hit_after_failover", "frame_rejected", "in_doubt_over_leader_change",
        "leader_lost_uncommitted_tail", "leg_repeated", "refused_because_locked", "saga_resumed", "torn_tail", "undo",
        "unknown_later_done", "unknown_later_not_done"}},
      {"unoptimised", "the worlds of the default profile, with some of what makes the wallet fast switched off",
       draw_unoptimised},
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
