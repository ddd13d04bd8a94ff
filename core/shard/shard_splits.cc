// Deciding about splits.
#include "core/shard/deciding.h"
#include "core/shard/shard.h"

namespace coffer::shard {

static_assert(router::split_parts_max == ledger::split_parts_max && router::no_part == ledger::no_part,
              "what is asked and told of a split is what the ledger knows of one");

/// Whatever legs a split has, they may leave with this entry.
void Shard::note_legs(Deciding& batch, const txn::SplitRecord& split) const {
  for (const txn::SplitPartRecord& part : split.parts) {
    if (part.shard != config_.shard) {
      batch.started[part.shard] = LegNumber(state_->next_leg(part.shard).value - 1);
    }
  }
}

void Shard::decide_split(Deciding& batch, const router::Request& request, Output& out) {
  const auto& asked = std::get<router::SplitRequest>(request.body);
  std::vector<ledger::SplitCommand::Part> parts;
  for (const router::SplitRequest::Part& part : asked.parts) {
    parts.push_back({part.credit, part.amount, map_.shard_of(request.header.tenant, part.credit)});
  }
  ledger::SplitCommand command;
  command.id = asked.id;
  command.tenant = request.header.tenant;
  command.principal = request.header.principal;
  command.debit_account = asked.account;
  command.currency = asked.currency;
  command.parts = parts;
  const txn::SplitDecision decision = batch.batch.split(command);
  const txn::SplitRecord& record = decision.record;
  Deciding::Request& split = batch.requests.back();
  const bool has_record = decision.outcome == Outcome::pending || is_logged(decision.outcome);
  split.needs.round = decision.replayed || !has_record;
  TraceEvent event;
  event.shard = config_.shard;
  event.term = raft_.term();
  event.transfer = asked.id;
  event.a = static_cast<std::uint64_t>(decision.outcome);
  if (!has_record) {
    split.reply.status = decision.outcome;
    event.kind = TraceKind::dedup_conflict;
    if (decision.outcome == Outcome::idempotency_payload_mismatch) out.trace.push_back(event);
    return;
  }
  router::SplitReply reply;
  reply.result.shard = config_.shard;
  reply.result.replayed = decision.replayed;
  tell(record, reply);
  split.reply.body = std::move(reply);
  if (decision.outcome == Outcome::pending) {
    split.needs.split = WaitingRoom::SplitNeed{record.row, config_.early_success && !decision.replayed};
    if (!decision.replayed) note_legs(batch, record);
  }
  if (decision.replayed) {
    event.kind = TraceKind::dedup_hit;
    event.c = record.position <= led_from_ ? 1 : 0;
  } else if (decision.outcome == Outcome::pending || decision.outcome == Outcome::success) {
    event.kind = TraceKind::split_started;
    event.a = parts.size();
    event.b = decision.outcome == Outcome::success ? 1 : 0;
  } else {
    event.kind = TraceKind::refused;
    event.b = record.refused;
  }
  out.trace.push_back(event);
}

}  // namespace coffer::shard
