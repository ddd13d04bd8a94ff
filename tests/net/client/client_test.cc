// The binary port and its client, over real sockets.
#include "net/client/client.h"

#include <catch2/catch.hpp>

#include "core/base/frame.h"
#include "core/base/hash.h"
#include "net/client/client_port.h"
#include "net/client/http_get.h"
#include "tests/net/served_node.h"

using namespace coffer;
using test::PlainSocket;

namespace {

constexpr Currency usd = currency_of("USD");

router::RequestHeader header(router::RequestKind kind, std::uint32_t patience_ms = 5000) {
  return {.kind = kind,
          .route = router::Route::proxied,
          .shard = {},
          .patience_ms = patience_ms,
          .tenant = {},
          .principal = {}};
}

net::ClientConfig config_of(const test::ServedNode& node, router::Mode mode) {
  return {.targets = net::targets_of(node.settings()),
          .shards = node.settings().shards,
          .mode = mode,
          .attempt_timeout = milliseconds(500)};
}

router::Reply open(net::Client& client, std::string_view account) {
  return client.ask(
      {.header = header(router::RequestKind::open_account), .body = router::OpenAccountRequest{usd, account}});
}

router::TransferItem item(router::TransferOperation operation, std::int64_t amount, std::string_view debit,
                          std::string_view credit) {
  return {.operation = operation,
          .currency = usd,
          .amount = amount,
          .id = net::fresh_uuid(),
          .debit = debit,
          .credit = credit};
}

std::string text_of(const Bytes& bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

/// One reply frame off a plain connection: its request id and body.
std::pair<std::uint64_t, Bytes> receive_reply(PlainSocket& socket) {
  const std::string head = socket.receive(frame_header_size);
  const Result<std::size_t> size = frame_size(bytes_of(head));
  REQUIRE(size.has_value());
  const std::string whole = head + socket.receive(*size - head.size());
  const Result<FrameView> frame = open_frame(bytes_of(whole));
  REQUIRE(frame.has_value());
  CHECK(frame->kind == router::client_reply_frame);
  std::uint64_t request = 0;
  std::memcpy(&request, frame->payload.data(), sizeof request);
  const ByteView body = frame->payload.subspan(sizeof request);
  return {request, Bytes(body.begin(), body.end())};
}

std::string balance_request(std::uint64_t request) {
  const Bytes body =
      router::encode(router::Request{.header = header(router::RequestKind::balance),
                                     .body = router::BalanceRequest{router::Consistency::linearizable, usd, "nobody"}});
  return text_of(net::make_client_frame(router::client_request_frame, RequestId(request), body));
}

}  // namespace

TEST_CASE("a batch is answered item by item, by whichever route it came") {
  test::ServedNode node(1, 2);
  REQUIRE(node.wait_until_ready());
  const router::Mode mode = GENERATE(router::Mode::to_proxies, router::Mode::to_leaders);
  net::Client client(config_of(node, mode));
  for (const char* account : {"alice", "bob", "carol", "dora"}) {
    REQUIRE(open(client, account).status == Outcome::success);
  }
  using Operation = router::TransferOperation;
  const router::Reply reply =
      client.ask({.header = header(router::RequestKind::transfers),
                  .body = router::TransfersRequest{
                      {item(Operation::deposit, 1000, "", "alice"), item(Operation::deposit, 1000, "", "bob"),
                       item(Operation::transfer, 5000, "carol", "dora"),
                       item(Operation::transfer, 1, "nobody", "alice"), item(Operation::withdrawal, 900, "bob", "")}}});
  REQUIRE(reply.status == Outcome::success);
  const auto& results = std::get<router::TransfersReply>(reply.body).results;
  REQUIRE(results.size() == 5);
  CHECK(results[0].outcome == Outcome::success);
  CHECK(results[1].outcome == Outcome::success);
  CHECK(results[2].outcome == Outcome::insufficient_funds);
  CHECK(results[3].outcome == Outcome::account_not_found);
  const router::Reply balance =
      client.ask({.header = header(router::RequestKind::balance),
                  .body = router::BalanceRequest{router::Consistency::linearizable, usd, "alice"}});
  CHECK(std::get<router::BalanceReply>(balance.body).balance == 1000);
}

TEST_CASE("many requests at once on one connection are each answered") {
  test::ServedNode node(1, 1);
  REQUIRE(node.wait_until_ready());
  net::Client client(config_of(node, router::Mode::to_leaders));
  int opened = 0;
  for (int i = 0; i < 3000; ++i) {
    const std::string name = "account-" + std::to_string(i);
    client.submit(router::encode(router::Request{.header = header(router::RequestKind::open_account),
                                                 .body = router::OpenAccountRequest{usd, name}}),
                  [&opened](Bytes bytes) {
                    const Result<router::Reply> reply = router::decode_reply(bytes);
                    opened += reply.has_value() && reply->status == Outcome::success ? 1 : 0;
                  });
  }
  client.run_all();
  CHECK(opened == 3000);
}

TEST_CASE("a client whose nodes are all gone says unknown or no leader when its patience ends, not earlier or never") {
  net::NodeSettings settings = test::first_of(1, 1, "nowhere");
  net::Client client({.targets = net::targets_of(settings),
                      .shards = 1,
                      .mode = router::Mode::to_proxies,
                      .attempt_timeout = milliseconds(100)});
  const Instant begun = net::monotonic_now();
  const router::Reply reply =
      client.ask({.header = header(router::RequestKind::transfers, 400),
                  .body = router::TransfersRequest{{item(router::TransferOperation::deposit, 1, "", "alice")}}});
  const Duration took = net::monotonic_now() - begun;
  CHECK(took >= milliseconds(350));
  CHECK(took < milliseconds(2000));
  const bool definite = reply.status == Outcome::success;
  CHECK((!definite || std::get<router::TransfersReply>(reply.body).results.at(0).outcome == Outcome::unknown));
}

TEST_CASE("what a node says of itself is asked of that node alone") {
  test::ServedNode node(3, 2);
  net::Client client(config_of(node, router::Mode::to_proxies));
  const auto seen = net::ask_status(client, net::targets_of(node.settings()), milliseconds(500));
  REQUIRE(seen.size() == 3);
  REQUIRE(seen[0].has_value());
  CHECK(seen[0]->node == NodeId(1));
  CHECK_FALSE(seen[1].has_value());
  CHECK_FALSE(seen[2].has_value());
}

TEST_CASE("a body that breaks the grammar is answered, and the connection lives (invariant C1)") {
  test::ServedNode node(1, 1);
  REQUIRE(node.wait_until_ready());
  PlainSocket socket(node.self().client.port);
  const Bytes nonsense(10, std::byte{0xEE});
  REQUIRE(socket.send(text_of(net::make_client_frame(router::client_request_frame, RequestId(7), nonsense)) +
                      text_of(net::make_client_frame(router::client_request_frame, RequestId(8), {})) +
                      balance_request(9)));
  std::map<std::uint64_t, Outcome> told;
  for (int i = 0; i < 3; ++i) {
    const auto [request, body] = receive_reply(socket);
    const Result<router::Reply> reply = router::decode_reply(body);
    REQUIRE(reply.has_value());
    told[request] = reply->status;
  }
  CHECK(told[7] == Outcome::malformed);
  CHECK(told[8] == Outcome::malformed);
  CHECK(told[9] == Outcome::account_not_found);
}

TEST_CASE("a connection whose frames cannot be trusted is closed (invariant C1)") {
  test::ServedNode node(1, 1);
  const std::string good = balance_request(1);
  std::string damaged = good;
  damaged.back() = static_cast<char>(damaged.back() ^ 1);
  const std::string reply_kind = text_of(net::make_client_frame(router::client_reply_frame, RequestId(1), {}));
  const std::string short_payload = text_of(make_frame(router::client_request_frame, bytes_of("1234567")));
  const std::string too_long =
      text_of(make_frame(router::client_request_frame, Bytes(net::client_frame_bytes_max))).substr(0, 24);
  std::vector<std::string> streams = {damaged, reply_kind, short_payload, too_long};
  streams.emplace_back("hello, world, this is text");
  for (const std::string& bytes : streams) {
    PlainSocket socket(node.self().client.port);
    REQUIRE(socket.send(bytes));
    CHECK(socket.is_closed_within(2000));
  }
}

TEST_CASE("the admin listener is read with one call") {
  test::ServedNode node(1, 1);
  REQUIRE(node.wait_until_ready());
  const Result<std::string> body = net::http_get(node.self().admin, "/v1/admin/node", seconds(5));
  REQUIRE(body.has_value());
  CHECK_THAT(*body, Catch::Contains("\"syncs\":"));
  CHECK(net::http_get(node.self().admin, "/nothing", seconds(5)).has_error());
  CHECK(net::http_get({"127.0.0.1", test::free_port()}, "/livez", seconds(5)).has_error());
}
