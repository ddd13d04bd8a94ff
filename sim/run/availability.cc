#include "sim/run/availability.h"

#include <algorithm>
#include <utility>
#include <variant>
#include <vector>

#include "core/router/single_result.h"

namespace coffer::sim {

namespace {

bool is_definite(Outcome outcome) {
  return outcome != Outcome::pending && outcome != Outcome::in_flight && outcome != Outcome::unknown &&
         !is_retryable(outcome);
}

}  // namespace

bool is_definite(const router::Reply& reply) {
  if (const router::TransferResult* result = router::single_result(reply)) return is_definite(result->outcome);
  const auto* transfers = std::get_if<router::TransfersReply>(&reply.body);
  if (reply.status != Outcome::success || transfers == nullptr) return is_definite(reply.status);
  return std::all_of(transfers->results.begin(), transfers->results.end(),
                     [](const router::TransferResult& result) { return is_definite(result.outcome); });
}

void Availability::on_phase(SimTime, Phase phase) { phase_ = phase; }

void Availability::on_call(SimTime now, std::uint64_t op) {
  if (phase_ == Phase::running) requests_[op].called = now;
}

void Availability::on_return(SimTime now, std::uint64_t op, const router::Reply& reply) {
  const auto request = requests_.find(op);
  if (request == requests_.end()) return;
  request->second.served = is_definite(reply) && now - request->second.called <= served_within;
}

AvailabilityCounts Availability::counts() const {
  std::vector<std::pair<SimTime, bool>> in_order;
  for (const auto& [op, request] : requests_) in_order.emplace_back(request.called, request.served);
  std::stable_sort(in_order.begin(), in_order.end(),
                   [](const auto& one, const auto& other) { return one.first < other.first; });
  AvailabilityCounts counts;
  counts.requests = in_order.size();
  bool out = false;
  SimTime out_since;
  for (const auto& [called, served] : in_order) {
    counts.served += served ? 1 : 0;
    if (!served && !out) out_since = called;
    out = out || !served;
    if (out) counts.worst_outage_ms = std::max(counts.worst_outage_ms, (called - out_since).millis());
    out = out && !served;
  }
  return counts;
}

}  // namespace coffer::sim
