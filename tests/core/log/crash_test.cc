// Crashes at every operation, of founding, writing and recovery: what completed is there, in order, and nothing else.
#include <algorithm>
#include <memory>
#include <vector>

#include <catch2/catch.hpp>
#include <rapidcheck.h>

#include "core/log/frame_format.h"
#include "tests/core/log/life.h"

namespace coffer::log {
namespace {

constexpr PowerCut power_cuts[] = {PowerCut::loses_all, PowerCut::keeps_all, PowerCut::keeps_names_only,
                                   PowerCut::tears};

/// What may be on the disk after a crash: everything completed, and perhaps what was being flushed.
struct Expectation {
  Model completed;
  Model flushing;

  /// Within a flush the hard state is durable before the entries are written.
  bool allows(const Model& found) const {
    const bool later_logs = found.logs != completed.logs;
    const bool later_hard_states = found.hard_states != completed.hard_states;
    return (!later_logs || (found.logs == flushing.logs && found.hard_states == flushing.hard_states)) &&
           (!later_hard_states || found.hard_states == flushing.hard_states);
  }
};

/// Recovers, checks against `expected`, then flushes random batches until the life is over. False when it was over
/// before recovery had ended; `expected` is then unchanged.
bool live(Life& life, Prng& script, std::uint64_t batches, Expectation& expected) {
  life.run();
  if (life.stream.failed()) FAIL("recovery failed: " << life.stream.failure());
  if (!life.stream.recovered()) return false;
  const Model found = life.recovered();
  if (!expected.allows(found)) FAIL("recovered what never was");
  expected = {found, found};
  for (const auto& [group, state] : life.found.groups) life.stream.set_certain(group);  // as if its peers had said so
  for (std::uint64_t i = 0; i < batches; ++i) {
    random_batch(script, expected.flushing, &life.stream);
    if (!life.flush_and_run()) break;
    expected.completed = expected.flushing;
    if (script.chance(300) && !life.rest()) break;
  }
  return true;
}

/// One full life without a crash tells how many operations the script needs, and what it goes through.
struct FullLife {
  std::uint64_t operations = 0;
  std::uint64_t segments_begun = 0;
  std::uint64_t segments_removed = 0;
  std::uint64_t frames_without_a_flush = 0;  ///< marks
};
FullLife full_life(std::uint64_t seed, std::uint64_t batches) {
  MemoryDisk disk;
  Life life(disk, UINT64_MAX, seed);
  Prng script(seed);
  Expectation expected;
  live(life, script, batches, expected);
  FullLife result{.operations = life.executed()};
  for (const TraceEvent& event : life.trace) {
    result.segments_removed += event.kind == TraceKind::segment_removed ? 1 : 0;
    result.frames_without_a_flush += event.kind == TraceKind::synced ? 1 : 0;
  }
  result.frames_without_a_flush -= std::min(result.frames_without_a_flush, life.stream.completed());
  for (const IoOp& op : life.emitted) {
    result.segments_begun += op.kind == IoKind::write && op.file != "hard-state" && op.offset == 0 ? 1 : 0;
  }
  return result;
}

/// A restart without any crash: nothing torn, the same logs, a log that still works, and after a quiet while no doubt.
void check_settled(MemoryDisk& disk, Expectation& expected, std::uint64_t seed) {
  Life first(disk);
  Prng script(seed);
  REQUIRE(live(first, script, 2, expected));
  REQUIRE(first.rest());
  Life second(disk);
  REQUIRE(live(second, script, 0, expected));
  CHECK_FALSE(second.saw(TraceKind::tail_torn));
  CHECK_FALSE(second.saw(TraceKind::tail_uncertain));
  for (const auto& [group, state] : second.found.groups) CHECK_FALSE(state.uncertain);
}

TEST_CASE("a power cut at every operation leaves every completed flush and nothing that never was") {
  FullLife all;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    const FullLife full = full_life(seed, 8);
    all.segments_begun += full.segments_begun;
    all.segments_removed += full.segments_removed;
    all.frames_without_a_flush += full.frames_without_a_flush;
    for (std::uint64_t ops_max = 0; ops_max <= full.operations; ++ops_max) {
      for (const PowerCut kind : power_cuts) {
        CAPTURE(seed, ops_max, static_cast<int>(kind));
        MemoryDisk disk;
        Prng random(seed, ops_max, static_cast<std::uint64_t>(kind));
        Prng script(seed);
        Expectation expected;
        Life life(disk, ops_max, seed);
        live(life, script, 8, expected);
        disk.power_cut(kind, random);
        check_settled(disk, expected, seed + 100);
      }
    }
  }
  // Founding, flushes, new segments, marks, bases and removals: all of it was interrupted everywhere.
  CHECK(all.segments_begun > 100);
  CHECK(all.segments_removed > 20);
  CHECK(all.frames_without_a_flush > 50);
}

TEST_CASE("a second power cut at every operation of recovery loses nothing either") {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    const std::uint64_t operations = full_life(seed, 3).operations;
    for (std::uint64_t ops_max = 0; ops_max <= operations; ++ops_max) {
      for (std::uint64_t recovery_ops_max = 0;; ++recovery_ops_max) {
        CAPTURE(seed, ops_max, recovery_ops_max);
        MemoryDisk disk;
        Prng random(seed, ops_max, recovery_ops_max);
        Prng script(seed);
        Expectation expected;
        Life first(disk, ops_max, seed);
        live(first, script, 3, expected);
        // Every other time only the process dies: its unsynced writes are still readable when recovery begins.
        if (recovery_ops_max % 2 == 0) disk.power_cut(PowerCut::tears, random);
        Life second(disk, recovery_ops_max, seed);
        live(second, script, 0, expected);
        disk.power_cut(PowerCut::tears, random);
        check_settled(disk, expected, seed + 100);
        if (!second.over()) break;
      }
    }
  }
}

TEST_CASE("property: any sequence of lives and crashes keeps what completed") {
  REQUIRE(rc::check("any sequence of lives and crashes keeps what completed", [](std::uint64_t seed) {
    Prng random(seed, 1);
    Prng script(seed, 2);
    MemoryDisk disk;
    Expectation expected;
    for (int lives = 0; lives < 12; ++lives) {
      const std::uint64_t ops_max = random.chance(300) ? random.below(12) : random.below(90);
      Life life(disk, ops_max, random.next());
      live(life, script, 1000, expected);
      if (random.chance(700)) disk.power_cut(power_cuts[random.below(4)], random);
    }
    check_settled(disk, expected, seed);
  }));
}

TEST_CASE("the process dies without the machine: everything written is found, and durable once recovered") {
  MemoryDisk disk;
  Life first(disk);
  first.recovered();
  const Bytes bytes = payload(1, 100);
  first.stream.append(ShardId(1), std::vector{entry(1, 1, bytes)});
  std::vector<IoOp> flush;
  first.stream.flush(flush);
  REQUIRE(flush[0].kind == IoKind::write);
  disk.execute(flush[0]);  // and dies before the sync

  Life second(disk);
  const Model found = second.recovered();
  CHECK(found.logs.at(1).entries == std::vector{ModelEntry{1, bytes}});
  Prng random(1);
  disk.power_cut(PowerCut::loses_all, random);
  Life third(disk);
  CHECK(third.recovered() == found);
}

TEST_CASE("what an earlier life reserved and did not sync is durable before it is used") {
  MemoryDisk before;
  Life first(before);
  first.recovered();
  for (std::uint64_t index = 1; index <= 2; ++index) {
    first.stream.append(ShardId(1), std::vector{entry(index, 1, payload(index, 100))});
    if (index == 1) REQUIRE(first.flush_and_run());
  }
  std::vector<IoOp> ops;
  first.stream.flush(ops);
  REQUIRE(ops.back().kind == IoKind::reserve);
  for (const IoOp& op : ops) before.execute(op);  // and the process dies
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    MemoryDisk disk = before;
    Prng random(seed);
    // Recovery, one flush into the first segment, and a frame in the second that misses its sync.
    Life second(disk, 21);
    second.recovered();
    second.stream.append(ShardId(1), std::vector{entry(3, 1, payload(3, 100))});
    second.flush_and_run();
    second.stream.append(ShardId(1), std::vector{entry(4, 1, payload(4, 100))});
    REQUIRE_FALSE(second.flush_and_run());
    disk.power_cut(PowerCut::tears, random);
    Life third(disk);
    CHECK(third.recovered().logs.at(1).size() >= 2);
    CHECK_FALSE(third.saw(TraceKind::quarantined));
  }
}

TEST_CASE("a torn frame is cut and told; the end of a stream that is only reserved is not torn") {
  MemoryDisk disk;
  Life first(disk);
  first.recovered();
  first.stream.append(ShardId(1), std::vector{entry(1, 1, payload(1, 100))});
  REQUIRE(first.flush_and_run());
  first.stream.append(ShardId(1), std::vector{entry(2, 1, payload(2, 5000))});
  std::vector<IoOp> flush;
  first.stream.flush(flush);
  Bytes torn = *flush[0].bytes;
  std::fill(torn.begin() + 4096, torn.end(), std::byte{0});
  flush[0].bytes = std::make_shared<const Bytes>(torn);
  disk.execute(flush[0]);

  Life second(disk);
  CHECK(second.recovered().logs.at(1).size() == 1);
  CHECK(second.trace_a(TraceKind::tail_torn) == 2);
  Life third(disk);
  CHECK(third.recovered().logs.at(1).size() == 1);
  CHECK_FALSE(third.saw(TraceKind::tail_torn));
}

TEST_CASE("what a torn start of a segment left is cut durably, and the stream goes on in the segment before") {
  MemoryDisk disk;
  Life first(disk);
  first.recovered();
  first.stream.append(ShardId(1), std::vector{entry(1, 1, payload(1, 100))});
  REQUIRE(first.flush_and_run());
  first.stream.append(ShardId(1), std::vector{entry(2, 1, payload(2, test_segment_size))});
  first.maintain();  // reserves a segment of its size
  std::vector<IoOp> flush;
  first.stream.flush(flush);
  REQUIRE(flush[1].file == "stream-000002");
  Bytes torn = *flush[1].bytes;
  std::fill_n(torn.begin() + 4096, 512, std::byte{0});
  flush[1].bytes = std::make_shared<const Bytes>(torn);
  disk.execute(flush[1]);  // the frame but for a sector, and not the segment's header

  Life second(disk);
  CHECK(second.recovered().logs.at(1).size() == 1);
  CHECK(second.trace_a(TraceKind::tail_torn) == 2);
  Prng random(1);
  disk.power_cut(PowerCut::loses_all, random);
  CHECK(is_blank(disk.contents("stream-000002")));
  Life third(disk);
  third.recovered();
  CHECK_FALSE(third.saw(TraceKind::tail_torn));
  third.stream.append(ShardId(1), std::vector{entry(2, 1, payload(3, 100))});
  REQUIRE(third.flush_and_run());
  CHECK(third.emitted.back().file == "stream-000001");
}

TEST_CASE("a first frame that reached the disk without its segment's header counts, and gets its header") {
  MemoryDisk disk;
  Life first(disk);
  first.recovered();
  first.stream.append(ShardId(1), std::vector{entry(1, 1, payload(1, 100))});
  REQUIRE(first.flush_and_run());
  first.stream.append(ShardId(1), std::vector{entry(2, 1, payload(2, test_segment_size))});
  first.maintain();
  std::vector<IoOp> flush;
  first.stream.flush(flush);
  disk.execute(flush[1]);
  Life second(disk);
  CHECK(second.recovered().logs.at(1).size() == 2);
  CHECK(second.saw(TraceKind::tail_uncertain));
  Prng random(1);
  disk.power_cut(PowerCut::loses_all, random);
  Life third(disk);
  CHECK(third.recovered().logs.at(1).size() == 2);
}

TEST_CASE("a frame that lay behind a torn one never comes back when the torn one is written again byte by byte") {
  // No life of this log writes frame 3 before frame 2 is durable, as a log that pipelines would. Its frame 3, of the
  // same bytes but with mark 1, continues the very frame 2 that is written again after the cut.
  MemoryDisk disk;
  Life first(disk);
  first.recovered();
  for (std::uint64_t index = 1; index <= 3; ++index) {
    first.stream.append(ShardId(1), std::vector{entry(index, 1, payload(index, 100))});
    REQUIRE(first.flush_and_run());
  }
  Bytes contents = disk.contents("stream-000001");
  const auto frame_3_at = contents.begin() + 3 * block_size;
  const auto header_3 = read_frame_header(ByteView(contents).subspan(3 * block_size));
  REQUIRE(header_3.has_value());
  Bytes frame_3(frame_3_at, frame_3_at + static_cast<std::ptrdiff_t>(stream_frame_header_size + header_3->length));
  seal_stream_frame(frame_3, header_3->place, 1);
  std::copy(frame_3.begin(), frame_3.end(), frame_3_at);
  contents[2 * block_size + 100] ^= std::byte{1};  // tears frame 2
  disk.overwrite("stream-000001", contents);

  Life second(disk);
  CHECK(second.recovered().logs.at(1).size() == 1);
  CHECK(second.trace_a(TraceKind::tail_torn) == 2);
  second.stream.append(ShardId(1), std::vector{entry(2, 1, payload(2, 100))});
  REQUIRE(second.flush_and_run());
  Life third(disk);
  CHECK(third.recovered().logs.at(1).size() == 2);
}

}  // namespace
}  // namespace coffer::log
