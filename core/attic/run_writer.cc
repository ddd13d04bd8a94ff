#include "core/attic/run_writer.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "core/base/codec.h"

namespace coffer::attic {
namespace {

constexpr std::uint64_t bucket_records = 1024;  ///< that a bucket holds on average

std::uint64_t buckets_for(std::uint64_t records) { return (records + bucket_records - 1) / bucket_records; }

}  // namespace

RunWriter::RunWriter(const RunHead& head)
    : head_(head), filter_(head.filter_blocks), buckets_(buckets_for(head.records())) {
  check(head == head_of(head.first, head.end, head.content_size, head.chunk_size), "a run is written by a sound head");
  fences_.reserve(head.row_chunks);
  if (head.records() == 0) make_tail();
}

std::optional<std::uint64_t> RunWriter::wants_hash() const {
  if (added_ == head_.records()) return std::nullopt;
  return head_.first + added_;
}

void RunWriter::add(std::uint64_t hash) {
  check(wants_hash().has_value(), "a hash is added that is wanted");
  std::vector<Item>& bucket = buckets_[((hash >> 32) * buckets_.size()) >> 32];
  if (bucket.empty()) bucket.reserve(std::min(head_.records(), bucket_records + bucket_records / 8));
  bucket.push_back({hash, static_cast<std::uint32_t>(added_)});
  filter_.add(hash);
  ++added_;
}

std::optional<std::uint64_t> RunWriter::wants_content() {
  if (wants_hash() || has_chunk() || put_ == head_.records()) return std::nullopt;
  while (in_bucket_ == buckets_[bucket_].size()) {
    buckets_[bucket_] = {};
    ++bucket_;
    in_bucket_ = 0;
    sorted_ = false;
  }
  std::vector<Item>& bucket = buckets_[bucket_];
  if (!sorted_) std::sort(bucket.begin(), bucket.end());
  sorted_ = true;
  return head_.first + bucket[in_bucket_].row;
}

void RunWriter::put(ByteView content) {
  check(wants_content().has_value(), "a content is put that is wanted");
  check(content.size() == head_.content_size, "all contents of a run are of one size");
  const std::uint64_t hash = buckets_[bucket_][in_bucket_].hash;
  if (chunk_.empty()) {
    chunk_.reserve(head_.chunk_size);
    fences_.push_back(hash);
  }
  ByteWriter out(chunk_);
  out.u64(hash);
  out.raw(content);
  ++in_bucket_;
  ++put_;
  const bool is_last = put_ == head_.records();
  if (is_last || put_ % head_.records_per_chunk() == 0) end_row_chunk();
  if (is_last) make_tail();
}

void RunWriter::end_row_chunk() {
  chunk_.resize(head_.chunk_size);
  chunks_.push_back(std::exchange(chunk_, {}));
}

void RunWriter::make_tail() {
  Bytes tail;
  tail.reserve(tail_size(head_));
  ByteWriter out(tail);
  for (const std::uint32_t word : filter_.words()) out.u32(word);
  for (const std::uint64_t fence : fences_) out.u64(fence);
  out.u32(tail_end);
  check(tail.size() == tail_size(head_), "a run's tail is as long as its head says");
  filter_ = Filter();
  fences_.clear();
  for (ByteView rest = tail; !rest.empty();) {
    const ByteView chunk = rest.first(std::min<std::size_t>(rest.size(), head_.chunk_size));
    chunks_.emplace_back(chunk.begin(), chunk.end());
    rest = rest.subspan(chunk.size());
  }
}

Bytes RunWriter::take_chunk() {
  check(has_chunk(), "a chunk is taken that waits");
  Bytes chunk = std::move(chunks_.front());
  chunks_.pop_front();
  return chunk;
}

bool RunWriter::done() const { return put_ == head_.records() && chunks_.empty(); }

}  // namespace coffer::attic
