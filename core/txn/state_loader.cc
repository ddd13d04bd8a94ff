#include "core/txn/state_loader.h"

#include <utility>

#include "core/base/check.h"
#include "core/base/money.h"
#include "core/ledger/row_codec.h"

namespace coffer::txn {

namespace {

constexpr std::size_t item_bytes_max = 160;  ///< of a head, a count or a row
static_assert(item_bytes_max > ledger::dedup_bytes + ledger::link_bytes);
static_assert(item_bytes_max > phase_row_bytes + ledger::account_name_max + 1 + second_bytes);
static_assert(item_bytes_max > try_row_bytes);
static_assert(item_bytes_max > hold_row_bytes);
static_assert(item_bytes_max > split_part_bytes + ledger::account_name_max + 1 && item_bytes_max > split_row_bytes);

void require(bool condition, ByteReader& in) {
  if (!condition) in.fail();
}

Error not_a_state() { return error(ErrorCode::malformed, "the bytes of the snapshot are no state of this shard"); }

}  // namespace

StateLoader::StateLoader(ShardId self) : machine_(std::make_unique<StateMachine>(self)) {}

StateLoader::~StateLoader() = default;

Result<void> StateLoader::feed(ByteView piece) {
  check(machine_ != nullptr, "a loader is used once");
  if (malformed_) return not_a_state();
  rest_.insert(rest_.end(), piece.begin(), piece.end());
  return take(false);
}

Result<std::unique_ptr<StateMachine>> StateLoader::finish() {
  check(machine_ != nullptr, "a loader is used once");
  if (malformed_ || !take(true) || !is_whole()) {
    machine_.reset();
    return not_a_state();
  }
  machine_->loaded();
  return std::move(machine_);
}

Result<void> StateLoader::take(bool is_end) {
  ByteReader in(rest_);
  while (part_ != Part::end && in.ok() && (is_end || in.remaining() >= item_bytes_max)) take_next(in);
  malformed_ = !in.ok() || (part_ == Part::end && in.remaining() > 0);
  if (malformed_) return not_a_state();
  rest_.erase(rest_.begin(), rest_.begin() + static_cast<std::ptrdiff_t>(in.position()));
  return {};
}

/// Takes one row, one count, or the step to the next part.
void StateLoader::take_next(ByteReader& in) {
  switch (part_) {
    case Part::head:
      return take_head(in);
    case Part::ranges:
      return rows_left_ > 0 ? take_range(in) : go_on(Part::accounts, in);
    case Part::accounts:
      return rows_left_ > 0 ? take_account(in) : go_on(Part::pockets, in);
    case Part::pockets:
      return rows_left_ > 0 ? take_pocket(in) : go_on(Part::dedup, in);
    case Part::dedup:
      if (rows_left_ > 0) return take_dedup(in);
      return has_window(version_) ? take_window(in) : go_on_behind_window(in);
    case Part::windowed:
      return rows_left_ > 0 ? take_dedup(in) : go_on_behind_window(in);
    case Part::queued:
      return rows_left_ > 0 ? take_queued(in) : go_on_behind_queue(in);
    case Part::numbered:
      return rows_left_ > 0 ? take_numbered(in) : go_on_behind_ids(in);
    case Part::splits:
      return splits_left_ > 0 ? take_split(in) : go_on(Part::targets, in);
    case Part::split_parts:
      if (rows_left_ > 0) return take_split_part(in);
      require(is_as_its_parts_say(), in);
      part_ = Part::splits;
      return;
    case Part::targets:
      return peers_left_ > 0 ? take_target(in) : go_on(Part::sources, in);
    case Part::legs:
      if (rows_left_ > 0) return take_leg(in);
      part_ = Part::targets;
      return;
    case Part::sources:
      if (peers_left_ > 0) return take_source(in);
      return version_ >= StateVersion::with_tries ? go_on(Part::tries, in) : go_on(Part::end, in);
    case Part::received:
      if (rows_left_ > 0) return take_received(in);
      part_ = Part::sources;
      return;
    case Part::tries:
      if (rows_left_ > 0) return take_try(in);
      return version_ >= StateVersion::with_holds ? go_on(Part::holds, in) : go_on(Part::end, in);
    case Part::holds:
      return rows_left_ > 0 ? take_hold(in) : go_on(Part::end, in);
    case Part::end:
      return;
  }
}

/// Reads the count of the next part.
void StateLoader::go_on(Part part, ByteReader& in) {
  part_ = part;
  if (part == Part::end) return;
  const std::uint64_t count = in.u64();
  require(count == 0 || state().founded, in);
  const bool is_of_peers = part == Part::targets || part == Part::sources;
  (part == Part::splits ? splits_left_ : is_of_peers ? peers_left_ : rows_left_) = count;
}

void StateLoader::take_head(ByteReader& in) {
  const std::uint8_t version = in.u8();
  require(version >= 1 && version <= static_cast<std::uint8_t>(last_state_version), in);
  version_ = static_cast<StateVersion>(version);
  require(in.id<ShardId>() == state().self, in);
  const std::uint8_t founded = in.u8();
  state().last_position = in.id<Position>();
  state().last_stamp = Stamp{in.i64()};
  rows_left_ = in.u32();
  require(founded <= 1 && state().last_stamp >= Stamp(), in);
  require((founded == 1) == (state().last_position > Position()), in);
  require((founded == 1) == (state().last_stamp > Stamp()), in);
  require(founded == 1 || rows_left_ == 0, in);
  state().founded = founded == 1;
  part_ = Part::ranges;
}

void StateLoader::take_range(ByteReader& in) {
  --rows_left_;
  ledger::SlotRange range;
  range.first = in.id<Slot>();
  range.end = in.u32();
  const std::uint32_t free_from = state().ranges.empty() ? 0 : state().ranges.back().end;
  require(range.first.value >= free_from && range.first.value < range.end && range.end <= slot_count, in);
  if (!in.ok()) return;
  state().slots.add(range);
  state().ranges.push_back(range);
}

void StateLoader::take_account(ByteReader& in) {
  --rows_left_;
  const ledger::AccountRow row = ledger::decode_account(in, account_format(version_));
  require(state().owns(ledger::AccountKey(row.tenant, row.name.view()).slot()), in);
  require(in.ok() && state().book.load(row), in);
}

void StateLoader::take_pocket(ByteReader& in) {
  --rows_left_;
  const ledger::PocketRow row = ledger::decode_pocket(in);
  // A shard has a transit pocket for itself only where it has split a payment.
  require(row.peer() != state().self || version_ >= StateVersion::with_splits, in);
  require(in.ok() && state().book.load(row), in);
}

/// Whether a row's place is one in this log, not before the row taken before it.
bool StateLoader::is_next_place(Position position, Stamp stamp) {
  const bool is_next = position > last_position_ && position <= state().last_position && stamp >= last_stamp_ &&
                       stamp <= state().last_stamp;
  last_position_ = position;
  last_stamp_ = stamp;
  return is_next;
}

void StateLoader::take_dedup(ByteReader& in) {
  --rows_left_;
  ledger::LegLink link;
  const ledger::DedupRow row = ledger::decode_dedup(in, link);
  require(row.home < state().book.next_account() && is_next_place(row.position, row.stamp), in);
  require(row.link == ledger::no_row || link.target != state().self, in);
  require(in.ok() && state().dedup.load(row, link), in);
  if (row.operation == ledger::Operation::split) {
    ++split_rows_;
  } else if (row.outcome == Outcome::pending) {
    ++pending_rows_;
  }
  if (row.operation == ledger::Operation::hold && row.outcome == Outcome::success) ++hold_rows_;
}

/// The head of the windowed rows; those that follow begin a new order.
void StateLoader::take_window(ByteReader& in) {
  ledger::IdWindow window;
  window.passed_ms = in.u64();
  window.first = in.u64();
  require(in.ok() && state().dedup.load_window(window), in);
  last_position_ = {};
  last_stamp_ = {};
  go_on(Part::windowed, in);
}

void StateLoader::go_on_behind_window(ByteReader& in) {
  return has_attic(version_) ? take_attic(in) : go_on_behind_queue(in);
}

/// The head of the queued rows; those that follow begin a new order.
void StateLoader::take_attic(ByteReader& in) {
  const std::uint64_t left = in.u64();
  require(in.ok() && state().dedup.load_attic(left), in);
  last_position_ = {};
  last_stamp_ = {};
  go_on(Part::queued, in);
}

void StateLoader::take_queued(ByteReader& in) {
  --rows_left_;
  ledger::LegLink link;
  const ledger::DedupRow row = ledger::decode_dedup(in, link);
  require(row.home < state().book.next_account() && is_next_place(row.position, row.stamp), in);
  require(row.link == ledger::no_row || link.target != state().self, in);
  require(in.ok() && state().dedup.load_queued(row, link), in);
  if (row.outcome == Outcome::pending) ++pending_rows_;
}

void StateLoader::go_on_behind_queue(ByteReader& in) {
  return has_sources(version_) ? go_on(Part::numbered, in) : go_on_behind_ids(in);
}

/// A source's row: in the order of the sources, not of the events.
void StateLoader::take_numbered(ByteReader& in) {
  --rows_left_;
  ledger::LegLink link;
  const ledger::DedupRow row = ledger::decode_dedup(in, link);
  const bool is_in_log = row.position > Position() && row.position <= state().last_position && row.stamp > Stamp() &&
                         row.stamp <= state().last_stamp;
  require(row.home < state().book.next_account() && is_in_log, in);
  require(row.link == ledger::no_row || link.target != state().self, in);
  require(in.ok() && state().dedup.load_source(row, link), in);
  if (row.outcome == Outcome::pending) ++pending_rows_;
}

void StateLoader::go_on_behind_ids(ByteReader& in) {
  go_on(version_ >= StateVersion::with_splits ? Part::splits : Part::targets, in);
}

void StateLoader::take_split(ByteReader& in) {
  --splits_left_;
  const SplitRow row = decode_split_row(in);
  require(in.ok() && is_split(row) && state().splits.load(row), in);
  if (!in.ok()) return;
  --split_rows_;
  rows_left_ = row.parts;
  part_ = Part::split_parts;
}

/// Whether the row is of a split that a dedup row has begun, on a pocket of its account, and says what became of it.
bool StateLoader::is_split(const SplitRow& row) const {
  const ShardState& state = machine_->parts();
  if (!state.dedup.has(row.dedup)) return false;
  const ledger::DedupRow& bound = state.dedup.row(row.dedup);
  if (bound.operation != ledger::Operation::split) return false;
  const bool is_refused = bound.outcome != Outcome::pending && bound.outcome != Outcome::success;
  const bool is_decided = row.second != ledger::SecondPhase::none;
  if (row.parts == 0) {
    return is_refused && !is_decided && row.decided == Position() && row.decided_stamp == Stamp() &&
           (row.refused == ledger::no_part || row.refused < ledger::split_parts_max);
  }
  if (row.debit >= state.book.next_pocket() || state.book.pocket(row.debit).account != bound.home) return false;
  if ((row.second == ledger::SecondPhase::cancel) != is_refused) return false;
  if (is_refused ? row.refused >= row.parts : row.refused != ledger::no_part) return false;
  return is_decided ? row.decided > bound.position && row.decided <= state.last_position &&
                          is_answered(row.decided, row.decided_stamp, true)
                    : row.decided == Position() && row.decided_stamp == Stamp();
}

/// Whether an answer can be logged with this place of its, where there is one.
bool StateLoader::is_answered(Position position, Stamp stamp, bool answered) const {
  if (!answered) return position == Position() && stamp == Stamp();
  return position > Position() && stamp > Stamp() && stamp <= machine_->parts().last_stamp;
}

void StateLoader::take_split_part(ByteReader& in) {
  --rows_left_;
  const SplitPartRow part = decode_split_part(in);
  const auto number = static_cast<SplitNumber>(state().splits.size() - 1);
  SplitRow& split = state().splits.row(number);
  require(in.ok() && is_split_part(split, part), in);
  if (!in.ok()) return;
  const bool tries = split.second == ledger::SecondPhase::none && !part.ended;
  const bool comes_back = tries || (ledger::accepts(split.second) && !part.ended);
  if (comes_back) require(add_pending(split.debit, part.amount) && add_pending(part.transit, part.amount), in);
  if (tries && part.is_here()) {
    require(add_pending(part.transit, part.amount) && add_pending(part.credit, part.amount), in);
  }
  if (!part.is_here() && (tries ? part.outcome == Outcome::pending : !part.ended)) {
    ++split.open;
    ++split_legs_;
  }
  state().splits.load(part);
}

/// Whether it can be a part of this split: in its phase, and with pockets that are right.
bool StateLoader::is_split_part(const SplitRow& split, const SplitPartRow& part) const {
  const ShardState& state = machine_->parts();
  const ledger::Book& book = state.book;
  const bool is_here = part.is_here();
  const bool is_decided = split.second != ledger::SecondPhase::none;
  const bool at_once = part.transit == no_pocket;
  const Currency currency = book.pocket(split.debit).currency;
  if (is_here != (part.target == state.self) || is_here != (part.credit != no_pocket)) return false;
  if (part.target == ShardId() || part.tried.value > leg_number_max || part.second.value > leg_number_max) return false;
  if (is_here && (part.credit >= book.next_pocket() || book.pocket(part.credit).currency != currency ||
                  book.pocket(part.credit).kind != ledger::PocketKind::customer)) {
    return false;
  }
  // All done at once, or none.
  if (at_once != (state.dedup.row(split.dedup).outcome == Outcome::success && !is_decided)) return false;
  if (at_once) return is_here && part.ended && part.outcome == Outcome::success && is_answered({}, {}, false);
  if (part.transit >= book.next_pocket()) return false;
  const ledger::PocketRow& transit = book.pocket(part.transit);
  if (transit.kind != ledger::PocketKind::transit || transit.peer() != part.target || transit.currency != currency) {
    return false;
  }
  if (is_here) {
    return part.outcome == Outcome::success && part.ended == is_decided && part.second == LegNumber() &&
           is_answered(part.tried_position, part.tried_stamp, false) &&
           is_answered(part.ended_position, part.ended_stamp, false);
  }
  const bool has_answered = part.outcome != Outcome::pending;
  if (is_decided && (!has_answered || part.second <= part.tried)) return false;
  if (!is_decided && (part.second != LegNumber() || part.ended)) return false;
  if (ledger::accepts(split.second) && part.outcome != Outcome::success) return false;
  return is_answered(part.tried_position, part.tried_stamp, has_answered) &&
         is_answered(part.ended_position, part.ended_stamp, part.ended);
}

/// Whether the split loaded last waits exactly as long as one of its parts does, or was refused as the first of them
/// that refused. (The outcome stands while its Cancels are under way.)
bool StateLoader::is_as_its_parts_say() const {
  const ShardState& state = machine_->parts();
  const auto number = static_cast<SplitNumber>(state.splits.size() - 1);
  const SplitRow& split = state.splits.row(number);
  const Outcome told = state.dedup.row(split.dedup).outcome;
  if (split.second != ledger::SecondPhase::cancel) return (told == Outcome::pending) == (split.open > 0);
  for (std::uint8_t i = 0; i < split.parts; ++i) {
    const Outcome outcome = state.splits.part(number, i).outcome;
    if (outcome != Outcome::success) return i == split.refused && outcome == told;
  }
  return false;
}

void StateLoader::take_target(ByteReader& in) {
  --peers_left_;
  peer_ = in.id<ShardId>();
  const auto next = in.id<LegNumber>();
  leg_ = in.id<LegNumber>();
  require(peer_ != state().self && next.value <= leg_number_max, in);
  require(in.ok() && state().phases.load(peer_, next, leg_), in);
  if (!in.ok()) return;
  rows_left_ = next.value - leg_.value;
  part_ = Part::legs;
}

void StateLoader::take_leg(ByteReader& in) {
  --rows_left_;
  const PhaseRow row = decode_phase_row(in, phase_format(version_));
  require(in.ok() && is_leg(row), in);
  const bool is_of_split = in.ok() && state().dedup.row(row.dedup).operation == ledger::Operation::split;
  if (is_of_split) --split_legs_;
  if (in.ok() && row.holds_money() && !is_of_split) {
    require(add_pending(row.debit, row.amount) && add_pending(row.transit, row.amount), in);
    --pending_rows_;
  }
  if (!in.ok()) return;
  const ledger::LegStep step = ledger::step_of(state().protocol_of(row.dedup), row.second);
  if (step == ledger::LegStep::prepare) require(take_lock(row.debit), in);
  state().phases.load(row);
  leg_ = leg_.next();
}

/// Whether the row is the leg numbered leg_ to peer_ that a dedup row is waiting for, and its pockets are right.
bool StateLoader::is_leg(const PhaseRow& row) {
  const ledger::Book& book = state().book;
  if (!state().dedup.has(row.dedup) || row.debit >= book.next_pocket() || row.transit >= book.next_pocket()) {
    return false;
  }
  const ledger::DedupRow& bound = state().dedup.row(row.dedup);
  if (bound.operation == ledger::Operation::split) return is_leg_of_split(row);
  if (bound.link == ledger::no_row || !is_waited_for(row, bound)) return false;
  const ledger::LegLink& link = state().dedup.link(row.dedup);
  const ledger::PocketRow& debit = book.pocket(row.debit);
  const ledger::PocketRow& transit = book.pocket(row.transit);
  return link.target == peer_ && link.leg == leg_ && debit.account == bound.home && transit.peer() == peer_ &&
         transit.kind == ledger::PocketKind::transit && debit.currency == transit.currency;
}

/// Whether the row is the leg numbered leg_ to peer_ that a part of a split is waiting for.
bool StateLoader::is_leg_of_split(const PhaseRow& row) const {
  const ShardState& state = machine_->parts();
  const SplitNumber number = state.splits.find(row.dedup);
  if (number == no_split || split_legs_ == 0) return false;
  const SplitRow& split = state.splits.row(number);
  if (row.debit != split.debit || row.second != split.second || row.position != split.decided ||
      row.stamp != split.decided_stamp) {
    return false;
  }
  for (std::uint8_t i = 0; i < split.parts; ++i) {
    const SplitPartRow& part = state.splits.part(number, i);
    const bool tries = split.second == ledger::SecondPhase::none;
    if (part.is_here() || part.target != peer_ || (tries ? part.tried : part.second) != leg_) continue;
    return (tries ? part.outcome == Outcome::pending : !part.ended) && row.transit == part.transit &&
           row.amount == part.amount && row.credit_account.view() == part.credit_account.view() &&
           row.tried == (tries ? LegNumber() : part.tried);
  }
  return false;
}

/// Whether the leg's dedup row waits for its answer, as all but Cancels do, and a second phase can be where it says.
bool StateLoader::is_waited_for(const PhaseRow& row, const ledger::DedupRow& bound) const {
  if ((bound.outcome == Outcome::pending) != row.holds_money()) return false;
  if (row.second == ledger::SecondPhase::none) return true;
  const ShardState& state = machine_->parts();
  return state.dedup.link(row.dedup).protocol == ledger::protocol_of(row.second) && row.tried.value > 0 &&
         row.tried < leg_ && row.position > bound.position && row.position <= state.last_position &&
         row.stamp > bound.stamp && row.stamp <= state.last_stamp;
}

bool StateLoader::add_pending(PocketNumber pocket, std::int64_t amount) {
  const std::optional<std::int64_t> sum = checked_add(pending_[pocket], amount);
  pending_[pocket] = sum.value_or(0);
  return sum.has_value();
}

void StateLoader::take_source(ByteReader& in) {
  --peers_left_;
  peer_ = in.id<ShardId>();
  const auto next = in.id<LegNumber>();
  const auto freed = in.id<LegNumber>();
  require(peer_ != state().self && next.value <= leg_number_max, in);
  require(in.ok() && state().inbox.load(peer_, next, freed), in);
  if (!in.ok()) return;
  rows_left_ = next.value - freed.value - 1;
  last_position_ = {};
  last_stamp_ = {};
  part_ = Part::received;
}

void StateLoader::take_received(ByteReader& in) {
  --rows_left_;
  const ReceivedRow row = decode_received_row(in);
  require(in.ok() && is_next_place(row.position, row.stamp), in);
  if (in.ok()) state().inbox.load(row);
}

void StateLoader::take_try(ByteReader& in) {
  --rows_left_;
  ShardId source;
  LegNumber leg;
  const TryRow row = decode_try_row(in, source, leg);
  require(in.ok() && is_try(source, leg, row) && state().tries.load(source, leg, row), in);
  if (!in.ok() || row.refused()) return;
  require(add_pending(row.transit, row.amount) && add_pending(row.credit, row.amount), in);
  if (row.prepared) require(take_lock(row.credit), in);
}

void StateLoader::take_hold(ByteReader& in) {
  --rows_left_;
  const HoldRow row = decode_hold_row(in);
  require(in.ok() && is_hold(row) && state().holds.load(row), in);
  if (!in.ok()) return;
  --hold_rows_;
  if (row.end != ledger::HoldEnd::live) return;
  const Money amount{row.amount, state().book.pocket(row.pocket).currency};
  require(state().book.has_funds(row.pocket, amount.minor), in);
  if (in.ok()) state().book.hold(row.pocket, amount);
}

/// Whether the row is of a hold that a dedup row has placed, on a pocket of its account; and a transfer has its id if
/// it was captured.
bool StateLoader::is_hold(const HoldRow& row) const {
  const ShardState& state = machine_->parts();
  if (!state.dedup.has(row.dedup) || row.pocket >= state.book.next_pocket()) return false;
  const ledger::DedupRow& bound = state.dedup.row(row.dedup);
  if (bound.operation != ledger::Operation::hold || bound.outcome != Outcome::success) return false;
  if (row.expires <= bound.stamp || state.book.pocket(row.pocket).account != bound.home) return false;
  if (row.end != ledger::HoldEnd::captured) return true;
  const ledger::DedupNumber transfer = state.dedup.find(bound.home, ledger::capture_id_of(bound.id));
  return transfer != ledger::no_row && transfer > row.dedup &&
         state.dedup.row(transfer).operation == ledger::Operation::transfer;
}

bool StateLoader::take_lock(PocketNumber pocket) {
  if (state().locks.is_locked(pocket)) return false;
  state().locks.lock(pocket);
  return true;
}

/// Whether it is a Try this shard has received, and its pockets are right.
bool StateLoader::is_try(ShardId source, LegNumber leg, const TryRow& row) {
  if (leg == LegNumber() || leg >= state().inbox.next(source)) return false;
  if (row.refused()) return true;
  const ledger::Book& book = state().book;
  if (row.transit >= book.next_pocket() || row.credit >= book.next_pocket()) return false;
  const ledger::PocketRow& transit = book.pocket(row.transit);
  const ledger::PocketRow& credit = book.pocket(row.credit);
  return transit.kind == ledger::PocketKind::transit && transit.peer() == source &&
         credit.kind == ledger::PocketKind::customer && transit.currency == credit.currency;
}

bool StateLoader::is_whole() {
  if (part_ != Part::end || pending_rows_ != 0 || hold_rows_ != 0 || split_rows_ != 0 || split_legs_ != 0 ||
      version_ != version_of(state()))
    return false;
  const ledger::Book& book = state().book;
  std::map<Currency, __int128> sums;
  for (PocketNumber number(0); number < book.next_pocket(); number = number.next()) {
    const ledger::PocketRow& row = book.pocket(number);
    sums[row.currency] += row.balance;
    const auto pending = pending_.find(number);
    if (row.pending != (pending == pending_.end() ? 0 : pending->second)) return false;
  }
  for (const auto& [currency, sum] : sums) {
    if (sum != 0) return false;
  }
  for (AccountNumber number(0); number < book.next_account(); number = number.next()) {
    if (book.state_of(number) == ledger::AccountState::closed && !book.is_empty(number)) return false;
  }
  return true;
}

}  // namespace coffer::txn
