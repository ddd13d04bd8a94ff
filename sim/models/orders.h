// What operators want of the cluster: who shall vote in which shard, and who shall lead it. Faults give such orders at
// the worst moments; the operator of a run (sim/run/operator.h) carries them out, and insists until an order has
// finished or has been called off. Of each kind a shard has at most one open order: a newer one takes its place.
//
//   given -> open -> finished
//                 -> superseded
//                 -> called off: of a change of members follows an order for the voters that were reached last
// Single-threaded.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/ids.h"

namespace coffer::sim {

struct Order {
  enum class Kind : std::uint8_t { reconfigure, transfer };
  std::uint64_t number = 0;  ///< unique in a run
  Kind kind{};
  ShardId shard;
  std::vector<NodeId> voters;  ///< reconfigure: ascending
  NodeId to;                   ///< transfer
};

class Orders {
 public:
  struct Counts {
    std::uint64_t given = 0;
    std::uint64_t finished = 0;
    std::uint64_t superseded = 0;
    std::uint64_t called_off = 0;
    std::uint64_t repeated = 0;
    void add(const Counts& more);
  };

  /// All shards begin with the same voters; `nodes` counts the spares too.
  Orders(std::uint32_t shards, std::uint32_t nodes, const std::vector<NodeId>& founders);

  /// As ordered last.
  const std::vector<NodeId>& voters(ShardId shard) const { return groups_[shard.value - 1].wanted; }
  bool votes(ShardId shard, NodeId node) const;
  /// Nodes that shall not vote in the shard, ascending.
  std::vector<NodeId> spares(ShardId shard) const;

  /// These give an order and return its number. Voters: not empty, in any order.
  std::uint64_t reconfigure(ShardId shard, std::vector<NodeId> voters);
  std::uint64_t transfer(ShardId shard, NodeId to);
  /// Nothing happens unless the order is open.
  void finish(std::uint64_t number);
  void call_off(std::uint64_t number);

  /// The shard has other voters, and no order for it is open: a request of an earlier order was late, and carried out
  /// after it. The last one is given again.
  void repeat(ShardId shard);
  bool open_for(ShardId shard) const;

  /// In the order in which they were given.
  const std::vector<Order>& open() const { return open_; }
  const Counts& counts() const { return counts_; }

 private:
  struct Group {
    std::vector<NodeId> wanted;
    std::vector<NodeId> reached;  ///< by the last order that finished
  };

  std::uint64_t give(Order order);

  std::uint32_t nodes_;
  std::vector<Group> groups_;  ///< by shard - 1
  std::vector<Order> open_;
  std::uint64_t last_number_ = 0;
  Counts counts_;
};

}  // namespace coffer::sim
