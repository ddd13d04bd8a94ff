// Rebuilds a state machine from its canonical export, fed in pieces of any size as they come from the disk. The bytes
// are not trusted: whatever cannot be a state of this shard is an error, and memory grows only with the bytes fed.
// Derived indexes are built on the way. Single-threaded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>

#include "core/base/bytes.h"
#include "core/base/codec.h"
#include "core/base/ids.h"
#include "core/base/result.h"
#include "core/txn/shard_state.h"
#include "core/txn/state_machine.h"

namespace coffer::txn {

inline constexpr std::uint64_t leg_number_max = std::uint64_t{1} << 62;  ///< of what is loaded; no shard gets there

class StateLoader {
 public:
  explicit StateLoader(ShardId self);
  ~StateLoader();

  /// Takes the next bytes of the export. Errors: malformed; the loader then takes nothing more.
  Result<void> feed(ByteView piece);
  /// The machine, once everything was fed: equal to the one exported, at the same position. Entries after it can be
  /// applied and undone, the snapshot itself cannot. Errors: malformed. Requires: called once (checked).
  Result<std::unique_ptr<StateMachine>> finish();

 private:
  enum class Part : std::uint8_t {
    head,
    ranges,
    accounts,
    pockets,
    dedup,
    windowed,
    queued,
    numbered,
    splits,
    split_parts,
    targets,
    legs,
    sources,
    received,
    tries,
    holds,
    end
  };

  Result<void> take(bool is_end);
  void take_next(ByteReader& in);
  void go_on(Part part, ByteReader& in);
  void take_head(ByteReader& in);
  void take_range(ByteReader& in);
  void take_account(ByteReader& in);
  void take_pocket(ByteReader& in);
  void take_dedup(ByteReader& in);
  void take_window(ByteReader& in);
  void take_attic(ByteReader& in);
  void take_queued(ByteReader& in);
  void take_numbered(ByteReader& in);
  void go_on_behind_window(ByteReader& in);
  void go_on_behind_queue(ByteReader& in);
  void go_on_behind_ids(ByteReader& in);
  void take_split(ByteReader& in);
  void take_split_part(ByteReader& in);
  void take_target(ByteReader& in);
  void take_leg(ByteReader& in);
  void take_source(ByteReader& in);
  void take_received(ByteReader& in);
  void take_try(ByteReader& in);
  void take_hold(ByteReader& in);
  bool is_next_place(Position position, Stamp stamp);
  bool is_split(const SplitRow& row) const;
  bool is_split_part(const SplitRow& split, const SplitPartRow& part) const;
  bool is_as_its_parts_say() const;
  bool is_answered(Position position, Stamp stamp, bool answered) const;
  bool is_leg(const PhaseRow& row);
  bool is_leg_of_split(const PhaseRow& row) const;
  bool is_waited_for(const PhaseRow& row, const ledger::DedupRow& bound) const;
  bool is_try(ShardId source, LegNumber leg, const TryRow& row);
  bool add_pending(PocketNumber pocket, std::int64_t amount);
  bool is_hold(const HoldRow& row) const;
  bool take_lock(PocketNumber pocket);
  /// What only the whole state shows: no money appears from nowhere, everything pending has its leg, every hold and
  /// split its row, and what is closed is empty.
  bool is_whole();
  ShardState& state() { return machine_->parts(); }

  std::unique_ptr<StateMachine> machine_;  ///< null once finished
  Bytes rest_;                             ///< fed and not taken yet
  Part part_ = Part::head;
  bool malformed_ = false;
  StateVersion version_ = StateVersion::sagas;
  std::uint64_t rows_left_ = 0;   ///< of the part, or of the peer
  std::uint64_t peers_left_ = 0;  ///< targets or sources to come
  ShardId peer_;                  ///< whose rows are being taken
  LegNumber leg_;                 ///< the next leg of that peer
  Position last_position_;        ///< of the row taken last
  Stamp last_stamp_;
  std::uint64_t hold_rows_ = 0;                   ///< dedup rows of holds placed, less the holds taken
  std::uint64_t split_rows_ = 0;                  ///< dedup rows of splits, less the splits taken
  std::uint64_t splits_left_ = 0;                 ///< splits to come
  std::uint64_t split_legs_ = 0;                  ///< parts that wait for an answer, less the legs taken
  std::uint64_t pending_rows_ = 0;                ///< dedup rows that wait for an answer, less the legs taken
  std::map<PocketNumber, std::int64_t> pending_;  ///< minor units of the legs taken
};

}  // namespace coffer::txn
