#include "core/shard/leg_messages.h"

#include <algorithm>

#include "core/ledger/commands.h"
#include "core/raft/messages.h"

namespace coffer::shard {

namespace {

/// Reads a stamp or number that an honest peer keeps within `max`; fails the reader otherwise.
std::int64_t bounded(ByteReader& in, std::int64_t max) {
  const std::int64_t value = in.i64();
  if (value < 0 || value > max) {
    in.fail();
  }
  return value;
}

std::uint64_t bounded_number(ByteReader& in) {
  return static_cast<std::uint64_t>(bounded(in, static_cast<std::int64_t>(raft::number_max)));
}

std::uint32_t read_count(ByteReader& in) {
  const std::uint32_t count = in.u32();
  if (count > legs_per_message_max) {
    in.fail();
  }
  return in.ok() ? count : 0;
}

bool are_credits(const std::vector<txn::LegRequest>& legs) {
  return std::all_of(legs.begin(), legs.end(),
                     [](const txn::LegRequest& leg) { return leg.step == ledger::LegStep::credit; });
}

/// The steps behind the legs; none where all are credits.
void decode_steps(ByteReader& in, std::vector<txn::LegRequest>& legs) {
  if (in.remaining() == 0) {
    return;
  }
  for (txn::LegRequest& leg : legs) {
    const std::uint8_t step = in.u8();
    leg.step = static_cast<ledger::LegStep>(step);
    leg.tried = LegNumber(bounded_number(in));
    const bool is_second = ledger::second_phase_of(leg.step) != ledger::SecondPhase::none;
    const bool is_known_step = step >= 1 && step <= static_cast<std::uint8_t>(ledger::last_leg_step);
    if (!is_known_step || is_second != (leg.tried.value != 0) || leg.tried >= leg.number) {
      in.fail();
    }
  }
  if (are_credits(legs)) {
    in.fail();  // that goes without saying
  }
}

bool is_leg_outcome(Outcome outcome) {
  switch (outcome) {
    case Outcome::success:
    case Outcome::credit_account_not_found:
    case Outcome::currency_mismatch:
    case Outcome::balance_overflow:
    case Outcome::account_frozen:
    case Outcome::account_closed:
    case Outcome::limit_exceeded:
    case Outcome::account_locked:
      return true;
    case Outcome::pending:
    case Outcome::insufficient_funds:
    case Outcome::account_not_found:
    case Outcome::same_account:
    case Outcome::idempotency_payload_mismatch:
    case Outcome::transfer_not_found:
    case Outcome::malformed:
    case Outcome::reserved_account:
    case Outcome::in_flight:
    case Outcome::not_leader:
    case Outcome::overloaded:
    case Outcome::no_leader:
    case Outcome::wrong_shard:
    case Outcome::draining:
    case Outcome::account_busy:
    case Outcome::change_under_way:
    case Outcome::account_not_empty:
    case Outcome::hold_not_found:
    case Outcome::hold_captured:
    case Outcome::hold_voided:
    case Outcome::hold_expired:
    case Outcome::hold_exceeded:
    case Outcome::id_in_future:
    case Outcome::id_gap:
    case Outcome::id_is_numbered:
    case Outcome::unknown:
    case Outcome::id_expired:
      return false;
  }
  return false;
}

}  // namespace

void encode(const LegsMessage& message, ByteWriter& out) {
  out.id(message.source);
  out.id(message.target);
  out.id(message.freed_through);
  out.u32(static_cast<std::uint32_t>(message.legs.size()));
  for (const txn::LegRequest& leg : message.legs) {
    out.id(leg.number);
    out.id(leg.tenant);
    out.uuid(leg.id);
    out.id(leg.source_position);
    out.i64(leg.source_stamp.nanos);
    out.u32(leg.amount.currency.packed);
    out.i64(leg.amount.minor);
    out.short_string(leg.credit_account);
  }
  if (are_credits(message.legs)) {
    return;
  }
  for (const txn::LegRequest& leg : message.legs) {
    out.u8(static_cast<std::uint8_t>(leg.step));
    out.id(leg.tried);
  }
}

void encode(const LegAnswersMessage& message, ByteWriter& out) {
  out.id(message.source);
  out.id(message.target);
  out.u32(static_cast<std::uint32_t>(message.answers.size()));
  for (const txn::LegAnswer& answer : message.answers) {
    out.id(answer.number);
    out.uuid(answer.id);
    out.u8(static_cast<std::uint8_t>(answer.outcome));
    out.id(answer.position);
    out.i64(answer.stamp.nanos);
  }
}

LegsMessage decode_legs(ByteReader& in) {
  LegsMessage message;
  message.source = in.id<ShardId>();
  message.target = in.id<ShardId>();
  message.freed_through = LegNumber(bounded_number(in));
  const std::uint32_t count = read_count(in);
  message.legs.reserve(count);
  LegNumber before = message.freed_through;
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    txn::LegRequest leg;
    leg.number = LegNumber(bounded_number(in));
    leg.tenant = in.id<TenantId>();
    leg.id = in.uuid();
    leg.source_position = Position(bounded_number(in));
    leg.source_stamp = Stamp{bounded(in, stamp_max)};
    leg.amount.currency = Currency{in.u32()};
    leg.amount.minor = in.i64();
    leg.credit_account = in.short_string();
    const bool has_money = is_known(leg.amount.currency) && leg.amount.minor > 0;
    if (leg.number <= before || !has_money || !ledger::is_account_name(leg.credit_account)) {
      in.fail();
    }
    before = leg.number;
    message.legs.push_back(leg);
  }
  decode_steps(in, message.legs);
  return message;
}

LegAnswersMessage decode_leg_answers(ByteReader& in) {
  LegAnswersMessage message;
  message.source = in.id<ShardId>();
  message.target = in.id<ShardId>();
  const std::uint32_t count = read_count(in);
  message.answers.reserve(count);
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    txn::LegAnswer answer;
    answer.number = LegNumber(bounded_number(in));
    answer.id = in.uuid();
    answer.outcome = static_cast<Outcome>(in.u8());
    answer.position = Position(bounded_number(in));
    answer.stamp = Stamp{bounded(in, stamp_max)};
    if (!is_leg_outcome(answer.outcome)) {
      in.fail();
    }
    message.answers.push_back(answer);
  }
  return message;
}

}  // namespace coffer::shard
