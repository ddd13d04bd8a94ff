#include "sim/ladder/product.h"

#include <algorithm>
#include <array>
#include <map>
#include <variant>

#include "sim/run/onlooker.h"

namespace coffer::sim::ladder {

namespace {

/// Whether the answer says what became of the transfer.
bool is_definite(coffer::Outcome outcome) {
  return !is_retryable(outcome) && outcome != coffer::Outcome::pending && outcome != coffer::Outcome::in_flight &&
         outcome != coffer::Outcome::change_under_way && outcome != coffer::Outcome::unknown;
}

constexpr std::array<TraceKind, 3> begins = {TraceKind::saga_started, TraceKind::try_started,
                                             TraceKind::prepare_started};
constexpr std::array<TraceKind, 6> ends = {TraceKind::saga_done,   TraceKind::saga_compensated, TraceKind::confirm_done,
                                           TraceKind::cancel_done, TraceKind::commit_done,      TraceKind::abort_done};

template <std::size_t Count>
bool is_one_of(const std::array<TraceKind, Count>& kinds, TraceKind kind) {
  return std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
}

/// Looks on from the beginning of the running phase to its end.
class Watch : public Onlooker {
 public:
  void phase(SimTime, Phase phase) override { running_ = phase == Phase::running; }

 protected:
  bool running() const { return running_; }

 private:
  bool running_ = false;
};

/// What clients see.
class Meter final : public Watch {
 public:
  explicit Meter(Costs& costs) : costs_(costs) {}

  void call(SimTime now, std::uint32_t, std::uint64_t op, const router::Request& request) override {
    const auto* const transfers = std::get_if<router::TransfersRequest>(&request.body);
    if (!running() || transfers == nullptr) return;
    costs_.requests += transfers->items.size();
    called_[op] = now;
  }

  void told(SimTime now, std::uint32_t, std::uint64_t op, const router::Reply& reply) override {
    const auto called = called_.find(op);
    if (called == called_.end()) return;
    const Duration latency = now - called->second;
    called_.erase(called);
    const auto* const transfers = std::get_if<router::TransfersReply>(&reply.body);
    if (transfers == nullptr) return;
    for (const router::TransferResult& result : transfers->results) {
      if (!is_definite(result.outcome)) continue;
      ++costs_.answered;
      if (latency <= answer_in_time) ++costs_.answered_in_time;
      costs_.latencies_us.push_back(latency.nanos / 1000);
    }
  }

 private:
  Costs& costs_;
  std::map<std::uint64_t, SimTime> called_;  // by op
};

/// What nodes do.
class Upkeep final : public Watch {
 public:
  explicit Upkeep(std::uint32_t nodes) : nodes_(nodes) {}

  void event(SimTime, std::uint64_t, const Event& event) override {
    const bool between_nodes = event.entity <= nodes_ && event.from <= nodes_;
    if (running() && event.kind == EventKind::deliver && between_nodes) ++costs.messages;
  }

  void node(SimTime now, NodeId, const TraceEvent& event) override {
    if (!running()) return;
    if (event.kind == TraceKind::appended) ++costs.writes;
    if (event.kind == TraceKind::synced) ++costs.syncs;
    if (is_one_of(begins, event.kind)) began_.emplace(event.transfer, now);
    if (!is_one_of(ends, event.kind)) return;
    const auto began = began_.find(event.transfer);
    if (began == began_.end()) return;
    ++costs.held;
    costs.held_for = costs.held_for + (now - began->second);
    began_.erase(began);
  }

  void told(SimTime, std::uint32_t, std::uint64_t, const router::Reply& reply) override {
    const auto* const transfers = std::get_if<router::TransfersReply>(&reply.body);
    if (running() && transfers != nullptr) costs.answered += transfers->results.size();
  }

  Costs costs;

 private:
  std::uint32_t nodes_;
  std::map<TransferId, SimTime> began_;
};

/// A calm world in which one client makes so many transfers, one by one, in a given time.
Costs calm_costs(Scenario scenario, std::uint64_t seed, std::uint32_t transfers) {
  scenario.faults.clear();
  workload::Config& calls = scenario.workload;
  calls.clients = 1;
  calls.tenants = 1;
  calls.operations = transfers;
  calls.batch_max = 1;
  calls.think_mean = milliseconds(100);
  calls.period = {};
  calls.cross_shard_per_mille = 1000;
  for (std::uint32_t* other :
       {&calls.overdraft_per_mille, &calls.missing_account_per_mille, &calls.wrong_currency_per_mille,
        &calls.duplicate_per_mille, &calls.other_body_per_mille, &calls.other_tenant_per_mille, &calls.read_per_mille,
        &calls.deposit_per_mille, &calls.withdrawal_per_mille, &calls.account_change_per_mille}) {
    *other = 0;
  }
  scenario.limits.running_min = seconds(15);
  Upkeep upkeep(scenario.nodes);
  RunOptions options;
  options.onlookers.push_back(&upkeep);
  sim::run(scenario, seed, options);
  return upkeep.costs;
}

/// `more` is what the many transfers add; of what is not above the few, nothing.
std::uint64_t added(std::uint64_t many, std::uint64_t few) { return many - std::min(many, few); }

}  // namespace

RunResult run_product(const Scenario& scenario, std::uint64_t seed, Costs& costs) {
  Meter meter(costs);
  RunOptions options;
  options.onlookers.push_back(&meter);
  return sim::run(scenario, seed, options);
}

void add_calm_costs(const Scenario& scenario, std::uint64_t seed, Costs& costs) {
  const Costs many = calm_costs(scenario, seed, 82);
  const Costs few = calm_costs(scenario, seed, 2);
  costs.answered += added(many.answered, few.answered);
  costs.messages += added(many.messages, few.messages);
  costs.writes += added(many.writes, few.writes);
  costs.syncs += added(many.syncs, few.syncs);
  costs.held += many.held;
  costs.held_for = costs.held_for + many.held_for;
}

}  // namespace coffer::sim::ladder
