#include "core/attic/run_index.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "core/base/codec.h"

namespace coffer::attic {

std::optional<std::uint32_t> RunIndex::wants_chunk() const {
  if (ready_) return std::nullopt;
  return head_.row_chunks + fed_;
}

Result<void> RunIndex::feed(ByteView chunk) {
  check(!ready_, "an index that is ready is fed no more");
  const std::uint64_t rest = tail_size(head_) - tail_.size();
  bool fits = chunk.size() == std::min<std::uint64_t>(head_.chunk_size, rest);
  if (fits) {
    if (fed_ == 0) tail_.reserve(rest);
    tail_.insert(tail_.end(), chunk.begin(), chunk.end());
    ++fed_;
    if (chunk.size() == rest) ready_ = fits = read_tail();
  }
  if (ready_ || !fits) {
    tail_ = Bytes();
    fed_ = 0;
  }
  if (!fits) return error(ErrorCode::malformed, "the tail of a run does not follow its grammar");
  return {};
}

bool RunIndex::read_tail() {
  ByteReader in(tail_);
  std::vector<std::uint32_t> words(std::size_t{head_.filter_blocks} * words_per_block);
  for (std::uint32_t& word : words) word = in.u32();
  std::vector<std::uint64_t> fences(head_.row_chunks);
  for (std::uint64_t& fence : fences) fence = in.u64();
  if (in.u32() != tail_end || !in.done() || !std::is_sorted(fences.begin(), fences.end())) return false;
  filter_ = Filter(std::move(words));
  fences_ = std::move(fences);
  return true;
}

bool RunIndex::may_have(std::uint64_t hash) const {
  check(ready_, "an index is asked once it is ready");
  return filter_.may_have(hash);
}

RunIndex::Chunks RunIndex::chunks_of(std::uint64_t hash) const {
  check(ready_, "an index is asked once it is ready");
  const auto [equal, above] = std::equal_range(fences_.begin(), fences_.end(), hash);
  Chunks chunks;
  chunks.first = static_cast<std::uint32_t>(equal - fences_.begin());
  chunks.end = static_cast<std::uint32_t>(above - fences_.begin());
  if (chunks.first > 0) --chunks.first;  // it ends with hashes up to the fence that follows it
  return chunks;
}

}  // namespace coffer::attic
