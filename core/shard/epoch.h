// Epochs: the entries between two shared snapshot positions. Every replica computes the boundaries from the log alone:
// an entry is a boundary if with it the payload bytes since the boundary before reach the larger of `epoch_bytes` and
// the size of the state at the boundary before. So a snapshot never costs more than the entries it stands for.
//
// Follows the state, not the log: a leader's runs ahead and may be undone. Single-threaded.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/ids.h"

namespace coffer::shard {

class EpochCounter {
 public:
  /// `boundary`: the last one before the entries to come, a snapshot's index, or 0; `state_size`: the size of the state
  /// there (txn::StateMachine::size_estimate), bytes.
  EpochCounter(std::uint64_t epoch_bytes, Index boundary, std::uint64_t state_size);

  /// The state passed entry `index`, a null payload has 0 bytes; `state_size`: its size now. True: the entry is a
  /// boundary. Requires: entries come without gaps (checked).
  bool passed(Index index, std::uint64_t payload_bytes, std::uint64_t state_size);
  /// The inverse of passed. True: the entry was a boundary. Requires: it is the last passed, not committed (checked).
  bool undone(Index index, std::uint64_t payload_bytes);
  /// Entries up to `index` will not be undone.
  void committed(Index index);

  Index last() const { return last_; }                            ///< entry passed
  Index boundary() const { return epochs_.back().boundary; }      ///< the last one passed
  std::uint64_t bytes() const { return epochs_.back().bytes; }    ///< of payloads since then
  std::uint64_t length() const { return epochs_.back().length; }  ///< payload bytes at which the epoch ends

 private:
  struct Epoch {
    Index boundary;            ///< the entry it begins after
    std::uint64_t length = 0;  ///< bytes at which it ends
    std::uint64_t bytes = 0;   ///< of entries passed in it
  };
  std::uint64_t length_after(std::uint64_t state_size) const;

  std::uint64_t epoch_bytes_;
  Index last_;
  Index committed_;
  std::vector<Epoch> epochs_;  ///< never empty; all but the first begin after entries that may be undone
};

}  // namespace coffer::shard
