// What a Stream emits, in which order, and how it answers failures of the disk.
#include <algorithm>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "core/base/check.h"
#include "core/base/hash.h"
#include "core/log/hard_state.h"
#include "tests/core/log/small_disk.h"

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

/// What one more flush of a frame with `size` bytes of payload emits, and the reservation that has to precede it.
Words flush_of(Life& life, std::uint64_t index, std::size_t size) {
  const std::size_t before = life.emitted.size();
  life.stream.append(ShardId(1), std::vector{entry(index, 1, payload(index, size))});
  REQUIRE(life.flush_and_run());
  return words({life.emitted.begin() + static_cast<std::ptrdiff_t>(before), life.emitted.end()});
}

std::size_t entries_of_group_1(const Model& model) { return model.logs.contains(1) ? model.logs.at(1).size() : 0; }

const Words segment_2_reserved = {"reserve stream-000002 @16384", "sync stream-000002", "sync_dir"};

Words operator+(Words left, const Words& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

TEST_CASE("a first start writes the hard state, then the stream, then says that both are there") {
  MemoryDisk disk;
  Life life(disk);
  CHECK(life.recovered() == Model{});
  CHECK(words(life.emitted) ==
        Words{"read hard-state", "list",                                                           //
              "reserve hard-state @8192",                                                          //
              "write hard-state", "sync hard-state", "write hard-state @4096", "sync hard-state",  //
              "sync_dir", "reserve stream-000001 @16384",                                          //
              "write stream-000001", "sync stream-000001", "sync_dir",                             //
              "write hard-state", "sync hard-state", "write hard-state @4096", "sync hard-state"});
  CHECK_FALSE(life.stream.full());
  CHECK(life.stream.opened_at() == 0);
}

TEST_CASE("a later start writes again what the last sync may have missed, copy B first, and nothing else") {
  const Words hard_state = {"sync hard-state",                            //
                            "write hard-state @4096", "sync hard-state",  //
                            "write hard-state", "sync hard-state"};
  MemoryDisk disk;
  Life(disk).recovered();
  {
    Life life(disk);
    life.recovered();
    CHECK(words(life.emitted) == Words{"read hard-state", "list", "read stream-000001"} + hard_state +
                                     Words{"sync stream-000001", "sync_dir"});
    flush_of(life, 1, 100);
    flush_of(life, 2, 100);
  }
  disk = alone(disk);  // so that the end, which no mark covers, leaves no doubt
  Life life(disk);
  life.recovered();
  CHECK(words(life.emitted) ==
        Words{"read hard-state", "list", "read stream-000001", "read stream-000002"} + hard_state +
            Words{"write stream-000001 @8192", "sync stream-000001", "sync stream-000002", "sync_dir"});
}

TEST_CASE("what was read back survives although the sync of the life before failed: a sync that failed is no sync") {
  MemoryDisk disk;
  Life first(disk);
  first.recovered();
  first.stream.set_hard_state(ShardId(1), {Term(1), NodeId(2)});
  first.stream.append(ShardId(1), std::vector{entry(1, 1, payload(1, 100))});
  REQUIRE(first.flush_and_run());
  const MemoryDisk durable = disk;
  first.stream.append(ShardId(1), std::vector{entry(2, 1, payload(2, 100))});
  std::vector<IoOp> ops;
  first.stream.flush(ops);
  disk.execute(ops[0]);  // its sync fails, and the process is started again, not the machine

  Life second(disk);
  REQUIRE(entries_of_group_1(second.recovered()) == 2);
  // No sync makes durable what a failed one was to: only what this life has written itself counts.
  MemoryDisk left = durable;
  for (const IoOp& op : second.written) left.execute(op);
  Life third(left);
  CHECK(entries_of_group_1(third.recovered()) == 2);
}

TEST_CASE(
    "only the first start of a node may found a directory: who comes back with an empty one has lost a disk "
    "(known bug 28)") {
  MemoryDisk disk;
  StreamConfig config = test_config();
  config.may_found = false;
  Life life(disk, UINT64_MAX, 0, config);
  life.run();
  CHECK_THAT(life.stream.failure(), StartsWith("hard-state at byte 0: there is none"));
  CHECK_THAT(life.stream.failure(), Contains("coffer join --replace"));
  CHECK(words(life.emitted) == Words{"read hard-state", "list"});

  Life founder(disk);
  founder.recovered();
  Life later(disk, UINT64_MAX, 0, config);
  later.recovered();
}

TEST_CASE("a founding that a crash interrupted after its first word is ended by any start") {
  MemoryDisk disk;
  Life founder(disk, 7);  // the hard state's first sequence is written, nothing of the stream
  founder.run();
  StreamConfig config = test_config();
  config.may_found = false;
  Life life(disk, UINT64_MAX, 0, config);
  CHECK(life.recovered() == Model{});
  CHECK(disk.exists("stream-000001"));
}

TEST_CASE(
    "a flush writes the hard state copy by copy, then one frame, and completes with the last sync (known bug 13)") {
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
    "content, size and name of the next segment are durable before it is used, once this one is more than half full") {
  MemoryDisk disk;
  Life life(disk);
  life.recovered();
  CHECK(flush_of(life, 1, 100) == Words{"write stream-000001 @4096", "sync stream-000001"});
  CHECK(flush_of(life, 2, 100) == Words{"write stream-000001 @8192", "sync stream-000001"} + segment_2_reserved);
  CHECK(flush_of(life, 3, 100) == Words{"write stream-000001 @12288", "sync stream-000001"});
  CHECK(flush_of(life, 4, 100) == Words{"write stream-000002", "write stream-000002 @4096", "sync stream-000002"});
  CHECK(Life(disk).recovered().logs.at(1).size() == 4);
}

TEST_CASE("reservations and removals go through the background lane, everything that answers wait for does not") {
  MemoryDisk disk;
  Life life(disk);
  life.recovered();
  std::vector<IoOp> ops;
  life.stream.append(ShardId(1), std::vector{entry(1, 1, payload(1, 5000))});
  life.stream.set_hard_state(ShardId(1), {Term(1), nobody});
  life.stream.flush(ops);
  for (const IoOp& op : ops) {
    CHECK((op.lane == IoLane::background) == (op.kind == IoKind::reserve));
  }
  REQUIRE(ops.back().kind == IoKind::reserve);
  std::vector<IoOp> more;
  life.stream.on_io(ops.back().token, IoStatus::ok, {}, more, life.trace);
  REQUIRE(more.size() == 2);
  for (const IoOp& op : more) CHECK(op.lane == IoLane::background);
}

TEST_CASE("a frame larger than a segment waits until the next one is reserved in its size") {
  MemoryDisk disk;
  Life life(disk);
  life.recovered();
  flush_of(life, 1, 100);
  life.stream.append(ShardId(1), std::vector{entry(2, 1, payload(2, 3 * test_segment_size))});
  CHECK(life.stream.has_pending());
  CHECK_FALSE(life.stream.idle());
  std::vector<IoOp> ops;
  CHECK_THROWS_AS(life.stream.flush(ops), CheckFailure);
  const std::size_t before = life.emitted.size();
  REQUIRE(life.flush_and_run());
  CHECK(words({life.emitted.begin() + static_cast<std::ptrdiff_t>(before), life.emitted.end()}) ==
        Words{"reserve stream-000002 @57344", "sync stream-000002", "sync_dir",          //
              "write stream-000002", "write stream-000002 @4096", "sync stream-000002",  //
              "reserve stream-000003 @16384", "sync stream-000003", "sync_dir"});
  CHECK(flush_of(life, 3, 100) == Words{"write stream-000003", "write stream-000003 @4096", "sync stream-000003"});
  CHECK(disk.contents("stream-000002").size() == 57344);
  CHECK(Life(disk).recovered().logs.at(1).size() == 3);
}

TEST_CASE("a flush waits while the reservation of its segment is under way") {
  MemoryDisk disk;
  Life life(disk);
  life.recovered();
  flush_of(life, 1, 100);
  life.hold_reservations(true);
  flush_of(life, 2, 100);
  flush_of(life, 3, 100);
  life.stream.append(ShardId(1), std::vector{entry(4, 1, payload(4, 100))});
  CHECK_FALSE(life.flush_and_run());
  CHECK_FALSE(life.stream.idle());
  CHECK_FALSE(life.stream.full());
  life.hold_reservations(false);
  life.run();
  CHECK(life.stream.idle());
  REQUIRE(life.flush_and_run());
  CHECK(Life(disk).recovered().logs.at(1).size() == 4);
}

TEST_CASE("a full disk makes the log full, not failed: tried again after a pause, until there is space") {
  MemoryDisk disk;
  Life life(disk);
  life.recovered();
  life.answer_next(IoKind::reserve, IoStatus::no_space);
  flush_of(life, 1, 5000);
  CHECK(life.stream.full());
  CHECK(life.saw(TraceKind::space_refused));
  CHECK_FALSE(life.stream.failed());
  CHECK(flush_of(life, 2, 100) == Words{"write stream-000001 @12288", "sync stream-000001"});  // room is left

  life.stream.append(ShardId(1), std::vector{entry(3, 1, payload(3, 100))});
  CHECK_FALSE(life.stream.idle());  // no more
  life.maintain();
  const Instant again_at = life.stream.wake_at();
  CHECK((life.now < again_at && again_at <= life.now + seconds(1)));
  life.now = again_at - nanoseconds(1);
  const std::size_t before = life.emitted.size();
  life.maintain();
  CHECK(life.emitted.size() == before);
  life.now = again_at;
  life.answer_next(IoKind::reserve, IoStatus::no_space);
  life.maintain();
  CHECK(life.emitted.size() == before + 1);
  CHECK(life.stream.full());
  CHECK_FALSE(life.saw(TraceKind::space_regained));

  life.rest();
  CHECK(life.saw(TraceKind::space_regained));
  CHECK_FALSE(life.stream.full());
  REQUIRE(life.flush_and_run());
  CHECK(std::count_if(life.trace.begin(), life.trace.end(),
                      [](const TraceEvent& event) { return event.kind == TraceKind::space_refused; }) == 1);
  CHECK(Life(disk).recovered().logs.at(1).size() == 3);
}

TEST_CASE("on a full disk votes and truncations still become durable") {
  MemoryDisk disk;
  Life life(disk);
  life.recovered();
  life.answer_next(IoKind::reserve, IoStatus::no_space);
  flush_of(life, 1, 5000);
  REQUIRE(life.stream.full());
  life.stream.truncate(ShardId(1), Index(1));
  life.stream.set_hard_state(ShardId(1), {Term(2), NodeId(3)});
  REQUIRE(life.flush_and_run());
  const Model found = Life(disk).recovered();
  CHECK_FALSE(found.logs.contains(1));
  CHECK(found.hard_states.at(1) == std::pair{std::uint64_t{2}, 3u});
}

TEST_CASE("a first start without space for hard state or first segment waits, and founds once there is space") {
  MemoryDisk disk;
  Life life(disk);
  const bool for_hard_state = GENERATE(true, false);
  if (!for_hard_state) life.answer_next(IoKind::reserve, IoStatus::ok);
  life.answer_next(IoKind::reserve, IoStatus::no_space);
  life.run();
  CHECK_FALSE(life.stream.recovered());
  CHECK_FALSE(life.stream.failed());
  CHECK(life.stream.full());
  CHECK(life.saw(TraceKind::space_refused));
  life.rest();
  CHECK(life.recovered() == Model{});
  CHECK_FALSE(life.stream.full());
  CHECK(life.saw(TraceKind::space_regained));
  life.stream.append(ShardId(1), std::vector{entry(1, 1, payload(1, 100))});
  REQUIRE(life.flush_and_run());
  Life second(disk);
  CHECK(second.recovered().logs.at(1).size() == 1);
}

TEST_CASE("a hard state that a crash left too short waits for its space: a copy is never refused while it is written") {
  MemoryDisk disk = rested_disk(2);
  Bytes first_copy = disk.contents(hard_state_file);
  first_copy.resize(block_size);
  disk.overwrite(hard_state_file, first_copy);
  Life life(disk);
  life.answer_next(IoKind::reserve, IoStatus::no_space);
  life.run();
  CHECK_FALSE(life.stream.failed());
  CHECK(life.stream.full());
  CHECK(life.written.empty());
  life.rest();
  CHECK(entries_of_group_1(life.recovered()) == 2);
  CHECK(disk.contents(hard_state_file).size() == 2 * block_size);
}

TEST_CASE("every start has a higher number than all before it, though no frame of theirs became durable") {
  MemoryDisk disk;
  Prng random(1);
  for (std::uint64_t life = 1; life <= 4; ++life) {
    Life started(disk);
    started.recovered();
    CHECK(started.stream.life() == life);
    CHECK(started.stream.opened_at() == 0);
    std::vector<IoOp> lost;
    REQUIRE(started.stream.begin_life(lost));
    disk.power_cut(PowerCut::loses_all, random);
  }
}

TEST_CASE("a quiet stream writes one empty frame whose mark covers the last one, and no mark for the mark") {
  MemoryDisk disk;
  Life life(disk);
  life.recovered();
  life.maintain();
  CHECK(life.stream.wake_at() == never);  // nothing to cover
  flush_of(life, 1, 100);
  const std::uint64_t completed = life.stream.completed();
  const std::size_t before = life.emitted.size();
  life.maintain();
  CHECK(life.emitted.size() == before);  // a flush that comes at once need not wait for a mark
  CHECK(life.stream.wake_at() > life.now);
  life.now = life.stream.wake_at();
  life.maintain();
  CHECK(words({life.emitted.begin() + static_cast<std::ptrdiff_t>(before), life.emitted.end()}) ==
        Words{"write stream-000001 @8192", "sync stream-000001"} + segment_2_reserved);
  CHECK(life.stream.completed() == completed);
  CHECK(life.stream.durable_frame() == 2);
  const std::size_t after = life.emitted.size();
  for (int i = 0; i < 5; ++i) {
    life.now = life.now + seconds(1);
    life.maintain();
    CHECK(life.stream.wake_at() == never);
  }
  CHECK(life.emitted.size() == after);
}

TEST_CASE("a mark under way is no flush: the next flush gets the next number and completes on its own") {
  MemoryDisk disk;
  Life life(disk);
  life.recovered();
  flush_of(life, 1, 100);
  life.maintain();
  life.now = life.stream.wake_at();
  std::vector<IoOp> mark;
  life.stream.maintain(life.now, mark);
  REQUIRE(words(mark) == Words{"write stream-000001 @8192", "sync stream-000001", "reserve stream-000002 @16384"});
  CHECK_FALSE(life.stream.idle());
  life.stream.append(ShardId(1), std::vector{entry(2, 1, payload(2, 100))});
  for (std::size_t i = 0; i < 2; ++i) life.stream.on_io(mark[i].token, IoStatus::ok, {}, mark, life.trace);
  CHECK(life.stream.completed() == 1);
  CHECK(life.stream.idle());
  CHECK(life.stream.flush(mark).number == 2);
}

TEST_CASE(
    "a hard state written behind a frame tells its loss but makes no end trustworthy, for a frame may have followed") {
  MemoryDisk disk;
  Life life(disk);
  life.recovered();
  flush_of(life, 1, 100);
  life.stream.set_hard_state(ShardId(1), {Term(1), nobody});
  REQUIRE(life.flush_and_run());
  MemoryDisk damaged = disk;
  damaged.flip_bit("stream-000001", 4096 + 80, 0);
  Life second(damaged);
  second.recovered();
  CHECK(second.saw(TraceKind::quarantined));
  Life third(disk);
  third.recovered();
  CHECK(third.saw(TraceKind::tail_uncertain));
}

/// A flush of hard state and records on a log whose next segment is still to be reserved.
std::vector<IoOp> flush_of_everything(Life& life) {
  life.stream.append(ShardId(1), std::vector{entry(1, 1, payload(1, 5000))});
  life.stream.set_hard_state(ShardId(1), {Term(1), NodeId(2)});
  std::vector<IoOp> ops;
  life.stream.flush(ops);
  return ops;
}

TEST_CASE(
    "a failed write or sync poisons the log for good: nothing completes after it, though later syncs succeed "
    "(known bugs 13, 14)") {
  constexpr std::size_t operations = 9;  // two copies with their syncs, frame, sync, reservation, its two syncs
  for (std::size_t bad = 0; bad < operations; ++bad) {
    for (const IoStatus status : {IoStatus::failed, IoStatus::no_space, IoStatus::not_found}) {
      CAPTURE(bad, static_cast<int>(status));
      MemoryDisk disk;
      Life life(disk);
      life.recovered();
      std::vector<IoOp> ops = flush_of_everything(life);
      if (ops[6].kind == IoKind::reserve && bad == 6 && status == IoStatus::no_space) continue;  // no failure
      for (std::size_t i = 0; i < ops.size(); ++i) {
        CHECK((life.stream.completed() == 1) == (i >= 6 && (bad >= 6 || bad > i)));
        std::vector<IoOp> more;
        life.stream.on_io(ops[i].token, i == bad ? status : IoStatus::ok, {}, more, life.trace);
        CHECK((more.empty() || (i == 6 && bad > 6)));
        ops.insert(ops.end(), more.begin(), more.end());
      }
      CHECK(life.stream.failed());
      CHECK(life.stream.completed() == (bad < 6 ? 0 : 1));
      CHECK(life.stream.durable_frame() == (bad < 6 ? 0 : 1));
      CHECK(life.saw(TraceKind::synced) == (bad >= 6));
      CHECK(std::count_if(life.trace.begin(), life.trace.end(),
                          [](const TraceEvent& event) { return event.kind == TraceKind::failed; }) == 1);
      CHECK_FALSE(life.stream.failure().empty());
      CHECK_FALSE(life.stream.idle());
      std::vector<IoOp> none;
      CHECK_THROWS_AS(life.stream.flush(none), CheckFailure);
      life.stream.maintain(life.now + seconds(100), none);
      CHECK(none.empty());
      CHECK(life.stream.wake_at() == never);
    }
  }
}

TEST_CASE("a failure names the operation, the file and the place, and says what to do") {
  MemoryDisk disk;
  Life life(disk);
  life.recovered();
  flush_of(life, 1, 100);
  life.answer_next(IoKind::write, IoStatus::failed);
  life.stream.append(ShardId(1), std::vector{entry(2, 1, payload(1, 100))});
  CHECK_FALSE(life.flush_and_run());
  CHECK_THAT(life.stream.failure(), StartsWith("write of stream-000001 at byte 8192: the disk failed"));
  CHECK_THAT(life.stream.failure(), Contains("coffer join --replace"));
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
  first.rest();
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
