#include "sim/run/leader_losses.h"

#include <algorithm>

#include "core/base/check.h"

namespace coffer::sim {

using oracles::Configuration;
using oracles::NodeSet;

namespace {

NodeSet without(NodeSet nodes, NodeId one) {
  NodeSet gone;
  gone.add(one);
  return nodes.without(gone);
}

}  // namespace

LeaderLosses::LeaderLosses(const Topology& topology, Duration election_timeout)
    : timeout_(election_timeout),
      twice_(election_timeout * 2),
      configurations_(topology),
      shards_(topology.shards),
      touch_(topology.nodes) {
  check(election_timeout.nanos > 0, "elections wait for something");
}

void LeaderLosses::on_trace(SimTime now, NodeId node, const TraceEvent& event) {
  if (!configurations_.knows(event.shard)) return;
  configurations_.traced(node, event);
  Shard& shard = shards_[event.shard.value - 1];
  if (event.kind == TraceKind::recovery_asked && !shard.bound.has(node)) {
    shard.uncertain.add(node);
    if (shard.loss) without_vote_of(now, shard, node, configurations_.committed(event.shard).back().configuration);
  } else if (event.kind == TraceKind::recovery_bound || event.kind == TraceKind::recovery_settled) {
    shard.uncertain = without(shard.uncertain, node);
    shard.bound.add(node);
  } else if (event.kind == TraceKind::became_leader && event.term >= shard.term) {
    shard.leader = node;
    shard.term = event.term;
    shard.appended = event.index;
    shard.leads = true;
    shard.led_on = false;
    look(now, event.shard);
  } else if (event.kind == TraceKind::appended && node == shard.leader && event.term == shard.term) {
    shard.appended = event.index;
  } else if (event.kind == TraceKind::became_follower && node == shard.leader && shard.leads) {
    shard.leads = shard.led_on = false;
  }
}

void LeaderLosses::on_crash(SimTime now, NodeId node) {
  configurations_.crashed(node);
  for (std::uint32_t s = 1; s <= shards_.size(); ++s) {
    Shard& shard = shards_[s - 1];
    shard.uncertain = without(shard.uncertain, node);  // the next life asks anew
    shard.bound = without(shard.bound, node);
    if (node != shard.leader || !shard.leads) continue;
    shard.leads = false;
    look(now, ShardId(s));
  }
}

void LeaderLosses::on_committed(SimTime now, NodeId node, const CommittedEntry& entry) {
  if (!configurations_.knows(entry.shard)) return;
  configurations_.committed(node, entry);
  Shard& shard = shards_[entry.shard.value - 1];
  if (!shard.loss) return;
  const bool led_on = shard.term == shard.loss->term && entry.term == shard.term && entry.index > shard.loss->appended;
  if (entry.term > shard.loss->term || (led_on && is_late(now, *shard.loss))) {
    end(now, shard);
  } else if (led_on) {
    shard.loss.reset();
  }
}

void LeaderLosses::on_touch(SimTime now, const Touch& touch, NodeSet storing) {
  touch_ = touch;
  storing_ = storing;
  for (std::uint32_t s = 1; s <= shards_.size(); ++s) look(now, ShardId(s));
}

void LeaderLosses::finish(SimTime now) {
  for (Shard& shard : shards_) {
    if (shard.loss && is_late(now, *shard.loss)) end(now, shard);
    shard.loss.reset();
  }
}

bool LeaderLosses::are_in_touch(NodeId a, NodeId b) const {
  return a.value >= 1 && a.value <= touch_.size() && touch_[a.value - 1].has(b);
}

bool LeaderLosses::leads_on(const Shard& shard, const Configuration& configuration) const {
  if (!shard.leads || !are_in_touch(shard.leader, shard.leader)) return false;
  NodeSet heard;
  for (const NodeId node : configuration.deciders().nodes()) {
    if (are_in_touch(shard.leader, node)) heard.add(node);
  }
  return has_quorum(configuration, heard);
}

/// The largest set of these nodes that are in touch with each other and decide; empty when there is none.
NodeSet LeaderLosses::core_of(const Configuration& configuration, NodeSet among) const {
  const std::vector<NodeId> nodes = among.nodes();
  NodeSet largest;
  for (std::uint32_t choice = 0; choice < 1u << nodes.size(); ++choice) {
    NodeSet some;
    bool together = true;
    for (std::size_t i = 0; i < nodes.size() && together; ++i) {
      if ((choice >> i & 1) == 0) continue;
      some.add(nodes[i]);
      for (const NodeId other : some.nodes()) together = together && are_in_touch(nodes[i], other);
    }
    if (together && some.size() > largest.size() && has_quorum(configuration, some)) largest = some;
  }
  return largest;
}

void LeaderLosses::look(SimTime now, ShardId id) {
  Shard& shard = shards_[id.value - 1];
  const Configuration& configuration = configurations_.committed(id).back().configuration;
  const bool leads_on_now = leads_on(shard, configuration);
  if (shard.loss) follow(now, shard, configuration);
  if (shard.led_on && !leads_on_now && !shard.loss) {
    const NodeSet others = without(configuration.deciders(), shard.leader);
    const NodeSet certain = others.without(shard.uncertain);
    const NodeSet core = core_of(configuration, certain & storing_);
    if (!core.empty()) {
      shard.loss = Loss{now, shard.term, core, shard.appended};
    } else if (!core_of(configuration, certain).empty()) {
      ++counts_.without_disks;
    } else if (!core_of(configuration, others).empty()) {
      ++counts_.without_votes;
    }
  }
  shard.led_on = leads_on_now;
}

/// Whether the loss is still one.
void LeaderLosses::follow(SimTime now, Shard& shard, const Configuration& configuration) {
  Loss& loss = *shard.loss;
  const bool leads_again = shard.term == loss.term && leads_on(shard, configuration);
  loss.core = core_of(configuration, loss.core & storing_);
  if (!leads_again && !loss.core.empty()) return;
  if (is_late(now, loss)) return end(now, shard);
  shard.loss.reset();
}

/// Who asks what its disk may have lost, in the life in which it was in the core, had no vote to give then either: it
/// had not read its log yet.
void LeaderLosses::without_vote_of(SimTime now, Shard& shard, NodeId node, const Configuration& configuration) {
  Loss& loss = *shard.loss;
  if (!loss.core.has(node)) return;
  loss.core = core_of(configuration, without(loss.core, node));
  if (!loss.core.empty() || is_late(now, loss)) return;
  ++counts_.without_votes;
  shard.loss.reset();
}

/// Healed, or too late for that.
void LeaderLosses::end(SimTime now, Shard& shard) {
  const Duration lasted = now - shard.loss->at;
  ++counts_.losses;
  counts_.healed_in_time += is_late(now, *shard.loss) ? 0 : 1;
  counts_.worst_ms = std::max(counts_.worst_ms, lasted.millis());
  counts_.worst_permille =
      std::max(counts_.worst_permille, lasted.nanos / std::max<std::int64_t>(timeout_.nanos / 1000, 1));
  shard.loss.reset();
}

}  // namespace coffer::sim
