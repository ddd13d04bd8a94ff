// Damage at rest, foreign files, missing files and arbitrary bytes: refused with a name, a place and advice, or cut
// where only a torn write can be meant. Never a crash, never a wrong log.
#include <algorithm>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>
#include <rapidcheck.h>

#include "core/base/hash.h"
#include "core/log/frame_format.h"
#include "core/log/hard_state.h"
#include "core/log/records.h"
#include "tests/core/log/life.h"

namespace coffer::log {
namespace {

using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

/// A disk with `flushes` flushes of one small frame each, three to a segment.
MemoryDisk small_disk(std::uint64_t flushes) {
  MemoryDisk disk;
  Life life(disk);
  life.recovered();
  for (std::uint64_t i = 1; i <= flushes; ++i) {
    life.stream.append(ShardId(1), std::vector{entry(i, 1, payload(i, 200))});
    life.stream.set_hard_state(ShardId(1), {Term(i), NodeId(2)});
    REQUIRE(life.flush_and_run());
  }
  return disk;
}

std::string failure_of(MemoryDisk disk, FileIdentity identity = test_identity()) {
  const auto before = [&disk](const std::string& file) { return disk.exists(file) ? disk.contents(file) : Bytes(); };
  const Bytes hard_state = before(hard_state_file);
  const Bytes stream = before("stream-000001");
  Life life(disk, UINT64_MAX, 0, identity);
  life.run();
  CHECK(life.stream.failed() != life.stream.recovered());
  if (life.stream.failed()) {
    CHECK(life.saw(TraceKind::failed));
    CHECK(before(hard_state_file) == hard_state);  // a start that is refused changes nothing
    CHECK(before("stream-000001") == stream);
  }
  return life.stream.failure();
}

TEST_CASE("any flipped bit in a frame that a later mark covers is corruption, named by file and byte, and never cut") {
  const MemoryDisk disk = small_disk(8);  // three frames in segments 1 and 2, two in segment 3
  const std::vector<std::pair<std::string, std::uint64_t>> frames = {
      {"stream-000001", 4096}, {"stream-000001", 8192},  {"stream-000001", 12288}, {"stream-000002", 4096},
      {"stream-000002", 8192}, {"stream-000002", 12288}, {"stream-000003", 4096}};
  for (const auto& [file, at] : frames) {
    for (std::uint64_t byte = 0; byte < 4096; byte += byte < 300 ? 1 : 97) {
      MemoryDisk damaged = disk;
      damaged.flip_bit(file, at + byte, static_cast<unsigned>(byte % 8));
      CAPTURE(file, at, byte);
      const std::string failure = failure_of(damaged);
      CHECK_THAT(failure, StartsWith(file + " at byte " + std::to_string(at) + ": frame"));
      CHECK_THAT(failure, Contains("Restore this node from its peers"));
    }
  }
}

TEST_CASE("any flipped bit in the last frame, which no mark covers, is cut as a torn write") {
  const MemoryDisk disk = small_disk(8);
  for (std::uint64_t byte = 0; byte < 4096; byte += byte < 300 ? 1 : 97) {
    CAPTURE(byte);
    MemoryDisk damaged = disk;
    damaged.flip_bit("stream-000003", 8192 + byte, static_cast<unsigned>(byte % 8));
    Life life(damaged);
    CHECK(life.recovered().logs.at(1).size() == 7);
    CHECK(life.trace_a(TraceKind::tail_torn) == 8);
  }
}

TEST_CASE("an empty frame is accepted, and its mark tells damage in the frame before it from a torn write") {
  MemoryDisk disk = small_disk(1);
  Bytes contents = disk.contents("stream-000001");
  const auto last = read_frame_header(ByteView(contents).subspan(4096));
  REQUIRE(last.has_value());
  Bytes empty(stream_frame_header_size);
  seal_stream_frame(empty, {last->place.salt, 2, last->checksum}, 1);
  std::copy(empty.begin(), empty.end(), contents.begin() + 8192);
  disk.overwrite("stream-000001", contents);
  CHECK(failure_of(disk).empty());
  disk.flip_bit("stream-000001", 5000, 0);
  CHECK_THAT(failure_of(disk), StartsWith("stream-000001 at byte 4096: frame 1 is damaged"));
}

TEST_CASE("damage in a segment's header is corruption where frames behind it were known durable") {
  const MemoryDisk disk = small_disk(8);
  for (std::uint64_t byte = 0; byte < 4096; byte += byte < 100 ? 1 : 97) {
    CAPTURE(byte);
    for (const char* file : {"stream-000001", "stream-000002"}) {
      MemoryDisk damaged = disk;
      damaged.flip_bit(file, byte, 3);
      CHECK_THAT(failure_of(damaged), StartsWith(std::string(file) + " at byte 0: "));
    }
  }
}

TEST_CASE("corruption is traced with the number of the damaged frame") {
  MemoryDisk disk = small_disk(4);
  disk.flip_bit("stream-000001", 2 * 4096 + 70, 0);
  Life life(disk);
  life.run();
  CHECK(life.trace_a(TraceKind::corruption) == 2);
}

TEST_CASE("a segment that is missing in the middle is corruption") {
  MemoryDisk disk = small_disk(8);
  disk.remove("stream-000002");
  CHECK_THAT(failure_of(disk), StartsWith("stream-000002 at byte 0: frame 4 is damaged or missing"));
}

TEST_CASE("blocks that changed places are not believed") {
  MemoryDisk disk = small_disk(4);
  Bytes contents = disk.contents("stream-000001");
  std::swap_ranges(contents.begin() + 4096, contents.begin() + 8192, contents.begin() + 8192);
  disk.overwrite("stream-000001", contents);
  CHECK_THAT(failure_of(disk), StartsWith("stream-000001 at byte 4096: frame 1 "));

  disk = small_disk(4);
  disk.overwrite("stream-000002", disk.contents("stream-000001"));
  CHECK(failure_of(disk).empty());  // frame 4 was the last: the copy counts as a torn write of it
}

TEST_CASE("a length that is absurd neither crashes nor allocates") {
  const FramePlace place{segment_salt(test_identity(), 1), 1, 0};
  for (const std::uint32_t length :
       {4033u, 1u << 20, stream_frame_payload_max, stream_frame_payload_max + 1, UINT32_MAX}) {
    Bytes frame(stream_frame_header_size);
    seal_stream_frame(frame, place, 0);
    std::memcpy(frame.data() + 24, &length, sizeof length);
    const std::uint64_t checksum = hash64(ByteView(frame).first(56));
    std::memcpy(frame.data() + 56, &checksum, sizeof checksum);
    REQUIRE(read_frame_header(frame).has_value());
    CHECK_FALSE(open_stream_frame(frame, place).has_value());
  }
}

TEST_CASE("one damaged copy of the hard state is mended from the other before anything else is written") {
  const MemoryDisk disk = small_disk(3);
  for (const std::uint64_t copy : {0u, 1u}) {
    for (std::uint64_t byte = 0; byte < 4096; byte += byte < 100 ? 1 : 97) {
      CAPTURE(copy, byte);
      MemoryDisk damaged = disk;
      damaged.flip_bit(hard_state_file, copy * 4096 + byte, static_cast<unsigned>(byte % 8));
      Life life(damaged);
      CHECK(life.recovered().hard_states.at(1) == std::pair{std::uint64_t{3}, 2u});
      CHECK(damaged.contents(hard_state_file) == disk.contents(hard_state_file));
    }
  }
}

TEST_CASE("the mending of a copy begins with a sync, so that the good copy is durable while the other is written") {
  MemoryDisk disk = small_disk(1);
  disk.flip_bit(hard_state_file, 5, 1);
  Life life(disk);
  life.recovered();
  const auto first_change =
      std::find_if(life.emitted.begin(), life.emitted.end(), [](const IoOp& op) { return op.kind != IoKind::read; });
  REQUIRE(first_change->kind == IoKind::sync);
  CHECK(first_change->file == hard_state_file);
}

TEST_CASE("a hard state without a whole copy, or none beside a stream, is a lost disk") {
  MemoryDisk both_bad = small_disk(2);
  both_bad.flip_bit(hard_state_file, 20, 0);
  both_bad.flip_bit(hard_state_file, 4096 + 20, 0);
  CHECK_THAT(failure_of(both_bad), StartsWith("hard-state at byte 0: missing, or both copies are damaged"));

  MemoryDisk without = small_disk(2);
  without.remove(hard_state_file);
  CHECK_THAT(failure_of(without), Contains("lost its votes"));

  MemoryDisk empty = small_disk(2);
  empty.overwrite(hard_state_file, {});
  CHECK_THAT(failure_of(empty), Contains("lost its votes"));

  both_bad.remove("stream-000001");
  CHECK_THAT(failure_of(both_bad), Contains("lost its votes"));
}

TEST_CASE("a stream that is missing beside a hard state in use is a lost disk") {
  MemoryDisk disk = small_disk(2);
  disk.remove("stream-000001");
  CHECK_THAT(failure_of(disk), StartsWith("stream-000001 at byte 0: the file is missing"));
  MemoryDisk unused = small_disk(0);  // founded, no term yet
  unused.remove("stream-000001");
  CHECK_THAT(failure_of(unused), StartsWith("stream-000001 at byte 0: the file is missing"));
}

TEST_CASE("a hard state from before the stream's first frame is a lost disk") {
  MemoryDisk disk = small_disk(2);
  Bytes file;
  for (std::uint32_t copy = 0; copy < hard_state_copies; ++copy) {
    const Bytes block = encode_hard_state(test_identity(), {.sequence = 1, .states = {}}, copy);
    file.insert(file.end(), block.begin(), block.end());
  }
  disk.overwrite(hard_state_file, file);
  CHECK_THAT(failure_of(disk), Contains("older than the stream"));
}

TEST_CASE("files of another cluster, node or incarnation are refused") {
  const MemoryDisk disk = small_disk(4);
  FileIdentity other_cluster = test_identity();
  other_cluster.cluster.bytes[3] ^= 1;
  FileIdentity other_node = test_identity();
  other_node.node.bytes[15] ^= 1;
  FileIdentity other_incarnation = test_identity();
  ++other_incarnation.incarnation;
  for (const FileIdentity& identity : {other_cluster, other_node, other_incarnation}) {
    CHECK_THAT(failure_of(disk, identity),
               StartsWith("hard-state at byte 0: written by another cluster, node or incarnation"));
    MemoryDisk mixed;
    Life founding(mixed, UINT64_MAX, 0, identity);
    founding.recovered();
    for (const char* file : {"stream-000001", "stream-000002"}) {
      MemoryDisk with_foreign_segment = mixed;
      with_foreign_segment.overwrite(file, disk.contents(file));
      CHECK_THAT(failure_of(with_foreign_segment, identity),
                 StartsWith(std::string(file) + " at byte 0: written by another"));
    }
  }
}

TEST_CASE("versions of a newer binary are refused, not cut") {
  MemoryDisk disk = small_disk(1);
  Bytes contents = disk.contents("stream-000001");
  contents[4096 + 4] = std::byte{2};
  const std::uint64_t checksum = hash64(ByteView(contents).subspan(4096, 56));
  std::memcpy(contents.data() + 4096 + 56, &checksum, sizeof checksum);
  disk.overwrite("stream-000001", contents);
  CHECK_THAT(failure_of(disk), StartsWith("stream-000001 at byte 4096: a frame of version 2 is unknown"));

  disk = small_disk(1);
  contents = disk.contents("stream-000001");
  const Bytes header = encode_segment_header({.version = 2, .identity = test_identity()});
  std::copy(header.begin(), header.end(), contents.begin());
  disk.overwrite("stream-000001", contents);
  CHECK_THAT(failure_of(disk), StartsWith("stream-000001 at byte 0: version 2 is unknown"));
}

TEST_CASE("a sound frame with a hole in a group's indexes is corruption") {
  MemoryDisk disk = small_disk(0);
  Bytes frame(stream_frame_header_size);
  append_entries_record(frame, ShardId(1), std::vector{entry(2, 1, payload(1, 10))});
  seal_stream_frame(frame, {segment_salt(test_identity(), 1), 1, 0}, 0);
  Bytes contents = disk.contents("stream-000001");
  std::copy(frame.begin(), frame.end(), contents.begin() + 4096);
  disk.overwrite("stream-000001", contents);
  CHECK_THAT(failure_of(disk),
             StartsWith("stream-000001 at byte 4096: frame 1 is whole but cannot be: entry 2 of group 1"));
}

TEST_CASE("property: arbitrary bytes in any file are refused or cut, never a crash") {
  REQUIRE(rc::check("arbitrary bytes in any file are refused or cut", [](std::uint64_t seed) {
    Prng random(seed);
    MemoryDisk disk = small_disk(random.below(8));
    const std::uint64_t changes = 1 + random.below(6);
    for (std::uint64_t i = 0; i < changes; ++i) {
      const std::string file = random.chance(300) ? hard_state_file : segment_file(1 + random.below(4));
      Bytes contents = disk.exists(file) ? disk.contents(file) : Bytes();
      const std::uint64_t how = random.below(4);
      if (how == 0) {
        contents = payload(random.next(), random.below(20'000));
      } else if (how == 1) {
        contents.resize(random.below(contents.size() + 5000));
      } else if (!contents.empty()) {
        const Bytes noise = payload(random.next(), 1 + random.below(how == 2 ? 8 : 3000));
        const std::uint64_t at = random.below(contents.size());
        const std::uint64_t size = std::min<std::uint64_t>(noise.size(), contents.size() - at);
        std::copy_n(noise.begin(), size, contents.begin() + static_cast<std::ptrdiff_t>(at));
      }
      disk.overwrite(file, contents);
    }
    Life life(disk);
    life.run();
    RC_ASSERT(life.stream.failed() != life.stream.recovered());
    if (life.stream.recovered()) {
      const Model found = model_of(life.stream.take_recovered());
      Life again(disk);
      RC_ASSERT(again.recovered() == found);
    }
  }));
}

}  // namespace
}  // namespace coffer::log
