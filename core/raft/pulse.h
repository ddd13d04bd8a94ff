// When the leader was alive, as a follower knows it from the signs of life in its appends: not when they arrived, for
// links hold packets back and repeat them, but when they were sent; and not longer than the leader itself may go on
// without hearing a quorum (R23).
//
// A leader's clock tells nothing here, only its differences do. How far it is apart from ours is at most what the
// fastest append of its term shows; by how much another append stands behind that is how late it is. Invariant R30
// (docs/PROTOCOLS.md).
#pragma once

#include <optional>

#include "core/base/ids.h"
#include "core/base/time.h"
#include "core/raft/messages.h"

namespace coffer::raft {

class Pulse {
 public:
  /// `grace`: how long a leader that hears a quorum again and again has at most not heard it. `window`: appends that
  /// all come late for longer than that, and up to twice that, are not late: the way has become longer, or a clock is
  /// slower.
  Pulse(Duration grace, Duration window) : grace_(grace), window_(window) {}

  /// An append of the leader of `term` arrived. True if it moves alive_at() on, or is the first of its term.
  bool heard(Instant now, Term term, SignOfLife sign);
  /// When the leader was alive and may have led, on our clock. Of the latest term that had one.
  Instant alive_at() const { return alive_at_; }

 private:
  Duration gap(Instant now, Duration sent);

  Duration grace_;
  Duration window_;
  Term term_;
  Duration sent_;  ///< of the newest append
  Instant alive_at_;
  // What our clock shows at the arrival of an append, less what the leader's showed when it left: the least of a window
  // that is over, and of the one that began with the append that arrived at window_began_.
  std::optional<Duration> least_before_;
  Duration least_;
  Instant window_began_;
};

}  // namespace coffer::raft
