// The authoritative state of one shard as plain parts, and what decide and apply pass around. The parts are written
// only by apply and undo (direct.h, holding.h, saga.h, splitting.h, tcc.h, two_phase_commit.h, asking.h); decide reads
// them.
// Single-threaded.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/ids.h"
#include "core/base/outcome.h"
#include "core/base/time.h"
#include "core/ledger/book.h"
#include "core/ledger/dedup.h"
#include "core/ledger/events.h"
#include "core/txn/holds.h"
#include "core/txn/inbox.h"
#include "core/txn/locks.h"
#include "core/txn/phase_table.h"
#include "core/txn/splits.h"
#include "core/txn/state_machine.h"
#include "core/txn/tries.h"

namespace coffer::txn {

/// Which slots a shard owns. Empty until the shard is founded.
class SlotSet {
 public:
  void add(const ledger::SlotRange& range);
  bool contains(Slot slot) const { return (words_[slot.value / 64] >> slot.value % 64 & 1) != 0; }

 private:
  std::array<std::uint64_t, slot_count / 64> words_{};
};

struct ShardState {
  explicit ShardState(ShardId shard) : self(shard) {}

  ShardId self;
  bool founded = false;
  std::vector<ledger::SlotRange> ranges;
  SlotSet slots;  ///< derived from ranges
  Position last_position;
  Stamp last_stamp;
  ledger::Book book;
  ledger::Dedup dedup;
  PhaseTable phases;
  Inbox inbox;
  Tries tries;
  Holds holds;
  Splits splits;
  Locks locks;  ///< derived from phases and tries

  bool owns(Slot slot) const { return slots.contains(slot); }
  /// By which protocol an id's legs go (checked).
  ledger::Protocol protocol_of(ledger::DedupNumber number) const;
  /// What this unanswered leg asks of its target (checked).
  ledger::LegStep step_of(ShardId target, LegNumber number) const;
};

/// Whether a debit is new, or was promised before by a hold: no freeze keeps a promise from being kept.
enum class Debit : std::uint8_t { fresh, promised };

/// Where an event stands in its shard's log.
struct Place {
  Position position;
  Stamp stamp;  ///< of its entry
};

/// What decide makes of a transfer: at most two events, to be applied in the order of the members.
struct Plan {
  enum class Makes : std::uint8_t { nothing, transfer_decided, leg_started, try_started, prepare_started };

  Outcome outcome = Outcome::pending;
  Makes makes = Makes::nothing;                   ///< nothing when refused without a trace, or replayed
  ledger::DedupNumber replayed = ledger::no_row;  ///< the row of an id bound before with the same body
  std::optional<ledger::AccountOpened> opens;     ///< a system pocket needed for the first time
  ledger::Decided decided;
  ShardId target;                   ///< of the leg started
  std::string_view credit_account;  ///< of the leg started
  std::uint64_t expected = 0;       ///< after id_gap: the number to come
};

/// What the target makes of a leg: at most two events, to be applied in the order of the members.
struct Receipt {
  LegDecision::Kind kind = LegDecision::Kind::gap;
  std::optional<ledger::AccountOpened> opens = {};  ///< a transit pocket needed for the first time
  std::optional<ledger::Event> event = {};          ///< set exactly when `kind` is decided
};

/// What the source makes of an answer.
struct Settlement {
  ledger::Event event;
  AnswerDecision decision;
};

/// How clients see a dedup row.
TransferRecord record_of(const ShardState& state, ledger::DedupNumber number);
/// Canonical: a function of the position alone, whatever is kept for undo. Everything authoritative, nothing derived.
///
///   state := head | book | dedup | splits{version 6 and later} | phases | inbox | tries{version 2 and later}
///            | holds{version 4 and later}
///                (core/ledger/book.h, dedup.h; core/txn/splits.h, phase_table.h, inbox.h, tries.h, holds.h)
///   head  := version u8 | shard u32 | founded u8 | last_position u64 | last_stamp i64
///            | ranges u32 | (first_slot u16 | slot_end u32){ranges}
void export_state(const ShardState& state, Bytes& out);
/// Bytes export_state writes.
std::uint64_t export_size(const ShardState& state);
void export_head(const ShardState& state, ByteWriter& out);

/// Each can say what those before it can, and is used where those before it cannot say it all: so what was always known
/// is written as it always was.
enum class StateVersion : std::uint8_t {
  sagas = 1,                ///< no transaction across shards has left a row but sagas
  with_tries = 2,           ///< ... but protocols with Tries
  with_account_states = 3,  ///< an account was once frozen, unfrozen or closed
  with_holds = 4,           ///< an id was once bound to a hold
  with_window = 5,          ///< ids that carry their own time have a window
  with_splits = 6,          ///< an id was once bound to a split; and there is no window
  with_window_and_splits = 7,
  with_sources = 8,  ///< somebody numbers what an account moves; and there is no window
  with_window_and_sources = 9,
  with_attic = 10,  ///< rows leave the state; and there is no window, and nobody numbers
  with_attic_and_window = 11,
  with_attic_and_sources = 12,
  with_attic_window_and_sources = 13,
};
inline constexpr StateVersion last_state_version = StateVersion::with_attic_window_and_sources;
constexpr bool has_attic(StateVersion version) { return version >= StateVersion::with_attic; }
constexpr bool has_sources(StateVersion version) {
  return version == StateVersion::with_sources || version == StateVersion::with_window_and_sources ||
         version == StateVersion::with_attic_and_sources || version == StateVersion::with_attic_window_and_sources;
}
constexpr bool has_window(StateVersion version) {
  return version == StateVersion::with_window || version == StateVersion::with_window_and_splits ||
         version == StateVersion::with_window_and_sources || version == StateVersion::with_attic_and_window ||
         version == StateVersion::with_attic_window_and_sources;
}
StateVersion version_of(const ShardState& state);
constexpr ledger::AccountFormat account_format(StateVersion version) {
  return version < StateVersion::with_account_states ? ledger::AccountFormat::plain : ledger::AccountFormat::with_state;
}
constexpr PhaseFormat phase_format(StateVersion version) {
  return version == StateVersion::sagas ? PhaseFormat::plain : PhaseFormat::with_second;
}

}  // namespace coffer::txn
