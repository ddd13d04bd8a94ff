#include "net/peer/peers.h"

#include <optional>

#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>

#include "core/base/frame.h"
#include "core/base/hash.h"
#include "tests/net/served_node.h"

using namespace coffer;
using net::Hello;

namespace {

Hello hello_of(const net::NodeSettings& settings, NodeId node) {
  for (const net::NodeAddress& address : settings.nodes) {
    if (address.node == node) {
      return {.protocol = net::peer_protocol,
              .cluster = settings.cluster,
              .node = node,
              .node_uuid = address.uuid,
              .incarnation = address.incarnation};
    }
  }
  return {};
}

std::string text_of(const Bytes& bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

/// One side of a pair of nodes.
struct Side {
  Side(boost::asio::io_context& io, const net::NodeSettings& settings)
      : peers(io, settings,
              {.on_message = [this](NodeId from, Bytes frame) { got.emplace_back(from, std::move(frame)); },
               .on_link = [this](NodeId peer, bool up) { links.emplace_back(peer, up); }},
              1) {}
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

}  // namespace

TEST_CASE("a hello is read back as it was written, and nothing else is a hello") {
  const net::NodeSettings settings = test::first_of(3, 1, "d");
  const Bytes frame = encode(hello_of(settings, NodeId(2)));
  const Result<Hello> read = net::decode_hello(frame);
  REQUIRE(read.has_value());
  CHECK(read->node == NodeId(2));
  CHECK(read->cluster == settings.cluster);
  CHECK(net::decode_hello(make_frame(1, ByteView(frame).subspan(frame_header_size))).has_error());
  CHECK(net::decode_hello(make_frame(net::peer_hello_frame, {})).has_error());
  Bytes damaged = frame;
  damaged.back() ^= std::byte{1};
  CHECK(net::decode_hello(damaged).has_error());
}

TEST_CASE("a hello that differs in any field is refused, and the refusal says which (invariant P1)") {
  const net::NodeSettings settings = test::first_of(3, 1, "d");
  const Hello good = hello_of(settings, NodeId(2));
  CHECK(net::refusal_of(good, settings, NodeId(2)).empty());
  CHECK(net::refusal_of(good, settings, nobody).empty());
  CHECK_THAT(net::refusal_of(good, settings, NodeId(3)), Catch::Contains("it is node 2, not node 3"));

  Hello other = good;
  other.protocol = 99;
  CHECK_THAT(net::refusal_of(other, settings, nobody), Catch::Contains("protocol 99"));
  other = good;
  other.cluster.bytes[0] ^= 1;
  CHECK_THAT(net::refusal_of(other, settings, nobody), Catch::Contains("belongs to cluster"));
  other = good;
  other.node_uuid.bytes[0] ^= 1;
  CHECK_THAT(net::refusal_of(other, settings, nobody), Catch::Contains("has uuid"));
  other = good;
  other.incarnation = 2;
  CHECK_THAT(net::refusal_of(other, settings, nobody), Catch::Contains("incarnation 2"));
  other = good;
  other.node = NodeId(9);
  CHECK_THAT(net::refusal_of(other, settings, nobody), Catch::Contains("not listed"));
  CHECK_THAT(net::refusal_of(hello_of(settings, NodeId(1)), settings, nobody), Catch::Contains("this very node"));
}

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
  const std::string hello = text_of(encode(hello_of(settings, NodeId(2))));
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
