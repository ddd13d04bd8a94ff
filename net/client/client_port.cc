#include "net/client/client_port.h"

#include <algorithm>
#include <cstring>
#include <list>
#include <utility>

#include <boost/asio/post.hpp>

#include "core/router/protocol.h"
#include "net/peer/acceptor.h"
#include "net/peer/frame_channel.h"

namespace coffer::net {

namespace {

constexpr std::size_t connections_max = 1024;
constexpr std::size_t outstanding_max = 1024;          // requests per connection
constexpr std::size_t unsent_bytes_max = 32u << 20;    // replies per connection; then it is not read
constexpr std::size_t waiting_bytes_max = 256u << 20;  // of all requests not stepped yet
constexpr FrameLimits limits{.frame_bytes_max = client_frame_bytes_max, .send_queue_bytes_max = 64u << 20};

}  // namespace

Bytes make_client_frame(std::uint8_t kind, RequestId request, ByteView body) {
  Bytes frame;
  frame.reserve(client_prefix_size + body.size());
  frame.resize(client_prefix_size);
  std::memcpy(frame.data() + frame_header_size, &request.value, sizeof request.value);
  frame.insert(frame.end(), body.begin(), body.end());
  seal_frame(kind, frame);
  return frame;
}

struct ClientPort::State : std::enable_shared_from_this<ClientPort::State> {
  State(boost::asio::io_context& context, Driver& d) : io(context), driver(d) {}

  struct Connection final : FrameChannel::Owner, ReplySink {
    explicit Connection(State& s) : state(s), client(s.driver.add_client(*this)) {}
    void on_frame(FrameChannel& from, Bytes frame) override;
    void on_closed(FrameChannel& from, const std::string& reason) override;
    void on_drained(FrameChannel&) override { continue_reading(); }
    void on_reply(RequestId request, Bytes body) override;
    bool is_full() const {
      return outstanding >= outstanding_max || channel->queued_bytes() > unsent_bytes_max ||
             state.driver.waiting_bytes() > waiting_bytes_max;
    }
    void continue_reading();

    State& state;
    ClientId client;
    std::shared_ptr<FrameChannel> channel;
    std::size_t outstanding = 0;
    bool resume_scheduled = false;
  };

  void accept(asio::ip::tcp::socket socket);
  void forget(Connection& gone);

  boost::asio::io_context& io;
  Driver& driver;
  std::shared_ptr<Acceptor> acceptor;
  std::list<std::shared_ptr<Connection>> connections;
  bool stopped = false;
};

void ClientPort::State::accept(asio::ip::tcp::socket socket) {
  if (connections.size() >= connections_max) {
    return;  // the socket closes itself: the client tries another node
  }
  const auto added = std::make_shared<Connection>(*this);
  added->channel = std::make_shared<FrameChannel>(std::move(socket), limits, *added);
  connections.push_back(added);
  added->channel->start();
}

void ClientPort::State::forget(Connection& gone) {
  const auto found =
      std::find_if(connections.begin(), connections.end(), [&](const auto& c) { return c.get() == &gone; });
  if (found != connections.end()) {
    // Its own handlers may still be on the stack.
    asio::post(io, [last = std::move(*found), alive = shared_from_this()] {});
    connections.erase(found);
  }
}

void ClientPort::State::Connection::on_frame(FrameChannel& from, Bytes frame) {
  const Result<FrameView> opened = open_frame(frame);
  if (opened.has_error()) {
    from.close(opened.error().what);
    return;
  }
  if (opened->kind != router::client_request_frame || opened->payload.size() < sizeof(std::uint64_t)) {
    from.close("not a request");
    return;
  }
  RequestId request;
  std::memcpy(&request.value, opened->payload.data(), sizeof request.value);
  ++outstanding;
  state.driver.request(client, request, std::move(frame), client_prefix_size);
  if (is_full()) {
    from.pause();
  }
}

void ClientPort::State::Connection::on_reply(RequestId request, Bytes body) {
  --outstanding;
  if (!channel->send(std::make_shared<const Bytes>(make_client_frame(router::client_reply_frame, request, body)))) {
    channel->close("replies are not read");
    return;
  }
  if (channel->is_paused() && !resume_scheduled && !is_full()) {
    // Not from inside a step's replies: resuming may hand in requests.
    resume_scheduled = true;
    asio::post(state.io, [this, alive = state.shared_from_this(), self = channel] {
      if (self->is_open()) {
        resume_scheduled = false;
        continue_reading();
      }
    });
  }
}

void ClientPort::State::Connection::continue_reading() {
  if (!is_full()) {
    channel->resume();
  }
}

void ClientPort::State::Connection::on_closed(FrameChannel&, const std::string&) {
  state.driver.remove_client(client);
  state.forget(*this);
}

ClientPort::ClientPort(boost::asio::io_context& io, Driver& driver) : state_(std::make_shared<State>(io, driver)) {}

ClientPort::~ClientPort() { stop(); }

Result<void> ClientPort::start(const Endpoint& endpoint) {
  State& state = *state_;
  state.acceptor = std::make_shared<Acceptor>(state.io, [&state](asio::ip::tcp::socket socket) {
    if (!state.stopped) {
      state.accept(std::move(socket));
    }
  });
  return state.acceptor->listen(endpoint);
}

void ClientPort::stop() {
  State& state = *state_;
  if (std::exchange(state.stopped, true)) {
    return;
  }
  if (state.acceptor) {
    state.acceptor->stop();
  }
  for (const auto& connection : state.connections) {
    state.driver.remove_client(connection->client);
    connection->channel->detach();
  }
}

std::size_t ClientPort::connections() const { return state_->connections.size(); }

}  // namespace coffer::net
