// Deduplication rows: which ids are bound, to what body, and what became of them. An id is bound to (tenant, home
// account); the home account's number stands for both. A derived index finds rows by id. A transfer that became a leg
// also has a link row with the far end's answer.
//
// Two tables, each in the order of its events. *Kept* rows, those of holds among them, stay for ever. *Windowed* rows
// are a queue: of ids that carry their own time (UUIDv7), bound since there is a window; they are forgotten from the
// front (decision 12). What is forgotten is invisible at once and leaves memory when nothing can undo that any more.
//
//   windowed:   in memory <= window().first <= end       rows [in memory, first) are forgotten and kept only for undo
//
// A third table has one row for each *source* that numbers the transfers of an account (core/base/uuid_number.h): that
// of the number decided last. The next number takes the row over, in place; what stood there is kept for undo until
// nothing can undo that any more.
//
// A fourth table is a queue again, once there is an *attic* (docs/decisions/0012, section 3): of the rows that may
// leave the state for an index on disk, from the front, when nothing of them is under way. A row that has left is
// exported and counted no more, but is found for as long as it is in memory; it goes when its leaving can be undone no
// more and the index holds it. What the index tells of an id is laid beside for one question, as *recalled* rows:
// found, and no state.
//
//   queued:   in memory <= left() <= end                  rows [in memory, left) have left and are kept until let go
//
// Single-threaded.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <deque>
#include <optional>

#include "core/base/codec.h"
#include "core/base/hash.h"
#include "core/base/ids.h"
#include "core/base/outcome.h"
#include "core/base/prng.h"
#include "core/base/time.h"
#include "core/base/uuid_number.h"
#include "core/base/uuid_time.h"
#include "core/ledger/commands.h"
#include "core/ledger/hash_index.h"
#include "core/ledger/protocol.h"
#include "core/ledger/rows.h"

namespace coffer::ledger {

/// A kept row's place in its table; a windowed row's, of which 30 bits count, with the top bit; a source's, of 29 bits,
/// with the top two; a queued row's, of 28 bits, with the top three. Not reused while the row is there. A recalled
/// row's is good for one question.
using DedupNumber = std::uint32_t;
inline constexpr DedupNumber no_row = HashIndex::none;
inline constexpr DedupNumber windowed_bit = 0x8000'0000u;
inline constexpr std::uint32_t windowed_rows_max = 1u << 30;  ///< at one time
inline constexpr DedupNumber source_bits = 0xC000'0000u;
inline constexpr std::uint32_t source_rows_max = 1u << 29;
inline constexpr DedupNumber queued_bits = 0xE000'0000u;
inline constexpr std::uint32_t queued_rows_max = 1u << 28;  ///< at one time
inline constexpr DedupNumber recalled_bits = 0xF000'0000u;
inline constexpr std::uint32_t recalled_rows_max = 1u << 20;  ///< of one question
constexpr bool is_windowed(DedupNumber number) { return (number & source_bits) == windowed_bit; }

struct DedupRow {
  TransferId id;
  Hash128 digest;
  Position position;  ///< of the event that bound the id
  Stamp stamp;        ///< of that event's entry
  AccountNumber home = no_account;
  std::uint32_t link = no_row;  ///< row of the leg's link; no_row for transfers inside the shard and for splits
  Operation operation = Operation::transfer;
  Outcome outcome = Outcome::pending;  ///< pending while the leg's answer is not logged, or a split runs
};
static_assert(sizeof(DedupRow) == 64, "one row, one cache line's worth");

/// The far end of a transfer that became a leg.
struct LegLink {
  ShardId target;
  Protocol protocol = Protocol::saga;
  LegNumber leg;             ///< whose answer ends it; while a Try runs, the Try's
  Position target_position;  ///< of the target's event; 0 until its answer is logged
  Stamp target_stamp;
};

class Dedup {
 public:
  /// The row of this id at this home account, or no_row.
  DedupNumber find(AccountNumber home, const TransferId& id) const;
  /// The first row, by position, with this id for which `may_have(row)` holds, whatever its home account; or no_row.
  template <class MayHave>
  DedupNumber find_first(const TransferId& id, MayHave&& may_have) const {
    DedupNumber first = no_row;
    by_id_.find(hash_of(id), [&](DedupNumber number) {
      if (is_forgotten(number) || row(number).id != id || !may_have(row(number))) return false;
      if (first == no_row || row(number).position < row(first).position) first = number;
      return false;
    });
    return first;
  }
  /// Starts loading what find will look at.
  [[gnu::always_inline]] void prefetch(const TransferId& id) const { by_id_.prefetch(hash_of(id)); }
  /// Requires: it is in memory (checked).
  const DedupRow& row(DedupNumber number) const {
    if (number < windowed_bit) return kept_.rows[number];
    const Table& table = table_of(number);
    return table.rows[table.place_of(number)];
  }
  /// Requires: the row has a link (checked).
  const LegLink& link(DedupNumber number) const;
  /// Whether there is such a row in the state: not forgotten, not left, not recalled.
  bool has(DedupNumber number) const;
  /// Rows that are not forgotten and have not left.
  std::uint64_t size() const {
    return kept_.rows.size() + windowed_.rows.end_number() - window_.first + sources_.rows.size() + queued();
  }
  /// The row bound last. Requires: there is one, and it has not committed (checked: there is one).
  DedupNumber last() const;

  /// Binds an id. Requires: it is not bound at this home account, and has not passed; of an id that a known source has
  /// numbered: it moves money, its number is the next, and what has the row is not pending (checked).
  DedupNumber bind(DedupRow row);
  /// Binds the id of a transfer that became a leg.
  DedupNumber bind(DedupRow row, const LegLink& link);
  /// The inverse of bind. Requires: `id` is the last bound (checked).
  void unbind_last(const TransferId& id);
  /// Writes the answer of the leg. Requires: the row is pending (checked).
  void finish(DedupNumber number, Outcome outcome, Position target_position, Stamp target_stamp);
  /// Of a row without a link: says what became of a split. Requires: the row is pending (checked).
  void finish(DedupNumber number, Outcome outcome);
  /// The inverse of either finish.
  void reopen(DedupNumber number);
  /// Another leg of the transfer, `to`, takes the place of `from`. Its own inverse. Requires: the link names `from`
  /// (checked).
  void relink(DedupNumber number, LegNumber from, LegNumber to);
  /// Ids bound to changes of accounts.
  std::uint64_t account_changes() const { return account_changes_; }
  /// Ids bound to holds, those refused among them.
  std::uint64_t holds() const { return holds_; }
  /// Ids bound to splits, those refused among them.
  std::uint64_t splits() const { return splits_; }
  /// Links of transfers by another protocol than the saga.
  std::uint64_t links_of_others() const { return links_of_others_; }

  const IdWindow& window() const { return window_; }
  bool has_window() const { return window_.passed_ms > 0; }
  /// Whether its time is over: such an id is never bound any more.
  bool has_passed(const TransferId& id) const {
    if (!has_window()) return false;
    const std::optional<std::uint64_t> made = time_ms_of(id);
    return made && *made <= window_.passed_ms;
  }
  /// One past the last windowed row.
  std::uint64_t windowed_end() const { return windowed_.rows.end_number(); }
  /// The number of the windowed row at this place.
  DedupNumber windowed_at(std::uint64_t place) const { return windowed_.number_of(place); }
  /// Forgets the windowed rows before after.first, and lets ids up to after.passed_ms pass, by the event at `position`.
  /// Requires: window() is `before`, neither goes back, and what is forgotten has passed and is not pending (checked).
  void move_window(const IdWindow& before, const IdWindow& after, Position position);
  /// The inverse of the last move_window. Requires: it has not committed (checked).
  void unmove_window(const IdWindow& before, const IdWindow& after);
  /// Nothing up to here will be undone: what it has forgotten leaves memory, bit by bit.
  void committed(Position position);
  /// Rows in memory that are forgotten.
  std::uint64_t forgotten_in_memory() const { return window_.first - windowed_.rows.begin_number() + replaced_.size(); }

  // dedup_sources.cc: who numbers the transfers of an account
  bool has_sources() const { return !sources_.rows.empty(); }
  /// The row of the source that this id names, at this home account; no_row: it is not known, or the id has no number.
  DedupNumber find_source(AccountNumber home, const TransferId& id) const;
  /// From now on `source` numbers the transfers of `home`, from 1 on. Requires: it is not known there (checked).
  void open_source(AccountNumber home, std::uint64_t source, Position position, Stamp stamp);
  /// The inverse of the last open_source. Requires: it is that one, and none of its numbers is bound (checked).
  void close_source(AccountNumber home, std::uint64_t source);

  // dedup_leaving.cc: rows that leave for the attic
  /// What the index on disk goes by too: of the id alone.
  static std::uint64_t hash_of(const TransferId& id) {
    std::array<std::uint64_t, 2> halves;
    std::memcpy(halves.data(), id.bytes.data(), sizeof halves);
    return mix64(mix64(halves[0]) ^ halves[1]);
  }
  /// Whether an id may be that of a row that has left, or will.
  static bool may_leave(const TransferId& id);
  bool has_attic() const { return has_attic_; }
  /// From now on rows are queued. / The inverse. Requires: there is none yet / nothing is queued (checked).
  void open_attic();
  void close_attic();
  /// The place of the first row that has not left: as many have.
  std::uint64_t left() const { return left_; }
  /// Queued rows that have not left.
  std::uint64_t queued() const { return queued_.rows.end_number() - left_; }
  std::uint64_t queued_end() const { return queued_.rows.end_number(); }
  /// The first place still in memory.
  std::uint64_t queued_in_memory_from() const { return queued_.rows.begin_number(); }
  /// The number of the queued row at this place.
  DedupNumber queued_at(std::uint64_t place) const { return queued_.number_of(place); }
  /// Rows before `after` have left, by the event at `position`. Requires: left() is `before`, it does not go back, what
  /// leaves is not pending (checked).
  void leave(std::uint64_t before, std::uint64_t after, Position position);
  /// The inverse of the last leave. Requires: it has not committed (checked).
  void return_left(std::uint64_t before, std::uint64_t after);
  /// The index holds all rows before `place`: they leave memory, bit by bit, once they have left for good.
  void let_go(std::uint64_t place);
  /// Lays a row beside the state that has left it, so that it is found; nothing if it is in memory. Until the next
  /// forget_recalled(), within which nothing is undone.
  void recall(DedupRow row, const LegLink& link);
  void forget_recalled();

  /// Canonical: rows in number order, each with its link (core/ledger/row_codec.h).
  ///   dedup    := count u64 | row{count} | windowed{has_window} | queued{has_attic} | sources{has_sources}
  ///   windowed := passed_ms u64 | first u64 | count u64 | row{count}
  ///   queued   := left u64 | count u64 | row{count}
  ///   sources  := count u64 | row{count}               in the order opened; the id of a row without a number yet is 0
  void export_rows(ByteWriter& out) const;
  /// Bytes export_rows writes.
  std::uint64_t export_size() const;
  class Frozen;

  /// Takes the next row of an export; `link` counts if the row has one. False, and nothing changed: it cannot be.
  bool load(DedupRow row, const LegLink& link);
  /// Takes the head of an export's windowed rows, which follow. False, and nothing changed: it cannot be.
  bool load_window(const IdWindow& window);
  /// Takes the head of an export's queued rows, and the next of them. False, and nothing changed: it cannot be.
  bool load_attic(std::uint64_t left);
  bool load_queued(DedupRow row, const LegLink& link);
  /// Takes the next row of an export's sources. False, and nothing changed: it cannot be.
  bool load_source(DedupRow row, const LegLink& link);

 private:
  struct Table {
    Table(DedupNumber flag_bits, std::uint64_t number_mask) : flags(flag_bits), mask(number_mask) {}
    Rows<DedupRow> rows;
    Rows<LegLink> links;
    DedupNumber flags;   ///< in all numbers of its rows
    std::uint64_t mask;  ///< bits of a row's or link's place that are in its number

    DedupNumber number_of(std::uint64_t place) const { return flags | static_cast<DedupNumber>(place & mask); }
    std::uint64_t place_of(DedupNumber number) const { return widen(number, rows.begin_number()); }
    /// The inverse of taking the masked bits, of a place not before `begin`.
    std::uint64_t widen(std::uint32_t number, std::uint64_t begin) const { return begin + ((number - begin) & mask); }
    const LegLink& link_of(const DedupRow& row) const { return links[widen(row.link, links.begin_number())]; }
    LegLink& link_of(const DedupRow& row) { return links[widen(row.link, links.begin_number())]; }
  };
  const Table& table_of(DedupNumber number) const {
    if (number < windowed_bit) return kept_;
    if (is_windowed(number)) return windowed_;
    return number < queued_bits ? sources_ : number < recalled_bits ? queued_ : recalled_;
  }
  Table& table_of(DedupNumber number) { return const_cast<Table&>(static_cast<const Dedup*>(this)->table_of(number)); }
  /// The table with the row bound last, but for sources.
  const Table& latest() const;
  Table& latest() { return const_cast<Table&>(static_cast<const Dedup*>(this)->latest()); }
  bool is_forgotten(DedupNumber number) const {
    return is_windowed(number) && windowed_.place_of(number) < window_.first;
  }
  /// Whether a row's time will come. / Whether one whose time will not may leave.
  bool has_end(const DedupRow& row) const;
  bool is_queued(const DedupRow& row) const;
  DedupNumber add(DedupRow row, const LegLink* link);
  DedupNumber add_to(Table& table, DedupRow row, const LegLink* link);
  static std::uint64_t count_links(const Table& table, std::uint64_t from, std::uint64_t to);
  void drop_front(Table& table, std::uint64_t forgettable);
  void drop_let_go();
  bool is_source_latest() const;
  static std::uint64_t source_hash(AccountNumber home, std::uint64_t source) {
    return mix64(mix64(source) ^ home.value);
  }
  void put_source(std::uint64_t place, const DedupRow& row, const LegLink& link);
  DedupNumber take_source(DedupNumber number, DedupRow row, const LegLink* link);
  void give_source_back(const TransferId& id);
  static void encode_rows(const Table& table, std::uint64_t first, ByteWriter& out);

  Table kept_{0, 0xFFFF'FFFFu};
  Table windowed_{windowed_bit, windowed_rows_max - 1};
  Table sources_{source_bits, source_rows_max - 1};  ///< a link for each row, whether it names it or not
  Table queued_{queued_bits, queued_rows_max - 1};
  Table recalled_{recalled_bits, recalled_rows_max - 1};
  IdWindow window_;
  std::uint64_t first_link_ = 0;  ///< of windowed rows that are not forgotten
  struct Move {
    Position position;
    std::uint64_t first;
  };
  std::deque<Move> moves_;         ///< not committed, ascending
  std::uint64_t forgettable_ = 0;  ///< windowed rows before this one may leave memory
  bool has_attic_ = false;
  std::uint64_t left_ = 0;
  std::uint64_t left_first_link_ = 0;  ///< of queued rows that have not left
  std::deque<Move> leaves_;            ///< not committed, ascending
  std::uint64_t left_for_good_ = 0;    ///< queued rows before this one have left, and nothing undoes that
  std::uint64_t let_go_ = 0;           ///< ... before this one are held by the index
  HashIndex by_id_;
  HashIndex by_source_;
  /// What stood in a source's row before the event at `position`.
  struct Replaced {
    Position position;
    DedupNumber number;
    DedupRow row;
    LegLink link;
  };
  std::deque<Replaced> replaced_;  ///< by events that have not committed, ascending
  std::uint64_t source_links_ = 0;
  std::uint64_t links_of_others_ = 0;
  std::uint64_t account_changes_ = 0;
  std::uint64_t holds_ = 0;
  std::uint64_t splits_ = 0;
};

/// The rows as they are now, to be exported while the table goes on.
class Dedup::Frozen {
 public:
  explicit Frozen(Dedup& dedup)
      : kept_(dedup.kept_, 0, 0),
        windowed_(dedup.windowed_, dedup.window_.first, dedup.first_link_),
        window_(dedup.window_),
        queued_(dedup.queued_, dedup.left_, dedup.left_first_link_),
        has_attic_(dedup.has_attic_),
        left_(dedup.left_),
        sources_(dedup.sources_, 0, 0) {}
  /// Appends the next part of what export_rows would have written. False: there is no more.
  bool write_next(ByteWriter& out);

 private:
  struct View {
    View(Table& table, std::uint64_t first, std::uint64_t first_link)
        : rows(table.rows, first), links(table.links, first_link), mask(table.mask) {}
    bool write_next(ByteWriter& out);
    FrozenRows<DedupRow> rows;
    FrozenRows<LegLink> links;
    std::uint64_t mask;
    bool counted = false;
  };
  View kept_;
  View windowed_;
  IdWindow window_;
  bool window_written_ = false;
  View queued_;
  bool has_attic_;
  std::uint64_t left_;
  bool attic_written_ = false;
  View sources_;
};

}  // namespace coffer::ledger
