// The bytes on disk: golden files (docs/FORMATS.md), and what checksums cover. Rewrite the golden files, after a wanted
// change of format and of its version, with COFFER_REWRITE_GOLDEN=1.
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <rapidcheck.h>

#include "core/log/frame_format.h"
#include "core/log/hard_state.h"
#include "core/log/records.h"
#include "tests/core/log/life.h"

namespace coffer::log {
namespace {

/// Rows of 16 bytes in hex with their offsets; rows of zeros are left out; the size comes first.
std::string hex_dump(ByteView bytes) {
  std::ostringstream out;
  out << std::hex << "size " << bytes.size() << '\n';
  for (std::size_t at = 0; at < bytes.size(); at += 16) {
    const ByteView row = bytes.subspan(at, std::min<std::size_t>(16, bytes.size() - at));
    if (is_blank(row)) continue;
    out << at << ':';
    for (const std::byte byte : row) {
      const auto value = static_cast<unsigned>(byte);
      out << ' ' << (value < 16 ? "0" : "") << value;
    }
    out << '\n';
  }
  return out.str();
}

void check_golden(const std::string& name, ByteView bytes) {
  const char* const root = std::getenv("COFFER_SOURCE_DIR");
  const std::string path = std::string(root ? root : ".") + "/tests/data/log/" + name + ".hex";
  if (std::getenv("COFFER_REWRITE_GOLDEN")) {
    std::ofstream(path) << hex_dump(bytes);
  }
  std::ostringstream golden;
  golden << std::ifstream(path).rdbuf();
  INFO(path);
  CHECK(hex_dump(bytes) == golden.str());
}

FramePlace place(std::uint64_t number) { return {.salt = 0x1122334455667788, .number = number, .previous = 99}; }

Bytes sealed(ByteView payload_bytes, const FramePlace& where, std::uint64_t mark = 0) {
  Bytes frame(stream_frame_header_size);
  frame.insert(frame.end(), payload_bytes.begin(), payload_bytes.end());
  seal_stream_frame(frame, where, mark);
  return frame;
}

TEST_CASE("the bytes of every file are those of the golden files") {
  MemoryDisk disk;
  Life life(disk);
  life.recovered();
  life.stream.set_hard_state(ShardId(1), {Term(5), NodeId(2)});
  life.stream.set_hard_state(ShardId(7), {Term(6), nobody});
  life.stream.append(ShardId(1), std::vector{entry(1, 4, payload(1, 20)), entry(2, 5, {})});
  REQUIRE(life.flush_and_run());
  life.stream.truncate(ShardId(1), Index(2));
  life.stream.append(ShardId(1), std::vector{entry(2, 5, payload(2, 5))});
  life.stream.append(ShardId(7), std::vector{entry(1, 6, payload(3, 4100))});
  REQUIRE(life.flush_and_run());
  life.stream.append(ShardId(7), std::vector{entry(2, 6, payload(4, 3))});
  REQUIRE(life.flush_and_run());
  check_golden("hard-state", disk.contents(hard_state_file));
  check_golden("stream-000001", disk.contents("stream-000001"));
  check_golden("stream-000002", disk.contents("stream-000002"));
}

TEST_CASE("a directory written by the first version is still read") {
  // The golden files, parsed back: what stands in the repository is what a node recovers.
  MemoryDisk disk;
  for (const char* name : {"hard-state", "stream-000001", "stream-000002"}) {
    const char* const root = std::getenv("COFFER_SOURCE_DIR");
    std::ifstream file(std::string(root ? root : ".") + "/tests/data/log/" + name + ".hex");
    std::string word;
    std::size_t size = 0;
    file >> word >> std::hex >> size;
    Bytes contents(size);
    for (std::string line; std::getline(file, line);) {
      std::istringstream row(line);
      std::size_t at = 0;
      char colon = 0;
      row >> std::hex >> at >> colon;
      for (unsigned value = 0; row >> std::hex >> value; ++at) {
        contents.at(at) = static_cast<std::byte>(value);
      }
    }
    disk.overwrite(name, contents);
  }
  Life life(disk);
  const Model found = life.recovered();
  CHECK(found.hard_states.at(1) == std::pair{std::uint64_t{5}, 2u});
  CHECK(found.hard_states.at(7) == std::pair{std::uint64_t{6}, 0u});
  CHECK(found.logs.at(1).size() == 2);
  CHECK(found.logs.at(1)[1].second == payload(2, 5));
  CHECK(found.logs.at(7)[0].second == payload(3, 4100));
  CHECK(found.logs.at(7).size() == 2);
}

TEST_CASE("a frame is opened only at its own place: salt, number and predecessor") {
  const Bytes frame = sealed(payload(1, 100), place(7), 6);
  const auto opened = open_stream_frame(frame, place(7));
  REQUIRE(opened.has_value());
  CHECK(std::ranges::equal(opened->payload, payload(1, 100)));
  CHECK(opened->header.mark == 6);
  CHECK(opened->size == 4096);
  for (auto change : {&FramePlace::salt, &FramePlace::number, &FramePlace::previous}) {
    FramePlace other = place(7);
    ++(other.*change);
    CHECK_FALSE(open_stream_frame(frame, other).has_value());
  }
}

TEST_CASE("the payload's checksum covers the position: the same bytes have another one under another number or salt") {
  const auto payload_checksum = [](const FramePlace& where) {
    return read_frame_header(sealed(payload(1, 100), where)).value().payload_checksum;
  };
  FramePlace other_salt = place(7);
  ++other_salt.salt;
  CHECK(payload_checksum(place(7)) != payload_checksum(place(8)));
  CHECK(payload_checksum(place(7)) != payload_checksum(other_salt));

  // A header of frame 8 whose payload never came, over the payload blocks of a frame 7 of the same size.
  Bytes mixed = sealed(payload(1, 9000), place(8));
  const Bytes stale = sealed(payload(2, 9000), place(7));
  std::copy(stale.begin() + 4096, stale.end(), mixed.begin() + 4096);
  CHECK_FALSE(open_stream_frame(mixed, place(8)).has_value());
}

TEST_CASE("a frame that is cut short anywhere is not opened") {
  const Bytes frame = sealed(payload(1, 9000), place(1));
  REQUIRE(frame.size() == 3 * 4096);
  for (std::size_t size = 0; size < frame.size(); size += 61) {
    CHECK_FALSE(open_stream_frame(ByteView(frame).first(size), place(1)).has_value());
  }
}

TEST_CASE("property: any changed byte of a frame, header, payload or padding, is noticed") {
  REQUIRE(rc::check("any changed byte of a frame is noticed", [](std::uint64_t seed) {
    Prng random(seed);
    Bytes frame = sealed(payload(seed, random.below(9000)), place(3), 2);
    frame[random.below(frame.size())] ^= std::byte{1} << random.below(8);
    RC_ASSERT(!open_stream_frame(frame, place(3)).has_value());
  }));
}

TEST_CASE("a frame's size is a multiple of 4 KiB and holds header and payload") {
  CHECK(frame_size_on_disk(0) == 4096);
  CHECK(frame_size_on_disk(4096 - 64) == 4096);
  CHECK(frame_size_on_disk(4096 - 63) == 8192);
  CHECK(segment_file(1) == "stream-000001");
  CHECK(segment_file(1234567) == "stream-1234567");
  CHECK(segment_salt(test_identity(), 1) != segment_salt(test_identity(), 2));
}

TEST_CASE("records fold in the order they were written") {
  Bytes bytes;
  append_entries_record(bytes, ShardId(1), std::vector{entry(1, 1, payload(1, 3)), entry(2, 1, payload(2, 3))});
  append_entries_record(bytes, ShardId(2), std::vector{entry(1, 9, {})});
  append_truncate_record(bytes, ShardId(1), Index(2));
  append_entries_record(bytes, ShardId(1), std::vector{entry(2, 3, payload(4, 4))});
  LogFold fold;
  REQUIRE(fold.apply(bytes).has_value());
  CHECK(fold.logs().at(ShardId(1)).size() == 2);
  CHECK(fold.logs().at(ShardId(1))[1].term == Term(3));
  CHECK(fold.logs().at(ShardId(2))[0].payload == nullptr);
}

TEST_CASE("records against the grammar are refused") {
  const auto refusal = [](const Bytes& bytes) { return LogFold().apply(bytes).error(); };
  Bytes hole;
  append_entries_record(hole, ShardId(1), std::vector{entry(2, 1, {})});
  CHECK(refusal(hole).code == ErrorCode::malformed);
  Bytes beyond;
  append_truncate_record(beyond, ShardId(1), Index(2));
  CHECK(refusal(beyond).code == ErrorCode::malformed);
  Bytes short_record;
  append_truncate_record(short_record, ShardId(1), Index(1));
  short_record.pop_back();
  CHECK(refusal(short_record).code == ErrorCode::malformed);
  Bytes snapshot_mark;
  append_truncate_record(snapshot_mark, ShardId(1), Index(1));
  snapshot_mark[0] = static_cast<std::byte>(RecordKind::snapshot_mark);
  CHECK(refusal(snapshot_mark).code == ErrorCode::unsupported);
}

TEST_CASE("property: decoders take arbitrary bytes") {
  REQUIRE(rc::check("decoders take arbitrary bytes", [](std::uint64_t seed) {
    Prng random(seed);
    Bytes bytes = payload(seed, random.below(300));
    // Begin like a record, so that more than its head is read.
    std::fill_n(bytes.begin(), std::min<std::size_t>(bytes.size(), 4), std::byte{0});
    if (!bytes.empty()) bytes[0] = static_cast<std::byte>(1 + random.below(3));
    LogFold fold;
    const auto applied = fold.apply(bytes);
    RC_ASSERT(bytes.empty() == applied.has_value());
    RC_ASSERT(!open_stream_frame(bytes, place(1)).has_value());
    RC_ASSERT(!read_segment_header(bytes).has_value());
    RC_ASSERT(!read_hard_state(bytes, test_identity()).value().newest.has_value());
  }));
}

TEST_CASE("the higher sequence of the hard state counts, and a copy does not count in the other's place") {
  const Bytes older =
      encode_hard_state(test_identity(), {.sequence = 4, .states = {{ShardId(1), {Term(1), nobody}}}}, 0);
  const Bytes newer =
      encode_hard_state(test_identity(), {.sequence = 5, .states = {{ShardId(1), {Term(2), nobody}}}}, 1);
  Bytes file = older;
  file.insert(file.end(), newer.begin(), newer.end());
  const auto read = read_hard_state(file, test_identity());
  CHECK(read->newest.value().states.at(ShardId(1)).term == Term(2));
  CHECK(read->outdated == std::vector<std::uint32_t>{0});

  Bytes misplaced = newer;
  misplaced.resize(2 * block_size);
  CHECK_FALSE(read_hard_state(misplaced, test_identity())->newest.has_value());
}

}  // namespace
}  // namespace coffer::log
