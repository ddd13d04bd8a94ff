#include "sim/oracles/sha256.h"

#include <string>
#include <string_view>

#include <catch2/catch.hpp>

#include "core/base/hash.h"

using namespace coffer;
using namespace coffer::sim::oracles;

namespace {

std::string hex(const Sha256& digest) {
  constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : digest) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

}  // namespace

TEST_CASE("SHA-256 gives the digests of the standard's examples (FIPS 180-4, NIST examples and SHAVS vectors)") {
  struct Vector {
    std::string message;
    std::string_view digest;
  };
  const Vector vectors[] = {
      {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
      {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
      {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
       "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
      {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrst"
       "u",
       "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
      {std::string(1'000'000, 'a'), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
  };
  for (const Vector& vector : vectors) CHECK(hex(sha256(bytes_of(vector.message))) == vector.digest);
}

TEST_CASE("SHA-256 pads every length of a last block") {
  // Digests of n bytes 'x' chained into one; the reference value is OpenSSL's.
  std::string all;
  for (std::size_t n = 0; n <= 130; ++n) all += hex(sha256(bytes_of(std::string(n, 'x'))));
  CHECK(hex(sha256(bytes_of(all))) == "87aca1c44bc7ba8897768170211f0a02063de70801131ff86c7edb9ce32c6a50");
}
