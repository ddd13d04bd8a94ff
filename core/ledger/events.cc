#include "core/ledger/events.h"

#include "core/base/uuid_number.h"
#include "core/ledger/event_fields.h"

namespace coffer::ledger {

namespace {

constexpr std::uint8_t entry_version = 1;

Decided read_decided(ByteReader& in) {
  const Decided decided = read_any_decided(in);
  const bool moves_money = decided.outcome == Outcome::success || decided.outcome == Outcome::pending;
  const bool resolved = decided.debit != no_pocket && decided.credit != no_pocket && decided.debit != decided.credit;
  require(decided.operation >= Operation::transfer && decided.operation <= Operation::withdrawal, in);
  require(!moves_money || resolved, in);
  return decided;
}

ShardFounded read_shard_founded(ByteReader& in) {
  ShardFounded event;
  event.shard = in.id<ShardId>();
  require(event.shard.value != 0, in);
  const std::uint16_t count = in.u16();
  std::uint32_t free_from = 0;
  for (std::uint16_t i = 0; i < count && in.ok(); ++i) {
    SlotRange range;
    range.first = in.id<Slot>();
    range.end = in.u32();
    require(range.first.value >= free_from && range.first.value < range.end && range.end <= slot_count, in);
    free_from = range.end;
    event.ranges.push_back(range);
  }
  return event;
}

AccountOpened read_account_opened(ByteReader& in) {
  AccountOpened event;
  const std::uint8_t kind = in.u8();
  event.kind = static_cast<PocketKind>(kind);
  event.tenant = in.id<TenantId>();
  event.account = in.id<AccountNumber>();
  event.pocket = in.id<PocketNumber>();
  event.currency = Currency{in.u32()};
  event.peer = in.id<ShardId>();
  event.principal = in.id<PrincipalId>();
  event.name = in.short_string();
  require(kind >= 1 && kind <= 3 && event.pocket != no_pocket && is_known(event.currency), in);
  require((event.kind == PocketKind::transit) == (event.peer.value != 0), in);
  if (event.kind == PocketKind::customer) {
    require(event.account != no_account && is_account_name(event.name) && !is_reserved(event.name), in);
  } else {
    require(event.account == no_account && event.tenant == default_tenant && event.name.empty(), in);
  }
  return event;
}

TransferDecided read_transfer_decided(ByteReader& in) {
  const TransferDecided event{read_decided(in)};
  require(is_logged(event.decided.outcome), in);
  return event;
}

/// leg_started, try_started or prepare_started.
template <class Started>
Started read_started(ByteReader& in) {
  Started event;
  event.decided = read_decided(in);
  event.target = in.id<ShardId>();
  event.leg = in.id<LegNumber>();
  event.credit_account = read_account_name(in);
  require(event.decided.outcome == Outcome::pending && event.decided.operation == Operation::transfer, in);
  require(event.target.value != 0 && event.leg.value != 0, in);
  return event;
}

/// leg_received, try_received or prepare_received.
template <class Received>
Received read_received(ByteReader& in) {
  Received event;
  event.outcome = read_logged_outcome(in);
  event.tenant = in.id<TenantId>();
  event.source = in.id<ShardId>();
  event.leg = in.id<LegNumber>();
  event.id = in.uuid();
  event.source_position = in.id<Position>();
  event.source_stamp = Stamp{in.i64()};
  event.amount = read_amount(in);
  event.transit = in.id<PocketNumber>();
  event.credit = in.id<PocketNumber>();
  event.freed_before = in.id<LegNumber>();
  event.freed_after = in.id<LegNumber>();
  event.credit_account = read_account_name(in);
  const bool credited = event.outcome == Outcome::success;
  require(credited == (event.transit != no_pocket) && credited == (event.credit != no_pocket), in);
  require(event.source.value != 0 && event.leg.value != 0, in);
  require(event.freed_before <= event.freed_after && event.freed_after < event.leg, in);
  return event;
}

LegAnswered read_leg_answered(ByteReader& in) {
  LegAnswered event;
  event.outcome = read_logged_outcome(in);
  read_answer(event, in);
  return event;
}

SecondStarted read_second_started(ByteReader& in, Protocol protocol) {
  SecondStarted event;
  event.protocol = protocol;
  event.outcome = read_logged_outcome(in);
  event.target = in.id<ShardId>();
  event.leg = in.id<LegNumber>();
  event.second = in.id<LegNumber>();
  event.id = in.uuid();
  event.debit = in.id<PocketNumber>();
  event.transit = in.id<PocketNumber>();
  event.amount = read_amount(in);
  event.target_position = in.id<Position>();
  event.target_stamp = Stamp{in.i64()};
  require_sent(event, in);
  require(event.second > event.leg, in);
  return event;
}

SecondReceived read_second_received(ByteReader& in) {
  SecondReceived event;
  event.phase = read_phase(in);
  event.source = in.id<ShardId>();
  event.leg = in.id<LegNumber>();
  event.tried = in.id<LegNumber>();
  event.id = in.uuid();
  event.source_position = in.id<Position>();
  event.source_stamp = Stamp{in.i64()};
  event.amount = read_amount(in);
  event.transit = in.id<PocketNumber>();
  event.credit = in.id<PocketNumber>();
  event.freed_before = in.id<LegNumber>();
  event.freed_after = in.id<LegNumber>();
  const bool resolved = event.transit != no_pocket && event.credit != no_pocket && event.transit != event.credit;
  const bool refused = event.transit == no_pocket && event.credit == no_pocket;
  require(resolved || (refused && !accepts(event.phase)), in);
  require(event.source.value != 0 && event.tried.value != 0 && event.tried < event.leg, in);
  require(event.freed_before <= event.freed_after && event.freed_after < event.leg, in);
  return event;
}

SecondEnded read_second_ended(ByteReader& in) {
  SecondEnded event;
  event.phase = read_phase(in);
  read_answer(event, in);
  return event;
}

AccountChanged read_account_changed(ByteReader& in) {
  AccountChanged event;
  const std::uint8_t change = in.u8();
  const std::uint8_t before = in.u8();
  event.change = static_cast<Operation>(change);
  event.before = static_cast<AccountState>(before);
  event.principal = in.id<PrincipalId>();
  event.account = in.id<AccountNumber>();
  event.id = in.uuid();
  require(event.change >= Operation::freeze && event.change <= Operation::close, in);
  require(before >= 1 && before <= 3 && event.account != no_account, in);
  require(event.before != AccountState::closed || event.change == Operation::close, in);
  return event;
}

HoldPlaced read_hold_placed(ByteReader& in) {
  HoldPlaced event;
  event.decided = read_any_decided(in);
  event.expires = Stamp{in.i64()};
  const Decided& decided = event.decided;
  const bool holds = decided.outcome == Outcome::success;
  require(decided.operation == Operation::hold && is_logged(decided.outcome), in);
  require(decided.credit == no_pocket && (!holds || decided.debit != no_pocket), in);
  require(holds ? event.expires > Stamp() : event.expires == Stamp(), in);
  return event;
}

HoldEnded read_hold_ended(ByteReader& in) {
  HoldEnded event;
  const std::uint8_t how = in.u8();
  event.how = static_cast<HoldEnd>(how);
  event.hold = in.u32();
  event.id = in.uuid();
  event.pocket = in.id<PocketNumber>();
  event.amount = read_amount(in);
  require(how >= 1 && how <= static_cast<std::uint8_t>(last_hold_end) && event.pocket != no_pocket, in);
  return event;
}

WindowMoved read_window_moved(ByteReader& in) {
  WindowMoved event;
  event.before.passed_ms = in.u64();
  event.after.passed_ms = in.u64();
  event.before.first = in.u64();
  event.after.first = in.u64();
  require(event.before.passed_ms <= event.after.passed_ms && event.before.first <= event.after.first, in);
  require(event.before != event.after, in);
  require(event.after.passed_ms > 0 && event.after.passed_ms <= id_time_ms_max, in);
  return event;
}

SourceOpened read_source_opened(ByteReader& in) {
  SourceOpened event;
  event.home = in.id<AccountNumber>();
  event.source = in.u64();
  require(event.home != no_account && event.source <= id_source_max, in);
  return event;
}

RowsLeft read_rows_left(ByteReader& in) {
  RowsLeft event;
  const std::uint8_t opens = in.u8();
  event.before = in.u64();
  event.after = in.u64();
  event.opens = opens == 1;
  require(opens <= 1 && (event.opens ? event.before == 0 && event.after == 0 : event.before < event.after), in);
  return event;
}

template <class Started>
void write_started(EventKind kind, const Started& event, ByteWriter& out) {
  Fields<1 + decided_size + 4 + 8> fields;
  fields.put(kind);
  put(fields, event.decided);
  fields.put(event.target).put(event.leg).write(out);
  out.short_string(event.credit_account);
}

template <class Received>
void write_received(EventKind kind, const Received& event, ByteWriter& out) {
  Fields<2 + 4 + 4 + 8 + 16 + 8 + 8 + 4 + 8 + 4 + 4 + 8 + 8> fields;
  fields.put(kind).put(event.outcome).put(event.tenant).put(event.source).put(event.leg);
  fields.put(event.id).put(event.source_position).put(event.source_stamp).put(event.amount).put(event.transit);
  fields.put(event.credit).put(event.freed_before).put(event.freed_after).write(out);
  out.short_string(event.credit_account);
}

}  // namespace

void encode(const EntryHeader& header, ByteWriter& out) {
  out.u8(entry_version);
  out.u8(0);
  out.u16(0);
  out.u32(header.count);
  out.id(header.first_position);
  out.i64(header.stamp.nanos);
}

void encode(const Event& event, ByteWriter& out) {
  std::visit([&out](const auto& what) { encode(what, out); }, event);
}

void encode(const ShardFounded& event, ByteWriter& out) {
  check(event.ranges.size() <= slot_count, "ranges of slots are disjoint");
  out.u8(static_cast<std::uint8_t>(EventKind::shard_founded));
  out.id(event.shard);
  out.u16(static_cast<std::uint16_t>(event.ranges.size()));
  for (const SlotRange& range : event.ranges) {
    out.id(range.first);
    out.u32(range.end);
  }
}

void encode(const AccountOpened& event, ByteWriter& out) {
  Fields<2 + 6 * 4> fields;
  fields.put(EventKind::account_opened).put(event.kind).put(event.tenant).put(event.account).put(event.pocket);
  fields.put(event.currency).put(event.peer).put(event.principal).write(out);
  out.short_string(event.name);
}

void encode(const TransferDecided& event, ByteWriter& out) {
  Fields<1 + decided_size> fields;
  fields.put(EventKind::transfer_decided);
  put(fields, event.decided);
  fields.write(out);
}

void encode(const LegStarted& event, ByteWriter& out) { write_started(EventKind::leg_started, event, out); }

void encode(const LegReceived& event, ByteWriter& out) { write_received(EventKind::leg_received, event, out); }

void encode(const TryStarted& event, ByteWriter& out) { write_started(EventKind::try_started, event, out); }

void encode(const TryReceived& event, ByteWriter& out) { write_received(EventKind::try_received, event, out); }

void encode(const PrepareStarted& event, ByteWriter& out) { write_started(EventKind::prepare_started, event, out); }

void encode(const PrepareReceived& event, ByteWriter& out) { write_received(EventKind::prepare_received, event, out); }

void encode(const LegAnswered& event, ByteWriter& out) {
  Fields<2 + 4 + 8 + 16 + 4 + 4 + 4 + 8 + 8 + 8> fields;
  fields.put(EventKind::leg_answered).put(event.outcome).put(event.target).put(event.leg).put(event.id);
  fields.put(event.debit).put(event.transit).put(event.amount).put(event.target_position).put(event.target_stamp);
  fields.write(out);
}

void encode(const SecondStarted& event, ByteWriter& out) {
  Fields<2 + 4 + 8 + 8 + 16 + 4 + 4 + 4 + 8 + 8 + 8> fields;
  const bool is_tcc = event.protocol == Protocol::tcc;
  fields.put(is_tcc ? EventKind::second_started : EventKind::commit_decided)
      .put(event.outcome)
      .put(event.target)
      .put(event.leg)
      .put(event.second);
  fields.put(event.id).put(event.debit).put(event.transit).put(event.amount).put(event.target_position);
  fields.put(event.target_stamp).write(out);
}

void encode(const SecondReceived& event, ByteWriter& out) {
  Fields<2 + 4 + 8 + 8 + 16 + 8 + 8 + 4 + 8 + 4 + 4 + 8 + 8> fields;
  fields.put(EventKind::second_received).put(event.phase).put(event.source).put(event.leg).put(event.tried);
  fields.put(event.id).put(event.source_position).put(event.source_stamp).put(event.amount).put(event.transit);
  fields.put(event.credit).put(event.freed_before).put(event.freed_after).write(out);
}

void encode(const SecondEnded& event, ByteWriter& out) {
  Fields<2 + 4 + 8 + 16 + 4 + 4 + 4 + 8 + 8 + 8> fields;
  fields.put(EventKind::second_ended).put(event.phase).put(event.target).put(event.leg).put(event.id);
  fields.put(event.debit).put(event.transit).put(event.amount).put(event.target_position).put(event.target_stamp);
  fields.write(out);
}

void encode(const AccountChanged& event, ByteWriter& out) {
  Fields<3 + 4 + 4 + 16> fields;
  fields.put(EventKind::account_changed).put(event.change).put(event.before).put(event.principal).put(event.account);
  fields.put(event.id).write(out);
}

void encode(const HoldPlaced& event, ByteWriter& out) {
  Fields<1 + decided_size + 8> fields;
  fields.put(EventKind::hold_placed);
  put(fields, event.decided);
  fields.put(event.expires).write(out);
}

void encode(const HoldEnded& event, ByteWriter& out) {
  Fields<2 + 4 + 16 + 4 + 4 + 8> fields;
  fields.put(EventKind::hold_ended).put(event.how).put(event.hold).put(event.id).put(event.pocket).put(event.amount);
  fields.write(out);
}

void encode(const WindowMoved& event, ByteWriter& out) {
  Fields<1 + 4 * 8> fields;
  fields.put(EventKind::window_moved).put(event.before.passed_ms).put(event.after.passed_ms);
  fields.put(event.before.first).put(event.after.first).write(out);
}

void encode(const SourceOpened& event, ByteWriter& out) {
  Fields<1 + 4 + 8> fields;
  fields.put(EventKind::source_opened).put(event.home).put(event.source).write(out);
}

void encode(const RowsLeft& event, ByteWriter& out) {
  Fields<1 + 1 + 2 * 8> fields;
  fields.put(EventKind::rows_left).put(event.opens ? std::uint8_t{1} : std::uint8_t{0});
  fields.put(event.before).put(event.after).write(out);
}

EntryHeader decode_header(ByteReader& in) {
  require(in.u8() == entry_version, in);
  require(in.u8() == 0, in);
  require(in.u16() == 0, in);
  EntryHeader header;
  header.count = in.u32();
  header.first_position = in.id<Position>();
  header.stamp = Stamp{in.i64()};
  require(header.count > 0 && header.first_position.value > 0 && header.stamp.nanos > 0, in);
  return header;
}

Event decode_event(ByteReader& in) {
  const std::uint8_t kind = in.u8();
  if (in.ok()) {
    switch (static_cast<EventKind>(kind)) {
      case EventKind::shard_founded:
        return read_shard_founded(in);
      case EventKind::account_opened:
        return read_account_opened(in);
      case EventKind::transfer_decided:
        return read_transfer_decided(in);
      case EventKind::leg_started:
        return read_started<LegStarted>(in);
      case EventKind::leg_received:
        return read_received<LegReceived>(in);
      case EventKind::leg_answered:
        return read_leg_answered(in);
      case EventKind::try_started:
        return read_started<TryStarted>(in);
      case EventKind::try_received:
        return read_received<TryReceived>(in);
      case EventKind::second_started:
        return read_second_started(in, Protocol::tcc);
      case EventKind::second_received:
        return read_second_received(in);
      case EventKind::second_ended:
        return read_second_ended(in);
      case EventKind::prepare_started:
        return read_started<PrepareStarted>(in);
      case EventKind::prepare_received:
        return read_received<PrepareReceived>(in);
      case EventKind::commit_decided:
        return read_second_started(in, Protocol::two_phase_commit);
      case EventKind::account_changed:
        return read_account_changed(in);
      case EventKind::hold_placed:
        return read_hold_placed(in);
      case EventKind::hold_ended:
        return read_hold_ended(in);
      case EventKind::window_moved:
        return read_window_moved(in);
      case EventKind::source_opened:
        return read_source_opened(in);
      case EventKind::rows_left:
        return read_rows_left(in);
      case EventKind::split_started:
        return read_split_started(in);
      case EventKind::split_answered:
        return read_split_answered(in);
      case EventKind::split_decided:
        return read_split_decided(in);
      case EventKind::split_ended:
        return read_split_ended(in);
    }
  }
  in.fail();
  return TransferDecided{};
}

}  // namespace coffer::ledger
