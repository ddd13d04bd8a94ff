// Opening a node's directory: founds it at the first start, recovers it at every other. Reads first, judges, and only
// then writes: a start that is refused has changed nothing. Single-threaded; owned by one Stream.
//
//   reading_hard_state ──▶ reading_segments ─┬─ founded: ─▶ mending ─────────────────────────────────────────▶ done
//                                            └─ new or half-founded: ─▶ founding ─▶ reserving ─▶ laying_stream ─▶ done
//
// Founding order. Each stage begins when all operations of the one before have returned:
//   founding       hard-state with sequence 1: write A, sync, write B, sync, sync_dir
//   reserving      "stream-000001" zero-filled in the background
//   laying_stream  its header, sync, sync_dir; then hard-state with sequence 2: write A, sync, write B, sync
// Hence the rules by which a lost disk is told from a founding that a crash interrupted:
//   L1 A stream without a whole copy of the hard state is a lost disk: the stream's name is younger than both copies.
//   L2 So is a hard state without a whole copy but with bytes in copy B: B is touched only when A is whole and durable.
//   L3 So is a hard state of sequence >= 2 without "stream-000001" or with a damaged header in it.
//   L4 So is a hard state of sequence 1 beside a stream with frames: frames are younger than sequence 2.
//   Everything else without sequence >= 2 is founded (again).
//
// Cut: remnants behind the end are overwritten with zeros and synced before done(). Therefore
//   C1 when recovery is done, every byte behind the end of the stream is zero, durably, in every segment.
// So nothing that an earlier life left behind can ever be taken for a continuation or for proof of damage, not even
// when the new frame n has the very bytes of the torn one: its old successor, had there been one, is gone. Whatever a
// later recovery finds behind the end was written by the life before it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/io.h"
#include "core/base/trace.h"
#include "core/log/hard_state.h"
#include "core/log/pending_io.h"
#include "core/log/stream.h"
#include "core/log/stream_scan.h"

namespace coffer::log {

class Opening {
 public:
  Opening(const FileIdentity& identity, std::uint64_t segment_size)
      : identity_(identity), segment_size_(segment_size) {}

  void start(PendingIo& io, std::vector<IoOp>& out);
  /// The result of one operation, which did not fail (not_found and no_space are no failures where they are expected).
  void on_io(const PendingOp& op, IoStatus status, const SharedBytes& bytes, PendingIo& io, std::vector<IoOp>& out,
             std::vector<TraceEvent>& trace);

  bool done() const { return phase_ == Phase::done; }
  const std::string& failure() const { return failure_; }

  // Results, once done().
  const HardStateImage& hard_state() const { return image_; }
  const StreamEnd& end() const { return scan_->end(); }
  std::map<ShardId, std::vector<Entry>>& logs() { return scan_->logs(); }
  /// Whether the segment after the last one is already zero-filled.
  bool next_reserved() const { return scan_->size_of(end().segment + 1) >= segment_size_; }
  bool no_space() const { return no_space_; }

 private:
  enum class Phase : std::uint8_t {
    reading_hard_state,
    reading_segments,
    mending,
    founding,
    reserving,
    laying_stream,
    done
  };

  void on_hard_state(ByteView file, PendingIo& io, std::vector<IoOp>& out);
  void on_segment(IoStatus status, ByteView segment, PendingIo& io, std::vector<IoOp>& out,
                  std::vector<TraceEvent>& trace);
  void advance(PendingIo& io, std::vector<IoOp>& out, std::vector<TraceEvent>& trace);
  bool judge();
  void found_directory(PendingIo& io, std::vector<IoOp>& out);
  void lay_stream(PendingIo& io, std::vector<IoOp>& out);
  void mend(PendingIo& io, std::vector<IoOp>& out, std::vector<TraceEvent>& trace);
  void cut_remnants(PendingIo& io, std::vector<IoOp>& out);
  void finish(std::vector<TraceEvent>& trace);
  bool founded() const { return image_.sequence >= 2; }

  FileIdentity identity_;
  std::uint64_t segment_size_;
  Phase phase_ = Phase::reading_hard_state;
  HardStateImage image_;  ///< sequence 0: no whole copy
  std::vector<std::uint32_t> outdated_;
  bool copy_b_touched_ = false;
  std::optional<StreamScan> scan_;
  bool no_space_ = false;
  std::string failure_;
};

}  // namespace coffer::log
