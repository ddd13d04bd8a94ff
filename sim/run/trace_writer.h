// Writes what happens in a run as one JSON object a line, in order: packets and steps, what nodes did, what clients
// called and were told, faults and phases. For people, the viewer and `diff`.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string_view>

#include "sim/run/onlooker.h"

namespace coffer::sim {

std::string_view name(Phase phase);

class TraceWriter : public Onlooker {
 public:
  explicit TraceWriter(std::ostream& out) : out_(&out) {}

  void event(SimTime now, std::uint64_t sequence, const Event& event) override;
  void node(SimTime now, NodeId node, const TraceEvent& event) override;
  void phase(SimTime now, Phase phase) override;
  void machine(SimTime now, NodeId node, std::string_view what) override;
  void call(SimTime now, std::uint32_t client, std::uint64_t op, const router::Request& request) override;
  void told(SimTime now, std::uint32_t client, std::uint64_t op, const router::Reply& reply) override;

 private:
  std::ostream* out_;
};

}  // namespace coffer::sim
