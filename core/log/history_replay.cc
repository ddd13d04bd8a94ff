#include "core/log/history_replay.h"

#include <algorithm>

namespace coffer::log {

void HistoryReplay::fail(const std::string& why) {
  failure_ = file_name(header_.name) + ": " + why + ". The entries before " + std::to_string(reached_.next().value) +
             " are sound; fetch this file from a peer, then replay again.";
  decoder_.reset();
}

void HistoryReplay::open_next(const SealedStore& store) {
  const auto& files = store.files();
  auto at = files.lower_bound({SealedKind::history, group_, reached_.next()});
  while (at != files.end() && at->second.partial) ++at;
  if (at == files.end() || at->first.kind != SealedKind::history || at->first.group != group_) {
    done_ = true;
    return;
  }
  header_ = at->second.header;
  next_chunk_ = 0;
  if (header_.first != reached_.next()) {
    fail("it begins at entry " + std::to_string(header_.first.value) + ", what lies before is missing");
  } else if (header_.chain_before != chain_) {
    fail("its chain does not continue that of the entries before");
  } else {
    decoder_.emplace(header_);
  }
}

void HistoryReplay::pump(SealedStore& store, std::vector<IoOp>& out) {
  if (reading_ || done_ || !failure_.empty()) return;
  if (!decoder_) open_next(store);
  if (!decoder_) return;
  const auto file = store.files().find(header_.name);
  if (file == store.files().end()) return;  // lost meanwhile: it will be fetched again
  const auto& bad = file->second.bad_chunks;
  if (file->second.partial || std::binary_search(bad.begin(), bad.end(), next_chunk_)) return;
  reading_ = true;
  store.read_chunk(header_.name, next_chunk_, tag_, out);
}

bool HistoryReplay::take(const SealedStore::ReadChunk& chunk, std::vector<Entry>& entries) {
  if (chunk.tag != tag_ || !reading_ || chunk.name != header_.name || chunk.chunk != next_chunk_) return false;
  reading_ = false;
  if (!chunk.sound) return true;
  std::vector<HistoryEntry> read;
  const Result<void> fed = decoder_->feed(view(chunk.bytes), read);
  for (const HistoryEntry& entry : read) {
    entries.push_back(entry.entry());
    reached_ = entry.index;
  }
  chain_ = decoder_->chain();
  if (fed.has_error()) {
    fail(fed.error().what);
  } else if (++next_chunk_ == chunk_count(header_)) {
    const Result<void> ended = decoder_->finish();
    if (ended.has_error()) {
      fail(ended.error().what);
    } else {
      decoder_.reset();
    }
  }
  return true;
}

}  // namespace coffer::log
