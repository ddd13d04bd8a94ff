#include "core/base/sha256.h"

#include <string>

#include <catch2/catch.hpp>

#include "core/base/check.h"
#include "core/base/hash.h"

namespace {

using namespace coffer;

TEST_CASE("SHA-256 is the one of the standard: golden values (FIPS 180-4, examples)") {
  CHECK(to_string(sha256({})) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(to_string(sha256(bytes_of("abc"))) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(to_string(sha256(bytes_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"))) ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

TEST_CASE("a digest of pieces is the digest of the whole, however it is cut") {
  const std::string text(1000, 'x');
  for (const std::size_t cut : {0u, 1u, 63u, 64u, 65u, 999u, 1000u}) {
    Sha256 pieces;
    pieces.update(bytes_of(text).first(cut)).update(bytes_of(text).subspan(cut));
    CHECK(pieces.finish() == sha256(bytes_of(text)));
  }
}

TEST_CASE("a digest is asked for once and takes nothing afterwards") {
  Sha256 digest;
  digest.finish();
  CHECK_THROWS_AS(digest.finish(), CheckFailure);
  CHECK_THROWS_AS(digest.update(bytes_of("x")), CheckFailure);
}

}  // namespace
