// One life of a SealedStore on a MemoryDisk, from start to crash, with a budget of operations so that a test can end it
// before any of them; and made-up groups whose snapshots and histories are the same in every life.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/base/entry.h"
#include "core/log/history.h"
#include "core/log/sealed_store.h"
#include "tests/core/log/memory_disk.h"

namespace coffer::log {

Uuid test_cluster();
inline constexpr std::uint32_t test_chunk_size = 512;
/// Chunks of 512 bytes; no scrubbing unless a test asks for it.
SealedStore::Limits test_limits();
/// Events in a made-up entry: its first byte says so.
std::uint64_t made_up_positions(EntryKind kind, ByteView payload);

/// The whole content of a sealed file.
struct SealedContent {
  SealedHeader header;
  std::vector<std::uint64_t> table;
  std::vector<Bytes> chunks;
  std::vector<IndexedEntry> indexed;  ///< a history's
};
/// As it must stand on the disk.
Bytes file_bytes(const SealedContent& content);

/// The entries of a group, the same in every life: some empty, one a configuration, some longer than a chunk.
std::vector<Entry> made_up_entries(ShardId group, std::uint64_t count);
/// The history of entries (before, last], with chain and positions from entry 1 on.
SealedContent made_up_history(ShardId group, std::uint64_t before, std::uint64_t last);
SealedContent made_up_snapshot(ShardId group, std::uint64_t last, std::size_t payload_size = 1700);

class StoreLife {
 public:
  explicit StoreLife(MemoryDisk& disk, std::uint64_t ops_max = UINT64_MAX, SealedStore::Limits limits = test_limits(),
                     Uuid cluster = test_cluster());

  /// Executes operations, and maintains after each, until the store is idle. False when the life is over or failed.
  bool run();
  /// Lets time pass, so that scrubbing and retries happen.
  bool run_for(Duration duration);
  /// Executes one operation; false when there is none, or the life is over.
  bool step();

  // Each runs until the file is published, and is happy with one that is. False when the life is over, or refused.
  bool write(const SealedContent& content);
  /// Chunks in the order of their numbers, or backwards.
  bool fetch(const SealedContent& content, bool backwards = false);
  bool remove(const SealedName& name);
  /// Puts what is missing of a damaged file.
  bool repair(const SealedContent& content);

  bool over() const { return executed_ >= ops_max_; }
  std::uint64_t executed() const { return executed_; }
  /// The next operation of this kind (on a file whose name begins so) gets this answer and is not executed.
  void answer_next(IoKind kind, IoStatus status, const std::string& prefix = "");
  /// There is no space for operation number `number` (from 0), if it is one that may be tried again.
  void refuse_at(std::uint64_t number) { refused_at_ = number; }
  std::uint64_t count(TraceKind kind) const;
  /// Operations by their words: "write history-…".
  std::vector<std::string> words;
  std::vector<IoOp> written;  ///< the writes among them, with their bytes

  std::vector<IoOp> ops;  ///< for calls on the store; taken by step()
  SealedStore store;
  std::vector<TraceEvent> trace;
  std::vector<SealedName> published;
  std::vector<SealedName> found;  ///< sound when recovery ended: what a node builds on
  Instant now;
  Stamp newest;

  /// Until the store takes another chunk; time passes meanwhile if the disk is full. False: the life is over or failed.
  bool wait_for_room(const SealedName& name);

 private:
  void settle();

  struct Planned {
    IoKind kind;
    IoStatus status;
    std::string prefix;
  };
  MemoryDisk& disk_;
  std::deque<IoOp> queue_;
  std::uint64_t ops_max_;
  std::uint64_t executed_ = 0;
  std::vector<Planned> planned_;
  std::uint64_t refused_at_ = UINT64_MAX;
  bool recovered_ = false;
};

}  // namespace coffer::log
