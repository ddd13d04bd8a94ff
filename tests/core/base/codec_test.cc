#include "core/base/codec.h"

#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <rapidcheck.h>

namespace {

using namespace coffer;

Bytes bytes_from(const std::vector<std::uint8_t>& raw) {
  Bytes bytes;
  for (const std::uint8_t byte : raw) bytes.push_back(std::byte{byte});
  return bytes;
}

TEST_CASE("numbers are little-endian and fixed in width") {
  Bytes bytes;
  ByteWriter out(bytes);
  out.u8(0x01);
  out.u16(0x0302);
  out.u32(0x07060504);
  out.u64(0x0F0E0D0C0B0A0908);
  REQUIRE(bytes.size() == 15);
  for (std::size_t i = 0; i < bytes.size(); ++i) REQUIRE(bytes[i] == static_cast<std::byte>(i + 1));
}

TEST_CASE("property: what is written is read back") {
  REQUIRE(
      rc::check("property: read(write(x)) = x", [](std::uint8_t a, std::uint16_t b, std::uint32_t c, std::uint64_t d,
                                                   std::int64_t e, const std::vector<std::uint8_t>& raw) {
        const std::string text = *rc::gen::resize(255, rc::gen::arbitrary<std::string>());
        RC_PRE(text.size() <= 255);
        Uuid uuid;
        uuid.bytes[0] = a;
        uuid.bytes[15] = static_cast<std::uint8_t>(b);
        const Bytes blob = bytes_from(raw);
        Bytes bytes;
        ByteWriter out(bytes);
        out.u8(a);
        out.u16(b);
        out.u32(c);
        out.u64(d);
        out.i64(e);
        out.id(ShardId(c));
        out.uuid(uuid);
        out.hash({d, d + 1});
        out.blob(blob);
        out.short_string(text);
        ByteReader in(bytes);
        RC_ASSERT(in.u8() == a);
        RC_ASSERT(in.u16() == b);
        RC_ASSERT(in.u32() == c);
        RC_ASSERT(in.u64() == d);
        RC_ASSERT(in.i64() == e);
        RC_ASSERT(in.id<ShardId>() == ShardId(c));
        RC_ASSERT(in.uuid() == uuid);
        RC_ASSERT(in.hash() == (Hash128{d, d + 1}));
        const ByteView read = in.blob();
        RC_ASSERT(Bytes(read.begin(), read.end()) == blob);
        RC_ASSERT(in.short_string() == text);
        RC_ASSERT(in.done());
      }));
}

TEST_CASE("a short read fails once and for ever, and gives zero") {
  const Bytes bytes = bytes_from({1, 2, 3});
  ByteReader in(bytes);
  REQUIRE(in.u16() == 0x0201);
  REQUIRE(in.u32() == 0);
  REQUIRE_FALSE(in.ok());
  REQUIRE(in.u8() == 0);
  REQUIRE(in.remaining() == 0);
  REQUIRE(in.raw(0).empty());
  REQUIRE_FALSE(in.done());
}

TEST_CASE("a blob longer than what is left is not read") {
  const Bytes bytes = bytes_from({0xFF, 0xFF, 0xFF, 0xFF, 1, 2});
  ByteReader in(bytes);
  REQUIRE(in.blob().empty());
  REQUIRE_FALSE(in.ok());
}

TEST_CASE("property: any sequence of reads on any bytes stays inside them") {
  REQUIRE(rc::check("property: readers never read past the end", [](const std::vector<std::uint8_t>& raw) {
    const Bytes bytes = bytes_from(raw);  // an exact allocation: the address sanitizer sees one byte too many
    ByteReader in(bytes);
    const auto steps = *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 10));
    for (const int step : steps) {
      const std::size_t before = in.position();
      ByteView seen;
      switch (step) {
        case 0:
          in.u8();
          break;
        case 1:
          in.u16();
          break;
        case 2:
          in.u32();
          break;
        case 3:
          in.u64();
          break;
        case 4:
          in.i64();
          break;
        case 5:
          in.uuid();
          break;
        case 6:
          in.hash();
          break;
        case 7:
          seen = in.blob();
          break;
        case 8:
          seen = bytes_of(in.short_string());
          break;
        case 9:
          seen = in.raw(static_cast<std::size_t>(before) * 3);
          break;
        default:
          break;
      }
      for (const std::byte byte : seen) RC_ASSERT(std::to_integer<int>(byte) >= 0);
      RC_ASSERT(in.position() >= before);
      RC_ASSERT(in.position() <= bytes.size());
    }
  }));
}

TEST_CASE("patches stay inside what was written, and strings inside their length field") {
  Bytes bytes;
  ByteWriter out(bytes);
  out.u32(0);
  out.u64(0);
  out.patch_u32(0, 7);
  out.patch_u64(4, 9);
  ByteReader in(bytes);
  REQUIRE(in.u32() == 7);
  REQUIRE(in.u64() == 9);
  REQUIRE_THROWS_AS(out.patch_u32(9, 1), CheckFailure);
  REQUIRE_THROWS_AS(out.patch_u64(5, 1), CheckFailure);
  REQUIRE_THROWS_AS(out.short_string(std::string(256, 'x')), CheckFailure);
}

}  // namespace
