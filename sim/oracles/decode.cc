#include "sim/oracles/decode.h"

#include "core/base/codec.h"

namespace coffer::sim::oracles {

namespace {

constexpr std::uint8_t entry_version = 1;
constexpr std::size_t events_max = 1u << 20;

/// A byte in [1, last], as an enumerator.
template <class Enum>
Enum numbered(ByteReader& in, std::uint8_t last) {
  const std::uint8_t value = in.u8();
  if (value == 0 || value > last) in.fail();
  return static_cast<Enum>(value);
}

Outcome outcome(ByteReader& in) { return static_cast<Outcome>(in.u8()); }

Currency currency(ByteReader& in) { return Currency{in.u32()}; }

std::string text(ByteReader& in) { return std::string(in.short_string()); }

/// Fields are read one statement at a time: the order of evaluation inside an initialiser list is easy to misread.
ShardFounded founded(ByteReader& in) {
  ShardFounded event;
  event.shard = in.id<ShardId>();
  const std::uint16_t ranges = in.u16();
  for (std::uint16_t i = 0; i < ranges && in.ok(); ++i) {
    const auto first = in.id<Slot>();
    event.ranges.push_back({first, in.u32()});
  }
  return event;
}

AccountOpened opened(ByteReader& in) {
  AccountOpened event;
  event.kind = numbered<PocketKind>(in, 3);
  event.tenant = in.id<TenantId>();
  event.account = in.id<AccountNumber>();
  event.pocket = in.id<PocketNumber>();
  event.currency = currency(in);
  event.peer = in.id<ShardId>();
  in.id<PrincipalId>();
  event.name = text(in);
  return event;
}

/// `only`: 0: any operation that moves money between two.
Decided decided(ByteReader& in, std::uint8_t only = 0) {
  Decided event;
  event.operation = numbered<Operation>(in, only == 0 ? 3 : only);
  if (only != 0 && event.operation != static_cast<Operation>(only)) in.fail();
  event.outcome = outcome(in);
  in.u8();
  in.id<PrincipalId>();
  event.home = in.id<AccountNumber>();
  event.debit = in.id<PocketNumber>();
  event.credit = in.id<PocketNumber>();
  event.amount.currency = currency(in);
  event.amount.minor = in.i64();
  event.id = in.uuid();
  event.digest = in.hash();
  return event;
}

LegStarted leg_started(ByteReader& in) {
  LegStarted event;
  event.decided = decided(in);
  event.target = in.id<ShardId>();
  event.leg = in.id<LegNumber>();
  event.credit_account = text(in);
  return event;
}

LegReceived leg_received(ByteReader& in) {
  LegReceived event;
  event.outcome = outcome(in);
  event.tenant = in.id<TenantId>();
  event.source = in.id<ShardId>();
  event.leg = in.id<LegNumber>();
  event.id = in.uuid();
  event.source_position = in.id<Position>();
  event.source_stamp = Stamp{in.i64()};
  event.amount.currency = currency(in);
  event.amount.minor = in.i64();
  event.transit = in.id<PocketNumber>();
  event.credit = in.id<PocketNumber>();
  event.freed_before = in.id<LegNumber>();
  event.freed_after = in.id<LegNumber>();
  event.credit_account = text(in);
  return event;
}

/// What a source's events about the answer to one of its legs have behind what was answered.
template <class Answered>
void answer(Answered& event, ByteReader& in) {
  event.target = in.id<ShardId>();
  event.leg = in.id<LegNumber>();
  event.id = in.uuid();
  event.debit = in.id<PocketNumber>();
  event.transit = in.id<PocketNumber>();
  event.amount.currency = currency(in);
  event.amount.minor = in.i64();
  event.target_position = in.id<Position>();
  event.target_stamp = Stamp{in.i64()};
}

LegAnswered leg_answered(ByteReader& in) {
  LegAnswered event;
  event.outcome = outcome(in);
  answer(event, in);
  return event;
}

SecondStarted second_started(ByteReader& in, bool of_locks) {
  SecondStarted event;
  event.of_locks = of_locks;
  event.tried.outcome = outcome(in);
  event.tried.target = in.id<ShardId>();
  event.tried.leg = in.id<LegNumber>();
  event.second = in.id<LegNumber>();
  event.tried.id = in.uuid();
  event.tried.debit = in.id<PocketNumber>();
  event.tried.transit = in.id<PocketNumber>();
  event.tried.amount.currency = currency(in);
  event.tried.amount.minor = in.i64();
  event.tried.target_position = in.id<Position>();
  event.tried.target_stamp = Stamp{in.i64()};
  return event;
}

SecondReceived second_received(ByteReader& in) {
  SecondReceived event;
  event.phase = numbered<SecondPhase>(in, 4);
  event.source = in.id<ShardId>();
  event.leg = in.id<LegNumber>();
  event.tried = in.id<LegNumber>();
  event.id = in.uuid();
  event.source_position = in.id<Position>();
  event.source_stamp = Stamp{in.i64()};
  event.amount.currency = currency(in);
  event.amount.minor = in.i64();
  event.transit = in.id<PocketNumber>();
  event.credit = in.id<PocketNumber>();
  event.freed_before = in.id<LegNumber>();
  event.freed_after = in.id<LegNumber>();
  return event;
}

SecondEnded second_ended(ByteReader& in) {
  SecondEnded event;
  event.phase = numbered<SecondPhase>(in, 4);
  answer(event, in);
  return event;
}

AccountChanged account_changed(ByteReader& in) {
  AccountChanged event;
  const std::uint8_t change = in.u8();
  if (change < 4 || change > 6) in.fail();
  event.change = static_cast<AccountChange>(change);
  event.before = numbered<AccountState>(in, 3);
  in.id<PrincipalId>();
  event.account = in.id<AccountNumber>();
  event.id = in.uuid();
  return event;
}

HoldPlaced hold_placed(ByteReader& in) {
  HoldPlaced event;
  event.decided = decided(in, 7);
  event.expires = Stamp{in.i64()};
  return event;
}

HoldEnded hold_ended(ByteReader& in) {
  HoldEnded event;
  event.how = numbered<HoldEnd>(in, 3);
  event.hold = in.u32();
  event.id = in.uuid();
  event.pocket = in.id<PocketNumber>();
  event.amount.currency = currency(in);
  event.amount.minor = in.i64();
  return event;
}

WindowMoved window_moved(ByteReader& in) {
  WindowMoved event;
  event.passed_before_ms = in.u64();
  event.passed_ms = in.u64();
  event.first_before = in.u64();
  event.first = in.u64();
  return event;
}

SourceOpened source_opened(ByteReader& in) {
  SourceOpened event;
  event.home = in.id<AccountNumber>();
  event.source = in.u64();
  return event;
}

RowsLeft rows_left(ByteReader& in) {
  RowsLeft event;
  const std::uint8_t opens = in.u8();
  if (opens > 1) in.fail();
  event.opens = opens == 1;
  event.before = in.u64();
  event.after = in.u64();
  return event;
}

SplitStarted split_started(ByteReader& in) {
  SplitStarted event;
  event.decided = decided(in, 8);
  event.refused = in.u8();
  const std::uint8_t parts = in.u8();
  for (std::uint8_t i = 0; i < parts && in.ok(); ++i) {
    SplitStarted::Part part;
    part.target = in.id<ShardId>();
    part.leg = in.id<LegNumber>();
    part.transit = in.id<PocketNumber>();
    part.credit = in.id<PocketNumber>();
    part.amount = in.i64();
    part.credit_account = text(in);
    event.parts.push_back(std::move(part));
  }
  return event;
}

SplitAnswered split_answered(ByteReader& in) {
  SplitAnswered event;
  event.tried.outcome = outcome(in);
  event.part = in.u8();
  answer(event.tried, in);
  return event;
}

SplitDecided split_decided(ByteReader& in) {
  SplitDecided event;
  event.outcome = outcome(in);
  event.refused = in.u8();
  event.id = in.uuid();
  event.debit = in.id<PocketNumber>();
  event.currency = currency(in);
  const std::uint8_t parts = in.u8();
  for (std::uint8_t i = 0; i < parts && in.ok(); ++i) {
    SplitDecided::Part part;
    part.target = in.id<ShardId>();
    part.tried = in.id<LegNumber>();
    part.second = in.id<LegNumber>();
    part.transit = in.id<PocketNumber>();
    part.credit = in.id<PocketNumber>();
    part.amount = in.i64();
    event.parts.push_back(part);
  }
  return event;
}

SplitEnded split_ended(ByteReader& in) {
  SplitEnded event;
  event.ended.phase = numbered<SecondPhase>(in, 2);
  event.part = in.u8();
  answer(event.ended, in);
  return event;
}

Event decode_event(ByteReader& in) {
  switch (in.u8()) {
    case 1:
      return founded(in);
    case 2:
      return opened(in);
    case 3:
      return TransferDecided{decided(in)};
    case 4:
      return leg_started(in);
    case 5:
      return leg_received(in);
    case 6:
      return leg_answered(in);
    case 7:
      return TryStarted{leg_started(in)};
    case 8:
      return TryReceived{leg_received(in)};
    case 9:
      return second_started(in, false);
    case 10:
      return second_received(in);
    case 11:
      return second_ended(in);
    case 20:
      return PrepareStarted{leg_started(in)};
    case 21:
      return PrepareReceived{leg_received(in)};
    case 22:
      return second_started(in, true);
    case 12:
      return account_changed(in);
    case 13:
      return hold_placed(in);
    case 14:
      return hold_ended(in);
    case 15:
      return window_moved(in);
    case 16:
      return source_opened(in);
    case 17:
      return rows_left(in);
    case 23:
      return split_started(in);
    case 24:
      return split_answered(in);
    case 25:
      return split_decided(in);
    case 26:
      return split_ended(in);
    default:
      in.fail();
      return ShardFounded{};
  }
}

std::vector<Posting> moved(PocketNumber debit, PocketNumber credit, Money amount) {
  return {{debit, {-amount.minor, amount.currency}}, {credit, amount}};
}

struct PostingsOf {
  std::vector<Posting> operator()(const ShardFounded&) const { return {}; }
  std::vector<Posting> operator()(const AccountOpened&) const { return {}; }
  std::vector<Posting> operator()(const TransferDecided& event) const {
    if (event.decided.outcome != Outcome::success) return {};
    return moved(event.decided.debit, event.decided.credit, event.decided.amount);
  }
  std::vector<Posting> operator()(const LegStarted& event) const {
    return moved(event.decided.debit, event.decided.credit, event.decided.amount);
  }
  std::vector<Posting> operator()(const LegReceived& event) const {
    if (event.outcome != Outcome::success) return {};
    return moved(event.transit, event.credit, event.amount);
  }
  std::vector<Posting> operator()(const LegAnswered& event) const {
    if (event.outcome == Outcome::success) return {};
    return moved(event.transit, event.debit, event.amount);
  }
  std::vector<Posting> operator()(const TryStarted& event) const { return (*this)(event.leg); }
  std::vector<Posting> operator()(const TryReceived&) const { return {}; }
  std::vector<Posting> operator()(const SecondStarted& event) const { return (*this)(event.tried); }
  std::vector<Posting> operator()(const SecondReceived& event) const {
    if (!accepts(event.phase)) return {};
    return moved(event.transit, event.credit, event.amount);
  }
  std::vector<Posting> operator()(const SecondEnded&) const { return {}; }
  std::vector<Posting> operator()(const PrepareStarted& event) const { return (*this)(event.leg); }
  std::vector<Posting> operator()(const PrepareReceived&) const { return {}; }
  std::vector<Posting> operator()(const AccountChanged&) const { return {}; }
  std::vector<Posting> operator()(const HoldPlaced&) const { return {}; }
  std::vector<Posting> operator()(const HoldEnded&) const { return {}; }
  std::vector<Posting> operator()(const WindowMoved&) const { return {}; }
  std::vector<Posting> operator()(const SourceOpened&) const { return {}; }
  std::vector<Posting> operator()(const RowsLeft&) const { return {}; }
  std::vector<Posting> operator()(const SplitStarted& event) const {
    const Outcome outcome = event.decided.outcome;
    if (outcome != Outcome::pending && outcome != Outcome::success) return {};
    std::vector<Posting> postings;
    const Currency currency = event.decided.amount.currency;
    post(postings, event.decided.debit, {-event.decided.amount.minor, currency});
    for (const SplitStarted::Part& part : event.parts) {
      post(postings, outcome == Outcome::success ? part.credit : part.transit, {part.amount, currency});
    }
    return postings;
  }
  std::vector<Posting> operator()(const SplitAnswered&) const { return {}; }
  std::vector<Posting> operator()(const SplitDecided& event) const {
    std::vector<Posting> postings;
    for (const SplitDecided::Part& part : event.parts) {
      if (accepts(event.phase()) && !part.is_here()) continue;
      post(postings, part.transit, {-part.amount, event.currency});
      post(postings, accepts(event.phase()) ? part.credit : event.debit, {part.amount, event.currency});
    }
    return postings;
  }
  std::vector<Posting> operator()(const SplitEnded&) const { return {}; }

 private:
  /// A pocket that several parts go through changes once.
  static void post(std::vector<Posting>& postings, PocketNumber pocket, Money amount) {
    for (Posting& posting : postings) {
      if (posting.pocket != pocket) continue;
      posting.amount.minor += amount.minor;
      return;
    }
    postings.push_back({pocket, amount});
  }
};

struct DecidedBy {
  template <class Other>
  const Decided* operator()(const Other&) const {
    return nullptr;
  }
  const Decided* operator()(const TransferDecided& event) const { return &event.decided; }
  const Decided* operator()(const LegStarted& event) const { return &event.decided; }
  const Decided* operator()(const TryStarted& event) const { return &event.leg.decided; }
  const Decided* operator()(const PrepareStarted& event) const { return &event.leg.decided; }
  const Decided* operator()(const HoldPlaced& event) const { return &event.decided; }
  const Decided* operator()(const SplitStarted& event) const { return &event.decided; }
};

}  // namespace

std::optional<Entry> decode_entry(ByteView payload) {
  Entry entry;
  if (payload.empty()) return entry;
  ByteReader in(payload);
  if (in.u8() != entry_version) return std::nullopt;
  in.u8();
  in.u16();
  const std::uint32_t count = in.u32();
  entry.first_position = in.id<Position>();
  entry.stamp = Stamp{in.i64()};
  if (!in.ok() || count == 0 || count > events_max) return std::nullopt;
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) entry.events.push_back(decode_event(in));
  if (!in.done()) return std::nullopt;
  return entry;
}

const HoldEnded* capture_pending(const HoldEnded* pending, const Event& event) {
  const auto* ended = std::get_if<HoldEnded>(&event);
  if (ended != nullptr) return ended->how == HoldEnd::captured ? ended : nullptr;
  const auto* opened = std::get_if<AccountOpened>(&event);
  return opened != nullptr && opened->kind == PocketKind::transit ? pending : nullptr;
}

/// A UUID of version 8 (RFC 9562, section 5.8) of the digest of "capture" and the hold's id.
TransferId captured_as(const TransferId& hold) {
  Bytes input;
  ByteWriter(input).raw(bytes_of("capture"));
  ByteWriter(input).uuid(hold);
  const Hash128 digest = hash128(input);
  TransferId id;
  for (std::size_t i = 0; i < 8; ++i) {
    id.bytes[i] = static_cast<std::uint8_t>(digest.low >> (8 * i));
    id.bytes[8 + i] = static_cast<std::uint8_t>(digest.high >> (8 * i));
  }
  id.bytes[6] = static_cast<std::uint8_t>((id.bytes[6] & 0x0F) | 0x80);
  id.bytes[8] = static_cast<std::uint8_t>((id.bytes[8] & 0x3F) | 0x80);
  return id;
}

const Decided* decided_by(const Event& event) { return std::visit(DecidedBy{}, event); }

std::optional<std::uint64_t> made_ms(const TransferId& id) {
  if ((id.bytes[6] & 0xF0) != 0x70 || (id.bytes[8] & 0xC0) != 0x80) return std::nullopt;
  std::uint64_t made = 0;
  for (std::size_t i = 0; i < 6; ++i) made = made * 256 + id.bytes[i];
  return made;
}

std::optional<Numbered> numbered_as(const TransferId& id) {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    high = high * 256 + id.bytes[i];
    low = low * 256 + id.bytes[8 + i];
  }
  const std::uint64_t version = high >> 12 & 0xF;
  const Numbered said{high >> 16 << 12 | (high & 0xFFF), low & 0x3FFF'FFFF'FFFF'FFFF};
  if (version != 8 || low >> 62 != 2 || said.number == 0) return std::nullopt;
  return said;
}

bool has_end(const TransferId& id, Stamp stamp) {
  constexpr std::int64_t ahead_max_ms = 300'000;
  const std::optional<std::uint64_t> made = made_ms(id);
  return made && static_cast<std::int64_t>(*made) <= stamp.nanos / 1'000'000 + ahead_max_ms;
}

std::vector<Posting> postings_of(const Event& event) { return std::visit(PostingsOf{}, event); }

}  // namespace coffer::sim::oracles
