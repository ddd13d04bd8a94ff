// The index of a run: read from its tail, it leads to every record, whatever hashes they have.
#include "core/attic/run_index.h"

#include <algorithm>
#include <cstdint>
#include <set>
#include <span>
#include <vector>

#include <catch2/catch.hpp>
#include <rapidcheck.h>

#include "core/base/check.h"
#include "tests/core/attic/made_run.h"

namespace coffer::attic {
namespace {

using Chunks = RunIndex::Chunks;

/// The contents of all records with the hash, found as a node finds them.
std::vector<Bytes> found(const RunIndex& index, const std::vector<Bytes>& chunks, std::uint64_t hash) {
  std::vector<Bytes> contents;
  if (!index.may_have(hash)) return contents;
  const Chunks in = index.chunks_of(hash);
  for (std::uint32_t chunk = in.first; chunk < in.end; ++chunk) {
    const std::vector<ByteView> views = find_in_chunk(index.head(), chunk, chunks.at(chunk), hash).value();
    for (const ByteView content : views) contents.emplace_back(content.begin(), content.end());
  }
  return contents;
}

/// The contents of the rows with the hash, by their places.
std::vector<Bytes> expected(const RunHead& head, const std::vector<std::uint64_t>& hashes, std::uint64_t hash) {
  std::vector<Bytes> contents;
  for (std::size_t row = 0; row < hashes.size(); ++row) {
    if (hashes[row] == hash) contents.push_back(content_of(head.first + row, head.content_size));
  }
  return contents;
}

TEST_CASE("an index is fed the chunks of the tail, one after the other, until it is ready") {
  const RunHead head = head_of(5, 8, 4, 24);  // two row chunks, a tail of 52 bytes
  const std::vector<Bytes> chunks = written(head, {300, 100, 200});
  RunIndex index(head);
  CHECK(index.head() == head);
  for (const std::uint32_t chunk : {2u, 3u, 4u}) {
    CHECK_FALSE(index.ready());
    CHECK_THROWS_AS(index.may_have(100), CheckFailure);
    CHECK_THROWS_AS(index.chunks_of(100), CheckFailure);
    CHECK(index.wants_chunk() == chunk);
    CHECK(index.feed(chunks[chunk]).has_value());
  }
  CHECK(index.ready());
  CHECK_FALSE(index.wants_chunk());
  CHECK_THROWS_AS(index.feed(chunks[4]), CheckFailure);
  index.prefetch(100);
  CHECK(index.may_have(100));
  CHECK(found(index, chunks, 300) == std::vector<Bytes>{content_of(5, 4)});
}

TEST_CASE("a run without records holds nothing") {
  const RunHead head = head_of(9, 9, 4, 24);
  const RunIndex index = opened(head, written(head, {}));
  CHECK_FALSE(index.may_have(0));
  CHECK(index.chunks_of(0) == Chunks{0, 0});
}

TEST_CASE("wrong bytes are refused, and the tail is begun again") {
  const RunHead head = head_of(5, 8, 4, 24);
  const std::vector<Bytes> chunks = written(head, {300, 100, 200});
  RunIndex index(head);
  const auto refused = [&](const std::vector<Bytes>& tail) {
    for (std::size_t i = 0; i + 1 < tail.size(); ++i) {
      if (index.feed(tail[i]).has_error()) return false;  // too early
    }
    const Result<void> last = index.feed(tail.back());
    return last.has_error() && last.error().code == ErrorCode::malformed && index.wants_chunk() == 2u;
  };
  const auto changed = [](Bytes bytes, std::size_t at) {
    bytes[at] ^= std::byte{0xFF};
    return bytes;
  };
  Bytes longer = chunks[4];
  longer.push_back({});
  CHECK(refused({Bytes()}));
  CHECK(refused({chunks[4]}));
  CHECK(refused({chunks[2], chunks[4]}));
  CHECK(refused({chunks[2], chunks[3], chunks[3]}));
  CHECK(refused({chunks[2], chunks[3], longer}));
  CHECK(refused({chunks[2], chunks[3], Bytes()}));
  CHECK(refused({chunks[2], chunks[3], changed(chunks[4], 0)}));   // no END1
  CHECK(refused({chunks[2], changed(chunks[3], 15), chunks[4]}));  // fences do not ascend
  REQUIRE_FALSE(index.ready());
  for (const std::uint32_t chunk : {2u, 3u, 4u}) CHECK(index.feed(chunks[chunk]).has_value());
  CHECK(index.ready());
}

TEST_CASE("a hash leads to the chunks in which it would stand") {
  const RunHead head = head_of(0, 9, 4, 24);  // 10 20 | 30 30 | 30 30 | 30 40 | 50
  const RunIndex index = opened(head, written(head, {10, 20, 30, 30, 30, 30, 30, 40, 50}));
  CHECK(index.chunks_of(9) == Chunks{0, 0});
  CHECK(index.chunks_of(10) == Chunks{0, 1});
  CHECK(index.chunks_of(25) == Chunks{0, 1});
  CHECK(index.chunks_of(30) == Chunks{0, 4});
  CHECK(index.chunks_of(31) == Chunks{3, 4});
  CHECK(index.chunks_of(40) == Chunks{3, 4});
  CHECK(index.chunks_of(50) == Chunks{3, 5});
  CHECK(index.chunks_of(UINT64_MAX) == Chunks{4, 5});
}

TEST_CASE("records of one hash are found in all the chunks they stand in") {
  const RunHead head = head_of(4, 13, 4, 24);
  const std::vector<std::uint64_t> hashes = {10, 30, 30, 20, 30, 50, 30, 40, 30};
  const std::vector<Bytes> chunks = written(head, hashes);
  const RunIndex index = opened(head, chunks);
  CHECK(found(index, chunks, 30).size() == 5);
  CHECK(found(index, chunks, 30) == expected(head, hashes, 30));
  CHECK(found(index, chunks, 50) == expected(head, hashes, 50));
}

TEST_CASE("every record of a run of several buckets is found, and hardly a chunk is read in vain") {
  constexpr std::size_t records = 20'000;
  const RunHead head = head_of(1'000, 1'000 + records, 83, 4096);
  const std::vector<std::uint64_t> hashes = spread_hashes(records, 5);
  const std::vector<Bytes> chunks = written(head, hashes);
  const RunIndex index = opened(head, chunks);
  std::size_t missing = 0;
  for (std::size_t row = 0; row < records; ++row) {
    if (found(index, chunks, hashes[row]) != std::vector<Bytes>{content_of(head.first + row, 83)}) ++missing;
  }
  CHECK(missing == 0);
  const std::vector<std::uint64_t> others = spread_hashes(records, 6);
  CHECK(std::all_of(others.begin(), others.end(),
                    [&](std::uint64_t hash) { return found(index, chunks, hash).empty(); }));
  CHECK(std::count_if(others.begin(), others.end(), [&](std::uint64_t hash) { return index.may_have(hash); }) < 80);
}

TEST_CASE("property: through index and chunks every record is found, and nothing else") {
  REQUIRE(rc::check("through index and chunks every record is found",
                    [](std::vector<std::uint64_t> hashes, const std::vector<std::uint64_t>& others, bool alike,
                       std::uint8_t content, std::uint8_t more) {
                      if (alike) {
                        for (std::uint64_t& hash : hashes) hash %= 8;
                      }
                      const std::uint16_t content_size = 1 + content % 20;
                      const RunHead head =
                          head_of(11, 11 + hashes.size(), content_size, 8u + content_size + more % 100);
                      const std::vector<Bytes> chunks = written(head, hashes);
                      const RunIndex index = opened(head, chunks);
                      std::set<std::uint64_t> asked(hashes.begin(), hashes.end());
                      asked.insert(others.begin(), others.end());
                      for (const std::uint64_t hash : {0, 1, 2, 3, 4, 5, 6, 7, 8}) asked.insert(hash);
                      for (const std::uint64_t hash : asked) {
                        RC_ASSERT(found(index, chunks, hash) == expected(head, hashes, hash));
                      }
                    }));
}

TEST_CASE("property: a tail may be any bytes") {
  REQUIRE(rc::check("a tail may be any bytes", [](const std::vector<std::uint8_t>& bytes, std::uint64_t hash) {
    const RunHead head = head_of(0, 3, 4, 24);
    RunIndex index(head);
    const ByteView any = std::as_bytes(std::span(bytes));
    Bytes tail(any.begin(), any.end());
    tail.resize(tail_size(head));
    std::copy_n(reinterpret_cast<const std::byte*>(&tail_end), sizeof tail_end, tail.end() - sizeof tail_end);
    for (ByteView rest = tail; !rest.empty();) {
      const ByteView chunk = rest.first(std::min<std::size_t>(rest.size(), 24));
      if (index.feed(chunk).has_error()) break;
      rest = rest.subspan(chunk.size());
    }
    if (index.ready()) RC_ASSERT(index.chunks_of(hash).end <= head.row_chunks);
  }));
}

}  // namespace
}  // namespace coffer::attic
