// The bytes on disk: golden files (docs/FORMATS.md), and what checksums cover. Rewrite the golden files, after a wanted
// change of format and of its version, with COFFER_REWRITE_GOLDEN=1.
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <rapidcheck.h>

#include "core/log/frame_format.h"
#include "core/log/hard_state.h"
#include "core/log/records.h"
#include "tests/core/log/golden.h"
#include "tests/core/log/life.h"

namespace coffer::log {
namespace {

void check_golden(const std::string& name, ByteView bytes) {
  INFO(name);
  CHECK(hex_rows(bytes) == golden_rows(name, bytes));
}

FramePlace place(std::uint64_t number) { return {.salt = 0x1122334455667788, .number = number, .previous = 99}; }

LogPlace place_of(std::uint64_t index, std::uint64_t term) { return {Index(index), Term(term)}; }

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
  life.stream.restore(ShardId(7), place_of(1, 6));
  life.stream.append(ShardId(7), std::vector{entry(2, 6, payload(4, 3), EntryKind::configuration)});
  REQUIRE(life.flush_and_run());
  life.stream.restore(ShardId(2), place_of(9, 3));
  REQUIRE(life.flush_and_run());
  life.rest();
  check_golden("hard-state", disk.contents(hard_state_file));
  check_golden("stream-000001", disk.contents("stream-000001"));
  check_golden("stream-000002", disk.contents("stream-000002"));
}

TEST_CASE("a directory of golden files is read") {
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
  disk.overwrite("stream-000003", Bytes(test_segment_size));  // reserved
  Life life(disk);
  const Model found = life.recovered();
  CHECK(found.hard_states.at(1) == std::pair{std::uint64_t{5}, 2u});
  CHECK(found.hard_states.at(7) == std::pair{std::uint64_t{6}, 0u});
  CHECK(found.logs.at(1).size() == 2);
  CHECK(found.logs.at(1).entries[1].payload == payload(2, 5));
  CHECK(found.logs.at(7).base == place_of(1, 6));
  REQUIRE(found.logs.at(7).size() == 1);
  CHECK(found.logs.at(7).entries[0].kind == EntryKind::configuration);
  CHECK(found.logs.at(2).base == place_of(9, 3));
  CHECK_FALSE(life.saw(TraceKind::tail_uncertain));
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
  REQUIRE(fold.apply(bytes, 1).has_value());
  CHECK(fold.logs().at(ShardId(1)).entries.size() == 2);
  CHECK(fold.logs().at(ShardId(1)).entries[1].term == Term(3));
  CHECK(fold.logs().at(ShardId(2)).entries[0].payload == nullptr);
}

TEST_CASE("records against the grammar are refused") {
  const auto refusal = [](const Bytes& bytes) { return LogFold().apply(bytes, 1).error(); };
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
  Bytes unknown_record;
  append_truncate_record(unknown_record, ShardId(1), Index(1));
  unknown_record[0] = std::byte{5};
  CHECK(refusal(unknown_record).code == ErrorCode::unsupported);
  Bytes unknown_entry;
  append_entries_record(unknown_entry, ShardId(1), std::vector{entry(1, 1, {})});
  unknown_entry[12 + 16] = std::byte{2};
  CHECK(refusal(unknown_entry).code == ErrorCode::malformed);
  Bytes keeps_what_is_not_there;
  append_restore_record(keeps_what_is_not_there, ShardId(1), place_of(3, 1), true);
  CHECK(refusal(keeps_what_is_not_there).code == ErrorCode::malformed);
  Bytes backwards;
  append_restore_record(backwards, ShardId(1), place_of(3, 1), false);
  append_restore_record(backwards, ShardId(1), place_of(2, 1), false);
  CHECK(refusal(backwards).code == ErrorCode::malformed);
  Bytes into_the_base;
  append_restore_record(into_the_base, ShardId(1), place_of(3, 1), false);
  append_truncate_record(into_the_base, ShardId(1), Index(3));
  CHECK(refusal(into_the_base).code == ErrorCode::malformed);
  Bytes wrong_term;
  append_entries_record(wrong_term, ShardId(1), std::vector{entry(1, 1, {}), entry(2, 1, {})});
  append_restore_record(wrong_term, ShardId(1), place_of(1, 2), true);
  CHECK(refusal(wrong_term).code == ErrorCode::malformed);
  Bytes standing_backwards;
  append_standing_record(standing_backwards, ShardId(1), {place_of(5, 1), place_of(4, 1)});
  CHECK(refusal(standing_backwards).code == ErrorCode::malformed);
  Bytes standing_behind_another_record;
  append_truncate_record(standing_behind_another_record, ShardId(1), Index(1));
  append_standing_record(standing_behind_another_record, ShardId(1), {});
  CHECK(refusal(standing_behind_another_record).code == ErrorCode::malformed);
}

TEST_CASE("a base that the log holds keeps what is behind it, any other keeps nothing") {
  Bytes bytes;
  append_entries_record(bytes, ShardId(1), std::vector{entry(1, 1, {}), entry(2, 1, {}), entry(3, 2, payload(3, 3))});
  append_restore_record(bytes, ShardId(1), place_of(2, 1), true);
  append_entries_record(bytes, ShardId(2), std::vector{entry(1, 1, {}), entry(2, 1, {})});
  append_restore_record(bytes, ShardId(2), place_of(7, 3), false);
  append_entries_record(bytes, ShardId(2), std::vector{entry(8, 3, {})});
  LogFold fold;
  REQUIRE(fold.apply(bytes, 1).has_value());
  CHECK(fold.logs().at(ShardId(1)).extent.base() == place_of(2, 1));
  REQUIRE(fold.logs().at(ShardId(1)).entries.size() == 1);
  CHECK(fold.logs().at(ShardId(1)).entries[0].index == Index(3));
  CHECK(fold.logs().at(ShardId(2)).extent.base() == place_of(7, 3));
  CHECK(fold.logs().at(ShardId(2)).entries[0].index == Index(8));
}

TEST_CASE("folding begins at any segment: what lies in earlier ones must be covered by a later base (known bug 20)") {
  Bytes begins;
  append_standing_record(begins, ShardId(1), {place_of(2, 1), place_of(6, 2)});
  append_entries_record(begins, ShardId(1), std::vector{entry(7, 2, {}), entry(8, 3, {})});
  LogFold fold;
  REQUIRE(fold.apply(begins, 5).has_value());
  const FoldedLog& log = fold.logs().at(ShardId(1));
  CHECK(log.has_gap());
  CHECK(log.extent.last() == place_of(8, 3));

  Bytes too_early;
  append_restore_record(too_early, ShardId(1), place_of(5, 2), true);
  REQUIRE(fold.apply(too_early, 5).has_value());
  CHECK(log.has_gap());
  Bytes covers_it;
  append_restore_record(covers_it, ShardId(1), place_of(7, 2), true);
  REQUIRE(fold.apply(covers_it, 5).has_value());
  CHECK_FALSE(log.has_gap());
  REQUIRE(log.entries.size() == 1);
  CHECK(log.entries[0].index == Index(8));
  CHECK(log.extent.lowest_segment() == 5);
}

TEST_CASE("a truncation into what lies in earlier segments shortens what a base must cover") {
  Bytes bytes;
  append_standing_record(bytes, ShardId(1), {place_of(0, 0), place_of(6, 2)});
  append_truncate_record(bytes, ShardId(1), Index(4));
  append_entries_record(bytes, ShardId(1), std::vector{entry(4, 3, {}), entry(5, 3, {})});
  append_restore_record(bytes, ShardId(1), place_of(3, 1), true);
  LogFold fold;
  REQUIRE(fold.apply(bytes, 2).has_value());
  const FoldedLog& log = fold.logs().at(ShardId(1));
  CHECK_FALSE(log.has_gap());
  CHECK(log.entries.size() == 2);
}

TEST_CASE("a segment that begins elsewhere than the one before ended is refused") {
  Bytes first;
  append_entries_record(first, ShardId(1), std::vector{entry(1, 1, {}), entry(2, 1, {})});
  const auto folded = [&first](const Standing& standing, ShardId group) {
    LogFold fold;
    CHECK(fold.apply(first, 1).value());
    Bytes second;
    append_standing_record(second, group, standing);
    return fold.apply(second, 2);
  };
  CHECK(folded({{}, place_of(2, 1)}, ShardId(1)).has_value());
  CHECK_FALSE(folded({{}, place_of(2, 1)}, ShardId(1)).value());  // it says nothing new
  CHECK_FALSE(folded({{}, place_of(1, 1)}, ShardId(1)).has_value());
  CHECK_FALSE(folded({{}, place_of(3, 1)}, ShardId(1)).has_value());
  CHECK_FALSE(folded({place_of(1, 1), place_of(2, 1)}, ShardId(1)).has_value());
  CHECK_FALSE(folded({{}, place_of(2, 1)}, ShardId(2)).has_value());
}

TEST_CASE("the places in a payload are found without folding it, up to the first record that is none") {
  Bytes bytes;
  append_standing_record(bytes, ShardId(1), {place_of(2, 1), place_of(6, 2)});
  append_entries_record(bytes, ShardId(2), std::vector{entry(9, 4, {}), entry(10, 3, {})});
  append_restore_record(bytes, ShardId(3), place_of(7, 2), false);
  bytes.push_back(std::byte{77});
  std::map<ShardId, LogPlace> highest;
  note_places(bytes, highest);
  CHECK(highest.at(ShardId(1)) == place_of(6, 2));
  CHECK(highest.at(ShardId(2)) == place_of(9, 4));
  CHECK(highest.at(ShardId(3)) == place_of(7, 2));
}

TEST_CASE("property: decoders take arbitrary bytes") {
  REQUIRE(rc::check("decoders take arbitrary bytes", [](std::uint64_t seed) {
    Prng random(seed);
    Bytes bytes = payload(seed, random.below(300));
    // Begin like a record, so that more than its head is read.
    std::fill_n(bytes.begin(), std::min<std::size_t>(bytes.size(), 4), std::byte{0});
    if (!bytes.empty()) bytes[0] = static_cast<std::byte>(1 + random.below(4));
    LogFold fold;
    const auto applied = fold.apply(bytes, 1);
    RC_ASSERT(bytes.empty() == applied.has_value());
    RC_ASSERT(!open_stream_frame(bytes, place(1)).has_value());
    RC_ASSERT(!read_segment_header(bytes).has_value());
    RC_ASSERT(!read_hard_state(bytes, test_identity()).value().newest.has_value());
  }));
}

TEST_CASE("of two hard states with the same sequence the one of the later life counts") {
  Bytes file = encode_hard_state(test_identity(), {.sequence = 4, .lives = 7}, 0);
  const Bytes later = encode_hard_state(test_identity(), {.sequence = 4, .lives = 8}, 1);
  file.insert(file.end(), later.begin(), later.end());
  const auto read = read_hard_state(file, test_identity());
  CHECK(read->newest.value().lives == 8);
  CHECK(read->outdated == std::vector<std::uint32_t>{0});
}

TEST_CASE("the higher sequence of the hard state counts, and a copy does not count in the other's place") {
  const Bytes older =
      encode_hard_state(test_identity(), {.sequence = 4, .groups = {{ShardId(1), {{Term(1), nobody}, false, {}}}}}, 0);
  const Bytes newer =
      encode_hard_state(test_identity(), {.sequence = 5, .groups = {{ShardId(1), {{Term(2), nobody}, false, {}}}}}, 1);
  Bytes file = older;
  file.insert(file.end(), newer.begin(), newer.end());
  const auto read = read_hard_state(file, test_identity());
  CHECK(read->newest.value().groups.at(ShardId(1)).hard_state.term == Term(2));
  CHECK(read->outdated == std::vector<std::uint32_t>{0});

  Bytes misplaced = newer;
  misplaced.resize(2 * block_size);
  CHECK_FALSE(read_hard_state(misplaced, test_identity())->newest.has_value());
}

}  // namespace
}  // namespace coffer::log
