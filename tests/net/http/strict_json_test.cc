#include "net/http/strict_json.h"

#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <rapidcheck.h>

using namespace coffer;
using net::JsonDocument;
using net::JsonError;
using net::JsonType;
using net::parse_json;

TEST_CASE("a flat object is read in order") {
  const JsonDocument document = parse_json(R"({"b":"two","a":1,"c":true,"d":null,"e":[1,2]})");
  REQUIRE(document.error == JsonError::none);
  REQUIRE(document.root.type == JsonType::object);
  REQUIRE(document.root.members.size() == 5);
  CHECK(document.root.members[0].first == "b");
  CHECK(document.root.find("b")->text == "two");
  CHECK(document.root.find("a")->integer == 1);
  CHECK(document.root.find("a")->is_integer);
  CHECK(document.root.find("c")->boolean);
  CHECK(document.root.find("d")->type == JsonType::null);
  CHECK(document.root.find("e")->items.size() == 2);
  CHECK(document.root.find("z") == nullptr);
}

TEST_CASE("numbers that are no 64-bit integers are told apart (money is never one)") {
  CHECK_FALSE(parse_json("1.5").root.is_integer);
  CHECK_FALSE(parse_json("1e2").root.is_integer);
  CHECK_FALSE(parse_json("18446744073709551615").root.is_integer);
  CHECK(parse_json("-9223372036854775808").root.integer == INT64_MIN);
}

TEST_CASE("what is not the one JSON value expected is refused, with the place (RFC 8259)") {
  struct Row {
    std::string text;
    JsonError error;
    std::string pointer;
  };
  const std::string nine_deep = "[[[[[[[[[1]]]]]]]]]";
  const std::vector<Row> rows = {
      {"", JsonError::malformed, ""},
      {"{", JsonError::malformed, ""},
      {"{}}", JsonError::malformed, ""},
      {"{} x", JsonError::malformed, ""},
      {"{\"a\":1,}", JsonError::malformed, ""},
      {"{'a':1}", JsonError::malformed, ""},
      {"{\"a\":01}", JsonError::malformed, ""},
      {"{\"a\":NaN}", JsonError::malformed, "/a"},
      {"// no\n{}", JsonError::malformed, ""},
      {"\xEF\xBB\xBF{}", JsonError::malformed, ""},
      {"{\"a\":\"\\u0000\"}", JsonError::malformed, "/a"},
      {"{\"a\":\"x\\u0000y\"}", JsonError::malformed, "/a"},
      {"{\"a\\u0000b\":1}", JsonError::malformed, ""},
      {std::string("{\"a\":\"\0\"}", 9), JsonError::malformed, "/a"},
      {"{\"a\":\"\\ud800\"}", JsonError::malformed, "/a"},
      {"{\"a\":\"\\ud800\\u0041\"}", JsonError::malformed, "/a"},
      {"{\"a\":\"\\udc00\"}", JsonError::malformed, "/a"},
      {"{\"a\":\"\xFF\"}", JsonError::malformed, "/a"},
      {"{\"a\":\"\xC0\xAF\"}", JsonError::malformed, "/a"},
      {"{\"a\":\"\xED\xA0\x80\"}", JsonError::malformed, "/a"},
      {"{\"a\":\"tab\there\"}", JsonError::malformed, "/a"},
      {"{\"a\":1e999}", JsonError::malformed, "/a"},
      {"{\"a\":1,\"a\":1}", JsonError::duplicate_key, "/a"},
      {"{\"a\":{\"b\":1,\"b\":2}}", JsonError::duplicate_key, "/a/b"},
      {"{\"a~/b\":1,\"a~/b\":1}", JsonError::duplicate_key, "/a~0~1b"},
      {nine_deep, JsonError::malformed, "/0/0/0/0/0/0/0/0"},
      {"[1,[2,x]]", JsonError::malformed, "/1/1"},
  };
  for (const Row& row : rows) {
    const JsonDocument document = parse_json(row.text);
    INFO(row.text << " -> " << document.detail);
    CHECK(document.error == row.error);
    CHECK(document.pointer == row.pointer);
    CHECK_FALSE(document.detail.empty());
  }
  CHECK(parse_json("[[[[[[[[1]]]]]]]]").error == JsonError::none);
}

TEST_CASE("surrogate pairs and escapes are read as what they stand for (RFC 8259, 7)") {
  CHECK(parse_json(R"("\ud83d\ude00\n\/")").root.text == "\xF0\x9F\x98\x80\n/");
}

TEST_CASE("property: what is written as a string is read back the same") {
  REQUIRE(rc::check([](const std::vector<std::uint16_t>& points) {
    std::string text;
    for (const std::uint16_t point : points) {
      const auto c = static_cast<char>(point % 127 + 1);
      text.push_back(c);
    }
    RC_ASSERT(parse_json(net::quoted(text)).root.text == text);
  }));
}

TEST_CASE("property: arbitrary bytes are read or refused, never more") {
  REQUIRE(rc::check([](const std::vector<std::uint8_t>& raw) {
    const std::string text(raw.begin(), raw.end());
    const JsonDocument document = parse_json(text);
    RC_ASSERT((document.error == JsonError::none) == document.detail.empty());
  }));
}
