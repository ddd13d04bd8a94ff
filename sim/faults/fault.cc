#include "sim/faults/fault.h"

#include <algorithm>

namespace coffer::sim::faults {

namespace {

bool is_victim(const Strike& strike, NodeId node) {
  return std::any_of(strike.victims.begin(), strike.victims.end(),
                     [&](const Strike::Victim& victim) { return victim.node == node; });
}

/// The nodes the target names; nothing when anybody will do.
std::vector<NodeId> named(const Arena& arena, const Strike& strike) {
  const Target& target = strike.spec->target;
  switch (target.who) {
    case Who::any:
    case Who::follower:
      return {};
    case Who::node:
      return {target.node};
    case Who::self:
      return {strike.cause};
    case Who::leader:
      return {arena.roles.leader(target.shard)};
    case Who::all: {
      std::vector<NodeId> all;
      for (std::uint32_t n = 1; n <= arena.cluster.nodes(); ++n) all.emplace_back(n);
      return all;
    }
  }
  return {};
}

}  // namespace

FaultSpec draw_base(Prng& prng, const Mood& mood) {
  FaultSpec spec;
  spec.when = When::every;
  spec.every = mood.every_mean / 2 + Duration{prng.exponential(mood.every_mean.nanos)};
  spec.lasts_min = mood.outage / 4;
  spec.lasts_max = mood.outage / 4 + Duration{prng.exponential(mood.outage.nanos)};
  const std::uint32_t minority = (mood.nodes - 1) / 2;
  spec.count = minority > 1 && prng.chance(300) ? static_cast<std::uint32_t>(prng.between(1, minority)) : 1;
  if (prng.chance(400)) spec.target = {Who::leader, {}, ShardId(1)};
  return spec;
}

bool choose_victims(const Arena& arena, Strike& strike) {
  const Cluster& cluster = arena.cluster;
  const auto gone = [&](NodeId node) { return node == nobody || !cluster.machine(node).running(); };
  if (!strike.victims.empty()) {
    std::erase_if(strike.victims, [&](const Strike::Victim& victim) {
      return gone(victim.node) || cluster.machine(victim.node).boot_number() != victim.boot;
    });
    return !strike.victims.empty();
  }
  const auto choose = [&](NodeId node) { strike.victims.push_back({node, cluster.machine(node).boot_number()}); };
  for (const NodeId node : named(arena, strike)) {
    if (!gone(node)) choose(node);
  }
  const Target& target = strike.spec->target;
  const bool exact = target.who == Who::all || target.who == Who::node || target.who == Who::self;
  if (exact && (target.who == Who::all || strike.victims.empty())) return !strike.victims.empty();
  std::vector<NodeId> others;
  for (std::uint32_t n = 1; n <= cluster.nodes(); ++n) {
    const NodeId node(n);
    const bool excluded = target.who == Who::follower && node == arena.roles.leader(target.shard);
    if (!excluded && !gone(node) && !is_victim(strike, node)) others.push_back(node);
  }
  while (strike.victims.size() < strike.spec->count && !others.empty()) {
    const auto pick = static_cast<std::ptrdiff_t>(strike.prng.below(others.size()));
    choose(others[static_cast<std::size_t>(pick)]);
    others.erase(others.begin() + pick);
  }
  return !strike.victims.empty();
}

bool has_unsynced(const Arena& arena, const Strike& strike) {
  const Machine& machine = arena.cluster.machine(strike.victims.front().node);
  return machine.disk().has_unsynced_writes();
}

bool may_crash(Arena& arena, const Strike& strike) {
  std::vector<NodeId> nodes;
  for (const Strike::Victim& victim : strike.victims) nodes.push_back(victim.node);
  const bool permitted = arena.atlas.permits_crash(strike.serial, nodes);
  arena.atlas.over(strike.serial);  // nothing is left to come
  return permitted;
}

Struck crash_victims(Arena& arena, Strike& strike, CrashKind kind) {
  for (const Strike::Victim& victim : strike.victims) {
    const DamagePolicy policy{strike.spec->lose_per_mille, strike.spec->tear_per_mille,
                              arena.atlas.untorn(victim.node)};
    // What a failed sync has left to be read must not look durable to the next process.
    const bool failed = arena.cluster.machine(victim.node).disk_failed();
    const Damage damage = arena.cluster.crash(victim.node, failed ? CrashKind::power : kind, policy);
    strike.damage.lost += damage.lost;
    strike.damage.torn += damage.torn;
    strike.damage.names += damage.names;
  }
  strike.fired = true;
  return Struck::yes;
}

void restart_victims(Arena& arena, Strike& strike) {
  for (const Strike::Victim& victim : strike.victims) {
    const Machine& machine = arena.cluster.machine(victim.node);
    // What a failed sync has left to be read must not look durable: whoever made it fail cuts the power first.
    if (machine.disk_failed()) continue;
    if (machine.life() == Life::down && machine.boot_number() == victim.boot) arena.cluster.restart(victim.node);
  }
}

FaultSpec draw_order(Prng& prng, const Mood& mood) {
  FaultSpec spec = draw_base(prng, mood);
  spec.count = 1;
  spec.lasts_min = mood.outage / 2;
  spec.lasts_max = mood.outage * prng.between(2, 12);
  spec.forever = prng.chance(600);
  if (spec.forever) spec.lasts_min = spec.lasts_max = Duration{};
  return spec;
}

ShardId choose_shard(const Arena& arena, Strike& strike) {
  const Target& target = strike.spec->target;
  const auto shards = static_cast<std::int64_t>(arena.cluster.shards().size());
  const ShardId drawn(static_cast<std::uint32_t>(strike.prng.between(1, shards)));
  if (target.who == Who::leader || target.who == Who::follower) return target.shard;
  return strike.spec->trigger.shard != ShardId(0) ? strike.spec->trigger.shard : drawn;
}

std::vector<NodeId> running(const Arena& arena, std::vector<NodeId> among) {
  std::erase_if(among, [&](NodeId node) { return !arena.cluster.machine(node).running(); });
  return among;
}

std::vector<NodeId> targeted(const Arena& arena, const Strike& strike, ShardId shard, std::vector<NodeId> among) {
  const Target& target = strike.spec->target;
  const NodeId leader = arena.roles.leader(shard);
  std::erase_if(among, [&](NodeId node) {
    switch (target.who) {
      case Who::any:
      case Who::all:
        return false;
      case Who::node:
        return node != target.node;
      case Who::leader:
        return node != leader;
      case Who::follower:
        return node == leader;
      case Who::self:
        return node != strike.cause;
    }
    return false;
  });
  return among;
}

void call_off(Arena& arena, Strike& strike) { arena.orders.call_off(strike.order); }

void set_clocks_right(Arena& arena, Strike& strike) {
  for (const Strike::Victim& victim : strike.victims) arena.cluster.machine(victim.node).unskew();
}

Split split(Arena& arena, Strike& strike) {
  const std::uint32_t nodes = arena.cluster.nodes();
  Split sides;
  for (std::uint32_t n = 1; n <= nodes; ++n) {
    EndpointSet& side = is_victim(strike, NodeId(n)) ? sides.inside : sides.outside;
    side = side | EndpointSet::of(n);
  }
  const bool clients_too = strike.prng.chance(500);
  for (std::uint32_t client = 0; client < arena.clients; ++client) {
    const bool inside = strike.prng.chance(300);
    if (!clients_too) continue;
    EndpointSet& side = inside ? sides.inside : sides.outside;
    side = side | EndpointSet::of(arena.cluster.endpoint_of_client(client));
  }
  return sides;
}

Struck disturb_links(Arena& arena, Strike& strike, Trouble trouble) {
  if (!choose_victims(arena, strike)) return Struck::no;
  Disturbance disturbance;
  disturbance.strike = strike.serial;
  disturbance.trouble = trouble;
  disturbance.per_mille = strike.spec->per_mille;
  disturbance.extra = strike.spec->extra;
  disturbance.from = EndpointSet::all();
  disturbance.to = EndpointSet::all();
  if (strike.spec->target.who == Who::all) {
    arena.cluster.network().disturb(disturbance);
    return Struck::yes;
  }
  const EndpointSet inside = victims_of(strike);
  disturbance.from = inside;
  arena.cluster.network().disturb(disturbance);
  disturbance.from = EndpointSet::all().without(inside);
  disturbance.to = inside;
  arena.cluster.network().disturb(disturbance);
  return Struck::yes;
}

void calm_links(Arena& arena, Strike& strike) { arena.cluster.calm(strike.serial); }

EndpointSet nodes_of(const Arena& arena) {
  EndpointSet nodes;
  for (std::uint32_t n = 1; n <= arena.cluster.nodes(); ++n) nodes = nodes | EndpointSet::of(n);
  return nodes;
}

EndpointSet victims_of(const Strike& strike) {
  EndpointSet victims;
  for (const Strike::Victim& victim : strike.victims) victims = victims | EndpointSet::of(victim.node.value);
  return victims;
}

void block(Arena& arena, const Strike& strike, EndpointSet from, EndpointSet to) {
  arena.cluster.network().disturb({strike.serial, Trouble::block, from, to, 0, Duration{}});
}

void notice_silence(Arena& arena, Strike& strike, EndpointSet one, EndpointSet other) {
  const Duration after = strike.spec->notice_after;
  if (after == Duration{} || (!strike.spec->forever && strike.lasts <= after)) return;
  arena.cluster.give_up_links(strike.serial, one, other, after, after / 4, strike.prng);
}

void draw_notice(FaultSpec& spec, Prng& prng) {
  if (!prng.chance(400)) return;
  spec.notice_after = milliseconds(prng.between(100, 1000));
  spec.lasts_max = spec.lasts_max + spec.notice_after;
}

}  // namespace coffer::sim::faults
