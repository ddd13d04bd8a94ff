#include "core/log/sealed_inspection.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "core/base/io.h"

namespace coffer::log {

Inspection::Inspection(Why why, const SealedHeader& header, std::vector<std::uint64_t> table,
                       CountPositions count_positions)
    : why_(why),
      header_(header),
      table_(std::move(table)),
      part_(why == Why::scrub ? Part::header : Part::chunk),
      decoder_(header),
      builder_(header, count_positions) {
  check(table_.size() == chunk_count(header_), "a table has a checksum for each chunk");
  if (part_ == Part::chunk && table_.empty()) end_of_chunks();
}

std::optional<Inspection::Range> Inspection::next() const {
  if (!part_) return std::nullopt;
  switch (*part_) {
    case Part::header:
      return Range{Part::header, 0, block_size};
    case Part::table:
      return Range{Part::table, table_offset(header_), table_length(header_)};
    case Part::chunk:
      return Range{Part::chunk, chunk_offset(header_, chunk_), chunk_length(header_, chunk_)};
    case Part::index:
      return Range{Part::index, 0, whole_file};
  }
  check_failed("a part is one of those listed");
}

void Inspection::feed(ByteView bytes) {
  check(part_.has_value(), "an inspection that is finished is fed nothing");
  switch (*part_) {
    case Part::header: {
      const Bytes expected = encode(header_);
      head_damaged_ = !std::equal(expected.begin(), expected.end(), bytes.begin(), bytes.end());
      part_ = Part::table;
      break;
    }
    case Part::table: {
      const Bytes expected = encode_table(table_);
      head_damaged_ = head_damaged_ || !std::equal(expected.begin(), expected.end(), bytes.begin(), bytes.end());
      part_ = Part::chunk;
      if (table_.empty()) end_of_chunks();
      break;
    }
    case Part::chunk:
      take_chunk(bytes);
      break;
    case Part::index:
      index_differs_ = !std::equal(index_.begin(), index_.end(), bytes.begin(), bytes.end());
      index_missing_ = bytes.empty();
      part_.reset();
      break;
  }
}

void Inspection::take_chunk(ByteView bytes) {
  if (bytes.size() != chunk_length(header_, chunk_) || chunk_checksum(chunk_, bytes) != table_[chunk_]) {
    bad_chunks_.push_back(chunk_);
  } else if (reads_entries() && bad_chunks_.empty() && contradiction_.empty()) {
    std::vector<HistoryEntry> entries;
    const Result<void> read = decoder_.feed(bytes, entries);
    for (const HistoryEntry& entry : entries) builder_.add(entry);
    if (read.has_error()) contradiction_ = read.error().what;
  }
  if (++chunk_ == table_.size()) end_of_chunks();
}

void Inspection::end_of_chunks() {
  part_.reset();
  if (!reads_entries() || !bad_chunks_.empty() || !contradiction_.empty()) return;
  if (const Result<void> ended = decoder_.finish(); ended.has_error()) {
    contradiction_ = ended.error().what;
    return;
  }
  Result<Bytes> index = builder_.finish();
  if (index.has_error()) {
    contradiction_ = index.error().what;
    return;
  }
  index_ = std::move(*index);
  // Before its publication a history has no index; afterwards the one on the disk must be this one.
  if (why_ != Why::publication) part_ = Part::index;
}

}  // namespace coffer::log
