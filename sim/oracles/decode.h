// The oracles' own reading of log entries, written from the grammar in core/ledger/events.h and from nothing else, so
// that a mistake in the product's codec is not shared. Plain data; never crashes, never reads past the end.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/hash.h"
#include "core/base/ids.h"
#include "core/base/money.h"
#include "core/base/outcome.h"
#include "core/base/time.h"

namespace coffer::sim::oracles {

enum class PocketKind : std::uint8_t { customer = 1, issue = 2, transit = 3 };
/// What binds an id and is decided like a transfer; a hold moves nothing.
enum class Operation : std::uint8_t { transfer = 1, deposit = 2, withdrawal = 3, hold = 7, split = 8 };

/// As an id's; beside the operations that move money.
enum class AccountChange : std::uint8_t { freeze = 4, unfreeze = 5, close = 6 };
enum class AccountState : std::uint8_t { open = 1, frozen = 2, closed = 3 };

struct SlotRange {
  Slot first;
  std::uint32_t end = 0;
  bool operator==(const SlotRange&) const = default;
};

struct ShardFounded {
  ShardId shard;
  std::vector<SlotRange> ranges;
};

struct AccountOpened {
  PocketKind kind = PocketKind::customer;
  TenantId tenant;
  AccountNumber account;
  PocketNumber pocket;
  Currency currency;
  ShardId peer;
  std::string name;  ///< empty for system pockets
};

/// What transfer_decided and leg_started share.
struct Decided {
  Operation operation = Operation::transfer;
  Outcome outcome = Outcome::pending;
  AccountNumber home;
  PocketNumber debit = no_pocket;
  PocketNumber credit = no_pocket;
  Money amount;
  TransferId id;
  Hash128 digest;  ///< of the body
};

struct TransferDecided {
  Decided decided;
};

struct LegStarted {
  Decided decided;
  ShardId target;
  LegNumber leg;
  std::string credit_account;
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
  LegNumber freed_before;
  LegNumber freed_after;
  std::string credit_account;
};

struct LegAnswered {
  Outcome outcome = Outcome::pending;
  ShardId target;
  LegNumber leg;
  TransferId id;
  PocketNumber debit = no_pocket;
  PocketNumber transit = no_pocket;
  Money amount;
  Position target_position;
  Stamp target_stamp;
};

/// A Try has the fields of a saga's leg; it moves the debit, and nothing at the credit.
struct TryStarted {
  LegStarted leg;
};

struct TryReceived {
  LegReceived leg;  ///< success: transit and credit keep room
};

/// Two-phase commit: as a Try, and the debit is locked.
struct PrepareStarted {
  LegStarted leg;
};

struct PrepareReceived {
  LegReceived leg;  ///< success: transit and credit keep room, and the credit is locked
};

enum class SecondPhase : std::uint8_t { confirm = 1, cancel = 2, commit = 3, abort = 4 };
constexpr bool accepts(SecondPhase phase) { return phase == SecondPhase::confirm || phase == SecondPhase::commit; }
constexpr bool is_of_locks(SecondPhase phase) { return phase == SecondPhase::commit || phase == SecondPhase::abort; }

struct SecondStarted {
  LegAnswered tried;  ///< the answer to the question
  LegNumber second;
  bool of_locks = false;  ///< two-phase commit's decision (commit_decided), not TC/C's
  SecondPhase phase() const {
    if (of_locks) return tried.outcome == Outcome::success ? SecondPhase::commit : SecondPhase::abort;
    return tried.outcome == Outcome::success ? SecondPhase::confirm : SecondPhase::cancel;
  }
};

struct SecondReceived {
  SecondPhase phase = SecondPhase::confirm;
  ShardId source;
  LegNumber leg;
  LegNumber tried;
  TransferId id;
  Position source_position;
  Stamp source_stamp;
  Money amount;
  PocketNumber transit = no_pocket;
  PocketNumber credit = no_pocket;
  LegNumber freed_before;
  LegNumber freed_after;
};

struct SecondEnded {
  SecondPhase phase = SecondPhase::confirm;
  ShardId target;
  LegNumber leg;
  TransferId id;
  PocketNumber debit = no_pocket;
  PocketNumber transit = no_pocket;
  Money amount;
  Position target_position;
  Stamp target_stamp;
};

struct AccountChanged {
  AccountChange change = AccountChange::freeze;
  AccountState before = AccountState::open;
  AccountNumber account = no_account;
  TransferId id;
  AccountState after() const {
    return change == AccountChange::freeze  ? AccountState::frozen
           : change == AccountChange::close ? AccountState::closed
                                            : AccountState::open;
  }
};

/// Part of a balance is kept for a capture, or (a logged refusal) is not.
struct HoldPlaced {
  Decided decided;
  Stamp expires;  ///< kept in entries stamped up to here
};

enum class HoldEnd : std::uint8_t { captured = 1, voided = 2, expired = 3 };

/// It is not kept any more. Captured: the next event of the entry decides the transfer that takes it, but that the
/// transit pocket which it needs may be opened in between.
struct HoldEnded {
  HoldEnd how = HoldEnd::voided;
  std::uint32_t hold = 0;  ///< the shard's holds count from 0 in the order placed, refused ones left out
  TransferId id;
  PocketNumber pocket = no_pocket;
  Money amount;  ///< all of it
};

/// UUIDv7s of `passed_ms` and before are bound no more, and rows before `first` of those that had one are forgotten.
struct WindowMoved {
  std::uint64_t passed_before_ms = 0;
  std::uint64_t passed_ms = 0;
  std::uint64_t first_before = 0;
  std::uint64_t first = 0;
};
/// When a UUIDv7 was made, as it says; nothing for other ids.
std::optional<std::uint64_t> made_ms(const TransferId& id);
/// Whether a row bound to it while there is a window is one of those that are forgotten: a UUIDv7 not more than five
/// minutes ahead of its entry.
bool has_end(const TransferId& id, Stamp stamp);

/// From here on UUIDv8s of this source number what an account moves.
struct SourceOpened {
  AccountNumber home = no_account;
  std::uint64_t source = 0;
};

/// Rows [before, after) of those queued have left the state; or from here on rows are queued: those of transfers,
/// deposits and withdrawals whose ids neither end nor are numbered.
struct RowsLeft {
  bool opens = false;
  std::uint64_t before = 0;
  std::uint64_t after = 0;
};

/// What a UUIDv8 says, by docs/FORMATS.md: 48 and 12 bits of a source, 62 of a number.
struct Numbered {
  std::uint64_t source = 0;
  std::uint64_t number = 0;
};
/// Nothing for other versions and variants, and where the number is 0.
std::optional<Numbered> numbered_as(const TransferId& id);

inline constexpr std::uint8_t no_part = 0xFF;

/// A payment to several payees: begun with all its Tries, done at once where all are in this shard, or refused.
struct SplitStarted {
  struct Part {
    ShardId target;
    LegNumber leg;                     ///< 0: in this shard
    PocketNumber transit = no_pocket;  ///< no_pocket: done at once
    PocketNumber credit = no_pocket;   ///< in this shard
    std::int64_t amount = 0;
    std::string credit_account;
    bool is_here() const { return leg == LegNumber(); }
  };
  Decided decided;  ///< the amount is that of all parts
  std::uint8_t refused = no_part;
  std::vector<Part> parts;
};

/// The answer to the Try of one part.
struct SplitAnswered {
  LegAnswered tried;
  std::uint8_t part = 0;
};

/// All Tries are answered: Confirm of all, or Cancel of all.
struct SplitDecided {
  struct Part {
    ShardId target;
    LegNumber tried;
    LegNumber second;
    PocketNumber transit = no_pocket;
    PocketNumber credit = no_pocket;
    std::int64_t amount = 0;
    bool is_here() const { return tried == LegNumber(); }
  };
  Outcome outcome = Outcome::pending;
  std::uint8_t refused = no_part;
  TransferId id;
  PocketNumber debit = no_pocket;
  Currency currency;
  std::vector<Part> parts;
  SecondPhase phase() const { return outcome == Outcome::success ? SecondPhase::confirm : SecondPhase::cancel; }
};

/// The second phase of one part is done.
struct SplitEnded {
  SecondEnded ended;
  std::uint8_t part = 0;
};

using Event = std::variant<ShardFounded, AccountOpened, TransferDecided, LegStarted, LegReceived, LegAnswered,
                           TryStarted, TryReceived, SecondStarted, SecondReceived, SecondEnded, PrepareStarted,
                           PrepareReceived, AccountChanged, HoldPlaced, HoldEnded, WindowMoved, SourceOpened, RowsLeft,
                           SplitStarted, SplitAnswered, SplitDecided, SplitEnded>;

struct Entry {
  Position first_position;
  Stamp stamp;
  std::vector<Event> events;  ///< none: a leader's no-op
};

/// Nothing when the bytes do not follow the grammar. An empty payload is a leader's no-op.
std::optional<Entry> decode_entry(ByteView payload);

/// What an event decides of a client's order: null for events that decide none.
const Decided* decided_by(const Event& event);

/// Of the end of a hold that is captured, as long as what decides its transfer is still to come: `event` follows
/// `pending`. Null where it is not, or has come.
const HoldEnded* capture_pending(const HoldEnded* pending, const Event& event);

/// The id of the transfer that captures a hold, by docs/PROTOCOLS.md.
TransferId captured_as(const TransferId& hold);

/// One change of one pocket.
struct Posting {
  PocketNumber pocket;
  Money amount;  ///< signed
};

/// What an event does to pockets, by the grammar's words: nothing, or two postings; of a split, one for each pocket.
std::vector<Posting> postings_of(const Event& event);

}  // namespace coffer::sim::oracles
