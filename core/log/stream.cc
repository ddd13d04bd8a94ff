#include "core/log/stream.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "core/log/frame_format.h"
#include "core/log/hard_state.h"
#include "core/log/opening.h"
#include "core/log/pending_io.h"
#include "core/log/records.h"

namespace coffer::log {

// Writing. One flush at a time, so that
//   W1 a frame is written only when every frame before it is durable: its mark is its number - 1;
//   W2 within a flush the hard state is durable before the frame is written: a log never outruns its term.
struct Stream::State {
  State(const FileIdentity& whose, std::uint64_t bytes_per_segment)
      : identity(whose), segment_size(bytes_per_segment), opening(whose, bytes_per_segment) {
    begin_frame(0);
  }

  void begin_frame(std::size_t expected_size);
  void begin_segment(std::vector<IoOp>& out);
  void write_frame(std::vector<IoOp>& out);
  void reserve_next(std::vector<IoOp>& out);
  void on_opened();
  void on_answer(const PendingOp& op, IoStatus status, std::vector<TraceEvent>& trace);
  void fail(std::string why, std::vector<TraceEvent>& trace);
  bool has_records() const { return frame.size() > stream_frame_header_size; }

  FileIdentity identity;
  std::uint64_t segment_size;
  PendingIo io;
  Opening opening;
  std::string failure;

  StreamEnd end;                    ///< where the next frame goes
  std::uint64_t durable_frame = 0;  ///< number of the last frame known durable
  bool next_reserved = false;       ///< the segment after `end.segment` is zero-filled
  bool full = false;
  std::map<ShardId, Index> last_indexes;
  Bytes frame;  ///< room for the header, then the records to be written
  HardStateImage hard_state;
  bool hard_state_changed = false;

  bool flushing = false;
  std::uint64_t flushes_begun = 0;
  std::uint64_t flushes_completed = 0;
};

void Stream::State::begin_frame(std::size_t expected_size) {
  frame = Bytes();
  frame.reserve(std::max(expected_size, block_size));
  frame.resize(stream_frame_header_size);
}

/// The header's write needs no sync of its own: without a sound first frame the segment does not count.
void Stream::State::begin_segment(std::vector<IoOp>& out) {
  ++end.segment;
  end.offset = block_size;
  next_reserved = false;
  io.write(segment_file(end.segment), 0,
           encode_segment_header({.identity = identity,
                                  .salt = segment_salt(identity, end.segment),
                                  .number = end.segment,
                                  .first_frame = end.next_frame,
                                  .previous = end.previous}),
           out);
}

void Stream::State::write_frame(std::vector<IoOp>& out) {
  const std::uint64_t size = frame_size_on_disk(frame.size() - stream_frame_header_size);
  const bool fits = end.offset + size <= segment_size;
  // An empty segment takes a frame of any size. While the next one is being reserved this one grows beyond its size:
  // the reservation's zeros are not ordered behind writes and must not overtake them.
  const bool new_segment = !fits && end.offset > block_size && !io.reserving();
  if (new_segment) {
    begin_segment(out);
  }
  const std::string file = segment_file(end.segment);
  end.previous =
      seal_stream_frame(frame, {segment_salt(identity, end.segment), end.next_frame, end.previous}, durable_frame);
  io.write(file, end.offset, std::move(frame), out);
  io.sync(file, out);
  if (new_segment) {
    io.sync_dir(out);  // a file whose name is lost is lost
  }
  end.offset += size;
  ++end.next_frame;
  begin_frame(size);  // batches resemble the one before: no growing by doubling
}

void Stream::State::reserve_next(std::vector<IoOp>& out) {
  const bool wanted = full || end.offset > segment_size / 2;
  if (wanted && !next_reserved && !io.reserving()) {
    io.reserve(segment_file(end.segment + 1), segment_size, out);
  }
}

void Stream::State::on_opened() {
  end = opening.end();
  durable_frame = end.next_frame - 1;
  next_reserved = opening.next_reserved();
  full = opening.no_space();
  hard_state = opening.hard_state();
  for (const auto& [group, entries] : opening.logs()) {
    last_indexes[group] = Index(entries.size());
  }
}

void Stream::State::on_answer(const PendingOp& op, IoStatus status, std::vector<TraceEvent>& trace) {
  if (op.kind == IoKind::reserve) {
    full = status == IoStatus::no_space;
    next_reserved = status == IoStatus::ok;
    return;
  }
  if (!flushing || !io.in_order_done()) return;
  flushing = false;
  flushes_completed = flushes_begun;
  if (durable_frame + 1 < end.next_frame) {
    durable_frame = end.next_frame - 1;
    trace.push_back({.kind = TraceKind::synced, .a = durable_frame});
  }
}

void Stream::State::fail(std::string why, std::vector<TraceEvent>& trace) {
  failure = std::move(why);
  trace.push_back({.kind = TraceKind::failed});
}

Stream::Stream(FileIdentity identity, std::uint64_t segment_size) {
  check(segment_size >= 2 * block_size, "a segment holds its header and a frame");
  state_ = std::make_unique<State>(identity, segment_size);
}

Stream::~Stream() = default;

void Stream::start(std::vector<IoOp>& out) { state_->opening.start(state_->io, out); }

void Stream::on_io(IoToken token, IoStatus status, SharedBytes bytes, std::vector<IoOp>& out,
                   std::vector<TraceEvent>& trace) {
  State& s = *state_;
  const std::optional<PendingOp> op = s.io.take(token);
  if (!op || failed()) return;
  const bool expected = status == IoStatus::ok || (op->kind == IoKind::read && status == IoStatus::not_found) ||
                        (op->kind == IoKind::reserve && status == IoStatus::no_space);
  if (!expected) {
    s.fail(describe_failure(*op, status), trace);
    return;
  }
  if (s.opening.done()) {
    s.on_answer(*op, status, trace);
    return;
  }
  s.opening.on_io(*op, status, bytes, s.io, out, trace);
  if (!s.opening.failure().empty()) {
    s.fail(s.opening.failure(), trace);
  } else if (s.opening.done()) {
    s.on_opened();
  }
}

bool Stream::recovered() const { return state_->opening.done(); }

Recovered Stream::take_recovered() {
  check(recovered(), "recovery has ended");
  return {state_->hard_state.states, std::move(state_->opening.logs())};
}

void Stream::append(ShardId group, std::span<const Entry> entries) {
  check(recovered(), "recovery has ended");
  if (entries.empty()) return;
  Index& last = state_->last_indexes[group];
  for (const Entry& entry : entries) {
    check(entry.index == last.next(), "a log is dense");
    check(entry.index.value <= entry_number_max && entry.term.value <= entry_number_max,
          "indexes and terms stay in range");
    last = entry.index;
  }
  append_entries_record(state_->frame, group, entries);
}

void Stream::truncate(ShardId group, Index from) {
  check(recovered(), "recovery has ended");
  Index& last = state_->last_indexes[group];
  check(from.value > 0 && from <= last.next(), "a truncation begins inside the log");
  last = Index(from.value - 1);
  append_truncate_record(state_->frame, group, from);
}

void Stream::set_hard_state(ShardId group, HardState state) {
  check(recovered(), "recovery has ended");
  HardState& current = state_->hard_state.states[group];
  check(state.term >= current.term, "a term never goes back");
  current = state;
  state_->hard_state_changed = true;
}

bool Stream::has_pending() const { return state_->hard_state_changed || state_->has_records(); }

bool Stream::idle() const { return recovered() && !failed() && !state_->flushing; }

Flushed Stream::flush(std::vector<IoOp>& out) {
  State& s = *state_;
  check(idle(), "one flush at a time");
  check(has_pending(), "a flush has something to write");
  s.flushing = true;
  if (std::exchange(s.hard_state_changed, false)) {
    ++s.hard_state.sequence;
    write_hard_state(s.identity, s.hard_state, s.io, out);
  }
  if (s.has_records()) {
    s.write_frame(out);
  }
  s.reserve_next(out);
  return {++s.flushes_begun};
}

std::uint64_t Stream::completed() const { return state_->flushes_completed; }

const std::string& Stream::failure() const { return state_->failure; }

bool Stream::full() const { return state_->full; }

}  // namespace coffer::log
