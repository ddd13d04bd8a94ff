// 100,000 byte strings to each port of a real node. Half of them are valid frames (requests, for HTTP) with changes
// inside and their checksums (lengths) made right again, so that they reach the decoders behind. The node must neither
// crash nor hang: between the strings it answers an honest client.
#include <cstdlib>
#include <memory>

#include <catch2/catch.hpp>

#include "core/base/frame.h"
#include "core/base/hash.h"
#include "core/node/peer_frame.h"
#include "core/shard/leg_messages.h"
#include "net/client/client.h"
#include "net/client/client_port.h"
#include "net/http/routes.h"
#include "tests/fuzz/mutation.h"
#include "tests/net/served_node.h"

using namespace coffer;
using fuzz::Mutation;
using test::ask_http;
using test::get_text;
using test::PlainSocket;
using test::post_text;

namespace {

constexpr Currency usd = currency_of("USD");

/// COFFER_FUZZ_STRINGS asks for more or fewer.
std::size_t strings_per_port() {
  const char* const wanted = ::getenv("COFFER_FUZZ_STRINGS");
  return wanted == nullptr ? 100'000 : static_cast<std::size_t>(std::atol(wanted));
}
constexpr std::size_t honest_every = 10'000;
constexpr std::size_t at_once = 32;

std::string text_of(ByteView bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

// ---- connections ---------------------------------------------------------------------------------------------------

/// A connection that is opened again when the node has closed it; what comes back is thrown away.
class Stream {
 public:
  Stream(std::uint16_t port, std::string greeting) : port_(port), greeting_(std::move(greeting)) {}

  void send(const std::string& bytes) {
    if (!socket_ || socket_->is_closed_within(0) || !socket_->send(bytes)) {
      socket_ = std::make_unique<PlainSocket>(port_);
      REQUIRE(socket_->connected());
      socket_->send(greeting_);
      if (!greeting_.empty()) {
        socket_->receive_some();  // the node's own greeting
      }
      socket_->send(bytes);
    }
  }
  void close() { socket_.reset(); }

 private:
  std::uint16_t port_;
  std::string greeting_;
  std::unique_ptr<PlainSocket> socket_;
};

/// Each string on a connection of its own, ended by its sender; a few at once.
class Volley {
 public:
  explicit Volley(std::uint16_t port) : port_(port) {}
  ~Volley() { finish(); }

  void send(const std::string& bytes) {
    flying_.push_back(std::make_unique<PlainSocket>(port_));
    REQUIRE(flying_.back()->connected());
    flying_.back()->send(bytes);
    flying_.back()->finish_sending();
    if (flying_.size() >= at_once) {
      finish();
    }
  }
  void finish() {
    for (const auto& socket : flying_) {
      hung_ += socket->is_closed_within(8000) ? 0 : 1;
    }
    flying_.clear();
  }
  std::size_t hung() const { return hung_; }

 private:
  std::uint16_t port_;
  std::vector<std::unique_ptr<PlainSocket>> flying_;
  std::size_t hung_ = 0;
};

// ---- what an honest client would send ------------------------------------------------------------------------------

std::vector<std::string> client_bodies() {
  using router::RequestKind;
  using router::Route;
  std::vector<std::string> bodies;
  for (const Route route : {Route::proxied, Route::direct}) {
    const auto add = [&](RequestKind kind, router::RequestBody body) {
      bodies.push_back(text_of(router::encode(router::Request{
          .header =
              {.kind = kind, .route = route, .shard = ShardId(1), .patience_ms = 200, .tenant = {}, .principal = {}},
          .body = std::move(body)})));
    };
    using Operation = router::TransferOperation;
    const auto item = [](Operation operation, std::string_view debit, std::string_view credit) {
      return router::TransferItem{.operation = operation,
                                  .currency = usd,
                                  .amount = 100,
                                  .id = net::fresh_uuid(),
                                  .debit = debit,
                                  .credit = credit};
    };
    add(RequestKind::transfers,
        router::TransfersRequest{{item(Operation::transfer, "alice", "bob"), item(Operation::deposit, "", "alice"),
                                  item(Operation::withdrawal, "bob", ""), item(Operation::transfer, "bob", "nobody")}});
    add(RequestKind::change_account, router::ChangeAccountRequest{router::AccountChange::freeze, Uuid{}, "alice"});
    add(RequestKind::account, router::AccountRequest{"alice"});
    add(RequestKind::place_hold, router::PlaceHoldRequest{usd, 100, net::fresh_uuid(), 60'000, "alice"});
    add(RequestKind::capture_hold, router::CaptureHoldRequest{usd, 50, net::fresh_uuid(), "alice", "bob"});
    add(RequestKind::void_hold, router::VoidHoldRequest{net::fresh_uuid(), "alice"});
    add(RequestKind::hold, router::HoldRequest{net::fresh_uuid(), "alice"});
    add(RequestKind::split, router::SplitRequest{usd, net::fresh_uuid(), "alice", {{50, "bob"}, {25, "nobody"}}});
    add(RequestKind::open_account, router::OpenAccountRequest{usd, "alice"});
    add(RequestKind::balance, router::BalanceRequest{router::Consistency::linearizable, usd, "alice"});
    add(RequestKind::balance, router::BalanceRequest{router::Consistency::eventual, usd, "bob"});
    add(RequestKind::transfer_status, router::TransferStatusRequest{net::fresh_uuid(), "alice"});
    add(RequestKind::transfer_status, router::TransferStatusRequest{net::fresh_uuid(), ""});
    add(RequestKind::trial_balance, router::TrialBalanceRequest{});
    add(RequestKind::node_status, router::NodeStatusRequest{});
  }
  return bodies;
}

std::string client_frame(std::uint8_t kind, std::uint64_t request, const std::string& body) {
  return text_of(net::make_client_frame(kind, RequestId(request), bytes_of(body)));
}

const std::string transfer_body =
    R"({"from_account":"alice","to_account":"bob","amount":"1.00","currency":"USD","transaction_id":"6f1c2a52-1d0e-4b3c-9a61-0f9d3f1c7e21"})";
const std::string pocket_body =
    R"({"account":"alice","amount":"1.00","currency":"USD","transaction_id":"7f1c2a52-1d0e-4b3c-9a61-0f9d3f1c7e21"})";

const std::string hold_body =
    R"({"account":"alice","amount":"1.00","currency":"USD","transaction_id":"8f1c2a52-1d0e-4b3c-9a61-0f9d3f1c7e21","expires_in":600})";
const std::string split_body =
    R"({"from_account":"alice","currency":"USD","transaction_id":"9f1c2a52-1d0e-4b3c-9a61-0f9d3f1c7e21",)"
    R"("parts":[{"to_account":"bob","amount":"1.00"},{"to_account":"carol","amount":"0.50"}]})";

/// A good request with its body changed and its Content-Length made right again, or with its head changed.
std::string http_string(Mutation& mutation, net::HttpListener listener) {
  const std::string wait = "Prefer: wait=1\r\nConnection: close\r\n";
  if (listener == net::HttpListener::admin) {
    static const std::vector<std::string> paths = {"/livez", "/readyz?verbose", "/v1/admin/node",
                                                   "/v1/admin/trial_balance"};
    const std::string path = mutation.one_of(paths);
    return mutation.chance(500) ? get_text(mutation.changed(path), wait) : mutation.changed(get_text(path, wait));
  }
  static const std::vector<std::string> posts = {"/v1/wallet/balance_transfer",
                                                 "/v1/deposits",
                                                 "/v1/withdrawals",
                                                 "/v1/accounts",
                                                 "/v1/holds",
                                                 "/v1/wallet/split"};
  static const std::vector<std::string> gets = {"/v1/accounts/alice/balance?currency=USD&consistency=eventual",
                                                "/v1/accounts/bob",
                                                "/v1/transfers/6f1c2a52-1d0e-4b3c-9a61-0f9d3f1c7e21?from_account=alice",
                                                "/v1/holds/8f1c2a52-1d0e-4b3c-9a61-0f9d3f1c7e21?account=alice"};
  if (mutation.chance(300)) {
    const std::string path = mutation.one_of(gets);
    return mutation.chance(500) ? get_text(mutation.changed(path), wait) : mutation.changed(get_text(path, wait));
  }
  const std::string path = mutation.one_of(posts);
  const std::string body = path == posts[0]   ? transfer_body
                           : path == posts[4] ? hold_body
                           : path == posts[5] ? split_body
                                              : pocket_body;
  return mutation.chance(700) ? post_text(path, mutation.changed(body), wait)
                              : mutation.changed(post_text(path, body, wait));
}

// ---- what an honest peer would send --------------------------------------------------------------------------------

std::vector<std::string> peer_payloads(const std::vector<std::string>& requests) {
  node::PeerFrames frames;
  std::vector<node::Send> sends;
  std::vector<std::string> payloads;
  const NodeId to(1);
  const auto take = [&] {
    frames.finish(sends);
    for (const node::Send& send : sends) {
      payloads.push_back(text_of(*send.frame).substr(frame_header_size));
    }
    sends.clear();
  };
  for (const std::uint64_t term : {1u, 2u, 3u}) {
    for (const bool flag : {false, true}) {
      frames.add_raft(to, ShardId(1), raft::VoteRequest{Term(term), flag, false, Index(5), Term(1)});
      take();
      frames.add_raft(to, ShardId(2), raft::VoteReply{Term(term), flag, true});
      take();
      frames.add_raft(to, ShardId(1), raft::AppendReply{Term(term), flag, Index(1), 1});
      take();
    }
    frames.add_raft(to, ShardId(1), raft::AppendRequest{Term(term), Index(0), Term(0), Index(0), 1, {}});
    frames.add_raft(to, ShardId(2), raft::AppendRequest{Term(term), Index(3), Term(1), Index(2), 1, {}});
    take();
  }
  shard::LegsMessage legs{.source = ShardId(2), .target = ShardId(1), .freed_through = LegNumber(0), .legs = {}};
  legs.legs.push_back({LegNumber(1), default_tenant, net::fresh_uuid(), Position(3), Stamp{1}, Money{5, usd}, "alice"});
  Bytes bytes;
  ByteWriter legs_out(bytes);
  encode(legs, legs_out);
  frames.add(to, node::SectionKind::legs, bytes);
  take();
  shard::LegAnswersMessage answers{.source = ShardId(1), .target = ShardId(2), .answers = {}};
  answers.answers.push_back({LegNumber(1), net::fresh_uuid(), Outcome::success, Position(2), Stamp{2}});
  bytes.clear();
  encode(answers, legs_out);
  frames.add(to, node::SectionKind::leg_answers, bytes);
  take();
  for (std::size_t i = 0; i < requests.size(); ++i) {
    frames.add_numbered(to, node::SectionKind::forward, i, bytes_of(requests[i]));
    take();
  }
  frames.add_numbered(to, node::SectionKind::forward_reply, 1, bytes_of(requests.front()));
  take();
  return payloads;
}

std::string hello_of(const net::NodeSettings& settings, std::size_t place) {
  return text_of(net::encode(
      net::Hello{.protocol = net::peer_protocol, .cluster = settings.cluster, .sender = settings.nodes.at(place)}));
}

// ---- honest work in between ----------------------------------------------------------------------------------------

/// It answers, and has recovered (a lone node of three never knows a leader).
void require_alive(const test::ServedNode& node) {
  REQUIRE(ask_http(node.self().admin.port, get_text("/livez")).status == 200);
  const std::vector<net::ClientTarget> target = {net::targets_of(node.settings()).front()};
  net::Client client(
      {.targets = target, .shards = 1, .mode = router::Mode::to_proxies, .attempt_timeout = milliseconds(1000)});
  bool recovered = false;
  for (int ask = 0; ask < 200 && !recovered; ++ask) {
    ::poll(nullptr, 0, ask == 0 ? 0 : 20);
    const auto seen = net::ask_status(client, target, seconds(5));
    REQUIRE(seen.front().has_value());
    recovered = seen.front()->ready;
  }
  REQUIRE(recovered);
}

void require_books_balance(const test::ServedNode& node) {
  const auto trial = ask_http(node.self().admin.port, get_text("/v1/admin/trial_balance"));
  REQUIRE(trial.status == 200);
  REQUIRE(trial.member("balanced") == "true");
}

}  // namespace

TEST_CASE("the client port survives any bytes") {
  test::ServedNode node(1, 2);
  REQUIRE(node.wait_until_ready());
  Mutation mutation(1);
  const std::vector<std::string> bodies = client_bodies();
  Stream valid(node.self().client.port, "");
  Volley broken(node.self().client.port);
  const std::size_t strings = strings_per_port();
  for (std::size_t i = 0; i < strings; ++i) {
    if (i % 2 == 0) {
      valid.send(client_frame(router::client_request_frame, i, mutation.changed(mutation.one_of(bodies))));
    } else if (mutation.chance(500)) {
      broken.send(mutation.changed(client_frame(router::client_request_frame, i, mutation.one_of(bodies))));
    } else {
      broken.send(mutation.noise(200));
    }
    if (i % honest_every == 0) {
      require_alive(node);
    }
  }
  broken.finish();
  CHECK(broken.hung() == 0);
  require_alive(node);
  require_books_balance(node);
}

TEST_CASE("the http port survives any bytes") {
  test::ServedNode node(1, 2);
  REQUIRE(node.wait_until_ready());
  Mutation mutation(2);
  Volley volley(node.self().http.port);
  const std::size_t strings = strings_per_port();
  for (std::size_t i = 0; i < strings; ++i) {
    volley.send(i % 2 == 0 ? http_string(mutation, net::HttpListener::clients) : mutation.noise(300));
    if (i % honest_every == 0) {
      require_alive(node);
    }
  }
  volley.finish();
  CHECK(volley.hung() == 0);
  require_alive(node);
  require_books_balance(node);
}

TEST_CASE("the admin port survives any bytes") {
  test::ServedNode node(1, 1);
  REQUIRE(node.wait_until_ready());
  Mutation mutation(3);
  Volley volley(node.self().admin.port);
  const std::size_t strings = strings_per_port();
  for (std::size_t i = 0; i < strings; ++i) {
    volley.send(i % 2 == 0 ? http_string(mutation, net::HttpListener::admin) : mutation.noise(300));
    if (i % honest_every == 0) {
      require_alive(node);
    }
  }
  volley.finish();
  CHECK(volley.hung() == 0);
  require_alive(node);
}

TEST_CASE("the peer port survives any bytes, from strangers and from one who knows the cluster") {
  test::ServedNode node(3, 2);
  REQUIRE(node.mistake().empty());
  const std::string hello = hello_of(node.settings(), 1);
  const std::vector<std::string> payloads = peer_payloads(client_bodies());
  Mutation mutation(4);
  Stream known(node.self().peer.port, hello);
  Volley broken(node.self().peer.port);
  const std::size_t strings = strings_per_port();
  for (std::size_t i = 0; i < strings; ++i) {
    if (i % 2 == 0) {
      const auto kind = static_cast<std::uint8_t>(mutation.chance(20) ? mutation.below(256) : node::peer_frame);
      known.send(text_of(make_frame(kind, bytes_of(mutation.changed(mutation.one_of(payloads))))));
    } else if (mutation.chance(300)) {
      broken.send(mutation.changed(hello));
    } else if (mutation.chance(300)) {
      const std::string payload = mutation.changed(hello.substr(frame_header_size));
      broken.send(text_of(make_frame(net::peer_hello_frame, bytes_of(payload))));
    } else {
      broken.send(mutation.noise(200));
    }
    if (i % honest_every == 0) {
      require_alive(node);
    }
  }
  broken.finish();
  CHECK(broken.hung() == 0);
  require_alive(node);
}
