// One life of a log: a Stream on a MemoryDisk, from start to crash, with a budget of operations so that a test can end
// it before any of them; and the model of what a log should hold.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/entry.h"
#include "core/base/prng.h"
#include "core/log/stream.h"
#include "tests/core/log/memory_disk.h"

namespace coffer::log {

/// Term and payload of each entry from index 1, and the hard state: by group, groups without either left out.
struct Model {
  std::map<std::uint32_t, std::vector<std::pair<std::uint64_t, Bytes>>> logs;
  std::map<std::uint32_t, std::pair<std::uint64_t, std::uint32_t>> hard_states;
  bool operator==(const Model&) const = default;
};
Model model_of(const Recovered& recovered);

inline constexpr std::uint64_t test_segment_size = 4 * 4096;
FileIdentity test_identity();

class Life {
 public:
  /// Ends before operation `ops_max`; reservations are executed late or early by `random`.
  explicit Life(MemoryDisk& disk, std::uint64_t ops_max = UINT64_MAX, std::uint64_t random = 0,
                FileIdentity identity = test_identity(), std::uint64_t segment_size = test_segment_size);

  /// Executes operations until none is left or the life is over. True when everything was executed.
  bool run();
  /// The model after recovery. Requires: run() returned true and the log did not fail.
  Model recovered();
  /// Flushes and runs. True when the flush has completed.
  bool flush_and_run();

  bool over() const { return executed_ >= ops_max_; }
  std::uint64_t executed() const { return executed_; }
  bool saw(TraceKind kind) const;
  std::uint64_t trace_a(TraceKind kind) const;

  /// The next operation of this kind gets this answer instead of being executed.
  void answer_next(IoKind kind, IoStatus status) { planned_.emplace(kind, status); }
  /// Reservations wait until release.
  void hold_reservations(bool hold) { hold_reservations_ = hold; }

  Stream stream;
  std::vector<TraceEvent> trace;
  std::vector<IoOp> emitted;  ///< everything, without its bytes

 private:
  void take(std::vector<IoOp>& ops);
  std::optional<IoOp> next();

  MemoryDisk& disk_;
  std::deque<IoOp> in_order_;
  std::deque<IoOp> reservations_;
  std::uint64_t ops_max_;
  std::uint64_t executed_ = 0;
  Prng random_;
  std::multimap<IoKind, IoStatus> planned_;
  bool hold_reservations_ = false;
};

/// One random batch of calls before a flush, applied to the model, and to the stream if there is one.
/// Never empty; sometimes larger than a segment.
void random_batch(Prng& random, Model& model, Stream* stream);

Entry entry(std::uint64_t index, std::uint64_t term, const Bytes& payload);
/// `size` bytes that depend on `seed`.
Bytes payload(std::uint64_t seed, std::size_t size);

}  // namespace coffer::log
