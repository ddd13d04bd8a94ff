#include "core/base/uuid.h"

#include <algorithm>
#include <cctype>
#include <string>

#include <catch2/catch.hpp>
#include <rapidcheck.h>

#include "core/base/uuid_number.h"
#include "core/base/uuid_time.h"

namespace {

using namespace coffer;

TEST_CASE("a UUID is read in either case and printed in lower case (RFC 9562, section 4)") {
  const std::optional<Uuid> uuid = parse_uuid("F81D4FAE-7dec-11D0-A765-00a0c91e6bf6");
  REQUIRE(uuid.has_value());
  REQUIRE(uuid->bytes[0] == 0xF8);
  REQUIRE(uuid->bytes[15] == 0xF6);
  REQUIRE(to_string(*uuid) == "f81d4fae-7dec-11d0-a765-00a0c91e6bf6");
  REQUIRE(to_string(Uuid{}) == "00000000-0000-0000-0000-000000000000");
}

TEST_CASE("a version 7 UUID tells when it was made, others do not (RFC 9562, appendix A.6)") {
  REQUIRE(time_ms_of(*parse_uuid("017F22E2-79B0-7CC3-98C4-DC0C0C07398F")) == 1'645'557'742'000u);
  for (const char* text : {"C232AB00-9414-11EC-B3C8-9F6BDECED846", "919108f7-52d1-4320-9bac-f847db4148a8",
                           "1EC9414C-232A-6B00-B3C8-9F6BDECED846", "2489E9AD-2EE2-8E00-8EC9-32D5F69181C0",
                           "017F22E2-79B0-7CC3-18C4-DC0C0C07398F", "017F22E2-79B0-7CC3-D8C4-DC0C0C07398F"}) {
    CAPTURE(text);
    REQUIRE_FALSE(time_ms_of(*parse_uuid(text)).has_value());
  }
  const Uuid rest = *parse_uuid("ffffffff-ffff-ffff-ffff-ffffffffffff");
  REQUIRE(to_string(uuid_made_at(1'645'557'742'000, rest)) == "017f22e2-79b0-7fff-bfff-ffffffffffff");
  REQUIRE(time_ms_of(uuid_made_at(1'645'557'742'000, rest)) == 1'645'557'742'000u);
}

TEST_CASE("a version 8 UUID tells its source and number, others do not (RFC 9562, section 5.8)") {
  const Uuid uuid = uuid_numbered({0xABC'DEF0'1234'5678, 0x3123'4567'89AB'CDEF});
  REQUIRE(to_string(uuid) == "abcdef01-2345-8678-b123-456789abcdef");
  REQUIRE(id_number_of(uuid) == IdNumber{0xABC'DEF0'1234'5678, 0x3123'4567'89AB'CDEF});
  REQUIRE(to_string(uuid_numbered({0, 1})) == "00000000-0000-8000-8000-000000000001");
  for (const char* text : {"abcdef01-2345-7678-b123-456789abcdef", "abcdef01-2345-4678-b123-456789abcdef",
                           "abcdef01-2345-8678-7123-456789abcdef", "abcdef01-2345-8678-f123-456789abcdef",
                           "abcdef01-2345-8678-8000-000000000000"}) {
    CAPTURE(text);
    REQUIRE_FALSE(id_number_of(*parse_uuid(text)).has_value());
  }
  REQUIRE(rc::check("property: what is written is read", [](std::uint64_t source, std::uint64_t number) {
    const IdNumber id{source & id_source_max, std::max<std::uint64_t>(number & id_number_max, 1)};
    RC_ASSERT(id_number_of(uuid_numbered(id)) == id);
  }));
}

TEST_CASE("only the canonical form is a UUID") {
  for (const char* text : {"", "f81d4fae7dec11d0a76500a0c91e6bf6", "f81d4fae-7dec-11d0-a765-00a0c91e6bf",
                           "f81d4fae-7dec-11d0-a765-00a0c91e6bf6a", "{81d4fae-7dec-11d0-a765-00a0c91e6bf}",
                           "g81d4fae-7dec-11d0-a765-00a0c91e6bf6", "f81d4fae_7dec-11d0-a765-00a0c91e6bf6",
                           "f81d4fae-7dec-11d0-a7650-0a0c91e6bf6", "f81d4fae-7dec-11d0-a765-00a0c91e6b-6",
                           " 81d4fae-7dec-11d0-a765-00a0c91e6bf6", "urn:uuid:f81d4fae-7dec-11d0-a765-00a0"}) {
    CAPTURE(text);
    REQUIRE_FALSE(parse_uuid(text).has_value());
  }
}

TEST_CASE("property: every UUID printed and read again is itself") {
  REQUIRE(rc::check("property: parse(print(uuid)) = uuid", [](const std::array<std::uint8_t, 16>& bytes) {
    const Uuid uuid{bytes};
    std::string text = to_string(uuid);
    RC_ASSERT(parse_uuid(text) == uuid);
    for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    RC_ASSERT(parse_uuid(text) == uuid);
  }));
}

}  // namespace
