// Names, headers, tables and the manifest: golden bytes, and decoders that take anything.
#include <algorithm>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <rapidcheck.h>

#include "core/base/check.h"
#include "core/log/archive.h"
#include "core/log/block.h"
#include "core/log/manifest.h"
#include "core/log/sealed_file.h"
#include "tests/core/log/golden.h"
#include "tests/core/log/life.h"
#include "tests/core/log/store_life.h"

namespace coffer::log {
namespace {

const SealedName snapshot_42{SealedKind::snapshot, ShardId(1), Index(42)};
const SealedName history_7{SealedKind::history, ShardId(12), Index(7)};
const SealedName attic_42{SealedKind::attic, ShardId(1), Index(42)};

TEST_CASE("every name of a sealed file is read back, and only as it is written") {
  CHECK(file_name(snapshot_42) == "snapshot-000001-00000000000000000042");
  CHECK(file_name(history_7, true) == "archive-000012-00000000000000000007");
  CHECK(file_name(attic_42) == "attic-000001-00000000000000000042");
  for (const SealedName& name :
       {snapshot_42, history_7, attic_42, SealedName{SealedKind::history, ShardId(UINT32_MAX), Index(UINT64_MAX)}}) {
    CHECK(parse_file_name(file_name(name))->name == name);
    CHECK(parse_file_name(file_name(name))->role == FileRole::published);
    CHECK(parse_file_name(part_name(name))->name == name);
    CHECK(parse_file_name(part_name(name))->role == FileRole::part);
  }
  CHECK(parse_file_name(file_name(history_7, true))->role == FileRole::archived);
  CHECK(parse_file_name(file_name(history_7, true))->name == history_7);
  CHECK(parse_file_name(index_file_name(history_7))->role == FileRole::index);
  CHECK(parse_file_name(derived_part_name(index_file_name(history_7)))->role == FileRole::index_part);
  for (const char* const other :
       {"stream-000001", "hard-state", "node.json", "manifest", "damaged-snapshot-000001-00000000000000000042",
        "snapshot-1-42", "snapshot-000001-00000000000000000042.tmp", "snapshot-000001-", "snapshot-", "history", "",
        "archive-000001-00000000000000000042.part", "snapshot-000001-+0000000000000000042",
        "snapshot-0000001-00000000000000000042", "snapshot-000001-99999999999999999999"}) {
    INFO(other);
    CHECK_FALSE(parse_file_name(other));
  }
}

TEST_CASE("property: no name is read that would not be written") {
  REQUIRE(rc::check("no name is read that would not be written", [](const std::string& text, bool prefixed) {
    const std::string name = prefixed ? "history-" + text : text;
    const auto found = parse_file_name(name);
    if (!found) return;
    RC_ASSERT(name == file_name(found->name) || name == file_name(found->name, true) ||
              name == part_name(found->name) || name == index_file_name(found->name) ||
              name == derived_part_name(index_file_name(found->name)));
  }));
}

TEST_CASE("a header is read back as it was written") {
  for (const SealedHeader& header :
       {made_up_snapshot(ShardId(3), 40).header, made_up_history(ShardId(3), 5, 40).header}) {
    const Bytes block = encode(header);
    REQUIRE(block.size() == block_size);
    CHECK(decode_sealed_header(block).value() == header);
  }
}

TEST_CASE("every flipped bit of a header and of a table is noticed") {
  const SealedContent content = made_up_history(ShardId(3), 5, 40);
  const Bytes block = encode(content.header);
  const Bytes table = encode_table(content.table);
  REQUIRE(decode_table(content.header, table).has_value());
  for (std::size_t byte = 0; byte < block.size(); ++byte) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      Bytes changed = block;
      changed[byte] ^= std::byte{1} << bit;
      if (decode_sealed_header(changed)) FAIL("a damaged header counts: " << byte);
    }
  }
  for (std::size_t byte = 0; byte < table.size(); ++byte) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      Bytes changed = table;
      changed[byte] ^= std::byte{1} << bit;
      if (decode_table(content.header, changed)) FAIL("a damaged table counts: " << byte);
    }
  }
  CHECK_FALSE(decode_table(content.header, ByteView(table).first(table.size() - 1)).has_value());
  Bytes longer = table;
  longer.push_back({});
  CHECK_FALSE(decode_table(content.header, longer).has_value());
}

TEST_CASE("a chunk's checksum covers its number") {
  const Bytes bytes = payload(1, 512);
  CHECK(chunk_checksum(0, bytes) != chunk_checksum(1, bytes));
}

/// A header's block with one field overwritten and the checksum made right again.
Bytes forged(const SealedHeader& header, std::size_t at, std::uint64_t value, std::size_t size) {
  Bytes block = encode(header);
  std::copy_n(reinterpret_cast<const std::byte*>(&value), size, block.begin() + static_cast<std::ptrdiff_t>(at));
  block.resize(block_body_max);
  seal_block(block, 0x5345'414C'4544'0001u);
  return block;
}

TEST_CASE("a later version is told from damage; fields that cannot be are refused behind a sound checksum") {
  const SealedHeader header = made_up_history(ShardId(3), 5, 40).header;
  REQUIRE(decode_sealed_header(forged(header, 4, 1, 2)).has_value());
  CHECK(decode_sealed_header(forged(header, 4, 2, 2)).error().code == ErrorCode::unsupported);
  CHECK(decode_sealed_header(Bytes(block_size)).error().code == ErrorCode::corrupt);
  CHECK(decode_sealed_header({}).error().code == ErrorCode::corrupt);
  struct Field {
    const char* what;
    std::size_t at;
    std::uint64_t value;
    std::size_t size;
  };
  for (const Field& field :
       {Field{"magic", 0, 0, 4}, Field{"kind 0", 6, 0, 1}, Field{"kind 4", 6, 4, 1}, Field{"zero", 7, 1, 1},
        Field{"no chunk size", 28, 0, 4}, Field{"huge chunk size", 28, UINT32_MAX, 4}, Field{"first 0", 32, 0, 8},
        Field{"first behind last", 32, 41, 8}, Field{"more entries than bytes", 40, 1u << 20, 8},
        Field{"position 0", 56, 0, 8}, Field{"last position before the first", 64, 0, 8},
        Field{"more positions than bytes", 64, 1u << 20, 8}, Field{"no payload", 80, 0, 8},
        Field{"huge payload", 80, UINT64_MAX, 8}, Field{"meta too long", 160, 3000, 4}, Field{"padding", 4000, 1, 1}}) {
    INFO(field.what);
    const auto decoded = decode_sealed_header(forged(header, field.at, field.value, field.size));
    REQUIRE_FALSE(decoded.has_value());
    CHECK(decoded.error().code == ErrorCode::malformed);
  }
  SealedHeader impossible = header;
  impossible.chunk_size = 0;
  CHECK_THROWS_AS(encode(impossible), CheckFailure);
}

TEST_CASE("a manifest is read back, and every flipped bit of it is noticed") {
  Manifest manifest;
  for (const std::uint64_t last : {20, 40, 60}) {
    const SealedContent history = made_up_history(ShardId(1), last - 20, last);
    manifest[history.header.name] = manifest_row(history.header);
    const SealedContent snapshot = made_up_snapshot(ShardId(2), last);
    manifest[snapshot.header.name] = manifest_row(snapshot.header);
  }
  const Bytes bytes = encode(manifest, test_cluster());
  CHECK(decode_manifest(bytes)->rows == manifest);
  CHECK(decode_manifest(bytes)->cluster == test_cluster());
  CHECK(decode_manifest(encode(Manifest(), test_cluster()))->rows.empty());
  CHECK(hex_rows(bytes) == golden_rows("manifest", bytes));
  for (std::size_t byte = 0; byte < bytes.size(); ++byte) {
    Bytes changed = bytes;
    changed[byte] ^= std::byte{0x10};
    if (decode_manifest(changed)) FAIL("a damaged manifest counts: " << byte);
    if (decode_manifest(ByteView(bytes).first(byte))) FAIL("a cut manifest counts: " << byte);
  }
}

TEST_CASE("property: decoders of headers, tables and manifests take any bytes, also behind a sound checksum") {
  REQUIRE(rc::check("decoders take any bytes", [](const std::vector<std::uint8_t>& bytes) {
    const ByteView any = std::as_bytes(std::span(bytes));
    RC_ASSERT(decode_sealed_header(any).has_error());
    RC_ASSERT(decode_manifest(any).has_error());
    Bytes block = encode(made_up_snapshot(ShardId(1), 9).header);
    block.resize(block_body_max);
    const std::size_t size = std::min(any.size(), block_body_max - 8);
    std::copy_n(any.begin(), size, block.begin() + 8);
    seal_block(block, 0x5345'414C'4544'0001u);
    if (const auto header = decode_sealed_header(block)) {
      RC_ASSERT(encode(*header) == block);
      RC_ASSERT(decode_table(*header, any).has_error());
    }
  }));
}

TEST_CASE("the bytes of a snapshot's file are those of the golden file") {
  const Bytes bytes = file_bytes(made_up_snapshot(ShardId(1), 40));
  CHECK(hex_rows(bytes) == golden_rows("snapshot-000001", bytes));
}

TEST_CASE("what is archived: all that is too old, then the oldest until the rest is small enough") {
  const auto history = [](std::uint64_t last, std::int64_t stamp) {
    return ArchiveCandidate{{SealedKind::history, ShardId(1), Index(last)}, 100, Stamp{stamp}};
  };
  const std::vector<ArchiveCandidate> all = {history(30, 300), history(10, 100), history(20, 200)};
  const auto lasts = [&all](std::uint64_t bytes_max, std::int64_t age_max, std::int64_t newest) {
    std::vector<std::uint64_t> result;
    for (const SealedName& name : due_for_archive(all, {bytes_max, Duration{age_max}}, Stamp{newest})) {
      result.push_back(name.last.value);
    }
    return result;
  };
  using Lasts = std::vector<std::uint64_t>;
  CHECK(lasts(300, INT64_MAX, 1000) == Lasts{});
  CHECK(lasts(299, INT64_MAX, 1000) == Lasts{10});
  CHECK(lasts(100, INT64_MAX, 1000) == Lasts{10, 20});
  CHECK(lasts(0, INT64_MAX, 1000) == Lasts{10, 20, 30});
  CHECK(lasts(UINT64_MAX, 100, 300) == Lasts{10});
  CHECK(lasts(UINT64_MAX, 0, 300) == Lasts{10, 20});
  CHECK(lasts(UINT64_MAX, INT64_MAX, INT64_MIN) == Lasts{});
  CHECK(lasts(UINT64_MAX, 0, INT64_MAX) == Lasts{10, 20, 30});
  ArchiveCandidate other_group = history(5, 50);
  other_group.name.group = ShardId(2);
  CHECK(due_for_archive({other_group, history(10, 100)}, {100, Duration{INT64_MAX}}, Stamp{1000}).empty());
}

}  // namespace
}  // namespace coffer::log
