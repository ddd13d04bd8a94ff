#include "core/shard/attic_rebuild.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "core/shard/attic.h"

namespace coffer::shard {

using log::SealedHeader;
using log::SealedKind;
using log::SealedName;

namespace {

constexpr std::uint64_t tag_bit = std::uint64_t{1} << 61;  ///< below FileServer's and Attic's
constexpr int entries_per_step_max = 256;

}  // namespace

AtticRebuild::AtticRebuild(Config config, log::SealedStore& store, std::uint64_t number)
    : config_(config), store_(store), replay_(config.group, tag_bit | number), state_(config.group) {}

bool AtticRebuild::wants_step() const {
  if (run_) return !run_->has_chunk() || repairs_ || store_.wants_chunk(name_of(SealedKind::attic, last_));
  return !entries_.empty();
}

void AtticRebuild::step(std::vector<IoOp>& out, std::vector<TraceEvent>& trace) {
  std::size_t folded = 0;
  while (!run_ && folded < entries_.size() && folded < entries_per_step_max) {
    const Entry& entry = entries_[folded++];
    if (entry.kind == EntryKind::state) state_.apply_entry(view(entry.payload));
    state_.committed(state_.last_position());
    if (store_.files().contains(name_of(SealedKind::history, entry.index))) begin_run(entry.index, out);
  }
  entries_.erase(entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(folded));
  if (run_) write_run(out, trace);
  if (!run_ && entries_.empty()) replay_.pump(store_, out);
}

/// The epoch that ends with entry `last` was read: its run is made again if something of its file is missing.
void AtticRebuild::begin_run(Index last, std::vector<IoOp>& out) {
  if (!state_.has_attic()) return;
  const SealedName name = name_of(SealedKind::attic, last);
  const auto file = store_.files().find(name);
  const bool is_there = file != store_.files().end() && !file->second.partial;
  repairs_ = is_there && !file->second.bad_chunks.empty();
  const bool is_missing = !is_there && store_.create(name, out);
  const std::uint64_t first = std::exchange(left_, state_.rows_left());
  if (!repairs_ && !is_missing) return state_.let_go(left_);
  last_ = last;
  chunk_ = 0;
  history_ = store_.files().at(name_of(SealedKind::history, last)).header;
  run_.emplace(attic::head_of(first, left_, left_row_bytes, config_.chunk_size));
}

void AtticRebuild::write_run(std::vector<IoOp>& out, std::vector<TraceEvent>& trace) {
  const SealedName name = name_of(SealedKind::attic, last_);
  if (!repairs_ && !store_.writing(name)) {  // given up, for a snapshot was installed
    run_.reset();
    return state_.let_go(left_);
  }
  supply_rows(*run_, state_);
  while (run_->has_chunk()) {
    if (repairs_) {
      store_.put_chunk(name, chunk_++, run_->take_chunk(), out);  // what is not wanted is not taken
    } else if (store_.wants_chunk(name)) {
      store_.append_chunk(name, run_->take_chunk(), out);
    } else {
      return;
    }
  }
  if (run_->done()) end_run(out, trace);
}

void AtticRebuild::end_run(std::vector<IoOp>& out, std::vector<TraceEvent>& trace) {
  const SealedName name = name_of(SealedKind::attic, last_);
  if (!repairs_) {
    SealedHeader header;
    header.name = name;
    header.cluster = config_.cluster;
    header.first = last_;
    header.last_term = history_.last_term;
    header.first_position = header.last_position = history_.last_position;
    header.last_stamp = history_.last_stamp;
    header.chain_before = header.chain_after = history_.chain_after;
    header.meta = attic::encode(run_->head());
    store_.seal(name, std::move(header), {}, out);
  }
  trace.push_back({.kind = TraceKind::attic_rebuilt, .shard = config_.group, .index = last_});
  run_.reset();
  state_.let_go(left_);
}

}  // namespace coffer::shard
