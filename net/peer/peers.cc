#include "net/peer/peers.h"

#include <algorithm>
#include <chrono>
#include <list>
#include <map>
#include <utility>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <netinet/tcp.h>

#include "core/base/frame.h"
#include "core/base/prng.h"
#include "net/driver/clock.h"
#include "net/driver/journal.h"
#include "net/peer/acceptor.h"
#include "net/peer/frame_channel.h"

namespace coffer::net {

namespace {

using asio::ip::tcp;

constexpr std::size_t hello_bytes_max = 2048;  // a refusal is as long
constexpr std::size_t message_bytes_max = frame_header_size + frame_payload_max;
constexpr FrameLimits outgoing_limits{.frame_bytes_max = hello_bytes_max, .send_queue_bytes_max = 96u << 20};
constexpr FrameLimits incoming_limits{.frame_bytes_max = hello_bytes_max, .send_queue_bytes_max = 8192};
constexpr std::size_t strangers_max = 64;  // incoming connections that have not said who they are
constexpr auto handshake_timeout = std::chrono::seconds(3);
constexpr int refusals_told_per_second = 5;
constexpr std::int64_t backoff_first_ms = 20;
constexpr std::int64_t backoff_last_ms = 1000;
constexpr int unacknowledged_ms_max = 10'000;  // then the kernel gives the connection up

/// A peer that vanished without closing is noticed by the kernel.
void watch(tcp::socket& socket) {
  boost::system::error_code ignored;
  socket.set_option(asio::socket_base::keep_alive(true), ignored);
  const int timeout = unacknowledged_ms_max;
  ::setsockopt(socket.native_handle(), IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout, sizeof timeout);
}

SharedBytes shared(Bytes bytes) { return std::make_shared<const Bytes>(std::move(bytes)); }

}  // namespace

struct Peers::State : std::enable_shared_from_this<Peers::State> {
  State(asio::io_context& context, const NodeSettings& s, Events e, std::uint64_t seed)
      : io(context), known(s), events(std::move(e)), prng(seed), my_hello(shared(encode(hello_of(s)))) {}

  /// Our connection to one peer: connecting -> greeting (hello sent) -> up -> waiting -> connecting …
  struct Outgoing final : FrameChannel::Owner {
    Outgoing(State& s, const NodeAddress& a) : state(s), address(a), timer(s.io), socket(s.io) {}
    void connect();
    void greet();
    void retry(const std::string& reason);
    void send(SharedBytes frame);
    void on_frame(FrameChannel& from, Bytes frame) override;
    void on_closed(FrameChannel& from, const std::string& reason) override;

    State& state;
    NodeAddress address;
    asio::steady_timer timer;  // hand-shake deadline, or the pause before the next attempt
    tcp::socket socket;
    std::shared_ptr<FrameChannel> channel;
    std::int64_t backoff_ms = backoff_first_ms;
    std::string last_reason;
    bool up = false;
  };

  /// A connection somebody opened to us.
  struct Incoming final : FrameChannel::Owner {
    explicit Incoming(State& s) : state(s), deadline(s.io) {}
    void on_frame(FrameChannel& from, Bytes frame) override;
    void on_closed(FrameChannel& from, const std::string& reason) override;
    void greet(FrameChannel& from, ByteView frame);

    State& state;
    asio::steady_timer deadline;
    std::shared_ptr<FrameChannel> channel;
    NodeId peer = nobody;
  };

  void accept(tcp::socket socket);
  void learn(const Hello& hello);
  Outgoing& link_to(const NodeAddress& address);
  void forget(Incoming& incoming);
  void tell_refusal(const std::string& from, const std::string& why);

  asio::io_context& io;
  KnownPeers known;
  Events events;
  Prng prng;
  SharedBytes my_hello;
  std::shared_ptr<Acceptor> acceptor;
  std::map<NodeId, std::unique_ptr<Outgoing>> outgoing;
  std::list<std::unique_ptr<Incoming>> incoming;
  PeerCounters counters;
  Instant refusals_since{};
  int refusals_told = 0;
  bool stopped = false;
};

// ---- outgoing ------------------------------------------------------------------------------------------------------

void Peers::State::Outgoing::connect() {
  boost::system::error_code failed;
  socket = tcp::socket(state.io);
  const tcp::endpoint to(asio::ip::make_address(address.peer.host, failed), address.peer.port);
  const auto alive = state.shared_from_this();
  timer.expires_after(handshake_timeout);
  timer.async_wait([this, alive](const boost::system::error_code& cancelled) {
    if (!cancelled && !up && !state.stopped) {
      boost::system::error_code ignored;
      socket.close(ignored);
      if (channel) {
        channel->close("no hello within the time limit");
      }
    }
  });
  socket.async_connect(to, [this, alive](const boost::system::error_code& refused) {
    if (state.stopped) {
      return;
    }
    if (refused) {
      retry(refused.message());
    } else {
      greet();
    }
  });
}

void Peers::State::Outgoing::greet() {
  watch(socket);
  channel = std::make_shared<FrameChannel>(std::move(socket), outgoing_limits, *this);
  channel->start();
  channel->send(state.my_hello);
}

void Peers::State::Outgoing::retry(const std::string& reason) {
  if (reason != last_reason) {
    journal(Level::warning, "peer " + std::to_string(address.node.value) + " at " + to_string(address.peer) + ": " +
                                reason + "; trying again");
    last_reason = reason;
  }
  const std::int64_t pause_ms = state.prng.between(backoff_ms / 2, backoff_ms);
  backoff_ms = std::min(backoff_ms * 2, backoff_last_ms);
  timer.expires_after(std::chrono::milliseconds(pause_ms));
  timer.async_wait([this, alive = state.shared_from_this()](const boost::system::error_code& cancelled) {
    if (!cancelled && !state.stopped) {
      connect();
    }
  });
}

void Peers::State::Outgoing::on_frame(FrameChannel& from, Bytes frame) {
  if (up) {
    from.close("it spoke on a connection that only this node speaks on");
    return;
  }
  if (const Result<std::string> told = decode_refusal(frame); told.has_value()) {
    from.close("it refuses this node: " + *told);
    return;
  }
  const Result<Hello> hello = decode_hello(frame);
  const std::string refusal = hello.has_error() ? hello.error().what : state.known.refusal_of(*hello, address.node);
  if (!refusal.empty()) {
    ++state.counters.hellos_refused;
    from.close("refused: " + refusal);
    return;
  }
  up = true;
  timer.cancel();
  backoff_ms = backoff_first_ms;
  last_reason.clear();
  journal(Level::info, "peer " + std::to_string(address.node.value) + " up");
  state.events.on_link(address.node, true);
}

void Peers::State::Outgoing::on_closed(FrameChannel&, const std::string& reason) {
  channel.reset();
  if (std::exchange(up, false)) {
    state.events.on_link(address.node, false);
  }
  if (!state.stopped) {
    retry(reason);
  }
}

void Peers::State::Outgoing::send(SharedBytes frame) {
  const std::size_t size = frame->size();
  if (up && channel->send(std::move(frame))) {
    ++state.counters.frames_sent;
    state.counters.bytes_sent += size;
  } else {
    ++state.counters.frames_dropped;
  }
}

// ---- incoming ------------------------------------------------------------------------------------------------------

void Peers::State::accept(tcp::socket socket) {
  const auto strangers =
      std::count_if(incoming.begin(), incoming.end(), [](const auto& i) { return i->peer == nobody; });
  if (static_cast<std::size_t>(strangers) >= strangers_max) {
    return;  // the socket closes itself
  }
  watch(socket);
  Incoming& added = *incoming.emplace_back(std::make_unique<Incoming>(*this));
  added.channel = std::make_shared<FrameChannel>(std::move(socket), incoming_limits, added);
  added.deadline.expires_after(handshake_timeout);
  added.deadline.async_wait(
      [channel = added.channel, alive = shared_from_this()](const boost::system::error_code& cancelled) {
        if (!cancelled) {
          channel->close("no hello within the time limit");
        }
      });
  added.channel->start();
}

/// A peer nobody told this node of: it is called back, and known after a restart (P4).
void Peers::State::learn(const Hello& hello) {
  if (!known.learn(hello)) {
    return;
  }
  journal(Level::info, "peer " + std::to_string(hello.sender.node.value) + " introduced itself, listening at " +
                           to_string(hello.sender.peer));
  if (const Result<void> saved = save_peers(known.settings().directory, known.learned()); saved.has_error()) {
    journal(Level::warning, saved.error().what + "; after a restart the peer will have to introduce itself again");
  }
  const auto link = outgoing.find(hello.sender.node);
  if (link == outgoing.end()) {
    link_to(hello.sender).connect();
  } else {
    link->second->address = hello.sender;  // the next attempt goes to the new place
  }
}

Peers::State::Outgoing& Peers::State::link_to(const NodeAddress& address) {
  return *outgoing.emplace(address.node, std::make_unique<Outgoing>(*this, address)).first->second;
}

/// Strangers may knock a thousand times a second; the log is for people.
void Peers::State::tell_refusal(const std::string& from, const std::string& why) {
  ++counters.hellos_refused;
  const Instant now = monotonic_now();
  if (now - refusals_since >= seconds(1)) {
    refusals_since = now;
    refusals_told = 0;
  }
  if (++refusals_told <= refusals_told_per_second) {
    journal(Level::warning, "peer connection from " + from + " refused: " + why);
  }
}

void Peers::State::Incoming::greet(FrameChannel& from, ByteView frame) {
  const Result<Hello> hello = decode_hello(frame);
  const std::string refusal = hello.has_error() ? hello.error().what : state.known.refusal_of(*hello, nobody);
  if (!refusal.empty()) {
    state.tell_refusal(from.remote(), refusal);
    // Whoever speaks the protocol is told, so that its operator reads what is wrong in its own journal.
    if (hello.has_value()) {
      from.send(shared(encode_refusal(refusal)));
    }
    from.close_when_drained("refused");
    return;
  }
  peer = hello->sender.node;
  state.learn(*hello);
  deadline.cancel();
  from.limit_frames(message_bytes_max);
  for (const auto& other : state.incoming) {
    if (other.get() != this && other->peer == peer) {
      other->channel->close("replaced by a newer connection");
      break;
    }
  }
  from.send(state.my_hello);
}

void Peers::State::Incoming::on_frame(FrameChannel& from, Bytes frame) {
  if (peer != nobody) {
    state.events.on_message(peer, std::move(frame));
  } else {
    greet(from, frame);
  }
}

void Peers::State::Incoming::on_closed(FrameChannel&, const std::string&) {
  deadline.cancel();
  state.forget(*this);
}

void Peers::State::forget(Incoming& gone) {
  // Its own handlers may still be on the stack: destroyed from a handler of its own.
  const auto found = std::find_if(incoming.begin(), incoming.end(), [&](const auto& i) { return i.get() == &gone; });
  if (found != incoming.end()) {
    std::shared_ptr<Incoming> last = std::move(*found);
    incoming.erase(found);
    asio::post(io, [last, alive = shared_from_this()] {});
  }
}

// ---- the whole -----------------------------------------------------------------------------------------------------

Peers::Peers(asio::io_context& io, const NodeSettings& settings, Events events, std::uint64_t seed)
    : state_(std::make_shared<State>(io, settings, std::move(events), seed)) {
  for (const NodeAddress& address : settings.everybody()) {
    if (address.node != settings.node) {
      state_->link_to(address);
    }
  }
}

Peers::~Peers() { stop(); }

Result<void> Peers::start() {
  State& state = *state_;
  state.acceptor = std::make_shared<Acceptor>(state.io, [&state](tcp::socket socket) {
    if (!state.stopped) {
      state.accept(std::move(socket));
    }
  });
  Result<void> listening = state.acceptor->listen(state.known.settings().self().peer);
  if (listening.has_error()) {
    return listening;
  }
  for (const auto& [node, link] : state.outgoing) {
    link->connect();
  }
  return {};
}

void Peers::stop() {
  State& state = *state_;
  if (std::exchange(state.stopped, true)) {
    return;
  }
  if (state.acceptor) {
    state.acceptor->stop();
  }
  for (const auto& [node, link] : state.outgoing) {
    link->timer.cancel();
    boost::system::error_code ignored;
    link->socket.close(ignored);
    if (link->channel) {
      link->channel->detach();
    }
  }
  for (const auto& connection : state.incoming) {
    connection->deadline.cancel();
    connection->channel->detach();
  }
}

void Peers::send(NodeId to, SharedBytes frame) {
  const auto link = state_->outgoing.find(to);
  if (link != state_->outgoing.end() && !state_->stopped) {
    link->second->send(std::move(frame));
  }
}

PeerCounters Peers::counters() const { return state_->counters; }
const NodeSettings& Peers::settings() const { return state_->known.settings(); }

}  // namespace coffer::net
