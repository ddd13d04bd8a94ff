#include "sim/models/orders.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"

namespace coffer::sim {

Orders::Orders(std::uint32_t shards, std::uint32_t nodes, const std::vector<NodeId>& founders)
    : nodes_(nodes), groups_(shards, Group{founders, founders}) {}

void Orders::Counts::add(const Counts& more) {
  given += more.given;
  finished += more.finished;
  superseded += more.superseded;
  called_off += more.called_off;
  repeated += more.repeated;
}

bool Orders::votes(ShardId shard, NodeId node) const {
  return std::binary_search(voters(shard).begin(), voters(shard).end(), node);
}

std::vector<NodeId> Orders::spares(ShardId shard) const {
  std::vector<NodeId> spares;
  for (std::uint32_t n = 1; n <= nodes_; ++n) {
    if (!votes(shard, NodeId(n))) spares.emplace_back(n);
  }
  return spares;
}

std::uint64_t Orders::reconfigure(ShardId shard, std::vector<NodeId> voters) {
  check(!voters.empty(), "somebody decides for a group");
  std::sort(voters.begin(), voters.end());
  groups_[shard.value - 1].wanted = voters;
  return give({0, Order::Kind::reconfigure, shard, std::move(voters), nobody});
}

std::uint64_t Orders::transfer(ShardId shard, NodeId to) { return give({0, Order::Kind::transfer, shard, {}, to}); }

std::uint64_t Orders::give(Order order) {
  counts_.superseded +=
      std::erase_if(open_, [&](const Order& old) { return old.kind == order.kind && old.shard == order.shard; });
  order.number = ++last_number_;
  ++counts_.given;
  open_.push_back(std::move(order));
  return last_number_;
}

bool Orders::open_for(ShardId shard) const {
  return std::any_of(open_.begin(), open_.end(), [&](const Order& order) {
    return order.kind == Order::Kind::reconfigure && order.shard == shard;
  });
}

void Orders::repeat(ShardId shard) {
  check(!open_for(shard), "an order that is open is asked for anyway");
  ++counts_.repeated;
  reconfigure(shard, voters(shard));
}

void Orders::finish(std::uint64_t number) {
  const auto found = std::find_if(open_.begin(), open_.end(), [&](const Order& one) { return one.number == number; });
  if (found == open_.end()) return;
  if (found->kind == Order::Kind::reconfigure) groups_[found->shard.value - 1].reached = found->voters;
  ++counts_.finished;
  open_.erase(found);
}

void Orders::call_off(std::uint64_t number) {
  const auto found = std::find_if(open_.begin(), open_.end(), [&](const Order& one) { return one.number == number; });
  if (found == open_.end()) return;
  const Order order = std::move(*found);
  open_.erase(found);
  ++counts_.called_off;
  if (order.kind == Order::Kind::reconfigure) reconfigure(order.shard, groups_[order.shard.value - 1].reached);
}

}  // namespace coffer::sim
