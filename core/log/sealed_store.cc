#include "core/log/sealed_store.h"

#include <utility>

#include "core/base/check.h"
#include "core/log/sealed_state.h"

namespace coffer::log {

SealedStore::SealedStore(Uuid cluster, Limits limits, CountPositions count_positions)
    : state_(std::make_unique<State>(cluster, limits, count_positions)) {
  check(limits.chunk_size > 0 && limits.chunk_size <= sealed_chunk_size_max, "a chunk has a size");
  check(count_positions != nullptr, "someone knows how many events an entry holds");
}

SealedStore::~SealedStore() = default;

void SealedStore::start(std::vector<IoOp>& out) { state_->opening.start(state_->steps, out); }

void SealedStore::on_io(IoToken token, IoStatus status, SharedBytes bytes, std::vector<IoOp>& out,
                        std::vector<TraceEvent>& trace) {
  std::optional<PendingOp> read;
  if (!state_->steps.on_io(token, status, out, read) && !state_->derived.on_io(token, status, out, read)) return;
  if (read && !failed()) {
    if (state_->settled) {
      state_->on_read(*read, status, bytes, out);
    } else {
      state_->opening.on_read(*read, status, view(bytes), state_->steps, out);
      state_->failure = state_->opening.failure();
      if (!failed() && state_->opening.done()) state_->settle();
    }
  }
  state_->advance(out);
  trace.insert(trace.end(), state_->traces.begin(), state_->traces.end());
  state_->traces.clear();
}

bool SealedStore::recovered() const { return state_->recovered(); }

const std::string& SealedStore::failure() const { return state_->current_failure(); }

const std::map<SealedName, SealedStore::File>& SealedStore::files() const { return state_->files; }

bool SealedStore::sound(const SealedName& name) const {
  const File* const file = state_->find_published(name);
  return file && file->bad_chunks.empty();
}

std::optional<SealedName> SealedStore::newest(SealedKind kind, ShardId group) const {
  for (auto at = state_->files.upper_bound({kind, group, Index(UINT64_MAX)}); at != state_->files.begin();) {
    --at;
    if (at->first.kind != kind || at->first.group != group) break;
    if (!at->second.partial) return at->first;
  }
  return std::nullopt;
}

const std::set<SealedName>& SealedStore::lost() const { return state_->lost; }

Index SealedStore::history_end(ShardId group) const { return state_->history_end(group); }

std::vector<SealedName> SealedStore::take_published() { return std::exchange(state_->published, {}); }

bool SealedStore::idle() const {
  return recovered() && !state_->steps.busy() && !state_->derived.busy() && state_->inspections.empty() &&
         state_->lookups.empty() && !state_->manifest_changed;
}

}  // namespace coffer::log
