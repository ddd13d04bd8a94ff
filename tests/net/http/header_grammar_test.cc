#include "net/http/header_grammar.h"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

using namespace coffer;

TEST_CASE("a head ends with an empty line (RFC 9112, 2.1)") {
  CHECK(net::head_size("GET / HTTP/1.1\r\nHost: x\r\n\r\nrest") == 27);
  CHECK_FALSE(net::head_size("GET / HTTP/1.1\r\nHost: x\r\n"));
}

TEST_CASE("plain heads pass") {
  CHECK_FALSE(net::head_mistake("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"));
  CHECK_FALSE(net::head_mistake("POST /a?b=%20 HTTP/1.1\r\nhost:x\r\nCONTENT-LENGTH:  12 \r\n\r\n"));
  CHECK_FALSE(net::head_mistake("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked\r\n\r\n"));
  CHECK_FALSE(net::head_mistake("GET / HTTP/1.0\r\n\r\n"));
}

TEST_CASE("whatever two readers could read differently is refused (RFC 9112, 11.2)") {
  const std::vector<std::string> heads = {
      "GET / HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: x\r\n\tfolded\r\n\r\n",
      "GET / HTTP/1.1\r\nHost : x\r\n\r\n",
      "GET / HTTP/1.1\r\n: x\r\n\r\n",
      "GET / HTTP/1.1\r\nHost\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: x\nA: b\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: x\rA: b\r\n\r\n",
      std::string("GET / HTTP/1.1\r\nHost: x\0y\r\n\r\n", 29),
      "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
      "GET / HTTP/1.1\r\nA: b\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, gzip\r\n\r\n",
      "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +1\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0x10\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1, 1\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: \r\n\r\n",
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n",
      "GET http://x/ HTTP/1.1\r\nHost: x\r\n\r\n",
      "GET  / HTTP/1.1\r\nHost: x\r\n\r\n",
      "GET /a b HTTP/1.1\r\nHost: x\r\n\r\n",
      "GET /\xC3\xA4 HTTP/1.1\r\nHost: x\r\n\r\n",
      "GET / HTTP/2.0\r\nHost: x\r\n\r\n",
      "GET /\r\nHost: x\r\n\r\n",
      "\r\n\r\n",
  };
  for (const std::string& head : heads) {
    INFO(head);
    CHECK(net::head_mistake(head).has_value());
  }
}

TEST_CASE("more fields than anybody needs are refused") {
  std::string head = "GET / HTTP/1.1\r\nHost: x\r\n";
  for (int i = 0; i < 100; ++i) {
    head += "X-" + std::to_string(i) + ": y\r\n";
  }
  CHECK(net::head_mistake(head + "\r\n").has_value());
}
