#include "core/log/stream.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "core/base/check.h"
#include "core/log/frame_format.h"
#include "core/log/hard_state.h"
#include "core/log/opening.h"
#include "core/log/pending_io.h"
#include "core/log/records.h"

namespace coffer::log {
namespace {

/// How long a stream is quiet before a mark covers its last frame: a flush that comes at once does not wait for it.
constexpr Duration quiet_before_mark = milliseconds(2);
/// Between two attempts to reserve on a full disk.
constexpr Duration reserve_again_after = milliseconds(500);
/// Tokens of the background lane, beside those of the stream lane.
constexpr std::uint64_t first_chore = std::uint64_t{1} << 55;

}  // namespace

// Writing. One flush at a time, so that
//   W1 a frame is written only when every frame before it is durable: its mark is its number - 1;
//   W2 within a flush the hard state is durable before the frame is written: a log never outruns its term;
//   W3 a frame is written only into bytes that are durably reserved: the disk may be full and the write still succeeds;
//   W4 a segment is removed only when a durable hard state begins behind it, and the stream from there on holds every
//      entry behind its group's base, durably: at that moment all that was written is durable, and what is pending does
//      not count.
struct Stream::State {
  explicit State(StreamConfig with) : config(std::move(with)), opening(config) { begin_frame(0); }

  void begin_frame(std::size_t expected_size);
  void begin_segment(std::vector<IoOp>& out);
  void write_frame(std::vector<IoOp>& out);
  void write_hard_state_now(std::vector<IoOp>& out);
  void reserve_next(std::vector<IoOp>& out);
  void keep_room(Instant now, std::vector<IoOp>& out);
  void use_quiet(Instant now, std::vector<IoOp>& out);
  void open_again(Instant now, std::vector<IoOp>& out);
  void remove_old_segments(std::vector<IoOp>& out);
  void on_opened(std::vector<TraceEvent>& trace);
  void on_flushed(std::vector<IoOp>& out, std::vector<TraceEvent>& trace);
  void on_chore(const PendingOp& op, IoStatus status, std::vector<IoOp>& out, std::vector<TraceEvent>& trace);
  void fail(std::string why, std::vector<TraceEvent>& trace);

  bool has_records() const { return frame.size() > stream_frame_header_size; }
  std::uint64_t frame_size() const { return frame_size_on_disk(frame.size() - stream_frame_header_size); }
  /// Bytes of a segment that begins with the pending frame.
  std::uint64_t size_as_first_frame() const;
  bool fits_here() const { return end.offset + frame_size() <= capacity; }
  bool has_room_for_frame() const { return fits_here() || size_as_first_frame() <= next_capacity; }
  bool has_room() const { return !has_records() || has_room_for_frame(); }
  bool reservation_wanted() const;
  /// The segment from which on everything is needed.
  std::uint64_t lowest_needed() const;
  bool mark_wanted() const { return last_full > mark_on_disk && has_room_for_frame(); }
  LogExtent& extent(ShardId group) { return extents[group]; }

  StreamConfig config;
  PendingIo io;
  PendingIo chores{IoOwner::stream, IoLane::background, first_chore};
  Opening opening;
  std::string failure;

  StreamEnd end;                    ///< where the next frame goes
  std::uint64_t capacity = 0;       ///< bytes durably reserved in the file of `end.segment`
  std::uint64_t next_capacity = 0;  ///< … and in the one behind it
  std::uint64_t reserving = 0;      ///< bytes being reserved there; 0: none
  bool full = false;
  Instant reserve_again_at = never;
  std::uint64_t oldest_segment = 1;  ///< that exists

  std::uint64_t opened_at = 0;
  std::uint64_t durable_frame = 0;  ///< number of the last frame known durable
  std::uint64_t last_full = 0;      ///< … of the last one written that says anything
  std::uint64_t mark_written = 0;   ///< the highest mark in a frame that was written
  std::uint64_t mark_on_disk = 0;   ///< … that is durable
  Instant mark_at = never;

  std::map<ShardId, LogExtent> extents;
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

std::uint64_t Stream::State::size_as_first_frame() const {
  const std::uint64_t records = frame.size() - stream_frame_header_size;
  return block_size + frame_size_on_disk(records + extents.size() * standing_record_size);
}

/// The header's write needs no sync of its own: without a sound first frame the segment does not count. Its name is
/// durable since it was reserved. The pending frame is made to begin with where every group stands.
void Stream::State::begin_segment(std::vector<IoOp>& out) {
  Bytes standings;
  for (const auto& [group, extent] : extents) {
    if (extent.standing().last.index.value > 0) {
      append_standing_record(standings, group, extent.standing());
    }
  }
  frame.insert(frame.begin() + stream_frame_header_size, standings.begin(), standings.end());
  ++end.segment;
  end.offset = block_size;
  capacity = std::exchange(next_capacity, 0);
  io.write(segment_file(end.segment), 0,
           encode_segment_header({.identity = config.identity,
                                  .salt = segment_salt(config.identity, end.segment),
                                  .number = end.segment,
                                  .first_frame = end.next_frame,
                                  .previous = end.previous,
                                  .reserved = capacity}),
           out);
}

void Stream::State::write_frame(std::vector<IoOp>& out) {
  if (has_records()) last_full = end.next_frame;
  if (!fits_here()) begin_segment(out);
  check(fits_here(), "a frame goes where space is reserved");
  const std::uint64_t size = frame_size();
  const std::string file = segment_file(end.segment);
  end.previous = seal_stream_frame(frame, {segment_salt(config.identity, end.segment), end.next_frame, end.previous},
                                   durable_frame, static_cast<std::uint32_t>(hard_state.sequence));
  io.write(file, end.offset, std::move(frame), out);
  io.sync(file, out);
  mark_written = durable_frame;
  end.offset += size;
  ++end.next_frame;
  for (auto& [group, extent] : extents) extent.settle(end.segment);
  begin_frame(size);  // batches resemble the one before: no growing by doubling
}

void Stream::State::write_hard_state_now(std::vector<IoOp>& out) {
  hard_state_changed = false;
  ++hard_state.sequence;
  hard_state.mark = std::max(hard_state.mark, durable_frame);
  write_hard_state(config.identity, hard_state, io, out);
}

bool Stream::State::reservation_wanted() const {
  if (reserving > 0) return false;
  const bool running_out = next_capacity == 0 && end.offset + config.segment_size / 2 > capacity;
  return running_out || !has_room();
}

/// Zero-fills the next segment, then makes content, size and name durable (on_chore).
void Stream::State::reserve_next(std::vector<IoOp>& out) {
  reserve_again_at = never;
  reserving = std::max(config.segment_size, has_records() ? size_as_first_frame() : 0);
  next_capacity = 0;
  chores.reserve(segment_file(end.segment + 1), reserving, out);
}

/// A full disk is asked again, but not all the time.
void Stream::State::keep_room(Instant now, std::vector<IoOp>& out) {
  if (!reservation_wanted()) {
    reserve_again_at = never;
  } else if (full && reserve_again_at == never) {
    reserve_again_at = now + reserve_again_after;
  } else if (!full || now >= reserve_again_at) {
    reserve_next(out);
  }
}

/// Recovery that found no space is begun again, after a pause.
void Stream::State::open_again(Instant now, std::vector<IoOp>& out) {
  if (!opening.starved() || !io.in_order_done() || io.reserving()) return;
  if (reserve_again_at == never) {
    reserve_again_at = now + reserve_again_after;
  } else if (now >= reserve_again_at) {
    reserve_again_at = never;
    opening = Opening(config);
    opening.start(io, out);
  }
}

/// While nothing is pending or under way: first old segments are given up, then the last frame is covered by a mark.
/// That one needs none itself: it says nothing.
void Stream::State::use_quiet(Instant now, std::vector<IoOp>& out) {
  const Instant mark_due = std::exchange(mark_at, never);
  if (flushing || hard_state_changed || has_records()) return;
  if (lowest_needed() > hard_state.first_segment) {
    hard_state.first_segment = lowest_needed();
    flushing = true;
    write_hard_state_now(out);
  } else if (mark_wanted() && now >= mark_due) {
    flushing = true;
    write_frame(out);
  } else if (mark_wanted()) {
    mark_at = std::min(mark_due, now + quiet_before_mark);
  }
}

std::uint64_t Stream::State::lowest_needed() const {
  std::uint64_t lowest = end.segment;
  for (const auto& [group, extent] : extents) {
    lowest = std::min(lowest, extent.lowest_segment().value_or(lowest));
  }
  return lowest;
}

/// Rule W4: the hard state that begins behind them is durable.
void Stream::State::remove_old_segments(std::vector<IoOp>& out) {
  for (; oldest_segment < hard_state.first_segment; ++oldest_segment) {
    chores.remove(segment_file(oldest_segment), out);
  }
}

void Stream::State::on_opened(std::vector<TraceEvent>& trace) {
  end = opening.end();
  capacity = opening.capacity();
  next_capacity = opening.next_capacity() >= config.segment_size ? opening.next_capacity() : 0;
  opened_at = durable_frame = end.next_frame - 1;
  last_full = opening.last_full_frame();
  mark_written = mark_on_disk = opening.highest_mark();
  if (std::exchange(full, false)) trace.push_back({.kind = TraceKind::space_regained});
  reserve_again_at = never;
  hard_state = opening.hard_state();
  oldest_segment = hard_state.first_segment;
  for (const auto& [group, log] : opening.logs()) {
    extents[group] = log.extent;
  }
}

/// Everything in order has come back, and well.
void Stream::State::on_flushed(std::vector<IoOp>& out, std::vector<TraceEvent>& trace) {
  flushing = false;
  flushes_completed = flushes_begun;
  mark_on_disk = mark_written;
  if (durable_frame + 1 < end.next_frame) {
    durable_frame = end.next_frame - 1;
    trace.push_back({.kind = TraceKind::synced, .a = durable_frame});
  }
  remove_old_segments(out);
}

void Stream::State::on_chore(const PendingOp& op, IoStatus status, std::vector<IoOp>& out,
                             std::vector<TraceEvent>& trace) {
  if (op.kind == IoKind::remove) {
    trace.push_back({.kind = TraceKind::segment_removed, .a = segment_of_file(op.file).value_or(0)});
  } else if (op.kind == IoKind::reserve && status == IoStatus::no_space) {
    reserving = 0;
    if (!std::exchange(full, true)) trace.push_back({.kind = TraceKind::space_refused});
  } else if (op.kind == IoKind::reserve) {
    chores.sync(op.file, out);
    chores.sync_dir(out);  // a file whose name is lost is lost
  } else if (op.kind == IoKind::sync_dir) {
    next_capacity = std::exchange(reserving, 0);
    if (std::exchange(full, false)) trace.push_back({.kind = TraceKind::space_regained});
  }
}

void Stream::State::fail(std::string why, std::vector<TraceEvent>& trace) {
  failure = std::move(why);
  trace.push_back({.kind = TraceKind::failed});
}

Stream::Stream(StreamConfig config) {
  check(config.segment_size >= 2 * block_size && config.segment_size % block_size == 0,
        "a segment is made of blocks, and holds its header and a frame");
  state_ = std::make_unique<State>(std::move(config));
}

Stream::~Stream() = default;

void Stream::start(std::vector<IoOp>& out) { state_->opening.start(state_->io, out); }

void Stream::on_io(IoToken token, IoStatus status, SharedBytes bytes, std::vector<IoOp>& out,
                   std::vector<TraceEvent>& trace) {
  State& s = *state_;
  std::optional<PendingOp> op = s.io.take(token);
  const bool in_order = op.has_value();
  if (!op) op = s.chores.take(token);
  if (!op || failed()) return;
  const bool expected = status == IoStatus::ok || (op->kind == IoKind::read && status == IoStatus::not_found) ||
                        (op->kind == IoKind::reserve && status == IoStatus::no_space) ||
                        (!in_order && op->kind == IoKind::remove && status != IoStatus::failed);
  if (!expected) {
    s.fail(describe_failure(*op, status), trace);
    return;
  }
  if (!in_order) {
    s.on_chore(*op, status, out, trace);
    return;
  }
  if (s.opening.done()) {
    if (s.flushing && s.io.in_order_done()) s.on_flushed(out, trace);
    return;
  }
  s.opening.on_io(status, bytes, s.io, out, trace);
  if (!s.opening.failure().empty()) {
    s.fail(s.opening.failure(), trace);
  } else if (s.opening.starved()) {
    if (!std::exchange(s.full, true)) trace.push_back({.kind = TraceKind::space_refused});
  } else if (s.opening.done()) {
    s.on_opened(trace);
  }
}

bool Stream::recovered() const { return state_->opening.done(); }

Recovered Stream::take_recovered() {
  check(recovered(), "recovery has ended");
  Recovered recovered;
  for (auto& [group, log] : state_->opening.logs()) {
    RecoveredGroup& found = recovered.groups[group];
    found.base = log.extent.base();
    found.log = std::move(log.entries);
    found.evidence = log.extent.last();
    const auto stored = state_->hard_state.groups.find(group);
    if (stored == state_->hard_state.groups.end()) continue;
    found.hard_state = stored->second.hard_state;
    found.uncertain = stored->second.uncertain;
    if (!covers(found.evidence, stored->second.evidence)) {
      found.evidence = stored->second.evidence;
    }
  }
  return recovered;
}

void Stream::append(ShardId group, std::span<const Entry> entries) {
  check(recovered(), "recovery has ended");
  if (entries.empty()) return;
  LogExtent& extent = state_->extent(group);
  for (const Entry& entry : entries) {
    check(entry.index.value <= entry_number_max && entry.term.value <= entry_number_max,
          "indexes and terms stay in range");
    extent.append(entry.index, entry.term);
  }
  append_entries_record(state_->frame, group, entries);
}

void Stream::truncate(ShardId group, Index from) {
  check(recovered(), "recovery has ended");
  state_->extent(group).truncate(from);
  append_truncate_record(state_->frame, group, from);
}

void Stream::restore(ShardId group, LogPlace base) {
  check(recovered(), "recovery has ended");
  check(base.index.value <= entry_number_max && base.term.value <= entry_number_max, "indexes and terms stay in range");
  LogExtent& extent = state_->extent(group);
  if (extent.base() == base) return;
  const bool keeps = extent.holds(base);
  extent.restore(base, keeps);
  append_restore_record(state_->frame, group, base, keeps);
}

void Stream::set_hard_state(ShardId group, HardState state) {
  check(recovered(), "recovery has ended");
  HardState& current = state_->hard_state.groups[group].hard_state;
  check(state.term >= current.term, "a term never goes back");
  current = state;
  state_->hard_state_changed = true;
}

void Stream::set_alone(ShardId group, bool alone) {
  check(recovered(), "recovery has ended");
  const auto known = state_->hard_state.groups.find(group);
  if (alone == (known != state_->hard_state.groups.end() && known->second.alone)) return;
  state_->hard_state.groups[group].alone = alone;
  state_->hard_state_changed = true;
}

void Stream::set_certain(ShardId group) {
  check(recovered(), "recovery has ended");
  const auto found = state_->hard_state.groups.find(group);
  if (found == state_->hard_state.groups.end() || !found->second.uncertain) return;
  found->second.uncertain = false;
  found->second.evidence = {};
  state_->hard_state_changed = true;
}

bool Stream::has_pending() const { return state_->hard_state_changed || state_->has_records(); }

bool Stream::idle() const { return recovered() && !failed() && !state_->flushing && state_->has_room(); }

Flushed Stream::flush(std::vector<IoOp>& out) {
  State& s = *state_;
  check(idle(), "one flush at a time, and only with room for it");
  check(has_pending(), "a flush has something to write");
  s.flushing = true;
  s.mark_at = never;
  // Under constant load maintain() never finds the stream quiet: two segments given up are worth two syncs.
  const bool give_up = s.lowest_needed() >= s.hard_state.first_segment + 2;
  if (s.hard_state_changed || give_up) {
    s.hard_state.first_segment = s.lowest_needed();
    s.write_hard_state_now(out);
  }
  if (s.has_records()) {
    s.write_frame(out);
  }
  if (!s.full && s.reservation_wanted()) s.reserve_next(out);
  return {++s.flushes_begun};
}

std::uint64_t Stream::completed() const { return state_->flushes_completed; }

bool Stream::begin_life(std::vector<IoOp>& out) {
  State& s = *state_;
  check(recovered() && !s.flushing && s.flushes_begun == 0, "a life begins before its first flush");
  if (failed() || !s.has_room_for_frame()) return false;
  s.flushing = true;
  s.write_frame(out);
  return true;
}

void Stream::maintain(Instant now, std::vector<IoOp>& out) {
  if (failed()) return;
  if (!recovered()) {
    state_->open_again(now, out);
    return;
  }
  state_->use_quiet(now, out);
  state_->keep_room(now, out);
}

Instant Stream::wake_at() const { return failed() ? never : std::min(state_->mark_at, state_->reserve_again_at); }

const std::string& Stream::failure() const { return state_->failure; }

bool Stream::full() const { return state_->full; }

std::uint64_t Stream::durable_frame() const { return state_->durable_frame; }

std::uint64_t Stream::opened_at() const { return state_->opened_at; }

bool Stream::opened_in_doubt() const { return state_->opening.in_doubt(); }

std::uint64_t Stream::life() const { return state_->hard_state.lives; }

}  // namespace coffer::log
