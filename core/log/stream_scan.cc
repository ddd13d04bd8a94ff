#include "core/log/stream_scan.h"

#include <algorithm>

#include "core/base/check.h"

namespace coffer::log {

void StreamScan::found(ByteView segment) {
  check(!finished(), "no segment is wanted any more");
  any_found_ = true;
  missing_in_a_row_ = 0;
  sizes_[wanted_] = segment.size();
  const std::uint64_t salt = segment_salt(identity_, wanted_);
  const std::optional<SegmentHeader> header = read_segment_header(segment);
  if (!belongs_here(header)) return;
  if (!ended_) {
    if (continues(header, segment, salt)) {
      follow(segment, salt);
    } else if (!failed()) {
      ended_ = true;
    }
  }
  if (!failed()) {
    search_behind_end(segment, salt);
  }
  ++wanted_;
}

void StreamScan::missing() {
  check(!finished(), "no segment is wanted any more");
  if (!ended_) {
    ended_ = true;
    if (remnants_.empty()) {
      bad_place_ = {segment_file(wanted_), 0};
    }
  }
  if (wanted_ == 1 && founded_) {
    damaged_frame_ = 1;
    fail({segment_file(1), 0}, "the file is missing although this directory was in use", restore_advice);
  }
  ++missing_in_a_row_;
  ++wanted_;
}

std::uint64_t StreamScan::size_of(std::uint64_t segment) const {
  const auto found = sizes_.find(segment);
  return found == sizes_.end() ? 0 : found->second;
}

bool StreamScan::belongs_here(const std::optional<SegmentHeader>& header) {
  const BadPlace start{segment_file(wanted_), 0};
  if (header && header->version != format_version) {
    fail(start, "version " + std::to_string(header->version) + " is unknown to this binary", directory_advice);
  } else if (header && !same_identity(header->identity, identity_)) {
    fail(start, "written by another cluster, node or incarnation", directory_advice);
  }
  return !failed();
}

/// Whether the stream goes on in this segment; if not, bad_place_ says where its next frame should have been.
bool StreamScan::continues(const std::optional<SegmentHeader>& header, ByteView segment, std::uint64_t salt) {
  const bool fits = header && header->salt == salt && header->number == wanted_ &&
                    header->first_frame == end_.next_frame && header->previous == end_.previous;
  if (wanted_ == 1) {
    bad_place_ = {segment_file(1), 0};
    if (!fits && founded_) {
      damaged_frame_ = 1;
      fail(bad_place_, "the segment's header is damaged", restore_advice);
    }
    return fits;
  }
  if (fits && open_stream_frame(segment.subspan(block_size), expected(salt))) {
    return true;
  }
  if (fits) {
    bad_place_ = {segment_file(wanted_), block_size};
    refuse_newer(segment.subspan(block_size), salt);
  } else if (remnants_.empty()) {
    bad_place_ = {segment_file(wanted_), 0};  // nothing where the segment before left off: it was full
  }
  return false;
}

/// Folds frames until the first place without a sound one; that place is the end.
void StreamScan::follow(ByteView segment, std::uint64_t salt) {
  end_.segment = wanted_;
  end_.offset = block_size;
  remnants_.clear();  // the stream has gone past them
  while (const auto frame = open_stream_frame(segment.subspan(end_.offset), expected(salt))) {
    const Result<void> applied = fold_.apply(frame->payload);
    if (!applied) {
      damaged_frame_ = end_.next_frame;
      fail({segment_file(wanted_), end_.offset},
           "frame " + std::to_string(end_.next_frame) + " is whole but cannot be: " + applied.error().what,
           restore_advice);
      return;
    }
    end_.offset += frame->size;
    end_.previous = frame->header.checksum;
    ++end_.next_frame;
  }
  bad_place_ = {segment_file(wanted_), end_.offset};
  refuse_newer(segment.subspan(end_.offset), salt);
}

/// A frame of a newer binary is neither damaged nor torn. `frame` starts at bad_place_.
void StreamScan::refuse_newer(ByteView frame, std::uint64_t salt) {
  const auto header = read_frame_header(frame);
  if (header && header->place.salt == salt && header->version != format_version) {
    fail(bad_place_, "a frame of version " + std::to_string(header->version) + " is unknown to this binary",
         directory_advice);
  }
}

/// Rules S1 and S2 over the blocks of one segment.
void StreamScan::search_behind_end(ByteView segment, std::uint64_t salt) {
  Remnant remnant{wanted_, 0, 0};
  std::uint64_t at = end_.segment == wanted_ ? end_.offset : 0;
  for (; at < segment.size(); at += block_size) {
    const ByteView block = segment.subspan(at, std::min<std::uint64_t>(block_size, segment.size() - at));
    if (is_blank(block)) continue;
    if (remnant.size == 0) {
      remnant.offset = at;
    }
    remnant.size = at + block.size() - remnant.offset;
    const auto header = read_frame_header(block);
    if (header && header->place.salt == salt && header->place.number > end_.next_frame &&
        header->mark >= end_.next_frame) {
      damaged_frame_ = end_.next_frame;
      fail(bad_place_,
           "frame " + std::to_string(end_.next_frame) + " is damaged or missing although frame " +
               std::to_string(header->place.number) + " in " + segment_file(wanted_) + " at byte " +
               std::to_string(at) + " says that it was durable",
           restore_advice);
      return;
    }
  }
  if (remnant.size > 0) {
    remnants_.push_back(remnant);
  }
}

void StreamScan::fail(const BadPlace& place, const std::string& why, const char* advice) {
  failure_ = place.file + " at byte " + std::to_string(place.offset) + ": " + why + ". " + advice;
}

}  // namespace coffer::log
