// The numbered invariants of docs/PROTOCOLS.md that one replica can check on itself: on states, and on what changed
// since it looked last. O(1), so they are checked after every call, in every build.
// Source: the idea is LogCabin's (invariants on states and on deltas); the rules are those of Raft thesis figure 3.2.
#pragma once

#include <cstdint>

#include "core/base/entry.h"
#include "core/base/ids.h"

namespace coffer::raft {

/// One replica between two calls.
struct Facts {
  bool leading = false;
  bool campaigning = false;  ///< pre-candidate or candidate
  HardState hard_state{};
  Index base{};
  Index commit{};
  Index last{};
  Term last_term{};
  Index durable{};
  std::uint64_t generation = 0;
  Index configuration{};  ///< where the configuration in use stands
  bool voter = true;      ///< by the configuration in use
  bool serves = false;    ///< leads, and an entry of its own term has committed
  bool certain = true;    ///< it lacks nothing it ever acknowledged
  bool bound = false;     ///< not certain, but knows its floor
  bool transferring = false;
};

class Invariants {
 public:
  /// Checks the first state.
  explicit Invariants(const Facts& first);
  /// Checks the state and how it was reached. A breach ends the process (check).
  void observe(const Facts& now);

 private:
  Facts before_;
};

}  // namespace coffer::raft
