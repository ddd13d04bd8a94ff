// Which of the rows that have left are in runs that are here. Runs are named by the last entry of their epoch; one
// after the other, in that order, they hold the places from 0 on without a gap, or somebody has to be asked for what is
// missing. Pure; single-threaded.
#pragma once

#include <cstdint>
#include <map>

#include "core/attic/run_format.h"
#include "core/base/ids.h"

namespace coffer::attic {

class Coverage {
 public:
  /// A run is here, or is here again. `last`: of its name.
  void add(Index last, const RunHead& head);
  void remove(Index last);

  /// One past the last place that is in runs without a gap from 0 on.
  std::uint64_t end() const { return end_; }
  /// The last of those runs; 0 without any: ask for the run that follows it.
  Index last() const { return last_; }

 private:
  struct Range {
    std::uint64_t first = 0;
    std::uint64_t end = 0;
  };
  /// Goes on from last(); from the start, if what changed is one of the runs up to there.
  void follow(Index changed);

  std::map<Index, Range> runs_;
  std::uint64_t end_ = 0;
  Index last_;
};

}  // namespace coffer::attic
