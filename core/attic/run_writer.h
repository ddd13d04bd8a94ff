// Writes one run (core/attic/run_format.h): takes the hashes of its records, says in which order it wants their
// contents, and gives the payload chunk by chunk. Sorts a little at a time, so that no step of a node takes long:
// hashes are put in buckets by their upper bits as they come, and a bucket of some 1024 records is sorted when its
// first one is wanted. Memory while it works: some 20 bytes a record, and one chunk. Deterministic. Single-threaded;
// pull.
//
//   add(hash) {records}  ->  (wants() -> put(content))*, take_chunk() while has_chunk()  ->  done()
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "core/attic/filter.h"
#include "core/attic/run_format.h"
#include "core/base/bytes.h"

namespace coffer::attic {

class RunWriter {
 public:
  /// `head`: of head_of().
  explicit RunWriter(const RunHead& head);

  const RunHead& head() const { return head_; }
  /// The place of the row whose hash is to be added next; nothing: all of them are here. From first to end - 1.
  std::optional<std::uint64_t> wants_hash() const;
  /// Requires: wants_hash() (checked).
  void add(std::uint64_t hash);

  /// The place of the record whose content is to be put next: ascending by hash, and by place where hashes are equal.
  /// Nothing: hashes are still wanted, a chunk waits to be taken, or all contents are here. Sorts at most one bucket;
  /// is the same until put().
  std::optional<std::uint64_t> wants_content();
  /// Requires: wants_content(), exactly content_size bytes (checked).
  void put(ByteView content);

  /// The next chunk of the payload is ready: take it before more is put. Row chunks as they get full, the last one when
  /// the last content is put, then the chunks of the tail (of a run without records at once).
  bool has_chunk() const { return !chunks_.empty(); }
  /// Requires: has_chunk() (checked).
  Bytes take_chunk();
  /// Every chunk was taken.
  bool done() const;

 private:
  struct Item {
    std::uint64_t hash = 0;
    std::uint32_t row = 0;  ///< place - first
    auto operator<=>(const Item&) const = default;
  };
  void end_row_chunk();
  void make_tail();

  RunHead head_;
  Filter filter_;
  std::vector<std::vector<Item>> buckets_;  ///< by the upper half of the hash, ascending
  std::uint64_t added_ = 0;
  std::uint64_t put_ = 0;
  std::size_t bucket_ = 0;  ///< being put
  std::size_t in_bucket_ = 0;
  bool sorted_ = false;  ///< buckets_[bucket_] is
  std::vector<std::uint64_t> fences_;
  Bytes chunk_;  ///< the next row chunk, not full yet
  std::deque<Bytes> chunks_;
};

}  // namespace coffer::attic
