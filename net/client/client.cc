#include "net/client/client.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <deque>
#include <map>
#include <unordered_map>
#include <utility>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "core/base/check.h"
#include "core/base/frame.h"
#include "core/base/prng.h"
#include "core/node/config.h"
#include "net/client/client_port.h"
#include "net/driver/clock.h"
#include "net/peer/frame_channel.h"

namespace coffer::net {

namespace {

using asio::ip::tcp;

constexpr FrameLimits limits{.frame_bytes_max = frame_header_size + frame_payload_max,
                             .send_queue_bytes_max = 256u << 20};
constexpr auto connect_timeout = std::chrono::seconds(2);
constexpr auto reconnect_pause = std::chrono::milliseconds(100);

router::ShardMap map_of(std::uint32_t shards) {
  std::vector<router::SlotOwner> owners;
  for (const node::ShardConfig& shard : node::even_shards(shards, {NodeId(1)})) {
    owners.push_back({.shard = shard.shard, .first = shard.first_slot, .end = shard.slot_end});
  }
  return router::ShardMap(std::move(owners));
}

router::RouterConfig router_config(const ClientConfig& config) {
  router::RouterConfig out{.mode = config.mode, .nodes = {}, .attempt_timeout = config.attempt_timeout};
  for (const ClientTarget& target : config.targets) {
    out.nodes.push_back(target.node);
  }
  return out;
}

}  // namespace

struct Client::State : std::enable_shared_from_this<Client::State> {
  explicit State(const ClientConfig& config)
      : router(router_config(config), map_of(config.shards), Prng(fresh_seed())), wake_timer(io) {
    for (const ClientTarget& target : config.targets) {
      links.emplace(target.node, std::make_unique<Link>(*this, target));
    }
  }

  /// One connection, opened when there is something to ask; closed by a failure, opened again by the next attempt.
  struct Link final : FrameChannel::Owner {
    Link(State& s, const ClientTarget& t) : state(s), target(t), socket(s.io), timer(s.io) {}
    void send(SharedBytes frame);
    void connect();
    void lost();
    void on_frame(FrameChannel& from, Bytes frame) override;
    void on_closed(FrameChannel& from, const std::string& reason) override;

    State& state;
    ClientTarget target;
    tcp::socket socket;
    asio::steady_timer timer;
    std::shared_ptr<FrameChannel> channel;
    std::deque<SharedBytes> waiting;  // for the connection
    bool connecting = false;
    bool resting = false;  // after a failure: attempts fail at once instead of hammering
  };

  /// A question to one node, past the router.
  struct Probe {
    NodeId node;
    Answered done;
    std::unique_ptr<asio::steady_timer> deadline;
  };

  void execute(router::RouterOutput& out);
  void schedule_wake();
  void end_probe(std::uint64_t id, std::optional<Bytes> reply);

  asio::io_context io{1};
  router::Router router;
  router::RouterOutput output;
  std::map<NodeId, std::unique_ptr<Link>> links;
  std::unordered_map<router::Ticket, Done> asking;
  router::Ticket last_ticket = 0;
  std::map<std::uint64_t, Probe> probes;
  asio::steady_timer wake_timer;
  Instant timer_at = never;
};

void Client::State::Link::send(SharedBytes frame) {
  if (channel) {
    channel->send(std::move(frame));
    return;
  }
  if (resting) {
    asio::post(state.io, [this, alive = state.shared_from_this()] { lost(); });
    return;
  }
  waiting.push_back(std::move(frame));
  if (!connecting) {
    connect();
  }
}

void Client::State::Link::connect() {
  connecting = true;
  boost::system::error_code failed;
  const tcp::endpoint to(asio::ip::make_address(target.client.host, failed), target.client.port);
  socket = tcp::socket(state.io);
  timer.expires_after(connect_timeout);
  timer.async_wait([this, alive = state.shared_from_this()](const boost::system::error_code& cancelled) {
    if (!cancelled && connecting) {
      boost::system::error_code ignored;
      socket.close(ignored);
    }
  });
  socket.async_connect(to, [this, alive = state.shared_from_this()](const boost::system::error_code& refused) {
    connecting = false;
    timer.cancel();
    if (refused) {
      lost();
      return;
    }
    channel = std::make_shared<FrameChannel>(std::move(socket), limits, *this);
    channel->start();
    while (!waiting.empty() && channel) {
      channel->send(std::move(waiting.front()));
      waiting.pop_front();
    }
  });
}

void Client::State::Link::lost() {
  waiting.clear();
  if (!resting) {
    resting = true;
    timer.expires_after(reconnect_pause);
    timer.async_wait([this, alive = state.shared_from_this()](const boost::system::error_code&) { resting = false; });
  }
  std::vector<std::uint64_t> lost_probes;
  for (const auto& [id, probe] : state.probes) {
    if (probe.node == target.node) {
      lost_probes.push_back(id);
    }
  }
  for (const std::uint64_t id : lost_probes) {
    state.end_probe(id, std::nullopt);
  }
  router::RouterOutput out;
  state.router.on_disconnect(monotonic_now(), target.node, out);
  state.execute(out);
}

void Client::State::Link::on_frame(FrameChannel& from, Bytes frame) {
  const Result<FrameView> opened = open_frame(frame);
  if (opened.has_error() || opened->kind != router::client_reply_frame ||
      opened->payload.size() < sizeof(std::uint64_t)) {
    from.close("not a reply");
    return;
  }
  std::uint64_t attempt = 0;
  std::memcpy(&attempt, opened->payload.data(), sizeof attempt);
  const ByteView body = opened->payload.subspan(sizeof attempt);
  if (state.probes.find(attempt) != state.probes.end()) {
    state.end_probe(attempt, Bytes(body.begin(), body.end()));
    return;
  }
  router::RouterOutput out;
  state.router.on_reply(monotonic_now(), attempt, body, out);
  state.execute(out);
}

void Client::State::Link::on_closed(FrameChannel&, const std::string&) {
  channel.reset();
  // Not from inside the router's own output.
  asio::post(state.io, [this, alive = state.shared_from_this()] { lost(); });
}

void Client::State::execute(router::RouterOutput& out) {
  for (const router::RouterOutput::Attempt& attempt : out.attempts) {
    const auto link = links.find(attempt.to);
    check(link != links.end(), "the router asks nodes it was given");
    link->second->send(std::make_shared<const Bytes>(
        make_client_frame(router::client_request_frame, RequestId(attempt.attempt), attempt.body)));
  }
  for (router::RouterOutput::Done& done : out.done) {
    const auto found = asking.find(done.ticket);
    check(found != asking.end(), "the router answers each ticket once");
    const Done tell = std::move(found->second);
    asking.erase(found);
    tell(std::move(done.reply));
  }
  schedule_wake();
}

void Client::State::schedule_wake() {
  const Instant wake = router.wake_at();
  if (wake >= timer_at) {
    return;
  }
  timer_at = wake;
  wake_timer.expires_at(std::chrono::steady_clock::time_point(std::chrono::nanoseconds(wake.nanos)));
  wake_timer.async_wait([self = weak_from_this()](const boost::system::error_code& cancelled) {
    const auto state = self.lock();
    if (cancelled || !state) {
      return;
    }
    state->timer_at = never;
    router::RouterOutput out;
    if (const Instant now = monotonic_now(); now >= state->router.wake_at()) {
      state->router.tick(now, out);
    }
    state->execute(out);
  });
}

Client::Client(const ClientConfig& config) : state_(std::make_shared<State>(config)) {
  check(!config.targets.empty(), "a client has somebody to ask");
}

Client::~Client() {
  for (const auto& [node, link] : state_->links) {
    link->timer.cancel();
    boost::system::error_code ignored;
    link->socket.close(ignored);
    if (link->channel) {
      link->channel->detach();
    }
  }
  state_->wake_timer.cancel();
  // The cancelled handlers still look at the links: they run out before those go.
  state_->io.restart();
  state_->io.poll();
}

void Client::submit(Bytes body, Done done) {
  State& state = *state_;
  const router::Ticket ticket = ++state.last_ticket;
  state.asking.emplace(ticket, std::move(done));
  router::RouterOutput out;
  state.router.submit(monotonic_now(), ticket, body, out);
  state.execute(out);
}

void Client::State::end_probe(std::uint64_t id, std::optional<Bytes> reply) {
  const auto found = probes.find(id);
  if (found != probes.end()) {
    const Probe probe = std::move(found->second);
    probes.erase(found);
    probe.done(std::move(reply));
  }
}

void Client::submit_to(NodeId node, Bytes body, Duration patience, Answered done) {
  State& state = *state_;
  const auto link = state.links.find(node);
  check(link != state.links.end(), "a client asks nodes it was given");
  const std::uint64_t id = fresh_seed();
  State::Probe& probe = state.probes[id];
  probe = {.node = node, .done = std::move(done), .deadline = std::make_unique<asio::steady_timer>(state.io)};
  probe.deadline->expires_after(std::chrono::nanoseconds(patience.nanos));
  probe.deadline->async_wait([self = state.weak_from_this(), id](const boost::system::error_code& cancelled) {
    if (const auto alive = self.lock(); alive && !cancelled) {
      alive->end_probe(id, std::nullopt);
    }
  });
  link->second->send(
      std::make_shared<const Bytes>(make_client_frame(router::client_request_frame, RequestId(id), body)));
}

std::size_t Client::outstanding() const { return state_->asking.size() + state_->probes.size(); }

void Client::run_some(Duration wait_max) {
  state_->io.restart();
  if (state_->io.poll() == 0) {
    state_->io.run_one_for(std::chrono::nanoseconds(wait_max.nanos));
  }
}

void Client::run_all() {
  while (outstanding() > 0) {
    run_some(milliseconds(100));
  }
}

router::Reply Client::ask(const router::Request& request) {
  std::optional<router::Reply> answer;
  submit(router::encode(request), [&](Bytes bytes) {
    const Result<router::Reply> reply = router::decode_reply(bytes);
    answer = reply.has_value()
                 ? *reply
                 : router::Reply{
                       .kind = request.header.kind, .status = Outcome::unknown, .shard = {}, .leader = {}, .body = {}};
  });
  while (!answer) {
    run_some(milliseconds(100));
  }
  return *answer;
}

std::vector<std::optional<router::NodeStatusReply>> ask_status(Client& client, const std::vector<ClientTarget>& targets,
                                                               Duration patience) {
  std::vector<std::optional<router::NodeStatusReply>> seen(targets.size());
  const Bytes question = router::encode(router::Request{
      .header = {.kind = router::RequestKind::node_status,
                 .route = router::Route::direct,
                 .shard = {},
                 .patience_ms = static_cast<std::uint32_t>(std::max<std::int64_t>(patience.millis(), 1)),
                 .tenant = {},
                 .principal = {}},
      .body = router::NodeStatusRequest{}});
  std::size_t waiting = targets.size();
  for (std::size_t i = 0; i < targets.size(); ++i) {
    client.submit_to(targets[i].node, question, patience, [&seen, &waiting, i](std::optional<Bytes> bytes) {
      --waiting;
      Result<router::Reply> reply =
          bytes ? router::decode_reply(*bytes) : Result<router::Reply>(error(ErrorCode::io, "no answer"));
      if (reply.has_value() && std::holds_alternative<router::NodeStatusReply>(reply->body)) {
        seen[i] = std::move(std::get<router::NodeStatusReply>(reply->body));
      }
    });
  }
  while (waiting > 0) {
    client.run_some(milliseconds(100));
  }
  return seen;
}

std::vector<ClientTarget> targets_of(const NodeSettings& settings) {
  std::vector<ClientTarget> targets;
  for (const NodeAddress& address : settings.nodes) {
    targets.push_back({.node = address.node, .client = address.client});
  }
  return targets;
}

}  // namespace coffer::net
