// Replay: every committed entry of a group, in order, from the history files and the archive, with their chain verified
// from entry 1 on. Pull: pump, hand over the chunks the store read, take entries. Single-threaded.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/entry.h"
#include "core/log/history.h"
#include "core/log/sealed_store.h"

namespace coffer::log {

class HistoryReplay {
 public:
  /// `tag`: of its reads, no other reader's.
  HistoryReplay(ShardId group, std::uint64_t tag) : group_(group), tag_(tag) {}

  /// Asks for the next chunk if none is under way. A damaged chunk is waited for until it is repaired.
  void pump(SealedStore& store, std::vector<IoOp>& out);
  /// False: not one of its reads. Appends the entries that end in the chunk.
  bool take(const SealedStore::ReadChunk& chunk, std::vector<Entry>& entries);

  /// All entries up to reached() came, and no file follows.
  bool done() const { return done_; }
  Index reached() const { return reached_; }
  const Hash256& chain() const { return chain_; }
  /// The chain does not hold, or a file is missing in the middle: names it. Entries taken before stand.
  const std::string& failure() const { return failure_; }

 private:
  void open_next(const SealedStore& store);
  void fail(const std::string& why);

  ShardId group_;
  std::uint64_t tag_;
  std::optional<HistoryDecoder> decoder_;  ///< of the file being read
  SealedHeader header_;
  std::uint32_t next_chunk_ = 0;
  bool reading_ = false;
  bool done_ = false;
  Index reached_;
  Hash256 chain_;
  std::string failure_;
};

}  // namespace coffer::log
