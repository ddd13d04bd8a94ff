#include "core/shard/replica_files.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"

namespace coffer::shard {

namespace {

/// For how many time-outs something of the attic is missing before it is made from history, if no member can help.
constexpr int rebuild_timeouts = 4;

}  // namespace

ReplicaFiles::ReplicaFiles(Config config, log::SealedStore& store)
    : config_(config),
      store_(store),
      transfer_({config.shard, config.self, config.timeout}, store),
      attic_(config.shard, store) {}

void ReplicaFiles::begin(const log::SealedHeader* snapshot, std::uint64_t left) {
  check(!epochs_, "a state begins once");
  const Index boundary = snapshot == nullptr ? Index() : snapshot->name.last;
  const std::uint64_t size = snapshot == nullptr ? 0 : snapshot->payload_size;
  epochs_.emplace(config_.epoch_bytes, boundary, size);
  snapshots_.emplace(Snapshots::Config{config_.shard, config_.cluster, config_.chunk_bytes}, store_, snapshot, left);
}

void ReplicaFiles::folded(LogPlace place, std::uint64_t payload_bytes, txn::StateMachine& state, FileOutput& out) {
  if (epochs_->passed(place.index, payload_bytes, state.size_estimate())) {
    const auto left = state.has_attic() ? std::optional(state.rows_left()) : std::nullopt;
    snapshots_->passed(place, state.freeze(), left, out.trace);
  }
}

void ReplicaFiles::undone(Index index, std::uint64_t payload_bytes, FileOutput& out) {
  if (epochs_->undone(index, payload_bytes)) {
    snapshots_->undone(index, out.trace);
  }
}

void ReplicaFiles::committed(Index index, const raft::Raft& raft) {
  epochs_->committed(index);
  if (snapshots_->awaits(index)) {
    snapshots_->committed(index, encode(raft.configuration_at(index)));
  }
}

void ReplicaFiles::receive(Instant now, NodeId from, ByteView section, FileOutput& out) {
  const std::optional<FilesMessage> message = decode_files(section);
  if (message && message->group == config_.shard) {
    transfer_.receive(now, from, *message, out);
  }
}

void ReplicaFiles::read(const log::SealedStore::ReadChunk& chunk, FileOutput& out) {
  if (transfer_.give(chunk, out) || attic_.take(chunk, out.trace) || (rebuild_ && rebuild_->take(chunk))) {
    return;
  }
  if (load_) {
    load_->take(chunk);
  }
}

void ReplicaFiles::load(const log::SealedName& snapshot) {
  if (load_ && load_->header().name == snapshot) {
    return;
  }
  const auto found = store_.files().find(snapshot);
  if (found != store_.files().end() && !found->second.partial) {
    load_.emplace(found->second.header, ++loads_);
  }
}

std::optional<ReplicaFiles::Loaded> ReplicaFiles::take_loaded() {
  if (!load_ || !load_->done()) {
    return std::nullopt;
  }
  Loaded loaded;
  loaded.header = load_->header();
  Result<raft::Configuration> configuration = raft::decode_configuration(loaded.header.meta);
  Result<std::unique_ptr<txn::StateMachine>> state = load_->finish();
  load_.reset();
  if (configuration.has_error() || state.has_error()) {
    return std::nullopt;  // sound bytes of another version, or of a peer that makes no sense
  }
  loaded.configuration = std::move(*configuration);
  loaded.state = std::move(*state);
  return loaded;
}

void ReplicaFiles::step(Instant now, FileOutput& out) {
  attic_.step(out.io);
  transfer_.set_attic_gap(attic_.gap(attic_needed_));
  transfer_.tick(now, out);
  if (load_) {
    load_->pump(store_, out.io);
  }
  if (snapshots_) {
    snapshots_->pump(out.io);
  }
}

void ReplicaFiles::tend_attic(Instant now, const txn::StateMachine& state, FileOutput& out) {
  if (!state.has_attic()) {
    return;
  }
  attic_needed_ = state.rows_in_memory_from();
  if (now >= look_for_damage_at_) {
    attic_is_damaged_ = attic_.is_damaged();
    look_for_damage_at_ = now + config_.timeout;
  }
  attic_lacks_ = attic_is_damaged_ || attic_.gap(attic_needed_).has_value();
  if (rebuild_ && !rebuild_->is_making() && (!attic_lacks_ || rebuild_->ended())) {
    rebuild_.reset();
    rebuild_after_ = now + config_.timeout * rebuild_timeouts;
  }
  const bool is_due = attic_lacks_ && now >= rebuild_after_;
  if (is_due && !rebuild_ && transfer_.attic_is_helpless() && transfer_.complete()) {
    rebuild_.emplace(AtticRebuild::Config{config_.shard, config_.cluster, config_.chunk_bytes}, store_, ++rebuilds_);
  }
  if (!attic_lacks_ || is_due) {
    rebuild_after_ = now + config_.timeout * rebuild_timeouts;
  }
  if (rebuild_ && !store_.paused()) {
    rebuild_->step(out.io, out.trace);
  }
}

Instant ReplicaFiles::wake_at() const {
  const bool goes_on =
      (snapshots_ && snapshots_->wants_rows()) || (rebuild_ && !store_.paused() && rebuild_->wants_step());
  if (goes_on) {
    return {};
  }
  return attic_lacks_ ? std::min(transfer_.wake_at(), rebuild_after_) : transfer_.wake_at();
}

void ReplicaFiles::supply(const raft::Raft& raft, const txn::StateMachine& state, FileOutput& out) {
  for (std::optional<Index> next = snapshots_->next_entry(); next; next = snapshots_->next_entry()) {
    snapshots_->supply(raft.entry(*next), out.io);
  }
  snapshots_->supply_rows(state, out.io);
}

void ReplicaFiles::mark_durable(Instant now, Index base, FileOutput& out) {
  snapshots_->mark_durable(base, transfer_.snapshots_in_use(now), out.io);
}

void ReplicaFiles::installed(const log::SealedHeader& snapshot, std::uint64_t left, FileOutput& out) {
  epochs_.emplace(config_.epoch_bytes, snapshot.name.last, snapshot.payload_size);
  snapshots_->installed(snapshot, left, out.io, out.trace);
}

}  // namespace coffer::shard
