#include "net/http/routes.h"

#include <catch2/catch.hpp>

using namespace coffer;
using net::HttpListener;
using net::HttpRoute;
using net::match_route;

TEST_CASE("every route is found by its own path, on its own listener only") {
  for (const net::RouteRow& row : net::all_routes()) {
    std::string path(row.path);
    if (const std::size_t hole = path.find("{id}"); hole != std::string::npos) {
      path.replace(hole, 4, "alice");
    }
    const net::RouteMatch match = match_route(row.listener, row.method, path);
    INFO(path);
    CHECK(match.route == row.route);
    const HttpListener other = row.listener == HttpListener::admin ? HttpListener::clients : HttpListener::admin;
    CHECK_FALSE(match_route(other, row.method, path).route);
    CHECK(match_route(row.listener, "DELETE", path).allow == row.method);
  }
}

TEST_CASE("near misses are no routes") {
  for (const char* path : {"/", "", "/v1", "/v1/accounts/", "/v1/accounts/a/b", "/v1/accounts//balance",
                           "/v1/accounts/a/balance/", "/V1/accounts", "/v1/accounts/a/b/balance", "/v1/transfers/",
                           "/v1/holds/", "/v1/holds/a/b", "/v1/holds//capture"}) {
    INFO(path);
    CHECK(match_route(HttpListener::clients, "GET", path).allow.empty());
  }
}

TEST_CASE("a hold is read under its own path, and ended under two others") {
  CHECK(match_route(HttpListener::clients, "GET", "/v1/holds/a").route == HttpRoute::hold);
  CHECK(match_route(HttpListener::clients, "POST", "/v1/holds/a").allow == "GET");
  CHECK(match_route(HttpListener::clients, "POST", "/v1/holds/a/capture").id == "a");
  CHECK(match_route(HttpListener::clients, "POST", "/v1/holds/a/void").route == HttpRoute::void_hold);
  CHECK(match_route(HttpListener::clients, "GET", "/v1/holds").allow == "POST");
}

TEST_CASE("ids in paths are percent-decoded once (RFC 3986, 2.4)") {
  CHECK(match_route(HttpListener::clients, "GET", "/v1/accounts/a%3Ab").id == "a:b");
  CHECK(match_route(HttpListener::clients, "GET", "/v1/accounts/a%253Ab").id == "a%3Ab");
  CHECK(match_route(HttpListener::clients, "GET", "/v1/accounts/a%2").id.empty());
  CHECK(net::percent_decoded("%41%62") == "Ab");
  CHECK_FALSE(net::percent_decoded("%4"));
  CHECK_FALSE(net::percent_decoded("%"));
  CHECK_FALSE(net::percent_decoded("%GG"));
}

TEST_CASE("queries are split at ampersands and the first equals sign") {
  const auto query = net::parse_query("a=1&b=x%26y&c&d==&&");
  REQUIRE(query);
  REQUIRE(query->size() == 4);
  CHECK((*query)[1].value == "x&y");
  CHECK((*query)[2].value.empty());
  CHECK((*query)[3].value == "=");
  CHECK_FALSE(net::parse_query("a=%"));
}
