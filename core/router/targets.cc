#include "core/router/targets.h"

#include <algorithm>

#include "core/base/check.h"

namespace coffer::router {

namespace {
constexpr Instant long_ago{INT64_MIN};
}  // namespace

Targets::Targets(std::vector<NodeId> nodes, const std::vector<ShardId>& shards, std::size_t start)
    : nodes_(std::move(nodes)), lost_until_(nodes_.size(), long_ago), answered_(nodes_.size(), long_ago) {
  check(!nodes_.empty(), "a router knows at least one node");
  check(std::is_sorted(nodes_.begin(), nodes_.end()) && nodes_.front() != nobody, "a router's nodes are ascending");
  for (const ShardId shard : shards) {
    leaders_.push_back({shard, nobody});
  }
  turn_ = start % nodes_.size();
  proxy_ = turn_;
}

bool Targets::is_node(NodeId node) const { return std::binary_search(nodes_.begin(), nodes_.end(), node); }

void Targets::meet(NodeId node) {
  if (node == nobody || is_node(node)) {
    return;
  }
  const NodeId in_turn = nodes_[turn_];
  const NodeId proxy = nodes_[proxy_];
  const auto place = std::lower_bound(nodes_.begin(), nodes_.end(), node);
  lost_until_.insert(lost_until_.begin() + (place - nodes_.begin()), long_ago);
  answered_.insert(answered_.begin() + (place - nodes_.begin()), long_ago);
  nodes_.insert(place, node);
  turn_ = index_of(in_turn);
  proxy_ = index_of(proxy);
}

NodeId Targets::leader_of(ShardId shard) const {
  const Leader* leader = const_cast<Targets*>(this)->find(shard);
  return leader == nullptr ? nobody : leader->node;
}

void Targets::learn(ShardId shard, NodeId leader) {
  Leader* known = find(shard);
  if (known != nullptr && (leader == nobody || is_node(leader))) {
    known->node = leader;
  }
}

void Targets::forget(ShardId shard, NodeId leader) {
  Leader* known = find(shard);
  if (known != nullptr && known->node == leader) {
    known->node = nobody;
  }
}

void Targets::lost(NodeId node, Instant until) {
  if (!is_node(node)) {
    return;
  }
  lost_until_[index_of(node)] = until;
  for (Leader& leader : leaders_) {
    if (leader.node == node) {
      leader.node = nobody;
    }
  }
}

void Targets::reached(NodeId node, Instant now) {
  lost_until_[index_of(node)] = long_ago;
  answered_[index_of(node)] = now;
}

bool Targets::has_answered(NodeId node, Instant since) const { return answered_[index_of(node)] > since; }

bool Targets::is_lost(NodeId node, Instant now) const { return now < lost_until_[index_of(node)]; }

NodeId Targets::any(Instant now) {
  const NodeId node = after(nodes_[turn_], {}, now);
  turn_ = index_of(node);
  return node;
}

void Targets::turn_from(NodeId asked) { turn_ = index_of(asked); }

NodeId Targets::after(NodeId asked, Suspicion suspicion, Instant now) const {
  const std::size_t start = index_of(asked);
  for (std::size_t step = 1; step <= nodes_.size(); ++step) {
    const NodeId node = nodes_[(start + step) % nodes_.size()];
    if (!is_lost(node, now) && !suspicion.covers(node, now)) {
      return node;
    }
  }
  return nodes_[(start + 1) % nodes_.size()];
}

NodeId Targets::proxy(Instant now) {
  if (is_lost(nodes_[proxy_], now)) {
    proxy_ = index_of(after(nodes_[proxy_], {}, now));
  }
  return nodes_[proxy_];
}

void Targets::leave_proxy(NodeId asked, Instant now) {
  if (nodes_[proxy_] == asked) {
    proxy_ = index_of(after(asked, {}, now));
  }
}

Targets::Leader* Targets::find(ShardId shard) {
  const auto at = std::lower_bound(leaders_.begin(), leaders_.end(), shard,
                                   [](const Leader& leader, ShardId wanted) { return leader.shard < wanted; });
  return at == leaders_.end() || at->shard != shard ? nullptr : &*at;
}

std::size_t Targets::index_of(NodeId node) const {
  const auto at = std::lower_bound(nodes_.begin(), nodes_.end(), node);
  check(at != nodes_.end() && *at == node, "only the cluster's nodes are asked");
  return static_cast<std::size_t>(at - nodes_.begin());
}

}  // namespace coffer::router
