#include "core/shard/attic.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "core/base/codec.h"
#include "core/ledger/row_codec.h"

namespace coffer::shard {

using log::SealedKind;
using log::SealedStore;

static_assert(left_row_bytes == ledger::dedup_bytes + ledger::link_bytes);

Bytes encode(const txn::LeftRow& row) {
  Bytes content;
  ByteWriter out(content);
  ledger::encode(row.row, row.row.link == ledger::no_row ? nullptr : &row.link, out);
  content.resize(left_row_bytes);
  return content;
}

std::optional<txn::LeftRow> decode_left_row(ByteView content) {
  ByteReader in(content);
  txn::LeftRow left;
  left.row = ledger::decode_dedup(in, left.link);
  const bool is_over = left.row.outcome != Outcome::pending && ledger::moves_money(left.row.operation);
  if (!in.ok() || !is_over) return std::nullopt;
  const ByteView rest = content.subspan(in.position());
  const bool is_whole = std::all_of(rest.begin(), rest.end(), [](std::byte byte) { return byte == std::byte{0}; });
  if (!is_whole || content.size() != left_row_bytes) return std::nullopt;
  return left;
}

void supply_rows(attic::RunWriter& run, const txn::StateMachine& state) {
  constexpr int rows_per_step_max = 4096;  // hashes, or contents
  for (int rows = 0; rows < rows_per_step_max && !run.has_chunk(); ++rows) {
    if (const std::optional<std::uint64_t> hashed = run.wants_hash()) {
      run.add(ledger::Dedup::hash_of(state.left_row(*hashed).row.id));
    } else if (const std::optional<std::uint64_t> place = run.wants_content()) {
      run.put(encode(state.left_row(*place)));
    } else {
      break;
    }
  }
}

std::optional<attic::RunHead> run_head_of(const log::SealedHeader& header) {
  const Result<attic::RunHead> head = attic::decode_head(header.meta);
  if (head.has_error()) return std::nullopt;
  const bool fits = head->content_size == left_row_bytes && head->chunk_size == header.chunk_size &&
                    attic::payload_size(*head) == header.payload_size;
  return fits ? std::optional(*head) : std::nullopt;
}

// ---- Runs -----------------------------------------------------------------------------------------------------------

void Attic::rescan() {
  rescan_ = false;
  present_ = {};
  heads_.clear();
  unopened_ = 0;
  for (auto at = store_.files().lower_bound(name_of(Index())); at != store_.files().end(); ++at) {
    if (at->first.kind != SealedKind::attic || at->first.group != group_) break;
    if (at->second.partial) continue;
    const std::optional<attic::RunHead> head = run_head_of(at->second.header);
    if (!head) continue;
    present_.add(at->first.last, *head);
    heads_.emplace(at->first.last, *head);
    if (!open_.contains(at->first.last)) ++unopened_;
  }
}

void Attic::open_next(std::vector<IoOp>& out) {
  if (!opening_) {
    if (unopened_ == 0) return;
    const auto next = std::find_if(heads_.begin(), heads_.end(), [this](const auto& head) {
      return !open_.contains(head.first) && is_openable(head.first, head.second);
    });
    if (next == heads_.end()) return;
    opening_.emplace(Opening{next->first, attic::RunIndex(next->second)});
  }
  if (opening_->tag != 0) return;
  const std::optional<std::uint32_t> chunk = opening_->index.wants_chunk();
  check(chunk.has_value(), "an index that is ready is not being opened");
  if (!is_openable(opening_->run, opening_->index.head())) {
    opening_.reset();  // another one first
    return;
  }
  opening_->tag = tag_bit | ++last_tag_;
  store_.read_chunk(name_of(opening_->run), *chunk, opening_->tag, out);
}

void Attic::take_tail(const SealedStore::ReadChunk& chunk, std::vector<TraceEvent>& trace) {
  opening_->tag = 0;
  if (!chunk.sound) {
    trace.push_back({.kind = TraceKind::attic_damaged, .shard = group_, .index = opening_->run, .a = chunk.chunk});
    opening_.reset();
    rescan_ = true;
    return;
  }
  if (opening_->index.feed(view(chunk.bytes)).has_error()) {
    unopened_ -= heads_.erase(opening_->run);  // sound bytes that make no sense: it stays closed
    opening_.reset();
    return;
  }
  if (!opening_->index.ready()) return;
  const attic::RunHead head = opening_->index.head();
  trace.push_back(
      {.kind = TraceKind::attic_opened, .shard = group_, .index = opening_->run, .a = head.first, .b = head.end});
  opened_.add(opening_->run, head);
  held_ = opened_.end();
  open_.emplace(opening_->run, std::move(opening_->index));
  if (heads_.contains(opening_->run)) --unopened_;
  opening_.reset();
}

std::optional<AtticGap> Attic::gap(std::uint64_t needed) const {
  if (present_.end() >= needed) return std::nullopt;
  return AtticGap{present_.last(), present_.end()};
}

bool Attic::is_damaged() const {
  return std::any_of(heads_.begin(), heads_.end(), [this](const auto& head) {
    const auto file = store_.files().find(name_of(head.first));
    return file != store_.files().end() && !file->second.bad_chunks.empty();
  });
}

// ---- Searches -------------------------------------------------------------------------------------------------------

bool Attic::may_have(const TransferId& id) const {
  const std::uint64_t hash = ledger::Dedup::hash_of(id);
  for (const auto& [run, index] : open_) index.prefetch(hash);
  return std::any_of(open_.begin(), open_.end(), [hash](const auto& run) { return run.second.may_have(hash); });
}

std::optional<Attic::Search> Attic::seek(std::vector<Sought> asked, std::uint64_t& chunks) {
  std::vector<Read> reads;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    const TransferId& id = asked[i].id;
    if (i > 0 && asked[i - 1].id == id) continue;
    const std::uint64_t hash = ledger::Dedup::hash_of(id);
    for (const auto& [run, index] : open_) {
      if (!index.may_have(hash)) continue;
      const attic::RunIndex::Chunks in = index.chunks_of(hash);
      for (std::uint32_t chunk = in.first; chunk < in.end; ++chunk) reads.push_back({last_search_ + 1, id, run, chunk});
    }
  }
  chunks = reads.size();
  if (reads.empty()) return std::nullopt;
  ++last_search_;
  searches_[last_search_].reads = reads.size();
  searches_[last_search_].asked = std::move(asked);
  line_.insert(line_.end(), reads.begin(), reads.end());
  return last_search_;
}

bool Attic::Searching::seeks(const ledger::DedupRow& row) const {
  return std::binary_search(asked.begin(), asked.end(), Sought{row.id, row.home}) ||
         std::binary_search(asked.begin(), asked.end(), Sought{row.id});
}

void Attic::forget_searches() {
  searches_.clear();
  line_.clear();
  found_.clear();
}

/// The file is there, and the chunk not known to be damaged.
bool Attic::is_readable(Index run, std::uint32_t chunk) const {
  const auto file = store_.files().find(name_of(run));
  if (file == store_.files().end() || file->second.partial) return false;
  const auto& bad = file->second.bad_chunks;
  return !std::binary_search(bad.begin(), bad.end(), chunk);
}

/// ... and of the tail none.
bool Attic::is_openable(Index run, const attic::RunHead& head) const {
  const auto file = store_.files().find(name_of(run));
  if (file == store_.files().end() || file->second.partial) return false;
  const auto& bad = file->second.bad_chunks;
  return bad.empty() || bad.back() < head.row_chunks;
}

void Attic::send_reads(std::vector<IoOp>& out) {
  std::size_t under_way = 0;
  for (const auto& [tag, read] : reading_) under_way += open_.at(read.run).head().chunk_size;
  std::deque<Read> stalled;
  while (!line_.empty() && under_way < read_bytes_max) {
    const Read read = line_.front();
    line_.pop_front();
    if (!searches_.contains(read.search)) continue;
    if (!is_readable(read.run, read.chunk)) {
      stalled.push_back(read);
      continue;
    }
    under_way += open_.at(read.run).head().chunk_size;
    const std::uint64_t tag = tag_bit | ++last_tag_;
    reading_.emplace(tag, read);
    store_.read_chunk(name_of(read.run), read.chunk, tag, out);
  }
  line_.insert(line_.end(), stalled.begin(), stalled.end());
}

bool Attic::take(const SealedStore::ReadChunk& chunk, std::vector<TraceEvent>& trace) {
  if ((chunk.tag & tag_bit) == 0) return false;
  if (opening_ && opening_->tag == chunk.tag) {
    take_tail(chunk, trace);
    return true;
  }
  const auto at = reading_.find(chunk.tag);
  if (at == reading_.end()) return true;
  const Read read = at->second;
  reading_.erase(at);
  const auto searching = searches_.find(read.search);
  if (searching == searches_.end()) return true;
  if (!chunk.sound) {
    trace.push_back({.kind = TraceKind::attic_damaged, .shard = group_, .index = read.run, .a = read.chunk});
    rescan_ = true;
    line_.push_back(read);  // until it has been repaired
    return true;
  }
  const auto records =
      attic::find_in_chunk(open_.at(read.run).head(), read.chunk, view(chunk.bytes), ledger::Dedup::hash_of(read.id));
  if (records.has_error()) return true;  // sound bytes that make no sense: never an answer
  for (const ByteView content : *records) {
    const std::optional<txn::LeftRow> left = decode_left_row(content);
    if (!left) return true;
    if (left->row.id == read.id && searching->second.seeks(left->row)) searching->second.rows.push_back(*left);
  }
  end_read(read);
  return true;
}

void Attic::end_read(const Read& read) {
  Searching& searching = searches_.at(read.search);
  if (--searching.reads > 0) return;
  found_.push_back({read.search, std::move(searching.rows)});
  searches_.erase(read.search);
}

void Attic::step(std::vector<IoOp>& out) {
  if (!store_.recovered()) return;
  const bool misses_some = std::any_of(store_.lost().begin(), store_.lost().end(), [this](const log::SealedName& name) {
    return name.kind == SealedKind::attic && name.group == group_ && heads_.contains(name.last);
  });
  if (rescan_ || misses_some) rescan();
  open_next(out);
  send_reads(out);
}

}  // namespace coffer::shard
