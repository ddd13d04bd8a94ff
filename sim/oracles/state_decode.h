// The oracles' own reading of a snapshot's payload, the canonical export of a shard's state, written from the grammar
// of docs/FORMATS.md and from nothing else. Plain data; takes any bytes, never reads past their end.
//
//   state    := head | book | dedup | windowed{version 5, 7, 9, 11, 13} | queued{version 10 on}
//               | numbered{version 8, 9, 12, 13} | splits{version 6 on} | phases | inbox | tries{version 2 on} |
//               holds{version 4 on}
//   head     := version u8 | shard u32 | founded u8 | last_position u64 | last_stamp i64
//               | ranges u32 | (first_slot u16 | slot_end u32){ranges}
//   book     := count u64 | account{count} | count u64 | pocket{count}
//   account  := tenant u32 | name short_string | state u8{version 3 on}
//   pocket   := account u32 | currency u32 | peer u32 | kind u8 | balance i64 | pending i64
//   dedup    := count u64 | row{count}
//   row      := home u32 | id 16 | digest 16 | position u64 | stamp i64 | operation u8 | outcome u8 | linked u8
//               | link{linked}
//   link     := target u32 | leg u64 | target_position u64 | target_stamp i64
//   windowed := passed u64 | first u64 | count u64 | row{count}
//   queued   := left u64 | count u64 | row{count}
//   numbered := count u64 | row{count}
//   phases   := count u64 | outgoing{count}
//   outgoing := target u32 | next u64 | first_unanswered u64
//               | leg{next - first_unanswered}
//   leg      := dedup u32 | debit u32 | transit u32 | amount i64 | credit_account short_string
//               | second{version 2 to 5}
//   second   := phase u8 | (tried u64 | position u64 | stamp i64){phase > 0}
//   inbox    := count u64 | incoming{count}
//   incoming := source u32 | next u64 | freed u64 | (id 16 | position u64 | stamp i64 | outcome u8){next - freed - 1}
//   tries    := count u64 | try{count}
//   try      := source u32 | leg u64 | id 16 | transit u32 | credit u32 | amount i64 | flags u8
//   holds    := count u64 | hold{count}
//   hold     := dedup u32 | pocket u32 | amount i64 | expires i64 | end u8
//   splits   := count u64 | split{count}
//   split    := dedup u32 | debit u32 | second u8 | refused u8 | decided u64 | decided_stamp i64 | parts u8
//               | part{parts}
//   part     := target u32 | tried u64 | second u64 | transit u32 | credit u32 | amount i64 | outcome u8 | ended u8
//               | tried_position u64 | tried_stamp i64 | ended_position u64 | ended_stamp i64
//               | credit_account short_string
// linked is 0, 1 (a saga), 2 (TC/C) or 3 (two-phase commit). A leg's dedup is a row's place, of a windowed row 2^31
// and the place modulo 2^30, of a numbered row 3 * 2^30 and the place, of a queued row 7 * 2^29 and the
// place modulo 2^28. Version 10 where rows leave the state, 11 where ids have a window as well, 12 where an account has
// a source, 13 where both are so; else 8 where an account has a source that
// numbers what it moves, and 9 where ids have a window as well; else 6 where an id is bound to a split (operation 8),
// and 7 where ids have a window as well; else 5 where they have a window (passed > 0); else 4 where an id is bound to a
// hold (operation 7); else 3 where one is bound to a change of an account (operations 4 to 6); else 2 where a row is
// linked by another protocol than the saga or there are tries; else 1. Flags: 1 out of order, 2 prepared by two-phase
// commit.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/codec.h"
#include "core/base/hash.h"
#include "core/base/ids.h"
#include "core/base/money.h"
#include "core/base/outcome.h"
#include "core/base/time.h"
#include "sim/oracles/decode.h"

namespace coffer::sim::oracles {

struct AccountRow {
  TenantId tenant;
  std::string name;
  AccountState state = AccountState::open;
  bool operator==(const AccountRow&) const = default;
};

struct PocketRow {
  AccountNumber account = no_account;
  Currency currency;
  ShardId peer;
  PocketKind kind = PocketKind::customer;
  std::int64_t balance = 0;
  std::int64_t pending = 0;  ///< in legs without an answer
  bool operator==(const PocketRow&) const = default;
};

struct DedupRow {
  struct Link {
    ShardId target;
    LegNumber leg;
    Position target_position;
    Stamp target_stamp;
    std::uint8_t protocol = 1;
    bool operator==(const Link&) const = default;
  };
  AccountNumber home;
  TransferId id;
  Hash128 digest;
  Position position;
  Stamp stamp;
  Operation operation = Operation::transfer;  ///< or the number of an AccountChange
  Outcome outcome = Outcome::pending;
  std::optional<Link> link;
  bool is_change() const { return operation > Operation::withdrawal && operation < Operation::hold; }
  bool operator==(const DedupRow&) const = default;
};

/// How legs name a windowed row.
constexpr std::uint32_t windowed_number(std::uint64_t place) {
  return 0x8000'0000u + static_cast<std::uint32_t>(place % (std::uint64_t{1} << 30));
}

/// How legs name a source's row.
constexpr std::uint32_t numbered_number(std::uint64_t place) {
  return 0xC000'0000u + static_cast<std::uint32_t>(place);
}

/// How legs name a queued row.
constexpr std::uint32_t queued_number(std::uint64_t place) {
  return 0xE000'0000u + static_cast<std::uint32_t>(place % (std::uint64_t{1} << 28));
}

/// A leg without an answer.
struct PhaseRow {
  std::uint32_t dedup = 0;
  PocketNumber debit;
  PocketNumber transit;
  std::int64_t amount = 0;
  std::string credit_account;
  struct Second {
    SecondPhase phase = SecondPhase::confirm;
    LegNumber tried;
    Position position;
    Stamp stamp;
    bool operator==(const Second&) const = default;
  };
  std::optional<Second> second = {};
  bool operator==(const PhaseRow&) const = default;
};
struct Outgoing {
  LegNumber next{1};
  LegNumber first_unanswered{1};
  std::vector<PhaseRow> rows;
  bool operator==(const Outgoing&) const = default;
};

/// A leg received, whose outcome was not freed.
struct ReceivedRow {
  TransferId id;
  Position position;
  Stamp stamp;
  Outcome outcome = Outcome::pending;
  bool operator==(const ReceivedRow&) const = default;
};
struct Incoming {
  LegNumber next{1};
  LegNumber freed{0};
  std::vector<ReceivedRow> rows;
  bool operator==(const Incoming&) const = default;
};

/// A Try that was answered and waits for its second phase.
struct TryRow {
  ShardId source;
  LegNumber leg;
  TransferId id;
  PocketNumber transit = no_pocket;
  PocketNumber credit = no_pocket;
  std::int64_t amount = 0;
  bool out_of_order = false;
  bool prepared = false;
  bool operator==(const TryRow&) const = default;
};

/// A hold that was placed, ended or not.
struct HoldRow {
  std::uint32_t dedup = 0;
  PocketNumber pocket = no_pocket;
  std::int64_t amount = 0;
  Stamp expires;
  std::uint8_t end = 0;  ///< 0: live; or a HoldEnd
  bool operator==(const HoldRow&) const = default;
};

/// A split, with its parts.
struct SplitRow {
  struct Part {
    ShardId target;
    LegNumber tried;
    LegNumber second;
    PocketNumber transit = no_pocket;
    PocketNumber credit = no_pocket;
    std::int64_t amount = 0;
    Outcome outcome = Outcome::pending;
    bool ended = false;
    Position tried_position;
    Stamp tried_stamp;
    Position ended_position;
    Stamp ended_stamp;
    std::string credit_account;
    bool operator==(const Part&) const = default;
  };
  std::uint32_t dedup = 0;
  PocketNumber debit = no_pocket;
  std::uint8_t second = 0;  ///< 0: not decided; or a SecondPhase
  std::uint8_t refused = no_part;
  Position decided;
  Stamp decided_stamp;
  std::vector<Part> parts;
  bool operator==(const SplitRow&) const = default;
};

struct StateRows {
  ShardId shard;
  bool founded = false;
  Position last_position;
  Stamp last_stamp;
  std::vector<SlotRange> ranges;
  std::vector<AccountRow> accounts;  ///< by number
  std::vector<PocketRow> pockets;    ///< by number
  std::vector<DedupRow> dedup;       ///< by number: those kept for ever
  std::uint64_t passed_ms = 0;       ///< of the window; 0: there is none
  std::uint64_t first_windowed = 0;  ///< place of the first of `windowed`
  std::vector<DedupRow> windowed;    ///< those that have an end and are not forgotten, by place
  bool has_attic = false;            ///< rows leave the state
  std::uint64_t left = 0;            ///< as many have: the place of the first of `queued`
  std::vector<DedupRow> queued;      ///< by place
  std::vector<DedupRow> numbered;    ///< one for each source, that of its last number, in the order opened
  std::map<ShardId, Outgoing> outgoing;
  std::map<ShardId, Incoming> incoming;
  std::vector<TryRow> tries;     ///< sources and legs ascending
  std::vector<HoldRow> holds;    ///< in the order placed
  std::vector<SplitRow> splits;  ///< in the order begun
};

/// Nothing when the bytes do not follow the grammar: not the canonical ones.
std::optional<StateRows> decode_state(ByteView payload);

/// One row of an id with its link, as it stands in a snapshot.
DedupRow decode_dedup_row(ByteReader& in);

}  // namespace coffer::sim::oracles
