#include "core/log/opening.h"

#include "core/base/check.h"
#include "core/base/hash.h"

namespace coffer::log {

void Opening::start(PendingIo& io, std::vector<IoOp>& out) { io.read(hard_state_file, out); }

void Opening::on_io(const PendingOp& op, IoStatus status, const SharedBytes& bytes, PendingIo& io,
                    std::vector<IoOp>& out, std::vector<TraceEvent>& trace) {
  if (phase_ == Phase::reading_hard_state) {
    on_hard_state(view(bytes), io, out);
    return;
  }
  if (phase_ == Phase::reading_segments) {
    on_segment(status, view(bytes), io, out, trace);
    return;
  }
  if (op.kind == IoKind::reserve) {
    no_space_ = status == IoStatus::no_space;
  }
  if (io.in_order_done() && !io.reserving()) {
    advance(io, out, trace);
  }
}

void Opening::on_hard_state(ByteView file, PendingIo& io, std::vector<IoOp>& out) {
  Result<HardStateFile> read = read_hard_state(file, identity_);
  if (!read) {
    failure_ = read.error().what;
    return;
  }
  if (read->newest) {
    image_ = std::move(*read->newest);
  }
  outdated_ = read->outdated;
  copy_b_touched_ = file.size() > block_size && !is_blank(file.subspan(block_size));
  scan_.emplace(identity_, founded());
  phase_ = Phase::reading_segments;
  io.read(segment_file(scan_->wanted()), out);
}

void Opening::on_segment(IoStatus status, ByteView segment, PendingIo& io, std::vector<IoOp>& out,
                         std::vector<TraceEvent>& trace) {
  if (status == IoStatus::not_found) {
    scan_->missing();
  } else {
    scan_->found(segment);
  }
  if (!scan_->finished()) {
    io.read(segment_file(scan_->wanted()), out);
    return;
  }
  if (!judge()) {
    if (scan_->damaged_frame() > 0) {
      trace.push_back({.kind = TraceKind::corruption, .a = scan_->damaged_frame()});
    }
    return;
  }
  if (founded()) {
    mend(io, out, trace);
  } else {
    found_directory(io, out);
  }
}

/// Damage, and rules L1, L2 and L4 (L3 is the scan's). Sets failure_ and returns false when the disk cannot be used.
bool Opening::judge() {
  const std::string start = std::string(hard_state_file) + " at byte 0: ";
  if (scan_->failed()) {
    failure_ = scan_->failure();
  } else if (image_.sequence == 0 && (scan_->any_found() || copy_b_touched_)) {
    failure_ = start +
               "missing, or both copies are damaged, in a directory that was in use: this disk has lost its votes. " +
               restore_advice;
  } else if (image_.sequence == 1 && scan_->end().next_frame > 1) {
    failure_ = start + "older than the stream beside it: this disk has lost its votes. " + restore_advice;
  }
  return failure_.empty();
}

void Opening::advance(PendingIo& io, std::vector<IoOp>& out, std::vector<TraceEvent>& trace) {
  switch (phase_) {
    case Phase::founding:
      phase_ = Phase::reserving;
      io.reserve(segment_file(1), segment_size_, out);
      return;
    case Phase::reserving:
      lay_stream(io, out);
      return;
    case Phase::mending:
    case Phase::laying_stream:
      finish(trace);
      return;
    case Phase::reading_hard_state:
    case Phase::reading_segments:
    case Phase::done:
      break;
  }
  check_failed("opening waits for operations only in the phases that emitted some");
}

void Opening::found_directory(PendingIo& io, std::vector<IoOp>& out) {
  phase_ = Phase::founding;
  if (image_.sequence == 0) {
    image_.sequence = 1;
    write_hard_state(identity_, image_, io, out);
  } else {
    mend_hard_state(identity_, image_, outdated_, io, out);
  }
  io.sync_dir(out);
}

void Opening::lay_stream(PendingIo& io, std::vector<IoOp>& out) {
  phase_ = Phase::laying_stream;
  cut_remnants(io, out);
  io.write(
      segment_file(1), 0,
      encode_segment_header(
          {.identity = identity_, .salt = segment_salt(identity_, 1), .number = 1, .first_frame = 1, .previous = 0}),
      out);
  io.sync(segment_file(1), out);
  io.sync_dir(out);
  ++image_.sequence;
  write_hard_state(identity_, image_, io, out);
}

/// Everything that was read becomes durable: the life before may have ended between a write and its sync.
void Opening::mend(PendingIo& io, std::vector<IoOp>& out, std::vector<TraceEvent>& trace) {
  phase_ = Phase::mending;
  mend_hard_state(identity_, image_, outdated_, io, out);
  if (!scan_->remnants().empty()) {
    trace.push_back({.kind = TraceKind::tail_torn, .a = scan_->end().next_frame});
  }
  cut_remnants(io, out);
  // Only the last frame can have missed its sync, and only its segment the sync of its name: a frame is written when
  // the one before is durable.
  io.sync(segment_file(scan_->end().segment), out);
  io.sync_dir(out);
}

/// Rule C1.
void Opening::cut_remnants(PendingIo& io, std::vector<IoOp>& out) {
  for (const Remnant& remnant : scan_->remnants()) {
    io.write(segment_file(remnant.segment), remnant.offset, Bytes(remnant.size), out);
    io.sync(segment_file(remnant.segment), out);
  }
}

void Opening::finish(std::vector<TraceEvent>& trace) {
  phase_ = Phase::done;
  for (const auto& [group, state] : image_.states) {
    scan_->logs()[group];  // a group may have voted before its first entry
  }
  for (const auto& [group, entries] : scan_->logs()) {
    const auto stored = image_.states.find(group);
    const HardState state = stored == image_.states.end() ? HardState{} : stored->second;
    trace.push_back(
        {.kind = TraceKind::recovered, .shard = group, .term = state.term, .a = entries.size(), .b = state.vote.value});
    for (const Entry& entry : entries) {
      const std::uint64_t digest = entry.payload ? hash64(*entry.payload) : 0;
      trace.push_back(
          {.kind = TraceKind::recovered_entry, .shard = group, .term = entry.term, .index = entry.index, .a = digest});
    }
  }
}

}  // namespace coffer::log
