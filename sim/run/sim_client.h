// One simulated client: thinks, calls through the same router as real clients, waits for its one answer. Its
// connections go to the proxies of all nodes. Single-threaded; one call at a time.
#pragma once

#include <cstdint>
#include <vector>

#include "core/router/router.h"
#include "sim/kernel/kernel.h"
#include "sim/models/cluster.h"
#include "sim/workload/workload.h"

namespace coffer::sim {

class SimClient {
 public:
  /// `outwait`: so much longer than its calls say it waits for an answer.
  SimClient(Cluster& cluster, std::uint32_t number, Duration attempt_timeout, const router::ShardMap& map,
            std::uint64_t seed, Duration outwait = {});

  enum class State : std::uint8_t { idle, thinking, waiting };
  State state() const { return state_; }
  std::uint32_t number() const { return number_; }
  /// Of the call it thinks of or waits for.
  std::uint64_t op() const { return next_.op; }
  SimTime called_at() const { return called_at_; }
  const Bytes& request() const { return next_.request; }

  /// Begins to think of this call. Requires: idle (checked).
  void think(workload::Next next);
  /// An answer, encoded; at most one from each of the following.
  using Answers = std::vector<Bytes>;
  /// Thinking is over: the call is made. Requires: thinking (checked).
  Answers call();
  Answers on_packet(const Event& event);
  Answers on_disconnect(const Event& event);
  Answers on_wake(const Event& event);

 private:
  Instant now() const;
  Answers pass_on();

  Cluster& cluster_;
  std::uint32_t number_;
  router::Router router_;
  router::RouterOutput out_;
  State state_ = State::idle;
  workload::Next next_{};
  SimTime called_at_;
  Instant alarm_at_ = never;
  std::uint64_t alarm_ = 0;
};

}  // namespace coffer::sim
