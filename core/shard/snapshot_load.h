// Loads a published snapshot: reads its chunks one after the other and feeds the loader. A damaged chunk stops it until
// file transfer has repaired the file; then it goes on there. Single-threaded.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/base/io.h"
#include "core/base/result.h"
#include "core/log/sealed_store.h"
#include "core/txn/state_loader.h"

namespace coffer::shard {

class SnapshotLoad {
 public:
  /// `tag`: of its reads, no other reader's of this group; below FileServer::tag_bit (checked).
  SnapshotLoad(const log::SealedHeader& snapshot, std::uint64_t tag);

  const log::SealedHeader& header() const { return header_; }
  /// Asks for what comes next, unless it is on its way or damaged. Called every step.
  void pump(log::SealedStore& store, std::vector<IoOp>& out);
  /// False: not one of its reads.
  bool take(const log::SealedStore::ReadChunk& chunk);

  bool done() const { return done_; }
  /// The chunk that is next cannot be read: the file is gone, or to be repaired.
  bool damaged() const { return stopped_ && in_flight_ == 0; }
  /// The state at the snapshot's position. Errors: malformed (sound bytes that are no state of this version), corrupt
  /// (of another position than the header says). Requires: done(), called once (checked).
  Result<std::unique_ptr<txn::StateMachine>> finish();

 private:
  static constexpr std::uint32_t window = 4;  ///< chunks asked for and not taken

  log::SealedHeader header_;
  std::uint64_t tag_;
  txn::StateLoader loader_;
  std::uint32_t taken_ = 0;      ///< chunks fed
  std::uint32_t in_flight_ = 0;  ///< chunks asked for behind them
  bool stopped_ = false;         ///< the next chunk could not be read
  bool malformed_ = false;
  bool done_ = false;
};

}  // namespace coffer::shard
