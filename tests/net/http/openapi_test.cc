// /openapi.json against the code: the table of routes, and the readers of requests.
#include "net/http/openapi.h"

#include <catch2/catch.hpp>

#include "net/http/calls.h"
#include "tests/net/http/description.h"

using namespace coffer;
using net::HttpListener;
using net::HttpRequest;
using net::HttpResponse;
using net::HttpRoute;
using net::Problem;
using test::Codes;
using test::described_problems;
using test::document;
using test::Json;
using test::label;
using test::operation_of;

namespace {

void check_references(const Json& value) {
  if (value.is_object() && value.contains("$ref")) {
    CHECK_NOTHROW(test::SchemaCheck(document()).find(value["$ref"]));
  }
  for (const Json& part : value) {
    if (part.is_structured()) check_references(part);
  }
}

const std::string id = "6f1c2a52-1d0e-4b3c-9a61-0f9d3f1c7e21";

/// A value that every reader takes.
Json good_value(net::Shape shape, std::string_view name) {
  switch (shape) {
    case net::Shape::account:
      return name == "to_account" ? "bob" : "alice";
    case net::Shape::currency:
      return "USD";
    case net::Shape::amount:
      return "12.50";
    case net::Shape::uuid:
      return id;
    case net::Shape::lifetime_s:
      return 600;
    case net::Shape::split_parts:
      return Json::array({{{"to_account", "bob"}, {"amount", "1.00"}}, {{"to_account", "carol"}, {"amount", "0.01"}}});
    case net::Shape::consistency:
      return "eventual";
    case net::Shape::flag:
      return "";
  }
  return {};
}

Json good_values(const std::vector<net::Field>& fields) {
  Json values = Json::object();
  for (const net::Field& field : fields) {
    values[std::string(field.name)] = good_value(field.shape, field.name);
  }
  return values;
}

std::string percent_encoded(const std::string& text) {
  std::string out;
  for (const char c : text) {
    char code[4];
    std::snprintf(code, sizeof code, "%%%02X", static_cast<unsigned>(static_cast<unsigned char>(c)));
    out += code;
  }
  return out;
}

/// `values`: the members of a POST's body, or the parameters of a GET's query, all of them strings.
HttpRequest request_of(const net::RouteRow& row, const Json& values) {
  HttpRequest request{.method = std::string(row.method),
                      .path = std::string(row.path),
                      .query = "",
                      .accept = "",
                      .content_type = row.method == "POST" ? "application/json" : "",
                      .idempotency_key = "",
                      .prefer = "",
                      .body = row.method == "POST" ? values.dump() : ""};
  request.fresh_id.bytes[0] = 7;
  const std::vector<net::Field>& path = net::contract_of(row.route).path;
  if (!path.empty()) {
    request.path.replace(request.path.find("{id}"), 4, good_value(path[0].shape, path[0].name).get<std::string>());
  }
  if (row.method == "GET") {
    for (const auto& [name, value] : values.items()) {
      request.query +=
          (request.query.empty() ? "" : "&") + percent_encoded(name) + "=" + percent_encoded(value.get<std::string>());
    }
  }
  return request;
}

/// What the reader says of it: nothing when it asks the node, or answers itself.
std::string refusal_of(const net::RouteRow& row, const HttpRequest& request) {
  const auto read = net::read_call(row.listener, request);
  const auto* answer = std::get_if<HttpResponse>(&read);
  if (answer == nullptr || answer->status == 200) return "";
  const Json body = Json::parse(answer->body);
  INFO(answer->body);
  CHECK(test::SchemaCheck(document()).mistake({{"$ref", "#/components/schemas/Problem"}}, body) == "");
  return std::to_string(answer->status) + " " + body.at("code").get<std::string>();
}

/// What the document says of it: the schema of the body, or one of all parameters.
std::string described_mistake(const net::RouteRow& row, const Json& values) {
  const Json& operation = operation_of(row);
  if (row.method == "POST") {
    return test::SchemaCheck(document())
        .mistake(operation.at("requestBody").at("content").at("application/json").at("schema"), values);
  }
  Json schema = {{"type", "object"}, {"properties", Json::object()}, {"required", Json::array()}};
  if (described_problems(row).contains(label(Problem::unknown_field))) {
    schema["additionalProperties"] = false;
  }
  for (const Json& parameter : operation.at("parameters")) {
    if (parameter.at("in") != "query") continue;
    schema["properties"][parameter.at("name").get<std::string>()] = parameter.at("schema");
    if (parameter.at("required") == true) schema["required"].push_back(parameter.at("name"));
  }
  return test::SchemaCheck(document()).mistake(schema, values);
}

/// Values good and bad for any member.
std::vector<Json> values_to_try(const net::Shape shape) {
  std::vector<Json> values = {"",
                              "alice",
                              "sys:issue:USD",
                              "sys",
                              "-a",
                              "a b",
                              "\u00e4",
                              std::string(64, 'a'),
                              std::string(65, 'a'),
                              "USD",
                              "usd",
                              "XAU",
                              "JPY",
                              "0",
                              "0.00",
                              "1",
                              "1.",
                              "01",
                              "-1",
                              "1e2",
                              "1.005",
                              "1.2345",
                              "1.23456",
                              "0.0001",
                              "9999999999999999999",
                              "92233720368547758.07",
                              "92233720368547758.08",
                              "12345678901234567890",
                              id,
                              "6F1C2A52-1D0E-4B3C-9A61-0F9D3F1C7E21",
                              id + "0",
                              "6f1c2a521d0e4b3c9a610f9d3f1c7e21",
                              "linearizable",
                              "session",
                              nullptr,
                              true,
                              0,
                              1,
                              600,
                              2678400,
                              2678401,
                              -1,
                              1.5,
                              Json::array(),
                              Json::object(),
                              Json::array({1})};
  if (shape == net::Shape::split_parts) {
    const Json part = {{"to_account", "bob"}, {"amount", "1.00"}};
    for (const net::Field& field : {net::Field{"to_account", net::Shape::account}, {"amount", net::Shape::amount}}) {
      for (const Json& value : values_to_try(field.shape)) {
        Json changed = part;
        changed[std::string(field.name)] = value;
        values.push_back(Json::array({part, changed}));
      }
    }
    values.push_back(Json::array({{{"to_account", "bob"}}}));
    values.push_back(Json::array({{{"to_account", "bob"}, {"amount", "1"}, {"fee", 1}}}));
    values.push_back(Json(16, part));
    values.push_back(Json(17, part));
  }
  return values;
}

/// What a schema cannot say: decimals by currency, sums, and that two members differ.
bool is_beyond_schemas(const std::string& refusal) {
  return refusal == label(Problem::amount_precision) || refusal == label(Problem::amount_too_large) ||
         refusal == label(Problem::same_account);
}

/// Whether reader and document agree about these values; what the reader says of them.
std::string check_agreement(const net::RouteRow& row, const Json& values) {
  const std::string refusal = refusal_of(row, request_of(row, values));
  const std::string mistake = described_mistake(row, values);
  INFO(row.path << " " << values.dump() << " -> " << refusal << "; by its schema: " << mistake);
  CHECK((refusal.empty() || is_beyond_schemas(refusal)) == mistake.empty());
  return refusal;
}

/// Every change of one member of a good request.
Codes refusals_of_members(const net::RouteRow& row) {
  const net::RouteContract& contract = net::contract_of(row.route);
  const std::vector<net::Field>& fields = row.method == "POST" ? contract.body : contract.query;
  const Json good = good_values(fields);
  CHECK(check_agreement(row, good) == "");
  Json more = good;
  more["note"] = "x";
  Codes refusals = {check_agreement(row, more)};
  for (const net::Field& field : fields) {
    Json less = good;
    less.erase(std::string(field.name));
    refusals.insert(check_agreement(row, less));
    for (const Json& value : values_to_try(field.shape)) {
      if (row.method == "GET" && !value.is_string()) continue;
      Json changed = good;
      changed[std::string(field.name)] = value;
      refusals.insert(check_agreement(row, changed));
    }
  }
  return refusals;
}

/// What is wrong around the members: media types, the query, the path, the key.
Codes refusals_around(const net::RouteRow& row) {
  const net::RouteContract& contract = net::contract_of(row.route);
  const HttpRequest good = request_of(row, good_values(row.method == "POST" ? contract.body : contract.query));
  std::vector<HttpRequest> requests(row.method == "POST" ? 9 : 5, good);
  requests[0].accept = "text/html";
  requests[1].query = "a=%";
  requests[2].query = "a=1&a=2";
  requests[3].idempotency_key = "7f1c2a52-1d0e-4b3c-9a61-0f9d3f1c7e21";
  if (!contract.path.empty())
    requests[4].path.replace(requests[4].path.find(contract.path[0].shape == net::Shape::uuid ? id : "alice"), 5,
                             "%20");
  if (row.method == "POST") {
    requests[5].content_type = "text/plain";
    requests[6].body = "{";
    requests[7].body = R"({"a":1,"a":2})";
    requests[8].query = "dry_run=true";
  }
  Codes refusals;
  for (const HttpRequest& request : requests) {
    refusals.insert(refusal_of(row, request));
  }
  return refusals;
}

/// What the node says, or the port that holds the connection: no mistakes of a request that can be read whole.
Codes told_later(const net::RouteContract& contract) {
  Codes codes;
  for (const Problem problem : {Problem::body_too_large, Problem::headers_too_large, Problem::overloaded,
                                Problem::no_leader, Problem::outcome_unknown, Problem::in_flight, Problem::internal}) {
    codes.insert(label(problem));
  }
  for (const Outcome outcome : contract.decided) {
    codes.insert(label(net::problem_of(outcome)));
  }
  return codes;
}

}  // namespace

TEST_CASE("every route of the table is described, once, under its method and listener, and nothing else is") {
  CHECK(document().at("openapi") == "3.1.0");
  std::size_t operations = 0;
  for (const auto& [path, methods] : document().at("paths").items()) {
    operations += methods.size();
  }
  CHECK(operations == net::all_routes().size());
  CHECK(net::all_contracts().size() == net::all_routes().size());
  for (const net::RouteRow& row : net::all_routes()) {
    INFO(row.path);
    const Json& operation = operation_of(row);
    CHECK(operation.at("tags") == Json::array({row.listener == HttpListener::clients ? "clients" : "admin"}));
    CHECK(operation.contains("requestBody") == (row.method == "POST"));
    CHECK((row.path.find("{id}") != std::string_view::npos) == (net::contract_of(row.route).path.size() == 1));
    for (const int status : net::contract_of(row.route).statuses) {
      CHECK(operation.at("responses").at(std::to_string(status)).at("content").contains("application/json"));
    }
  }
  check_references(document());
}

TEST_CASE("each route is described with each problem it can answer, and no other") {
  Codes all = {label(Problem::route_not_found), label(Problem::method_not_allowed)};
  for (const net::RouteRow& row : net::all_routes()) {
    Codes expected;
    for (const Problem problem : net::problems_of(net::contract_of(row.route))) {
      expected.insert(label(problem));
    }
    INFO(row.path);
    CHECK(described_problems(row) == expected);
    all.insert(expected.begin(), expected.end());
  }
  // Of the table of problems only these are nobody's over HTTP: nothing decides them yet, or the binary port alone.
  for (const Problem nobodys : {Problem::limit_exceeded, Problem::draining, Problem::change_under_way}) {
    CHECK(all.insert(label(nobodys)).second);
  }
  CHECK(all.size() == net::all_problems().size());
  for (const auto& [code, promise] : document().at("x-problems").items()) {
    CHECK(all.contains(std::to_string(promise.at("status").get<int>()) + " " + code));
  }
  CHECK(document()["x-problems"].size() == net::all_problems().size() - 3);
}

TEST_CASE("property: what a reader takes has no mistake by its schema, and what it refuses has one") {
  for (const net::RouteRow& row : net::all_routes()) {
    const net::RouteContract& contract = net::contract_of(row.route);
    Codes seen = refusals_of_members(row);
    seen.merge(refusals_around(row));
    seen.erase("");
    Codes expected = described_problems(row);
    for (const std::string& later : told_later(contract)) {
      if (!seen.contains(later)) expected.erase(later);
    }
    INFO(row.method << " " << row.path);
    CHECK(seen == expected);
  }
}

TEST_CASE("a parameter that a write does not know is refused, for it may have been meant to change what is done") {
  for (const net::RouteRow& row : net::all_routes()) {
    if (row.method != "POST") continue;
    HttpRequest request = request_of(row, good_values(net::contract_of(row.route).body));
    CHECK(refusal_of(row, request) == "");
    request.query = "dry_run=true";
    INFO(row.path);
    CHECK(refusal_of(row, request) == "400 unknown-field");
  }
}

TEST_CASE("the description is served on the listener of clients") {
  const net::RouteRow& row = net::row_of(HttpRoute::openapi);
  const auto read = net::read_call(HttpListener::clients, request_of(row, Json::object()));
  REQUIRE(std::holds_alternative<HttpResponse>(read));
  CHECK(std::get<HttpResponse>(read).body == net::openapi_document());
  CHECK(std::get<HttpResponse>(read).content_type == "application/json");
}
