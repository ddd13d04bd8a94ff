#include "sim/run/judge.h"

#include <utility>

#include "core/router/single_result.h"
#include "sim/oracles/oracles.h"

namespace coffer::sim {

namespace {

struct TraceCounter {
  TraceKind kind;
  std::string_view counter;
};
// Trace events that are interesting states by themselves.
constexpr TraceCounter trace_counters[] = {
    {TraceKind::leader_lost_tail, "leader_lost_uncommitted_tail"},
    {TraceKind::undone, "undo"},
    {TraceKind::saga_resumed, "saga_resumed"},
    {TraceKind::saga_compensated, "compensation"},
    {TraceKind::confirm_done, "confirmed"},
    {TraceKind::cancel_done, "cancelled"},
    {TraceKind::commit_done, "committed"},
    {TraceKind::abort_done, "aborted"},
    {TraceKind::tail_torn, "torn_tail"},
    {TraceKind::leg_repeated, "leg_repeated"},
    {TraceKind::request_retried, "request_retried"},
    {TraceKind::request_unknown, "request_unknown"},
    {TraceKind::became_leader, "leader_elected"},
    {TraceKind::read_confirmed, "read_confirmed"},
    {TraceKind::truncated, "log_truncated"},
    {TraceKind::dedup_hit, "dedup_hit"},
    {TraceKind::dedup_conflict, "dedup_conflict"},
    {TraceKind::refused, "refusal_logged"},
    {TraceKind::frame_rejected, "frame_rejected"},
    {TraceKind::tail_uncertain, "tail_uncertain"},
    {TraceKind::quarantined, "quarantined"},
    {TraceKind::recovery_bound, "recovery_bound"},
    {TraceKind::recovery_settled, "recovery_settled"},
    {TraceKind::segment_removed, "segment_removed"},
    {TraceKind::space_refused, "space_refused"},
    {TraceKind::space_regained, "space_regained"},
    {TraceKind::snapshot_published, "snapshot_published"},
    {TraceKind::restored, "snapshot_installed"},
    {TraceKind::epoch_dropped, "epoch_dropped"},
    {TraceKind::file_damaged, "sealed_file_damaged"},
    {TraceKind::file_repaired, "sealed_file_repaired"},
    {TraceKind::fetch_resumed, "fetch_resumed"},
    {TraceKind::archived, "history_archived"},
    {TraceKind::configuration_rolled_back, "configuration_rolled_back"},
    {TraceKind::window_moved, "id_window_moved"},
    {TraceKind::capture_put_off, "hold_capture_put_off"},
    {TraceKind::rows_left, "rows_left"},
    {TraceKind::attic_published, "attic_published"},
    {TraceKind::attic_waits, "attic_waited_for_cover"},
    {TraceKind::attic_found, "attic_found"},
    {TraceKind::attic_missed, "attic_false_positive"},
    {TraceKind::attic_repeated, "attic_repeated"},
    {TraceKind::attic_conflict, "attic_conflict"},
    {TraceKind::attic_status, "attic_status"},
    {TraceKind::attic_damaged, "attic_damaged"},
    {TraceKind::attic_rebuilt, "attic_rebuilt"},
};

}  // namespace

const std::vector<std::string_view>& required_sometimes() {
  static const std::vector<std::string_view> names = {
      "compensation",
      "dedup_hit_after_failover",
      "frame_rejected",
      "leader_lost_uncommitted_tail",
      "saga_resumed",
      "torn_tail",
      "undo",
      "unknown_later_done",
      "unknown_later_not_done",
  };
  return names;
}

const std::vector<std::string_view>& required_of_storage() {
  static const std::vector<std::string_view> names = {
      "damage_read",         "damage_withheld",
      "disk_refused",        "fetch_resumed",
      "history_archived",    "leader_lost_uncommitted_tail",
      "log_truncated",       "quarantined",
      "recovery_bound",      "recovery_settled",
      "sealed_file_damaged", "sealed_file_repaired",
      "segment_removed",     "snapshot_installed",
      "snapshot_published",  "space_refused",
      "space_regained",      "tail_uncertain",
      "torn_tail",           "undo",
  };
  return names;
}

Judge::Judge(const Topology& topology, Duration election_timeout)
    : leader_losses_(topology, election_timeout), memberships_(topology) {
  for (const oracles::Row& row : oracles::table()) oracles_.push_back(row.make(topology));
  for (const std::string_view name : required_sometimes()) sometimes_.declare(name);
  for (const TraceCounter& row : trace_counters) sometimes_.declare(row.counter);
  for (const std::string_view name : {"election_lost", "in_doubt_over_leader_change", "refused_because_locked"}) {
    sometimes_.declare(name);
  }
}

void Judge::on_phase(SimTime now, Phase phase) {
  phase_ = phase;
  availability_.on_phase(now, phase);
  for (const auto& oracle : oracles_) oracle->on_phase(now, phase);
}

void Judge::on_trace(SimTime now, NodeId node, const TraceEvent& event) {
  for (const TraceCounter& row : trace_counters) {
    if (row.kind == event.kind) sometimes_.add(row.counter);
  }
  if (event.kind == TraceKind::dedup_hit && event.c != 0) sometimes_.add("dedup_hit_after_failover");
  if (event.kind == TraceKind::became_candidate) candidates_[{node, event.shard}] = true;
  if (event.kind == TraceKind::became_leader) candidates_[{node, event.shard}] = false;
  if (event.kind == TraceKind::became_follower && std::exchange(candidates_[{node, event.shard}], false)) {
    sometimes_.add("election_lost");
  }
  if (in_doubt_.on_trace(event)) sometimes_.add("in_doubt_over_leader_change");
  constexpr auto locked = static_cast<std::uint64_t>(Outcome::account_locked);
  const bool is_refused = event.kind == TraceKind::refused && event.a == locked;
  if (is_refused || (event.kind == TraceKind::leg_received && event.c == locked)) {
    sometimes_.add("refused_because_locked");
  }
  leader_losses_.on_trace(now, node, event);
  memberships_.on_trace(node, event);
  for (const auto& oracle : oracles_) oracle->on_trace(now, node, event);
}

void Judge::on_step(SimTime now, NodeId node, const StepShown& shown) {
  for (const auto& oracle : oracles_) oracle->on_step(now, node, shown);
}

void Judge::on_committed(SimTime now, NodeId node, const CommittedEntry& entry) {
  leader_losses_.on_committed(now, node, entry);
  memberships_.on_committed(entry);
  for (const auto& oracle : oracles_) oracle->on_committed(now, node, entry);
}

void Judge::on_replica(SimTime now, NodeId node, const shard::Observation& seen) {
  for (const auto& oracle : oracles_) oracle->on_replica(now, node, seen);
}

void Judge::on_replica_undone(SimTime now, NodeId node, const shard::Observation& seen, std::size_t entries) {
  for (const auto& oracle : oracles_) oracle->on_replica_undone(now, node, seen, entries);
}

void Judge::on_durable(SimTime now, NodeId node, std::string_view file, ByteView contents) {
  for (const auto& oracle : oracles_) oracle->on_durable(now, node, file, contents);
}

void Judge::on_crash(SimTime now, NodeId node) {
  for (auto& [who, stands] : candidates_) {
    if (who.first == node) stands = false;
  }
  leader_losses_.on_crash(now, node);
  memberships_.on_crash(node);
  for (const auto& oracle : oracles_) oracle->on_crash(now, node);
}

void Judge::on_restart(SimTime now, NodeId node) {
  for (const auto& oracle : oracles_) oracle->on_restart(now, node);
}

void Judge::on_damaged(SimTime now, NodeId node, std::string_view file) {
  for (const auto& oracle : oracles_) oracle->on_damaged(now, node, file);
}

void Judge::on_disk_emptied(SimTime now, NodeId node) {
  for (const auto& oracle : oracles_) oracle->on_disk_emptied(now, node);
}

/// The process has ended: to the oracles that is a crash after which nobody starts it again.
void Judge::on_refused(SimTime now, NodeId node) {
  sometimes_.add("disk_refused");
  on_crash(now, node);
}

void Judge::on_call(SimTime now, std::uint32_t client, std::uint64_t op, const router::Request& request) {
  availability_.on_call(now, op);
  Call& call = calls_[op];
  if (const auto* transfers = std::get_if<router::TransfersRequest>(&request.body)) {
    for (const router::TransferItem& item : transfers->items) call.items.push_back({request.header.tenant, item.id});
  }
  if (const auto* status = std::get_if<router::TransferStatusRequest>(&request.body)) {
    call.status = true;
    call.items.push_back({request.header.tenant, status->id});
  }
  call.has_single_result = request.header.kind == router::RequestKind::place_hold ||
                           request.header.kind == router::RequestKind::capture_hold ||
                           request.header.kind == router::RequestKind::split;
  for (const auto& oracle : oracles_) oracle->on_call(now, client, op, request);
}

void Judge::on_return(SimTime now, std::uint32_t client, std::uint64_t op, const router::Reply& reply) {
  availability_.on_return(now, op, reply);
  const auto call = calls_.find(op);
  if (call != calls_.end()) {
    count(call->second, reply);
    calls_.erase(call);
  }
  for (const auto& oracle : oracles_) oracle->on_return(now, client, op, reply);
}

void Judge::tell(const Key& key, bool known_done, bool known_not_done, bool open) {
  const auto found = unknown_.find(key);
  if (open) {
    unknown_[key] = true;
  } else if (found != unknown_.end() && (known_done || known_not_done)) {
    sometimes_.add(known_done ? "unknown_later_done" : "unknown_later_not_done");
    unknown_.erase(found);
  }
}

void Judge::count(Outcome outcome, const router::TransferResult& result) {
  if (phase_ == Phase::setup || phase_ == Phase::final_reads) return;
  if (outcome == Outcome::unknown || outcome == Outcome::in_flight) {
    ++operations_.unknown;
  } else if (outcome != Outcome::success) {
    ++operations_.refused;
  } else {
    ++operations_.succeeded;
    if (result.target != ShardId(0) && result.target != result.shard) ++operations_.succeeded_across_shards;
  }
}

void Judge::count(const Call& call, const router::Reply& reply) {
  if (call.has_single_result) {
    const router::TransferResult* result = router::single_result(reply);
    return count(result != nullptr ? result->outcome : reply.status,
                 result != nullptr ? *result : router::TransferResult{});
  }
  if (call.status) {
    const auto* told = std::get_if<router::TransferStatusReply>(&reply.body);
    const Outcome outcome = told != nullptr ? told->result.outcome : reply.status;
    const bool not_done = outcome == Outcome::transfer_not_found || (is_logged(outcome) && outcome != Outcome::success);
    tell(call.items[0], outcome == Outcome::success, not_done, false);
    return;
  }
  const auto* told = std::get_if<router::TransfersReply>(&reply.body);
  for (std::size_t i = 0; i < call.items.size(); ++i) {
    const bool has_result = told != nullptr && i < told->results.size();
    const router::TransferResult result = has_result ? told->results[i] : router::TransferResult{};
    const Outcome outcome = has_result ? result.outcome : reply.status;
    const bool open = outcome == Outcome::unknown || outcome == Outcome::in_flight;
    const bool success = outcome == Outcome::success;
    // An earlier attempt had done it if its answer is replayed; else this attempt did, or nobody.
    tell(call.items[i], success && result.replayed, (success && !result.replayed) || (is_logged(outcome) && !success),
         open);
    count(outcome, result);
  }
}

void Judge::finish(SimTime now) {
  leader_losses_.finish(now);
  for (const auto& oracle : oracles_) oracle->finish(now);
}

Counters Judge::sometimes() const {
  Counters all = sometimes_;
  for (const auto& oracle : oracles_) {
    for (const auto& [name, count] : oracle->sometimes()) all.add(name, count);
  }
  return all;
}

std::optional<Violation> Judge::violation() const {
  const Violation* harness = nullptr;
  for (const auto& oracle : oracles_) {
    if (oracle->violations().empty()) continue;
    const Violation& first = oracle->violations().front();
    if (!first.oracle.starts_with("O-H")) return first;
    if (harness == nullptr) harness = &first;
  }
  return harness == nullptr ? std::nullopt : std::optional(*harness);
}

}  // namespace coffer::sim
