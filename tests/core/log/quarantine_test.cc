// Damage in the middle of the stream: what was before it lives on in a new segment, what is behind it is set aside for
// the operator, and a crash at any operation of this changes nothing about either.
#include <algorithm>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "core/log/frame_format.h"
#include "core/log/hard_state.h"
#include "tests/core/log/small_disk.h"

namespace coffer::log {
namespace {

using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

constexpr PowerCut power_cuts[] = {PowerCut::loses_all, PowerCut::keeps_all, PowerCut::keeps_names_only,
                                   PowerCut::tears};

LogPlace place(std::uint64_t index, std::uint64_t term) { return {Index(index), Term(term)}; }

/// Frame 5 of 8, in the middle of segment 2 of 3.
MemoryDisk damaged_disk() {
  MemoryDisk disk = small_disk(8);
  disk.flip_bit("stream-000002", 8192 + 100, 0);
  return disk;
}

std::vector<std::string> names(MemoryDisk& disk) {
  const IoOp list{.kind = IoKind::list, .token = {}, .file = {}};
  return names_listed(view(disk.execute(list).bytes));
}

TEST_CASE("from the damage on segments are set aside, and the stream goes on in a new one under new frame numbers") {
  MemoryDisk disk = damaged_disk();
  const Bytes damaged_2 = disk.contents("stream-000002");
  const Bytes damaged_3 = disk.contents("stream-000003");
  Life life(disk);
  CHECK(entries_of(life.recovered()) == 4);
  CHECK(life.stream.opened_at() > 8);  // numbers that peers may remember are not used again
  CHECK(names(disk) ==
        std::vector<std::string>{"damaged-stream-000002", "damaged-stream-000003", "hard-state", "stream-000004"});
  CHECK(disk.contents("damaged-stream-000002") == damaged_2);
  CHECK(disk.contents("damaged-stream-000003") == damaged_3);

  for (std::uint64_t index = 5; index <= 9; ++index) {
    life.stream.append(ShardId(1), std::vector{entry(index, 2, payload(index, 200))});
    REQUIRE(life.flush_and_run());
  }
  life.rest();
  Life again(disk);
  const Model found = again.recovered();
  REQUIRE(entries_of(found) == 9);
  CHECK(found.logs.at(1).entries[3].payload == payload(4, 200));
  CHECK_FALSE(again.saw(TraceKind::quarantined));
  CHECK(again.found.groups.at(ShardId(1)).uncertain);
  CHECK(again.found.groups.at(ShardId(1)).evidence == place(9, 2));
}

TEST_CASE("the evidence of what lies behind the damage outlives the segments that show it") {
  MemoryDisk disk = damaged_disk();
  Life(disk).recovered();
  Life again(disk);
  again.recovered();
  CHECK(again.found.groups.at(ShardId(1)).uncertain);
  CHECK(again.found.groups.at(ShardId(1)).evidence == place(8, 1));
  CHECK(again.found.groups.at(ShardId(1)).log.size() == 4);
}

TEST_CASE("damage after damage: each time what is sound is kept") {
  MemoryDisk disk = damaged_disk();
  Life(disk).recovered();
  {
    Life life(disk);
    life.recovered();
    for (std::uint64_t index = 5; index <= 7; ++index) {
      life.stream.append(ShardId(1), std::vector{entry(index, 2, payload(index, 200))});
      REQUIRE(life.flush_and_run());
    }
    life.rest();
  }
  disk.flip_bit("stream-000004", 8192 + 80, 0);  // the frame with entry 5
  Life life(disk);
  CHECK(entries_of(life.recovered()) == 4);
  CHECK(life.saw(TraceKind::quarantined));
  CHECK(life.found.groups.at(ShardId(1)).evidence == place(7, 2));
  CHECK(disk.exists("damaged-stream-000002"));
  CHECK(disk.exists("damaged-stream-000004"));
}

TEST_CASE("a power cut at every operation of a quarantine: the same log, the same doubt, the same evidence") {
  const MemoryDisk damaged = damaged_disk();
  const Bytes damaged_2 = damaged.contents("stream-000002");
  std::uint64_t before_the_switch = 0;
  std::uint64_t after_it = 0;
  for (std::uint64_t ops_max = 0; ops_max <= 30; ++ops_max) {
    for (const PowerCut kind : power_cuts) {
      for (std::uint64_t second_max = 0; second_max <= 30; second_max += 3) {
        CAPTURE(ops_max, static_cast<int>(kind), second_max);
        MemoryDisk disk = damaged;
        Prng random(ops_max, static_cast<std::uint64_t>(kind), second_max);
        Life(disk, ops_max).run();
        disk.power_cut(kind, random);
        Life(disk, second_max).run();
        if (second_max % 2 == 0) disk.power_cut(kind, random);
        Life life(disk);
        CHECK(entries_of(life.recovered()) == 4);
        CHECK(life.found.groups.at(ShardId(1)).uncertain);
        CHECK(life.found.groups.at(ShardId(1)).evidence == place(8, 1));
        CHECK(life.found.groups.at(ShardId(1)).hard_state == HardState{Term(1), NodeId(2)});
        (life.saw(TraceKind::quarantined) ? before_the_switch : after_it) += 1;
        CHECK_FALSE(disk.exists("stream-000002"));
        CHECK_FALSE(disk.exists("stream-000001"));
        if (kind != PowerCut::tears) {
          REQUIRE(disk.exists("damaged-stream-000002"));
          CHECK(disk.contents("damaged-stream-000002") == damaged_2);
        }
        life.stream.append(ShardId(1), std::vector{entry(5, 2, payload(5, 200))});
        CHECK(life.flush_and_run());
      }
    }
  }
  CHECK(before_the_switch > 0);
  CHECK(after_it > 0);
}

TEST_CASE("damage is set aside into the segment that was reserved ahead: that takes no space") {
  MemoryDisk disk = damaged_disk();
  REQUIRE(disk.exists("stream-000004"));
  REQUIRE(is_blank(disk.contents("stream-000004")));
  Life life(disk);
  CHECK(entries_of(life.recovered()) == 4);
  CHECK_FALSE(is_blank(disk.contents("stream-000004")));
  CHECK_FALSE(disk.exists("stream-000005"));
}

/// A hard state without what a start that changes nothing else counts.
Bytes without_lives(Bytes file) {
  for (std::uint32_t copy = 0; copy < hard_state_copies; ++copy) {
    const auto end = file.begin() + static_cast<std::ptrdiff_t>(hard_state_offset(copy) + block_size);
    std::fill(end - 12, end, std::byte{0});  // lives and checksum
  }
  return file;
}

TEST_CASE("on a full disk recovery waits for the space it needs, changes nothing, and goes on by itself") {
  const MemoryDisk damaged = damaged_disk();
  MemoryDisk disk = damaged;
  Life life(disk);
  for (int i = 0; i < 3; ++i) life.answer_next(IoKind::reserve, IoStatus::no_space);
  life.run();
  CHECK_FALSE(life.stream.failed());
  CHECK_FALSE(life.stream.recovered());
  CHECK(life.stream.full());
  CHECK(life.saw(TraceKind::space_refused));
  CHECK(disk.contents("stream-000002") == damaged.contents("stream-000002"));
  CHECK(without_lives(disk.contents("hard-state")) == without_lives(damaged.contents("hard-state")));
  CHECK(life.stream.wake_at() == never);  // nothing is asked for before maintain() knows the time
  life.maintain();
  const Instant again_at = life.stream.wake_at();
  CHECK((life.now < again_at && again_at <= life.now + seconds(1)));
  const std::size_t before = life.emitted.size();
  life.maintain();
  CHECK(life.emitted.size() == before);  // not all the time
  life.now = again_at;
  life.maintain();
  CHECK(life.emitted.size() > before);
  CHECK_FALSE(life.stream.recovered());
  life.rest();
  CHECK(entries_of(life.recovered()) == 4);
  CHECK(life.found.groups.at(ShardId(1)).uncertain);
  CHECK_FALSE(life.stream.full());
  CHECK(life.saw(TraceKind::space_regained));
  life.stream.append(ShardId(1), std::vector{entry(5, 2, payload(5, 200))});
  CHECK(life.flush_and_run());
  Life again(disk);
  CHECK(entries_of(again.recovered()) == 5);
}

TEST_CASE("several groups and their bases are rewritten, whatever frame is damaged") {
  MemoryDisk disk;
  Life first(disk);
  first.recovered();
  Model model;
  std::vector<Model> after;  // each flush
  std::vector<IoOp> frames;
  Prng script(5);
  for (int i = 0; i < 12; ++i) {
    random_batch(script, model, &first.stream);
    const std::size_t before = first.emitted.size();
    REQUIRE(first.flush_and_run());
    for (std::size_t op = before; op < first.emitted.size(); ++op) {
      const IoOp& written = first.emitted[op];
      if (written.kind == IoKind::write && written.file != hard_state_file && written.offset > 0) {
        frames.push_back(written);
        after.push_back(model);
      }
    }
  }
  first.rest();
  for (std::size_t i = 1; i < frames.size(); ++i) {
    CAPTURE(i);
    MemoryDisk damaged = disk;
    if (!damaged.exists(frames[i].file)) continue;
    damaged.flip_bit(frames[i].file, frames[i].offset + 65, 1);
    Life life(damaged);
    life.run();
    if (life.stream.failed()) FAIL(life.stream.failure());
    Model found = life.recovered();
    CHECK(found.logs == after[i - 1].logs);
    CHECK(found.hard_states == model.hard_states);
    for (const auto& [group, log] : model.logs) {
      CHECK(life.found.groups.at(ShardId(group)).uncertain);
    }
    Life again(damaged);
    CHECK(again.recovered() == found);
  }
}

}  // namespace
}  // namespace coffer::log
