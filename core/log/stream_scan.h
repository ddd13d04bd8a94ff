// Reading the stream back: takes whole segments in ascending order, folds their frames, finds the end of the stream and
// judges it. Pure: no operations, any bytes. Holds the logs and never more than the segment it is given.
//
// The first place without a sound frame n ends the stream. Behind it, in this and all later segments, every block is
// looked at:
//   S1 n was durable, and is damaged or missing, if a sound frame header behind it, with its segment's salt and a
//      number above n, has a mark >= n; or the hard state's mark is >= n; or a segment is missing before the last one;
//      or the segment is shorter than was reserved for it. Damage: never cut.
//   S2 Otherwise n was never known durable, and everything not blank there is the remnant of a torn write: to be cut.
//   S3 The end is trusted if it is not damaged, all behind it is blank, the last frame that says anything is covered by
//      a later frame's mark, and the next segment is there where it must have been. Otherwise something acknowledged
//      may be lost. (The hard state's mark does not count: a frame may have followed it at once.)
// A segment after the first continues the stream only if its first frame is sound: header and frame are one flush.
//   S4 A header that does not fit says nothing that is not known: the salt follows from identity and number, the place
//      of the first frame from the segment before, in stream-000001 from the founding, and in a later segment with
//      which the stream begins the frame vouches for itself and says where groups stand. So the frames count, the end
//      is not trusted, and the header is to be written again. A later segment with which the stream begins, without
//      such a frame, is damaged from byte 0 on; anywhere else the stream ends before it, and S1 and S2 judge.
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

/// The last sound frame, with its segment's header where it is the first in it: what one flush wrote.
struct LastFlush {
  std::uint64_t segment = 0;
  std::uint64_t offset = 0;
  Bytes bytes;  ///< empty: there is no frame
};

/// Rule S1.
struct StreamDamage {
  std::uint64_t frame = 0;
  std::uint64_t segment = 0;  ///< where the frame should stand
  std::string what;           ///< names file, byte and witness
};

class StreamScan {
 public:
  /// What the hard state says of the stream. `founded`: its first segment is known to have been durable (hard_state.h,
  /// H2), so that its absence is a lost disk.
  struct Known {
    bool founded = false;
    std::uint64_t first_segment = 1;
    std::uint64_t mark = 0;
  };
  StreamScan(const FileIdentity& identity, const Known& known, std::uint64_t segment_size)
      : identity_(identity), known_(known), segment_size_(segment_size) {}

  /// The next segment's bytes. Requires: `number` >= the first segment and above all before, !failed() (checked).
  void found(std::uint64_t number, ByteView segment);
  /// There are no more. Requires: !failed() (checked).
  void finish();

  /// Names file, byte and what to do: the directory cannot be used. Empty when it can.
  const std::string& failure() const { return failure_; }
  bool failed() const { return !failure_.empty(); }
  /// The frame that is whole and cannot be, when that is the failure; otherwise 0.
  std::uint64_t impossible_frame() const { return impossible_frame_; }

  // After finish().
  const std::optional<StreamDamage>& damage() const { return damage_; }
  bool trusted() const { return trusted_; }
  const StreamEnd& end() const { return end_; }
  /// Bytes of the file the end is in, and of the one after it (0: none).
  std::uint64_t size_of(std::uint64_t segment) const;
  const std::vector<Remnant>& remnants() const { return remnants_; }
  const LastFlush& last_flush() const { return last_flush_; }
  /// What should stand at the beginning of the segments whose frames count, and of those of them where it does not
  /// (S4).
  const std::vector<SegmentHeader>& headers() const { return headers_; }
  const std::vector<SegmentHeader>& damaged_headers() const { return damaged_headers_; }
  std::uint64_t last_used_segment() const { return last_used_; }    ///< the last that is not blank throughout
  std::uint64_t last_full_frame() const { return last_full_; }      ///< the last that says anything; 0: none
  std::uint64_t highest_mark() const { return mark_; }              ///< in sound frames before the end
  std::uint64_t highest_number() const { return highest_number_; }  ///< of all sound headers, behind the end too
  std::uint32_t hard_state() const { return hard_state_; }          ///< the newest sequence that any of them names
  std::map<ShardId, FoldedLog>& logs() { return fold_.logs(); }
  /// The highest place of each group in sound frames behind the end.
  const std::map<ShardId, LogPlace>& evidence() const { return evidence_; }

 private:
  struct BadPlace {
    std::uint64_t segment = 0;
    std::uint64_t offset = 0;
  };

  bool belongs_here(std::uint64_t number, const std::optional<SegmentHeader>& header);
  bool begins(std::uint64_t number, const std::optional<SegmentHeader>& header, ByteView segment, std::uint64_t salt);
  bool begins_without_header(std::uint64_t number, ByteView segment, std::uint64_t salt);
  bool continues(std::uint64_t number, const std::optional<SegmentHeader>& header, ByteView segment,
                 std::uint64_t salt);
  void note_damaged_header(std::uint64_t number, ByteView segment, std::uint64_t salt);
  void follow(std::uint64_t number, ByteView segment, std::uint64_t salt, std::uint64_t reserved);
  void note(const FrameHeader& header);
  void refuse_other_version(ByteView frame, std::uint64_t salt);
  void search_behind_end(std::uint64_t number, ByteView segment, std::uint64_t salt);
  void note_behind_end(std::uint64_t number, ByteView bytes, std::uint64_t at, std::uint64_t salt);
  void set_damage(const std::string& why);
  bool next_segment_is_there() const;
  void fail(const BadPlace& place, const std::string& why, const char* advice);
  FramePlace expected(std::uint64_t salt) const { return {salt, end_.next_frame, end_.previous}; }

  FileIdentity identity_;
  Known known_;
  std::uint64_t segment_size_;
  std::uint64_t last_number_ = 0;  ///< of the segments handed in; 0: none yet
  bool ended_ = false;
  BadPlace bad_place_;          ///< where frame end_.next_frame should stand
  std::uint64_t reserved_ = 0;  ///< by the header of the segment the end is in
  StreamEnd end_;
  LogFold fold_;
  std::vector<Remnant> remnants_;
  LastFlush last_flush_;
  std::vector<SegmentHeader> headers_;
  std::vector<SegmentHeader> damaged_headers_;
  std::map<std::uint64_t, std::uint64_t> sizes_;
  std::uint64_t last_used_ = 0;
  std::uint64_t last_full_ = 0;
  std::uint64_t mark_ = 0;
  std::uint64_t highest_number_ = 0;
  std::uint32_t hard_state_ = 0;
  std::map<ShardId, LogPlace> evidence_;
  std::optional<StreamDamage> damage_;
  bool trusted_ = false;
  std::string failure_;
  std::uint64_t impossible_frame_ = 0;
};

}  // namespace coffer::log
