// Writing a run: the bytes of its format exactly, pulled one record and one chunk at a time.
#include "core/attic/run_writer.h"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>
#include <rapidcheck.h>

#include "core/attic/filter.h"
#include "core/base/check.h"
#include "core/base/codec.h"
#include "tests/core/attic/made_run.h"

namespace coffer::attic {
namespace {

std::string hex_of(ByteView bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const std::byte byte : bytes) {
    text += digits[std::to_integer<std::size_t>(byte >> 4)];
    text += digits[std::to_integer<std::size_t>(byte & std::byte{15})];
  }
  return text;
}

/// The payload by the grammar, all at once.
Bytes payload_of(const RunHead& head, const std::vector<std::uint64_t>& hashes) {
  std::vector<std::uint64_t> rows(hashes.size());
  std::iota(rows.begin(), rows.end(), 0);
  std::stable_sort(rows.begin(), rows.end(), [&](auto left, auto right) { return hashes[left] < hashes[right]; });
  Bytes payload;
  ByteWriter out(payload);
  Filter filter(head.filter_blocks);
  std::vector<std::uint64_t> fences;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (i % head.records_per_chunk() == 0) {
      payload.resize(fences.size() * head.chunk_size);
      fences.push_back(hashes[rows[i]]);
    }
    filter.add(hashes[rows[i]]);
    out.u64(hashes[rows[i]]);
    out.raw(content_of(head.first + rows[i], head.content_size));
  }
  payload.resize(fences.size() * head.chunk_size);
  for (const std::uint32_t word : filter.words()) out.u32(word);
  for (const std::uint64_t fence : fences) out.u64(fence);
  out.raw(bytes_of(std::string_view("END1")));
  return payload;
}

TEST_CASE("a run of three records, byte by byte") {
  const RunHead head = head_of(5, 8, 4, 32);
  CHECK(hex_of(encode(head)) == "434641310100040005000000000000000800000000000000200000000200000001000000");
  RunWriter writer(head);
  writer.add(0xfedcba9876543210);
  writer.add(0x0123456789abcdef);
  writer.add(0x0123456789abcdef);
  std::string text;
  for (const auto& [place, content] : {std::pair(6, "bbbb"), std::pair(7, "cccc"), std::pair(5, "aaaa")}) {
    REQUIRE(writer.wants_content() == static_cast<std::uint64_t>(place));
    writer.put(bytes_of(std::string_view(content)));
    while (writer.has_chunk()) text += hex_of(writer.take_chunk()) + "\n";
  }
  CHECK(writer.done());
  CHECK(text ==
        "efcdab896745230162626262efcdab8967452301636363630000000000000000\n"
        "1032547698badcfe616161610000000000000000000000000000000000000000\n"
        "1000040010000800000001400000900010200000000401000010008000000009\n"
        "efcdab89674523011032547698badcfe454e4431\n");
}

TEST_CASE("a run is written in chunks of one size, the last one what remains") {
  struct Shape {
    const char* what;
    std::uint64_t records;
    std::uint16_t content_size;
    std::uint32_t chunk_size;
  };
  for (const Shape& shape :
       {Shape{"one record", 1, 4, 64}, Shape{"one record that fills its chunk", 1, 4, 12},
        Shape{"a full chunk", 5, 4, 60}, Shape{"full chunks", 15, 4, 60}, Shape{"chunks with a rest", 16, 4, 61},
        Shape{"a tail that fills its chunk", 1, 4, 44}, Shape{"more than one bucket", 5000, 83, 4096}}) {
    INFO(shape.what);
    const RunHead head = head_of(7, 7 + shape.records, shape.content_size, shape.chunk_size);
    const std::vector<std::uint64_t> hashes = spread_hashes(shape.records, 3);
    const std::vector<Bytes> chunks = written(head, hashes);
    REQUIRE(chunks.size() == head.row_chunks + tail_chunks(head));
    CHECK(std::all_of(chunks.begin(), chunks.end() - 1,
                      [&](const Bytes& chunk) { return chunk.size() == head.chunk_size; }));
    CHECK(joined(chunks).size() == payload_size(head));
    CHECK(joined(chunks) == payload_of(head, hashes));
    CHECK(written(head, hashes) == chunks);
  }
}

TEST_CASE("a run without records is its tail at once") {
  RunWriter writer(head_of(9, 9, 4, 32));
  CHECK_FALSE(writer.wants_hash());
  CHECK_FALSE(writer.wants_content());
  REQUIRE(writer.has_chunk());
  CHECK_FALSE(writer.done());
  CHECK(hex_of(writer.take_chunk()) == "454e4431");
  CHECK(writer.done());
}

TEST_CASE("what is wanted stays the same until it is given, and nothing is while a chunk waits") {
  RunWriter writer(head_of(5, 8, 4, 24));  // two a chunk
  for (const std::uint64_t place : {5, 6, 7}) {
    CHECK_FALSE(writer.wants_content());
    CHECK(writer.wants_hash() == place);
    CHECK(writer.wants_hash() == place);
    writer.add(100 - place);
  }
  CHECK_FALSE(writer.wants_hash());
  CHECK_FALSE(writer.has_chunk());
  CHECK(writer.wants_content() == 7u);
  CHECK(writer.wants_content() == 7u);
  writer.put(content_of(7, 4));
  CHECK(writer.wants_content() == 6u);
  writer.put(content_of(6, 4));
  REQUIRE(writer.has_chunk());
  CHECK_FALSE(writer.wants_content());
  CHECK(writer.take_chunk().size() == 24);
  CHECK_FALSE(writer.has_chunk());
  CHECK_FALSE(writer.done());
  CHECK(writer.wants_content() == 5u);
  writer.put(content_of(5, 4));
  CHECK_FALSE(writer.wants_content());
  CHECK_FALSE(writer.wants_hash());
  for (const std::size_t size : {24, 24, 24, 4}) {  // the last row chunk; filter, two fences and the end: 52 bytes
    REQUIRE(writer.has_chunk());
    CHECK_FALSE(writer.done());
    CHECK(writer.take_chunk().size() == size);
  }
  CHECK(writer.done());
}

TEST_CASE("a writer takes only what it wants") {
  RunWriter writer(head_of(0, 1, 4, 24));
  CHECK_THROWS_AS(writer.put(content_of(0, 4)), CheckFailure);
  CHECK_THROWS_AS(writer.take_chunk(), CheckFailure);
  writer.add(1);
  CHECK_THROWS_AS(writer.add(1), CheckFailure);
  CHECK_THROWS_AS(writer.put(content_of(0, 3)), CheckFailure);
  writer.put(content_of(0, 4));
  CHECK_THROWS_AS(writer.put(content_of(0, 4)), CheckFailure);
  RunHead uncounted = head_of(0, 1, 4, 24);
  uncounted.row_chunks = 2;
  CHECK_THROWS_AS(RunWriter(uncounted), CheckFailure);
}

TEST_CASE("records of one hash stand in the order of their places, be they a whole bucket and more") {
  const RunHead head = head_of(3, 3003, 8, 128);
  std::vector<std::uint64_t> hashes(3000, 0x8000'0000'0000'0000u);
  hashes[1500] = 0;
  hashes[10] = UINT64_MAX;
  CHECK(joined(written(head, hashes)) == payload_of(head, hashes));
}

TEST_CASE("property: a writer writes the grammar's bytes") {
  REQUIRE(rc::check("a writer writes the grammar's bytes",
                    [](std::vector<std::uint64_t> hashes, bool alike, std::uint8_t content, std::uint8_t chunk) {
                      if (alike) {
                        for (std::uint64_t& hash : hashes) hash = (hash % 4) << 62;
                      }
                      const std::uint16_t content_size = 1 + content % 20;
                      const RunHead head = head_of(11, 11 + hashes.size(), content_size, 8u + content_size + chunk);
                      RC_ASSERT(joined(written(head, hashes)) == payload_of(head, hashes));
                    }));
}

}  // namespace
}  // namespace coffer::attic
