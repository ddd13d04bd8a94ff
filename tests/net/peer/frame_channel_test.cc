#include "net/peer/frame_channel.h"

#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>

#include "core/base/frame.h"
#include "core/base/hash.h"
#include "tests/net/plain_socket.h"

using namespace coffer;
using boost::asio::ip::tcp;
using net::FrameChannel;

namespace {

/// A channel accepted from a plain socket, and what it has told its owner.
struct Pair final : FrameChannel::Owner {
  explicit Pair(net::FrameLimits limits)
      : acceptor(io, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0)), far(acceptor.local_endpoint().port()) {
    tcp::socket socket = acceptor.accept();
    channel = std::make_shared<FrameChannel>(std::move(socket), limits, *this);
    channel->start();
  }
  ~Pair() {
    channel->detach();
    io.poll();
  }
  void on_frame(FrameChannel& from, Bytes frame) override {
    frames.push_back(std::move(frame));
    if (frames.size() == pause_after) {
      from.pause();
    }
  }
  void on_closed(FrameChannel&, const std::string& reason) override { closed_because = reason; }
  void on_drained(FrameChannel&) override { ++drained; }
  template <class Condition>
  void run_until(Condition condition) {
    for (int i = 0; i < 2000 && !condition(); ++i) {
      io.restart();
      io.run_one_for(std::chrono::milliseconds(5));
    }
  }

  boost::asio::io_context io;
  tcp::acceptor acceptor;
  test::PlainSocket far;
  std::shared_ptr<FrameChannel> channel;
  std::vector<Bytes> frames;
  std::size_t pause_after = SIZE_MAX;
  std::string closed_because;
  int drained = 0;
};

constexpr net::FrameLimits roomy{.frame_bytes_max = 1u << 20, .send_queue_bytes_max = 4u << 20};

Bytes frame_of(std::size_t size, char fill) { return make_frame(7, bytes_of(std::string(size, fill))); }

std::string text_of(const Bytes& bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

}  // namespace

TEST_CASE("frames arrive whole however the stream was cut") {
  Pair pair(roomy);
  const std::vector<Bytes> sent = {frame_of(0, 'a'), frame_of(1, 'b'), frame_of(200'000, 'c'), frame_of(3000, 'd')};
  std::string stream;
  for (const Bytes& frame : sent) {
    stream += text_of(frame);
  }
  const std::size_t cut = GENERATE(as<std::size_t>(), 1, 23, 24, 25, 4096, 70'000, 1'000'000);
  for (std::size_t at = 0; at < stream.size(); at += cut) {
    if (cut == 1 && at > 200) {
      REQUIRE(pair.far.send(stream.substr(at)));
      break;
    }
    REQUIRE(pair.far.send(stream.substr(at, cut)));
    pair.io.poll();
    pair.io.restart();
  }
  pair.run_until([&] { return pair.frames.size() == sent.size(); });
  CHECK(pair.frames == sent);
}

TEST_CASE("a length over the limit closes the connection before anything is allocated (invariant F1)") {
  Pair pair({.frame_bytes_max = 1000, .send_queue_bytes_max = 1000});
  const std::string header = text_of(frame_of(60'000'000, 'x')).substr(0, frame_header_size);
  REQUIRE(pair.far.send(header));
  pair.run_until([&] { return !pair.closed_because.empty(); });
  CHECK_THAT(pair.closed_because, Catch::Contains("over the limit"));
  CHECK(pair.frames.empty());
  CHECK(pair.far.is_closed_within(1000));
}

TEST_CASE("bytes that are no frame close the connection") {
  Pair pair(roomy);
  REQUIRE(pair.far.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
  pair.run_until([&] { return !pair.closed_because.empty(); });
  CHECK_THAT(pair.closed_because, Catch::Contains("not a frame"));
}

TEST_CASE("frames beyond the queue's limit are refused, not half-sent (invariant F2)") {
  Pair pair({.frame_bytes_max = 1u << 20, .send_queue_bytes_max = 100'000});
  const auto frame = std::make_shared<const Bytes>(frame_of(60'000, 'q'));
  CHECK(pair.channel->send(frame));
  CHECK_FALSE(pair.channel->send(frame));
  pair.run_until([&] { return pair.drained == 1; });
  CHECK(pair.channel->queued_bytes() == 0);
  CHECK(pair.channel->send(frame));
  pair.run_until([&] { return pair.drained == 2; });
  CHECK(pair.far.receive(2 * frame->size()) == text_of(*frame) + text_of(*frame));
}

TEST_CASE("a paused channel takes no further frame until it is resumed") {
  Pair pair(roomy);
  pair.pause_after = 1;
  REQUIRE(pair.far.send(text_of(frame_of(10, 'a')) + text_of(frame_of(10, 'b')) + text_of(frame_of(100'000, 'c'))));
  pair.run_until([&] { return pair.frames.size() == 1; });
  for (int i = 0; i < 5; ++i) {
    pair.io.restart();
    pair.io.run_one_for(std::chrono::milliseconds(2));
  }
  CHECK(pair.frames.size() == 1);
  pair.channel->resume();
  pair.run_until([&] { return pair.frames.size() == 3; });
  CHECK(pair.frames.size() == 3);
}

TEST_CASE("the end of a stream is told once, with its reason (invariant F3)") {
  Pair pair(roomy);
  pair.far.finish_sending();
  pair.run_until([&] { return !pair.closed_because.empty(); });
  CHECK_FALSE(pair.closed_because.empty());
  pair.closed_because.clear();
  pair.channel->close("again");
  CHECK(pair.closed_because.empty());
  CHECK_FALSE(pair.channel->send(std::make_shared<const Bytes>(frame_of(1, 'z'))));
}

TEST_CASE("a channel asked to close when drained sends what is queued first") {
  Pair pair(roomy);
  const Bytes frame = frame_of(50'000, 'e');
  pair.channel->send(std::make_shared<const Bytes>(frame));
  pair.channel->close_when_drained("enough");
  pair.run_until([&] { return pair.closed_because == "enough"; });
  CHECK(pair.closed_because == "enough");
  CHECK(pair.far.receive(frame.size()) == text_of(frame));
}
