// The attic of one replica: opens the runs of rows that have left the state (core/attic/run_format.h), knows how far
// they reach, and looks ids up in them (docs/decisions/0012, section 3, rules G5 to G8). The files are the store's;
// what is found is whole rows. Nothing here is state of the shard: it answers only questions.
//
//   published ──tail read: filter and fences──> open        asked of every id; in memory though the file be lost
//   search: filters ── perhaps ──> chunks read, checked ──> rows
//                                     └── damaged: waits until the chunk has been repaired
//
// Single-threaded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "core/attic/coverage.h"
#include "core/attic/run_index.h"
#include "core/attic/run_writer.h"
#include "core/base/bytes.h"
#include "core/base/ids.h"
#include "core/base/io.h"
#include "core/base/trace.h"
#include "core/log/sealed_store.h"
#include "core/shard/file_transfer.h"
#include "core/txn/state_machine.h"

namespace coffer::shard {

/// What a run's record holds behind its hash: a row with its link, or zeros in the link's place.
inline constexpr std::uint16_t left_row_bytes = 83;
Bytes encode(const txn::LeftRow& row);
/// Nothing: the bytes are no row.
std::optional<txn::LeftRow> decode_left_row(ByteView content);

/// Gives a run what it wants next of the rows that have left `state`: as much as one step has time for, or until a
/// chunk is ready. Requires: they are still in memory (checked).
void supply_rows(attic::RunWriter& run, const txn::StateMachine& state);

/// The head of a published attic file's run; nothing: what it says of itself does not fit together.
std::optional<attic::RunHead> run_head_of(const log::SealedHeader& header);

class Attic {
 public:
  /// Reads of the store with this bit in their tag, and no higher one, are an attic's.
  static constexpr std::uint64_t tag_bit = std::uint64_t{1} << 62;
  /// Bytes of chunks under way for searches; what is asked beyond waits in line.
  static constexpr std::size_t read_bytes_max = 16u << 20;

  /// The store outlives this.
  Attic(ShardId group, log::SealedStore& store) : group_(group), store_(store) {}

  /// A file of the group was published or repaired.
  void published() { rescan_ = true; }
  /// Opens what is there, reads what is asked. Called every step.
  void step(std::vector<IoOp>& out);
  /// False: not one of its reads.
  bool take(const log::SealedStore::ReadChunk& chunk, std::vector<TraceEvent>& trace);

  /// The rows at all places before this one are in runs that are open.
  std::uint64_t held() const { return held_; }
  /// The run to be fetched first, if runs that are here do not reach to `needed`.
  std::optional<AtticGap> gap(std::uint64_t needed) const;
  /// A published run has chunks that are known to be damaged.
  bool is_damaged() const;

  /// Whether a filter of an open run says "perhaps".
  bool may_have(const TransferId& id) const;
  using Search = std::uint64_t;
  /// An id, and at which account; nothing: at any. The same id may be bound at very many.
  struct Sought {
    TransferId id;
    std::optional<AccountNumber> home = {};
    auto operator<=>(const Sought&) const = default;
  };
  /// Asks the filters of all open runs. Nothing: none of these ids is in them. Requires: ascending; held() reaches as
  /// far as the answer has to (the caller checks).
  std::optional<Search> seek(std::vector<Sought> asked, std::uint64_t& chunks);
  struct Found {
    Search search = 0;
    std::vector<txn::LeftRow> rows;  ///< those that were sought
  };
  /// Searches that are done.
  std::vector<Found> take_found() { return std::exchange(found_, {}); }
  /// Nobody waits for this search any more. / For any.
  void forget(Search search) { searches_.erase(search); }
  void forget_searches();

 private:
  struct Read {
    Search search = 0;
    TransferId id;
    Index run;
    std::uint32_t chunk = 0;
  };
  struct Searching {
    std::size_t reads = 0;  ///< not answered
    std::vector<Sought> asked;
    std::vector<txn::LeftRow> rows;
    bool seeks(const ledger::DedupRow& row) const;
  };
  void rescan();
  void open_next(std::vector<IoOp>& out);
  void take_tail(const log::SealedStore::ReadChunk& chunk, std::vector<TraceEvent>& trace);
  void send_reads(std::vector<IoOp>& out);
  bool is_readable(Index run, std::uint32_t chunk) const;
  bool is_openable(Index run, const attic::RunHead& head) const;
  void end_read(const Read& read);
  log::SealedName name_of(Index run) const { return {log::SealedKind::attic, group_, run}; }

  ShardId group_;
  log::SealedStore& store_;
  bool rescan_ = true;
  attic::Coverage present_;
  std::map<Index, attic::RunHead> heads_;  ///< of what is present
  std::size_t unopened_ = 0;               ///< of heads_
  std::map<Index, attic::RunIndex> open_;
  attic::Coverage opened_;
  std::uint64_t held_ = 0;
  struct Opening {
    Index run;
    attic::RunIndex index;
    std::uint64_t tag = 0;  ///< of the read under way; 0: none
  };
  std::optional<Opening> opening_;
  std::uint64_t last_tag_ = 0;
  Search last_search_ = 0;
  std::map<Search, Searching> searches_;
  std::deque<Read> line_;
  std::map<std::uint64_t, Read> reading_;  ///< by tag
  std::vector<Found> found_;
};

}  // namespace coffer::shard
