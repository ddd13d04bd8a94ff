// What /openapi.json says of each route.
#pragma once

#include <set>
#include <string>

#include <catch2/catch.hpp>

#include "net/http/contract.h"
#include "net/http/openapi.h"
#include "tests/net/http/schema_check.h"

namespace coffer::test {

using Json = nlohmann::json;
using Codes = std::set<std::string>;

inline const Json& document() {
  static const Json parsed = Json::parse(net::openapi_document());
  return parsed;
}

inline const Json& operation_of(const net::RouteRow& row) {
  const std::string path(row.path);
  const std::string method = row.method == "GET" ? "get" : "post";
  REQUIRE(document().at("paths").contains(path));
  REQUIRE(document()["paths"][path].contains(method));
  return document()["paths"][path][method];
}

/// "422 insufficient-funds", …
inline Codes described_problems(const net::RouteRow& row) {
  Codes codes;
  for (const auto& [status, response] : operation_of(row).at("responses").items()) {
    const Json& content = response.at("content");
    if (!content.contains("application/problem+json")) continue;
    for (const Json& code : content["application/problem+json"]["schema"]["properties"]["code"]["enum"]) {
      codes.insert(status + " " + code.get<std::string>());
    }
  }
  return codes;
}

inline std::string label(net::Problem problem) {
  return std::to_string(net::row_of(problem).status) + " " + std::string(net::row_of(problem).code);
}

}  // namespace coffer::test
