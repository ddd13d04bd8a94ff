// Deciding: a serving leader turns everything that is ready into one entry, and holds each answer back until what it
// depends on has committed.
#include <algorithm>
#include <array>
#include <utility>

#include "core/base/check.h"
#include "core/shard/deciding.h"
#include "core/shard/shard.h"

namespace coffer::shard {

namespace {

/// Leg messages a target keeps while its pipeline is full; more are dropped, their source sends again.
constexpr std::size_t leg_messages_max = 64;

ledger::TransferCommand command_of(const router::RequestHeader& header, const router::TransferItem& item) {
  ledger::TransferCommand command;
  command.operation = static_cast<ledger::Operation>(item.operation);
  command.id = item.id;
  command.tenant = header.tenant;
  command.principal = header.principal;
  command.debit_account = item.debit;
  command.credit_account = item.credit;
  command.amount = {item.amount, item.currency};
  return command;
}

/// What an answer logged means to the transfer, as traces name it.
TraceKind kind_of(txn::AnswerDecision::Kind decision) {
  using Kind = txn::AnswerDecision::Kind;
  switch (decision) {
    case Kind::ignored:
      break;
    case Kind::done:
      return TraceKind::saga_done;
    case Kind::compensated:
      return TraceKind::saga_compensated;
    case Kind::confirming:
      return TraceKind::confirm_started;
    case Kind::confirmed:
      return TraceKind::confirm_done;
    case Kind::cancelling:
      return TraceKind::cancel_started;
    case Kind::cancelled:
      return TraceKind::cancel_done;
    case Kind::committing:
      return TraceKind::commit_started;
    case Kind::committed:
      return TraceKind::commit_done;
    case Kind::aborting:
      return TraceKind::abort_started;
    case Kind::aborted:
      return TraceKind::abort_done;
    case Kind::split_answered:
      return TraceKind::split_answered;
    case Kind::split_confirming:
      return TraceKind::split_confirming;
    case Kind::split_cancelling:
      return TraceKind::split_cancelling;
    case Kind::split_ended:
      return TraceKind::split_ended;
    case Kind::split_confirmed:
      return TraceKind::split_confirmed;
    case Kind::split_cancelled:
      return TraceKind::split_cancelled;
  }
  check_failed("an answer logged decides something");
}

TraceKind kind_of_start(ledger::Protocol protocol) {
  switch (protocol) {
    case ledger::Protocol::saga:
      return TraceKind::saga_started;
    case ledger::Protocol::tcc:
      return TraceKind::try_started;
    case ledger::Protocol::two_phase_commit:
      return TraceKind::prepare_started;
  }
  check_failed("a protocol has a name for its start");
}

}  // namespace

void Shard::request(Now now, Caller caller, Bytes body, Output& out) {
  auto decoded = router::decode_request(body);
  if (decoded.has_error()) {
    refuse(caller, router::RequestKind::transfers, Outcome::malformed, out);
    return;
  }
  const router::RequestHeader header = decoded->header;
  const auto* balance = std::get_if<router::BalanceRequest>(&decoded->body);
  const bool eventual = balance != nullptr && balance->consistency == router::Consistency::eventual;
  if (eventual && !leads()) {
    // The state is the fold of a committed prefix. It may lag, so it never says that something does not exist.
    router::Reply reply = read(*decoded);
    reply.leader = raft_.leader();
    if (reply.status == Outcome::success) {
      out.answers.push_back({caller, std::move(reply)});
    } else {
      refuse(caller, header.kind, Outcome::not_leader, out);
    }
    return;
  }
  if (serving_ &&
      (header.kind == router::RequestKind::reconfigure || header.kind == router::RequestKind::transfer_leadership)) {
    out.answers.push_back({caller, change_membership(now, *decoded, out)});
    return;
  }
  if (!leads()) {
    refuse(caller, header.kind, raft_.leader() == nobody ? Outcome::no_leader : Outcome::not_leader, out);
  } else if (queue_.size() + seeking_.size() + waiting_.size() >= config_.requests_max ||
             queue_bytes_ + body.size() > config_.queue_bytes_max) {
    refuse(caller, header.kind, Outcome::overloaded, out);
  } else {
    const Instant deadline = now.monotonic + milliseconds(header.patience_ms);
    queue_bytes_ += body.size();
    queue_expires_ = std::min(queue_expires_, deadline);
    queue_.push_back({caller, std::move(body), std::move(*decoded), deadline});
  }
}

void Shard::receive_legs(NodeId from, Bytes message) {
  if (!leads() || legs_in_.size() >= leg_messages_max) {
    return;
  }
  ByteReader in(message);
  LegsMessage legs = decode_legs(in);
  const std::vector<ShardId>& shards = map_.shards();
  const bool from_another =
      legs.source != config_.shard && std::binary_search(shards.begin(), shards.end(), legs.source);
  if (in.done() && legs.target == config_.shard && from_another) {
    legs_in_.push_back({from, std::move(message), std::move(legs)});
  }
}

void Shard::receive_leg_answers(const LegAnswersMessage& message, Output& out) {
  if (!serving_ || message.source != config_.shard) {
    return;
  }
  for (const txn::LegAnswer& answer : message.answers) {
    const bool is_open =
        answer.number >= state_->first_unanswered(message.target) && answer.number < state_->next_leg(message.target);
    if (is_open && answers_in_.emplace(std::pair(message.target, answer.number), answer).second) {
      TraceEvent event;
      event.kind = TraceKind::leg_answer;
      event.shard = config_.shard;
      event.term = raft_.term();
      event.transfer = answer.id;
      event.a = message.target.value;
      event.b = answer.number.value;
      event.c = static_cast<std::uint64_t>(answer.outcome);
      out.trace.push_back(event);
    }
  }
}

/// The pipeline has room, and nobody else is about to lead.
bool Shard::has_room() const { return suffix_.size() < config_.entries_in_flight_max && !raft_.transferring(); }

/// On a full disk nothing new is promised: what asks for an entry was certainly not executed. Reads go on.
void Shard::refuse_writes(Output& out) {
  for (Queued& queued : std::exchange(queue_, {})) {
    const router::RequestKind kind = queued.request.header.kind;
    if (router::is_ledger_write(kind)) {
      queue_bytes_ -= queued.body.size();
      refuse(queued.caller, kind, Outcome::overloaded, out);
    } else {
      queue_.push_back(std::move(queued));
    }
  }
}

/// Cluster time, but later than the entry before and than every stamp a leg or its answer carries: order never waits
/// for clocks, and while no majority's clocks agree stamps only count on.
Stamp Shard::next_stamp(std::optional<WallTime> time) const {
  std::int64_t stamp = state_->last_stamp().nanos + 1;
  if (time) {
    stamp = std::max(stamp, time->nanos);
  }
  for (const QueuedLegs& queued : legs_in_) {
    for (const txn::LegRequest& leg : queued.message.legs) {
      stamp = std::max(stamp, leg.source_stamp.nanos + 1);
    }
  }
  for (const auto& [leg, answer] : answers_in_) {
    stamp = std::max(stamp, answer.stamp.nanos + 1);
  }
  return Stamp{stamp};
}

void Shard::close_batch(Now now, Output& out) {
  if (!serving_) {
    return;
  }
  if (stream_.full()) {
    refuse_writes(out);
  }
  const bool may_write = !stream_.full();
  const bool has_own = !state_->is_founded() || has_expiry_due(now);  // work that nobody has asked for
  const bool has_work = wants_step() || (has_own && has_room() && may_write);
  if (has_work) {
    decide_batch(now, out);
  }
  expiry_at_ = expiry_after(now);
  send_legs(now, out);
}

txn::IdRules Shard::id_rules(Now now) const {
  txn::IdRules rules{config_.id_window, config_.id_grace, std::nullopt, config_.numbered_ids, config_.rows_in_memory};
  if (config_.id_window <= Duration{}) {
    return rules;
  }
  if (const std::optional<WallInterval> agreed = clock_.agreed(raft_.configuration().voters, now)) {
    rules.now = {agreed->earliest, agreed->latest};
  }
  return rules;
}

void Shard::decide_batch(Now now, Output& out) {
  const ledger::IdWindow window = state_->id_window();
  const std::uint64_t left = state_->rows_left();
  const bool had_attic = state_->has_attic();
  Deciding batch(*state_, next_stamp(cluster_time(now)), config_.protocol, id_rules(now));
  if (!stream_.full()) {
    if (!state_->is_founded()) {
      batch.batch.found(config_.shard, config_.founding);
      trace(out, TraceKind::founded, {}, raft_.term());
    }
    batch.batch.move_window();
    batch.batch.let_rows_leave();
    expire_holds(batch, out);
    decide_answers(batch, out);
    decide_legs(batch, out);
  }
  while (!queue_.empty() && batch.batch.bytes() < config_.entry_bytes_max) {
    Queued queued = std::move(queue_.front());
    queue_.pop_front();
    if (has_to_wait(queued, out)) {
      continue;
    }
    queue_bytes_ -= queued.body.size();
    decide_request(batch, queued, out);
  }
  const std::uint64_t left_now = state_->rows_left();
  const bool opened = !had_attic && state_->has_attic();
  const ledger::IdWindow moved = state_->id_window();
  end_batch(batch, now, out);
  if (left != left_now || opened) {
    trace_attic(out, TraceKind::rows_left, left_now, left_now - left, opened ? 1 : 0);
  }
  if (window != moved) {
    TraceEvent event;
    event.kind = TraceKind::window_moved;
    event.shard = config_.shard;
    event.term = raft_.term();
    event.a = moved.passed_ms;
    event.b = moved.first - window.first;
    out.trace.push_back(event);
  }
}

/// Logs the answers that are next in line; each ends its transfer, or begins the next leg of it.
void Shard::decide_answers(Deciding& batch, Output& out) {
  for (auto at = answers_in_.begin(); at != answers_in_.end() && batch.batch.bytes() < config_.entry_bytes_max;) {
    const auto& [leg, answer] = *at;
    const auto& [target, number] = leg;
    if (number > state_->first_unanswered(target)) {
      ++at;  // an earlier answer is missing: it will come
      continue;
    }
    const txn::AnswerDecision decision = batch.batch.answer_leg(target, answer);
    if (decision.kind != txn::AnswerDecision::Kind::ignored) {
      batch.answers.push_back({target, answer, decision});
      batch.answered[target] = number;
      if (decision.further != LegNumber()) {
        batch.started[target] = decision.further;
      }
      if (decision.is_of_split()) {
        note_legs(batch, state_->split(decision.row));
      }
      TraceEvent event;
      event.kind = kind_of(decision.kind);
      event.shard = config_.shard;
      event.term = raft_.term();
      event.transfer = answer.id;
      event.a = target.value;
      event.b = number.value;
      event.c = static_cast<std::uint64_t>(answer.outcome);
      out.trace.push_back(event);
    }
    at = answers_in_.erase(at);
  }
}

void Shard::decide_legs(Deciding& batch, Output& out) {
  while (!legs_in_.empty() && batch.batch.bytes() < config_.entry_bytes_max) {
    const QueuedLegs queued = std::move(legs_in_.front());
    legs_in_.pop_front();
    for (const txn::LegRequest& leg : queued.message.legs) {
      const ShardId source = queued.message.source;
      const txn::LegDecision decision = batch.batch.receive_leg(source, leg, queued.message.freed_through);
      const bool decided = decision.kind == txn::LegDecision::Kind::decided;
      if (!decided && decision.kind != txn::LegDecision::Kind::repeated) {
        continue;
      }
      batch.legs_to_tell.push_back({queued.from, source, decision.answer});
      TraceEvent event;
      event.kind = decided ? TraceKind::leg_received : TraceKind::leg_repeated;
      event.shard = config_.shard;
      event.term = raft_.term();
      event.transfer = leg.id;
      event.a = source.value;
      event.b = leg.number.value;
      event.c = static_cast<std::uint64_t>(decision.answer.outcome);
      out.trace.push_back(event);
    }
  }
}

void Shard::decide_request(Deciding& batch, const Queued& queued, Output& out) {
  Deciding::Request& request = batch.requests.emplace_back();
  request.ticket = waiting_.next_ticket();
  request.caller = queued.caller;
  request.deadline = queued.deadline;
  for (const txn::LeftRow& row : queued.recalled) {
    state_->recall(row);
  }
  decide_kind(batch, queued.request, out);
  state_->forget_recalled();
  Deciding::Request& decided = batch.requests.back();
  decided.reply.kind = queued.request.header.kind;
  decided.reply.shard = config_.shard;
  trace_recalled(batch, queued, out);
}

void Shard::decide_kind(Deciding& batch, const router::Request& asked, Output& out) {
  Deciding::Request& request = batch.requests.back();
  switch (asked.header.kind) {
    case router::RequestKind::transfers:
      decide_transfers(batch, asked, out);
      break;
    case router::RequestKind::open_account:
      decide_opening(batch, asked);
      break;
    case router::RequestKind::change_account:
      decide_change(batch, asked);
      break;
    case router::RequestKind::place_hold:
      decide_place(batch, asked, out);
      break;
    case router::RequestKind::capture_hold:
      decide_capture(batch, asked, out);
      break;
    case router::RequestKind::void_hold:
      decide_void(batch, asked, out);
      break;
    case router::RequestKind::split:
      decide_split(batch, asked, out);
      break;
    case router::RequestKind::balance: {
      const auto consistency = std::get<router::BalanceRequest>(asked.body).consistency;
      request.reply = read(asked);
      request.needs.round = consistency == router::Consistency::linearizable;
      break;
    }
    case router::RequestKind::transfer_status:
    case router::RequestKind::trial_balance:
    case router::RequestKind::account:
    case router::RequestKind::hold:
      request.reply = read(asked);
      request.needs.round = true;
      break;
    case router::RequestKind::node_status:
      request.reply.status = Outcome::malformed;  // asked of nodes, not of shards
      break;
    case router::RequestKind::reconfigure:
    case router::RequestKind::transfer_leadership:
      request.reply.status = Outcome::malformed;  // no business of the ledger's, and not served yet
      break;
  }
}

void Shard::decide_transfers(Deciding& batch, const router::Request& request, Output& out) {
  const auto& items = std::get<router::TransfersRequest>(request.body).items;
  router::ReplyBody& body = batch.requests.back().reply.body;
  body = router::TransfersReply{std::vector<router::TransferResult>(items.size())};
  std::vector<router::TransferResult>& results = std::get<router::TransfersReply>(body).results;
  std::array<ledger::TransferCommand, txn::Batch::warm_max> ahead;
  for (std::uint32_t first = 0; first < items.size(); first += ahead.size()) {
    const std::uint32_t count = std::min<std::uint32_t>(ahead.size(), static_cast<std::uint32_t>(items.size()) - first);
    for (std::uint32_t i = 0; i < count; ++i) {
      ahead[i] = command_of(request.header, items[first + i]);
      ahead[i].credit_shard = ahead[i].operation == ledger::Operation::transfer
                                  ? map_.shard_of(ahead[i].tenant, ahead[i].credit_account)
                                  : config_.shard;
    }
    batch.batch.warm({ahead.data(), count});
    for (std::uint32_t i = 0; i < count; ++i) {
      note_decision(batch, first + i, results[first + i], ahead[i].id, batch.batch.transfer(ahead[i]), out);
    }
  }
}

/// `result` is the item of the latest request's reply that the decision is about.
void Shard::note_decision(Deciding& batch, std::uint32_t item, router::TransferResult& result, const TransferId& id,
                          const txn::Decision& decision, Output& out) {
  Deciding::Request& request = batch.requests.back();
  const txn::TransferRecord& record = decision.record;
  result = {decision.outcome, decision.replayed, config_.shard,          record.position,
            record.stamp,     record.target,     record.target_position, record.target_stamp};
  if (decision.outcome == Outcome::id_gap) {
    result.position = Position(decision.expected);
  }
  const bool has_record = decision.outcome == Outcome::pending || is_logged(decision.outcome);
  request.needs.round = request.needs.round || decision.replayed || !has_record;
  if (decision.outcome == Outcome::pending) {
    request.needs.legs.push_back({item, record.target, record.leg, config_.early_success && !decision.replayed});
    if (!decision.replayed) {
      batch.started[record.target] = record.leg;
    }
  }
  const bool is_conflict = decision.outcome == Outcome::idempotency_payload_mismatch;
  const bool is_fresh_success = decision.outcome == Outcome::success && !decision.replayed;
  if (is_fresh_success || (!has_record && !is_conflict)) {
    return;  // neither the hot path nor what the log knows nothing of leaves a trace
  }
  TraceEvent event;
  event.shard = config_.shard;
  event.term = raft_.term();
  event.transfer = id;
  event.a = static_cast<std::uint64_t>(decision.outcome);
  event.kind = TraceKind::refused;
  if (decision.replayed) {
    event.kind = TraceKind::dedup_hit;
    event.c = record.position <= led_from_ ? 1 : 0;
  } else if (decision.outcome == Outcome::pending) {
    event.kind = kind_of_start(record.protocol);
    event.a = record.target.value;
    event.b = record.leg.value;
  } else if (is_conflict) {
    event.kind = TraceKind::dedup_conflict;
  }
  out.trace.push_back(event);
}

void Shard::decide_opening(Deciding& batch, const router::Request& request) {
  const auto& asked = std::get<router::OpenAccountRequest>(request.body);
  Deciding::Request& opening = batch.requests.back();
  bool already = false;
  opening.reply.status = batch.batch.open_account(
      {request.header.tenant, request.header.principal, asked.account, asked.currency}, already);
  opening.needs.round = already || opening.reply.status != Outcome::success;
  if (opening.reply.status == Outcome::success) {
    opening.reply.body = router::OpenAccountReply{already, state_->last_position()};
  }
}

void Shard::decide_change(Deciding& batch, const router::Request& request) {
  const auto& asked = std::get<router::ChangeAccountRequest>(request.body);
  Deciding::Request& change = batch.requests.back();
  const txn::ChangeDecision decision =
      batch.batch.change_account({static_cast<ledger::Operation>(asked.change), asked.id, request.header.tenant,
                                  request.header.principal, asked.account});
  change.reply.status = decision.outcome;
  change.needs.round = decision.already || decision.outcome != Outcome::success;
  if (decision.outcome == Outcome::success) {
    change.reply.body = router::ChangeAccountReply{decision.already, decision.position};
  }
}

/// Proposes the entry, if anything was decided, and admits the answers to the waiting room.
void Shard::end_batch(Deciding& batch, Now now, Output& out) {
  raft::Output raft;
  if (batch.batch.events() > 0) {
    const auto payload = std::make_shared<const Bytes>(batch.batch.finish());
    const auto index = raft_.propose(now.monotonic, payload, raft);
    check(index.has_value() && *index == applied_.next(), "a serving leader appends right after what it has folded");
    applied_ = *index;
    files_.folded({*index, raft_.term()}, payload->size(), *state_, file_out_);
    suffix_.push_back(
        {*index, raft_.term(), payload, state_->last_position(), std::move(batch.started), std::move(batch.answered)});
    trace(out, TraceKind::applied, *index, raft_.term());
  }
  for (const Deciding::Logged& logged : batch.answers) {
    if (logged.decision.is_of_split()) {
      if (logged.decision.tells_split()) {
        waiting_.split_told(state_->split(logged.decision.row), applied_);
      }
      continue;
    }
    if (logged.decision.continues()) {
      waiting_.leg_continued(logged.target, logged.answer.number, logged.decision.further);
    } else {
      waiting_.leg_answered(logged.target, logged.answer, applied_);
    }
  }
  for (LegToTell& leg : batch.legs_to_tell) {
    legs_to_tell_.emplace(applied_, std::move(leg));
  }
  for (Deciding::Request& request : batch.requests) {
    request.needs.depends_on = applied_;
    const bool round = request.needs.round;
    waiting_.admit(request.ticket, request.caller, std::move(request.reply), std::move(request.needs),
                   request.deadline);
    if (round) {
      check(raft_.read(now.monotonic, request.ticket, raft), "a serving leader starts quorum rounds");
    }
  }
  follow(now, raft, out);
}

void Shard::send_legs(Now now, Output& out) {
  if (!serving_) {
    return;
  }
  for (auto messages = sender_.due(now.monotonic, *state_); !messages.empty();
       messages = sender_.due(now.monotonic, *state_)) {
    for (const LegsMessage& message : messages) {
      TraceEvent event;
      event.kind = TraceKind::leg_sent;
      event.shard = config_.shard;
      event.term = raft_.term();
      event.transfer = message.legs.front().id;
      event.a = message.target.value;
      event.b = message.legs.front().number.value;
      event.c = message.legs.size();
      out.trace.push_back(event);
      Bytes bytes;
      ByteWriter writer(bytes);
      encode(message, writer);
      out.legs.push_back({message.target, std::move(bytes)});
    }
  }
}

}  // namespace coffer::shard
