// The sealed files of a node: snapshots and history of all its groups, their derived files (an index per history file,
// the manifest) and the archive. Owns names, bytes and order of operations; everything runs in the background lane, so
// that none of it ever holds up an acknowledgement. Single-threaded; one per node.
//
//   writing   create -> append_chunk* -> seal ─┐
//   fetching  begin_fetch -> put_chunk* ───────┴─> sync of NAME.part -> a history is read back: the chunks must be
//             those given, of a fetched one the chain must hold -> rename to NAME -> sync of the directory
//             -> take_published()
//   damage    a chunk with another checksum: put_chunk of the same bytes from a peer writes it in place, then syncs;
//             a damaged header or table, found by a scrub: both are written again from memory, then synced; found at
//             the start: the file is renamed to damaged-NAME and must be fetched whole: lost(). So must a history whose
//             chunks are sound and whose entries are not what its header says
//
// Invariants:
//   D1 a name without ".part" is given only to a file that is whole and durable.
//   D2 an operation starts only when all before it on the same file have succeeded (core/log/sealed_steps.h).
//   D3 published bytes never change, except what is damaged into what it was: a chunk into the one the table vouches
//      for, header and table into those in memory.
//   D4 nothing is removed but by remove() and abandon(), remnants that no table vouches for, and derived files.
//   D5 a history file, once published here, is in files() or in lost().
// A full disk pauses: writes wait (paused()) until maintain() finds room. A failed operation ends it: failure().
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/entry.h"
#include "core/base/ids.h"
#include "core/base/io.h"
#include "core/base/time.h"
#include "core/base/trace.h"
#include "core/log/archive.h"
#include "core/log/history_index.h"
#include "core/log/sealed_file.h"

namespace coffer::log {

class SealedStore {
 public:
  struct Limits {
    std::uint32_t chunk_size = 256u << 10;
    std::uint64_t history_bytes_max = UINT64_MAX;  ///< of a group; more is archived
    Duration history_age_max{INT64_MAX};           ///< older history is archived
    Duration scrub_interval = milliseconds(50);    ///< between two chunks read only to see whether they are sound
    Duration scrub_period = seconds(std::int64_t{86400});  ///< between two passes over all files
    Duration retry_interval = milliseconds(200);           ///< of what a full disk refused
  };
  SealedStore(Uuid cluster, Limits limits, CountPositions count_positions);
  ~SealedStore();

  // --- recovery -------------------------------------------------------------------------------------------------
  /// Lists the directory, reads headers and tables, checks every chunk of the newest snapshot per group and of what was
  /// being fetched. Everything else is scrubbed after recovery, one chunk after the other.
  void start(std::vector<IoOp>& out);
  /// Tokens of IoOwner::sealed_store and derived_files; others are ignored.
  void on_io(IoToken token, IoStatus status, SharedBytes bytes, std::vector<IoOp>& out, std::vector<TraceEvent>& trace);
  bool recovered() const;
  /// Set for good by a failed operation and by files of another cluster or a later version: names the file and what to
  /// do. The node must stop.
  const std::string& failure() const;
  bool failed() const { return !failure().empty(); }

  // --- what is there --------------------------------------------------------------------------------------------
  struct File {
    SealedHeader header;
    std::vector<std::uint64_t> table;       ///< a checksum per chunk
    std::vector<std::uint32_t> bad_chunks;  ///< ascending; of a partial file: not here yet
    bool archived = false;
    bool partial = false;  ///< a fetch that can go on; not published
  };
  const std::map<SealedName, File>& files() const;
  /// Whether it is published, all chunks sound as far as known.
  bool sound(const SealedName& name) const;
  /// Published, header and table sound, the highest `last`.
  std::optional<SealedName> newest(SealedKind kind, ShardId group) const;
  /// Files that were published here and are gone, or whose header or table is damaged: to be fetched whole. They stay
  /// until they are published again (a snapshot: or a newer one is).
  const std::set<SealedName>& lost() const;
  /// Every committed entry from 1 up to here is in history or archive files without a gap: ask peers for what follows.
  Index history_end(ShardId group) const;

  // --- own writing ----------------------------------------------------------------------------------------------
  /// False: nothing to write, the file is published, or being written, or fetched whole and about to be published. Ends
  /// an unfinished fetch under that name. Requires: recovered() (checked).
  bool create(const SealedName& name, std::vector<IoOp>& out);
  /// Few writes of this file are under way: the next chunk (append_chunk, put_chunk) may come.
  bool wants_chunk(const SealedName& name) const;
  /// Requires: all but the last are chunk_size long, none is empty (checked).
  void append_chunk(const SealedName& name, Bytes bytes, std::vector<IoOp>& out);
  /// Fills in sizes and checksums and publishes. `indexed`: where the entries of a history lie, for its index.
  /// Requires: create(name), header.name == name, a history's chain continues that of the file before (checked).
  void seal(const SealedName& name, SealedHeader header, std::vector<IndexedEntry> indexed, std::vector<IoOp>& out);
  /// Between create() and take_published().
  bool writing(const SealedName& name) const;

  // --- fetching and repairing -------------------------------------------------------------------------------------
  /// Goes on with a partial file of the same content. True also when nothing need be fetched: published, or being
  /// written here; then missing() says what is. False: malformed, of another cluster, other content than is known under
  /// this name, or a history whose chain does not join that of its neighbours.
  /// Requires: recovered() (checked).
  bool begin_fetch(const SealedHeader& header, std::vector<std::uint64_t> table, std::vector<IoOp>& out);
  /// Chunks to fetch: of a partial or of a damaged file, without those put already. Ascending.
  std::vector<std::uint32_t> missing(const SealedName& name) const;
  /// False: not wanted, or not the bytes the table vouches for.
  bool put_chunk(const SealedName& name, std::uint32_t chunk, Bytes bytes, std::vector<IoOp>& out);
  /// Removes what was written or fetched so far. Nothing for a published file.
  void abandon(const SealedName& name, std::vector<IoOp>& out);

  // --- reading --------------------------------------------------------------------------------------------------
  /// Answered by take_chunks(), unsound at once when there is no such published file or chunk.
  void read_chunk(const SealedName& name, std::uint32_t chunk, std::uint64_t tag, std::vector<IoOp>& out);
  struct ReadChunk {
    SealedName name;
    std::uint32_t chunk = 0;
    std::uint64_t tag = 0;
    SharedBytes bytes;   ///< null unless sound
    bool sound = false;  ///< as the table says
  };
  std::vector<ReadChunk> take_chunks();

  /// One committed entry out of history or archive, by its index or by a position it holds: one block of the index,
  /// then the chunks it lies in. Answered by take_entries().
  void read_entry(ShardId group, Index index, std::uint64_t tag, std::vector<IoOp>& out);
  void read_entry_at(ShardId group, Position position, std::uint64_t tag, std::vector<IoOp>& out);
  struct ReadEntry {
    std::uint64_t tag = 0;
    std::optional<Entry> entry;  ///< nothing: not in any file, or its chunk or index is damaged just now: ask again
    Position last_position;      ///< after the entry's events
  };
  std::vector<ReadEntry> take_entries();

  // --- the rest of its life ---------------------------------------------------------------------------------------
  /// Files written, fetched or repaired whole, and durable, since the last call.
  std::vector<SealedName> take_published();
  /// Removes a published file and what is derived from it. Requires: recovered() (checked). The only way a sound file
  /// goes: the caller first makes durable whatever lets it go.
  void remove(const SealedName& name, std::vector<IoOp>& out);
  /// Called every step: archives by size and age (`newest`: stamp of the node's newest entry), writes the manifest when
  /// the files have changed, scrubs, tries again what a full disk refused.
  void maintain(Instant now, Stamp newest, std::vector<IoOp>& out, std::vector<TraceEvent>& trace);
  /// When maintain() has something to do next; `never` if only an event can bring that.
  Instant wake_at() const;
  /// No space: writes wait. Do not append or put more meanwhile.
  bool paused() const;
  /// No operation is under way or waiting, but for scrubbing.
  bool idle() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace coffer::log
