// When a log may have lost what it acknowledged: which ends are trusted, and that a doubt, once there, stays until the
// log's owner takes it away.
#include <algorithm>
#include <memory>
#include <vector>

#include <catch2/catch.hpp>

#include "core/log/frame_format.h"
#include "tests/core/log/small_disk.h"

namespace coffer::log {
namespace {

constexpr PowerCut power_cuts[] = {PowerCut::loses_all, PowerCut::keeps_all, PowerCut::keeps_names_only,
                                   PowerCut::tears};

LogPlace place(std::uint64_t index, std::uint64_t term) { return {Index(index), Term(term)}; }

RecoveredGroup recovered_group(MemoryDisk& disk, std::uint32_t group = 1) {
  Life life(disk);
  life.recovered();
  return life.found.groups.at(ShardId(group));
}

/// Entry `index`, acknowledged, then destroyed: its frame reads as torn.
void acknowledge_and_tear(MemoryDisk& disk, std::uint64_t index, std::uint64_t term) {
  Life life(disk);
  life.recovered();
  life.stream.append(ShardId(1), std::vector{entry(index, term, payload(index, 200))});
  REQUIRE(life.flush_and_run());
  const auto written = std::find_if(life.emitted.rbegin(), life.emitted.rend(),
                                    [](const IoOp& op) { return op.kind == IoKind::write && op.offset > 0; });
  disk.flip_bit(written->file, written->offset + 100, 2);
}

TEST_CASE("a quiet log's blank end is trusted: a full restart needs nobody's word (known bug 34)") {
  MemoryDisk disk = rested_disk(3);
  Life life(disk);
  CHECK(entries_of(life.recovered()) == 3);
  CHECK_FALSE(life.found.groups.at(ShardId(1)).uncertain);
  CHECK_FALSE(life.saw(TraceKind::tail_uncertain));
  CHECK(life.stream.opened_at() == 4);
  CHECK(life.found.groups.at(ShardId(1)).evidence == place(3, 1));
}

TEST_CASE("a directory just founded has nothing to doubt, nor has one that only voted") {
  MemoryDisk disk;
  Life first(disk);
  first.recovered();
  first.stream.set_hard_state(ShardId(1), {Term(1), NodeId(1)});
  REQUIRE(first.flush_and_run());
  CHECK_FALSE(recovered_group(disk).uncertain);
}

TEST_CASE("an end that no mark covers leaves every group in doubt, blank or torn (design, section 6)") {
  MemoryDisk disk;
  Life first(disk);
  first.recovered();
  first.stream.set_hard_state(ShardId(2), {Term(7), NodeId(1)});
  first.stream.append(ShardId(1), std::vector{entry(1, 5, payload(1, 10))});
  REQUIRE(first.flush_and_run());
  Life life(disk);
  life.recovered();
  CHECK(life.trace_a(TraceKind::tail_uncertain) == 2);
  CHECK_FALSE(life.saw(TraceKind::tail_torn));
  CHECK(life.found.groups.at(ShardId(1)).uncertain);
  CHECK(life.found.groups.at(ShardId(1)).evidence == place(1, 5));
  CHECK(life.found.groups.at(ShardId(2)).uncertain);
  CHECK(life.found.groups.at(ShardId(2)).evidence == place(0, 0));
}

TEST_CASE("a doubt outlives restarts, marks and new entries, until it is taken away for good") {
  MemoryDisk disk = small_disk(2);
  CHECK(recovered_group(disk).uncertain);
  {
    Life life(disk);
    life.recovered();
    life.stream.append(ShardId(1), std::vector{entry(3, 1, payload(3, 10))});
    REQUIRE(life.flush_and_run());
    life.rest();
  }
  Life life(disk);
  life.recovered();
  CHECK_FALSE(life.saw(TraceKind::tail_uncertain));  // this end is sound
  CHECK(life.found.groups.at(ShardId(1)).uncertain);
  CHECK(life.found.groups.at(ShardId(1)).evidence == place(3, 1));

  life.stream.set_certain(ShardId(1));
  CHECK(life.stream.has_pending());
  CHECK(recovered_group(disk).uncertain);  // not before the flush
  REQUIRE(life.flush_and_run());
  CHECK_FALSE(recovered_group(disk).uncertain);
  life.stream.set_certain(ShardId(1));
  CHECK_FALSE(life.stream.has_pending());
}

TEST_CASE("what was once seen on a disk stays evidence, even when a leader has replaced it") {
  MemoryDisk disk = small_disk(5);
  Life first(disk);
  first.recovered();
  first.stream.truncate(ShardId(1), Index(3));
  REQUIRE(first.flush_and_run());
  first.rest();
  Life second(disk);
  CHECK(entries_of(second.recovered()) == 2);
  CHECK(second.found.groups.at(ShardId(1)).uncertain);
  CHECK(second.found.groups.at(ShardId(1)).evidence == place(5, 1));
}

TEST_CASE("the doubt is durable before the torn frame is cut, whenever the machine stops") {
  MemoryDisk torn = rested_disk(2);
  acknowledge_and_tear(torn, 3, 1);  // behind a mark: once cut, the end would look trustworthy
  bool cut_seen = false;
  for (std::uint64_t ops_max = 0; ops_max <= 20; ++ops_max) {
    for (const PowerCut kind : power_cuts) {
      CAPTURE(ops_max, static_cast<int>(kind));
      MemoryDisk disk = torn;
      Prng random(ops_max, static_cast<std::uint64_t>(kind));
      Life(disk, ops_max).run();
      disk.power_cut(kind, random);
      Life life(disk);
      CHECK(entries_of(life.recovered()) == 2);
      CHECK(life.found.groups.at(ShardId(1)).uncertain);
      cut_seen = cut_seen || !life.saw(TraceKind::tail_torn);
    }
  }
  CHECK(cut_seen);
}

TEST_CASE("a power cut at every operation of a mark leaves the entries, and doubt only where the mark is not whole") {
  const MemoryDisk before = rested_disk(1);
  for (std::uint64_t ops_max = 0; ops_max <= 14; ++ops_max) {
    for (const PowerCut kind : power_cuts) {
      CAPTURE(ops_max, static_cast<int>(kind));
      MemoryDisk disk = before;
      Prng random(ops_max, static_cast<std::uint64_t>(kind));
      Life life(disk, ops_max);
      bool flushed = false;
      bool marked = false;
      if (life.run() && life.stream.recovered()) {
        life.stream.append(ShardId(1), std::vector{entry(2, 1, payload(2, 200))});
        flushed = life.flush_and_run();
        marked = flushed && life.rest() && life.stream.durable_frame() == 4;
      }
      disk.power_cut(kind, random);
      Life again(disk);
      const std::size_t entries = entries_of(again.recovered());
      CHECK((entries == 2 || (entries == 1 && !flushed)));
      if (marked) CHECK_FALSE(again.found.groups.at(ShardId(1)).uncertain);
      if (entries == 2 && again.stream.opened_at() == 3) CHECK(again.found.groups.at(ShardId(1)).uncertain);
    }
  }
}

TEST_CASE("three replicas with torn tails come back, each knowing what it may have lost (known bug 29)") {
  for (std::uint64_t replica = 1; replica <= 3; ++replica) {
    MemoryDisk disk;
    Prng random(replica);
    Life life(disk);
    life.recovered();
    life.stream.set_hard_state(ShardId(1), {Term(1), NodeId(1)});
    life.stream.append(ShardId(1), std::vector{entry(1, 1, payload(1, 300))});
    REQUIRE(life.flush_and_run());
    life.stream.append(ShardId(1), std::vector{entry(2, 1, payload(2, 7000))});
    std::vector<IoOp> flush;
    life.stream.flush(flush);
    Bytes torn = *flush[0].bytes;
    const std::ptrdiff_t lost_from[] = {0, 4096, 0};  // all of it, its end, its beginning
    const std::ptrdiff_t lost_to[] = {8192, 8192, 512};
    std::fill(torn.begin() + lost_from[replica - 1], torn.begin() + lost_to[replica - 1], std::byte{0});
    flush[0].bytes = std::make_shared<const Bytes>(torn);
    disk.execute(flush[0]);
    Life again(disk);
    CHECK(entries_of(again.recovered()) == 1);
    CHECK(again.found.groups.at(ShardId(1)).uncertain);
    CHECK(again.found.groups.at(ShardId(1)).evidence == place(1, 1));
    again.stream.append(ShardId(1), std::vector{entry(2, 2, payload(3, 10))});  // appends are taken meanwhile
    CHECK(again.flush_and_run());
  }
}

TEST_CASE("frame numbers say how far a disk has come, over restarts") {
  MemoryDisk disk;
  std::uint64_t last = 0;
  for (std::uint64_t index = 1; index <= 6; ++index) {
    Life life(disk);
    life.recovered();
    CHECK(life.stream.opened_at() == last);
    CHECK(life.stream.durable_frame() == last);
    life.stream.append(ShardId(1), std::vector{entry(index, 1, payload(index, 10))});
    REQUIRE(life.flush_and_run());
    life.rest();
    last = life.stream.durable_frame();
    CHECK(last == 2 * index);
    CHECK(life.stream.opened_at() == 2 * (index - 1));
  }
}

}  // namespace
}  // namespace coffer::log
