// Writes what happens in a run as one JSON object a line, in order: packets and steps, what nodes did, what clients
// called and were told, faults and phases. For people, the viewer and `diff`. Without a stream it does nothing.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string_view>

#include "core/base/trace.h"
#include "sim/kernel/kernel.h"
#include "sim/observe/observer.h"

namespace coffer::sim {

std::string_view name(Phase phase);

class TraceWriter {
 public:
  explicit TraceWriter(std::ostream* out) : out_(out) {}

  void event(SimTime now, std::uint64_t sequence, const Event& event);
  void node(SimTime now, NodeId node, const TraceEvent& event);
  void phase(SimTime now, Phase phase);
  void machine(SimTime now, NodeId node, std::string_view what);
  void call(SimTime now, std::uint32_t client, std::uint64_t op, const router::Request& request);
  void told(SimTime now, std::uint32_t client, std::uint64_t op, const router::Reply& reply);

 private:
  std::ostream* out_;
};

}  // namespace coffer::sim
