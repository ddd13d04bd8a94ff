#include "core/shard/snapshot_load.h"

#include "core/base/check.h"
#include "core/shard/file_server.h"

namespace coffer::shard {

SnapshotLoad::SnapshotLoad(const log::SealedHeader& snapshot, std::uint64_t tag)
    : header_(snapshot), tag_(tag), loader_(snapshot.name.group), done_(log::chunk_count(snapshot) == 0) {
  check(snapshot.name.kind == log::SealedKind::snapshot, "a state is loaded from a snapshot");
  check(tag < FileServer::tag_bit, "readers have tags of their own");
}

void SnapshotLoad::pump(log::SealedStore& store, std::vector<IoOp>& out) {
  if (damaged()) {
    if (!store.sound(header_.name)) return;
    stopped_ = false;
  }
  const std::uint32_t end = log::chunk_count(header_);
  while (!stopped_ && !done_ && taken_ + in_flight_ < end && in_flight_ < window) {
    store.read_chunk(header_.name, taken_ + in_flight_, tag_, out);
    ++in_flight_;
  }
}

bool SnapshotLoad::take(const log::SealedStore::ReadChunk& chunk) {
  if (chunk.tag != tag_ || chunk.name != header_.name) return false;
  check(in_flight_ > 0, "a chunk was asked for");
  --in_flight_;
  // What was asked for behind a damaged chunk is asked for again.
  stopped_ = stopped_ || !chunk.sound || chunk.chunk != taken_;
  if (stopped_ || done_) return true;
  ++taken_;
  malformed_ = !loader_.feed(view(chunk.bytes));
  done_ = malformed_ || taken_ == log::chunk_count(header_);
  return true;
}

Result<std::unique_ptr<txn::StateMachine>> SnapshotLoad::finish() {
  check(done_, "a snapshot is read to its end");
  Result<std::unique_ptr<txn::StateMachine>> state = loader_.finish();
  if (!state) return state.error();
  if ((*state)->last_position() != header_.last_position || (*state)->last_stamp() != header_.last_stamp) {
    return error(ErrorCode::corrupt,
                 log::file_name(header_.name) + " holds the state of another position than it says");
  }
  return state;
}

}  // namespace coffer::shard
