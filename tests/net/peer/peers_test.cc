#include "net/peer/peers.h"

#include <optional>

#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>

#include "core/base/frame.h"
#include "core/base/hash.h"
#include "tests/net/served_node.h"

using namespace coffer;

namespace {

std::string text_of(const Bytes& bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

/// One side of a pair of nodes, with a directory to keep.
struct Side {
  Side(boost::asio::io_context& io, const net::NodeSettings& settings) : Side(io, settings, own) {}
  /// In a directory that outlives it.
  Side(boost::asio::io_context& io, const net::NodeSettings& settings, const test::TemporaryDirectory& kept)
      : directory(kept),
        peers(io, in(directory, settings),
              {.on_message = [this](NodeId from, Bytes frame) { got.emplace_back(from, std::move(frame)); },
               .on_link = [this](NodeId peer, bool up) { links.emplace_back(peer, up); }},
              1) {}
  static net::NodeSettings in(const test::TemporaryDirectory& directory, net::NodeSettings settings) {
    settings.directory = directory.path();
    settings.learned = net::load_peers(settings);
    return settings;
  }
  bool is_up(std::uint32_t node) const {
    bool up = false;
    for (const auto& [peer, said] : links) {
      up = peer == NodeId(node) ? said : up;
    }
    return up;
  }

  test::TemporaryDirectory own;
  const test::TemporaryDirectory& directory;
  std::vector<std::pair<NodeId, Bytes>> got;
  std::vector<std::pair<NodeId, bool>> links;
  net::Peers peers;
};

template <class Condition>
bool run_until(boost::asio::io_context& io, Condition condition) {
  for (int i = 0; i < 1000 && !condition(); ++i) {
    io.restart();
    io.run_one_for(std::chrono::milliseconds(5));
  }
  return condition();
}

net::NodeSettings as_node(net::NodeSettings settings, std::uint32_t node) {
  settings.node = NodeId(node);
  return settings;
}

/// Without the last node, as the others' settings were before it existed.
net::NodeSettings without_last(net::NodeSettings settings) {
  settings.nodes.pop_back();
  return settings;
}

}  // namespace

TEST_CASE("two nodes find each other, exchange frames, and find each other again after one was away") {
  boost::asio::io_context io;
  const net::NodeSettings settings = test::first_of(2, 1, "d");
  const Bytes frame = make_frame(1, bytes_of("hello there"));
  Side first(io, as_node(settings, 1));
  REQUIRE(first.peers.start().has_value());
  auto second = std::make_unique<Side>(io, as_node(settings, 2));
  REQUIRE(second->peers.start().has_value());
  REQUIRE(run_until(io, [&] { return first.links.size() == 1 && second->links.size() == 1; }));
  CHECK(first.links[0] == std::pair(NodeId(2), true));

  first.peers.send(NodeId(2), std::make_shared<const Bytes>(frame));
  REQUIRE(run_until(io, [&] { return second->got.size() == 1; }));
  CHECK(second->got[0] == std::pair(NodeId(1), frame));

  second.reset();
  REQUIRE(run_until(io, [&] { return first.links.size() == 2; }));
  CHECK(first.links[1] == std::pair(NodeId(2), false));
  first.peers.send(NodeId(2), std::make_shared<const Bytes>(frame));
  CHECK(first.peers.counters().frames_dropped == 1);

  second = std::make_unique<Side>(io, as_node(settings, 2));
  REQUIRE(second->peers.start().has_value());
  REQUIRE(run_until(io, [&] { return first.links.size() == 3; }));
  CHECK(first.links[2] == std::pair(NodeId(2), true));
}

TEST_CASE("a node of another cluster is refused by both sides, and keeps trying without harm (invariant P1)") {
  boost::asio::io_context io;
  const net::NodeSettings settings = test::first_of(2, 1, "d");
  net::NodeSettings foreign = as_node(settings, 2);
  foreign.cluster = net::fresh_uuid();
  Side first(io, as_node(settings, 1));
  Side second(io, foreign);
  REQUIRE(first.peers.start().has_value());
  REQUIRE(second.peers.start().has_value());
  REQUIRE(run_until(
      io, [&] { return first.peers.counters().hellos_refused > 1 && second.peers.counters().hellos_refused > 1; }));
  CHECK(first.links.empty());
  CHECK(second.links.empty());
  CHECK(first.got.empty());
}

TEST_CASE("nothing is handed up from a connection that has not said who it is (invariant P1)") {
  boost::asio::io_context io;
  const net::NodeSettings settings = test::first_of(2, 1, "d");
  Side node(io, as_node(settings, 1));
  REQUIRE(node.peers.start().has_value());
  test::PlainSocket stranger(settings.nodes[0].peer.port);
  REQUIRE(stranger.send(text_of(make_frame(1, bytes_of("trust me")))));
  run_until(io, [&] { return stranger.has_bytes_within(0); });
  CHECK(stranger.is_closed_within(1000));
  CHECK(node.got.empty());
}

TEST_CASE("a stranger cannot make a node hold a large frame (invariant F1)") {
  boost::asio::io_context io;
  const net::NodeSettings settings = test::first_of(2, 1, "d");
  Side node(io, as_node(settings, 1));
  REQUIRE(node.peers.start().has_value());
  test::PlainSocket stranger(settings.nodes[0].peer.port);
  REQUIRE(stranger.send(text_of(make_frame(1, Bytes(1000))).substr(0, frame_header_size)));
  run_until(io, [&] { return stranger.has_bytes_within(0); });
  CHECK(stranger.is_closed_within(1000));
}

TEST_CASE("a newer connection of the same peer replaces the older one (invariant P2)") {
  boost::asio::io_context io;
  const net::NodeSettings settings = test::first_of(2, 1, "d");
  Side node(io, as_node(settings, 1));
  REQUIRE(node.peers.start().has_value());
  const std::string hello = text_of(encode(net::hello_of(as_node(settings, 2))));
  test::PlainSocket older(settings.nodes[0].peer.port);
  REQUIRE(older.send(hello));
  REQUIRE(run_until(io, [&] { return older.has_bytes_within(0); }));
  CHECK(older.receive(hello.size()).size() == hello.size());
  test::PlainSocket newer(settings.nodes[0].peer.port);
  const Bytes frame = make_frame(1, bytes_of("from the newer one"));
  REQUIRE(newer.send(hello + text_of(frame)));
  REQUIRE(run_until(io, [&] { return node.got.size() == 1; }));
  CHECK(node.got[0].second == frame);
  CHECK(older.is_closed_within(1000));
}

TEST_CASE("a node nobody was told of introduces itself, is called back, and is known after a restart (invariant P4)") {
  boost::asio::io_context io;
  const net::NodeSettings all = test::first_of(3, 1, "d");
  const test::TemporaryDirectory kept;
  auto first = std::make_unique<Side>(io, as_node(without_last(all), 1), kept);
  REQUIRE(first->peers.start().has_value());
  {
    Side third(io, as_node(all, 3));
    REQUIRE(third.peers.start().has_value());
    REQUIRE(run_until(io, [&] { return third.is_up(1) && first->is_up(3); }));
    first->peers.send(NodeId(3), std::make_shared<const Bytes>(make_frame(1, bytes_of("welcome"))));
    REQUIRE(run_until(io, [&] { return third.got.size() == 1; }));
    CHECK(third.got[0].first == NodeId(1));
    REQUIRE(first->peers.settings().learned.size() == 1);
    CHECK(first->peers.settings().learned[0].uuid == all.nodes[2].uuid);
    CHECK(to_string(first->peers.settings().learned[0].admin) == to_string(all.nodes[2].admin));
  }
  first.reset();
  Side again(io, as_node(without_last(all), 1), kept);
  REQUIRE(again.peers.start().has_value());
  net::NodeSettings silent = as_node(all, 3);
  silent.nodes.erase(silent.nodes.begin());  // it does not know the first node: only the first can call
  Side third(io, silent);
  REQUIRE(third.peers.start().has_value());
  REQUIRE(run_until(io, [&] { return again.is_up(3); }));
}

TEST_CASE("a known number with another uuid is refused, and told why and what to do (invariants P1 and K1)") {
  boost::asio::io_context io;
  const net::NodeSettings settings = test::first_of(2, 1, "d");
  Side node(io, as_node(settings, 1));
  REQUIRE(node.peers.start().has_value());
  net::NodeSettings replaced = as_node(settings, 2);
  replaced.nodes[1].uuid = net::fresh_uuid();
  test::PlainSocket stranger(settings.nodes[0].peer.port);
  REQUIRE(stranger.send(text_of(encode(net::hello_of(replaced)))));
  REQUIRE(run_until(io, [&] { return stranger.has_bytes_within(0); }));
  const std::string told = stranger.receive(4096);
  const Result<std::string> refusal = net::decode_refusal(bytes_of(told));
  REQUIRE(refusal.has_value());
  CHECK_THAT(*refusal, Catch::StartsWith("replaced or foreign disk") && Catch::Contains("join --replace 2"));
  CHECK(run_until(io, [&] { return stranger.is_closed_within(0); }));
  CHECK(node.peers.settings().learned.empty());
  CHECK(node.got.empty());
}

TEST_CASE("a list of peers that is damaged is set aside, and the node starts without it") {
  const test::TemporaryDirectory directory;
  net::NodeSettings settings = test::first_of(2, 1, directory.path());
  const std::vector<net::NodeAddress> peers = {test::first_of(1, 1, "x").nodes[0]};
  net::NodeAddress seventh = peers[0];
  seventh.node = NodeId(7);
  REQUIRE(net::save_peers(directory.path(), {seventh}).has_value());
  REQUIRE(net::load_peers(settings).size() == 1);
  CHECK(net::load_peers(settings)[0].node == NodeId(7));
  std::filesystem::resize_file(directory.path() + "/peers.json", 40);
  CHECK(net::load_peers(settings).empty());
  CHECK_FALSE(std::filesystem::exists(directory.path() + "/peers.json"));
  CHECK(std::filesystem::exists(directory.path() + "/peers.json.damaged"));
}
