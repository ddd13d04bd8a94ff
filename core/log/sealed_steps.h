// Steps: what is to be done to files in the background, each file's operations in their order. A step starts only when
// all before it on the same subject have succeeded; writes in a row may be under way together. So a rename never
// overtakes a write that failed, which the order of the lane alone would not prevent.
//
//   waiting ──pump──> under way ──ok──> done            (a milestone is reached as soon as it stands first)
//                        │ no_space: refused ──retry──> under way   (a sync is never retried: failure)
//                        └ failed: failure, nothing more is started
// Single-threaded; owned by one SealedStore.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/io.h"
#include "core/log/pending_io.h"

namespace coffer::log {

/// What the steps before it have brought about.
enum class Milestone : std::uint8_t {
  filled,       ///< every chunk of a temporary file is durable
  published,    ///< it has its name
  repaired,     ///< a chunk was written again: number
  rewritten,    ///< header and table were written again
  archived,     ///< it has its archive name
  quarantined,  ///< it has the operator's name
  removed,
  derived,  ///< an index or the manifest is durable
  opened,   ///< names found at the start are durable
};
struct Reached {
  std::string subject;
  Milestone milestone;
  std::uint64_t number = 0;
};

class SealedSteps {
 public:
  explicit SealedSteps(IoOwner owner) : io_(owner, IoLane::background) {}

  // Each appends a step to what `subject` waits for.
  void write(const std::string& subject, const std::string& file, std::uint64_t offset, Bytes bytes);
  void sync(const std::string& subject, const std::string& file);
  void sync_dir(const std::string& subject);
  void rename(const std::string& subject, const std::string& from, const std::string& to);
  /// A file that is not there is removed already.
  void remove(const std::string& subject, const std::string& file);
  void reach(const std::string& subject, Milestone milestone, std::uint64_t number = 0);

  /// Forgets what of `subject` has not begun. What is under way ends unheard; operations added now come after it.
  void drop(const std::string& subject);
  bool busy(const std::string& subject) const { return steps_.contains(subject); }
  bool busy() const { return !steps_.empty(); }
  /// Writes of `subject` that have not succeeded yet.
  std::size_t writes(const std::string& subject) const;

  /// Reads are not steps: emitted at once, their results are the caller's.
  void read(const std::string& file, std::uint64_t offset, std::uint64_t length, std::uint64_t tag,
            std::vector<IoOp>& out);
  void list(std::vector<IoOp>& out) { io_.list(out); }

  /// Starts what can start.
  void pump(std::vector<IoOp>& out);
  /// True: the token was one of these. The operation in `read`, if it was a read or a listing.
  bool on_io(IoToken token, IoStatus status, std::vector<IoOp>& out, std::optional<PendingOp>& read);
  std::vector<Reached> take_reached();

  /// Something was refused for lack of space and has not succeeded since. No new write is started meanwhile.
  bool paused() const { return refused_ > 0; }
  /// Starts again what was refused.
  void retry(std::vector<IoOp>& out);
  const std::string& failure() const { return failure_; }

 private:
  enum class Progress : std::uint8_t { waiting, under_way, done };
  struct Step {
    std::uint64_t id = 0;
    std::string subject;
    IoOp op;
    std::optional<Reached> milestone;  ///< instead of an operation
    Progress progress = Progress::waiting;
    bool refused = false;
  };
  void add(const std::string& subject, IoKind kind, const std::string& file, const std::string& target = {},
           std::uint64_t offset = 0, SharedBytes bytes = {});
  void start(Step& step, std::vector<IoOp>& out);
  void pump(std::deque<Step>& steps, std::vector<IoOp>& out);
  void finish(const PendingOp& op, IoStatus status);
  void fail(const PendingOp& op, IoStatus status);

  PendingIo io_;
  std::map<std::string, std::deque<Step>> steps_;
  std::map<std::uint64_t, std::string> under_way_;  ///< step id -> subject
  std::vector<Reached> reached_;
  std::uint64_t last_id_ = 0;
  std::uint64_t refused_ = 0;
  std::string failure_;
};

}  // namespace coffer::log
