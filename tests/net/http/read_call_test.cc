// What the edge says without asking anybody: every refusal that needs no state, and what is asked otherwise.
#include <catch2/catch.hpp>

#include "core/base/hash.h"
#include "net/http/calls.h"
#include "net/http/strict_json.h"

using namespace coffer;
using net::Call;
using net::HttpListener;
using net::HttpRequest;
using net::HttpResponse;

namespace {

const std::string id = "6f1c2a52-1d0e-4b3c-9a61-0f9d3f1c7e21";
const std::string transfer_path = "/v1/wallet/balance_transfer";

HttpRequest post(const std::string& path, const std::string& body) {
  return {.method = "POST",
          .path = path,
          .query = "",
          .accept = "",
          .content_type = "application/json",
          .idempotency_key = "",
          .prefer = "",
          .body = body};
}

HttpRequest get(const std::string& path, const std::string& query = "") {
  return {.method = "GET",
          .path = path,
          .query = query,
          .accept = "",
          .content_type = "",
          .idempotency_key = "",
          .prefer = "",
          .body = ""};
}

/// A good transfer with one member replaced (or left out, where `value` is empty).
std::string transfer(const std::string& key = "", const std::string& value = "") {
  const std::vector<std::pair<std::string, std::string>> members = {{"from_account", "\"alice\""},
                                                                    {"to_account", "\"bob\""},
                                                                    {"amount", "\"12.50\""},
                                                                    {"currency", "\"USD\""},
                                                                    {"transaction_id", "\"" + id + "\""}};
  std::string body;
  for (const auto& [name, good] : members) {
    const std::string& text = name == key ? value : good;
    if (!text.empty()) {
      body += (body.empty() ? "{\"" : ",\"") + name + "\":" + text;
    }
  }
  return body + "}";
}

/// A good hold with one member replaced (or left out, where `value` is empty).
std::string hold(const std::string& key = "", const std::string& value = "") {
  const std::vector<std::pair<std::string, std::string>> members = {{"account", "\"alice\""},
                                                                    {"amount", "\"40.00\""},
                                                                    {"currency", "\"USD\""},
                                                                    {"transaction_id", "\"" + id + "\""},
                                                                    {"expires_in", "600"}};
  std::string body;
  for (const auto& [name, good] : members) {
    const std::string& text = name == key ? value : good;
    if (!text.empty()) {
      body += (body.empty() ? "{\"" : ",\"") + name + "\":" + text;
    }
  }
  return body + "}";
}

std::string member(const HttpResponse& response, const std::string& key) {
  const net::JsonDocument document = net::parse_json(response.body);
  const net::JsonValue* value = document.root.find(key);
  return value == nullptr ? "" : value->text;
}

HttpResponse refusal(const HttpRequest& request, HttpListener listener = HttpListener::clients) {
  const auto read = net::read_call(listener, request);
  REQUIRE(std::holds_alternative<HttpResponse>(read));
  return std::get<HttpResponse>(read);
}

/// Its views point into the call.
router::Request asked(const Call& call) {
  const Result<router::Request> request = router::decode_request(call.request);
  REQUIRE(request.has_value());
  return *request;
}

Call call_of(const HttpRequest& request, HttpListener listener = HttpListener::clients) {
  auto read = net::read_call(listener, request);
  if (const auto* answer = std::get_if<HttpResponse>(&read)) {
    FAIL(answer->body);
  }
  return std::move(std::get<Call>(read));
}

}  // namespace

TEST_CASE("each mistake in a transfer's body has its code and its place") {
  struct Row {
    std::string body;
    std::string code;
    std::string pointer;
  };
  const std::vector<Row> rows = {
      {"", "malformed-json", ""},
      {"[]", "malformed-json", ""},
      {"\"x\"", "malformed-json", ""},
      {"{\"from_account\":", "malformed-json", "/from_account"},
      {transfer() + "x", "malformed-json", ""},
      {"\xEF\xBB\xBF" + transfer(), "malformed-json", ""},
      {transfer("amount", "[[[[[[[[[1]]]]]]]]]"), "malformed-json", "/amount/0/0/0/0/0/0/0"},
      {transfer("amount", "\"1\",\"amount\":\"1\""), "duplicate-json-key", "/amount"},
      {transfer("amount", "\"1\",\"extra\":\"1\""), "unknown-field", "/extra"},
      {transfer("from_account"), "missing-field", "/from_account"},
      {transfer("to_account"), "missing-field", "/to_account"},
      {transfer("amount"), "missing-field", "/amount"},
      {transfer("currency"), "missing-field", "/currency"},
      {transfer("transaction_id"), "missing-field", "/transaction_id"},
      {transfer("amount", "12.5"), "invalid-amount", "/amount"},
      {transfer("amount", "12"), "invalid-amount", "/amount"},
      {transfer("amount", "null"), "invalid-amount", "/amount"},
      {transfer("amount", "\"0\""), "invalid-amount", "/amount"},
      {transfer("amount", "\"0.00\""), "invalid-amount", "/amount"},
      {transfer("amount", "\"-1\""), "invalid-amount", "/amount"},
      {transfer("amount", "\"+1\""), "invalid-amount", "/amount"},
      {transfer("amount", "\"1e2\""), "invalid-amount", "/amount"},
      {transfer("amount", "\"01\""), "invalid-amount", "/amount"},
      {transfer("amount", "\" 1\""), "invalid-amount", "/amount"},
      {transfer("amount", "\"1.\""), "invalid-amount", "/amount"},
      {transfer("amount", "\".5\""), "invalid-amount", "/amount"},
      {transfer("amount", "\"1,000\""), "invalid-amount", "/amount"},
      {transfer("amount", "\"\""), "invalid-amount", "/amount"},
      {transfer("amount", "\"1.23456\""), "invalid-amount", "/amount"},
      {transfer("amount", "\"1.005\""), "amount-precision", "/amount"},
      {transfer("amount", "\"92233720368547758.08\""), "amount-too-large", "/amount"},
      {transfer("amount", "\"9999999999999999999\""), "amount-too-large", "/amount"},
      {transfer("currency", "\"usd\""), "unsupported-currency", "/currency"},
      {transfer("currency", "\"XXX\""), "unsupported-currency", "/currency"},
      {transfer("currency", "\"XAU\""), "unsupported-currency", "/currency"},
      {transfer("currency", "840"), "unsupported-currency", "/currency"},
      {transfer("from_account", "\"\""), "invalid-account-id", "/from_account"},
      {transfer("from_account", "\"-alice\""), "invalid-account-id", "/from_account"},
      {transfer("from_account", "\"al ice\""), "invalid-account-id", "/from_account"},
      {transfer("from_account", "\"\\u00e4lice\""), "invalid-account-id", "/from_account"},
      {transfer("from_account", "\"" + std::string(65, 'a') + "\""), "invalid-account-id", "/from_account"},
      {transfer("from_account", "\"sys:issue:USD\""), "invalid-account-id", "/from_account"},
      {transfer("to_account", "7"), "invalid-account-id", "/to_account"},
      {transfer("to_account", "\"sys:transit:USD:2\""), "invalid-account-id", "/to_account"},
      {transfer("transaction_id", "\"1\""), "invalid-uuid", "/transaction_id"},
      {transfer("transaction_id", "true"), "invalid-uuid", "/transaction_id"},
      {transfer("to_account", "\"alice\""), "same-account", "/to_account"},
  };
  for (const Row& row : rows) {
    const HttpResponse response = refusal(post(transfer_path, row.body));
    INFO(row.body << " -> " << response.body);
    CHECK(response.status == 400);
    CHECK(response.content_type == "application/problem+json");
    CHECK(member(response, "code") == row.code);
    const net::JsonDocument document = net::parse_json(response.body);
    REQUIRE(document.root.find("errors") != nullptr);
    CHECK(document.root.find("errors")->items.front().find("pointer")->text == row.pointer);
    CHECK(document.root.find("errors")->items.front().find("code")->text == row.code);
  }
}

TEST_CASE("all mistakes of a body are told at once") {
  const HttpResponse response = refusal(post(transfer_path, "{\"amount\":1,\"x\":2}"));
  const net::JsonDocument document = net::parse_json(response.body);
  CHECK(document.root.find("errors")->items.size() == 6);
}

TEST_CASE("a good transfer asks for exactly itself") {
  const Call call = call_of(post(transfer_path, transfer()));
  const router::Request request = asked(call);
  CHECK(request.header.kind == router::RequestKind::transfers);
  CHECK(request.header.route == router::Route::proxied);
  CHECK(request.header.patience_ms == 5000);
  const auto& items = std::get<router::TransfersRequest>(request.body).items;
  REQUIRE(items.size() == 1);
  CHECK(items[0].operation == router::TransferOperation::transfer);
  CHECK(items[0].amount == 1250);
  CHECK(items[0].debit == "alice");
  CHECK(items[0].credit == "bob");
  CHECK(items[0].currency == currency_of("USD"));
  CHECK(call.account == "alice");
}

TEST_CASE("deposits and withdrawals name one account, and the other side is the wallet's") {
  const std::string body =
      "{\"account\":\"alice\",\"amount\":\"1000\",\"currency\":\"JPY\",\"transaction_id\":\"" + id + "\"}";
  const Call deposit = call_of(post("/v1/deposits", body));
  const auto in = std::get<router::TransfersRequest>(asked(deposit).body).items[0];
  CHECK(in.operation == router::TransferOperation::deposit);
  CHECK(in.debit.empty());
  CHECK(in.amount == 1000);
  CHECK(deposit.account == "alice");
  const Call withdrawal = call_of(post("/v1/withdrawals", body));
  const auto out = std::get<router::TransfersRequest>(asked(withdrawal).body).items[0];
  CHECK(out.operation == router::TransferOperation::withdrawal);
  CHECK(out.credit.empty());
  CHECK(member(refusal(post("/v1/deposits", "{}")), "code") == "missing-field");
}

TEST_CASE("routes, methods and media types are judged before bodies") {
  struct Row {
    std::string method;
    std::string path;
    std::string accept;
    std::string content_type;
    int status;
    std::string code;
  };
  const std::string json = "application/json";
  const std::vector<Row> rows = {
      {"POST", "/v2/x", "", json, 404, "route-not-found"},
      {"GET", "/v1/admin/trial_balance", "", "", 404, "route-not-found"},
      {"GET", transfer_path, "", "", 405, "method-not-allowed"},
      {"PUT", "/v1/accounts", "", json, 405, "method-not-allowed"},
      {"HEAD", "/v1/accounts/alice/balance", "", "", 405, "method-not-allowed"},
      {"GET", "/v1/accounts/alice", "text/html", "", 406, "not-acceptable"},
      {"POST", transfer_path, "application/json;q=0", json, 406, "not-acceptable"},
      {"POST", transfer_path, "", "", 415, "unsupported-media-type"},
      {"POST", transfer_path, "", "text/plain", 415, "unsupported-media-type"},
      {"POST", transfer_path, "", "application/json; charset=latin1", 415, "unsupported-media-type"},
      {"POST", transfer_path, "text/html, */*;q=0.1", "Application/JSON; Charset=UTF-8", 400, "malformed-json"},
      {"POST", transfer_path, "application/*", json, 400, "malformed-json"},
  };
  for (const Row& row : rows) {
    HttpRequest request = post(row.path, "");
    request.method = row.method;
    request.accept = row.accept;
    request.content_type = row.content_type;
    const HttpResponse response = refusal(request);
    INFO(row.method << " " << row.path << " " << row.accept << " " << row.content_type);
    CHECK(response.status == row.status);
    CHECK(member(response, "code") == row.code);
  }
}

TEST_CASE("the Idempotency-Key, where sent, repeats the transaction id") {
  HttpRequest request = post(transfer_path, transfer());
  for (const std::string& good : {id, "\"" + id + "\"", std::string("6F1C2A52-1D0E-4B3C-9A61-0F9D3F1C7E21")}) {
    request.idempotency_key = good;
    CHECK(std::holds_alternative<Call>(net::read_call(HttpListener::clients, request)));
  }
  for (const std::string wrong : {"x", "7f1c2a52-1d0e-4b3c-9a61-0f9d3f1c7e21"}) {
    request.idempotency_key = wrong;
    CHECK(member(refusal(request), "code") == "idempotency-key-mismatch");
    CHECK(member(refusal(request), "transaction_id") == id);
  }
}

TEST_CASE("Prefer wait bounds the patience (RFC 7240, 4.3)") {
  HttpRequest request = post(transfer_path, transfer());
  const std::vector<std::pair<std::string, std::uint32_t>> rows = {
      {"wait=2", 2000}, {"respond-async, wait=7", 7000}, {"wait=0", 1}, {"wait=100000", 60'000}, {"wait=x", 5000}};
  for (const auto& [prefer, patience_ms] : rows) {
    request.prefer = prefer;
    CHECK(asked(call_of(request)).header.patience_ms == patience_ms);
  }
}

TEST_CASE("reads are as strict as writes") {
  struct Row {
    std::string path;
    std::string query;
    std::string code;
  };
  const std::vector<Row> rows = {
      {"/v1/accounts/alice/balance", "", "missing-field"},
      {"/v1/accounts/alice/balance", "currency=ZZZ", "unsupported-currency"},
      {"/v1/accounts/alice/balance", "currency=USD&consistency=session", "invalid-parameter"},
      {"/v1/accounts/alice/balance", "currency=USD&currency=USD", "invalid-parameter"},
      {"/v1/accounts/alice/balance", "currency=USD&as_of=x", "unknown-field"},
      {"/v1/accounts/alice/balance", "currency=%", "malformed-request"},
      {"/v1/accounts/sys:issue:USD/balance", "currency=USD", "invalid-account-id"},
      {"/v1/accounts/%20/balance", "currency=USD", "invalid-account-id"},
      {"/v1/accounts/a%00b", "", "invalid-account-id"},
      {"/v1/accounts/alice", "x=1", "unknown-field"},
      {"/v1/transfers/xyz", "", "invalid-uuid"},
      {"/v1/transfers/" + id, "from_account=sys:x", "invalid-account-id"},
      {"/v1/transfers/" + id, "from=alice", "unknown-field"},
  };
  for (const Row& row : rows) {
    const HttpResponse response = refusal(get(row.path, row.query));
    INFO(row.path << "?" << row.query << " -> " << response.body);
    CHECK(response.status == 400);
    CHECK(member(response, "code") == row.code);
  }
}

TEST_CASE("reads ask for what they name") {
  const Call balance = call_of(get("/v1/accounts/a:b/balance", "consistency=eventual&currency=USD"));
  CHECK(std::get<router::BalanceRequest>(asked(balance).body).consistency == router::Consistency::eventual);
  CHECK(std::get<router::BalanceRequest>(asked(balance).body).account == "a:b");
  const Call account = call_of(get("/v1/accounts/alice"));
  CHECK(std::get<router::AccountRequest>(asked(account).body).account == "alice");
  const Call status = call_of(get("/v1/transfers/" + id, "from_account=alice"));
  CHECK(std::get<router::TransferStatusRequest>(asked(status).body).account == "alice");
  const Call trial = call_of(get("/v1/admin/trial_balance"), HttpListener::admin);
  CHECK(asked(trial).header.kind == router::RequestKind::trial_balance);
  CHECK(call_of(get("/readyz", "verbose"), HttpListener::admin).verbose);
  CHECK(refusal(get("/livez"), HttpListener::admin).status == 200);
}

TEST_CASE("a change of an account takes its id from the body, the header or whoever took the request in") {
  const std::string path = "/v1/accounts/alice/freeze";
  const std::string with_id = "{\"transaction_id\":\"" + id + "\"}";
  HttpRequest request = post(path, with_id);
  request.fresh_id.bytes[0] = 7;
  const Call named = call_of(request);
  CHECK(named.account == "alice");
  CHECK(net::to_string(named.transaction) == id);
  const auto body = std::get<router::ChangeAccountRequest>(asked(named).body);
  CHECK(body.change == router::AccountChange::freeze);
  CHECK(body.account == "alice");
  CHECK(body.id == named.transaction);
  request.body = "{}";
  CHECK(call_of(request).transaction == request.fresh_id);
  request.body.clear();
  CHECK(call_of(request).transaction == request.fresh_id);
  request.content_type.clear();  // of no body
  CHECK(call_of(request).transaction == request.fresh_id);
  request.idempotency_key = id;
  CHECK(net::to_string(call_of(request).transaction) == id);

  request = post(path, "{}");
  CHECK(member(refusal(request), "code") == "missing-field");
  request.body = "{\"transaction_id\":\"x\"}";
  CHECK(member(refusal(request), "code") == "invalid-uuid");
  request.body = "{\"why\":\"fraud\"}";
  request.fresh_id.bytes[0] = 7;
  CHECK(member(refusal(request), "code") == "unknown-field");
  request.body = with_id;
  request.idempotency_key = "6f1c2a52-1d0e-4b3c-9a61-0f9d3f1c7e22";
  CHECK(member(refusal(request), "code") == "idempotency-key-mismatch");
  request.idempotency_key = "today";
  request.body = "{}";
  CHECK(member(refusal(request), "code") == "idempotency-key-mismatch");
  CHECK(member(refusal(post("/v1/accounts/sys:issue:USD/close", with_id)), "code") == "invalid-account-id");
  CHECK(member(refusal(post(path, "[]")), "code") == "malformed-json");
}

TEST_CASE("a good hold asks for exactly itself") {
  const Call call = call_of(post("/v1/holds", hold()));
  const router::Request request = asked(call);
  CHECK(request.header.kind == router::RequestKind::place_hold);
  const auto placed = std::get<router::PlaceHoldRequest>(request.body);
  CHECK(placed.account == "alice");
  CHECK(placed.amount == 4000);
  CHECK(placed.currency == currency_of("USD"));
  CHECK(net::to_string(placed.id) == id);
  CHECK(placed.expires_in_ms == 600'000);
  CHECK(call.account == "alice");
  CHECK(net::to_string(call.transaction) == id);
  const Call longest = call_of(post("/v1/holds", hold("expires_in", "2678400")));
  CHECK(std::get<router::PlaceHoldRequest>(asked(longest).body).expires_in_ms == 31ull * 24 * 3600 * 1000);
}

TEST_CASE("each mistake in a hold's body has its code and its place") {
  struct Row {
    std::string body;
    std::string code;
    std::string pointer;
  };
  const std::vector<Row> rows = {
      {hold("account"), "missing-field", "/account"},
      {hold("amount"), "missing-field", "/amount"},
      {hold("currency"), "missing-field", "/currency"},
      {hold("transaction_id"), "missing-field", "/transaction_id"},
      {hold("expires_in"), "missing-field", "/expires_in"},
      {hold("expires_in", "\"600\""), "invalid-parameter", "/expires_in"},
      {hold("expires_in", "0"), "invalid-parameter", "/expires_in"},
      {hold("expires_in", "-1"), "invalid-parameter", "/expires_in"},
      {hold("expires_in", "1.5"), "invalid-parameter", "/expires_in"},
      {hold("expires_in", "6e2"), "invalid-parameter", "/expires_in"},
      {hold("expires_in", "null"), "invalid-parameter", "/expires_in"},
      {hold("expires_in", "2678401"), "expiry-too-far", "/expires_in"},
      {hold("expires_in", "9223372036854775807"), "expiry-too-far", "/expires_in"},
      {hold("account", "\"sys:issue:USD\""), "invalid-account-id", "/account"},
      {hold("amount", "40"), "invalid-amount", "/amount"},
      {hold("amount", "\"0\""), "invalid-amount", "/amount"},
      {hold("amount", "\"40.001\""), "amount-precision", "/amount"},
      {hold("currency", "\"XAU\""), "unsupported-currency", "/currency"},
      {hold("transaction_id", "\"7\""), "invalid-uuid", "/transaction_id"},
      {hold("expires_in", "600,\"expires_at\":1"), "unknown-field", "/expires_at"},
  };
  for (const Row& row : rows) {
    const HttpResponse response = refusal(post("/v1/holds", row.body));
    INFO(row.body << " -> " << response.body);
    CHECK(response.status == 400);
    CHECK(member(response, "code") == row.code);
    const net::JsonDocument document = net::parse_json(response.body);
    REQUIRE(document.root.find("errors") != nullptr);
    CHECK(document.root.find("errors")->items.front().find("pointer")->text == row.pointer);
  }
}

namespace {

const std::string split_path = "/v1/wallet/split";

std::string split(const std::string& parts) {
  return R"({"from_account":"alice","currency":"USD","transaction_id":")" + id + R"(","parts":)" + parts + "}";
}

std::string part(const std::string& to, const std::string& amount) {
  return R"({"to_account":")" + to + R"(","amount":")" + amount + R"("})";
}

}  // namespace

TEST_CASE("a split is asked with its parts in their order") {
  const Call call = call_of(post(split_path, split("[" + part("bob", "12.50") + "," + part("carol", "0.01") + "]")));
  const router::Request request = asked(call);
  REQUIRE(request.header.kind == router::RequestKind::split);
  const auto& body = std::get<router::SplitRequest>(request.body);
  CHECK(body.account == "alice");
  CHECK(body.currency == currency_of("USD"));
  CHECK(net::to_string(body.id) == id);
  REQUIRE(body.parts.size() == 2);
  CHECK(body.parts[0].credit == "bob");
  CHECK(body.parts[0].amount == 1250);
  CHECK(body.parts[1].credit == "carol");
  CHECK(body.parts[1].amount == 1);
  CHECK(call.account == "alice");
}

TEST_CASE("each mistake in a split's body has its code and its place, in its part") {
  struct Row {
    std::string parts;
    std::string code;
    std::string pointer;
  };
  std::string many = "[";
  for (int i = 0; i < 17; ++i) many += (i == 0 ? "" : ",") + part("bob", "1.00");
  const std::vector<Row> rows = {
      {"[]", "invalid-parameter", "/parts"},
      {many + "]", "invalid-parameter", "/parts"},
      {"\"bob\"", "invalid-parameter", "/parts"},
      {"[5]", "invalid-parameter", "/parts/0"},
      {"[" + part("bob", "1.00") + ",{\"amount\":\"1.00\"}]", "missing-field", "/parts/1/to_account"},
      {"[{\"to_account\":\"bob\"}]", "missing-field", "/parts/0/amount"},
      {"[" + part("sys:x", "1.00") + "]", "invalid-account-id", "/parts/0/to_account"},
      {"[" + part("bob", "0.00") + "]", "invalid-amount", "/parts/0/amount"},
      {"[" + part("bob", "0.001") + "]", "amount-precision", "/parts/0/amount"},
      {"[{\"to_account\":\"bob\",\"amount\":\"1.00\",\"fee\":true}]", "unknown-field", "/parts/0/fee"},
      {"[" + part("bob", "1.00") + "," + part("alice", "1.00") + "]", "same-account", "/parts/1/to_account"},
      {"[" + part("bob", "92233720368547758.07") + "," + part("carol", "0.01") + "]", "amount-too-large", "/parts"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.parts);
    const HttpResponse response = refusal(post(split_path, split(row.parts)));
    CHECK(response.status == 400);
    CHECK(member(response, "code") == row.code);
    CHECK(response.body.find("\"pointer\":\"" + row.pointer + "\"") != std::string::npos);
  }
}

TEST_CASE("a hold is captured, voided and read by the id in the path and its account") {
  const std::string path = "/v1/holds/" + id;
  const std::string capture = R"({"account":"alice","to_account":"bob","amount":"30.00","currency":"USD"})";
  const Call captured = call_of(post(path + "/capture", capture));
  const auto taken = std::get<router::CaptureHoldRequest>(asked(captured).body);
  CHECK(net::to_string(taken.id) == id);
  CHECK(taken.account == "alice");
  CHECK(taken.credit == "bob");
  CHECK(taken.amount == 3000);
  const Call voided = call_of(post(path + "/void", R"({"account":"alice"})"));
  CHECK(net::to_string(std::get<router::VoidHoldRequest>(asked(voided).body).id) == id);
  CHECK(voided.account == "alice");
  const Call read = call_of(get(path, "account=alice"));
  CHECK(std::get<router::HoldRequest>(asked(read).body).account == "alice");
  CHECK(net::to_string(read.transaction) == id);

  struct Row {
    HttpRequest request;
    std::string code;
  };
  const std::vector<Row> rows = {
      {post("/v1/holds/7/capture", capture), "invalid-uuid"},
      {post("/v1/holds/7/void", R"({"account":"alice"})"), "invalid-uuid"},
      {get("/v1/holds/7", "account=alice"), "invalid-uuid"},
      {post(path + "/capture", R"({"account":"alice","to_account":"bob","amount":"30.00"})"), "missing-field"},
      {post(path + "/capture", R"({"account":"bob","to_account":"bob","amount":"1","currency":"USD"})"),
       "same-account"},
      {post(path + "/capture", hold()), "missing-field"},
      {post(path + "/void", "{}"), "missing-field"},
      {post(path + "/void", ""), "malformed-json"},
      {post(path + "/void", R"({"account":"alice","why":"x"})"), "unknown-field"},
      {get(path), "missing-field"},
      {get(path, "account=sys:x"), "invalid-account-id"},
      {get(path, "account=alice&from_account=alice"), "unknown-field"},
  };
  for (const Row& row : rows) {
    const HttpResponse response = refusal(row.request);
    INFO(row.request.path << " " << row.request.body << " -> " << response.body);
    CHECK(response.status == 400);
    CHECK(member(response, "code") == row.code);
  }
  HttpRequest keyed = post(path + "/void", R"({"account":"alice"})");
  keyed.idempotency_key = id;
  CHECK(std::holds_alternative<Call>(net::read_call(HttpListener::clients, keyed)));
  keyed.idempotency_key = "7f1c2a52-1d0e-4b3c-9a61-0f9d3f1c7e21";
  CHECK(member(refusal(keyed), "code") == "idempotency-key-mismatch");
}
