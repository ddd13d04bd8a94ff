// What may only be said once it is on disk: frames that wait for the operations handed out before them.
//
// Invariants:
//  V2a  A frame leaves only when every operation of the stream lane submitted before it has been done, all of them
//       well.
//  V2b  Frames leave in the order they were held.
//  V2c  After one operation of the stream lane that did not go well nothing leaves any more.
//  V2d  The background lane holds nothing back: no frame depends on it, however slow it is and however full its disk.
//       (When it fails the node poisons itself, and the disk fails the stream lane too.)
// Pure; single-threaded.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "core/base/io.h"
#include "core/node/effects.h"

namespace coffer::net {

class SyncGate {
 public:
  /// Whether the node's words may depend on this operation. Reads and reservations hold nothing back: nothing durable
  /// depends on them (a write into a reserved segment is an operation of its own).
  static bool counts(IoKind kind, IoLane lane) {
    if (lane == IoLane::background) {
      return false;
    }
    switch (kind) {
      case IoKind::write:
      case IoKind::sync:
      case IoKind::sync_dir:
      case IoKind::rename:
      case IoKind::remove:
        return true;
      case IoKind::read:
      case IoKind::list:
      case IoKind::reserve:
        return false;
    }
    return true;
  }

  void submitted(IoKind kind, IoLane lane) { submitted_ += counts(kind, lane) ? 1 : 0; }
  /// Operations that count are done in the order they were submitted.
  void done(IoKind kind, IoLane lane, IoStatus status) {
    if (!counts(kind, lane)) {
      return;
    }
    ++done_;
    // A name that was not there to remove is no loss; everything else is.
    broken_ = broken_ || !(status == IoStatus::ok || (status == IoStatus::not_found && kind == IoKind::remove));
  }
  /// Takes the frames out of `sends`; they wait for everything submitted so far.
  void hold(std::vector<node::Send>& sends) {
    for (node::Send& send : sends) {
      waiting_.push_back({submitted_, std::move(send)});
    }
    sends.clear();
  }
  /// The next frame that may go.
  std::optional<node::Send> take() {
    if (broken_ || waiting_.empty() || waiting_.front().after > done_) {
      return std::nullopt;
    }
    node::Send send = std::move(waiting_.front().send);
    waiting_.pop_front();
    return send;
  }

 private:
  struct Held {
    std::uint64_t after;
    node::Send send;
  };
  std::uint64_t submitted_ = 0;
  std::uint64_t done_ = 0;
  bool broken_ = false;
  std::deque<Held> waiting_;
};

}  // namespace coffer::net
