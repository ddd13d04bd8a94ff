// Logical time of one node. Lamport time: what happened before has the smaller number. Vector time: it has the smaller
// number if and only if it happened before, at the grain of a node's steps; events of one step are ordered by Lamport
// time. Both travel in every peer frame; neither survives the process, whose next life goes on from a number that no
// earlier life can have reached.
//
//   clock section := lamport u64 | count u32 | (node u32 | steps u64){count}          (nodes ascending)
//
// Single-threaded.
// Source: Lamport, Time, Clocks, and the Ordering of Events (1978); Fidge (1988) and Mattern (1989) on vector time.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/codec.h"
#include "core/base/ids.h"
#include "core/base/trace.h"

namespace coffer::node {

/// Steps known of each node, ascending by node; a node that is missing has 0.
using VectorTime = std::vector<std::pair<NodeId, std::uint64_t>>;

class LogicalClock {
 public:
  explicit LogicalClock(NodeId self) : self_(self) {}

  /// A new life begins: every number given out from now on is above `floor`. Requires: no earlier life reached it.
  void begin_life(std::uint64_t floor);
  /// A step begins.
  void begin_step();
  /// A frame of a peer arrived in this step. False when the section is malformed, and nothing changed.
  bool received(ByteView section);
  /// Gives the step's events their Lamport times, in order; those that have one keep it.
  void stamp(std::vector<TraceEvent>& events);

  void encode(ByteWriter& out) const;
  const VectorTime& vector_time() const { return vector_; }
  std::uint64_t lamport() const { return lamport_; }

 private:
  std::uint64_t& component(NodeId node);

  NodeId self_;
  std::uint64_t lamport_ = 0;
  VectorTime vector_;
};

}  // namespace coffer::node
