#include "net/peer/known_peers.h"

#include <functional>

#include <catch2/catch.hpp>

#include "core/base/codec.h"
#include "core/base/frame.h"
#include "tests/net/served_node.h"

using namespace coffer;
using net::Hello;
using net::KnownPeers;

namespace {

Hello hello_from(net::NodeSettings settings, std::uint32_t node) {
  settings.node = NodeId(node);
  return net::hello_of(settings);
}

}  // namespace

TEST_CASE("a hello is read back as it was written, and nothing else is a hello") {
  const net::NodeSettings settings = test::first_of(3, 1, "d");
  const Bytes frame = encode(hello_from(settings, 2));
  const Result<Hello> read = net::decode_hello(frame);
  REQUIRE(read.has_value());
  CHECK(read->sender.node == NodeId(2));
  CHECK(read->sender.uuid == settings.nodes[1].uuid);
  CHECK(to_string(read->sender.peer) == to_string(settings.nodes[1].peer));
  CHECK(to_string(read->sender.http) == to_string(settings.nodes[1].http));
  CHECK(read->cluster == settings.cluster);
  CHECK(read->epoch_bytes == settings.tuning.epoch_bytes);
  CHECK(read->chunk_bytes == settings.tuning.chunk_bytes);
  const ByteView payload = ByteView(frame).subspan(frame_header_size);
  CHECK(net::decode_hello(make_frame(1, payload)).has_error());
  for (std::size_t size = 0; size < payload.size(); ++size) {
    CHECK(net::decode_hello(make_frame(net::peer_hello_frame, payload.first(size))).has_error());
  }
  Bytes damaged = frame;
  damaged.back() ^= std::byte{1};
  CHECK(net::decode_hello(damaged).has_error());
}

TEST_CASE("of a hello in another protocol only the number is read, whatever follows") {
  Bytes payload;
  ByteWriter out(payload);
  out.u32(1);
  out.u32(12345);
  const Result<Hello> read = net::decode_hello(make_frame(net::peer_hello_frame, payload));
  REQUIRE(read.has_value());
  CHECK(read->protocol == 1);
  const KnownPeers known(test::first_of(3, 1, "d"));
  CHECK_THAT(known.refusal_of(*read, nobody), Catch::Contains("speaks protocol 1, this node 3"));
}

TEST_CASE("a hello with an address that is none is malformed") {
  const net::NodeSettings settings = test::first_of(2, 1, "d");
  Hello hello = hello_from(settings, 2);
  hello.sender.peer.host = "10.0.0.1";
  CHECK(net::decode_hello(encode(hello)).has_error());
  hello.sender.peer = {"127.0.0.1", 0};
  CHECK(net::decode_hello(encode(hello)).has_error());
}

TEST_CASE("a refusal is read back without what a terminal would obey") {
  CHECK(*net::decode_refusal(net::encode_refusal("no\x1b[2J\nway")) == "no?[2J?way");
  CHECK(net::decode_refusal(net::encode_refusal(std::string(5000, 'x')))->size() == 1024);
  CHECK(net::decode_refusal(make_frame(1, bytes_of("no"))).has_error());
}

TEST_CASE("a hello that differs from what is known is refused, and the refusal says what to do (invariants K1, K3)") {
  const net::NodeSettings settings = test::first_of(3, 1, "d");
  const KnownPeers known(settings);
  const Hello good = hello_from(settings, 2);
  CHECK(known.refusal_of(good, nobody).empty());
  CHECK(known.refusal_of(good, NodeId(2)).empty());
  struct Row {
    std::function<void(Hello&)> change;
    NodeId expected;
    std::vector<std::string> says;
  };
  const std::vector<Row> rows = {
      {[](Hello&) {}, NodeId(3), {"it is node 2, not node 3"}},
      {[](Hello& h) { h.protocol = 99; }, nobody, {"protocol 99", "same version"}},
      {[](Hello& h) { h.cluster.bytes[0] ^= 1; }, nobody, {"belongs to cluster", "settings of another cluster"}},
      {[](Hello& h) { h.sender.uuid.bytes[0] ^= 1; }, nobody, {"replaced or foreign disk", "join --replace 2"}},
      {[](Hello& h) { h.sender.incarnation = 2; }, nobody, {"replaced or foreign disk", "incarnation 2"}},
      {[](Hello& h) { h.sender.node = NodeId(9); }, nobody, {"is node 2's, and came as node 9", "join --replace 2"}},
      {[&](Hello& h) { h.sender = settings.nodes[0]; }, nobody, {"this very node", "copied"}},
      {[](Hello& h) { h.epoch_bytes = 65536; }, nobody, {"epoch_bytes 65536", "the same on all nodes"}},
      {[](Hello& h) { h.chunk_bytes = 4096; }, nobody, {"chunk_bytes 4096", "the same on all nodes"}},
      {[](Hello& h) { h.sender.node = NodeId(1); }, nobody, {"replaced or foreign disk", "join --replace 1"}},
  };
  for (const Row& row : rows) {
    Hello hello = good;
    row.change(hello);
    const std::string refusal = known.refusal_of(hello, row.expected);
    for (const std::string& words : row.says) {
      CHECK_THAT(refusal, Catch::Contains(words));
    }
  }
}

TEST_CASE("a number and a uuid nobody has is learned, and is known from then on (invariant K2)") {
  const net::NodeSettings settings = test::first_of(3, 1, "d");
  KnownPeers known(settings);
  net::NodeSettings joined = test::first_of(4, 1, "d");
  joined.cluster = settings.cluster;
  const Hello fourth = hello_from(joined, 4);
  CHECK(known.refusal_of(fourth, nobody).empty());
  CHECK(known.learn(fourth));
  CHECK_FALSE(known.learn(fourth));
  CHECK_FALSE(known.learn(hello_from(settings, 2)));
  REQUIRE(known.learned().size() == 1);
  CHECK(known.settings().config().nodes.size() == 4);
  CHECK(known.settings().config().shards[0].members.size() == 3);

  Hello moved = fourth;
  moved.sender.peer.port = 1;
  CHECK(known.refusal_of(moved, nobody).empty());
  CHECK(known.learn(moved));
  CHECK(known.learned()[0].peer.port == 1);

  Hello other = fourth;
  other.sender.uuid = net::fresh_uuid();
  CHECK_THAT(known.refusal_of(other, nobody), Catch::StartsWith("replaced or foreign disk"));
  other = fourth;
  other.sender.node = NodeId(5);
  CHECK_THAT(known.refusal_of(other, nobody), Catch::StartsWith("replaced or foreign disk"));
}

TEST_CASE("no more nodes are learned than a group can have") {
  KnownPeers known(test::first_of(3, 1, "d"));
  Hello hello = net::hello_of(known.settings());
  for (std::uint32_t node = 4; node <= net::nodes_max; ++node) {
    hello.sender.node = NodeId(node);
    hello.sender.uuid = net::fresh_uuid();
    REQUIRE(known.refusal_of(hello, nobody).empty());
    known.learn(hello);
  }
  hello.sender.node = NodeId(net::nodes_max + 1);
  hello.sender.uuid = net::fresh_uuid();
  CHECK_THAT(known.refusal_of(hello, nobody), Catch::Contains("takes no more"));
}
