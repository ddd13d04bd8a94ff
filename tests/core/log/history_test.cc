// The payload of history files, its chain, and the index that follows from it.
#include "core/log/history.h"

#include <algorithm>
#include <memory>
#include <vector>

#include <catch2/catch.hpp>
#include <rapidcheck.h>

#include "core/base/check.h"
#include "core/log/history_index.h"
#include "tests/core/log/golden.h"
#include "tests/core/log/life.h"
#include "tests/core/log/store_life.h"

namespace coffer::log {
namespace {

const ShardId group(1);

bool same(const Entry& a, const Entry& b) {
  return a.index == b.index && a.term == b.term && a.kind == b.kind &&
         std::ranges::equal(view(a.payload), view(b.payload));
}

Bytes payload_of(const SealedContent& content) {
  Bytes bytes;
  for (const Bytes& chunk : content.chunks) bytes.insert(bytes.end(), chunk.begin(), chunk.end());
  return bytes;
}

/// All entries of a history, fed in pieces of `piece` bytes.
std::vector<Entry> decoded(const SealedContent& content, std::size_t piece) {
  const Bytes payload_bytes = payload_of(content);
  HistoryDecoder decoder(content.header);
  std::vector<Entry> entries;
  for (std::size_t at = 0; at < payload_bytes.size(); at += piece) {
    std::vector<HistoryEntry> read;
    REQUIRE(decoder.feed(ByteView(payload_bytes).subspan(at, std::min(piece, payload_bytes.size() - at)), read)
                .has_value());
    for (const HistoryEntry& entry : read) entries.push_back(entry.entry());
  }
  REQUIRE(decoder.finish().has_value());
  return entries;
}

Result<Bytes> built_index(const SealedContent& content, CountPositions count = made_up_positions) {
  IndexBuilder builder(content.header, count);
  HistoryDecoder decoder(content.header);
  for (const Bytes& chunk : content.chunks) {
    std::vector<HistoryEntry> entries;
    REQUIRE(decoder.feed(chunk, entries).has_value());
    for (const HistoryEntry& entry : entries) builder.add(entry);
  }
  return builder.finish();
}

ByteView block_at(const Bytes& file, std::uint64_t offset) { return ByteView(file).subspan(offset, block_size); }

TEST_CASE("a history gives back the entries it was written from, however it is cut") {
  const std::vector<Entry> entries = made_up_entries(group, 60);
  const SealedContent content = made_up_history(group, 20, 60);
  for (const std::size_t piece : {1u, 20u, 21u, 512u, 100000u}) {
    const std::vector<Entry> found = decoded(content, piece);
    REQUIRE(found.size() == 40);
    for (std::size_t i = 0; i < found.size(); ++i) CHECK(same(found[i], entries[20 + i]));
  }
}

TEST_CASE("all chunks of a history but the last are whole") {
  const SealedContent content = made_up_history(group, 0, 60);
  REQUIRE(content.chunks.size() > 3);
  for (std::size_t i = 0; i + 1 < content.chunks.size(); ++i) CHECK(content.chunks[i].size() == test_chunk_size);
  CHECK_FALSE(content.chunks.back().empty());
}

TEST_CASE("the chain links every committed entry to all before it, and histories to each other") {
  Hash256 head;
  for (const Entry& entry : made_up_entries(group, 40)) {
    Bytes bytes;
    ByteWriter out(bytes);
    out.raw(std::as_bytes(std::span(head.bytes)));
    out.id(entry.index);
    out.id(entry.term);
    out.u8(static_cast<std::uint8_t>(entry.kind));
    out.blob(view(entry.payload));
    head = sha256(bytes);
  }
  CHECK(made_up_history(group, 0, 40).header.chain_after == head);
  CHECK(made_up_history(group, 25, 40).header.chain_after == head);
  CHECK(made_up_history(group, 0, 25).header.chain_after == made_up_history(group, 25, 40).header.chain_before);
}

TEST_CASE("a history whose entries are not the header's is refused, whatever its checksums say") {
  const SealedContent content = made_up_history(group, 0, 20);
  const Bytes good = payload_of(content);
  const auto reads = [&content](const Bytes& bytes) {
    HistoryDecoder decoder(content.header);
    std::vector<HistoryEntry> entries;
    return decoder.feed(bytes, entries).has_value() && decoder.finish().has_value();
  };
  REQUIRE(reads(good));
  for (std::size_t byte = 0; byte < good.size(); ++byte) {
    Bytes changed = good;
    changed[byte] ^= std::byte{4};
    if (reads(changed)) FAIL("a changed byte is not noticed: " << byte);
  }
  CHECK_FALSE(reads(Bytes(good.begin(), good.end() - 1)));
  Bytes longer = good;
  longer.push_back(std::byte{0});
  CHECK_FALSE(reads(longer));
  CHECK_FALSE(reads({}));
}

TEST_CASE("an entry appended out of order, or after the end, is a broken invariant") {
  HistoryWriter writer(group, test_cluster(), {Index(4), Position(9), {}}, test_chunk_size);
  CHECK_THROWS_AS(writer.finish(), CheckFailure);
  CHECK_THROWS_AS(writer.append(entry(6, 1, {}), Position(9), {}), CheckFailure);
  writer.append(entry(5, 2, {}), Position(9), {});
  CHECK_THROWS_AS(writer.append(entry(6, 1, {}), Position(9), {}), CheckFailure);
  CHECK_THROWS_AS(writer.append(entry(6, 2, {}), Position(8), {}), CheckFailure);
  writer.finish();
  CHECK_THROWS_AS(writer.append(entry(6, 2, {}), Position(9), {}), CheckFailure);
}

TEST_CASE("property: the decoder of histories takes any bytes in any pieces") {
  REQUIRE(rc::check(
      "the decoder of histories takes any bytes in any pieces",
      [](const std::vector<std::vector<std::uint8_t>>& pieces, bool plausible) {
        SealedHeader header = made_up_history(group, 0, 3).header;
        HistoryDecoder decoder(header);
        std::size_t entries_found = 0;
        bool sound = true;
        if (plausible) {
          std::vector<HistoryEntry> entries;
          sound = decoder.feed(ByteView(made_up_history(group, 0, 3).chunks[0]).first(30), entries).has_value();
          entries_found += entries.size();
        }
        for (const auto& piece : pieces) {
          std::vector<HistoryEntry> entries;
          if (!sound) break;
          sound = decoder.feed(std::as_bytes(std::span(piece)), entries).has_value();
          entries_found += entries.size();
        }
        RC_ASSERT(entries_found <= 3u);
        RC_ASSERT(!(sound && decoder.finish().has_value()));
      }));
}

TEST_CASE("the index leads to every entry and every position with one block each") {
  const SealedContent content = made_up_history(group, 150, 900);
  const std::vector<Entry> entries = made_up_entries(group, 900);
  const Bytes payload_bytes = payload_of(content);
  const Result<Bytes> index = built_index(content);
  REQUIRE(index.has_value());
  REQUIRE(index->size() == index_size(content.header));
  REQUIRE(index_size(content.header) > 5 * block_size);  // several blocks of each kind
  CHECK(check_index_header(content.header, block_at(*index, 0)).has_value());
  Position position(content.header.first_position.value - 1);
  for (std::uint64_t i = 151; i <= 900; ++i) {
    const Entry& expected = entries[i - 1];
    const auto place =
        find_entry(content.header, Index(i), block_at(*index, index_entry_block(content.header, Index(i))));
    REQUIRE(place.has_value());
    ByteReader in(ByteView(payload_bytes).subspan(place->offset, place->size));
    CHECK(in.id<Index>() == Index(i));
    CHECK(place->size == history_entry_header_size + view(expected.payload).size());
    const std::uint64_t events = made_up_positions(expected.kind, view(expected.payload));
    for (std::uint64_t event = 0; event < events; ++event) {
      position = position.next();
      const auto found =
          find_position(content.header, position, block_at(*index, index_position_block(content.header, position)));
      REQUIRE(found.has_value());
      CHECK(*found == Index(i));
    }
    CHECK(place->last_position == position);
  }
  CHECK(position == content.header.last_position);
}

TEST_CASE("a flipped bit in any block of an index, or a block in another's place, is noticed") {
  const SealedContent content = made_up_history(group, 0, 500);
  const Bytes index = *built_index(content);
  const SealedHeader& header = content.header;
  Prng random(1);
  for (int i = 0; i < 400; ++i) {
    Bytes block(index.begin() + block_size, index.begin() + 2 * block_size);
    block[random.below(block_size)] ^= std::byte{1} << random.below(8);
    if (find_entry(header, Index(1), block)) FAIL("a damaged block of entries counts");
    Bytes head(index.begin(), index.begin() + block_size);
    head[random.below(block_size)] ^= std::byte{1} << random.below(8);
    if (check_index_header(header, head)) FAIL("a damaged header counts");
  }
  CHECK_FALSE(find_entry(header, Index(1), block_at(index, 2 * block_size)).has_value());
  CHECK_FALSE(find_position(header, Position(1), block_at(index, block_size)).has_value());
  SealedHeader other = header;
  other.table_checksum ^= 1;
  CHECK_FALSE(find_entry(other, Index(1), block_at(index, block_size)).has_value());
  CHECK(check_index_header(other, block_at(index, 0)).error().code == ErrorCode::malformed);
}

TEST_CASE("the index of what was written is the one that reading it gives") {
  const SealedContent content = made_up_history(group, 37, 100);
  const Result<Bytes> index = encode_index(content.header, content.indexed);
  REQUIRE(index.has_value());
  CHECK(*index == built_index(content).value());
  std::vector<IndexedEntry> fewer = content.indexed;
  fewer.pop_back();
  CHECK_FALSE(encode_index(content.header, fewer).has_value());
  SealedContent other = content;
  other.header.last_position.value += 1;
  CHECK_FALSE(encode_index(other.header, content.indexed).has_value());
}

TEST_CASE("no index is built for a history whose positions are not where its header says") {
  const SealedContent content = made_up_history(group, 0, 100);
  CHECK_FALSE(built_index(content, [](EntryKind, ByteView) { return std::uint64_t{0}; }).has_value());
  CHECK_FALSE(built_index(content, [](EntryKind, ByteView) { return UINT64_MAX; }).has_value());
  SealedContent other = content;
  other.header.last_position.value += 1;
  CHECK_FALSE(built_index(other).has_value());
}

TEST_CASE("the bytes of a history and of its index are those of the golden files") {
  const SealedContent content = made_up_history(group, 0, 12);
  CHECK(hex_rows(file_bytes(content)) == golden_rows("history-000001", file_bytes(content)));
  const Bytes index = *built_index(content);
  CHECK(hex_rows(index) == golden_rows("index-000001", index));
}

}  // namespace
}  // namespace coffer::log
