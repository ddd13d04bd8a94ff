// What a replica starts from: its log, and the newest sound snapshot, whether the stream was told of it or not.
#include "core/shard/awakening.h"

#include <deque>
#include <optional>
#include <vector>

#include <catch2/catch.hpp>

#include "core/base/check.h"
#include "tests/core/shard/file_world.h"

namespace coffer::shard {
namespace {

using testing::group;
using testing::Replica;

/// A store on the disk, and what a node does for a replica that is asleep.
struct NodeStart {
  explicit NodeStart(log::MemoryDisk& on)
      : disk(on),
        store(testing::file_cluster(), {}, positions_in),
        files({group, NodeId(1), testing::file_cluster(), testing::chunk_size, testing::epoch_bytes}, store) {
    store.start(out.io);
    run(nullptr);
    check(store.recovered(), "the store recovered");
  }

  void run(Awakening* awakening) {
    for (int steps = 0; steps < 20'000 && !(awakening && awakening->awake()); ++steps) {
      for (const log::SealedStore::ReadChunk& chunk : store.take_chunks()) files.read(chunk, out);
      store.take_published();
      files.step({}, out);
      if (awakening) awakening->step(store, files);
      if (out.io.empty()) continue;
      std::vector<IoOp> ops = std::move(out.io);
      out.io.clear();
      for (const IoOp& op : ops) {
        const log::MemoryDisk::Answer answer = disk.execute(op);
        store.on_io(op.token, answer.status, answer.bytes, out.io, out.trace);
      }
    }
  }

  log::MemoryDisk& disk;
  log::SealedStore store;
  ReplicaFiles files;
  FileOutput out;
};

log::RecoveredGroup log_of(const std::vector<Entry>& entries, std::uint64_t length, Term term) {
  log::RecoveredGroup found;
  found.hard_state = {term, NodeId(2)};
  found.log.assign(entries.begin(), entries.begin() + static_cast<std::ptrdiff_t>(length));
  found.evidence = length == 0 ? LogPlace() : LogPlace{entries[length - 1].index, entries[length - 1].term};
  return found;
}

/// A disk with the snapshots of the whole log; the newest is told.
log::SealedName written(log::MemoryDisk& disk, const std::vector<Entry>& log) {
  Replica replica(NodeId(1), log, disk);
  check(replica.start(), "it starts");
  replica.follow(log.size());
  check(replica.run(), "everything is written");
  check(replica.snapshots_here().size() > 1, "there are several");
  return replica.snapshots_here().back();
}

TEST_CASE("a start takes the newest snapshot, although the stream was not told of it, and keeps the log behind it") {
  const std::vector<Entry> log = testing::made_log(150);
  log::MemoryDisk disk;
  const log::SealedName newest = written(disk, log);
  NodeStart node(disk);
  Awakening awakening(group, log_of(log, 150, Term(9)), {{NodeId(1)}, {}, {}}, {NodeId(1)});
  node.run(&awakening);
  REQUIRE(awakening.awake());
  REQUIRE(awakening.restored());
  CHECK(awakening.restored()->base.index == newest.last);
  CHECK(awakening.restored()->last_before == Index(150));
  const Start start = awakening.take_start();
  CHECK(start.raft.base.index == newest.last);
  CHECK(start.raft.log.size() == 150 - newest.last.value);
  CHECK(start.raft.hard_state == HardState{Term(9), NodeId(2)});
  Bytes state;
  start.state->export_state(state);
  CHECK(state == testing::state_after(log, newest.last.value));
}

TEST_CASE("a snapshot of a later term than the replica's raises its term, and its vote is open again") {
  const std::vector<Entry> log = testing::made_log(150);
  log::MemoryDisk disk;
  const log::SealedName newest = written(disk, log);
  NodeStart node(disk);
  Awakening awakening(group, log_of(log, 0, Term(1)), {{NodeId(1)}, {}, {}}, {NodeId(1)});
  node.run(&awakening);
  REQUIRE(awakening.awake());
  const Start start = awakening.take_start();
  CHECK(start.raft.base.index == newest.last);
  CHECK(start.raft.log.empty());
  CHECK(start.raft.hard_state == HardState{start.raft.base.term, nobody});
  CHECK(start.raft.base.term > Term(1));
}

TEST_CASE("a log from the first entry needs no snapshot, and waits for no damaged one") {
  const std::vector<Entry> log = testing::made_log(150);
  log::MemoryDisk disk;
  NodeStart empty(disk);
  Awakening awakening(group, log_of(log, 10, Term(9)), {{NodeId(1)}, {}, {}}, {NodeId(1)});
  empty.run(&awakening);
  REQUIRE(awakening.awake());
  CHECK_FALSE(awakening.restored());
  CHECK(awakening.take_start().raft.log.size() == 10);

  log::MemoryDisk damaged;
  written(damaged, log);
  for (const std::string& file : damaged.names()) {
    if (file.starts_with("snapshot-")) damaged.flip_bit(file, 4096 + 10, 1);  // in the first chunk
  }
  NodeStart node(damaged);
  Awakening again(group, log_of(log, 150, Term(9)), {{NodeId(1)}, {}, {}}, {NodeId(1)});
  node.run(&again);
  REQUIRE(again.awake());
  CHECK_FALSE(again.restored());
  CHECK(again.take_start().raft.log.size() == 150);
}

}  // namespace
}  // namespace coffer::shard
