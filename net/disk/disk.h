// Executes io effects on real files (the contract is in core/base/io.h). One thread per lane does everything in the
// order given; a third one zero-fills segments ahead of their use. Nothing is coalesced, reordered or retried.
//
// Invariants:
//  D1  Operations of one lane run one after the other in the order submitted, reserve excepted.
//  D2  An operation on a file waits until reservations of that file submitted before it are done: zeros never land on
//      data.
//  D3  After the first `failed`, on whichever lane, nothing touches the disk any more: every later operation of both
//      lanes answers `failed`, and so does one of the other lane that was under way. So a sync can never succeed after
//      one that failed. `no_space` and `not_found` are answers, not failures.
//  D4  What one lane renames or removes, the other never reaches under its old name, open before or not.
// Threading: submit() from one thread; completions are reported on the disk's own threads, possibly at once.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/base/io.h"

namespace coffer::net {

struct IoCompletion {
  IoToken token;
  IoKind kind;
  IoLane lane;
  IoStatus status;
  SharedBytes bytes = {};  ///< read only
};

struct DiskCounters {
  std::uint64_t syncs = 0;          ///< of files and of the directory
  std::uint64_t bytes_written = 0;  ///< by writes; zero-filling not counted
};

class Disk {
 public:
  /// Called on a disk thread, per lane in completion order, a few at a time; must only hand them over. Completions
  /// nobody can act on yet (a write before its sync) may wait for what is behind them.
  using Report = std::function<void(std::vector<IoCompletion>)>;

  /// Requires: `directory` exists (checked).
  Disk(const std::string& directory, Report report);
  /// Finishes what was submitted, then stops.
  ~Disk();
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;

  /// Takes the operations out of `ops`. File names are plain: no slash, not empty (checked).
  void submit(std::vector<IoOp>& ops);
  DiskCounters counters() const;
  /// What the first failed operation was, for the operator; empty while there is none.
  std::string failure() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace coffer::net
