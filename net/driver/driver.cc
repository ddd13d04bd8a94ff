#include "net/driver/driver.h"

#include <chrono>
#include <deque>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "core/base/check.h"
#include "core/node/node.h"
#include "net/driver/clock.h"
#include "net/driver/founding.h"
#include "net/driver/journal.h"
#include "net/driver/sync_gate.h"

namespace coffer::net {

namespace asio = boost::asio;

namespace {

constexpr std::size_t step_inputs_max = 512;
constexpr std::size_t step_bytes_max = 16u << 20;

/// An input that is ready, and the bytes it looks at.
struct Ready {
  node::Input input;
  Bytes bytes = {};
};

}  // namespace

struct Driver::State : std::enable_shared_from_this<Driver::State> {
  State(asio::io_context& context, const NodeSettings& s)
      : io(context), settings(s), node(s.config(), fresh_seed()), wake_timer(context) {}

  void start_disk();
  void take_completions(std::vector<IoCompletion> completions);
  void add(node::Input input, Bytes bytes, std::size_t skip = 0);
  void schedule_step();
  void step();
  void consume_mark();
  void execute();
  void send_synced();
  void answer(node::Reply& reply);
  void wake_at(Instant at);
  void fail(const std::string& why);

  asio::io_context& io;
  NodeSettings settings;
  node::Node node;
  node::Effects effects;
  SyncGate gate;
  std::deque<Ready> ready;
  std::size_t ready_bytes = 0;
  std::vector<Ready> stepping;
  std::vector<node::Input> inputs;
  bool step_scheduled = false;
  asio::steady_timer wake_timer;
  Instant timer_at = never;  // when the timer fires
  Instant wake = never;      // when the node wants its next step
  std::unordered_map<ClientId, ReplySink*> clients;
  std::uint64_t last_client = 0;
  std::optional<Peers> peers;
  std::unique_ptr<Disk> disk;
  std::string fatal;
  bool stopped = false;
  DriverCounters counters;
};

void Driver::State::start_disk() {
  // The disk outlives no State: it is destroyed, and its threads joined, in stop().
  disk = std::make_unique<Disk>(settings.directory, [this](std::vector<IoCompletion> completions) {
    asio::post(io, [self = weak_from_this(), completions = std::move(completions)]() mutable {
      if (const auto alive = self.lock()) {
        alive->take_completions(std::move(completions));
      }
    });
  });
}

void Driver::State::take_completions(std::vector<IoCompletion> completions) {
  if (stopped) {
    return;
  }
  for (IoCompletion& done : completions) {
    gate.done(done.kind, done.lane, done.status);
    add(node::IoInput{.token = done.token, .status = done.status, .bytes = std::move(done.bytes)}, {});
  }
  send_synced();
}

void Driver::State::add(node::Input input, Bytes bytes, std::size_t skip) {
  if (stopped) {
    return;
  }
  ready_bytes += bytes.size();
  Ready& added = ready.emplace_back(Ready{std::move(input), std::move(bytes)});
  const ByteView seen = ByteView(added.bytes).subspan(skip);
  if (auto* message = std::get_if<node::MessageInput>(&added.input)) {
    message->bytes = seen;
  } else if (auto* request = std::get_if<node::RequestInput>(&added.input)) {
    request->bytes = seen;
  }
  schedule_step();
}

void Driver::State::schedule_step() {
  if (step_scheduled || stopped) {
    return;
  }
  step_scheduled = true;
  // Posted, so that everything else that is ready by then joins the same step.
  asio::post(io, [self = shared_from_this()] {
    self->step_scheduled = false;
    self->step();
  });
}

void Driver::State::step() {
  if (stopped) {
    return;
  }
  std::size_t bytes = 0;
  while (!ready.empty() && stepping.size() < step_inputs_max && bytes < step_bytes_max) {
    bytes += ready.front().bytes.size();
    stepping.push_back(std::move(ready.front()));
    ready.pop_front();
    inputs.push_back(std::move(stepping.back().input));  // its view looks at the heap, which has not moved
  }
  ready_bytes -= bytes;
  ++counters.steps;
  counters.inputs += inputs.size();
  node.step(read_clocks(), inputs, effects);
  inputs.clear();
  stepping.clear();
  if (settings.may_found && node.ready()) {
    consume_mark();
  }
  execute();
  effects.clear();
  if (!ready.empty()) {
    schedule_step();
  }
}

/// Before anything of the node's first step that may speak leaves (I1, net/driver/founding.h).
void Driver::State::consume_mark() {
  settings.may_found = false;
  const Result<void> consumed = end_founding(settings.directory);
  if (consumed.has_error() && effects.fatal.empty()) {
    effects.fatal = consumed.error().what + "; while it is there, a disk that is lost later would not be noticed";
  }
}

void Driver::State::execute() {
  if (!effects.fatal.empty()) {
    fail(effects.fatal);
    return;
  }
  for (const IoOp& op : effects.io) {
    gate.submitted(op.kind, op.lane);
  }
  if (!effects.io.empty()) {
    disk->submit(effects.io);
  }
  for (node::Send& send : effects.send_now) {
    peers->send(send.to, std::move(send.frame));
  }
  gate.hold(effects.send_after_sync);
  send_synced();
  for (node::Reply& reply : effects.replies) {
    answer(reply);
  }
  wake_at(effects.wake_at);
}

void Driver::State::send_synced() {
  while (std::optional<node::Send> send = gate.take()) {
    peers->send(send->to, std::move(send->frame));
  }
}

void Driver::State::answer(node::Reply& reply) {
  const auto client = clients.find(reply.client);
  if (client != clients.end()) {
    ++counters.replies;
    client->second->on_reply(reply.request, std::move(reply.bytes));
  }
}

void Driver::State::wake_at(Instant at) {
  wake = at;
  // A timer that fires too early only looks again: cheaper than moving it at every step.
  if (wake >= timer_at || stopped) {
    return;
  }
  timer_at = wake;
  wake_timer.expires_at(std::chrono::steady_clock::time_point(std::chrono::nanoseconds(wake.nanos)));
  wake_timer.async_wait([self = shared_from_this()](const boost::system::error_code& cancelled) {
    if (cancelled || self->stopped) {
      return;
    }
    self->timer_at = never;
    if (monotonic_now() >= self->wake) {
      self->schedule_step();
    } else {
      self->wake_at(self->wake);
    }
  });
}

void Driver::State::fail(const std::string& why) {
  fatal = why;
  const std::string disk_says = disk->failure();
  journal(Level::error, "this node cannot continue: " + why + (disk_says.empty() ? "" : "; " + disk_says));
  stopped = true;
  io.stop();
}

Driver::Driver(asio::io_context& io, const NodeSettings& settings) : state_(std::make_shared<State>(io, settings)) {}

Driver::~Driver() { stop(); }

Result<void> Driver::start() {
  State& state = *state_;
  state.start_disk();
  state.peers.emplace(
      state.io, state.settings,
      Peers::Events{
          .on_message =
              [&state](NodeId from, Bytes frame) {
                state.add(node::MessageInput{.from = from, .bytes = {}}, std::move(frame));
              },
          .on_link = [&state](NodeId peer, bool up) { state.add(node::PeerInput{.peer = peer, .up = up}, {}); }},
      fresh_seed());
  Result<void> started = state.peers->start();
  if (!started.has_error()) {
    state.schedule_step();
  }
  return started;
}

void Driver::stop() {
  State& state = *state_;
  state.stopped = true;
  state.wake_timer.cancel();
  if (state.peers) {
    state.peers->stop();
  }
  state.disk.reset();
}

ClientId Driver::add_client(ReplySink& sink) {
  const ClientId client(++state_->last_client);
  state_->clients.emplace(client, &sink);
  return client;
}

void Driver::remove_client(ClientId client) {
  if (state_->clients.erase(client) > 0) {
    state_->add(node::GoneInput{.client = client}, {});
  }
}

void Driver::request(ClientId client, RequestId request, Bytes holder, std::size_t skip) {
  check(skip <= holder.size(), "a request's body lies within its bytes");
  ++state_->counters.requests;
  state_->add(node::RequestInput{.client = client, .request = request, .bytes = {}}, std::move(holder), skip);
}

std::size_t Driver::waiting_bytes() const { return state_->ready_bytes; }
bool Driver::ready() const { return state_->node.ready(); }
const std::string& Driver::fatal() const { return state_->fatal; }
const NodeSettings& Driver::settings() const { return state_->peers ? state_->peers->settings() : state_->settings; }
Now Driver::now() const { return read_clocks(); }

DriverCounters Driver::counters() const {
  DriverCounters counters = state_->counters;
  if (state_->disk) {
    counters.disk = state_->disk->counters();
  }
  if (state_->peers) {
    counters.peers = state_->peers->counters();
  }
  return counters;
}

}  // namespace coffer::net
