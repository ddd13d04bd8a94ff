#include "net/http/openapi.h"

#include <algorithm>
#include <map>
#include <set>

#include <nlohmann/json.hpp>

#include "net/http/calls.h"
#include "net/http/contract.h"

namespace coffer::net {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view about =
    "Amounts are decimal strings, never numbers. 200 and 4xx are final, but for 409 in-flight (it goes on), other 409s "
    "that are retryable (nothing was done yet) and 410 id-expired (nobody knows any more); 503 was certainly not "
    "executed; 504 outcome-unknown: ask again with the same id, which moves the money once. A path that is not here is "
    "answered with 404 route-not-found, and one with other methods with 405 method-not-allowed and Allow. A head has "
    "at most ";

/// Every three letters that are a currency.
Json currencies() {
  Json codes = Json::array();
  for (int n = 0; n < 26 * 26 * 26; ++n) {
    const std::string code = {static_cast<char>('A' + n / 676), static_cast<char>('A' + n / 26 % 26),
                              static_cast<char>('A' + n % 26)};
    if (parse_currency(code)) {
      codes.push_back(code);
    }
  }
  return codes;
}

Json text(std::string_view pattern) { return {{"type", "string"}, {"pattern", pattern}}; }

Json one_of(std::initializer_list<std::string_view> values) {
  return {{"type", "string"}, {"enum", std::vector<std::string_view>(values)}};
}

Json named(std::string_view schema) { return {{"$ref", "#/components/schemas/" + std::string(schema)}}; }

Json list_of(Json items) { return {{"type", "array"}, {"items", std::move(items)}}; }

/// An object with these members and no others; the ones in `optional` may be missing.
Json object(Json members, const std::set<std::string>& optional = {}) {
  Json required = Json::array();
  for (const auto& [name, schema] : members.items()) {
    if (!optional.contains(name)) {
      required.push_back(name);
    }
  }
  return {{"type", "object"},
          {"required", std::move(required)},
          {"properties", std::move(members)},
          {"additionalProperties", false}};
}

Json schema_of(Shape shape) {
  switch (shape) {
    case Shape::account:
      return named("AccountId");
    case Shape::currency:
      return named("Currency");
    case Shape::amount:
      return named("Amount");
    case Shape::uuid:
      return named("Uuid");
    case Shape::lifetime_s:
      return {{"type", "integer"}, {"minimum", 1}, {"maximum", router::hold_expires_in_ms_max / 1000}};
    case Shape::split_parts: {
      Json parts = list_of(object({{"to_account", named("AccountId")}, {"amount", named("Amount")}}));
      parts["minItems"] = 1;
      parts["maxItems"] = router::split_parts_max;
      return parts;
    }
    case Shape::consistency: {
      Json consistency = one_of({"linearizable", "eventual"});
      consistency["default"] = "linearizable";
      return consistency;
    }
    case Shape::flag:
      return {{"type", "string"}};
  }
  return {};
}

// ---- what is answered ----------------------------------------------------------------------------------------------

Json value_schemas() {
  return {
      {"AccountId", text("^(?!sys:)[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$")},
      {"Currency", {{"type", "string"}, {"enum", currencies()}}},
      {"Amount", text("^(?=.*[1-9])(0|[1-9][0-9]{0,18})(\\.[0-9]{1,4})?$")},
      {"Sum", text("^-?(0|[1-9][0-9]*)(\\.[0-9]+)?$")},
      {"Uuid", text("^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$")},
      {"Time", text("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{9}Z$")},
      {"Position", text("^s[0-9]+@[0-9]+$")},
      {"Positions", text("^s[0-9]+@[0-9]+(,s[0-9]+@[0-9]+)*$")},
      {"Count", {{"type", "integer"}, {"minimum", 0}}},
      {"Nodes", list_of(named("Count"))},
      {"AsOf", object({{"position", named("Position")},
                       {"time", named("Time")},
                       {"consistency", one_of({"linearizable", "eventual"})},
                       {"staleness_ms", named("Count")}})},
  };
}

Json money_schemas() {
  const Json moved = {
      {"transaction_id", named("Uuid")}, {"position", named("Positions")}, {"committed_at", named("Time")}};
  Json simple = {{"status", one_of({"success"})}};
  simple.update(moved);
  Json captured = simple;
  captured["hold_id"] = named("Uuid");
  const Json leg = {{"leg", one_of({"entry", "debit", "credit"})},
                    {"shard", named("Count")},
                    {"state", one_of({"pending"})},
                    {"position", named("Position")},
                    {"committed_at", named("Time")}};
  const Json phase = {{"phase", {{"type", "string"}}}, {"leg", {{"type", "string"}}},
                      {"shard", named("Count")},       {"state", {{"type", "string"}}},
                      {"position", named("Position")}, {"committed_at", named("Time")}};
  Json status = moved;
  status.update({{"operation", one_of({"transfer", "deposit", "withdrawal", "split"})},
                 {"state", one_of({"pending", "success", "refused"})},
                 {"code", {{"type", "string"}}},
                 {"protocol", {{"type", "string"}}},
                 {"legs", list_of(object(leg, {"state", "position", "committed_at"}))},
                 {"phases", list_of(object(phase, {"position", "committed_at"}))}});
  return {{"Moved", object(simple)}, {"Captured", object(captured)}, {"TransferStatus", object(status, {"code"})}};
}

Json account_schemas() {
  const Json pocket = {{"account", named("AccountId")}, {"currency", named("Currency")}};
  Json balance = pocket;
  balance.update(
      {{"balance", named("Sum")}, {"held", named("Sum")}, {"available", named("Sum")}, {"as_of", named("AsOf")}});
  const Json states = one_of({"open", "frozen", "closed"});
  return {{"Opened", object(pocket)},
          {"Balance", object(balance)},
          {"Account", object({{"account", named("AccountId")}, {"state", states}, {"as_of", named("AsOf")}})},
          {"AccountChanged", object({{"account", named("AccountId")},
                                     {"state", states},
                                     {"already", {{"type", "boolean"}}},
                                     {"transaction_id", named("Uuid")},
                                     {"position", named("Position")}})}};
}

Json hold_schemas() {
  return {{"Held", object({{"status", one_of({"held"})},
                           {"hold_id", named("Uuid")},
                           {"transaction_id", named("Uuid")},
                           {"expires_at", named("Time")},
                           {"position", named("Position")},
                           {"committed_at", named("Time")}})},
          {"Voided", object({{"status", one_of({"voided"})},
                             {"hold_id", named("Uuid")},
                             {"already", {{"type", "boolean"}}},
                             {"position", named("Position")}})},
          {"Hold", object({{"hold_id", named("Uuid")},
                           {"account", named("AccountId")},
                           {"state", one_of({"held", "captured", "voided", "expired"})},
                           {"amount", named("Amount")},
                           {"currency", named("Currency")},
                           {"expires_at", named("Time")},
                           {"transaction_id", named("Uuid")},
                           {"as_of", named("AsOf")}},
                          {"transaction_id"})}};
}

/// What operators are told grows with what there is to tell, so members that are not here are no mistake.
Json operator_schemas() {
  const Json open = {{"type", "object"}};
  const Json total = object({{"currency", named("Currency")}, {"total", named("Sum")}});
  const Json row = object({{"shard", named("Count")},
                           {"currency", named("Currency")},
                           {"customers", named("Sum")},
                           {"issue", named("Sum")},
                           {"transit", named("Sum")},
                           {"total", named("Sum")}});
  return {{"TrialBalance",
           object({{"balanced", {{"type", "boolean"}}}, {"totals", list_of(total)}, {"rows", list_of(row)}})},
          {"Description", open},
          {"Cluster", open},
          {"Node",
           {{"type", "object"},
            {"required", {"node", "ready", "shards"}},
            {"properties", {{"node", named("Count")}, {"ready", {{"type", "boolean"}}}, {"shards", list_of(open)}}}}},
          {"Alive", object({{"status", one_of({"alive"})}})},
          {"Ready", object({{"status", one_of({"ready", "not ready"})},
                            {"recovered", {{"type", "boolean"}}},
                            {"shards", list_of(open)}},
                           {"recovered", "shards"})}};
}

Json problem_schema() {
  const Json string = {{"type", "string"}};
  return object({{"type", text("^urn:coffer:problem:[a-z0-9-]+$")},
                 {"title", string},
                 {"status", named("Count")},
                 {"detail", string},
                 {"code", string},
                 {"retryable", {{"type", "boolean"}}},
                 {"outcome", one_of({"none", "rejected", "unknown"})},
                 {"transaction_id", named("Uuid")},
                 {"hold_id", named("Uuid")},
                 {"expected_number", named("Count")},
                 {"expected_transaction_id", named("Uuid")},
                 {"errors", list_of(object({{"pointer", string}, {"code", string}}))}},
                {"transaction_id", "hold_id", "expected_number", "expected_transaction_id", "errors"});
}

// ---- what is asked -------------------------------------------------------------------------------------------------

Json parameters_of(const RouteContract& contract) {
  Json parameters = Json::array();
  for (const Field& field : contract.path) {
    parameters.push_back({{"name", "id"},
                          {"in", "path"},
                          {"required", true},
                          {"description", field.name},
                          {"schema", schema_of(field.shape)}});
  }
  for (const Field& field : contract.query) {
    parameters.push_back(
        {{"name", field.name}, {"in", "query"}, {"required", field.required}, {"schema", schema_of(field.shape)}});
  }
  const std::vector<Problem> problems = problems_of(contract);
  const auto may_answer = [&problems](Problem problem) {
    return std::find(problems.begin(), problems.end(), problem) != problems.end();
  };
  if (may_answer(Problem::idempotency_key_mismatch)) {
    parameters.push_back({{"name", "Idempotency-Key"},
                          {"in", "header"},
                          {"required", false},
                          {"description", "repeats the id of the request"},
                          {"schema", named("Uuid")}});
  }
  if (may_answer(Problem::overloaded)) {
    parameters.push_back({{"name", "Prefer"},
                          {"in", "header"},
                          {"required", false},
                          {"description", "wait=SECONDS bounds how long the answer may take (RFC 7240, 4.3)"},
                          {"schema", {{"type", "string"}}}});
  }
  return parameters;
}

Json body_of(const RouteContract& contract) {
  Json members = Json::object();
  std::set<std::string> optional;
  for (const Field& field : contract.body) {
    members[std::string(field.name)] = schema_of(field.shape);
    if (!field.required) {
      optional.insert(std::string(field.name));
    }
  }
  const bool may_be_empty = optional.size() == contract.body.size();
  return {{"required", !may_be_empty},
          {"content", {{"application/json", {{"schema", object(std::move(members), optional)}}}}}};
}

/// All problems of one status are one response: its code says which.
Json problem_response(const std::vector<Problem>& problems) {
  Json codes = Json::array();
  std::string titles;
  bool retryable = false;
  for (const Problem problem : problems) {
    const ProblemRow& row = row_of(problem);
    codes.push_back(row.code);
    titles.append(titles.empty() ? "" : ". ").append(row.code).append(": ").append(row.title);
    retryable = retryable || (row.retryable && row.status != 500);
  }
  Json schema = named("Problem");
  schema["properties"] = {{"code", {{"enum", codes}}}};
  Json response = {{"description", titles}, {"content", {{"application/problem+json", {{"schema", schema}}}}}};
  if (retryable) {
    response["headers"] = {{"Retry-After", {{"schema", named("Count")}}}};
  }
  return response;
}

Json responses_of(const RouteContract& contract) {
  std::map<int, Json> responses;
  std::map<int, std::vector<Problem>> problems;
  for (const Problem problem : problems_of(contract)) {
    problems[row_of(problem).status].push_back(problem);
  }
  for (const auto& [status, codes] : problems) {
    responses[status] = problem_response(codes);
  }
  for (const int status : contract.statuses) {
    Json& response = responses[status];
    const std::string description =
        response.is_null() ? std::string() : "; " + response["description"].get<std::string>();
    response["description"] = std::string(contract.answer) + description;
    response["content"]["application/json"]["schema"] = named(contract.answer);
  }
  Json out = Json::object();
  for (auto& [status, response] : responses) {
    out[std::to_string(status)] = std::move(response);
  }
  return out;
}

Json operation_of(const RouteRow& row) {
  const RouteContract& contract = contract_of(row.route);
  Json operation = {{"summary", contract.summary},
                    {"tags", {row.listener == HttpListener::clients ? "clients" : "admin"}},
                    {"parameters", parameters_of(contract)}};
  if (row.method == "POST") {
    operation["requestBody"] = body_of(contract);
  }
  operation["responses"] = responses_of(contract);
  return operation;
}

std::string lower(std::string_view text) {
  std::string out;
  for (const char c : text) {
    out.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
  }
  return out;
}

/// What each code that is ever answered promises.
Json promises() {
  std::set<Problem> answered = {Problem::route_not_found, Problem::method_not_allowed};
  for (const RouteContract& contract : all_contracts()) {
    const std::vector<Problem> problems = problems_of(contract);
    answered.insert(problems.begin(), problems.end());
  }
  Json out = Json::object();
  for (const Problem problem : answered) {
    const ProblemRow& row = row_of(problem);
    out[std::string(row.code)] = {
        {"status", row.status}, {"title", row.title}, {"retryable", row.retryable}, {"outcome", row.outcome}};
  }
  return out;
}

Json document() {
  Json schemas = value_schemas();
  for (const Json& more : {money_schemas(), account_schemas(), hold_schemas(), operator_schemas()}) {
    schemas.update(more);
  }
  schemas["Problem"] = problem_schema();
  Json paths = Json::object();
  for (const RouteRow& row : all_routes()) {
    paths[std::string(row.path)][lower(row.method)] = operation_of(row);
  }
  const std::string description = std::string(about) + std::to_string(http_header_bytes_max) +
                                  " bytes, a body at most " + std::to_string(http_body_bytes_max) + ".";
  return {{"openapi", "3.1.0"},
          {"info", {{"title", "coffer"}, {"version", "1"}, {"description", description}}},
          {"tags",
           {{{"name", "clients"}, {"description", "on the listener `http`"}},
            {{"name", "admin"}, {"description", "on the listener `admin`"}}}},
          {"paths", std::move(paths)},
          {"components", {{"schemas", std::move(schemas)}}},
          {"x-problems", promises()}};
}

}  // namespace

const std::string& openapi_document() {
  static const std::string text = document().dump();
  return text;
}

}  // namespace coffer::net
