// Where legs go while this node's own replica of their target does not know who leads it, as it happens to a node that
// is no member there: to who answered last, and while nobody answers to all nodes in turn. A guess that costs time when
// wrong, never correctness. Single-threaded.
#pragma once

#include <algorithm>
#include <map>
#include <vector>

#include "core/base/check.h"
#include "core/base/ids.h"
#include "core/base/time.h"

namespace coffer::node {

class LegRoutes {
 public:
  /// `patience`: so long a node may take to answer; no longer than until its legs are sent again.
  LegRoutes(NodeId self, Duration patience) : self_(self), patience_(patience) {}

  /// `from` answered legs for `target`: it leads there.
  void answered(Instant now, ShardId target, NodeId from) { routes_[target] = {from, now + patience_, true}; }

  /// Not this node itself, unless there is no other. Requires: nodes is ascending; not empty (checked).
  NodeId next(Instant now, ShardId target, const std::vector<NodeId>& nodes) {
    check(!nodes.empty(), "a cluster has nodes");
    Route& route = routes_[target];
    if (route.node != nobody && now < route.until) return route.node;
    if (!route.answered) {
      route.node = after(route.node, nodes);
      if (route.node == self_) route.node = after(self_, nodes);
    }
    route.answered = false;
    route.until = now + patience_;
    return route.node;
  }

 private:
  static NodeId after(NodeId node, const std::vector<NodeId>& nodes) {
    const auto next = std::upper_bound(nodes.begin(), nodes.end(), node);
    return next == nodes.end() ? nodes.front() : *next;
  }

  struct Route {
    NodeId node = nobody;  ///< asked last, or answered since
    Instant until;         ///< it need not have answered before
    bool answered = false;
  };
  NodeId self_;
  Duration patience_;
  std::map<ShardId, Route> routes_;
};

}  // namespace coffer::node
