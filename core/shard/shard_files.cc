// Sealed files and the replica: what its epochs become, what it takes from peers, and what then leaves memory.
#include <utility>

#include "core/base/check.h"
#include "core/shard/shard.h"

namespace coffer::shard {

void Shard::receive_files(Now now, NodeId from, ByteView section) {
  files_.receive(now.monotonic, from, section, file_out_);
}

void Shard::tend_files(Now now, Output& out) {
  files_.transfer().set_members(raft_.configuration().members());
  if (const std::optional<LogPlace> base = files_.transfer().take_told_base()) {
    raft::Output raft;
    raft_.learn_committed(now.monotonic, *base, raft);
    follow(now, raft, out);
  }
  files_.transfer().set_reached(committed_);
  files_.step(now.monotonic, file_out_);
  files_.supply(raft_, *state_, file_out_);
  tend_attic(now, out);
  const bool has_runs = files_.attic().held() >= state_->rows_in_memory_from();
  raft_.set_complete(files_.transfer().complete() && has_runs);
  if (const std::optional<LogPlace> durable = files_.take_durable(); durable && durable->index > marked_.index) {
    marked_ = *durable;
    stream_.restore(config_.shard, marked_);
  }
  if (const std::optional<log::SealedName> fetched = files_.transfer().take_snapshot()) {
    files_.load(*fetched);
  }
  if (std::optional<ReplicaFiles::Loaded> loaded = files_.take_loaded()) {
    install(now, std::move(*loaded), out);
  }
  FileOutput made = std::exchange(file_out_, {});
  out.files.insert(out.files.end(), std::make_move_iterator(made.messages.begin()),
                   std::make_move_iterator(made.messages.end()));
  out.io.insert(out.io.end(), std::make_move_iterator(made.io.begin()), std::make_move_iterator(made.io.end()));
  for (TraceEvent& event : made.trace) {
    event.shard = config_.shard;
  }
  out.trace.insert(out.trace.end(), made.trace.begin(), made.trace.end());
}

/// A snapshot of a peer's takes the place of the state, and of the log it covers, in one step: there is no moment at
/// which the one is installed without the other.
void Shard::install(Now now, ReplicaFiles::Loaded loaded, Output& out) {
  raft::Output raft;
  const LogPlace place{loaded.header.name.last, loaded.header.last_term};
  if (!raft_.restore(now.monotonic, place, std::move(loaded.configuration), raft)) {
    return;  // it has come further meanwhile, or leads
  }
  check(suffix_.empty(), "only a leader runs ahead, and a leader is not restored");
  state_ = std::move(loaded.state);
  applied_ = place.index;
  committed_ = place.index;
  undoable_.clear();
  files_.installed(loaded.header, state_->rows_left(), file_out_);
  follow(now, raft, out);
}

/// The mark of `base` is durable: what the one before it covers may leave memory; what is between stays for followers
/// that lag a little.
void Shard::compact(Now now, LogPlace base) {
  if (base.index <= compacted_.index) {
    return;
  }
  raft_.compact(compacted_.index);
  compacted_ = base;
  files_.mark_durable(now.monotonic, base.index, file_out_);
}

}  // namespace coffer::shard
