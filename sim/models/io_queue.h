// The order of one process's disk operations, and of the messages that must follow them.
//
// The operations of a lane run one after the other in the order given; the two lanes run beside each other, and a
// reserve beside both. Messages held at some moment leave when every operation of the stream lane given before that
// moment that changes something has returned ok; after the first failure of one none leaves any more. The background
// lane holds nothing back. Time and execution are the machine's. Single-threaded.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <vector>

#include "core/base/io.h"
#include "core/base/prng.h"
#include "core/node/effects.h"

namespace coffer::sim {

class IoQueue {
 public:
  /// An operation that begins now; it is over when finish() is told its place.
  struct Begun {
    std::uint64_t place = 0;  ///< 1, 2, 3 … in the order given, over both lanes
    IoKind kind{};
    IoLane lane{};
  };

  /// Takes the operations over, and empties `ops`.
  /// Requires: no file is touched by both lanes at a time (checked).
  std::vector<Begun> submit(std::vector<IoOp>& ops);
  /// Takes the messages over, and empties `sends`.
  void hold(std::vector<node::Send>& sends);

  struct Finished {
    IoOp op;
    std::vector<Begun> begun;
  };
  /// Requires: the operation has begun and is not over (checked).
  Finished finish(std::uint64_t place);
  /// What a finished operation returned.
  void returned(const IoOp& op, IoStatus status);
  /// Messages that may leave now.
  std::vector<node::Send> release();

  bool pending() const;
  /// The process dies: forgets everything, and gives back what the operating system executes all the same: of each
  /// lane, in its order, nothing more often than not, else the first few; of the reserves, any.
  std::vector<IoOp> cut_off(Prng& prng);

 private:
  struct Operation {
    std::uint64_t place = 0;
    IoOp op;
  };
  using Lane = std::deque<Operation>;  ///< the front one has begun
  struct Held {
    std::uint64_t barrier = 0;  ///< place of the last operation that must have returned
    std::vector<node::Send> sends;
  };

  Lane& lane_of(const IoOp& op) { return lanes_[static_cast<std::size_t>(op.lane)]; }
  bool other_lane_touches(const IoOp& op) const;

  std::uint64_t places_ = 0;
  std::array<Lane, 2> lanes_;
  std::map<std::uint64_t, IoOp> reserves_;
  std::deque<Held> held_;
  bool poisoned_ = false;
};

}  // namespace coffer::sim
