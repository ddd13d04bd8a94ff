// The bytes of a run: head and row chunks are read back as they were written, and nothing else is.
#include "core/attic/run_format.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <catch2/catch.hpp>
#include <rapidcheck.h>

#include "core/attic/filter.h"
#include "core/base/check.h"
#include "tests/core/attic/made_run.h"

namespace coffer::attic {
namespace {

/// The bytes with one field overwritten.
Bytes forged(Bytes bytes, std::size_t at, std::uint64_t value, std::size_t size) {
  std::copy_n(reinterpret_cast<const std::byte*>(&value), size, bytes.begin() + static_cast<std::ptrdiff_t>(at));
  return bytes;
}

TEST_CASE("a head counts its chunks and blocks, and the bytes of its payload") {
  const RunHead head = head_of(5, 105, 12, 64);  // 20 bytes a record, 3 a chunk
  CHECK(head.records() == 100);
  CHECK(head.row_chunks == 34);
  CHECK(head.filter_blocks == 7);
  CHECK(tail_size(head) == 7 * 32 + 34 * 8 + 4);
  CHECK(tail_chunks(head) == 8);  // 500 bytes: 7 full ones and a shorter one
  CHECK(payload_size(head) == 34 * 64 + 500);
}

TEST_CASE("a run without records has a tail of its end alone") {
  const RunHead head = head_of(9, 9, 12, 64);
  CHECK(head.row_chunks == 0);
  CHECK(head.filter_blocks == 0);
  CHECK(payload_size(head) == 4);
  CHECK(tail_chunks(head) == 1);
}

TEST_CASE("a head is made only of what its format can hold") {
  CHECK_NOTHROW(head_of(places_max - run_records_max, places_max, 1, 9));
  CHECK_THROWS_AS(head_of(2, 1, 12, 64), CheckFailure);
  CHECK_THROWS_AS(head_of(places_max, places_max + 1, 12, 64), CheckFailure);
  CHECK_THROWS_AS(head_of(0, run_records_max + 1, 12, 64), CheckFailure);
  CHECK_THROWS_AS(head_of(0, 1, 0, 64), CheckFailure);
  CHECK_THROWS_AS(head_of(0, 1, 57, 64), CheckFailure);
}

TEST_CASE("a head is read back as it was written") {
  for (const RunHead& head : {head_of(5, 105, 12, 64), head_of(0, 0, 1, 9), head_of(7, 8, UINT16_MAX, UINT32_MAX),
                              head_of(places_max - run_records_max, places_max, 1, 9)}) {
    const Bytes bytes = encode(head);
    REQUIRE(bytes.size() == head_bytes);
    CHECK(decode_head(bytes).value() == head);
  }
}

TEST_CASE("a head is refused with any field out of range or any other length") {
  const Bytes sound = encode(head_of(5, 105, 12, 64));
  REQUIRE(decode_head(forged(sound, 4, 1, 2)).has_value());
  CHECK(decode_head(forged(sound, 4, 2, 2)).error().code == ErrorCode::unsupported);
  struct Field {
    const char* what;
    std::size_t at;
    std::uint64_t value;
    std::size_t size;
  };
  for (const Field& field :
       {Field{"magic", 0, 0, 4}, Field{"version", 4, 0, 2}, Field{"content of nothing", 6, 0, 2},
        Field{"content beyond a chunk", 6, 57, 2}, Field{"another content", 6, 40, 2}, Field{"first", 8, 106, 8},
        Field{"another first", 8, 50, 8}, Field{"end before first", 16, 4, 8},
        Field{"end beyond all places", 16, places_max + 1, 8}, Field{"too many records", 16, 6 + run_records_max, 8},
        Field{"the last end", 16, UINT64_MAX, 8}, Field{"a chunk too small", 24, 19, 4},
        Field{"a chunk of nothing", 24, 0, 4}, Field{"another chunk", 24, 100, 4}, Field{"row chunks", 28, 33, 4},
        Field{"filter blocks", 32, 8, 4}}) {
    INFO(field.what);
    CHECK(decode_head(forged(sound, field.at, field.value, field.size)).error().code == ErrorCode::malformed);
  }
  for (std::size_t size = 0; size < sound.size(); ++size) {
    if (decode_head(ByteView(sound).first(size))) FAIL("a head is taken of " << size << " bytes");
  }
  Bytes longer = sound;
  longer.push_back({});
  CHECK(decode_head(longer).error().code == ErrorCode::malformed);
}

TEST_CASE("property: of arbitrary bytes only heads are read that would be written") {
  REQUIRE(rc::check("only heads are read that would be written",
                    [](const std::vector<std::uint8_t>& bytes, std::uint8_t from, bool forges) {
                      const ByteView any = std::as_bytes(std::span(bytes));
                      Bytes meta = forges ? encode(head_of(5, 105, 12, 64)) : Bytes(any.begin(), any.end());
                      if (forges) {
                        const std::size_t at = from % meta.size();
                        const std::size_t size = std::min(any.size(), meta.size() - at);
                        std::copy_n(any.begin(), size, meta.begin() + static_cast<std::ptrdiff_t>(at));
                      }
                      const Result<RunHead> head = decode_head(meta);
                      if (head) RC_ASSERT(encode(*head) == meta);
                    }));
}

constexpr std::uint64_t below = 100;
constexpr std::uint64_t twice = 200;
constexpr std::uint64_t above = 300;

TEST_CASE("records are found in a chunk by their hash, all of them, in the order of their places") {
  const RunHead head = head_of(5, 10, 4, 39);  // three a chunk, and three bytes of zeros
  const std::vector<Bytes> chunks = written(head, {twice, above, twice, below, above});
  const auto found = [&](std::uint32_t chunk, std::uint64_t hash) {
    const std::vector<ByteView> contents = find_in_chunk(head, chunk, chunks[chunk], hash).value();
    std::vector<Bytes> copies;
    for (const ByteView content : contents) copies.emplace_back(content.begin(), content.end());
    return copies;
  };
  using Contents = std::vector<Bytes>;
  CHECK(found(0, below) == Contents{content_of(8, 4)});
  CHECK(found(0, twice) == Contents{content_of(5, 4), content_of(7, 4)});
  CHECK(found(0, above).empty());
  CHECK(found(1, above) == Contents{content_of(6, 4), content_of(9, 4)});
  CHECK(found(1, twice).empty());
  CHECK(found(0, 0).empty());
  CHECK(found(1, 0).empty());  // nor are zeros behind the records one
  CHECK(found(1, UINT64_MAX).empty());
}

TEST_CASE("what is no row chunk of the run is refused") {
  const RunHead head = head_of(5, 10, 4, 39);
  const std::vector<Bytes> chunks = written(head, {twice, above, twice, below, above});
  const auto refused = [&](std::uint32_t chunk, ByteView bytes) {
    const auto found = find_in_chunk(head, chunk, bytes, twice);
    return found.has_error() && found.error().code == ErrorCode::malformed;
  };
  REQUIRE_FALSE(refused(0, chunks[0]));
  REQUIRE_FALSE(refused(1, chunks[1]));
  CHECK(refused(1, chunks[0]));  // too many records
  CHECK(refused(2, chunks[0]));
  CHECK(refused(UINT32_MAX, chunks[0]));
  CHECK(refused(0, {}));
  CHECK(refused(0, ByteView(chunks[0]).first(38)));
  Bytes longer = chunks[0];
  longer.push_back({});
  CHECK(refused(0, longer));
  CHECK(refused(0, forged(chunks[0], 0, twice + 1, 8)));
  CHECK(refused(0, forged(chunks[0], 24, below, 8)));
  CHECK(refused(0, forged(chunks[0], 38, 1, 1)));
  CHECK(refused(1, forged(chunks[1], 24, 1, 1)));
  CHECK(refused(1, forged(chunks[1], 38, 1, 1)));
  const RunHead empty = head_of(5, 5, 4, 39);
  CHECK(find_in_chunk(empty, 0, chunks[0], twice).has_error());
}

TEST_CASE("property: a row chunk may be any bytes") {
  REQUIRE(rc::check("a row chunk may be any bytes", [](const std::vector<std::uint8_t>& bytes, std::uint64_t hash) {
    const ByteView any = std::as_bytes(std::span(bytes));
    Bytes chunk(any.begin(), any.end());
    chunk.resize(20);
    const auto found = find_in_chunk(head_of(0, 2, 2, 20), 0, chunk, hash);
    if (found) RC_ASSERT(found->size() <= 2u);
  }));
}

}  // namespace
}  // namespace coffer::attic
