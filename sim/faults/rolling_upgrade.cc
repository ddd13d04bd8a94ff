// All nodes are restarted, one after the other in the order of their numbers, as an operator upgrades them: the next
// one goes down when the one before has caught up and nobody else is in trouble. The binary stays the same.
#include <algorithm>

#include "sim/faults/faults.h"

namespace coffer::sim::faults {

namespace {

constexpr Duration look_interval = milliseconds(20);

/// The highest commit of each shard that any node knows.
std::vector<Index> commits(const Arena& arena) {
  std::vector<Index> highest;
  for (const node::ShardConfig& shard : arena.cluster.shards()) {
    Index commit;
    for (std::uint32_t n = 1; n <= arena.cluster.nodes(); ++n) {
      const Machine& machine = arena.cluster.machine(NodeId(n));
      if (machine.running() && machine.node().ready()) {
        commit = std::max(commit, machine.node().observe(shard.shard).commit);
      }
    }
    highest.push_back(commit);
  }
  return highest;
}

bool has_part(const shard::Observation& seen, NodeId node) {
  const auto among = [node](const std::vector<NodeId>& nodes) {
    return std::find(nodes.begin(), nodes.end(), node) != nodes.end();
  };
  return among(seen.voters) || among(seen.outgoing) || among(seen.learners);
}

/// Everybody who can be is up, and knows what was committed in its shards when the last one came back.
bool all_well(const Arena& arena, const Strike& strike) {
  for (std::uint32_t n = 1; n <= arena.cluster.nodes(); ++n) {
    const Machine& machine = arena.cluster.machine(NodeId(n));
    if (machine.lost_for_good()) continue;
    if (machine.life() != Life::up || !machine.node().ready()) return false;
    for (std::size_t i = 0; i < strike.goals.size(); ++i) {
      const shard::Observation seen = machine.node().observe(arena.cluster.shards()[i].shard);
      if (seen.commit < strike.goals[i] && has_part(seen, machine.id())) return false;
    }
  }
  return true;
}

void take_down(Arena& arena, Strike& strike) {
  Strike::Victim& victim = strike.victims[strike.turn];
  victim.boot = arena.cluster.machine(victim.node).boot_number();
  arena.cluster.crash(victim.node, CrashKind::process, DamagePolicy{});
}

/// Whether the node whose turn it is still waits for its restart.
bool restart_turn(Arena& arena, Strike& strike) {
  const Strike::Victim& victim = strike.victims[strike.turn];
  const Machine& machine = arena.cluster.machine(victim.node);
  if (machine.life() != Life::down || machine.boot_number() != victim.boot) return false;
  strike.goals = commits(arena);
  arena.cluster.restart(victim.node);
  return true;
}

/// Restarts whose turn it is, waits for it, and takes the next one down.
Duration proceed(Arena& arena, Strike& strike) {
  if (restart_turn(arena, strike) || !all_well(arena, strike)) return look_interval;
  do {
    ++strike.turn;
    if (strike.turn == strike.victims.size()) return Duration{};
  } while (arena.cluster.machine(strike.victims[strike.turn].node).lost_for_good());
  take_down(arena, strike);
  return strike.lasts;
}

}  // namespace

Behaviour rolling_upgrade() {
  Behaviour acts;

  acts.doc = "all nodes are restarted one after the other, each when the one before has caught up";
  acts.draw = [](Prng& prng, const Mood& mood) {
    FaultSpec spec = draw_base(prng, mood);
    spec.every = spec.every * 3;
    spec.target = {Who::all, {}, {}};
    spec.lasts_min = milliseconds(20);
    spec.lasts_max = milliseconds(prng.between(20, 500));
    return spec;
  };
  acts.strike = [](Arena& arena, Strike& strike) {
    if (!all_well(arena, strike)) return Struck::later;
    if (!choose_victims(arena, strike)) return Struck::no;
    std::sort(strike.victims.begin(), strike.victims.end(),
              [](const Strike::Victim& a, const Strike::Victim& b) { return a.node < b.node; });
    take_down(arena, strike);
    strike.fired = true;
    return Struck::yes;
  };
  acts.proceed = proceed;
  acts.heal = [](Arena& arena, Strike& strike) {
    if (strike.turn < strike.victims.size()) restart_turn(arena, strike);
  };
  return acts;
}

}  // namespace coffer::sim::faults
