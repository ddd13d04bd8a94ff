#include "core/base/uuid.h"

#include <algorithm>
#include <cctype>
#include <string>

#include <catch2/catch.hpp>
#include <rapidcheck.h>

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
