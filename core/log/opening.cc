#include "core/log/opening.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "core/base/check.h"
#include "core/base/hash.h"

namespace coffer::log {
namespace {

/// Bytes of records after which a rewritten log goes on in the next frame.
constexpr std::size_t rewritten_payload_max = 8u << 20;
/// Bytes of zeros in one write.
constexpr std::uint64_t blanked_at_once = 1u << 20;

/// Names that only a directory in use has: what sealed files and segments set aside are called.
bool belongs_to_a_log(std::string_view name) {
  constexpr std::array<std::string_view, 5> prefixes = {"damaged-", "snapshot-", "history-", "archive-", "attic-"};
  return std::any_of(prefixes.begin(), prefixes.end(), [name](std::string_view p) { return name.starts_with(p); });
}

std::string words(const SnapshotSizes& sizes) {
  return "epoch_bytes " + std::to_string(sizes.epoch_bytes) + " and chunk_bytes " + std::to_string(sizes.chunk_bytes);
}

std::string at_hard_state() { return std::string(hard_state_file) + " at byte 0: "; }

}  // namespace

void Opening::start(PendingIo& io, std::vector<IoOp>& out) { io.read(hard_state_file, out); }

void Opening::on_io(IoStatus status, const SharedBytes& bytes, PendingIo& io, std::vector<IoOp>& out,
                    std::vector<TraceEvent>& trace) {
  if (phase_ == Phase::reading_hard_state) {
    on_hard_state(view(bytes), io, out);
    return;
  }
  if (phase_ == Phase::listing) {
    on_listing(view(bytes), io, out);
    if (phase_ == Phase::reading_segments) read_next(io, out, trace);
    return;
  }
  if (phase_ == Phase::reading_segments) {
    if (status == IoStatus::ok) scan_->found(segments_.at(segments_read_), view(bytes));
    ++segments_read_;
    read_next(io, out, trace);
    return;
  }
  starved_ = starved_ || status == IoStatus::no_space;
  if (io.in_order_done() && !io.reserving() && !starved_) {
    advance(io, out, trace);
  }
}

void Opening::on_hard_state(ByteView file, PendingIo& io, std::vector<IoOp>& out) {
  Result<HardStateFile> read = read_hard_state(file, config_.identity);
  if (!read) {
    failure_ = read.error().what;
    return;
  }
  if (read->newest) {
    image_ = std::move(*read->newest);
    repaired_before_ = image_.repairing;
  }
  if (!agree_on_snapshots()) return;
  outdated_ = read->outdated;
  hard_state_size_ = file.size();
  copy_b_touched_ = file.size() > block_size && !is_blank(file.subspan(block_size));
  phase_ = Phase::listing;
  io.list(out);
}

/// Rule H7. What is not known yet is kept from now on.
bool Opening::agree_on_snapshots() {
  const SnapshotSizes known = image_.snapshots;
  const SnapshotSizes told = config_.snapshots;
  if (known != SnapshotSizes{} && told != SnapshotSizes{} && known != told) {
    failure_ = at_hard_state() + "this node was founded with " + words(known) + ", and its settings now say " +
               words(told) + ". All replicas of a cluster share these for ever, or their snapshots would differ. " +
               "Nothing was changed. Set them back.";
    return false;
  }
  if (known == SnapshotSizes{}) image_.snapshots = told;
  return true;
}

void Opening::on_listing(ByteView listing, PendingIo& io, std::vector<IoOp>& out) {
  for (const std::string& name : names_listed(listing)) {
    if (const auto segment = segment_of_file(name)) {
      segments_.push_back(*segment);
    }
    other_files_ = other_files_ || belongs_to_a_log(name);
  }
  std::sort(segments_.begin(), segments_.end());
  if (image_.sequence > 0) {
    scan_.emplace(config_.identity, StreamScan::Known{founded(), image_.first_segment, image_.mark},
                  config_.segment_size);
    phase_ = Phase::reading_segments;
  } else if (!refuse_unfounded()) {
    scan_.emplace(config_.identity, StreamScan::Known{}, config_.segment_size);
    begin_writing(io, out);
  }
}

/// Rules L1, L2 and L6.
bool Opening::refuse_unfounded() {
  if (!segments_.empty() || other_files_ || copy_b_touched_) {
    failure_ = at_hard_state() +
               "missing, or both copies are damaged, in a directory that was in use: this disk has lost its votes. " +
               restore_advice;
  } else if (!config_.may_found) {
    failure_ = at_hard_state() +
               "there is none, and this is not the first start of this node: it was founded before, and its disk is "
               "lost. Nothing was changed. Start it with the directory that belongs to it, or let a replacement join "
               "with `coffer join --replace`.";
  }
  return !failure_.empty();
}

/// One segment at a time; then the verdict.
void Opening::read_next(PendingIo& io, std::vector<IoOp>& out, std::vector<TraceEvent>& trace) {
  while (segments_read_ < segments_.size() && segments_[segments_read_] < image_.first_segment) {
    ++segments_read_;
  }
  if (!scan_->failed() && segments_read_ < segments_.size()) {
    io.read(segment_file(segments_[segments_read_]), out);
    return;
  }
  if (!scan_->failed()) scan_->finish();
  judge(io, out, trace);
}

void Opening::judge(PendingIo& io, std::vector<IoOp>& out, std::vector<TraceEvent>& trace) {
  if (!refuse_scanned(trace)) begin_writing(io, out);
}

/// A full disk refuses a hard state its place before anything of it is written.
void Opening::begin_writing(PendingIo& io, std::vector<IoOp>& out) {
  if (hard_state_size_ < hard_state_file_size) {
    phase_ = Phase::making_place;
    io.reserve(hard_state_file, hard_state_file_size, out);
  } else if (founded()) {
    mend(io, out);
  } else {
    found_directory(io, out);
  }
}

/// What the scan refuses (L3 and what cannot be), rules L4 and L5, and damage that no peer can repair.
bool Opening::refuse_scanned(std::vector<TraceEvent>& trace) {
  std::uint64_t frame = 0;
  if (scan_->failed()) {
    failure_ = scan_->failure();
    frame = scan_->impossible_frame();
  } else if (!founded() && scan_->highest_number() > 0) {
    failure_ = at_hard_state() + "older than the stream beside it: this disk has lost its votes. " + restore_advice;
  } else if (scan_->hard_state() > image_.sequence) {
    failure_ = at_hard_state() + "sequence " + std::to_string(image_.sequence) +
               " is older than the stream, which was written after sequence " + std::to_string(scan_->hard_state()) +
               ": this disk has lost its votes. " + restore_advice;
  } else if (const std::optional<ShardId> alone = group_alone(); founded() && scan_->damage() && alone) {
    failure_ = scan_->damage()->what + ". This node is the only voter of group " + std::to_string(alone->value) +
               ": nobody else has what is lost. Nothing was changed. Restore the directory from a copy.";
    frame = scan_->damage()->frame;
  }
  if (frame > 0) {
    trace.push_back({.kind = TraceKind::corruption, .a = frame});
  }
  return !failure_.empty();
}

/// A group that has no other voter, if there is one.
std::optional<ShardId> Opening::group_alone() const {
  for (const auto& [group, state] : image_.groups) {
    if (state.alone) return group;
  }
  return std::nullopt;
}

void Opening::advance(PendingIo& io, std::vector<IoOp>& out, std::vector<TraceEvent>& trace) {
  switch (phase_) {
    case Phase::founding:
      phase_ = Phase::reserving;
      io.reserve(segment_file(1), config_.segment_size, out);
      return;
    case Phase::making_place:
      hard_state_size_ = hard_state_file_size;
      begin_writing(io, out);
      return;
    case Phase::reserving:
      lay_stream(io, out);
      return;
    case Phase::mending:
      if (scan_->damage()) {
        make_room(io, out, trace);
      } else {
        flag_end(io, out, trace);
      }
      return;
    case Phase::flagging:
      cut(io, out, trace);
      return;
    case Phase::making_room:
      rewrite(io, out);
      return;
    case Phase::rewriting:
      switch_over(io, out);
      return;
    case Phase::switching:
      set_aside(io, out);
      return;
    case Phase::cutting:
    case Phase::setting_aside:
    case Phase::laying_stream:
      finish(trace);
      return;
    case Phase::reading_hard_state:
    case Phase::listing:
    case Phase::reading_segments:
    case Phase::done:
      break;
  }
  check_failed("opening waits for operations only in the phases that emitted some");
}

void Opening::found_directory(PendingIo& io, std::vector<IoOp>& out) {
  phase_ = Phase::founding;
  ++image_.lives;
  if (image_.sequence == 0) {
    image_.sequence = 1;
    write_hard_state(config_.identity, image_, io, out);
  } else {
    mend_hard_state(config_.identity, image_, outdated_, io, out);
  }
  io.sync_dir(out);
}

void Opening::lay_stream(PendingIo& io, std::vector<IoOp>& out) {
  phase_ = Phase::laying_stream;
  cut_remnants(io, out);
  capacity_ = config_.segment_size;
  io.write(segment_file(1), 0,
           encode_segment_header({.identity = config_.identity,
                                  .salt = segment_salt(config_.identity, 1),
                                  .number = 1,
                                  .first_frame = 1,
                                  .previous = 0,
                                  .reserved = config_.segment_size}),
           out);
  io.sync(segment_file(1), out);
  io.sync_dir(out);
  ++image_.sequence;
  write_hard_state(config_.identity, image_, io, out);
}

/// The life before may have ended between a write and its sync, or with only one copy whole.
void Opening::mend(PendingIo& io, std::vector<IoOp>& out) {
  phase_ = Phase::mending;
  ++image_.lives;
  mend_hard_state(config_.identity, image_, outdated_, io, out);
}

/// Every group of which anything is known. Returns whether the image has changed.
bool Opening::flag_groups() {
  for (const auto& [group, log] : scan_->logs()) image_.groups[group];
  for (const auto& [group, place] : scan_->evidence()) image_.groups[group];
  bool changed = false;
  for (auto& [group, state] : image_.groups) {
    if (state.alone) continue;
    LogPlace& evidence = state.evidence;
    const auto raise = [&evidence, &changed](const LogPlace& seen) {
      if (covers(evidence, seen)) return;
      evidence = seen;
      changed = true;
    };
    const auto log = scan_->logs().find(group);
    if (log != scan_->logs().end()) raise(log->second.extent.last());
    const auto behind = scan_->evidence().find(group);
    if (behind != scan_->evidence().end()) raise(behind->second);
    changed = changed || !state.uncertain;
    state.uncertain = true;
  }
  return changed;
}

/// Rule U1.
void Opening::flag_end(PendingIo& io, std::vector<IoOp>& out, std::vector<TraceEvent>& trace) {
  if (scan_->trusted()) {
    cut(io, out, trace);
    return;
  }
  in_doubt_ = true;
  trace.push_back({.kind = TraceKind::tail_uncertain, .a = scan_->end().next_frame});
  const bool repairs = !scan_->remnants().empty() || !scan_->damaged_headers().empty();
  const bool first_to_repair = repairs && !image_.repairing;
  image_.repairing = image_.repairing || repairs;
  if (!flag_groups() && !first_to_repair) {
    cut(io, out, trace);
    return;
  }
  phase_ = Phase::flagging;
  ++image_.sequence;
  image_.mark = std::max(image_.mark, scan_->highest_mark());
  write_hard_state(config_.identity, image_, io, out);
}

/// Everything that was read becomes durable: the life before may have ended between a write and its sync.
void Opening::cut(PendingIo& io, std::vector<IoOp>& out, std::vector<TraceEvent>& trace) {
  phase_ = Phase::cutting;
  end_ = scan_->end();
  capacity_ = scan_->size_of(end_.segment) / block_size * block_size;
  next_capacity_ = scan_->size_of(end_.segment + 1) / block_size * block_size;
  last_full_ = scan_->last_full_frame();
  mark_ = scan_->highest_mark();
  if (!scan_->remnants().empty()) {
    trace.push_back({.kind = TraceKind::tail_torn, .a = end_.next_frame});
  }
  if (repaired_before_) {
    cut_everything(io, out);
  } else {
    cut_remnants(io, out);
  }
  // Only the last frame can have missed its sync: a frame is written when the one before is durable. If that sync
  // failed, the bytes may be in memory only and count as clean, so that no sync writes them any more.
  if (const LastFlush& last = scan_->last_flush(); !last.bytes.empty()) {
    io.write(segment_file(last.segment), last.offset, last.bytes, out);
  }
  mend_headers(io, out);
  io.sync(segment_file(end_.segment), out);
  if (next_capacity_ > 0) {
    io.sync(segment_file(end_.segment + 1), out);
  }
  clear_old_segments(io, out);
  io.sync_dir(out);
}

/// Rule C1.
void Opening::cut_remnants(PendingIo& io, std::vector<IoOp>& out) {
  for (const Remnant& remnant : scan_->remnants()) {
    blank(remnant, io, out);
  }
}

/// Rule C1 where the cut of a life before may have failed (C2): what is blank is made so.
void Opening::cut_everything(PendingIo& io, std::vector<IoOp>& out) {
  for (const std::uint64_t segment : segments_) {
    if (segment < end_.segment) continue;
    const std::uint64_t from = segment == end_.segment ? end_.offset : 0;
    const std::uint64_t size = scan_->size_of(segment);
    if (from < size) blank({segment, from, size - from}, io, out);
  }
}

void Opening::blank(const Remnant& what, PendingIo& io, std::vector<IoOp>& out) {
  const std::string file = segment_file(what.segment);
  for (std::uint64_t done = 0; done < what.size; done += blanked_at_once) {
    io.write(file, what.offset + done, Bytes(std::min(blanked_at_once, what.size - done)), out);
  }
  io.sync(file, out);
}

/// What they say is known (stream_scan.h, S4).
void Opening::mend_headers(PendingIo& io, std::vector<IoOp>& out) {
  for (const SegmentHeader& header : repaired_before_ ? scan_->headers() : scan_->damaged_headers()) {
    io.write(segment_file(header.number), 0, encode_segment_header(header), out);
    io.sync(segment_file(header.number), out);
  }
}

/// Rule Q1: the new segment is made ready.
void Opening::make_room(PendingIo& io, std::vector<IoOp>& out, std::vector<TraceEvent>& trace) {
  phase_ = Phase::making_room;
  trace.push_back({.kind = TraceKind::quarantined, .a = scan_->damage()->frame, .b = scan_->damage()->segment});
  in_doubt_ = true;
  trace.push_back({.kind = TraceKind::tail_uncertain, .a = scan_->damage()->frame});
  flag_groups();
  close_gaps();
  // One that was reserved ahead and never written to costs no space.
  const std::uint64_t last_used = std::max(scan_->last_used_segment(), scan_->damage()->segment);
  const bool is_spare = segments_.back() > last_used && !repaired_before_;
  end_.segment = is_spare ? segments_.back() : segments_.back() + 1;
  end_.next_frame = std::max({scan_->highest_number(), image_.mark, scan_->damage()->frame}) + 1;
  end_.previous = 0;
  mark_ = end_.next_frame - 1;
  build_frames();
  std::uint64_t size = block_size;
  for (const Bytes& frame : frames_) size += frame.size();
  capacity_ = std::max(config_.segment_size, size);
  end_.offset = size;
  last_full_ = image_.mark = end_.next_frame - 1;
  io.reserve(segment_file(end_.segment), capacity_, out);
}

/// The end that is lost was to say that a snapshot holds what lies before these entries. Without it they hang in the
/// air; the evidence knows of them.
void Opening::close_gaps() {
  for (auto& [group, log] : scan_->logs()) {
    if (!log.has_gap()) continue;
    log = {LogExtent({log.extent.base(), log.extent.base()}), Index(), {}};
  }
}

/// Frames from end_.next_frame on, which they move; marked with the number before the first of them.
void Opening::build_frames() {
  const std::uint64_t salt = segment_salt(config_.identity, end_.segment);
  const std::uint64_t mark = mark_;
  Bytes frame(stream_frame_header_size);
  const auto close = [&] {
    end_.previous = seal_stream_frame(frame, {salt, end_.next_frame, end_.previous}, mark,
                                      static_cast<std::uint32_t>(image_.sequence));
    ++end_.next_frame;
    frames_.push_back(std::exchange(frame, Bytes(stream_frame_header_size)));
  };
  for (auto& [group, log] : scan_->logs()) {
    const LogPlace base = log.extent.base();
    append_standing_record(frame, group, {base, base});
    log.extent = LogExtent({base, base});
  }
  for (auto& [group, log] : scan_->logs()) {
    for (const Entry& entry : log.entries) {
      if (frame.size() > rewritten_payload_max) close();
      append_entries_record(frame, group, {&entry, 1});
      log.extent.append(entry.index, entry.term);
    }
    log.extent.settle(end_.segment);
  }
  close();
}

void Opening::rewrite(PendingIo& io, std::vector<IoOp>& out) {
  phase_ = Phase::rewriting;
  const std::string file = segment_file(end_.segment);
  io.write(file, 0,
           encode_segment_header({.identity = config_.identity,
                                  .salt = segment_salt(config_.identity, end_.segment),
                                  .number = end_.segment,
                                  .first_frame = end_.next_frame - frames_.size(),
                                  .previous = 0,
                                  .reserved = capacity_}),
           out);
  std::uint64_t at = block_size;
  for (Bytes& frame : frames_) {
    const std::uint64_t size = frame.size();
    io.write(file, at, std::move(frame), out);
    at += size;
  }
  frames_.clear();
  io.sync(file, out);
  io.sync_dir(out);
}

/// Rule Q2.
void Opening::switch_over(PendingIo& io, std::vector<IoOp>& out) {
  phase_ = Phase::switching;
  image_.damaged_from = scan_->damage()->segment;
  image_.damaged_end = std::max(scan_->last_used_segment(), scan_->damage()->segment) + 1;
  image_.first_segment = end_.segment;
  image_.repairing = false;
  ++image_.sequence;
  write_hard_state(config_.identity, image_, io, out);
}

/// Rule Q3.
void Opening::set_aside(PendingIo& io, std::vector<IoOp>& out) {
  phase_ = Phase::setting_aside;
  clear_old_segments(io, out);
  io.sync_dir(out);
}

void Opening::clear_old_segments(PendingIo& io, std::vector<IoOp>& out) {
  for (const std::uint64_t segment : segments_) {
    if (segment >= image_.first_segment) return;
    if (segment >= image_.damaged_from && segment < image_.damaged_end) {
      io.rename(segment_file(segment), damaged_file(segment), out);
    } else {
      io.remove(segment_file(segment), out);
    }
  }
}

void Opening::finish(std::vector<TraceEvent>& trace) {
  phase_ = Phase::done;
  image_.repairing = false;
  for (const auto& [group, state] : image_.groups) {
    scan_->logs()[group];  // a group may have voted before its first entry
  }
  trace_recovered(trace);
}

void Opening::trace_recovered(std::vector<TraceEvent>& trace) {
  for (const auto& [group, log] : scan_->logs()) {
    const auto stored = image_.groups.find(group);
    const HardState state = stored == image_.groups.end() ? HardState{} : stored->second.hard_state;
    trace.push_back({.kind = TraceKind::recovered,
                     .shard = group,
                     .term = state.term,
                     .index = log.extent.base().index,
                     .a = log.entries.size(),
                     .b = state.vote.value});
    for (const Entry& entry : log.entries) {
      const std::uint64_t digest = entry.payload ? hash64(*entry.payload) : 0;
      trace.push_back(
          {.kind = TraceKind::recovered_entry, .shard = group, .term = entry.term, .index = entry.index, .a = digest});
    }
  }
}

}  // namespace coffer::log
