#include "sim/models/cluster.h"

#include <exception>
#include <string_view>
#include <utility>

#include "core/base/hash.h"

namespace coffer::sim {

namespace {

// How soon a lost connection is noticed.
constexpr Duration reset_mean = milliseconds(1);  // the other operating system says so
constexpr Duration reconnect_mean = milliseconds(2);
constexpr Duration silence_mean = milliseconds(400);  // nobody says anything

Uuid uuid_of(std::uint64_t high, std::uint64_t low) {
  Uuid uuid;
  for (std::size_t i = 0; i < 8; ++i) {
    uuid.bytes[i] = static_cast<std::uint8_t>(high >> (8 * i));
    uuid.bytes[8 + i] = static_cast<std::uint8_t>(low >> (8 * i));
  }
  return uuid;
}

}  // namespace

std::string describe(const CheckFailure& failure) {
  std::string_view file = failure.where.file_name();
  for (const std::string_view root : {"/core/", "/sim/"}) {
    const std::size_t at = file.rfind(root);
    if (at != std::string_view::npos) file.remove_prefix(at + 1);
  }
  return std::string(file) + ":" + std::to_string(failure.where.line()) + ": not so: " + failure.why;
}

Cluster::Cluster(Kernel& kernel, const ClusterConfig& config, std::uint64_t seed)
    : kernel_(kernel),
      clients_(config.clients),
      network_(config.network, config.nodes + config.clients, seed),
      notice_prng_(stream(seed, Domain::network)) {
  std::vector<NodeId> ids;
  for (std::uint32_t n = 1; n <= config.nodes; ++n) ids.emplace_back(n);
  check(config.spares < config.nodes, "somebody founds the shards");
  shards_ = node::even_shards(config.shards, {ids.begin(), ids.end() - config.spares});
  for (const NodeId id : ids) {
    node::Config own;
    own.identity = {uuid_of(0xC0FFE5, 1), id, uuid_of(0xC0FFE5, 0x100 + id.value), 1};
    own.nodes = ids;
    own.shards = shards_;
    own.tuning = config.tuning;
    machines_.push_back(std::make_unique<Machine>(kernel, config.machine, std::move(own), seed));
  }
  links_up_.assign(config.nodes + 1, std::vector<bool>(config.nodes + 1, false));
}

void Cluster::boot_all() {
  for (std::uint32_t n = 1; n <= nodes(); ++n) restart(NodeId(n));
}

void Cluster::tell(NodeId who, NodeId about, EventKind kind, Duration mean) {
  Event event;
  event.kind = kind;
  event.entity = who.value;
  event.from = about.value;
  event.generation = machine(who).boot_number();
  event.number = machine(about).boot_number();
  kernel_.schedule_after(Duration{notice_prng_.exponential(mean.nanos)}, std::move(event));
}

void Cluster::tell_peers(NodeId node, EventKind kind, Duration mean) {
  for (const auto& other : machines_) {
    if (other->id() == node || !other->running()) continue;
    tell(other->id(), node, kind, mean);
    if (kind == EventKind::peer_up) tell(node, other->id(), kind, mean);
  }
}

void Cluster::tell_clients(NodeId node, Duration mean) {
  for (std::uint32_t client = 0; client < clients_; ++client) {
    Event event;
    event.kind = EventKind::client_disconnect;
    event.entity = endpoint_of_client(client);
    event.from = node.value;
    kernel_.schedule_after(Duration{notice_prng_.exponential(mean.nanos)}, std::move(event));
  }
}

Damage Cluster::crash(NodeId node, CrashKind kind, const DamagePolicy& policy) {
  const Damage damage = machine(node).crash(kind, policy);
  notices_.push_back({Notice::Kind::crashed, node, {}});
  const Duration mean = kind == CrashKind::process ? reset_mean : silence_mean;
  tell_peers(node, EventKind::peer_down, mean);
  tell_clients(node, mean);
  return damage;
}

void Cluster::crash_and_empty(NodeId node) {
  notices_.push_back({Notice::Kind::emptied, node, {}});
  crash(node, CrashKind::power, DamagePolicy{});
  machine(node).empty_disk();
}

void Cluster::restart(NodeId node) {
  machine(node).boot();
  links_up_[node.value].assign(links_up_.size(), false);
  notices_.push_back({Notice::Kind::booted, node, {}});
  tell_peers(node, EventKind::peer_up, milliseconds(2));
}

void Cluster::restart_after(Duration delay, NodeId node) {
  Event event;
  event.kind = EventKind::boot;
  event.entity = node.value;
  event.generation = machine(node).boot_number();
  kernel_.schedule_after(delay, std::move(event));
}

void Cluster::resume(NodeId node) {
  machine(node).resume();
  send_released(machine(node));
}

void Cluster::tell_damaged(NodeId node, std::string file, std::string by_what) {
  notices_.push_back({Notice::Kind::damaged, node, std::move(by_what), std::move(file)});
}

void Cluster::send_request(std::uint32_t client, NodeId node, std::uint64_t attempt, Bytes body) {
  transmit(endpoint_of_client(client), node.value, attempt, std::make_shared<const Bytes>(std::move(body)));
}

void Cluster::transmit(Endpoint from, Endpoint to, std::uint64_t number, SharedBytes bytes) {
  check(from != to && to >= 1 && to <= nodes() + clients_, "a packet goes to another endpoint of this world");
  const Arrivals arrivals = network_.send(kernel_.now(), from, to);
  Event event;
  event.kind = EventKind::deliver;
  event.entity = to;
  event.from = from;
  event.number = number;
  event.generation = to <= nodes() ? machine(NodeId(to)).boot_number() : 0;
  event.connection = arrivals.connection;
  event.digest = hash64(view(bytes));
  event.bytes = std::move(bytes);
  if (arrivals.twice) kernel_.schedule(arrivals.again, event);
  kernel_.schedule(arrivals.first, std::move(event));
}

Cluster::Dispatched Cluster::dispatch(const Event& event) {
  Dispatched result;
  switch (event.kind) {
    case EventKind::deliver:
      arrive(event, result);
      break;
    case EventKind::io_done: {
      Machine& owner = machine(NodeId(event.entity));
      owner.on_io_done(event);
      send_released(owner);
      break;
    }
    case EventKind::step:
      if (run(machine(NodeId(event.entity)), event)) result.stepped = NodeId(event.entity);
      break;
    case EventKind::wake:
      machine(NodeId(event.entity)).on_wake(event);
      break;
    case EventKind::peer_up:
    case EventKind::peer_down:
      peer_changed(event);
      break;
    case EventKind::link_down:
      link_given_up(event);
      break;
    case EventKind::boot: {
      const Machine& started = machine(NodeId(event.entity));
      const bool waits = started.life() == Life::down && started.boot_number() == event.generation;
      if (waits && !started.disk_failed()) restart(started.id());
      break;
    }
    case EventKind::client_call:
    case EventKind::client_wake:
    case EventKind::client_disconnect:
    case EventKind::strike:
    case EventKind::heal:
    case EventKind::tick:
    case EventKind::effects:
      break;
  }
  return result;
}

void Cluster::arrive(const Event& event, Dispatched& result) {
  const Fate fate = network_.arrival(event.from, event.entity, event.connection);
  switch (fate) {
    case Fate::lost:
      return;
    case Fate::held:
      held_.push_back(event);
      return;
    case Fate::arrives:
    case Fate::corrupted:
      break;
  }
  result.to_client = event.entity > nodes();
  if (result.to_client) return;
  if (fate == Fate::arrives) return deliver_to_node(event);
  Bytes bytes(view(event.bytes).begin(), view(event.bytes).end());
  network_.flip(bytes);
  Event damaged = event;
  damaged.number = 0;  // nobody learns from it what its sender knew
  damaged.bytes = std::make_shared<const Bytes>(std::move(bytes));
  deliver_to_node(damaged);
}

void Cluster::peer_changed(const Event& event) {
  Machine& told = machine(NodeId(event.entity));
  const Machine& peer = machine(NodeId(event.from));
  const bool up = event.kind == EventKind::peer_up;
  // What is told about an earlier life of either end is no longer true.
  if (told.boot_number() != event.generation || peer.boot_number() != event.number || peer.running() != up) return;
  if (up && !open(told.id(), peer.id())) return;  // told when the network is calm again
  std::vector<bool>::reference known = links_up_[event.entity][event.from];
  if (known) told.receive(node::PeerInput{peer.id(), false}, {});
  if (up) told.receive(node::PeerInput{peer.id(), true}, {});
  known = up;
}

bool Cluster::open(NodeId one, NodeId other) const {
  return network_.open(one.value, other.value) && network_.open(other.value, one.value);
}

void Cluster::give_up_links(std::uint64_t strike, EndpointSet one, EndpointSet other, Duration after, Duration spread,
                            Prng& prng) {
  for (std::uint32_t who = 1; who <= nodes(); ++who) {
    for (std::uint32_t about = 1; about <= nodes(); ++about) {
      const bool pair = (one.has(who) && other.has(about)) || (one.has(about) && other.has(who));
      if (who == about || !pair) continue;
      Event event;
      event.kind = EventKind::link_down;
      event.entity = who;
      event.from = about;
      event.number = strike;
      event.generation = machine(NodeId(who)).boot_number();
      kernel_.schedule_after(after + Duration{prng.between(0, spread.nanos)}, std::move(event));
    }
  }
}

void Cluster::link_given_up(const Event& event) {
  Machine& told = machine(NodeId(event.entity));
  const NodeId peer(event.from);
  if (told.boot_number() != event.generation || !network_.disturbed_by(event.number) || open(told.id(), peer)) return;
  // A connection needs both directions.
  for (const auto& [from, to] : {std::pair(told.id(), peer), std::pair(peer, told.id())}) {
    if (!network_.open(from.value, to.value)) continue;
    network_.disturb(
        {event.number, Trouble::block, EndpointSet::of(from.value), EndpointSet::of(to.value), 0, Duration{}});
  }
  std::vector<bool>::reference known = links_up_[event.entity][event.from];
  if (known) told.receive(node::PeerInput{peer, false}, {});
  known = false;
}

void Cluster::calm(std::uint64_t strike) {
  network_.calm(strike);
  for (Event& packet : std::exchange(held_, {})) kernel_.schedule(kernel_.now(), std::move(packet));
  for (const auto& one : machines_) {
    for (const auto& other : machines_) {
      if (!(one->id() < other->id()) || !one->running() || !other->running()) continue;
      const bool known = links_up_[one->id().value][other->id().value] && links_up_[other->id().value][one->id().value];
      if (known || !open(one->id(), other->id())) continue;
      tell(one->id(), other->id(), EventKind::peer_up, reconnect_mean);
      tell(other->id(), one->id(), EventKind::peer_up, reconnect_mean);
    }
  }
}

void Cluster::deliver_to_node(const Event& event) {
  Machine& receiver = machine(NodeId(event.entity));
  const bool from_client = event.from > nodes();
  // A connection does not outlive the process at its end.
  if (!receiver.running() || receiver.boot_number() != event.generation) {
    if (from_client) refuse(event);
    return;
  }
  if (from_client) {
    const ClientId client(event.from - nodes());
    receiver.receive(node::RequestInput{client, RequestId(event.number), view(event.bytes)}, event.bytes);
  } else {
    receiver.receive(node::MessageInput{NodeId(event.from), view(event.bytes)}, event.bytes, event.number);
  }
}

void Cluster::refuse(const Event& event) {
  Event refused;
  refused.kind = EventKind::client_disconnect;
  refused.entity = event.from;
  refused.from = event.entity;
  kernel_.schedule_after(Duration{notice_prng_.exponential(reset_mean.nanos)}, std::move(refused));
}

bool Cluster::run(Machine& machine, const Event& event) {
  try {
    if (!machine.on_step(event)) return false;
  } catch (const CheckFailure& failure) {
    machine.die();
    notices_.push_back({Notice::Kind::broken, machine.id(), describe(failure)});
    return false;
  } catch (const std::exception& failure) {
    machine.die();
    notices_.push_back({Notice::Kind::broken, machine.id(), std::string("exception: ") + failure.what()});
    return false;
  }
  route(machine);
  if (machine.effects().fatal.empty()) return true;
  if (machine.disk_failed()) {
    // What the disk has told it is reason enough. Whoever made the disk fail starts it again.
    node::Effects last;  // of this step: it has happened
    machine.swap_effects(last);
    crash(machine.id(), CrashKind::process, {});
    machine.swap_effects(last);
    return true;
  }
  const bool excused = machine.refusal_excused();
  notices_.push_back({excused ? Notice::Kind::refused : Notice::Kind::gave_up, machine.id(), machine.effects().fatal});
  if (excused) {
    machine.refuse();
    tell_peers(machine.id(), EventKind::peer_down, reset_mean);
    tell_clients(machine.id(), reset_mean);
  } else {
    machine.die();
  }
  return true;
}

void Cluster::send_released(Machine& machine) {
  for (Machine::Outgoing& out : machine.take_released()) {
    transmit(machine.id().value, out.send.to.value, out.step, std::move(out.send.frame));
  }
}

void Cluster::route(Machine& machine) {
  const Endpoint from = machine.id().value;
  for (const node::Send& send : machine.effects().send_now) transmit(from, send.to.value, machine.steps(), send.frame);
  send_released(machine);
  for (const node::Reply& reply : machine.effects().replies) {
    transmit(from, nodes() + static_cast<Endpoint>(reply.client.value), reply.request.value,
             std::make_shared<const Bytes>(reply.bytes));
  }
}

std::vector<Notice> Cluster::take_notices() { return std::exchange(notices_, {}); }

}  // namespace coffer::sim
