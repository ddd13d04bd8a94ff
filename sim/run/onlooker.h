// Who looks on while a world runs: sees what happens, in order, and never influences it. The trace writer is one; what
// shrinks and explains failures looks on too. Single-threaded.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/base/trace.h"
#include "core/router/protocol.h"
#include "sim/kernel/kernel.h"
#include "sim/observe/observer.h"

namespace coffer::sim {

class Onlooker {
 public:
  virtual ~Onlooker() = default;
  virtual void event(SimTime, std::uint64_t /*sequence*/, const Event&) {}
  virtual void node(SimTime, NodeId, const TraceEvent&) {}
  virtual void phase(SimTime, Phase) {}
  virtual void machine(SimTime, NodeId, std::string_view /*what*/) {}
  virtual void call(SimTime, std::uint32_t /*client*/, std::uint64_t /*op*/, const router::Request&) {}
  virtual void told(SimTime, std::uint32_t /*client*/, std::uint64_t /*op*/, const router::Reply&) {}
};

/// All of them, each told in turn.
class Onlookers {
 public:
  /// Each outlives this.
  void add(Onlooker& one) { all_.push_back(&one); }

  void event(SimTime now, std::uint64_t sequence, const Event& event) {
    for (Onlooker* one : all_) one->event(now, sequence, event);
  }
  void node(SimTime now, NodeId node, const TraceEvent& event) {
    for (Onlooker* one : all_) one->node(now, node, event);
  }
  void phase(SimTime now, Phase phase) {
    for (Onlooker* one : all_) one->phase(now, phase);
  }
  void machine(SimTime now, NodeId node, std::string_view what) {
    for (Onlooker* one : all_) one->machine(now, node, what);
  }
  void call(SimTime now, std::uint32_t client, std::uint64_t op, const router::Request& request) {
    for (Onlooker* one : all_) one->call(now, client, op, request);
  }
  void told(SimTime now, std::uint32_t client, std::uint64_t op, const router::Reply& reply) {
    for (Onlooker* one : all_) one->told(now, client, op, reply);
  }

 private:
  std::vector<Onlooker*> all_;
};

}  // namespace coffer::sim
