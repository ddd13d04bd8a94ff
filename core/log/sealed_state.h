// The inside of a SealedStore: what it knows of its files and what is under way. Private to core/log/sealed_*.cc, each
// of which holds the transitions of one concern:
//   sealed_recovery.cc   from what a directory holds to what the store knows
//   sealed_transfer.cc   writing, fetching, repairing, removing
//   sealed_reading.cc    chunks and entries for readers; inspections
//   sealed_upkeep.cc     milestones, archive, manifest, scrubbing, a full disk
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/log/history_lookup.h"
#include "core/log/manifest.h"
#include "core/log/sealed_inspection.h"
#include "core/log/sealed_opening.h"
#include "core/log/sealed_steps.h"
#include "core/log/sealed_store.h"

namespace coffer::log {

/// A file being written here: in no list until it is published.
struct SealedWriting {
  std::vector<std::uint64_t> table;
  std::uint64_t payload_size = 0;
  bool ended = false;                  ///< by a chunk that is not whole
  std::optional<SealedHeader> header;  ///< once sealed
  std::vector<IndexedEntry> indexed;   ///< a history's
};

/// What a read is for.
struct SealedRead {
  enum class By : std::uint8_t { reader, inspection, scrub, lookup };
  By by = By::reader;
  SealedName name;
  std::uint32_t chunk = 0;
  std::uint64_t tag = 0;  ///< the reader's; of a lookup: which one
};

/// Writes of one file that may wait; who brings more waits.
inline constexpr std::size_t writes_waiting_max = 4;

/// A file_* event: a = kind, b = chunk; of header and table, and of derived files, no_chunk.
inline constexpr std::uint64_t no_chunk = UINT32_MAX;
/// Kinds of derived files in trace events.
inline constexpr std::uint64_t index_kind = 3;
inline constexpr std::uint64_t manifest_kind = 4;

struct SealedStore::State {
  State(Uuid cluster_uuid, Limits limits_given, CountPositions count)
      : cluster(cluster_uuid), limits(limits_given), count_positions(count), opening(cluster_uuid) {}

  const Uuid cluster;
  const Limits limits;
  const CountPositions count_positions;

  SealedSteps steps{IoOwner::sealed_store};
  SealedSteps derived{IoOwner::derived_files};
  std::string failure;
  std::vector<TraceEvent> traces;  ///< until the caller next gives room for them

  // recovery
  SealedOpening opening;
  bool settled = false;        ///< the directory was judged
  bool names_durable = false;  ///< as found and mended
  std::size_t to_inspect = 0;  ///< inspections recovery waits for

  // files
  std::map<SealedName, File> files;
  std::map<std::pair<ShardId, Position>, SealedName> by_position;  ///< last position -> published history
  std::set<SealedName> lost;
  Manifest lost_rows;  ///< of those in `lost` that a manifest named
  std::map<SealedName, SealedWriting> writings;
  std::set<SealedName> publishing;                          ///< their rename may be under way
  std::map<SealedName, std::set<std::uint32_t>> repairing;  ///< chunks put and not yet durable
  std::map<SealedName, Bytes> ready_indexes;                ///< of histories being published
  std::set<SealedName> archiving;         ///< their rename may be under way; `archived` says so already
  std::map<ShardId, Index> history_ends;  ///< as far as asked for since the files changed
  std::vector<SealedName> published;
  bool manifest_changed = false;
  bool archive_changed = true;  ///< what is to be archived may have changed
  Stamp archive_at;             ///< or has, once the newest entry has this stamp

  // reads
  std::map<std::uint64_t, SealedRead> reads;
  std::uint64_t last_read = 0;
  std::vector<ReadChunk> chunks_read;
  std::deque<Inspection> inspections;                                        ///< the first is under way
  std::uint64_t inspection_read = 0;                                         ///< its read; 0: none
  std::map<std::uint64_t, std::pair<std::uint64_t, HistoryLookup>> lookups;  ///< number -> (tag, lookup)
  std::uint64_t last_lookup = 0;
  std::vector<ReadEntry> entries_read;

  // upkeep
  std::optional<Inspection> scrubbing;
  std::uint64_t scrub_read = 0;        ///< its read; 0: none
  std::optional<SealedName> scrubbed;  ///< the last of this pass
  Instant scrub_at;
  Instant retry_at;

  // --- sealed_recovery.cc
  void settle();
  void adopt_published(const OpenedFile& file, std::set<SealedName>& damaged);
  void adopt_part(const OpenedFile& file);
  void miss_what_the_manifest_names(const std::set<SealedName>& damaged);
  void remove_remnants();
  void inspect_what_was_found();
  bool recovered() const { return names_durable && to_inspect == 0 && !failed(); }
  bool failed() const { return !current_failure().empty(); }
  const std::string& current_failure() const;

  // --- sealed_transfer.cc
  void fill(const SealedName& name);          ///< every chunk was written: make it durable
  void write_head_of_part(const File& file);  ///< and makes it durable, with its name
  void rename_part(const SealedName& name);
  void on_inspected_part(Inspection& inspection);
  void drop_part(const SealedName& name);
  void quarantine(const SealedName& name);
  void forget(const SealedName& name);
  void miss(const SealedName& name, std::optional<ManifestRow> row);
  bool joins_neighbours(const SealedHeader& header) const;
  const File* find_published(const SealedName& name) const;
  Index history_end(ShardId group);

  // --- sealed_reading.cc
  void on_read(const PendingOp& op, IoStatus status, const SharedBytes& bytes, std::vector<IoOp>& out);
  std::uint64_t read(const SealedRead& what, const std::string& file, std::uint64_t offset, std::uint64_t length,
                     std::vector<IoOp>& out);
  void answer_reader(const SealedRead& read, IoStatus status, const SharedBytes& bytes);
  void mark_damaged(const SealedName& name, std::uint32_t chunk);
  void vanish(const SealedName& name);
  void inspect(Inspection inspection);
  void cancel_inspections(const SealedName& name);
  void conclude(Inspection::Why why);  ///< recovery waits for some
  /// True: one ended, which may have brought steps.
  bool advance_inspections(std::vector<IoOp>& out);
  std::uint64_t read_for(const Inspection& inspection, SealedRead::By by, std::vector<IoOp>& out);
  void feed(Inspection& inspection, IoStatus status, const SharedBytes& bytes);
  void on_inspected(Inspection& inspection);
  void on_inspected_published(Inspection& inspection);
  void request_index(const SealedName& name);
  void begin_lookup(std::uint64_t tag, HistoryLookup lookup, std::vector<IoOp>& out);
  void advance_lookup(std::uint64_t number, std::vector<IoOp>& out);

  // --- sealed_upkeep.cc
  void on_reached(const Reached& reached);
  void on_published(const SealedName& name);
  void on_repaired(const SealedName& name, std::uint32_t chunk);
  void write_index(const SealedName& name, Bytes index);
  void write_manifest();
  Manifest manifest_now() const;
  void archive_due(Stamp newest);
  bool paused() const { return steps.paused() || derived.paused(); }
  void scrub(Instant now, std::vector<IoOp>& out);
  void advance(std::vector<IoOp>& out);  ///< milestones, then whatever can start
  void trace(TraceKind kind, const SealedName& name, std::uint64_t a, std::uint64_t b = 0);
};

}  // namespace coffer::log
