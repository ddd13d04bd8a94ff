// The order of one process's disk operations, and of the messages that must follow them.
//
// Operations run one after the other in the order given; a reserve runs beside them. Messages held at some moment leave
// when every operation given before that moment has returned ok; after the first failure none leaves any more.
// Time and execution are the machine's. Single-threaded.
#pragma once

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
    std::uint64_t place = 0;  ///< 1, 2, 3 … in the order given
    IoKind kind{};
  };

  /// Takes the operations over, and empties `ops`.
  std::vector<Begun> submit(std::vector<IoOp>& ops);
  /// Takes the messages over, and empties `sends`.
  void hold(std::vector<node::Send>& sends);

  struct Finished {
    IoOp op;
    std::vector<Begun> begun;
  };
  /// Requires: the operation has begun and is not over (checked).
  Finished finish(std::uint64_t place);
  /// An operation did not return ok.
  void poison() { poisoned_ = true; }
  /// Messages that may leave now.
  std::vector<node::Send> release();

  bool pending() const { return !lane_.empty() || !reserves_.empty(); }
  /// The process dies: forgets everything, and gives back what the operating system executes all the same, in order:
  /// nothing more often than not, else the first few; of the reserves, any.
  std::vector<IoOp> cut_off(Prng& prng);

 private:
  struct Operation {
    std::uint64_t place = 0;
    IoOp op;
  };
  struct Held {
    std::uint64_t barrier = 0;  ///< place of the last operation that must have returned
    std::vector<node::Send> sends;
  };

  std::uint64_t places_ = 0;
  std::deque<Operation> lane_;  ///< the front one has begun
  std::map<std::uint64_t, IoOp> reserves_;
  std::deque<Held> held_;
  bool poisoned_ = false;
};

}  // namespace coffer::sim
