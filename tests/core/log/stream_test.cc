// What a Stream emits, in which order, and how it answers failures of the disk.
#include <algorithm>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "core/base/check.h"
#include "core/base/hash.h"
#include "core/log/hard_state.h"
#include "tests/core/log/life.h"

namespace coffer::log {
namespace {

using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

std::vector<std::string> words(const std::vector<IoOp>& ops) {
  std::vector<std::string> result;
  for (const IoOp& op : ops) {
    const char* const kinds[] = {"read", "write", "sync", "sync_dir", "rename", "remove", "list", "reserve"};
    std::string word = kinds[static_cast<std::size_t>(op.kind)];
    if (!op.file.empty()) word += " " + op.file;
    if (op.offset > 0) word += " @" + std::to_string(op.offset);
    result.push_back(word);
  }
  return result;
}

using Words = std::vector<std::string>;

/// What one more flush of a frame with `size` bytes of payload emits.
Words flush_of(Life& life, std::uint64_t index, std::size_t size) {
  const std::size_t before = life.emitted.size();
  life.stream.append(ShardId(1), std::vector{entry(index, 1, payload(index, size))});
  REQUIRE(life.flush_and_run());
  return words({life.emitted.begin() + static_cast<std::ptrdiff_t>(before), life.emitted.end()});
}

TEST_CASE("a first start writes the hard state, then the stream, then says that both are there") {
  MemoryDisk disk;
  Life life(disk);
  CHECK(life.recovered() == Model{});
  CHECK(words(life.emitted) ==
        Words{"read hard-state", "read stream-000001", "read stream-000002",                       //
              "write hard-state", "sync hard-state", "write hard-state @4096", "sync hard-state",  //
              "sync_dir", "reserve stream-000001 @16384",                                          //
              "write stream-000001", "sync stream-000001", "sync_dir",                             //
              "write hard-state", "sync hard-state", "write hard-state @4096", "sync hard-state"});
  CHECK_FALSE(life.stream.full());
}

TEST_CASE("a later start only reads and syncs") {
  MemoryDisk disk;
  Life(disk).recovered();
  Life life(disk);
  life.recovered();
  CHECK(words(life.emitted) == Words{"read hard-state", "read stream-000001", "read stream-000002",
                                     "read stream-000003", "sync hard-state", "sync stream-000001", "sync_dir"});
}

TEST_CASE("a flush writes the hard state copy by copy, then one frame, with a sync after each") {
  MemoryDisk disk;
  Life life(disk);
  life.recovered();
  life.stream.append(ShardId(1), std::vector{entry(1, 1, payload(1, 10)), entry(2, 1, {})});
  life.stream.append(ShardId(2), std::vector{entry(1, 1, payload(2, 10))});
  life.stream.truncate(ShardId(1), Index(2));
  life.stream.set_hard_state(ShardId(2), {Term(1), NodeId(3)});
  CHECK(life.stream.has_pending());
  std::vector<IoOp> ops;
  CHECK(life.stream.flush(ops).number == 1);
  CHECK(words(ops) == Words{"write hard-state", "sync hard-state", "write hard-state @4096", "sync hard-state",  //
                            "write stream-000001 @4096", "sync stream-000001"});
  CHECK_FALSE(life.stream.has_pending());
  for (const IoOp& op : ops) {
    CHECK(life.stream.completed() == 0);
    life.stream.on_io(op.token, IoStatus::ok, {}, ops, life.trace);
  }
  CHECK(life.stream.completed() == 1);
  CHECK(life.stream.idle());
  CHECK(life.trace_a(TraceKind::synced) == 1);
}

TEST_CASE("a flush of only a hard state needs no frame") {
  MemoryDisk disk;
  Life life(disk);
  life.recovered();
  life.stream.set_hard_state(ShardId(1), {Term(4), nobody});
  CHECK(life.flush_and_run());
  CHECK_FALSE(life.saw(TraceKind::synced));
  Life again(disk);
  CHECK(again.recovered().hard_states.at(1) == std::pair{std::uint64_t{4}, 0u});
  CHECK(again.trace_a(TraceKind::recovered) == 0);
}

TEST_CASE(
    "the next segment is reserved when the current one is more than half full, and its name synced with its first "
    "frame") {
  MemoryDisk disk;
  Life life(disk);
  life.recovered();
  CHECK(flush_of(life, 1, 100) == Words{"write stream-000001 @4096", "sync stream-000001"});
  CHECK(flush_of(life, 2, 100) ==
        Words{"write stream-000001 @8192", "sync stream-000001", "reserve stream-000002 @16384"});
  CHECK(flush_of(life, 3, 100) == Words{"write stream-000001 @12288", "sync stream-000001"});
  CHECK(flush_of(life, 4, 100) ==
        Words{"write stream-000002", "write stream-000002 @4096", "sync stream-000002", "sync_dir"});
  CHECK(Life(disk).recovered().logs.at(1).size() == 4);
}

TEST_CASE("a frame larger than a segment gets a segment of its own size") {
  MemoryDisk disk;
  Life life(disk);
  life.recovered();
  flush_of(life, 1, 100);
  CHECK(flush_of(life, 2, 3 * test_segment_size) == Words{"write stream-000002", "write stream-000002 @4096",
                                                          "sync stream-000002", "sync_dir",
                                                          "reserve stream-000003 @16384"});
  CHECK(flush_of(life, 3, 100) ==
        Words{"write stream-000003", "write stream-000003 @4096", "sync stream-000003", "sync_dir"});
  CHECK(disk.contents("stream-000002").size() == 4096 + 3 * test_segment_size + 4096);
  CHECK(Life(disk).recovered().logs.at(1).size() == 3);
}

TEST_CASE("nothing is written to a segment while its reservation is under way: the current one grows") {
  MemoryDisk disk;
  Life life(disk);
  life.recovered();
  flush_of(life, 1, 100);
  life.hold_reservations(true);
  flush_of(life, 2, 100);
  flush_of(life, 3, 100);
  CHECK(flush_of(life, 4, 100) == Words{"write stream-000001 @16384", "sync stream-000001"});
  life.hold_reservations(false);
  life.run();
  CHECK(flush_of(life, 5, 100).front() == "write stream-000002");
  CHECK(Life(disk).recovered().logs.at(1).size() == 5);
}

TEST_CASE("no space for a reservation makes the log full, not failed, until a later reservation succeeds") {
  MemoryDisk disk;
  Life life(disk);
  life.recovered();
  life.answer_next(IoKind::reserve, IoStatus::no_space);
  flush_of(life, 1, 5000);
  CHECK(life.stream.full());
  CHECK_FALSE(life.stream.failed());
  CHECK(flush_of(life, 2, 100).back() == "reserve stream-000002 @16384");
  CHECK_FALSE(life.stream.full());
  CHECK(flush_of(life, 3, 100).front() == "write stream-000002");
}

TEST_CASE("a first start without space for the first segment is full, not failed") {
  MemoryDisk disk;
  Life life(disk);
  life.answer_next(IoKind::reserve, IoStatus::no_space);
  life.recovered();
  CHECK(life.stream.full());
}

TEST_CASE("any failed operation poisons the log for good and is never tried again") {
  for (const IoKind kind : {IoKind::write, IoKind::sync, IoKind::sync_dir, IoKind::reserve}) {
    for (const IoStatus status : {IoStatus::failed, IoStatus::no_space, IoStatus::not_found}) {
      if (kind == IoKind::reserve && status == IoStatus::no_space) continue;
      CAPTURE(static_cast<int>(kind), static_cast<int>(status));
      MemoryDisk disk;
      Life life(disk);
      life.recovered();
      flush_of(life, 1, 100);
      life.answer_next(kind, status);
      life.stream.append(ShardId(1), std::vector{entry(2, 1, payload(1, 2 * test_segment_size))});
      const std::size_t emitted = life.emitted.size() + 5;  // header, frame, sync, sync_dir, reserve
      const bool completed = life.flush_and_run();
      if (kind != IoKind::reserve) CHECK_FALSE(completed);
      CHECK(life.stream.failed());
      CHECK_FALSE(life.stream.idle());
      CHECK(life.saw(TraceKind::failed));
      CHECK(life.emitted.size() == emitted);
      if (kind != IoKind::sync_dir) CHECK_THAT(life.stream.failure(), Contains(" of stream-00000"));
      std::vector<IoOp> ops;
      CHECK_THROWS_AS(life.stream.flush(ops), CheckFailure);
    }
  }
}

TEST_CASE("a read that fails ends recovery") {
  MemoryDisk disk;
  Life life(disk);
  life.answer_next(IoKind::read, IoStatus::failed);
  life.run();
  CHECK_THAT(life.stream.failure(), StartsWith("read of hard-state at byte 0: "));
  CHECK_FALSE(life.stream.recovered());
}

TEST_CASE("tokens that are not awaited are ignored") {
  MemoryDisk disk;
  Life life(disk);
  life.recovered();
  std::vector<IoOp> ops;
  life.stream.on_io(IoToken(1), IoStatus::failed, {}, ops, life.trace);
  life.stream.on_io(IoToken(1'000'000), IoStatus::failed, {}, ops, life.trace);
  CHECK_FALSE(life.stream.failed());
  CHECK(ops.empty());
}

TEST_CASE("recovery traces every group and every entry with the digest of its payload") {
  MemoryDisk disk;
  Life first(disk);
  first.recovered();
  const Bytes bytes = payload(7, 50);
  first.stream.append(ShardId(3), std::vector{entry(1, 2, bytes), entry(2, 2, {})});
  REQUIRE(first.flush_and_run());
  Life life(disk);
  life.recovered();
  REQUIRE(life.trace.size() == 3);
  CHECK(life.trace[0].kind == TraceKind::recovered);
  CHECK(life.trace[0].shard == ShardId(3));
  CHECK(life.trace[0].a == 2);
  CHECK(life.trace[1].kind == TraceKind::recovered_entry);
  CHECK(life.trace[1].index == Index(1));
  CHECK(life.trace[1].term == Term(2));
  CHECK(life.trace[1].a == hash64(bytes));
  CHECK(life.trace[2].a == 0);
}

TEST_CASE("calls that would break a log are broken invariants of the caller") {
  MemoryDisk disk;
  Life life(disk);
  CHECK_THROWS_AS(life.stream.append(ShardId(1), std::vector{entry(1, 1, {})}), CheckFailure);
  life.recovered();
  CHECK_THROWS_AS(life.stream.append(ShardId(1), std::vector{entry(2, 1, {})}), CheckFailure);
  CHECK_THROWS_AS(life.stream.truncate(ShardId(1), Index(2)), CheckFailure);
  life.stream.set_hard_state(ShardId(1), {Term(2), nobody});
  CHECK_THROWS_AS(life.stream.set_hard_state(ShardId(1), {Term(1), nobody}), CheckFailure);
  std::vector<IoOp> ops;
  life.stream.flush(ops);
  CHECK_THROWS_AS(life.stream.flush(ops), CheckFailure);
}

TEST_CASE("the hard states of as many groups as fit one copy survive, one more is refused") {
  MemoryDisk disk;
  Life life(disk);
  life.recovered();
  for (std::uint32_t group = 1; group <= hard_state_groups_max; ++group) {
    life.stream.set_hard_state(ShardId(group), {Term(group), NodeId(1)});
  }
  REQUIRE(life.flush_and_run());
  CHECK(Life(disk).recovered().hard_states.size() == hard_state_groups_max);
  life.stream.set_hard_state(ShardId(hard_state_groups_max + 1), {Term(1), NodeId(1)});
  std::vector<IoOp> ops;
  CHECK_THROWS_AS(life.stream.flush(ops), CheckFailure);
}

}  // namespace
}  // namespace coffer::log
