// Reading the stream back: takes whole segments in order, folds their frames, finds the end of the stream and judges
// what lies behind it. Pure: no operations, any bytes. Holds the logs and never more than the segment it is given.
//
// The first place without a sound frame n ends the stream. Behind it, in this and all later segments, every block is
// looked at:
//   S1 A sound frame header with the segment's salt, a number > n and a mark >= n says that n was durable: n is
//   damaged.
//      Corruption: refused, never cut.
//   S2 Otherwise n was never known durable, and everything not blank there is a remnant of a torn write: to be cut.
// A segment after the first continues the stream only if its header fits *and* its first frame is sound: both are one
// write.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/entry.h"
#include "core/log/frame_format.h"
#include "core/log/records.h"
#include "core/log/stream.h"

namespace coffer::log {

/// Where the next frame goes, and what it stands on.
struct StreamEnd {
  std::uint64_t segment = 1;
  std::uint64_t offset = block_size;  ///< bytes from the start of the segment
  std::uint64_t next_frame = 1;
  std::uint64_t previous = 0;  ///< header checksum of the last frame
};

/// Bytes behind the end that are not blank.
struct Remnant {
  std::uint64_t segment = 0;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

class StreamScan {
 public:
  /// `founded`: "stream-000001" is known to have been durable (hard_state.h, H2), so that its absence or a bad header
  /// is damage.
  StreamScan(const FileIdentity& identity, bool founded) : identity_(identity), founded_(founded) {}

  /// The segment to hand in next. Ends after two in a row are missing: a used one may be lost, the one behind it tells.
  std::uint64_t wanted() const { return wanted_; }
  bool finished() const { return failed() || missing_in_a_row_ == 2; }
  /// Requires: !finished() (checked).
  void found(ByteView segment);
  void missing();

  /// Names file, byte and what to do. Empty when the stream is sound.
  const std::string& failure() const { return failure_; }
  bool failed() const { return !failure_.empty(); }
  /// The frame that is damaged, when the failure is corruption; otherwise 0.
  std::uint64_t damaged_frame() const { return damaged_frame_; }

  bool any_found() const { return any_found_; }
  const StreamEnd& end() const { return end_; }
  const std::vector<Remnant>& remnants() const { return remnants_; }
  /// Bytes of the file a segment is in; 0 when it is missing.
  std::uint64_t size_of(std::uint64_t segment) const;
  std::map<ShardId, std::vector<Entry>>& logs() { return fold_.logs(); }

 private:
  struct BadPlace {
    std::string file;
    std::uint64_t offset = 0;
  };

  bool belongs_here(const std::optional<SegmentHeader>& header);
  bool continues(const std::optional<SegmentHeader>& header, ByteView segment, std::uint64_t salt);
  void follow(ByteView segment, std::uint64_t salt);
  void refuse_newer(ByteView frame, std::uint64_t salt);
  void search_behind_end(ByteView segment, std::uint64_t salt);
  void fail(const BadPlace& place, const std::string& why, const char* advice);
  FramePlace expected(std::uint64_t salt) const { return {salt, end_.next_frame, end_.previous}; }

  FileIdentity identity_;
  bool founded_;
  std::uint64_t wanted_ = 1;
  std::uint32_t missing_in_a_row_ = 0;
  bool any_found_ = false;
  bool ended_ = false;
  BadPlace bad_place_;  ///< where frame end_.next_frame should stand
  StreamEnd end_;
  LogFold fold_;
  std::vector<Remnant> remnants_;
  std::map<std::uint64_t, std::uint64_t> sizes_;
  std::string failure_;
  std::uint64_t damaged_frame_ = 0;
};

}  // namespace coffer::log
