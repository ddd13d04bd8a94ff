// Events: the deltas a shard's log consists of, each with the normalised command that caused it. The same bytes go to
// the stream, the wire and apply.
//
//   entry            := version u8 = 1 | zero u8 | zero u16 | count u32 | first_position u64 | stamp i64 | event{count}
//   event            := shard_founded | account_opened | transfer_decided | leg_started | leg_received | leg_answered
//                       | try_started | try_received | second_started | second_received | second_ended
//                       | account_changed | hold_placed | hold_ended | window_moved | source_opened
//                       | rows_left | prepare_started | prepare_received | commit_decided | split_started
//                       | split_answered | split_decided | split_ended
//   shard_founded    := 1 u8 | shard u32 | ranges u16 | (first_slot u16 | slot_end u32){ranges}
//   account_opened   := 2 u8 | pocket_kind u8 | tenant u32 | account u32 | pocket u32 | currency u32 | peer u32
//                       | principal u32 | name short_string
//                       (system pockets belong to no account (0xFFFFFFFF) and to tenant 0; their name is empty, for it
//                       follows from the rest; peer is 0 but for transit pockets)
//   decided          := operation u8 | outcome u8 | zero u8 | principal u32 | home u32 | debit u32 | credit u32
//                       | currency u32 | amount i64 | id 16 | digest 16
//                       (digest: core/ledger/commands.cc; debit and credit 0xFFFFFFFF where a refusal knows none)
//   transfer_decided := 3 u8 | decided
//                       (outcome success: debit -amount, credit +amount; else a logged refusal, no posting)
//   leg_started      := 4 u8 | decided | target u32 | leg u64 | credit_account short_string
//                       (outcome pending, operation transfer: debit -amount, credit, the transit pocket, +amount)
//   leg_received     := 5 u8 | outcome u8 | tenant u32 | source u32 | leg u64 | id 16 | source_position u64
//                       | source_stamp i64 | currency u32 | amount i64 | transit u32 | credit u32 | freed_before u64
//                       | freed_after u64 | credit_account short_string
//                       (outcome success: transit -amount, credit +amount; else none, transit and credit 0xFFFFFFFF)
//   leg_answered     := 6 u8 | outcome u8 | target u32 | leg u64 | id 16 | debit u32 | transit u32 | currency u32
//                       | amount i64 | target_position u64 | target_stamp i64
//                       (outcome success: the saga is done, no posting; else compensation: transit -amount,
//                       debit +amount)
//   try_started      := 7 u8 | as leg_started
//                       (TC/C: the debit's Try is done as leg_started says, the credit's is on its way)
//   try_received     := 8 u8 | as leg_received
//                       (no posting; outcome success: transit and credit keep room for the amount)
//   second_started   := 9 u8 | outcome u8 | target u32 | leg u64 | second u64 | id 16 | debit u32 | transit u32
//                       | currency u32 | amount i64 | target_position u64 | target_stamp i64
//                       (the answer to the Try numbered leg, whose second phase is sent as leg second. Outcome success:
//                       Confirm, no posting; else Cancel: transit -amount, debit +amount)
//   second_received  := 10 u8 | phase u8 | source u32 | leg u64 | tried u64 | id 16 | source_position u64
//                       | source_stamp i64 | currency u32 | amount i64 | transit u32 | credit u32 | freed_before u64
//                       | freed_after u64
//                       (ends the question numbered tried; phase 1, Confirm, and 3, Commit: transit -amount, credit
//                       +amount; 2, Cancel, and 4, Abort: none. No room is kept any more, and 3 and 4 unlock credit.
//                       transit and credit 0xFFFFFFFF where the question was refused)
//   second_ended     := 11 u8 | phase u8 | target u32 | leg u64 | id 16 | debit u32 | transit u32 | currency u32
//                       | amount i64 | target_position u64 | target_stamp i64
//                       (no posting)
//   account_changed  := 12 u8 | change u8 | before u8 | principal u32 | account u32 | id 16
//                       (no posting; change: operation 4 freeze, 5 unfreeze, 6 close; before: the account's state, 1
//                       open, 2 frozen, and 3 closed only where it is closed again)
//   hold_placed      := 13 u8 | decided | expires i64
//                       (operation 7, credit 0xFFFFFFFF. Outcome success: amount is held of debit until the hold ends,
//                       expires the latest stamp at which it has not expired; else a logged refusal, expires 0. No
//                       posting)
//   hold_ended       := 14 u8 | how u8 | hold u32 | id 16 | pocket u32 | currency u32 | amount i64
//                       (amount is no longer held of pocket; hold: the number of its row, in the order placed; how: 1
//                       captured: the next event of the entry, a transit pocket's opening aside, takes at most amount
//                       under an id derived from id, or is its logged refusal; 2 voided; 3 expired. No posting)
//   window_moved     := 15 u8 | passed_before u64 | passed u64 | first_before u64 | first u64
//                       (no posting; UUIDv7s of the millisecond passed since 1970, or of an earlier one, are bound no
//                       more; windowed rows before first are forgotten. Neither goes back, one of them moves;
//                       passed > 0)
//   source_opened    := 16 u8 | home u32 | source u64
//                       (no posting; from now on UUIDv8s of this source, of 60 bits, number what home's account moves,
//                       from 1 on: core/base/uuid_number.h)
//   rows_left        := 17 u8 | opens u8 | before u64 | after u64
//                       (no posting; opens 1: before and after are 0, and from now on the rows of transfers, deposits
//                       and withdrawals whose ids neither end nor are numbered are queued; opens 0: queued rows
//                       [before, after) have left the state, before < after)
//   prepare_started  := 20 u8 | as leg_started
//                       (two-phase commit: as try_started, and debit is locked)
//   prepare_received := 21 u8 | as leg_received
//                       (as try_received, and with outcome success credit is locked)
//   commit_decided   := 22 u8 | as second_started
//                       (as second_started, for Commit and Abort; debit is unlocked)
//   split_started    := 23 u8 | decided | refused u8 | parts u8 | started_part{parts}
//   started_part     := target u32 | leg u64 | transit u32 | credit u32 | amount i64 | credit_account short_string
//                       (operation 8, credit 0xFFFFFFFF, amount the sum of the parts. A part of the debit's own shard
//                       has leg 0 and a credit, others have a leg and credit 0xFFFFFFFF.
//                       Outcome pending: debit -amount, each part's transit + its amount; where the credit is known,
//                       transit and credit keep room for it. Outcome success, all parts in the own shard: debit
//                       -amount, each part's credit + its amount; transits 0xFFFFFFFF. Else a logged refusal, no parts,
//                       no posting. refused: the part, from 0, that was refused, 0xFF where the debit was or none)
//   split_answered   := 24 u8 | outcome u8 | part u8 | target u32 | leg u64 | id 16 | debit u32 | transit u32
//                       | currency u32 | amount i64 | target_position u64 | target_stamp i64
//                       (the answer to the Try of one part, from 0. No posting)
//   split_decided    := 25 u8 | outcome u8 | refused u8 | id 16 | debit u32 | currency u32 | parts u8
//                       | decided_part{parts}
//   decided_part     := target u32 | tried u64 | second u64 | transit u32 | credit u32 | amount i64
//                       (right behind the answer to the last Try. Outcome success: Confirm; each part of the own shard:
//                       transit - its amount, credit + its amount, and no room is kept; others: no posting. Else
//                       Cancel, for the part refused: each transit - its amount, debit + its amount, no room is kept.
//                       The second phase of part i is sent as leg second, 0 in the own shard; tried: its Try's leg)
//   split_ended      := 26 u8 | phase u8 | part u8 | target u32 | leg u64 | id 16 | debit u32 | transit u32
//                       | currency u32 | amount i64 | target_position u64 | target_stamp i64
//                       (the second phase of one part is done: phase 1 Confirm, 2 Cancel. No posting)
//
// Every event is one position; count, first_position and stamp are positive. Kinds of pockets and operations are the
// enumerations below and in commands.h, outcomes those of core/base/outcome.h. Integers little-endian
// (core/base/codec.h); a short_string is u8 length + bytes.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/codec.h"
#include "core/base/hash.h"
#include "core/base/ids.h"
#include "core/base/money.h"
#include "core/base/outcome.h"
#include "core/base/result.h"
#include "core/base/time.h"
#include "core/ledger/commands.h"
#include "core/ledger/protocol.h"

namespace coffer::ledger {

enum class EventKind : std::uint8_t {
  shard_founded = 1,
  account_opened = 2,
  transfer_decided = 3,
  leg_started = 4,
  leg_received = 5,
  leg_answered = 6,
  try_started = 7,
  try_received = 8,
  second_started = 9,
  second_received = 10,
  second_ended = 11,
  account_changed = 12,
  hold_placed = 13,
  hold_ended = 14,
  window_moved = 15,
  source_opened = 16,
  rows_left = 17,
  prepare_started = 20,
  prepare_received = 21,
  commit_decided = 22,
  split_started = 23,
  split_answered = 24,
  split_decided = 25,
  split_ended = 26,
};

enum class PocketKind : std::uint8_t { customer = 1, issue = 2, transit = 3 };

struct SlotRange {
  Slot first{0};
  std::uint32_t end = 0;  ///< one past the last slot, at most slot_count
};

struct ShardFounded {
  ShardId shard;
  std::vector<SlotRange> ranges;
};

struct AccountOpened {
  PocketKind kind = PocketKind::customer;
  TenantId tenant;
  AccountNumber account;  ///< an existing number when a further currency is opened; no_account for system pockets
  PocketNumber pocket;
  Currency currency;
  ShardId peer;  ///< transit pockets: the money's counterpart shard; else 0
  PrincipalId principal;
  std::string_view name;
};

/// The part transfer_decided, leg_started, try_started, prepare_started and hold_placed share: the normalised command
/// and what became of it.
struct Decided {
  Operation operation = Operation::transfer;
  Outcome outcome = Outcome::pending;
  PrincipalId principal;
  AccountNumber home = no_account;
  PocketNumber debit = no_pocket;  ///< no_pocket where a refusal could not resolve it
  PocketNumber credit = no_pocket;
  Money amount;
  TransferId id;
  Hash128 digest;
};

struct TransferDecided {
  Decided decided;
};

struct LegStarted {
  Decided decided;  ///< credit is the transit pocket of `target`
  ShardId target;
  LegNumber leg;
  std::string_view credit_account;
};

struct LegReceived {
  Outcome outcome = Outcome::pending;
  TenantId tenant;
  ShardId source;
  LegNumber leg;
  TransferId id;
  Position source_position;
  Stamp source_stamp;
  Money amount;
  PocketNumber transit = no_pocket;
  PocketNumber credit = no_pocket;
  LegNumber freed_before;  ///< outcomes up to here had been freed
  LegNumber freed_after;   ///< outcomes up to here are freed now: the source has logged their answers
  std::string_view credit_account;
};

struct LegAnswered {
  Outcome outcome = Outcome::pending;
  ShardId target;
  LegNumber leg;
  TransferId id;
  PocketNumber debit;
  PocketNumber transit;
  Money amount;
  Position target_position;
  Stamp target_stamp;
};

/// Source: the debit's Try is done, the credit's is on its way.
struct TryStarted {
  Decided decided;  ///< credit is the transit pocket of `target`
  ShardId target;
  LegNumber leg;
  std::string_view credit_account;
};

/// Target: the credit's Try was answered.
struct TryReceived {
  Outcome outcome = Outcome::pending;
  TenantId tenant;
  ShardId source;
  LegNumber leg;
  TransferId id;
  Position source_position;
  Stamp source_stamp;
  Money amount;
  PocketNumber transit = no_pocket;
  PocketNumber credit = no_pocket;
  LegNumber freed_before;
  LegNumber freed_after;
  std::string_view credit_account;
};

/// Source: two-phase commit: the debit is locked and prepared, the credit is being asked.
struct PrepareStarted {
  Decided decided;  ///< credit is the transit pocket of `target`
  ShardId target;
  LegNumber leg;
  std::string_view credit_account;
};

/// Target: two-phase commit: the credit is locked and has promised, or was refused.
struct PrepareReceived {
  Outcome outcome = Outcome::pending;
  TenantId tenant;
  ShardId source;
  LegNumber leg;
  TransferId id;
  Position source_position;
  Stamp source_stamp;
  Money amount;
  PocketNumber transit = no_pocket;
  PocketNumber credit = no_pocket;
  LegNumber freed_before;
  LegNumber freed_after;
  std::string_view credit_account;
};

/// Source: both sides have answered, and the second phase has begun: Confirm or Commit after success, else Cancel or
/// Abort, whose debit side is done at once. Written as second_started for TC/C, as commit_decided for two-phase commit.
struct SecondStarted {
  Outcome outcome = Outcome::pending;  ///< of the question to the credit
  ShardId target;
  LegNumber leg;     ///< of the question
  LegNumber second;  ///< the leg that carries the second phase
  TransferId id;
  PocketNumber debit;
  PocketNumber transit;
  Money amount;
  Position target_position;  ///< of try_received or prepare_received
  Stamp target_stamp;
  Protocol protocol = Protocol::tcc;

  SecondPhase phase() const { return second_phase_of(protocol, outcome == Outcome::success); }
};

/// Target: the second phase was taken. It is never refused.
struct SecondReceived {
  SecondPhase phase = SecondPhase::none;
  ShardId source;
  LegNumber leg;
  LegNumber tried;  ///< the leg of the question it ends
  TransferId id;
  Position source_position;  ///< of second_started or commit_decided
  Stamp source_stamp;
  Money amount;
  PocketNumber transit = no_pocket;
  PocketNumber credit = no_pocket;
  LegNumber freed_before;
  LegNumber freed_after;
};

/// Source: the credit's second phase is done, and with it the transaction.
struct SecondEnded {
  SecondPhase phase = SecondPhase::none;
  ShardId target;
  LegNumber leg;
  TransferId id;
  PocketNumber debit;
  PocketNumber transit;
  Money amount;
  Position target_position;  ///< of second_received
  Stamp target_stamp;
};

/// An account was frozen, unfrozen or closed; it may have been so before.
struct AccountChanged {
  Operation change = Operation::freeze;
  AccountState before = AccountState::open;
  PrincipalId principal;
  AccountNumber account = no_account;
  TransferId id;
};

/// Part of a pocket's balance is kept for a later capture, or that was refused.
struct HoldPlaced {
  Decided decided;  ///< operation hold; credit no_pocket
  Stamp expires;    ///< at later stamps it has expired; 0 after a refusal
};

/// The inverse of holding.
struct HoldEnded {
  HoldEnd how = HoldEnd::expired;
  std::uint32_t hold = 0;  ///< its row (core/txn/holds.h)
  TransferId id;           ///< the hold's
  PocketNumber pocket = no_pocket;
  Money amount;  ///< all that was held
};

/// The window of ids moved on (core/ledger/dedup.h).
struct WindowMoved {
  IdWindow before;
  IdWindow after;
};

/// A source begins to number what an account moves (core/ledger/dedup.h).
struct SourceOpened {
  AccountNumber home = no_account;
  std::uint64_t source = 0;  ///< at most id_source_max
};

/// Rows leave the state for the attic, or will from now on (core/ledger/dedup.h).
struct RowsLeft {
  bool opens = false;
  std::uint64_t before = 0;  ///< places
  std::uint64_t after = 0;
};

/// A payment to several payees begins, or is done where all are of this shard, or refused.
struct SplitStarted {
  struct Part {
    ShardId target;
    LegNumber leg;                     ///< of its Try; 0 in the debit's own shard
    PocketNumber transit = no_pocket;  ///< of `target`; no_pocket where all is done at once
    PocketNumber credit = no_pocket;   ///< in the own shard
    std::int64_t amount = 0;           ///< minor units of the debit's currency, > 0
    std::string_view credit_account;
  };
  Decided decided;                 ///< operation split; credit no_pocket; the amount is the sum of the parts
  std::uint8_t refused = no_part;  ///< the part that was refused
  std::vector<Part> parts;         ///< none after a refusal
};

/// The Try of one part was answered.
struct SplitAnswered {
  Outcome outcome = Outcome::pending;
  std::uint8_t part = 0;
  ShardId target;
  LegNumber leg;
  TransferId id;
  PocketNumber debit;
  PocketNumber transit;
  Money amount;  ///< of the part
  Position target_position;
  Stamp target_stamp;
};

/// All parts have answered, and the second phase has begun: Confirm of all, or Cancel of all. What it does in this
/// shard is done at once.
struct SplitDecided {
  struct Part {
    ShardId target;
    LegNumber tried;   ///< the leg of its Try; 0 in the own shard
    LegNumber second;  ///< the leg that carries its second phase; 0 in the own shard
    PocketNumber transit = no_pocket;
    PocketNumber credit = no_pocket;  ///< in the own shard
    std::int64_t amount = 0;
  };
  Outcome outcome = Outcome::pending;  ///< success: Confirm; else the refusal
  std::uint8_t refused = no_part;      ///< the first part that refused
  TransferId id;
  PocketNumber debit = no_pocket;
  Currency currency;
  std::vector<Part> parts;  ///< all of the split, in its order

  SecondPhase phase() const { return second_phase_of(Protocol::tcc, outcome == Outcome::success); }
};

/// The second phase of one part is done.
struct SplitEnded {
  SecondPhase phase = SecondPhase::none;
  std::uint8_t part = 0;
  ShardId target;
  LegNumber leg;
  TransferId id;
  PocketNumber debit;
  PocketNumber transit;
  Money amount;  ///< of the part
  Position target_position;
  Stamp target_stamp;
};

using Event = std::variant<ShardFounded, AccountOpened, TransferDecided, LegStarted, LegReceived, LegAnswered,
                           TryStarted, TryReceived, SecondStarted, SecondReceived, SecondEnded, PrepareStarted,
                           PrepareReceived, AccountChanged, HoldPlaced, HoldEnded, WindowMoved, SourceOpened, RowsLeft,
                           SplitStarted, SplitAnswered, SplitDecided, SplitEnded>;

struct EntryHeader {
  std::uint32_t count = 0;
  Position first_position;
  Stamp stamp;
};

inline constexpr std::size_t entry_header_size = 24;

void encode(const EntryHeader& header, ByteWriter& out);
void encode(const Event& event, ByteWriter& out);
void encode(const ShardFounded& event, ByteWriter& out);
void encode(const AccountOpened& event, ByteWriter& out);
void encode(const TransferDecided& event, ByteWriter& out);
void encode(const LegStarted& event, ByteWriter& out);
void encode(const LegReceived& event, ByteWriter& out);
void encode(const LegAnswered& event, ByteWriter& out);
void encode(const TryStarted& event, ByteWriter& out);
void encode(const TryReceived& event, ByteWriter& out);
void encode(const SecondStarted& event, ByteWriter& out);
void encode(const SecondReceived& event, ByteWriter& out);
void encode(const SecondEnded& event, ByteWriter& out);
void encode(const PrepareStarted& event, ByteWriter& out);
void encode(const PrepareReceived& event, ByteWriter& out);
void encode(const AccountChanged& event, ByteWriter& out);
void encode(const HoldPlaced& event, ByteWriter& out);
void encode(const HoldEnded& event, ByteWriter& out);
void encode(const WindowMoved& event, ByteWriter& out);
void encode(const SourceOpened& event, ByteWriter& out);
void encode(const RowsLeft& event, ByteWriter& out);
void encode(const SplitStarted& event, ByteWriter& out);
void encode(const SplitAnswered& event, ByteWriter& out);
void encode(const SplitDecided& event, ByteWriter& out);
void encode(const SplitEnded& event, ByteWriter& out);
/// Marks `in` as failed when the bytes are no event; never reads past the end. Views point into the bytes.
/// Enumerators, currencies, names and amounts are checked here; numbers of accounts and pockets are apply's.
EntryHeader decode_header(ByteReader& in);
Event decode_event(ByteReader& in);

}  // namespace coffer::ledger
