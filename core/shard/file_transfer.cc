#include "core/shard/file_transfer.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "core/attic/run_format.h"
#include "core/base/check.h"

namespace coffer::shard {

using log::SealedHeader;
using log::SealedKind;
using log::SealedName;
using log::SealedStore;

namespace {

constexpr int in_use_timeouts = 8;
constexpr int rest_timeouts = 2;

}  // namespace

FileTransfer::FileTransfer(Config config, SealedStore& store)
    : config_(config), store_(store), server_(config.group, config.timeout * in_use_timeouts, store) {
  check(config.window > 0 && config.window <= FileServer::reads_per_peer_max, "a window is answered whole");
}

void FileTransfer::set_members(const std::vector<NodeId>& members) {
  members_.clear();
  for (const NodeId member : members) {
    if (member != config_.self) members_.push_back(member);
  }
}

void FileTransfer::set_reached(Index reached) {
  if (reached <= reached_) return;
  reached_ = reached;
  snapshot_needed_ = false;
}

void FileTransfer::need_snapshot(LogPlace base) {
  snapshot_needed_ = true;
  base_ = base;
  look_at_ = {};
}

bool FileTransfer::complete() const {
  const std::optional<SealedName> newest = store_.newest(SealedKind::snapshot, config_.group);
  return !newest || store_.history_end(config_.group) >= newest->last;
}

std::optional<SealedName> FileTransfer::take_snapshot() {
  const std::optional<SealedName> fetched = std::exchange(fetched_, std::nullopt);
  return fetched && fetched->last > reached_ ? fetched : std::nullopt;
}

// ---- What to fetch --------------------------------------------------------------------------------------------------

/// Sets fetch_ to the most urgent of what this replica lacks, if anything.
void FileTransfer::choose(FileOutput& out) {
  abandon_snapshots(reached_, out);
  if (snapshot_needed_) {
    // Rather one begun, or a newer one, than to begin with an older one.
    const Index begun = settle_for_any_ ? Index() : snapshot_begun();
    fetch_.emplace();
    fetch_->after = begun > reached_ ? Index(begun.value - 1) : reached_;
  } else if (!choose_begun() && !complete()) {
    fetch_.emplace();
    fetch_->kind = SealedKind::history;
    fetch_->after = store_.history_end(config_.group);
  } else if (!fetch_ && attic_gap_) {
    fetch_.emplace();
    fetch_->kind = SealedKind::attic;
    fetch_->after = attic_gap_->after;
  }
  if (!fetch_) {
    helpless_.reset();
    return;
  }
  const auto helper = std::lower_bound(members_.begin(), members_.end(), helper_);
  fetch_->from = helper == members_.end() ? members_.front() : *helper;
}

/// Files with damaged chunks, and histories whose fetch a restart or a snapshot interrupted. A snapshot begun is for a
/// leader to offer again.
bool FileTransfer::choose_begun() {
  for (const auto& [name, file] : store_.files()) {
    const bool is_wanted = !file.partial || name.kind != SealedKind::snapshot;
    if (name.group != config_.group || file.bad_chunks.empty() || !is_wanted) continue;
    if (helpless_ && name <= *helpless_) continue;
    begin(file.header);
    return true;
  }
  return false;
}

void FileTransfer::begin(const SealedHeader& header) {
  fetch_.emplace();
  fetch_->kind = header.name.kind;
  fetch_->after = Index(header.first.value - 1);
  fetch_->file = ChunkName{header.name.kind, header.name.last, header.table_checksum, 0};
}

/// The newest snapshot of which some is here, or 0.
Index FileTransfer::snapshot_begun() const {
  for (auto at = store_.files().upper_bound({SealedKind::snapshot, config_.group, Index(UINT64_MAX)});
       at != store_.files().begin();) {
    --at;
    if (at->first.kind != SealedKind::snapshot || at->first.group != config_.group) break;
    if (at->second.partial) return at->first.last;
  }
  return {};
}

/// A snapshot that the state has passed meanwhile is of no use.
void FileTransfer::drop_passed_snapshot(FileOutput& out) {
  if (!fetching_snapshot()) return;
  if (!fetch_->file) {
    if (!snapshot_needed_) fetch_.reset();
    return;
  }
  const SealedName name = name_of(*fetch_->file);
  const auto found = store_.files().find(name);
  const bool is_partial = found != store_.files().end() && found->second.partial;
  if (!is_partial || name.last > reached_) return;
  store_.abandon(name, out.io);
  fetch_.reset();
}

/// Snapshots begun, up to `up_to`.
void FileTransfer::abandon_snapshots(Index up_to, FileOutput& out) {
  std::vector<SealedName> begun;
  for (auto at = store_.files().lower_bound({SealedKind::snapshot, config_.group, Index()}); at != store_.files().end();
       ++at) {
    const SealedName& name = at->first;
    if (name.kind != SealedKind::snapshot || name.group != config_.group || name.last > up_to) break;
    if (at->second.partial) begun.push_back(name);
  }
  for (const SealedName& name : begun) store_.abandon(name, out.io);
}

// ---- Asking ---------------------------------------------------------------------------------------------------------

void FileTransfer::tick(Instant now, FileOutput& out) {
  if (!store_.recovered()) return;
  drop_passed_snapshot(out);
  if (!fetch_ && now >= look_at_ && !members_.empty()) {
    look_at_ = now + config_.timeout;
    choose(out);
  }
  go_on(now, out);
}

Instant FileTransfer::wake_at() const {
  if (!fetch_) return members_.empty() ? never : look_at_;
  if (!fetch_->file) return fetch_->answer_by.value_or(Instant());
  Instant at = never;
  for (const auto& [chunk, by] : fetch_->asked) at = std::min(at, by);
  return at;
}

void FileTransfer::go_on(Instant now, FileOutput& out) {
  if (!fetch_) return;
  if (fetch_->file) {
    want_chunks(now, out);
  } else {
    ask(now, out);
  }
}

void FileTransfer::ask(Instant now, FileOutput& out) {
  if (fetch_->answer_by && now >= *fetch_->answer_by) return next_member(now, out);
  if (fetch_->answer_by) return;
  fetch_->answer_by = now + config_.timeout;
  out.messages.push_back(
      {fetch_->from, encode(FilesMessage{
                         config_.group, AskFile{fetch_->kind, fetch_->after, snapshot_needed_ ? base_ : LogPlace()}})});
}

void FileTransfer::want_chunks(Instant now, FileOutput& out) {
  const SealedName name = name_of(*fetch_->file);
  const auto found = store_.files().find(name);
  if (found == store_.files().end()) {  // it is being written here, or its content contradicted its header
    helper_ = fetch_->from.next();
    fetch_.reset();
    return;
  }
  if (!found->second.partial && found->second.bad_chunks.empty()) return finish(now);
  if (store_.paused()) {  // what comes cannot be taken: nobody is late
    for (auto& [chunk, by] : fetch_->asked) by = now + config_.timeout;
    return;
  }
  for (const auto& [chunk, by] : fetch_->asked) {
    if (now >= by) return next_member(now, out);
  }
  if (fetch_->asked.size() >= config_.window || !store_.wants_chunk(name)) return;
  for (const std::uint32_t chunk : store_.missing(name)) {
    if (fetch_->asked.size() >= config_.window) return;
    if (!fetch_->asked.try_emplace(chunk, now + config_.timeout).second) continue;
    ChunkName wanted = *fetch_->file;
    wanted.chunk = chunk;
    out.messages.push_back({fetch_->from, encode(FilesMessage{config_.group, WantChunk{wanted}})});
  }
}

/// Who was asked cannot help: the same of the next one.
void FileTransfer::next_member(Instant now, FileOutput& out) {
  fetch_->asked.clear();
  fetch_->answer_by.reset();
  if (++fetch_->refusals >= members_.size()) return nobody_helps(now);
  const auto next = std::upper_bound(members_.begin(), members_.end(), fetch_->from);
  fetch_->from = next == members_.end() ? members_.front() : *next;
  go_on(now, out);
}

bool FileTransfer::begins_in_gap(const SealedHeader& header) const {
  const Result<attic::RunHead> head = attic::decode_head(header.meta);
  return attic_gap_ && head.has_value() && head->first == attic_gap_->place && header.name.last > attic_gap_->after;
}

/// Rests; then what else there is comes first. What is here of a snapshot stays until another one is begun.
void FileTransfer::nobody_helps(Instant now) {
  const bool is_snapshot = fetching_snapshot() && snapshot_needed_;
  if (fetch_->kind == SealedKind::attic) attic_refused_ = true;
  if (is_snapshot && !fetch_->file) settle_for_any_ = !settle_for_any_;
  helpless_.reset();
  if (!is_snapshot && fetch_->file) helpless_ = name_of(*fetch_->file);
  fetch_.reset();
  look_at_ = now + config_.timeout * rest_timeouts;
}

void FileTransfer::finish(Instant now) {
  const SealedName name = name_of(*fetch_->file);
  const bool is_snapshot = name.kind == SealedKind::snapshot;
  if (name.kind == SealedKind::attic) attic_refused_ = false;
  if (is_snapshot && name.last > reached_) {
    fetched_ = name;
    snapshot_needed_ = false;
  }
  fetch_.reset();
  look_at_ = now;
}

void FileTransfer::published(Instant now, const SealedName& name) {
  if (fetch_ && fetch_->file && name_of(*fetch_->file) == name && store_.sound(name)) finish(now);
}

// ---- Answers --------------------------------------------------------------------------------------------------------

void FileTransfer::receive(Instant now, NodeId from, const FilesMessage& message, FileOutput& out) {
  if (message.group != config_.group || !store_.recovered()) return;
  if (const auto* const ask = std::get_if<AskFile>(&message.what)) {
    if (ask->base.index > Index()) told_base_ = ask->base;
    return server_.receive(from, *ask, out);
  }
  if (const auto* const want = std::get_if<WantChunk>(&message.what)) return server_.receive(now, from, *want, out);
  if (const auto* const offer = std::get_if<OfferFile>(&message.what)) return take_offer(now, from, *offer, out);
  if (const auto* const give = std::get_if<GiveChunk>(&message.what)) return take_chunk(now, from, *give, out);
}

bool FileTransfer::is_usable(const OfferFile& offer) const {
  if (!offer.header) return false;
  if (offer.kind == SealedKind::snapshot) return offer.header->name.last > reached_;
  if (offer.kind == SealedKind::attic) return begins_in_gap(*offer.header);
  return offer.header->first == offer.after.next();
}

void FileTransfer::take_offer(Instant now, NodeId from, const OfferFile& offer, FileOutput& out) {
  const bool is_answer = fetch_ && !fetch_->file && fetch_->answer_by && fetch_->from == from &&
                         fetch_->kind == offer.kind && fetch_->after == offer.after;
  const bool may_preempt = offer.kind == SealedKind::snapshot && !(fetching_snapshot() && fetch_->file);
  if (!is_answer && !(may_preempt && is_usable(offer))) return;
  if (!is_usable(offer) || !store_.begin_fetch(*offer.header, offer.table, out.io)) {
    if (is_answer) next_member(now, out);
    return;
  }
  begin(*offer.header);
  fetch_->from = from;
  if (offer.kind == SealedKind::snapshot) {
    abandon_snapshots(Index(offer.header->name.last.value - 1), out);
    snapshot_needed_ = true;
    settle_for_any_ = false;
  }
  go_on(now, out);
}

void FileTransfer::take_chunk(Instant now, NodeId from, const GiveChunk& give, FileOutput& out) {
  if (!fetch_ || !fetch_->file || from != fetch_->from) return;
  ChunkName file = give.name;
  file.chunk = 0;
  if (file != *fetch_->file || fetch_->asked.erase(give.name.chunk) == 0) return;
  const SealedName name = name_of(file);
  if (give.bytes.empty() || !store_.put_chunk(name, give.name.chunk, give.bytes, out.io)) return next_member(now, out);
  fetch_->refusals = 0;
  helper_ = from;
  const auto found = store_.files().find(name);
  const std::uint64_t chunks = found == store_.files().end() ? 0 : found->second.table.size();
  out.trace.push_back({.kind = TraceKind::chunk_fetched,
                       .shard = config_.group,
                       .index = name.last,
                       .a = from.value,
                       .b = give.name.chunk,
                       .c = chunks});
  go_on(now, out);
}

}  // namespace coffer::shard
