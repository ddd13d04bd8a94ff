#include "core/ledger/events.h"

#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <rapidcheck.h>

#include "core/base/prng.h"
#include "core/base/uuid_number.h"
#include "tests/core/ledger/sample_events.h"

namespace {

using namespace coffer;
using namespace coffer::ledger;

/// Draws well-formed events; names live in static storage.
class EventSource {
 public:
  explicit EventSource(std::uint64_t seed) : prng_(seed) {}

  Event next() {
    switch (prng_.below(20)) {
      case 0:
        return founded();
      case 1:
        return opened();
      case 2:
        return TransferDecided{decided(logged())};
      case 3:
        return started();
      case 4:
        return received();
      case 5:
        return answered();
      case 6:
        return try_started();
      case 7:
        return try_received();
      case 8:
        return second_started();
      case 9:
        return second_received();
      case 10:
        return second_ended();
      case 11:
        return prepare_started();
      case 12:
        return prepare_received();
      case 13:
        return account_changed();
      case 14:
        return hold_placed();
      case 15:
        return hold_ended();
      case 16:
        return window_moved();
      case 17:
        return SourceOpened{AccountNumber(number()), prng_.below(id_source_max + 1)};
      case 18: {
        const std::uint64_t before = prng_.below(1u << 20);
        return prng_.chance(200) ? RowsLeft{true, 0, 0} : RowsLeft{false, before, before + 1 + prng_.below(1u << 13)};
      }
      default: {
        SecondStarted event = second_started();
        event.protocol = Protocol::two_phase_commit;
        return event;
      }
    }
  }
  Prng& prng() { return prng_; }

 private:
  std::uint32_t number() { return static_cast<std::uint32_t>(prng_.below(0xFFFF'FFFF)); }
  std::uint32_t shard() { return static_cast<std::uint32_t>(prng_.below(1000)) + 1; }
  Outcome logged() { return prng_.chance(500) ? Outcome::success : static_cast<Outcome>(10 + prng_.below(8)); }
  Currency currency() {
    constexpr Currency choice[] = {currency_of("USD"), currency_of("JPY"), currency_of("KWD")};
    return choice[prng_.below(3)];
  }
  Money amount() { return {prng_.between(1, INT64_MAX), currency()}; }
  Uuid uuid() {
    Uuid id;
    for (std::uint8_t& byte : id.bytes) byte = static_cast<std::uint8_t>(prng_.next());
    return id;
  }
  static std::string_view name_of(std::uint64_t size) {
    static const std::string letters(64, 'n');
    return std::string_view(letters).substr(0, size);
  }
  std::string_view name() { return name_of(1 + prng_.below(64)); }

  ShardFounded founded() {
    ShardFounded event{ShardId(shard()), {}};
    std::uint32_t at = 0;
    while (event.ranges.size() < 5 && at < slot_count - 1) {
      const auto first = static_cast<std::uint32_t>(prng_.between(at, slot_count - 1));
      at = static_cast<std::uint32_t>(prng_.between(first + 1, slot_count));
      event.ranges.push_back({Slot(static_cast<std::uint16_t>(first)), at});
    }
    return event;
  }
  AccountOpened opened() {
    AccountOpened event;
    event.kind = static_cast<PocketKind>(1 + prng_.below(3));
    event.pocket = PocketNumber(number());
    event.currency = currency();
    event.principal = PrincipalId(number());
    event.account = no_account;
    if (event.kind == PocketKind::transit) event.peer = ShardId(shard());
    if (event.kind == PocketKind::customer) {
      event.tenant = TenantId(number());
      event.account = AccountNumber(number());
      event.name = name();
    }
    return event;
  }
  Decided decided(Outcome outcome) {
    Decided decided;
    decided.operation = static_cast<Operation>(1 + prng_.below(3));
    decided.outcome = outcome;
    decided.principal = PrincipalId(number());
    decided.home = AccountNumber(number());
    decided.debit = PocketNumber(number() / 2);
    decided.credit = PocketNumber(decided.debit.value + 1);
    decided.amount = amount();
    decided.id = uuid();
    decided.digest = {prng_.next(), prng_.next()};
    return decided;
  }
  LegStarted started() {
    LegStarted event{decided(Outcome::pending), ShardId(shard()), LegNumber(prng_.next() | 1), name()};
    event.decided.operation = Operation::transfer;
    return event;
  }
  LegReceived received() {
    LegReceived event;
    event.outcome = logged();
    event.tenant = TenantId(number());
    event.source = ShardId(shard());
    event.leg = LegNumber(prng_.below(1000) + 100);
    event.id = uuid();
    event.source_position = Position(prng_.next());
    event.source_stamp = Stamp{prng_.between(1, INT64_MAX)};
    event.amount = amount();
    if (event.outcome == Outcome::success) {
      event.transit = PocketNumber(number());
      event.credit = PocketNumber(number());
    }
    event.freed_before = LegNumber(prng_.below(50));
    event.freed_after = LegNumber(50 + prng_.below(50));
    event.credit_account = name();
    return event;
  }
  TryStarted try_started() {
    const LegStarted leg = started();
    return {leg.decided, leg.target, leg.leg, leg.credit_account};
  }
  TryReceived try_received() {
    const LegReceived leg = received();
    return {leg.outcome,         leg.tenant,       leg.source,        leg.leg,     leg.id,
            leg.source_position, leg.source_stamp, leg.amount,        leg.transit, leg.credit,
            leg.freed_before,    leg.freed_after,  leg.credit_account};
  }
  WindowMoved window_moved() {
    WindowMoved event;
    event.before = {prng_.below(1u << 20), prng_.below(1u << 20)};
    event.after = {event.before.passed_ms + 1 + prng_.below(1u << 20), event.before.first + prng_.below(1u << 20)};
    return event;
  }
  PrepareStarted prepare_started() {
    const LegStarted leg = started();
    return {leg.decided, leg.target, leg.leg, leg.credit_account};
  }
  PrepareReceived prepare_received() {
    const LegReceived leg = received();
    return {leg.outcome,         leg.tenant,       leg.source,        leg.leg,     leg.id,
            leg.source_position, leg.source_stamp, leg.amount,        leg.transit, leg.credit,
            leg.freed_before,    leg.freed_after,  leg.credit_account};
  }
  SecondStarted second_started() {
    const LegAnswered leg = answered();
    const LegNumber tried(prng_.below(1000) + 1);
    return {leg.outcome,
            leg.target,
            tried,
            LegNumber(tried.value + 1 + prng_.below(1000)),
            leg.id,
            leg.debit,
            leg.transit,
            leg.amount,
            leg.target_position,
            leg.target_stamp,
            Protocol::tcc};
  }
  SecondReceived second_received() {
    const LegReceived leg = received();
    const bool was_refused = leg.outcome != Outcome::success;
    const auto phase = was_refused || prng_.chance(100) ? SecondPhase::cancel : SecondPhase::confirm;
    SecondReceived event;
    event.phase = phase;
    event.source = leg.source;
    event.leg = leg.leg;
    event.tried = LegNumber(1 + prng_.below(leg.leg.value - 1));
    event.id = leg.id;
    event.source_position = leg.source_position;
    event.source_stamp = leg.source_stamp;
    event.amount = leg.amount;
    event.transit = leg.transit;
    event.credit = was_refused ? no_pocket : PocketNumber(leg.transit.value ^ 1);
    if (event.credit == no_pocket) event.transit = no_pocket;
    event.freed_before = leg.freed_before;
    event.freed_after = leg.freed_after;
    if (event.credit == no_pocket) event.phase = SecondPhase::cancel;
    if (prng_.chance(500)) event.phase = accepts(event.phase) ? SecondPhase::commit : SecondPhase::abort;
    return event;
  }
  SecondEnded second_ended() {
    const LegAnswered leg = answered();
    return {static_cast<SecondPhase>(1 + prng_.below(4)),
            leg.target,
            leg.leg,
            leg.id,
            leg.debit,
            leg.transit,
            leg.amount,
            leg.target_position,
            leg.target_stamp};
  }
  AccountChanged account_changed() {
    const auto change = static_cast<Operation>(4 + prng_.below(3));
    const auto before = static_cast<AccountState>(1 + prng_.below(change == Operation::close ? 3 : 2));
    return {change, before, PrincipalId(number()), AccountNumber(number()), uuid()};
  }
  HoldPlaced hold_placed() {
    HoldPlaced event{decided(logged()), {}};
    event.decided.operation = Operation::hold;
    event.decided.credit = no_pocket;
    const bool holds = event.decided.outcome == Outcome::success;
    if (!holds && prng_.chance(500)) event.decided.debit = no_pocket;
    if (holds) event.expires = Stamp{prng_.between(1, INT64_MAX)};
    return event;
  }
  HoldEnded hold_ended() {
    return {static_cast<HoldEnd>(1 + prng_.below(3)), number(), uuid(), PocketNumber(number()), amount()};
  }
  LegAnswered answered() {
    LegAnswered event;
    event.outcome = logged();
    event.target = ShardId(shard());
    event.leg = LegNumber(prng_.next() | 1);
    event.id = uuid();
    event.debit = PocketNumber(number() / 2);
    event.transit = PocketNumber(event.debit.value + 1);
    event.amount = amount();
    event.target_position = Position(prng_.next());
    event.target_stamp = Stamp{prng_.between(1, INT64_MAX)};
    return event;
  }

  Prng prng_;
};

void write_decided_by_hand(ByteWriter& out, std::uint8_t outcome) {
  out.u8(1);
  out.u8(outcome);
  out.u8(0);
  for (const std::uint32_t v : {3u, 4u, 5u, 6u}) out.u32(v);
  out.u32(0x445355);  // "USD"
  out.i64(7);
  out.u64(8);
  out.u64(0);
  out.u64(9);
  out.u64(10);
}

TEST_CASE("events are written as the grammar says (events.h)") {
  Bytes expected;
  ByteWriter out(expected);
  SECTION("shard_founded") {
    out.u8(1);
    out.u32(2);
    out.u16(2);
    out.u16(0);
    out.u32(10);
    out.u16(16383);
    out.u32(16384);
    REQUIRE(encoded(ShardFounded{ShardId(2), {{Slot(0), 10}, {Slot(16383), 16384}}}) == expected);
  }
  SECTION("account_opened") {
    out.u8(2);
    out.u8(1);
    for (const std::uint32_t v : {11u, 12u, 13u, 0x445355u, 0u, 14u}) out.u32(v);
    out.short_string("alice");
    REQUIRE(encoded(AccountOpened{PocketKind::customer, TenantId(11), AccountNumber(12), PocketNumber(13),
                                  currency_of("USD"), ShardId(), PrincipalId(14), "alice"}) == expected);
  }
  SECTION("transfer_decided") {
    out.u8(3);
    write_decided_by_hand(out, 10);
    REQUIRE(encoded(TransferDecided{sample_decided(Outcome::insufficient_funds)}) == expected);
    REQUIRE(expected.size() == 64);
  }
  SECTION("leg_started") {
    out.u8(4);
    write_decided_by_hand(out, 0);
    out.u32(15);
    out.u64(16);
    out.short_string("bob");
    REQUIRE(encoded(LegStarted{sample_decided(Outcome::pending), ShardId(15), LegNumber(16), "bob"}) == expected);
  }
  SECTION("leg_received") {
    LegReceived event;
    event.outcome = Outcome::success;
    event.tenant = TenantId(1);
    event.source = ShardId(2);
    event.leg = LegNumber(30);
    event.id.bytes[0] = 4;
    event.source_position = Position(5);
    event.source_stamp = Stamp{6};
    event.amount = {7, currency_of("USD")};
    event.transit = PocketNumber(8);
    event.credit = PocketNumber(9);
    event.freed_before = LegNumber(10);
    event.freed_after = LegNumber(11);
    event.credit_account = "bob";
    out.u8(5);
    out.u8(1);
    out.u32(1);
    out.u32(2);
    for (const std::uint64_t v : {30u, 4u, 0u, 5u, 6u}) out.u64(v);
    out.u32(0x445355);
    out.i64(7);
    out.u32(8);
    out.u32(9);
    out.u64(10);
    out.u64(11);
    out.short_string("bob");
    REQUIRE(encoded(event) == expected);
  }
  SECTION("leg_answered") {
    LegAnswered event;
    event.outcome = Outcome::currency_mismatch;
    event.target = ShardId(2);
    event.leg = LegNumber(3);
    event.id.bytes[0] = 4;
    event.debit = PocketNumber(5);
    event.transit = PocketNumber(6);
    event.amount = {7, currency_of("USD")};
    event.target_position = Position(8);
    event.target_stamp = Stamp{9};
    out.u8(6);
    out.u8(12);
    out.u32(2);
    for (const std::uint64_t v : {3u, 4u, 0u}) out.u64(v);
    out.u32(5);
    out.u32(6);
    out.u32(0x445355);
    out.i64(7);
    out.u64(8);
    out.i64(9);
    REQUIRE(encoded(event) == expected);
  }
  SECTION("try_started") {
    out.u8(7);
    write_decided_by_hand(out, 0);
    out.u32(15);
    out.u64(16);
    out.short_string("bob");
    REQUIRE(encoded(TryStarted{sample_decided(Outcome::pending), ShardId(15), LegNumber(16), "bob"}) == expected);
  }
  SECTION("try_received") {
    TryReceived event;
    event.outcome = Outcome::balance_overflow;
    event.source = ShardId(2);
    event.leg = LegNumber(30);
    event.amount = {7, currency_of("USD")};
    event.credit_account = "bob";
    out.u8(8);
    out.u8(static_cast<std::uint8_t>(Outcome::balance_overflow));
    out.u32(0);
    out.u32(2);
    for (const std::uint64_t v : {30u, 0u, 0u, 0u, 0u}) out.u64(v);
    out.u32(0x445355);
    out.i64(7);
    out.u32(0xFFFF'FFFF);
    out.u32(0xFFFF'FFFF);
    out.u64(0);
    out.u64(0);
    out.short_string("bob");
    REQUIRE(encoded(event) == expected);
  }
  SECTION("prepare_started and prepare_received: as what TC/C begins with, under numbers of their own") {
    const Decided decided = sample_decided(Outcome::pending);
    Bytes as_try = encoded(TryStarted{decided, ShardId(15), LegNumber(16), "bob"});
    as_try[0] = std::byte{20};
    REQUIRE(encoded(PrepareStarted{decided, ShardId(15), LegNumber(16), "bob"}) == as_try);
    TryReceived tried;
    PrepareReceived prepared;
    const auto fill = [](auto& event) {
      event.outcome = Outcome::account_locked;
      event.source = ShardId(2);
      event.leg = LegNumber(30);
      event.amount = {7, currency_of("USD")};
      event.credit_account = "bob";
    };
    fill(tried);
    fill(prepared);
    as_try = encoded(tried);
    as_try[0] = std::byte{21};
    REQUIRE(as_try[1] == std::byte{17});
    REQUIRE(encoded(prepared) == as_try);
  }
  SECTION("second_started") {
    SecondStarted event;
    event.outcome = Outcome::success;
    event.target = ShardId(2);
    event.leg = LegNumber(3);
    event.second = LegNumber(11);
    event.id.bytes[0] = 4;
    event.debit = PocketNumber(5);
    event.transit = PocketNumber(6);
    event.amount = {7, currency_of("USD")};
    event.target_position = Position(8);
    event.target_stamp = Stamp{9};
    out.u8(9);
    out.u8(1);
    out.u32(2);
    for (const std::uint64_t v : {3u, 11u, 4u, 0u}) out.u64(v);
    out.u32(5);
    out.u32(6);
    out.u32(0x445355);
    out.i64(7);
    out.u64(8);
    out.i64(9);
    REQUIRE(encoded(event) == expected);
    event.protocol = Protocol::two_phase_commit;  // commit_decided
    expected[0] = std::byte{22};
    REQUIRE(encoded(event) == expected);
  }
  SECTION("second_received") {
    SecondReceived event;
    event.phase = SecondPhase::cancel;
    event.source = ShardId(2);
    event.leg = LegNumber(30);
    event.tried = LegNumber(29);
    event.id.bytes[0] = 4;
    event.source_position = Position(5);
    event.source_stamp = Stamp{6};
    event.amount = {7, currency_of("USD")};
    event.transit = PocketNumber(8);
    event.credit = PocketNumber(9);
    event.freed_before = LegNumber(10);
    event.freed_after = LegNumber(11);
    out.u8(10);
    out.u8(2);
    out.u32(2);
    for (const std::uint64_t v : {30u, 29u, 4u, 0u, 5u, 6u}) out.u64(v);
    out.u32(0x445355);
    out.i64(7);
    out.u32(8);
    out.u32(9);
    out.u64(10);
    out.u64(11);
    REQUIRE(encoded(event) == expected);
  }
  SECTION("second_ended") {
    SecondEnded event;
    event.phase = SecondPhase::confirm;
    event.target = ShardId(2);
    event.leg = LegNumber(3);
    event.id.bytes[0] = 4;
    event.debit = PocketNumber(5);
    event.transit = PocketNumber(6);
    event.amount = {7, currency_of("USD")};
    event.target_position = Position(8);
    event.target_stamp = Stamp{9};
    out.u8(11);
    out.u8(1);
    out.u32(2);
    for (const std::uint64_t v : {3u, 4u, 0u}) out.u64(v);
    out.u32(5);
    out.u32(6);
    out.u32(0x445355);
    out.i64(7);
    out.u64(8);
    out.i64(9);
    REQUIRE(encoded(event) == expected);
  }
  SECTION("account_changed") {
    AccountChanged event{Operation::close, AccountState::frozen, PrincipalId(3), AccountNumber(4), {}};
    event.id.bytes[0] = 5;
    out.u8(12);
    out.u8(6);
    out.u8(2);
    out.u32(3);
    out.u32(4);
    out.u64(5);
    out.u64(0);
    REQUIRE(encoded(event) == expected);
  }
  SECTION("hold_placed") {
    HoldPlaced event{sample_decided(Outcome::success), Stamp{11}};
    event.decided.operation = Operation::hold;
    event.decided.credit = no_pocket;
    write_decided_by_hand(out, 1);
    expected.insert(expected.begin(), std::byte{13});
    expected[1] = std::byte{7};
    for (std::size_t at = 16; at < 20; ++at) expected[at] = std::byte{0xFF};
    ByteWriter(expected).i64(11);
    REQUIRE(encoded(event) == expected);
    REQUIRE(expected.size() == 72);
  }
  SECTION("hold_ended") {
    HoldEnded event{HoldEnd::voided, 3, {}, PocketNumber(5), {7, currency_of("USD")}};
    event.id.bytes[0] = 4;
    out.u8(14);
    out.u8(2);
    out.u32(3);
    out.u64(4);
    out.u64(0);
    out.u32(5);
    out.u32(0x445355);
    out.i64(7);
    REQUIRE(encoded(event) == expected);
  }
  SECTION("entry header") {
    Bytes header;
    ByteWriter header_out(header);
    encode(EntryHeader{3, Position(4), Stamp{5}}, header_out);
    out.u8(1);
    out.u8(0);
    out.u16(0);
    out.u32(3);
    out.u64(4);
    out.i64(5);
    REQUIRE(header == expected);
    REQUIRE(header.size() == entry_header_size);
  }
}

TEST_CASE("property: an event written and read again writes the same bytes, and no shorter prefix is an event") {
  REQUIRE(rc::check("property: encode(decode(encode(e))) = encode(e)", [](std::uint64_t seed) {
    EventSource source(seed);
    const Event event = source.next();
    const Bytes bytes = encoded(event);
    ByteReader in(bytes);
    const Event read = decode_event(in);
    RC_ASSERT(in.done());
    RC_ASSERT(read.index() == event.index());
    RC_ASSERT(encoded(read) == bytes);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      const Bytes prefix(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
      ByteReader shorter(prefix);
      decode_event(shorter);
      RC_ASSERT_FALSE(shorter.ok());
    }
  }));
}

TEST_CASE("property: mutated events are refused or canonical, and never crash the reader") {
  REQUIRE(rc::check("property: decode is total on mutations", [](std::uint64_t seed) {
    EventSource source(seed);
    for (int i = 0; i < 50; ++i) {
      Bytes bytes = encoded(source.next());
      for (std::uint64_t flips = source.prng().below(3) + 1; flips > 0; --flips) {
        bytes[source.prng().below(bytes.size())] = static_cast<std::byte>(source.prng().next());
      }
      ByteReader in(bytes);
      const Event read = decode_event(in);
      if (in.done()) RC_ASSERT(encoded(read) == bytes);
    }
  }));
}

TEST_CASE("property: arbitrary bytes never crash the reader") {
  REQUIRE(rc::check("property: decode is total", [](const std::vector<std::uint8_t>& raw, std::uint8_t kind) {
    Bytes bytes{static_cast<std::byte>(kind % 24)};
    for (const std::uint8_t byte : raw) bytes.push_back(std::byte{byte});
    ByteReader in(bytes);
    const Event read = decode_event(in);
    if (in.ok()) RC_ASSERT(encoded(read).size() == in.position());
    ByteReader header(bytes);
    decode_header(header);
    RC_ASSERT(header.position() <= bytes.size());
  }));
}

}  // namespace
