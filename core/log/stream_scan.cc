#include "core/log/stream_scan.h"

#include <algorithm>

#include "core/base/check.h"

namespace coffer::log {

void StreamScan::found(std::uint64_t number, ByteView segment) {
  check(!failed() && number >= known_.first_segment && number > last_number_, "segments come in ascending order");
  const bool is_first = last_number_ == 0;
  const bool hole = !is_first && number != last_number_ + 1;
  const std::uint64_t missing = last_number_ + 1;
  last_number_ = number;
  sizes_[number] = segment.size();
  const std::uint64_t salt = segment_salt(identity_, number);
  const std::optional<SegmentHeader> header = read_segment_header(segment);
  if (!belongs_here(number, header)) return;
  if (is_first) {
    ended_ = !begins(number, header, segment, salt);
    if (failed()) return;
  } else if (!ended_ && !hole) {
    ended_ = !continues(number, header, segment, salt);
  } else if (!ended_) {
    ended_ = true;
    bad_place_ = {missing, 0};
  }
  if (hole) {
    set_damage(segment_file(missing) + " is missing although " + segment_file(number) + " is there");
  }
  const bool header_counts = damaged_headers_.empty() || damaged_headers_.back().number != number;
  if (!ended_) {
    headers_.push_back(header_counts ? *header : damaged_headers_.back());
    follow(number, segment, salt, header_counts ? header->reserved : segment.size());
  }
  if (failed()) return;
  // A frame that was written in the wrong place may be what has damaged the header.
  if (!header_counts) note_behind_end(number, segment, 0, salt);
  search_behind_end(number, segment, salt);
  ended_ = ended_ || damage_.has_value();
}

void StreamScan::finish() {
  check(!failed(), "a scan that failed has no end");
  if (known_.founded && last_number_ == 0) {
    fail({known_.first_segment, 0}, "the file is missing although this directory was in use", restore_advice);
    return;
  }
  if (!damage_ && known_.mark >= end_.next_frame) {
    set_damage("the hard state says that it was durable");
  }
  if (!damage_ && reserved_ > size_of(end_.segment)) {
    bad_place_ = {end_.segment, size_of(end_.segment)};
    set_damage("the file ends although " + std::to_string(reserved_) + " bytes were reserved for it");
  }
  trusted_ =
      !damage_ && remnants_.empty() && damaged_headers_.empty() && mark_ >= last_full_ && next_segment_is_there();
  if (damage_) return;
  for (const auto& [group, log] : fold_.logs()) {
    if (log.has_gap()) {
      fail(bad_place_,
           "the stream ends before the snapshot that holds entries of group " + std::to_string(group.value) +
               " up to " + std::to_string(log.absent_to.value),
           restore_advice);
      return;
    }
  }
}

/// The next segment is reserved as soon as less than half of one is left here: a missing one may have been in use.
bool StreamScan::next_segment_is_there() const {
  return end_.offset + segment_size_ / 2 <= size_of(end_.segment) || sizes_.contains(end_.segment + 1);
}

std::uint64_t StreamScan::size_of(std::uint64_t segment) const {
  const auto found = sizes_.find(segment);
  return found == sizes_.end() ? 0 : found->second;
}

bool StreamScan::belongs_here(std::uint64_t number, const std::optional<SegmentHeader>& header) {
  if (header && header->version != format_version) {
    fail({number, 0}, "version " + std::to_string(header->version) + " is not the one this binary reads",
         directory_advice);
  } else if (header && !same_identity(header->identity, identity_)) {
    fail({number, 0}, "written by another cluster, node or incarnation", directory_advice);
  }
  return !failed();
}

/// Whether the stream begins in this segment.
bool StreamScan::begins(std::uint64_t number, const std::optional<SegmentHeader>& header, ByteView segment,
                        std::uint64_t salt) {
  const bool fits = header && header->salt == salt && header->number == number && header->first_frame > 0 &&
                    (number > 1 || (header->first_frame == 1 && header->previous == 0));
  bad_place_ = {number, 0};
  if (number != known_.first_segment) {
    if (known_.founded) {
      fail({known_.first_segment, 0}, "the file is missing although this directory was in use", restore_advice);
    }
    return false;
  }
  if (!fits) return known_.founded && begins_without_header(number, segment, salt);
  end_.next_frame = header->first_frame;
  end_.previous = header->previous;
  return true;
}

/// Rule S4 for the first segment. If nothing says what its first frame is, nothing in it can be folded.
bool StreamScan::begins_without_header(std::uint64_t number, ByteView segment, std::uint64_t salt) {
  std::optional<FramePlace> first;
  if (number == 1 && segment.size() >= block_size) {
    first = {salt, 1, 0};
  } else if (segment.size() >= block_size) {
    const ByteView frames = segment.subspan(block_size);
    const auto header = read_frame_header(frames);
    const bool is_of_here = header && header->place.salt == salt && header->place.number > 0;
    const auto frame = is_of_here ? open_stream_frame(frames, header->place) : std::nullopt;
    if (frame && begins_with_standing(frame->payload)) first = header->place;
  }
  if (first) {
    end_.next_frame = first->number;
    end_.previous = first->previous;
    note_damaged_header(number, segment, salt);
    return true;
  }
  end_ = {number, 0, 0, 0};
  damage_ = {0, number, segment_file(number) + " at byte 0: the segment's header and its first frame are damaged"};
  return false;
}

/// Whether the stream goes on in this segment; if not, bad_place_ says where its next frame should have been.
bool StreamScan::continues(std::uint64_t number, const std::optional<SegmentHeader>& header, ByteView segment,
                           std::uint64_t salt) {
  const bool fits = header && header->salt == salt && header->number == number &&
                    header->first_frame == end_.next_frame && header->previous == end_.previous;
  if (segment.size() > block_size && open_stream_frame(segment.subspan(block_size), expected(salt))) {
    if (!fits) note_damaged_header(number, segment, salt);
    return true;
  }
  if (fits) {
    bad_place_ = {number, block_size};
    refuse_other_version(segment.subspan(block_size), salt);
  } else if (remnants_.empty()) {
    bad_place_ = {number, 0};  // nothing where the segment before left off: it was full
  }
  return false;
}

void StreamScan::note_damaged_header(std::uint64_t number, ByteView segment, std::uint64_t salt) {
  damaged_headers_.push_back({.identity = identity_,
                              .salt = salt,
                              .number = number,
                              .first_frame = end_.next_frame,
                              .previous = end_.previous,
                              .reserved = segment.size() / block_size * block_size});
}

/// Folds frames until the first place without a sound one; that place is the end.
void StreamScan::follow(std::uint64_t number, ByteView segment, std::uint64_t salt, std::uint64_t reserved) {
  last_used_ = end_.segment = number;
  end_.offset = block_size;
  reserved_ = reserved;
  remnants_.clear();  // the stream has gone past them
  std::uint64_t last_at = end_.offset;
  while (const auto frame = open_stream_frame(segment.subspan(end_.offset), expected(salt))) {
    const Result<bool> applied = fold_.apply(frame->payload, number);
    if (!applied) {
      impossible_frame_ = end_.next_frame;
      fail({number, end_.offset},
           "frame " + std::to_string(end_.next_frame) + " is whole but cannot be: " + applied.error().what,
           restore_advice);
      return;
    }
    note(frame->header);
    if (*applied) {
      last_full_ = end_.next_frame;
    }
    mark_ = std::max(mark_, frame->header.mark);
    last_at = end_.offset == block_size ? 0 : end_.offset;
    end_.offset += frame->size;
    end_.previous = frame->header.checksum;
    ++end_.next_frame;
  }
  const ByteView last = segment.subspan(last_at, end_.offset - last_at);
  if (end_.offset > block_size) last_flush_ = {number, last_at, Bytes(last.begin(), last.end())};
  bad_place_ = {number, end_.offset};
  refuse_other_version(segment.subspan(end_.offset), salt);
}

void StreamScan::note(const FrameHeader& header) {
  highest_number_ = std::max(highest_number_, header.place.number);
  hard_state_ = std::max(hard_state_, header.hard_state);
}

/// A frame of another binary is neither damaged nor torn. `frame` starts at bad_place_.
void StreamScan::refuse_other_version(ByteView frame, std::uint64_t salt) {
  const auto header = read_frame_header(frame);
  if (header && header->place.salt == salt && header->version != format_version) {
    fail(bad_place_, "a frame of version " + std::to_string(header->version) + " is not what this binary reads",
         directory_advice);
  }
}

/// Rules S1 and S2 over the blocks of one segment.
void StreamScan::search_behind_end(std::uint64_t number, ByteView segment, std::uint64_t salt) {
  Remnant remnant{number, 0, 0};
  std::uint64_t at = end_.segment == number ? end_.offset : 0;
  for (; at < segment.size(); at += block_size) {
    const ByteView block = segment.subspan(at, std::min<std::uint64_t>(block_size, segment.size() - at));
    if (is_blank(block)) continue;
    if (remnant.size == 0) {
      remnant.offset = at;
    }
    remnant.size = at + block.size() - remnant.offset;
    note_behind_end(number, segment.subspan(at), at, salt);
  }
  if (remnant.size > 0) {
    last_used_ = number;
    remnants_.push_back(remnant);
  }
}

/// What begins at `bytes` may be a frame that witnesses damage, and says what was on this disk.
void StreamScan::note_behind_end(std::uint64_t number, ByteView bytes, std::uint64_t at, std::uint64_t salt) {
  const auto header = read_frame_header(bytes);
  if (!header || header->place.salt != salt || header->place.number <= end_.next_frame) return;
  note(*header);
  if (header->mark >= end_.next_frame) {
    set_damage("frame " + std::to_string(header->place.number) + " in " + segment_file(number) + " at byte " +
               std::to_string(at) + " says that it was durable");
  }
  if (const auto frame = open_stream_frame(bytes, header->place)) {
    note_places(frame->payload, evidence_);
  }
}

/// The first witness counts.
void StreamScan::set_damage(const std::string& why) {
  if (damage_) return;
  const std::string frame = std::to_string(end_.next_frame);
  damage_ = {end_.next_frame, bad_place_.segment,
             segment_file(bad_place_.segment) + " at byte " + std::to_string(bad_place_.offset) + ": frame " + frame +
                 " is damaged or missing: " + why};
}

void StreamScan::fail(const BadPlace& place, const std::string& why, const char* advice) {
  failure_ = segment_file(place.segment) + " at byte " + std::to_string(place.offset) + ": " + why + ". " + advice;
}

}  // namespace coffer::log
