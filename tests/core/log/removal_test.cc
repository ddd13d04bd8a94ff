// Bases, and the segments that they make superfluous: what is needed stays, what is not goes, and a crash at any
// operation in between harms neither.
#include <algorithm>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <rapidcheck.h>

#include "core/base/check.h"
#include "core/log/frame_format.h"
#include "core/log/hard_state.h"
#include "tests/core/log/small_disk.h"

namespace coffer::log {
namespace {

using Catch::Matchers::Contains;

constexpr PowerCut power_cuts[] = {PowerCut::loses_all, PowerCut::keeps_all, PowerCut::keeps_names_only,
                                   PowerCut::tears};

LogPlace place(std::uint64_t index, std::uint64_t term) { return {Index(index), Term(term)}; }

void append_one(Life& life, std::uint32_t group, std::uint64_t index) {
  life.stream.append(ShardId(group), std::vector{entry(index, 1, payload(index, 200))});
  REQUIRE(life.flush_and_run());
}

std::uint64_t removed(const Life& life) {
  return static_cast<std::uint64_t>(std::count_if(life.trace.begin(), life.trace.end(), [](const TraceEvent& event) {
    return event.kind == TraceKind::segment_removed;
  }));
}

/// Ten entries of group 1 in segments 1 to 4, the base at `base`, and a quiet while.
void compact(Life& life, std::uint64_t base) {
  for (std::uint64_t index = 1; index <= 10; ++index) append_one(life, 1, index);
  life.stream.restore(ShardId(1), place(base, 1));
  REQUIRE(life.flush_and_run());
  life.rest();
}

TEST_CASE("segments in which every entry is at or before its group's base go, the others stay") {
  for (std::uint64_t base = 1; base <= 10; ++base) {
    CAPTURE(base);
    MemoryDisk disk;
    Life life(disk);
    life.recovered();
    compact(life, base);
    for (std::uint64_t segment = 1; segment <= 4; ++segment) {
      const std::uint64_t last_entry = 3 * segment;  // in this segment
      CHECK(disk.exists(segment_file(segment)) == (last_entry > base || segment == 4));
    }
    CHECK(removed(life) == base / 3);
    Life again(disk);
    const Model found = again.recovered();
    CHECK(found.logs.at(1).base == place(base, 1));
    CHECK(entries_of(found) == 10 - base);
    CHECK_FALSE(again.found.groups.at(ShardId(1)).uncertain);
  }
}

TEST_CASE("one group that still needs a segment keeps it, and all behind it") {
  MemoryDisk disk;
  Life life(disk);
  life.recovered();
  append_one(life, 2, 1);
  compact(life, 10);
  CHECK(disk.exists("stream-000001"));
  CHECK(removed(life) == 0);
  life.stream.restore(ShardId(2), place(1, 1));
  REQUIRE(life.flush_and_run());
  life.rest();
  CHECK_FALSE(disk.exists("stream-000001"));
  CHECK_FALSE(disk.exists("stream-000003"));
  Life again(disk);
  const Model found = again.recovered();
  CHECK(found.logs.at(2).base == place(1, 1));
  CHECK(found.logs.at(1).base == place(10, 1));
}

TEST_CASE("nothing is removed before the hard state that begins behind it is durable, nor before the base is") {
  MemoryDisk disk;
  Life life(disk);
  life.recovered();
  for (std::uint64_t index = 1; index <= 10; ++index) append_one(life, 1, index);
  life.stream.restore(ShardId(1), place(10, 1));
  life.rest();  // pending: says nothing yet
  CHECK(removed(life) == 0);
  REQUIRE(life.flush_and_run());
  CHECK(removed(life) == 0);
  std::vector<IoOp> ops;
  life.stream.maintain(life.now, ops);
  REQUIRE(ops.size() == 4);
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(ops[i].file == hard_state_file);
    std::vector<IoOp> more;
    life.stream.on_io(ops[i].token, IoStatus::ok, {}, more, life.trace);
    CHECK(more.empty() == (i < 3));
    for (const IoOp& op : more) {
      CHECK(op.kind == IoKind::remove);
      CHECK(op.lane == IoLane::background);
    }
  }
}

TEST_CASE("under constant load segments go too") {
  MemoryDisk disk;
  Life life(disk);
  life.recovered();
  for (std::uint64_t index = 1; index <= 40; ++index) {
    life.stream.append(ShardId(1), std::vector{entry(index, 1, payload(index, 200))});
    if (index > 2) life.stream.restore(ShardId(1), place(index - 2, 1));
    REQUIRE(life.flush_and_run());
  }
  CHECK(removed(life) >= 10);
  CHECK_FALSE(disk.exists("stream-000008"));
  CHECK(entries_of(Life(disk).recovered()) == 2);
}

TEST_CASE("a failed removal poisons, a file that is gone already does not, nor one that a full disk keeps") {
  for (const IoStatus status : {IoStatus::failed, IoStatus::not_found, IoStatus::no_space}) {
    MemoryDisk disk;
    Life life(disk);
    life.recovered();
    life.answer_next(IoKind::remove, status);
    compact(life, 10);
    CHECK(life.stream.failed() == (status == IoStatus::failed));
  }
}

TEST_CASE("a base that the log does not hold empties it, and new entries follow the base") {
  MemoryDisk disk;
  Life life(disk);
  life.recovered();
  for (std::uint64_t index = 1; index <= 4; ++index) append_one(life, 1, index);
  life.stream.restore(ShardId(1), place(4, 2));  // another term
  CHECK_THROWS_AS(life.stream.append(ShardId(1), std::vector{entry(4, 2, {})}), CheckFailure);
  CHECK_THROWS_AS(life.stream.truncate(ShardId(1), Index(4)), CheckFailure);
  append_one(life, 1, 5);
  life.stream.restore(ShardId(1), place(90, 7));  // beyond the end
  append_one(life, 1, 91);
  CHECK_THROWS_AS(life.stream.restore(ShardId(1), place(89, 7)), CheckFailure);
  const Model found = Life(disk).recovered();
  CHECK(found.logs.at(1).base == place(90, 7));
  CHECK(entries_of(found) == 1);
}

TEST_CASE("the same base again says nothing") {
  MemoryDisk disk;
  Life life(disk);
  life.recovered();
  compact(life, 5);
  life.stream.restore(ShardId(1), place(5, 1));
  CHECK_FALSE(life.stream.has_pending());
}

TEST_CASE("an installed snapshot's base and the entries behind it appear together or not at all (known bug 17)") {
  MemoryDisk before;
  {
    Life life(before);
    life.recovered();
    for (std::uint64_t index = 1; index <= 3; ++index) append_one(life, 1, index);
    life.rest();
  }
  bool seen_old = false;
  bool seen_new = false;
  for (std::uint64_t ops_max = 0; ops_max <= 22; ++ops_max) {
    for (const PowerCut kind : power_cuts) {
      CAPTURE(ops_max, static_cast<int>(kind));
      MemoryDisk disk = before;
      Prng random(ops_max, static_cast<std::uint64_t>(kind));
      Life life(disk, ops_max);
      bool installed = false;
      if (life.run() && life.stream.recovered()) {
        life.stream.set_hard_state(ShardId(1), {Term(8), nobody});
        life.stream.restore(ShardId(1), place(90, 7));
        life.stream.append(ShardId(1), std::vector{entry(91, 7, payload(91, 5000)), entry(92, 8, {})});
        installed = life.flush_and_run();
      }
      disk.power_cut(kind, random);
      Life again(disk);
      const Model found = again.recovered();
      const ModelLog& log = found.logs.at(1);
      const bool is_old = log.base == place(0, 0) && log.last() == 3;
      const bool is_new = log.base == place(90, 7) && log.last() == 92;
      CHECK((is_new || (is_old && !installed)));
      if (is_new) CHECK(found.hard_states.at(1).first == 8);
      seen_old = seen_old || is_old;
      seen_new = seen_new || is_new;
    }
  }
  CHECK(seen_old);
  CHECK(seen_new);
}

TEST_CASE("a power cut at every operation of a removal, twice: every entry behind the base stays (known bug 19)") {
  MemoryDisk before;
  {
    Life life(before);
    life.recovered();
    append_one(life, 2, 1);
    for (std::uint64_t index = 1; index <= 10; ++index) append_one(life, 1, index);
    life.stream.restore(ShardId(2), place(1, 1));
    REQUIRE(life.flush_and_run());
    life.rest();
  }
  std::uint64_t seen_removed = 0;
  for (std::uint64_t ops_max = 0; ops_max <= 30; ++ops_max) {
    for (const PowerCut kind : power_cuts) {
      for (std::uint64_t second_max = 0; second_max <= 24; second_max += 2) {
        CAPTURE(ops_max, static_cast<int>(kind), second_max);
        MemoryDisk disk = before;
        Prng random(ops_max, static_cast<std::uint64_t>(kind), second_max);
        Life life(disk, ops_max, ops_max);
        bool based = false;
        if (life.run() && life.stream.recovered()) {
          life.stream.restore(ShardId(1), place(8, 1));
          based = life.flush_and_run();
          life.rest();
        }
        disk.power_cut(kind, random);
        Life(disk, second_max, second_max).run();
        disk.power_cut(kind, random);
        Life again(disk);
        const Model found = again.recovered();
        CHECK((found.logs.at(1).base == place(8, 1) || (!based && found.logs.at(1).base == place(0, 0))));
        CHECK(found.logs.at(1).last() == 10);
        CHECK(found.logs.at(1).entries.back().payload == payload(10, 200));
        CHECK(found.logs.at(2).base == place(1, 1));
        CHECK_FALSE(again.saw(TraceKind::quarantined));
        seen_removed += disk.exists("stream-000001") ? 0 : 1;
      }
    }
  }
  CHECK(seen_removed > 0);
}

TEST_CASE("what a crash left of old segments is removed at the next start, whatever is in it") {
  MemoryDisk disk;
  {
    Life life(disk);
    life.recovered();
    compact(life, 10);
  }
  disk.overwrite("stream-000001", payload(1, 5000));
  disk.overwrite("stream-000002", small_disk(8).contents("stream-000002"));
  Life life(disk);
  life.recovered();
  CHECK_FALSE(disk.exists("stream-000001"));
  CHECK_FALSE(disk.exists("stream-000002"));
  CHECK_FALSE(life.found.groups.at(ShardId(1)).uncertain);
}

TEST_CASE("a log that begins behind a lost base is no log: damage with evidence, or refused (known bug 20)") {
  // Segments 1 to 3 are gone because a base in segment 4 said so; then that base's frame is damaged.
  MemoryDisk disk;
  std::uint64_t base_at = 0;
  {
    Life life(disk);
    life.recovered();
    for (std::uint64_t index = 1; index <= 10; ++index) append_one(life, 1, index);
    const std::size_t before = life.emitted.size();
    life.stream.restore(ShardId(1), place(9, 1));
    REQUIRE(life.flush_and_run());
    for (std::size_t i = before; i < life.emitted.size(); ++i) {
      if (life.emitted[i].file == "stream-000004" && life.emitted[i].kind == IoKind::write) {
        base_at = life.emitted[i].offset;
      }
    }
    life.rest();
  }
  REQUIRE(base_at > 0);
  REQUIRE_FALSE(disk.exists("stream-000003"));
  MemoryDisk damaged = disk;
  damaged.flip_bit("stream-000004", base_at + 70, 1);
  CHECK_THAT(failure_of(alone(damaged)), Contains("damaged or missing"));
  Life life(damaged);
  CHECK(entries_of(life.recovered()) == 0);  // entry 10 hangs in the air
  CHECK(life.found.groups.at(ShardId(1)).base == place(0, 0));
  CHECK(life.found.groups.at(ShardId(1)).uncertain);
  CHECK(life.found.groups.at(ShardId(1)).evidence == place(10, 1));
  life.stream.restore(ShardId(1), place(9, 1));  // the snapshot is still there
  append_one(life, 1, 10);
  CHECK(entries_of(Life(damaged).recovered()) == 1);

  // The same end without any mark that speaks of it, which no crash leaves behind.
  MemoryDisk cut = disk;
  Bytes contents = cut.contents("stream-000004");
  std::fill(contents.begin() + static_cast<std::ptrdiff_t>(base_at), contents.end(), std::byte{0});
  cut.overwrite("stream-000004", contents);
  HardStateImage image = read_hard_state(cut.contents(hard_state_file), test_identity())->newest.value();
  image.mark = 0;
  Bytes file = encode_hard_state(test_identity(), image, 0);
  const Bytes copy_b = encode_hard_state(test_identity(), image, 1);
  file.insert(file.end(), copy_b.begin(), copy_b.end());
  cut.overwrite(hard_state_file, file);
  CHECK_THAT(failure_of(cut), Contains("the stream ends before the snapshot that holds entries of group 1 up to 9"));
}

TEST_CASE("property: whatever is called, segments on disk hold every entry behind its base, and not much more") {
  REQUIRE(rc::check("segments hold every entry behind its base", [](std::uint64_t seed) {
    Prng script(seed);
    MemoryDisk disk;
    Life life(disk, UINT64_MAX, seed);
    life.recovered();
    Model model;
    for (int i = 0; i < 40; ++i) {
      random_batch(script, model, &life.stream);
      RC_ASSERT(life.flush_and_run());
      if (script.chance(400)) life.rest();
      if (script.chance(100)) {
        MemoryDisk copy = disk;
        RC_ASSERT(Life(copy).recovered() == model);
      }
    }
    for (auto& [group, log] : model.logs) {
      const std::uint64_t end = log.last() + 1;
      life.stream.restore(ShardId(group), place(end, 9));
    }
    RC_ASSERT(model.logs.empty() || life.flush_and_run());
    life.rest();
    std::uint64_t segments = 0;
    for (std::uint64_t segment = 1; segment < 200; ++segment) segments += disk.exists(segment_file(segment)) ? 1 : 0;
    RC_ASSERT(segments <= 2);  // the one in use and the one reserved
  }));
}

}  // namespace
}  // namespace coffer::log
