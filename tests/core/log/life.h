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

struct ModelEntry {
  std::uint64_t term = 0;
  Bytes payload;
  EntryKind kind = EntryKind::state;
  bool operator==(const ModelEntry&) const = default;
};
struct ModelLog {
  LogPlace base;
  std::vector<ModelEntry> entries;  ///< from base.index + 1
  bool operator==(const ModelLog&) const = default;
  std::size_t size() const { return entries.size(); }
  std::uint64_t last() const { return base.index.value + entries.size(); }
};
/// The logs, and the hard states: by group, groups without either left out.
struct Model {
  std::map<std::uint32_t, ModelLog> logs;
  std::map<std::uint32_t, std::pair<std::uint64_t, std::uint32_t>> hard_states;
  bool operator==(const Model&) const = default;
};
Model model_of(const Recovered& recovered);

inline constexpr std::uint64_t test_segment_size = 4 * 4096;
FileIdentity test_identity();
StreamConfig test_config();

class Life {
 public:
  /// Ends before operation `ops_max`; reservations and the background lane are executed late or early by `random`.
  explicit Life(MemoryDisk& disk, std::uint64_t ops_max = UINT64_MAX, std::uint64_t random = 0,
                StreamConfig config = test_config());

  /// Executes operations until none is left or the life is over. True when everything was executed.
  bool run();
  /// The model after recovery. Requires: run() returned true and the log did not fail.
  Model recovered();
  /// Flushes and runs, if need be after a reservation. True when the flush has completed.
  bool flush_and_run();
  /// A quiet while: maintains and runs until nothing is left to do. True when the life is not over.
  bool rest();
  /// One call of maintain() at `now`, executed.
  void maintain();

  bool over() const { return executed_ >= ops_max_; }
  std::uint64_t executed() const { return executed_; }
  bool saw(TraceKind kind) const;
  std::uint64_t trace_a(TraceKind kind) const;

  /// The next operation of this kind gets this answer instead of being executed.
  void answer_next(IoKind kind, IoStatus status) { planned_.emplace(kind, status); }
  /// Reservations wait until release.
  void hold_reservations(bool hold) { hold_reservations_ = hold; }

  Stream stream;
  Recovered found;  ///< after recovered()
  Instant now{1'000'000};
  std::vector<TraceEvent> trace;
  std::vector<IoOp> emitted;  ///< everything, without its bytes
  std::vector<IoOp> written;  ///< the writes among it, with them

 private:
  void take(std::vector<IoOp>& ops);
  std::optional<IoOp> next();

  MemoryDisk& disk_;
  std::deque<IoOp> in_order_;
  std::deque<IoOp> background_;
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

Entry entry(std::uint64_t index, std::uint64_t term, const Bytes& payload, EntryKind kind = EntryKind::state);
/// `size` bytes that depend on `seed`.
Bytes payload(std::uint64_t seed, std::size_t size);

}  // namespace coffer::log
