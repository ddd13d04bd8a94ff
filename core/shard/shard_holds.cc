// Deciding about holds, and when the next one expires.
#include <algorithm>

#include "core/shard/deciding.h"
#include "core/shard/shard.h"

namespace coffer::shard {

namespace {

/// Looking again sooner than the first tells nothing new; looking again after the second costs nothing.
constexpr Duration expiry_wait_min = milliseconds(1);
constexpr Duration expiry_wait_max = seconds(3600);

}  // namespace

void Shard::trace_hold(Output& out, TraceKind kind, const TransferId& id, std::uint64_t a, std::uint64_t b,
                       std::uint64_t c) const {
  TraceEvent event;
  event.kind = kind;
  event.shard = config_.shard;
  event.term = raft_.term();
  event.transfer = id;
  event.a = a;
  event.b = b;
  event.c = c;
  out.trace.push_back(event);
}

/// What has expired by the batch's stamp ends before anything else is decided.
void Shard::expire_holds(Deciding& batch, Output& out) {
  for (const txn::ExpiredHold& hold : batch.batch.expire_holds(config_.entry_bytes_max)) {
    trace_hold(out, TraceKind::hold_expired, hold.id, static_cast<std::uint64_t>(hold.amount.minor),
               static_cast<std::uint64_t>(hold.expires.nanos));
  }
}

bool Shard::has_expiry_due(Now now) const {
  const std::optional<Stamp> expiry = state_->next_expiry();
  return expiry && *expiry < next_stamp(cluster_time(now));
}

/// When cluster time passes the next expiry, if this replica could then make an entry. Where there is no cluster time
/// nothing expires: whoever brings it steps the node.
Instant Shard::expiry_after(Now now) const {
  const std::optional<Stamp> expiry = state_->next_expiry();
  if (!expiry || !has_room() || stream_.full()) {
    return never;
  }
  if (has_expiry_due(now)) {
    return now.monotonic;
  }
  const std::optional<WallTime> time = cluster_time(now);
  if (!time) {
    return never;
  }
  const Duration left{expiry->nanos - std::max<std::int64_t>(time->nanos, 0) + 1};
  return now.monotonic + std::clamp(left, expiry_wait_min, expiry_wait_max);
}

void Shard::decide_place(Deciding& batch, const router::Request& request, Output& out) {
  const auto& asked = std::get<router::PlaceHoldRequest>(request.body);
  ledger::PlaceHoldCommand command;
  command.id = asked.id;
  command.tenant = request.header.tenant;
  command.principal = request.header.principal;
  command.account = asked.account;
  command.amount = {asked.amount, asked.currency};
  if (asked.expires_in_ms <= router::hold_expires_in_ms_max) {  // else none, which is malformed as well
    command.expires_in = milliseconds(static_cast<std::int64_t>(asked.expires_in_ms));
  }
  const txn::PlaceDecision decision = batch.batch.place_hold(command);
  Deciding::Request& place = batch.requests.back();
  place.needs.round = decision.replayed || !is_logged(decision.outcome);
  if (!is_logged(decision.outcome)) {
    place.reply.status = decision.outcome;
    if (decision.outcome == Outcome::idempotency_payload_mismatch) {
      trace_hold(out, TraceKind::dedup_conflict, asked.id, static_cast<std::uint64_t>(decision.outcome));
    }
    return;
  }
  router::TransferResult result;
  result.outcome = decision.outcome;
  result.replayed = decision.replayed;
  result.shard = config_.shard;
  result.position = decision.position;
  result.stamp = decision.stamp;
  place.reply.body = router::PlaceHoldReply{result, decision.expires};
  if (decision.replayed) {
    trace_hold(out, TraceKind::dedup_hit, asked.id, static_cast<std::uint64_t>(decision.outcome), 0,
               decision.position <= led_from_ ? 1 : 0);
  } else if (decision.outcome == Outcome::success) {
    trace_hold(out, TraceKind::hold_placed, asked.id, static_cast<std::uint64_t>(asked.amount),
               static_cast<std::uint64_t>(decision.expires.nanos));
  } else {
    trace_hold(out, TraceKind::refused, asked.id, static_cast<std::uint64_t>(decision.outcome));
  }
}

void Shard::decide_capture(Deciding& batch, const router::Request& request, Output& out) {
  const auto& asked = std::get<router::CaptureHoldRequest>(request.body);
  ledger::CaptureHoldCommand command;
  command.id = asked.id;
  command.tenant = request.header.tenant;
  command.principal = request.header.principal;
  command.account = asked.account;
  command.credit_account = asked.credit;
  command.amount = {asked.amount, asked.currency};
  command.credit_shard = map_.shard_of(command.tenant, command.credit_account);
  const txn::CaptureDecision decision = batch.batch.capture_hold(command);
  Deciding::Request& capture = batch.requests.back();
  capture.reply.status = decision.status;
  if (decision.expired) {
    trace_hold(out, TraceKind::hold_expired, asked.id, static_cast<std::uint64_t>(decision.expired->amount.minor),
               static_cast<std::uint64_t>(decision.expired->expires.nanos));
  }
  if (decision.status == Outcome::account_busy) {
    trace_hold(out, TraceKind::capture_put_off, asked.id, static_cast<std::uint64_t>(asked.amount));
  }
  if (decision.status != Outcome::success) {
    capture.needs.round = true;
    return;
  }
  if (!decision.decision.replayed) {
    trace_hold(out, TraceKind::hold_captured, asked.id, static_cast<std::uint64_t>(asked.amount),
               command.credit_shard.value);
  }
  capture.reply.body = router::CaptureHoldReply{decision.transfer, {}};
  router::TransferResult& result = std::get<router::CaptureHoldReply>(capture.reply.body).result;
  note_decision(batch, 0, result, decision.transfer, decision.decision, out);
}

void Shard::decide_void(Deciding& batch, const router::Request& request, Output& out) {
  const auto& asked = std::get<router::VoidHoldRequest>(request.body);
  const txn::VoidDecision decision =
      batch.batch.void_hold({asked.id, request.header.tenant, request.header.principal, asked.account});
  Deciding::Request& release = batch.requests.back();
  release.reply.status = decision.outcome;
  release.needs.round = decision.already || decision.outcome != Outcome::success;
  if (decision.expired) {
    trace_hold(out, TraceKind::hold_expired, asked.id, static_cast<std::uint64_t>(decision.expired->amount.minor),
               static_cast<std::uint64_t>(decision.expired->expires.nanos));
  }
  if (decision.outcome != Outcome::success) {
    return;
  }
  if (!decision.already) {
    trace_hold(out, TraceKind::hold_voided, asked.id);
  }
  release.reply.body = router::VoidHoldReply{decision.already, decision.position};
}

}  // namespace coffer::shard
