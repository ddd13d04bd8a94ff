#include "core/txn/frozen_state.h"

#include <algorithm>

#include "core/base/check.h"
#include "core/base/codec.h"

namespace coffer::txn {

FrozenState::FrozenState(ShardState& state)
    : shard_(state.self),
      position_(state.last_position),
      stamp_(state.last_stamp),
      size_(export_size(state)),
      book_(state.book, account_format(version_of(state))),
      dedup_(state.dedup),
      phases_(state.phases, phase_format(version_of(state))),
      inbox_(state.inbox),
      version_(version_of(state)),
      tries_(state.tries),
      holds_(state.holds),
      splits_(state.splits) {
  ByteWriter out(rest_);
  export_head(state, out);
}

bool FrozenState::write_next(ByteWriter& out) {
  return book_.write_next(out) || dedup_.write_next(out) ||
         (version_ >= StateVersion::with_splits && splits_.write_next(out)) || phases_.write_next(out) ||
         inbox_.write_next(out) || (version_ >= StateVersion::with_tries && tries_.write_next(out)) ||
         (version_ >= StateVersion::with_holds && holds_.write_next(out));
}

bool FrozenState::next_chunk(Bytes& out, std::size_t bytes) {
  check(bytes > 0, "a chunk has bytes");
  constexpr std::size_t page_bytes_max = ledger::page_rows * 128;
  const std::size_t before = out.size();
  out.reserve(before + std::min<std::uint64_t>(bytes, remaining()) + page_bytes_max);
  out.insert(out.end(), rest_.begin(), rest_.end());
  rest_.clear();
  ByteWriter writer(out);
  while (out.size() - before < bytes && write_next(writer)) {
  }
  if (out.size() - before > bytes) {
    rest_.assign(out.begin() + static_cast<std::ptrdiff_t>(before + bytes), out.end());
    out.resize(before + bytes);
  }
  exported_ += out.size() - before;
  check(exported_ <= size_ && (out.size() - before == bytes || exported_ == size_), "an export has the size announced");
  return out.size() > before;
}

}  // namespace coffer::txn
