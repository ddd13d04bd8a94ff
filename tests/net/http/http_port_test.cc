// A real node over real sockets: the contract of the edge as a client meets it.
#include "net/http/http_port.h"

#include <catch2/catch.hpp>

#include "tests/net/served_node.h"

using namespace coffer;
using test::ask_http;
using test::get_text;
using test::HttpAnswer;
using test::PlainSocket;
using test::post_text;

namespace {

std::string fresh_id() { return net::to_string(net::fresh_uuid()); }

/// One ready node with alice (100.00 USD) and bob, shared by the cases of this file.
class Wallet {
 public:
  Wallet() : node(1, 2) {
    REQUIRE(node.wait_until_ready());
    for (const char* account : {"alice", "bob", "carol"}) {
      REQUIRE(post("/v1/accounts", open_body(account, "USD")).status == 201);
    }
    REQUIRE(post("/v1/deposits", pocket_body("alice", "100.00")).status == 200);
  }
  HttpAnswer post(const std::string& path, const std::string& body, const std::string& headers = "") const {
    return ask_http(node.self().http.port, post_text(path, body, headers));
  }
  HttpAnswer get(const std::string& path, const std::string& headers = "") const {
    return ask_http(node.self().http.port, get_text(path, headers));
  }
  HttpAnswer admin(const std::string& path) const { return ask_http(node.self().admin.port, get_text(path)); }
  static std::string open_body(const std::string& account, const std::string& currency) {
    return R"({"account":")" + account + R"(","currency":")" + currency + R"("})";
  }
  static std::string pocket_body(const std::string& account, const std::string& amount,
                                 const std::string& id = fresh_id(), const std::string& currency = "USD") {
    return R"({"account":")" + account + R"(","amount":")" + amount + R"(","currency":")" + currency +
           R"(","transaction_id":")" + id + R"("})";
  }
  static std::string transfer_body(const std::string& from, const std::string& to, const std::string& amount,
                                   const std::string& id = fresh_id(), const std::string& currency = "USD") {
    return R"({"from_account":")" + from + R"(","to_account":")" + to + R"(","amount":")" + amount +
           R"(","currency":")" + currency + R"(","transaction_id":")" + id + R"("})";
  }

  test::ServedNode node;
};

Wallet& wallet() {
  static Wallet one;
  return one;
}

const std::string transfer_path = "/v1/wallet/balance_transfer";

}  // namespace

TEST_CASE("money moves once however often it is asked to, and the answer is the same bytes") {
  const std::string id = fresh_id();
  const HttpAnswer first = wallet().post(transfer_path, Wallet::transfer_body("alice", "bob", "1.0", id));
  REQUIRE(first.status == 200);
  CHECK(first.headers.at("Content-Type") == "application/json");
  CHECK(first.headers.at("Idempotency-Replayed") == "false");
  CHECK(first.headers.at("Consistency-Token") == first.member("position"));
  CHECK(first.member("status") == "success");
  CHECK(first.member("transaction_id") == id);
  const std::string before = wallet().get("/v1/accounts/alice/balance?currency=USD").member("balance");
  const HttpAnswer again = wallet().post(transfer_path, Wallet::transfer_body("alice", "bob", "1.00", id));
  CHECK(again.body == first.body);
  CHECK(again.headers.at("Idempotency-Replayed") == "true");
  CHECK(wallet().get("/v1/accounts/alice/balance?currency=USD").member("balance") == before);
  const HttpAnswer state = wallet().get("/v1/transfers/" + id + "?from_account=alice");
  CHECK(state.member("state") == "success");
  CHECK(state.member("position") == first.member("position"));
  CHECK(wallet().get("/v1/transfers/" + id).member("state") == "success");
}

TEST_CASE("accounts answer an explicit zero, open once, and hold several currencies") {
  CHECK(wallet().post("/v1/accounts", Wallet::open_body("dora", "USD")).status == 201);
  CHECK(wallet().post("/v1/accounts", Wallet::open_body("dora", "USD")).status == 200);
  CHECK(wallet().post("/v1/accounts", Wallet::open_body("dora", "JPY")).status == 201);
  CHECK(wallet().get("/v1/accounts/dora/balance?currency=JPY").member("balance") == "0");
  CHECK(wallet().get("/v1/accounts/dora/balance?currency=USD&consistency=eventual").member("consistency") ==
        "eventual");
  CHECK(wallet().get("/v1/accounts/dora").member("state") == "open");
}

TEST_CASE("withdrawals take money out, and the books still balance") {
  REQUIRE(wallet().post("/v1/withdrawals", Wallet::pocket_body("alice", "2.00")).status == 200);
  const HttpAnswer trial = wallet().admin("/v1/admin/trial_balance");
  REQUIRE(trial.status == 200);
  CHECK(trial.member("balanced") == "true");
  CHECK_THAT(trial.body, Catch::Contains(R"("totals":[{"currency":"USD","total":"0.00"})"));
}

TEST_CASE("a hold keeps money from everybody else until it is captured, voided or over") {
  const Wallet w;  // what enters the shared one is counted to the last cent elsewhere
  REQUIRE(w.post("/v1/accounts", Wallet::open_body("holder", "USD")).status == 201);
  REQUIRE(w.post("/v1/deposits", Wallet::pocket_body("holder", "100.00")).status == 200);
  const auto hold_body = [](const std::string& amount, const std::string& id, const std::string& expires_in) {
    const std::string body = Wallet::pocket_body("holder", amount, id);
    return body.substr(0, body.size() - 1) + R"(,"expires_in":)" + expires_in + "}";
  };
  const auto capture_body = [](const std::string& to, const std::string& amount) {
    return R"({"account":"holder","to_account":")" + to + R"(","amount":")" + amount + R"(","currency":"USD"})";
  };
  const std::string holder = R"({"account":"holder"})";
  const auto balance = [&w] { return w.get("/v1/accounts/holder/balance?currency=USD"); };

  const std::string id = fresh_id();
  const HttpAnswer placed = w.post("/v1/holds", hold_body("60.00", id, "600"));
  REQUIRE(placed.status == 201);
  CHECK(placed.member("status") == "held");
  const HttpAnswer again = w.post("/v1/holds", hold_body("60.00", id, "600"));
  CHECK(again.status == 200);
  CHECK(again.body == placed.body);
  CHECK(w.post("/v1/holds", hold_body("61.00", id, "600")).member("code") == "idempotency-payload-mismatch");
  CHECK(balance().member("balance") == "100.00");
  CHECK(balance().member("held") == "60.00");
  CHECK(balance().member("available") == "40.00");
  CHECK(w.post(transfer_path, Wallet::transfer_body("holder", "bob", "40.01")).member("code") == "insufficient-funds");
  CHECK(w.post("/v1/withdrawals", Wallet::pocket_body("holder", "40.01")).member("code") == "insufficient-funds");
  CHECK(w.post("/v1/holds", hold_body("40.01", fresh_id(), "600")).member("code") == "insufficient-funds");
  CHECK(w.post("/v1/holds", hold_body("1", fresh_id(), "2678401")).member("code") == "expiry-too-far");
  CHECK(w.get("/v1/holds/" + id + "?account=holder").member("state") == "held");
  CHECK(w.get("/v1/holds/" + id + "?account=bob").member("code") == "hold-not-found");
  CHECK(w.get("/v1/transfers/" + id + "?from_account=holder").member("code") == "transfer-not-found");

  CHECK(w.post("/v1/holds/" + id + "/capture", capture_body("bob", "60.01")).member("code") == "hold-exceeded");
  const HttpAnswer captured = w.post("/v1/holds/" + id + "/capture", capture_body("bob", "25.00"));
  REQUIRE(captured.status == 200);
  CHECK(captured.member("hold_id") == id);
  CHECK(w.post("/v1/holds/" + id + "/capture", capture_body("bob", "25.0")).body == captured.body);
  CHECK(w.post("/v1/holds/" + id + "/capture", capture_body("bob", "24.00")).member("code") ==
        "idempotency-payload-mismatch");
  CHECK(w.post("/v1/holds/" + id + "/void", holder).member("code") == "hold-captured");
  const HttpAnswer state = w.get("/v1/holds/" + id + "?account=holder");
  CHECK(state.member("state") == "captured");
  CHECK(state.member("transaction_id") == captured.member("transaction_id"));
  CHECK(w.get("/v1/transfers/" + captured.member("transaction_id") + "?from_account=holder").member("state") ==
        "success");
  CHECK(balance().member("balance") == "75.00");
  CHECK(balance().member("available") == "75.00");

  const std::string let_go = fresh_id();
  REQUIRE(w.post("/v1/holds", hold_body("75.00", let_go, "600")).status == 201);
  CHECK(balance().member("available") == "0.00");
  CHECK(w.post("/v1/accounts/holder/close", "").member("code") == "account-not-empty");
  CHECK(w.post("/v1/holds/" + let_go + "/void", holder).member("already") == "false");
  CHECK(w.post("/v1/holds/" + let_go + "/void", holder).member("already") == "true");
  CHECK(w.post("/v1/holds/" + let_go + "/capture", capture_body("bob", "1")).member("code") == "hold-voided");
  CHECK(balance().member("available") == "75.00");

  const std::string nowhere = fresh_id();
  REQUIRE(w.post("/v1/holds", hold_body("5.00", nowhere, "600")).status == 201);
  const HttpAnswer refused = w.post("/v1/holds/" + nowhere + "/capture", capture_body("nobody", "5.00"));
  CHECK(refused.member("code") == "credit-account-not-found");
  CHECK_THAT(refused.member("detail"), Catch::Contains("the hold has ended all the same"));
  CHECK(balance().member("available") == "75.00");
  CHECK(w.post("/v1/holds/" + fresh_id() + "/void", holder).member("code") == "hold-not-found");
  CHECK(w.admin("/v1/admin/trial_balance").member("balanced") == "true");
}

TEST_CASE("a hold that nobody ends is over after its time, and says so") {
  const Wallet w;
  REQUIRE(w.post("/v1/accounts", Wallet::open_body("forgetful", "USD")).status == 201);
  REQUIRE(w.post("/v1/deposits", Wallet::pocket_body("forgetful", "10.00")).status == 200);
  const std::string id = fresh_id();
  const std::string body = Wallet::pocket_body("forgetful", "10.00", id);
  REQUIRE(w.post("/v1/holds", body.substr(0, body.size() - 1) + R"(,"expires_in":1})").status == 201);
  const Instant deadline = net::monotonic_now() + seconds(10);
  std::string state = "held";
  while (state == "held" && net::monotonic_now() < deadline) {
    ::poll(nullptr, 0, 50);
    state = w.get("/v1/holds/" + id + "?account=forgetful").member("state");
  }
  CHECK(state == "expired");
  CHECK(w.get("/v1/accounts/forgetful/balance?currency=USD").member("available") == "10.00");
  CHECK(w.post("/v1/holds/" + id + "/void", R"({"account":"forgetful"})").member("code") == "hold-expired");
}

TEST_CASE("every refusal a single node can give has its status and code") {
  struct Row {
    HttpAnswer answer;
    int status;
    std::string code;
  };
  const std::string id = fresh_id();
  REQUIRE(wallet().post(transfer_path, Wallet::transfer_body("alice", "bob", "0.10", id)).status == 200);
  REQUIRE(wallet().post("/v1/accounts", Wallet::open_body("rich", "USD")).status / 100 == 2);
  REQUIRE(wallet().post("/v1/deposits", Wallet::pocket_body("rich", "92233720368547758.07")).status == 200);
  REQUIRE(wallet().post("/v1/accounts", Wallet::open_body("nippon", "JPY")).status / 100 == 2);
  Wallet& w = wallet();
  const std::string good = Wallet::transfer_body("alice", "bob", "1");
  const std::vector<Row> rows = {
      {w.post(transfer_path, "{"), 400, "malformed-json"},
      {w.post(transfer_path, R"({"a":1,"a":2})"), 400, "duplicate-json-key"},
      {w.post(transfer_path, "{}"), 400, "missing-field"},
      {w.post(transfer_path, good.substr(0, good.size() - 1) + R"(,"note":"x"})"), 400, "unknown-field"},
      {w.post(transfer_path, Wallet::transfer_body("alice", "bob", "x")), 400, "invalid-amount"},
      {w.post(transfer_path, Wallet::transfer_body("alice", "bob", "0.001")), 400, "amount-precision"},
      {w.post(transfer_path, Wallet::transfer_body("alice", "bob", "9999999999999999999")), 400, "amount-too-large"},
      {w.post(transfer_path, Wallet::transfer_body("alice", "bob", "1", id, "XDR")), 400, "unsupported-currency"},
      {w.post(transfer_path, Wallet::transfer_body("sys:issue:USD", "bob", "1")), 400, "invalid-account-id"},
      {w.post(transfer_path, Wallet::transfer_body("alice", "bob", "1", "7")), 400, "invalid-uuid"},
      {w.post(transfer_path, Wallet::transfer_body("bob", "bob", "1")), 400, "same-account"},
      {w.post(transfer_path, good, "Idempotency-Key: " + id + "\r\n"), 400, "idempotency-key-mismatch"},
      {w.get("/v1/accounts/bob/balance?currency=USD&consistency=never"), 400, "invalid-parameter"},
      {w.post(transfer_path, Wallet::transfer_body("nobody", "bob", "1")), 404, "account-not-found"},
      {w.get("/v1/accounts/nobody"), 404, "account-not-found"},
      {w.get("/v1/accounts/nobody/balance?currency=USD"), 404, "account-not-found"},
      {w.get("/v1/transfers/" + fresh_id()), 404, "transfer-not-found"},
      {w.get("/v1/transfers/" + fresh_id() + "?from_account=alice"), 404, "transfer-not-found"},
      {w.get("/v1/nothing"), 404, "route-not-found"},
      {w.get("/v1/admin/trial_balance"), 404, "route-not-found"},
      {w.get(transfer_path), 405, "method-not-allowed"},
      {w.get("/v1/accounts/bob", "Accept: text/html\r\n"), 406, "not-acceptable"},
      {w.post(transfer_path, std::string(65 * 1024, ' ')), 413, "body-too-large"},
      {ask_http(w.node.self().http.port,
                "POST " + transfer_path + " HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"),
       415, "unsupported-media-type"},
      {w.get("/v1/accounts/bob", "X: " + std::string(17 * 1024, 'x') + "\r\n"), 431, "headers-too-large"},
      {w.post(transfer_path, Wallet::transfer_body("alice", "bob", "0.11", id)), 422, "idempotency-payload-mismatch"},
      {w.post(transfer_path, Wallet::transfer_body("bob", "alice", "1000000")), 422, "insufficient-funds"},
      {w.post(transfer_path, Wallet::transfer_body("alice", "nobody", "1")), 422, "credit-account-not-found"},
      {w.post(transfer_path, Wallet::transfer_body("alice", "nobody-else-2", "1")), 422, "credit-account-not-found"},
      {w.post(transfer_path, Wallet::transfer_body("alice", "nippon", "1")), 422, "currency-mismatch"},
      {w.get("/v1/accounts/nippon/balance?currency=USD"), 422, "currency-mismatch"},
      {w.post(transfer_path, Wallet::transfer_body("alice", "rich", "1")), 422, "balance-overflow"},
      {w.post("/v1/deposits", Wallet::pocket_body("nobody", "1")), 404, "account-not-found"},
      {w.post("/v1/withdrawals", Wallet::pocket_body("bob", "100000")), 422, "insufficient-funds"},
  };
  for (const Row& row : rows) {
    INFO(row.code << ": " << row.answer.body);
    CHECK(row.answer.status == row.status);
    CHECK(row.answer.member("code") == row.code);
    CHECK(row.answer.headers.count("Content-Type") == 1);
  }
}

TEST_CASE("a logged refusal answers the same id the same for ever, money or not") {
  const std::string id = fresh_id();
  const std::string body = Wallet::transfer_body("carol", "bob", "5.00", id);
  const HttpAnswer first = wallet().post(transfer_path, body);
  CHECK(first.member("code") == "insufficient-funds");
  CHECK(first.member("outcome") == "rejected");
  REQUIRE(wallet().post("/v1/deposits", Wallet::pocket_body("carol", "50.00")).status == 200);
  const HttpAnswer again = wallet().post(transfer_path, body);
  CHECK(again.member("code") == "insufficient-funds");
  CHECK(again.headers.at("Idempotency-Replayed") == "true");
  CHECK(wallet().get("/v1/transfers/" + id + "?from_account=carol").member("state") == "refused");
}

TEST_CASE("405 names the methods there are (RFC 9110, 15.5.6)") {
  CHECK(wallet().get(transfer_path).headers.at("Allow") == "POST");
}

TEST_CASE("heads that two readers could read differently are refused and the connection closed (RFC 9112, 11.2)") {
  const std::string body = "{}";
  const std::vector<std::string> requests = {
      "GET /v1/accounts/bob HTTP/1.1\nHost: x\n\n",
      "GET /v1/accounts/bob HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n",
      "GET /v1/accounts/bob HTTP/1.1\r\n\r\n",
      "GET /v1/accounts/bob HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
      "POST /v1/deposits HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
      "Content-Length: 3\r\n\r\n{}",
      "POST /v1/deposits HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
      "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "POST /v1/deposits HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: gzip\r\n\r\n",
      "POST /v1/deposits HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
      "zz\r\n{}\r\n0\r\n\r\n",
      "\x16\x03\x01\x02",
      "nonsense\r\n\r\n",
  };
  for (const std::string& bytes : requests) {
    PlainSocket socket(wallet().node.self().http.port);
    REQUIRE(socket.send(bytes));
    const HttpAnswer answer = test::read_answer(socket);
    INFO(bytes << " -> " << answer.body);
    CHECK(answer.status == 400);
    CHECK(answer.member("code") == "malformed-request");
    CHECK(socket.is_closed_within(3000));
  }
}

TEST_CASE("a chunked body is a body, and counts against the same limit") {
  const std::string head =
      "POST /v1/accounts HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::string body = Wallet::open_body("chunky", "USD");
  const std::string chunks = "5\r\n" + body.substr(0, 5) + "\r\n" +
                             [&] {
                               char size[8];
                               std::snprintf(size, sizeof size, "%zx", body.size() - 5);
                               return std::string(size);
                             }() +
                             "\r\n" + body.substr(5) + "\r\n0\r\n\r\n";
  CHECK(ask_http(wallet().node.self().http.port, head + chunks).status / 100 == 2);
  const std::string big = "FFFF\r\n" + std::string(0xFFFF, ' ') + "\r\nFF\r\n" + std::string(0xFF, ' ') + "\r\n";
  CHECK(ask_http(wallet().node.self().http.port, head + big).member("code") == "body-too-large");
}

TEST_CASE("connections are kept, requests on one are answered in order, and close is honoured") {
  PlainSocket socket(wallet().node.self().http.port);
  REQUIRE(socket.send(get_text("/v1/accounts/bob") + get_text("/v1/nothing") + get_text("/v1/accounts/alice") +
                      get_text("/v1/accounts/bob", "Connection: close\r\n")));
  CHECK(test::read_answer(socket).member("account") == "bob");
  CHECK(test::read_answer(socket).member("code") == "route-not-found");
  CHECK(test::read_answer(socket).member("account") == "alice");
  CHECK(test::read_answer(socket).member("account") == "bob");
  CHECK(socket.is_closed_within(3000));
}

TEST_CASE("a client that waits for 100 Continue gets it, unless it would be refused (RFC 9110, 10.1.1)") {
  PlainSocket socket(wallet().node.self().http.port);
  const std::string body = Wallet::open_body("patient", "USD");
  const std::string whole = post_text("/v1/accounts", body, "Expect: 100-continue\r\n");
  REQUIRE(socket.send(whole.substr(0, whole.size() - body.size())));
  CHECK(socket.receive(25) == "HTTP/1.1 100 Continue\r\n\r\n");
  REQUIRE(socket.send(body));
  CHECK(test::read_answer(socket).status / 100 == 2);
  CHECK(wallet().post("/v1/nowhere", body, "Expect: 100-continue\r\n").status == 404);
}

TEST_CASE("health is told on the admin listener, without asking anybody for liveness") {
  CHECK(wallet().admin("/livez").status == 200);
  const HttpAnswer ready = wallet().admin("/readyz?verbose");
  CHECK(ready.status == 200);
  CHECK(ready.member("recovered") == "true");
  const HttpAnswer node = wallet().admin("/v1/admin/node");
  CHECK(std::atoi(node.member("syncs").c_str()) > 0);
}

TEST_CASE("a node without a quorum is alive but not ready, refuses money, and promises nothing was done") {
  test::ServedNode alone(3, 1);
  REQUIRE(alone.mistake().empty());
  const auto& self = alone.self();
  CHECK(ask_http(self.admin.port, get_text("/livez")).status == 200);
  CHECK(ask_http(self.admin.port, get_text("/readyz")).status == 503);
  const std::string wait = "Prefer: wait=1\r\n";
  const HttpAnswer write =
      ask_http(self.http.port, post_text(transfer_path, Wallet::transfer_body("alice", "bob", "1"), wait));
  CHECK(write.status == 503);
  CHECK(write.member("code") == "no-leader");
  CHECK(write.member("outcome") == "none");
  CHECK(write.headers.at("Retry-After") == "1");
  const HttpAnswer read = ask_http(self.http.port, get_text("/v1/accounts/alice/balance?currency=USD", wait));
  CHECK(read.status == 503);
}

TEST_CASE("what was acknowledged is there after the process ended and began again") {
  test::ServedNode node(1, 2);
  REQUIRE(node.wait_until_ready());
  const auto post = [&](const std::string& path, const std::string& body) {
    return ask_http(node.self().http.port, post_text(path, body));
  };
  for (const char* account : {"alice", "bob"}) {
    REQUIRE(post("/v1/accounts", Wallet::open_body(account, "USD")).status == 201);
  }
  REQUIRE(post("/v1/deposits", Wallet::pocket_body("alice", "10.00")).status == 200);
  const std::string body = Wallet::transfer_body("alice", "bob", "4.00");
  const HttpAnswer moved = post(transfer_path, body);
  REQUIRE(moved.status == 200);
  node.stop();
  CHECK(node.exit_code() == 0);
  node.start();
  REQUIRE(node.wait_until_ready());
  CHECK(post(transfer_path, body).body == moved.body);
  CHECK(ask_http(node.self().http.port, get_text("/v1/accounts/alice/balance?currency=USD")).member("balance") ==
        "6.00");
}

TEST_CASE("a head or a body that never ends is given up after its deadline, and nobody else waits for it") {
  const std::uint16_t port = wallet().node.self().http.port;
  PlainSocket head(port);
  PlainSocket body(port);
  PlainSocket dripping(port);
  REQUIRE(head.send("GET /v1/accounts/bob HTTP/1.1\r\nHost:"));
  REQUIRE(body.send(
      "POST /v1/accounts HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"));
  bool dripping_closed = false;
  for (int i = 0; i < 80 && !dripping_closed; ++i) {
    dripping.send("G");
    dripping_closed = dripping.is_closed_within(100);
  }
  CHECK(dripping_closed);
  CHECK(head.is_closed_within(3000));
  CHECK(body.is_closed_within(3000));
  CHECK(wallet().get("/v1/accounts/bob").status == 200);
}

TEST_CASE("more requests than a node takes at once are refused as overloaded, and none of them did anything") {
  const test::TemporaryDirectory directory;
  net::NodeSettings settings = test::first_of(1, 1, directory.path());
  settings.tuning.requests_max = 2;
  const test::ServedNode node(settings);
  REQUIRE(node.wait_until_ready());
  bool overloaded = false;
  for (int attempt = 0; attempt < 50 && !overloaded; ++attempt) {
    std::vector<std::unique_ptr<PlainSocket>> sockets;
    for (int i = 0; i < 30; ++i) {
      sockets.push_back(std::make_unique<PlainSocket>(node.self().http.port));
      sockets.back()->send(post_text("/v1/accounts", Wallet::open_body("a" + fresh_id(), "USD")));
    }
    for (const auto& socket : sockets) {
      const HttpAnswer answer = test::read_answer(*socket);
      overloaded = overloaded || (answer.status == 503 && answer.member("code") == "overloaded" &&
                                  answer.member("outcome") == "none");
    }
  }
  CHECK(overloaded);
}

TEST_CASE("a node refuses another node's disk, says so and ends (invariant V3)") {
  const test::TemporaryDirectory directory;
  net::NodeSettings settings = test::first_of(1, 1, directory.path());
  REQUIRE(net::allow_founding(directory.path()).has_value());
  {
    auto server = net::Server::open(settings);
    REQUIRE(server.has_value());
    std::thread runs([&] { (*server)->run(net::Signals::leave); });
    while (ask_http(settings.self().admin.port, get_text("/readyz")).status != 200) {
      ::poll(nullptr, 0, 5);
    }
    (*server)->stop();
    runs.join();
  }
  settings.nodes.front().uuid = net::fresh_uuid();
  auto server = net::Server::open(settings);
  REQUIRE(server.has_value());
  CHECK((*server)->run(net::Signals::leave) == 1);
}
