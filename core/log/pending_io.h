// The io operations the log has emitted and not heard of: gives out tokens, knows when everything in order has come
// back, and puts a failed operation into words. Single-threaded; owned by one Stream.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/io.h"

namespace coffer::log {

/// What is remembered of an operation until its token returns.
struct PendingOp {
  IoToken token;
  IoKind kind;
  std::string file;
  std::uint64_t offset = 0;
  std::uint64_t tag = 0;  ///< the caller's
};

/// The parts of the log that emit operations share one space of tokens: the owner is the token's highest byte.
enum class IoOwner : std::uint8_t { stream = 1, sealed_store = 2, derived_files = 3 };

class PendingIo {
 public:
  /// Emits into `lane`. Tokens count on from `first_token`, so that one owner may have two of these.
  explicit PendingIo(IoOwner owner = IoOwner::stream, IoLane lane = IoLane::stream, std::uint64_t first_token = 0)
      : owner_(owner), lane_(lane), last_token_(first_token) {}

  void read(std::string file, std::vector<IoOp>& out);
  void read_range(std::string file, std::uint64_t offset, std::uint64_t length, std::uint64_t tag,
                  std::vector<IoOp>& out);
  /// The names in the directory.
  void list(std::vector<IoOp>& out);
  void rename(std::string from, std::string to, std::vector<IoOp>& out);
  void remove(std::string file, std::vector<IoOp>& out);
  void write(std::string file, std::uint64_t offset, Bytes bytes, std::vector<IoOp>& out);
  void sync(std::string file, std::vector<IoOp>& out);
  /// Names created by earlier writes become durable.
  void sync_dir(std::vector<IoOp>& out);
  /// Zero-fills a file to `size` bytes in the background. Requires: none under way (checked), and no write to that file
  /// before it has come back: it is not ordered behind writes, so that its zeros could overtake them.
  void reserve(std::string file, std::uint64_t size, std::vector<IoOp>& out);

  /// The general form of all the above: fills in token and lane. `tag` comes back with take().
  void add(IoOp op, std::vector<IoOp>& out, std::uint64_t tag = 0);

  /// Forgets and returns the operation of `token`; nothing for a token that is not awaited.
  std::optional<PendingOp> take(IoToken token);
  /// Whether everything but a reservation has come back.
  bool in_order_done() const { return in_order_ == 0; }
  bool reserving() const { return reserving_; }

 private:
  IoOwner owner_;
  IoLane lane_;
  std::vector<PendingOp> pending_;
  std::uint64_t last_token_;
  std::uint64_t in_order_ = 0;
  bool reserving_ = false;
};

/// "write of stream-000001 at byte 4096 failed: …", with advice.
std::string describe_failure(const PendingOp& op, IoStatus status);

}  // namespace coffer::log
