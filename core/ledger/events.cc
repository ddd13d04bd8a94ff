#include "core/ledger/events.h"

#include <cstring>

#include "core/ledger/fields.h"

namespace coffer::ledger {

namespace {

constexpr std::uint8_t entry_version = 1;

constexpr std::size_t decided_size = 3 + 4 * 4 + 4 + 8 + 16 + 16;
constexpr std::size_t started_part_size = 4 + 8 + 4 + 4 + 8;  // without the name
constexpr std::size_t decided_part_size = 4 + 8 + 8 + 4 + 4 + 8;

template <std::size_t size>
void put(Fields<size>& fields, const Decided& decided) {
  fields.put(decided.operation).put(decided.outcome).put(std::uint8_t{0}).put(decided.principal).put(decided.home);
  fields.put(decided.debit).put(decided.credit).put(decided.amount).put(decided.id).put(decided.digest);
}

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

/// As of any event that binds a client's id; the sides and the operation are for the event to judge.
Decided read_any_decided(ByteReader& in) {
  Decided decided;
  const ByteView bytes = in.raw(decided_size);
  if (!in.ok()) return decided;
  std::size_t at = 0;
  const auto get = [&]<class T>(T& value) {
    std::memcpy(&value, bytes.data() + at, sizeof value);
    at += sizeof value;
  };
  std::uint8_t zero = 0;
  get(decided.operation);
  get(decided.outcome);
  get(zero);
  get(decided.principal);
  get(decided.home);
  get(decided.debit);
  get(decided.credit);
  get(decided.amount.currency);
  get(decided.amount.minor);
  get(decided.id);
  get(decided.digest);
  require(zero == 0 && decided.home != no_account, in);
  require(is_known(decided.amount.currency) && decided.amount.minor > 0, in);
  return decided;
}

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

/// What the events of a source about one of its legs have in common.
template <class Sent>
void require_sent(const Sent& event, ByteReader& in) {
  require(event.debit != no_pocket && event.transit != no_pocket && event.debit != event.transit, in);
  require(event.target.value != 0 && event.leg.value != 0, in);
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
  require_sent(event, in);
  return event;
}

SecondPhase read_phase(ByteReader& in) {
  const std::uint8_t phase = in.u8();
  require(phase >= 1 && phase <= static_cast<std::uint8_t>(last_second_phase), in);
  return static_cast<SecondPhase>(phase);
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
  event.target = in.id<ShardId>();
  event.leg = in.id<LegNumber>();
  event.id = in.uuid();
  event.debit = in.id<PocketNumber>();
  event.transit = in.id<PocketNumber>();
  event.amount = read_amount(in);
  event.target_position = in.id<Position>();
  event.target_stamp = Stamp{in.i64()};
  require_sent(event, in);
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

/// The parts of a split, whose encoded size is at least `size` each: no memory for what is not there.
template <class Part, class ReadPart>
std::vector<Part> read_parts(ByteReader& in, std::size_t size, ReadPart&& read) {
  std::vector<Part> parts;
  const std::uint8_t count = in.u8();
  require(count <= split_parts_max && in.remaining() >= count * size, in);
  for (std::uint8_t i = 0; i < count && in.ok(); ++i) parts.push_back(read());
  return parts;
}

SplitStarted::Part read_started_part(ByteReader& in) {
  SplitStarted::Part part;
  part.target = in.id<ShardId>();
  part.leg = in.id<LegNumber>();
  part.transit = in.id<PocketNumber>();
  part.credit = in.id<PocketNumber>();
  part.amount = in.i64();
  part.credit_account = read_account_name(in);
  require(part.target.value != 0 && part.amount > 0, in);
  require((part.leg == LegNumber()) == (part.credit != no_pocket), in);
  return part;
}

/// Whether the amounts of the parts are `total`.
template <class Part>
bool sum_up(const std::vector<Part>& parts, std::int64_t total) {
  std::int64_t left = total;
  for (const Part& part : parts) {
    if (part.amount > left) return false;
    left -= part.amount;
  }
  return left == 0;
}

SplitStarted read_split_started(ByteReader& in) {
  SplitStarted event;
  event.decided = read_any_decided(in);
  event.refused = in.u8();
  event.parts = read_parts<SplitStarted::Part>(in, started_part_size + 1 + 1, [&in] { return read_started_part(in); });
  const Decided& decided = event.decided;
  require(decided.operation == Operation::split && decided.credit == no_pocket, in);
  require(event.refused == no_part || event.refused < split_parts_max, in);
  if (decided.outcome != Outcome::pending && decided.outcome != Outcome::success) {
    require(is_logged(decided.outcome) && event.parts.empty(), in);
    return event;
  }
  const bool is_done = decided.outcome == Outcome::success;
  bool all_here = true;
  for (const SplitStarted::Part& part : event.parts) {
    all_here = all_here && part.leg == LegNumber();
    require(is_done == (part.transit == no_pocket), in);
  }
  require(event.refused == no_part && decided.debit != no_pocket && all_here == is_done, in);
  require(!event.parts.empty() && sum_up(event.parts, decided.amount.minor), in);
  return event;
}

SplitAnswered read_split_answered(ByteReader& in) {
  SplitAnswered event;
  event.outcome = read_logged_outcome(in);
  event.part = in.u8();
  event.target = in.id<ShardId>();
  event.leg = in.id<LegNumber>();
  event.id = in.uuid();
  event.debit = in.id<PocketNumber>();
  event.transit = in.id<PocketNumber>();
  event.amount = read_amount(in);
  event.target_position = in.id<Position>();
  event.target_stamp = Stamp{in.i64()};
  require_sent(event, in);
  require(event.part < split_parts_max, in);
  return event;
}

SplitDecided::Part read_decided_part(ByteReader& in) {
  SplitDecided::Part part;
  part.target = in.id<ShardId>();
  part.tried = in.id<LegNumber>();
  part.second = in.id<LegNumber>();
  part.transit = in.id<PocketNumber>();
  part.credit = in.id<PocketNumber>();
  part.amount = in.i64();
  const bool is_here = part.tried == LegNumber();
  require(part.target.value != 0 && part.amount > 0 && part.transit != no_pocket, in);
  require(is_here == (part.credit != no_pocket) && (is_here ? part.second == LegNumber() : part.second > part.tried),
          in);
  return part;
}

SplitDecided read_split_decided(ByteReader& in) {
  SplitDecided event;
  event.outcome = read_logged_outcome(in);
  event.refused = in.u8();
  event.id = in.uuid();
  event.debit = in.id<PocketNumber>();
  event.currency = Currency{in.u32()};
  event.parts = read_parts<SplitDecided::Part>(in, decided_part_size, [&in] { return read_decided_part(in); });
  const bool agreed = event.outcome == Outcome::success;
  require(event.debit != no_pocket && is_known(event.currency) && !event.parts.empty(), in);
  require(agreed ? event.refused == no_part : event.refused < event.parts.size(), in);
  return event;
}

SplitEnded read_split_ended(ByteReader& in) {
  SplitEnded event;
  event.phase = read_phase(in);
  event.part = in.u8();
  event.target = in.id<ShardId>();
  event.leg = in.id<LegNumber>();
  event.id = in.uuid();
  event.debit = in.id<PocketNumber>();
  event.transit = in.id<PocketNumber>();
  event.amount = read_amount(in);
  event.target_position = in.id<Position>();
  event.target_stamp = Stamp{in.i64()};
  require_sent(event, in);
  require(event.part < split_parts_max && protocol_of(event.phase) == Protocol::tcc, in);
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

void encode(const SplitStarted& event, ByteWriter& out) {
  check(event.parts.size() <= split_parts_max, "a split has a few parts");
  Fields<1 + decided_size + 2> fields;
  fields.put(EventKind::split_started);
  put(fields, event.decided);
  fields.put(event.refused).put(static_cast<std::uint8_t>(event.parts.size())).write(out);
  for (const SplitStarted::Part& part : event.parts) {
    Fields<started_part_size> of_part;
    of_part.put(part.target).put(part.leg).put(part.transit).put(part.credit).put(part.amount).write(out);
    out.short_string(part.credit_account);
  }
}

void encode(const SplitAnswered& event, ByteWriter& out) {
  Fields<3 + 4 + 8 + 16 + 4 + 4 + 4 + 8 + 8 + 8> fields;
  fields.put(EventKind::split_answered).put(event.outcome).put(event.part).put(event.target).put(event.leg);
  fields.put(event.id).put(event.debit).put(event.transit).put(event.amount).put(event.target_position);
  fields.put(event.target_stamp).write(out);
}

void encode(const SplitDecided& event, ByteWriter& out) {
  check(event.parts.size() <= split_parts_max, "a split has a few parts");
  Fields<3 + 16 + 4 + 4 + 1> fields;
  fields.put(EventKind::split_decided).put(event.outcome).put(event.refused).put(event.id).put(event.debit);
  fields.put(event.currency).put(static_cast<std::uint8_t>(event.parts.size())).write(out);
  for (const SplitDecided::Part& part : event.parts) {
    Fields<decided_part_size> of_part;
    of_part.put(part.target).put(part.tried).put(part.second).put(part.transit).put(part.credit).put(part.amount);
    of_part.write(out);
  }
}

void encode(const SplitEnded& event, ByteWriter& out) {
  Fields<3 + 4 + 8 + 16 + 4 + 4 + 4 + 8 + 8 + 8> fields;
  fields.put(EventKind::split_ended).put(event.phase).put(event.part).put(event.target).put(event.leg).put(event.id);
  fields.put(event.debit).put(event.transit).put(event.amount).put(event.target_position).put(event.target_stamp);
  fields.write(out);
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
