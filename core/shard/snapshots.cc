#include "core/shard/snapshots.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "core/base/codec.h"
#include "core/ledger/events.h"
#include "core/shard/attic.h"

namespace coffer::shard {

using log::SealedHeader;
using log::SealedKind;
using log::SealedName;

std::uint64_t positions_in(EntryKind kind, ByteView payload) {
  if (kind != EntryKind::state || payload.empty()) return 0;
  ByteReader in(payload);
  const ledger::EntryHeader header = ledger::decode_header(in);
  return in.ok() ? header.count : 0;
}

Snapshots::Snapshots(Config config, log::SealedStore& store, const SealedHeader* from, std::uint64_t left)
    : config_(config), store_(store), previous_(from == nullptr ? Previous() : place_after(*from)), left_(left) {}

Snapshots::Previous Snapshots::place_after(const SealedHeader& header) {
  return {header.name.last, header.last_position, header.last_stamp, header.chain_after};
}

const SealedHeader* Snapshots::find_published(const SealedName& name) const {
  const auto found = store_.files().find(name);
  return found == store_.files().end() || found->second.partial ? nullptr : &found->second.header;
}

void Snapshots::trace(TraceKind kind, LogPlace place, std::vector<TraceEvent>& out) const {
  out.push_back({.kind = kind, .shard = config_.group, .term = place.term, .index = place.index});
}

// ---- Boundaries -----------------------------------------------------------------------------------------------------

void Snapshots::passed(LogPlace place, std::unique_ptr<txn::FrozenState> state, std::optional<std::uint64_t> left,
                       std::vector<TraceEvent>& out) {
  const Index last = boundaries_.empty() ? previous_.index : boundaries_.back().place.index;
  check(place.index > last, "boundaries are passed in order");
  boundaries_.push_back({place, std::move(state), false, {}, left});
  trace(TraceKind::epoch_passed, place, out);
}

void Snapshots::undone(Index index, std::vector<TraceEvent>& out) {
  while (!boundaries_.empty() && boundaries_.back().place.index >= index) {
    check(!boundaries_.back().committed, "what is committed is not undone");
    trace(TraceKind::epoch_dropped, boundaries_.back().place, out);
    boundaries_.pop_back();
  }
}

bool Snapshots::awaits(Index index) const {
  return std::any_of(boundaries_.begin(), boundaries_.end(),
                     [index](const Boundary& at) { return at.place.index == index && !at.committed; });
}

void Snapshots::committed(Index index, Bytes configuration) {
  const auto found =
      std::find_if(boundaries_.begin(), boundaries_.end(), [](const Boundary& at) { return !at.committed; });
  check(found != boundaries_.end() && found->place.index == index, "boundaries commit in order");
  found->committed = true;
  found->configuration = std::move(configuration);
  let_go_of_oldest();
}

/// Bounds what frozen states cost in memory when the disk is slow.
void Snapshots::let_go_of_oldest() {
  std::size_t waiting = 0;
  for (std::size_t at = boundaries_.size(); at-- > 0;) {
    Boundary& boundary = boundaries_[at];
    const bool being_written = at == 0 && stage_ >= Stage::snapshot;
    if (!boundary.committed || !boundary.state || being_written) continue;
    if (++waiting > frozen_max) boundary.state.reset();
  }
}

std::size_t Snapshots::frozen() const {
  return static_cast<std::size_t>(std::count_if(boundaries_.begin(), boundaries_.end(),
                                                [](const Boundary& boundary) { return boundary.state != nullptr; }));
}

void Snapshots::installed(const SealedHeader& snapshot, std::uint64_t left, std::vector<IoOp>& out,
                          std::vector<TraceEvent>& traces) {
  check(snapshot.name.kind == SealedKind::snapshot && snapshot.name.last > previous_.index,
        "a snapshot is installed ahead");
  if (!boundaries_.empty() && stage_ != Stage::waiting) {
    for (const SealedKind kind : {SealedKind::history, SealedKind::attic, SealedKind::snapshot}) {
      if (store_.writing(name_of(kind))) store_.abandon(name_of(kind), out);
    }
  }
  for (const Boundary& boundary : boundaries_) trace(TraceKind::epoch_dropped, boundary.place, traces);
  boundaries_.clear();
  stage_ = Stage::waiting;
  writer_.reset();
  run_.reset();
  left_ = left;
  previous_ = place_after(snapshot);
}

// ---- Writing --------------------------------------------------------------------------------------------------------

void Snapshots::pump(std::vector<IoOp>& out) {
  while (!boundaries_.empty() && boundaries_.front().committed) {
    const Stage before = stage_;
    advance(out);
    if (stage_ == before) return;
  }
}

/// At most one step to the next stage.
void Snapshots::advance(std::vector<IoOp>& out) {
  switch (stage_) {
    case Stage::waiting:
      return begin_history(out);
    case Stage::history:
      return write_history(out);
    case Stage::history_sealed:
      // Written here, or fetched from a peer meanwhile: its bytes are the same.
      if (const SealedHeader* const header = find_published(name_of(SealedKind::history))) end_history(*header);
      return;
    case Stage::history_published:
      return begin_run(out);
    case Stage::run:
      return write_run(out);
    case Stage::run_sealed:
      if (find_published(name_of(SealedKind::attic))) stage_ = Stage::run_published;
      return;
    case Stage::run_published:
      return begin_snapshot(out);
    case Stage::snapshot:
      return write_snapshot(out);
    case Stage::snapshot_sealed:
      if (find_published(name_of(SealedKind::snapshot))) {
        durable_ = boundaries_.front().place;
        end_epoch();
      }
      return;
  }
}

void Snapshots::begin_history(std::vector<IoOp>& out) {
  const SealedName name = name_of(SealedKind::history);
  stage_ = Stage::history_sealed;
  // It is there from before a restart, or about to be published.
  if (find_published(name) || !store_.create(name, out)) return;
  writing_ = previous_;
  writer_.emplace(config_.group, config_.cluster,
                  log::HistoryWriter::Before{previous_.index, previous_.position, previous_.chain}, config_.chunk_size);
  stage_ = Stage::history;
}

std::optional<Index> Snapshots::next_entry() const {
  if (stage_ != Stage::history || !writer_->wants_entries() || writer_->last() >= boundaries_.front().place.index) {
    return std::nullopt;
  }
  if (!store_.wants_chunk(name_of(SealedKind::history))) return std::nullopt;
  return writer_->last().next();
}

void Snapshots::supply(const Entry& entry, std::vector<IoOp>& out) {
  check(next_entry() == entry.index, "entries are supplied as asked for");
  writing_.index = entry.index;
  if (entry.kind == EntryKind::state && !view(entry.payload).empty()) {
    ByteReader in(view(entry.payload));
    const ledger::EntryHeader header = ledger::decode_header(in);
    check(in.ok() && header.first_position == writing_.position.next(), "committed entries follow each other");
    writing_.position = Position(header.first_position.value + header.count - 1);
    writing_.stamp = header.stamp;
  }
  writer_->append(entry, writing_.position, writing_.stamp);
  write_history(out);
}

void Snapshots::write_history(std::vector<IoOp>& out) {
  const SealedName name = name_of(SealedKind::history);
  while (writer_->has_chunk() && store_.wants_chunk(name)) store_.append_chunk(name, *writer_->take_chunk(), out);
  if (writer_->has_chunk() || writer_->last() < boundaries_.front().place.index || !store_.wants_chunk(name)) return;
  const SealedHeader header = writer_->finish();
  check(header.last_term == boundaries_.front().place.term, "the boundary committed is the one passed");
  if (std::optional<Bytes> rest = writer_->take_chunk()) store_.append_chunk(name, std::move(*rest), out);
  store_.seal(name, header, writer_->take_indexed(), out);
  writer_.reset();
  stage_ = Stage::history_sealed;
}

void Snapshots::end_history(const SealedHeader& header) {
  const Boundary& boundary = boundaries_.front();
  check(header.chain_before == previous_.chain && header.first == previous_.index.next(),
        "a history begins where the one before ended");
  previous_ = place_after(header);
  const bool is_fold = !boundary.state ||
                       (boundary.state->position() == previous_.position && boundary.state->stamp() == previous_.stamp);
  check(is_fold, "the state frozen is the fold of the history before it");
  stage_ = Stage::history_published;
}

/// The rows that left in this epoch, if the state at its end has an attic.
void Snapshots::begin_run(std::vector<IoOp>& out) {
  const std::optional<std::uint64_t>& left = boundaries_.front().left;
  stage_ = left ? Stage::run_sealed : Stage::run_published;
  if (!left || find_published(name_of(SealedKind::attic)) || !store_.create(name_of(SealedKind::attic), out)) return;
  run_.emplace(attic::head_of(left_, *left, left_row_bytes, config_.chunk_size));
  stage_ = Stage::run;
}

bool Snapshots::wants_rows() const {
  if (stage_ != Stage::run || run_->done()) return false;
  return !run_->has_chunk() || store_.wants_chunk(name_of(SealedKind::attic));
}

void Snapshots::supply_rows(const txn::StateMachine& state, std::vector<IoOp>& out) {
  if (!wants_rows()) return;
  const bool has_gone = run_->head().records() > 0 && run_->head().first < state.rows_in_memory_from();
  if (has_gone && store_.lost().contains(name_of(SealedKind::attic))) return leave_run_to_others(out);
  shard::supply_rows(*run_, state);
  write_run(out);
}

/// The run was open here, so its rows have left memory, and then its file was lost: who has it gives it.
void Snapshots::leave_run_to_others(std::vector<IoOp>& out) {
  store_.abandon(name_of(SealedKind::attic), out);
  run_.reset();
  stage_ = Stage::run_sealed;
}

void Snapshots::write_run(std::vector<IoOp>& out) {
  const SealedName name = name_of(SealedKind::attic);
  while (run_->has_chunk() && store_.wants_chunk(name)) store_.append_chunk(name, run_->take_chunk(), out);
  if (!run_->done()) return;
  SealedHeader header = sealed_at(SealedKind::attic);
  header.meta = attic::encode(run_->head());
  store_.seal(name, std::move(header), {}, out);
  run_.reset();
  stage_ = Stage::run_sealed;
}

/// The header of a file that is not a history, at the boundary whose history is published.
SealedHeader Snapshots::sealed_at(SealedKind kind) const {
  SealedHeader header;
  header.name = name_of(kind);
  header.cluster = config_.cluster;
  header.first = header.name.last;
  header.last_term = boundaries_.front().place.term;
  header.first_position = header.last_position = previous_.position;
  header.last_stamp = previous_.stamp;
  header.chain_before = header.chain_after = previous_.chain;
  return header;
}

void Snapshots::begin_snapshot(std::vector<IoOp>& out) {
  const SealedName name = name_of(SealedKind::snapshot);
  if (!boundaries_.front().state) return end_epoch();
  const bool is_there = find_published(name) || !store_.create(name, out);
  if (is_there) boundaries_.front().state.reset();
  stage_ = is_there ? Stage::snapshot_sealed : Stage::snapshot;
}

void Snapshots::write_snapshot(std::vector<IoOp>& out) {
  const SealedName name = name_of(SealedKind::snapshot);
  Boundary& boundary = boundaries_.front();
  while (boundary.state->remaining() > 0 && store_.wants_chunk(name)) {
    Bytes chunk;
    boundary.state->next_chunk(chunk, config_.chunk_size);
    store_.append_chunk(name, std::move(chunk), out);
  }
  if (boundary.state->remaining() > 0) return;
  SealedHeader header = sealed_at(SealedKind::snapshot);
  header.meta = boundary.configuration;
  store_.seal(name, std::move(header), {}, out);
  boundary.state.reset();
  stage_ = Stage::snapshot_sealed;
}

void Snapshots::end_epoch() {
  left_ = boundaries_.front().left.value_or(left_);
  boundaries_.pop_front();
  stage_ = Stage::waiting;
}

std::optional<LogPlace> Snapshots::take_durable() { return std::exchange(durable_, std::nullopt); }

// ---- Removing -------------------------------------------------------------------------------------------------------

void Snapshots::mark_durable(Index base, const std::set<Index>& in_use, std::vector<IoOp>& out) {
  std::vector<SealedName> published;
  for (auto at = store_.files().lower_bound({SealedKind::snapshot, config_.group, Index()}); at != store_.files().end();
       ++at) {
    if (at->first.kind != SealedKind::snapshot || at->first.group != config_.group) break;
    if (!at->second.partial) published.push_back(at->first);
  }
  std::size_t kept = 0;
  for (auto name = published.rbegin(); name != published.rend(); ++name) {
    if (kept < snapshots_kept) {
      if (store_.sound(*name)) ++kept;
    } else if (name->last < base && !in_use.contains(name->last)) {
      store_.remove(*name, out);
    }
  }
}

}  // namespace coffer::shard
