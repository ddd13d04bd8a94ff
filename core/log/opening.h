// Opening a node's directory: founds it at the first start, recovers it at every other. Reads first, judges, and only
// then writes: a start that is refused here has changed nothing. (Sealed files are judged beside it, sealed_opening.h.)
// Single-threaded; owned by one Stream.
//
// (A hard state without its full size is first given it, in the stage making_place; else there is none.)
//
//   reading_hard_state ─▶ listing ─▶ reading_segments ─┬─ founded: ─▶ mending ─┬─ sound or torn: ─▶ flagging
//                                                      │                       │                └─▶ cutting ─▶ done
//                                                      │                       └─ damaged: ─▶ making_room ─▶ rewriting
//                                                      │                             └─▶ switching ─▶ setting_aside ─▶
//                                                      done └─ new or half-founded: ─▶ founding ─▶ reserving
//                                                                                    └─▶ laying_stream ─▶ done
// Each stage begins when all operations of the one before have returned, none of them badly.
//
// Founding order.
//   founding       hard-state with sequence 1: write A, sync, write B, sync, sync_dir
//   reserving      "stream-000001" zero-filled in the background
//   laying_stream  its header, sync, sync_dir; then hard-state with sequence 2: write A, sync, write B, sync
// Hence the rules by which a lost disk is told from a founding that a crash interrupted:
//   L1 Any file of the log (but indexes and the manifest, which follow from others) without a whole copy of the hard
//      state is a lost disk: their names are younger than both copies.
//   L2 So is a hard state without a whole copy but with bytes in copy B: B is touched only when A is whole and durable.
//   L3 So is a hard state of sequence >= 2 without its first segment.
//   L4 So is a hard state of sequence 1 beside a stream with frames: frames are younger than sequence 2.
//   L5 So is a hard state older than a frame says (frame_format.h, F5).
//   L6 A directory without any of this was never founded. Only the first start of a node may found it: who comes back
//      with an empty one has lost a disk.
//   Everything else without sequence >= 2 is founded (again): whoever wrote sequence 1 was allowed to.
//
// A full disk: what cannot be written is waited for. Wherever recovery was, it begins again with the first read, as
// after a crash: every stage leaves a directory that recovery ends well in.
//
// Flags: what may have lost something acknowledged (stream_scan.h, S3) makes every group uncertain, except those whose
// only voter this node is (hard_state.h, H10): nobody could tell them more.
//   U1 The flags are durable before anything is cut, set aside or written.
// Cut: remnants behind the end are overwritten with zeros and synced before done(). Therefore
//   C1 when recovery is done, every byte behind the end of the stream is zero, durably, in every segment.
//   C2 a repair that has begun and may not have ended, for its process may have died or its sync failed, is made again,
//      of everything behind the end and of every header: what it is to repair cannot be seen any more (hard_state.h,
//      H9).
// So nothing that an earlier life left behind can ever be taken for a continuation or for proof of damage, not even
// when the new frame n has the very bytes of the torn one: its old successor, had there been one, is gone. Whatever a
// later recovery finds behind the end was written by the life before it.
// Damage (S1) is never cut:
//   Q1 What was folded before it goes into a new segment behind all others, or into the last one if that was only
//      reserved, under frame numbers that were never used: where each group stands, and its entries. It is durable
//      before the hard state makes it the first segment.
//   Q2 That one write of the hard state is the switch: before it the stream is judged as it was found, after it the new
//      segment is the stream, the groups are uncertain, and their evidence is kept.
//   Q3 Then the segments from the damage on are renamed "damaged-...", for the operator; the sound ones before it are
//      removed. A crash in between leaves this to the next start (hard_state.h, H4).
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
  explicit Opening(const StreamConfig& config) : config_(config) {}

  void start(PendingIo& io, std::vector<IoOp>& out);
  /// The result of one operation, which did not fail (not_found and no_space are no failures where they are expected).
  void on_io(IoStatus status, const SharedBytes& bytes, PendingIo& io, std::vector<IoOp>& out,
             std::vector<TraceEvent>& trace);

  bool done() const { return phase_ == Phase::done; }
  const std::string& failure() const { return failure_; }

  // Results, once done().
  const HardStateImage& hard_state() const { return image_; }
  const StreamEnd& end() const { return end_; }
  /// Bytes of the files of the last segment and of the one behind it (0: there is none), durably there.
  std::uint64_t capacity() const { return capacity_; }
  std::uint64_t next_capacity() const { return next_capacity_; }
  std::map<ShardId, FoldedLog>& logs() { return scan_->logs(); }
  std::uint64_t last_full_frame() const { return last_full_; }
  std::uint64_t highest_mark() const { return mark_; }
  /// Something may have been lost that was durable, whether a group had any of it or not.
  bool in_doubt() const { return in_doubt_; }

  /// A segment cannot be reserved: recovery can only be begun again, once everything emitted has come back.
  bool starved() const { return starved_; }

 private:
  enum class Phase : std::uint8_t {
    reading_hard_state,
    listing,
    reading_segments,
    making_place,
    mending,
    flagging,
    cutting,
    making_room,
    rewriting,
    switching,
    setting_aside,
    founding,
    reserving,
    laying_stream,
    done
  };

  void on_hard_state(ByteView file, PendingIo& io, std::vector<IoOp>& out);
  bool agree_on_snapshots();
  void on_listing(ByteView listing, PendingIo& io, std::vector<IoOp>& out);
  void read_next(PendingIo& io, std::vector<IoOp>& out, std::vector<TraceEvent>& trace);
  void judge(PendingIo& io, std::vector<IoOp>& out, std::vector<TraceEvent>& trace);
  void begin_writing(PendingIo& io, std::vector<IoOp>& out);
  bool refuse_unfounded();
  bool refuse_scanned(std::vector<TraceEvent>& trace);
  std::optional<ShardId> group_alone() const;
  void advance(PendingIo& io, std::vector<IoOp>& out, std::vector<TraceEvent>& trace);

  void found_directory(PendingIo& io, std::vector<IoOp>& out);
  void lay_stream(PendingIo& io, std::vector<IoOp>& out);
  void mend(PendingIo& io, std::vector<IoOp>& out);
  bool flag_groups();
  void flag_end(PendingIo& io, std::vector<IoOp>& out, std::vector<TraceEvent>& trace);
  void cut(PendingIo& io, std::vector<IoOp>& out, std::vector<TraceEvent>& trace);
  void cut_remnants(PendingIo& io, std::vector<IoOp>& out);
  void cut_everything(PendingIo& io, std::vector<IoOp>& out);
  static void blank(const Remnant& what, PendingIo& io, std::vector<IoOp>& out);
  void mend_headers(PendingIo& io, std::vector<IoOp>& out);
  void make_room(PendingIo& io, std::vector<IoOp>& out, std::vector<TraceEvent>& trace);
  void close_gaps();
  void build_frames();
  void rewrite(PendingIo& io, std::vector<IoOp>& out);
  void switch_over(PendingIo& io, std::vector<IoOp>& out);
  void set_aside(PendingIo& io, std::vector<IoOp>& out);
  void clear_old_segments(PendingIo& io, std::vector<IoOp>& out);
  void finish(std::vector<TraceEvent>& trace);
  void trace_recovered(std::vector<TraceEvent>& trace);
  bool founded() const { return image_.sequence >= 2; }

  StreamConfig config_;
  Phase phase_ = Phase::reading_hard_state;
  HardStateImage image_;  ///< sequence 0: no whole copy
  std::vector<std::uint32_t> outdated_;
  std::uint64_t hard_state_size_ = 0;  ///< bytes the file has
  bool copy_b_touched_ = false;
  bool repaired_before_ = false;         ///< a life before began to repair, and has not said that it ended
  bool other_files_ = false;             ///< there are some that only a founded directory has
  std::vector<std::uint64_t> segments_;  ///< that exist, ascending
  std::size_t segments_read_ = 0;        ///< or passed over
  std::optional<StreamScan> scan_;
  bool in_doubt_ = false;
  std::vector<Bytes> frames_;  ///< of the new segment, while rewriting
  StreamEnd end_;
  std::uint64_t capacity_ = 0;
  std::uint64_t next_capacity_ = 0;
  std::uint64_t last_full_ = 0;
  std::uint64_t mark_ = 0;
  bool starved_ = false;
  std::string failure_;
};

}  // namespace coffer::log
