// The file of terms and votes: two copies, of which one is always whole, and what counts as a lost disk.
#include "core/log/hard_state.h"

#include <algorithm>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "core/log/frame_format.h"
#include "tests/core/log/small_disk.h"

namespace coffer::log {
namespace {

using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

constexpr PowerCut power_cuts[] = {PowerCut::loses_all, PowerCut::keeps_all, PowerCut::keeps_names_only,
                                   PowerCut::tears};

using Ballot = std::pair<std::uint64_t, std::uint32_t>;

void rot(MemoryDisk& disk, std::uint32_t copy) { disk.flip_bit(hard_state_file, hard_state_offset(copy) + 70, 4); }

/// Both copies from `from`, as if the disk had forgotten every later write of the file.
void put_back(MemoryDisk& disk, const MemoryDisk& from) {
  disk.overwrite(hard_state_file, from.contents(hard_state_file));
}

TEST_CASE("one damaged copy of the hard state is mended from the other before anything else is written") {
  const MemoryDisk disk = rested_disk(3);
  MemoryDisk started = disk;
  Life(started).recovered();
  for (const std::uint64_t copy : {0u, 1u}) {
    for (std::uint64_t byte = 0; byte < 4096; byte += byte < 100 ? 1 : 97) {
      CAPTURE(copy, byte);
      MemoryDisk damaged = disk;
      damaged.flip_bit(hard_state_file, copy * 4096 + byte, static_cast<unsigned>(byte % 8));
      Life life(damaged);
      CHECK(life.recovered().hard_states.at(1) == Ballot{1, 2});
      CHECK(damaged.contents(hard_state_file) == started.contents(hard_state_file));
    }
  }
}

TEST_CASE("the mending of a copy begins with a sync, so that the good copy is durable while the other is written") {
  MemoryDisk disk = rested_disk(1);
  disk.flip_bit(hard_state_file, 5, 1);
  Life life(disk);
  life.recovered();
  const auto first_change = std::find_if(life.emitted.begin(), life.emitted.end(), [](const IoOp& op) {
    return op.kind != IoKind::read && op.kind != IoKind::list;
  });
  REQUIRE(first_change->kind == IoKind::sync);
  CHECK(first_change->file == hard_state_file);
}

TEST_CASE("whichever copy rots after a vote was answered, the other one knows the vote (known bug 32)") {
  MemoryDisk disk;
  Life life(disk);
  life.recovered();
  for (std::uint64_t term = 1; term <= 5; ++term) {
    life.stream.set_hard_state(ShardId(1), {Term(term), NodeId(static_cast<std::uint32_t>(term % 3))});
    REQUIRE(life.flush_and_run());  // now the vote may be told
    for (const std::uint32_t copy : {0u, 1u}) {
      MemoryDisk rotten = disk;
      rot(rotten, copy);
      CHECK(Life(rotten).recovered().hard_states.at(1) == Ballot{term, static_cast<std::uint32_t>(term % 3)});
    }
  }
}

TEST_CASE(
    "a crash at any operation of a vote, then either copy rots: no answered vote is forgotten, or the disk is lost "
    "(known bugs 6, 32)") {
  MemoryDisk before;
  {
    Life life(before);
    life.recovered();
    life.stream.set_hard_state(ShardId(1), {Term(1), NodeId(1)});
    REQUIRE(life.flush_and_run());
  }
  std::uint64_t refused = 0;
  for (std::uint64_t ops_max = 0; ops_max <= 12; ++ops_max) {
    for (const PowerCut cut : power_cuts) {
      for (std::uint32_t draw = 0; draw < 16; ++draw) {
        const std::uint32_t copy = draw % 2;
        CAPTURE(ops_max, static_cast<int>(cut), copy, draw);
        MemoryDisk disk = before;
        Prng random(ops_max, static_cast<std::uint64_t>(cut), draw);
        Life life(disk, ops_max);
        bool answered = false;
        if (life.run() && life.stream.recovered()) {
          life.stream.set_hard_state(ShardId(1), {Term(2), NodeId(2)});
          answered = life.flush_and_run();
        }
        disk.power_cut(cut, random);
        rot(disk, copy);
        Life again(disk);
        again.run();
        if (again.stream.failed()) {
          CHECK_FALSE(answered);  // both copies are whole once a vote is answered
          CHECK_THAT(again.stream.failure(), Contains("lost its votes"));
          ++refused;
          continue;
        }
        const Ballot found = again.recovered().hard_states.at(1);
        CHECK(
            (found == Ballot{2, 2} || (found == Ballot{1, 1} && !answered)));  // never the one's term, the other's vote
      }
    }
  }
  CHECK(refused > 0);
}

TEST_CASE("a recovery that a crash interrupts while it mends a copy still finds the other") {
  MemoryDisk damaged = rested_disk(1);
  rot(damaged, 0);
  for (std::uint64_t ops_max = 0; ops_max <= 12; ++ops_max) {
    for (const PowerCut cut : power_cuts) {
      CAPTURE(ops_max, static_cast<int>(cut));
      MemoryDisk disk = damaged;
      Prng random(ops_max);
      Life(disk, ops_max).run();
      disk.power_cut(cut, random);
      CHECK(Life(disk).recovered().hard_states.at(1) == Ballot{1, 2});
    }
  }
}

TEST_CASE("a hard state without a whole copy, or none beside a stream, is a lost disk") {
  MemoryDisk both_bad = small_disk(2);
  rot(both_bad, 0);
  rot(both_bad, 1);
  CHECK_THAT(failure_of(both_bad), StartsWith("hard-state at byte 0: missing, or both copies are damaged"));
  CHECK_THAT(failure_of(both_bad), Contains("coffer join --replace"));

  MemoryDisk without = small_disk(2);
  without.remove(hard_state_file);
  CHECK_THAT(failure_of(without), Contains("lost its votes"));

  MemoryDisk empty = small_disk(2);
  empty.overwrite(hard_state_file, {});
  CHECK_THAT(failure_of(empty), Contains("lost its votes"));

  both_bad.remove("stream-000001");
  CHECK_THAT(failure_of(both_bad), Contains("lost its votes"));
}

TEST_CASE("a directory with a snapshot, a history or a segment set aside is in use, whatever else is gone") {
  for (const char* file : {"snapshot-000001-0000000000000000042", "history-000001-0000000000000000042",
                           "archive-000001-0000000000000000042", "damaged-stream-000003"}) {
    MemoryDisk disk;
    disk.overwrite(file, payload(1, 100));
    CHECK_THAT(failure_of(disk), Contains("lost its votes"));
  }
  MemoryDisk other;
  other.overwrite("lock", {});
  CHECK(failure_of(other).empty());
}

TEST_CASE("a stream that is missing beside a hard state in use is a lost disk") {
  MemoryDisk disk = small_disk(2);
  disk.remove("stream-000001");
  CHECK_THAT(failure_of(disk), StartsWith("stream-000001 at byte 0: the file is missing"));
  MemoryDisk unused;  // founded, no term yet
  Life(unused).recovered();
  unused.remove("stream-000001");
  CHECK_THAT(failure_of(unused), StartsWith("stream-000001 at byte 0: the file is missing"));
}

TEST_CASE("a hard state from before the stream's first frame is a lost disk") {
  MemoryDisk disk = small_disk(2);
  Bytes file;
  for (std::uint32_t copy = 0; copy < hard_state_copies; ++copy) {
    const Bytes block = encode_hard_state(test_identity(), {.sequence = 1, .groups = {}}, copy);
    file.insert(file.end(), block.begin(), block.end());
  }
  disk.overwrite(hard_state_file, file);
  CHECK_THAT(failure_of(disk), Contains("older than the stream"));
}

TEST_CASE("a hard state older than a frame says has lost votes, even if both its copies are whole (known bug 32)") {
  MemoryDisk disk;
  Life life(disk);
  life.recovered();
  life.stream.set_hard_state(ShardId(1), {Term(1), NodeId(1)});
  REQUIRE(life.flush_and_run());
  const MemoryDisk older = disk;
  life.stream.set_hard_state(ShardId(1), {Term(2), NodeId(2)});
  life.stream.append(ShardId(1), std::vector{entry(1, 2, payload(1, 10))});
  REQUIRE(life.flush_and_run());
  CHECK(failure_of(disk).empty());
  put_back(disk, older);
  CHECK_THAT(failure_of(disk), StartsWith("hard-state at byte 0: sequence 3 is older than the stream"));
  CHECK_THAT(failure_of(disk), Contains("lost its votes"));
}

TEST_CASE("a directory keeps the sizes of snapshots it was founded with, and refuses a start with others (H7)") {
  const auto config_with = [](const SnapshotSizes& sizes) {
    StreamConfig config = test_config();
    config.snapshots = sizes;
    return config;
  };
  const StreamConfig founded = config_with({65536, 4096});
  const auto live = [](MemoryDisk& disk, const StreamConfig& config) { Life(disk, UINT64_MAX, 0, config).recovered(); };
  const bool known_from_the_start = GENERATE(true, false);
  CAPTURE(known_from_the_start);
  MemoryDisk disk = known_from_the_start ? MemoryDisk() : small_disk(2);
  live(disk, founded);
  live(disk, test_config());  // which says nothing of them
  live(disk, founded);
  for (const SnapshotSizes& other : {SnapshotSizes{65537, 4096}, SnapshotSizes{65536, 8192}}) {
    const std::string why = failure_of(disk, config_with(other));
    CHECK_THAT(why, StartsWith("hard-state at byte 0: this node was founded with epoch_bytes 65536 and chunk_bytes "
                               "4096, and its settings now say epoch_bytes " +
                               std::to_string(other.epoch_bytes)));
    CHECK_THAT(why, Contains("Set them back"));
  }
}

TEST_CASE("version 1 never left the workshop and is refused by name") {
  MemoryDisk disk = small_disk(1);
  Bytes file = disk.contents(hard_state_file);
  for (std::uint32_t copy = 0; copy < hard_state_copies; ++copy) {
    Bytes block(file.begin() + static_cast<std::ptrdiff_t>(hard_state_offset(copy)),
                file.begin() + static_cast<std::ptrdiff_t>(hard_state_offset(copy) + block_body_max));
    block[4] = std::byte{1};
    seal_block(block, 0x4853'0000'0000'0001u + copy);
    std::copy(block.begin(), block.end(), file.begin() + static_cast<std::ptrdiff_t>(hard_state_offset(copy)));
  }
  disk.overwrite(hard_state_file, file);
  CHECK_THAT(failure_of(disk), StartsWith("hard-state at byte 0: version 1 is not the one this binary reads"));
}

}  // namespace
}  // namespace coffer::log
