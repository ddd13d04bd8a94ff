#include "core/ledger/events.h"

namespace coffer::ledger {

namespace {

constexpr std::uint8_t entry_version = 1;

void write_kind(EventKind kind, ByteWriter& out) { out.u8(static_cast<std::uint8_t>(kind)); }

void write_amount(const Money& amount, ByteWriter& out) {
  out.u32(amount.currency.packed);
  out.i64(amount.minor);
}

void write_decided(const Decided& decided, ByteWriter& out) {
  out.u8(static_cast<std::uint8_t>(decided.operation));
  out.u8(static_cast<std::uint8_t>(decided.outcome));
  out.u8(0);
  out.id(decided.principal);
  out.id(decided.home);
  out.id(decided.debit);
  out.id(decided.credit);
  write_amount(decided.amount, out);
  out.uuid(decided.id);
  out.hash(decided.digest);
}

struct Writer {
  ByteWriter& out;

  void operator()(const ShardFounded& event) const {
    write_kind(EventKind::shard_founded, out);
    out.id(event.shard);
    check(event.ranges.size() <= slot_count, "ranges of slots are disjoint");
    out.u16(static_cast<std::uint16_t>(event.ranges.size()));
    for (const SlotRange& range : event.ranges) {
      out.id(range.first);
      out.u32(range.end);
    }
  }
  void operator()(const AccountOpened& event) const {
    write_kind(EventKind::account_opened, out);
    out.u8(static_cast<std::uint8_t>(event.kind));
    out.id(event.tenant);
    out.id(event.account);
    out.id(event.pocket);
    out.u32(event.currency.packed);
    out.id(event.peer);
    out.id(event.principal);
    out.short_string(event.name);
  }
  void operator()(const TransferDecided& event) const {
    write_kind(EventKind::transfer_decided, out);
    write_decided(event.decided, out);
  }
  void operator()(const LegStarted& event) const {
    write_kind(EventKind::leg_started, out);
    write_decided(event.decided, out);
    out.id(event.target);
    out.id(event.leg);
    out.short_string(event.credit_account);
  }
  void operator()(const LegReceived& event) const {
    write_kind(EventKind::leg_received, out);
    out.u8(static_cast<std::uint8_t>(event.outcome));
    out.id(event.tenant);
    out.id(event.source);
    out.id(event.leg);
    out.uuid(event.id);
    out.id(event.source_position);
    out.i64(event.source_stamp.nanos);
    write_amount(event.amount, out);
    out.id(event.transit);
    out.id(event.credit);
    out.id(event.freed_before);
    out.id(event.freed_after);
    out.short_string(event.credit_account);
  }
  void operator()(const LegAnswered& event) const {
    write_kind(EventKind::leg_answered, out);
    out.u8(static_cast<std::uint8_t>(event.outcome));
    out.id(event.target);
    out.id(event.leg);
    out.uuid(event.id);
    out.id(event.debit);
    out.id(event.transit);
    write_amount(event.amount, out);
    out.id(event.target_position);
    out.i64(event.target_stamp.nanos);
  }
};

void require(bool condition, ByteReader& in) {
  if (!condition) in.fail();
}

Money read_amount(ByteReader& in) {
  Money amount;
  amount.currency = Currency{in.u32()};
  amount.minor = in.i64();
  require(is_known(amount.currency) && amount.minor > 0, in);
  return amount;
}

/// The outcome of something that has been decided: success or a logged refusal.
Outcome read_logged_outcome(ByteReader& in) {
  const auto outcome = static_cast<Outcome>(in.u8());
  require(is_logged(outcome), in);
  return outcome;
}

std::string_view read_account_name(ByteReader& in) {
  const std::string_view name = in.short_string();
  require(is_account_name(name) && !is_reserved(name), in);
  return name;
}

Decided read_decided(ByteReader& in) {
  Decided decided;
  const std::uint8_t operation = in.u8();
  require(operation >= static_cast<std::uint8_t>(Operation::transfer) &&
              operation <= static_cast<std::uint8_t>(Operation::withdrawal),
          in);
  decided.operation = static_cast<Operation>(operation);
  decided.outcome = static_cast<Outcome>(in.u8());
  require(in.u8() == 0, in);
  decided.principal = in.id<PrincipalId>();
  decided.home = in.id<AccountNumber>();
  decided.debit = in.id<PocketNumber>();
  decided.credit = in.id<PocketNumber>();
  decided.amount = read_amount(in);
  decided.id = in.uuid();
  decided.digest = in.hash();
  const bool moves_money = decided.outcome == Outcome::success || decided.outcome == Outcome::pending;
  const bool resolved = decided.debit != no_pocket && decided.credit != no_pocket && decided.debit != decided.credit;
  require(decided.home != no_account && (!moves_money || resolved), in);
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

LegStarted read_leg_started(ByteReader& in) {
  LegStarted event;
  event.decided = read_decided(in);
  event.target = in.id<ShardId>();
  event.leg = in.id<LegNumber>();
  event.credit_account = read_account_name(in);
  require(event.decided.outcome == Outcome::pending && event.decided.operation == Operation::transfer, in);
  require(event.target.value != 0 && event.leg.value != 0, in);
  return event;
}

LegReceived read_leg_received(ByteReader& in) {
  LegReceived event;
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
  event.target = in.id<ShardId>();
  event.leg = in.id<LegNumber>();
  event.id = in.uuid();
  event.debit = in.id<PocketNumber>();
  event.transit = in.id<PocketNumber>();
  event.amount = read_amount(in);
  event.target_position = in.id<Position>();
  event.target_stamp = Stamp{in.i64()};
  require(event.debit != no_pocket && event.transit != no_pocket && event.debit != event.transit, in);
  require(event.target.value != 0 && event.leg.value != 0, in);
  return event;
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

void encode(const Event& event, ByteWriter& out) { std::visit(Writer{out}, event); }

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
        return read_leg_started(in);
      case EventKind::leg_received:
        return read_leg_received(in);
      case EventKind::leg_answered:
        return read_leg_answered(in);
    }
  }
  in.fail();
  return TransferDecided{};
}

}  // namespace coffer::ledger
