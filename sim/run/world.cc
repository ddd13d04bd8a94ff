#include "sim/run/world.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "sim/kernel/streams.h"

namespace coffer::sim {

namespace {

constexpr Duration tick_interval = milliseconds(25);
constexpr std::uint64_t steps_between_looks = 50;
constexpr std::uint64_t steps_between_undos = 170;

/// A look copies and hashes a whole state, which grows with the run: in long runs looks become rarer, so that they do
/// not cost more than everything else.
constexpr bool is_due(std::uint64_t step, std::uint64_t every) {
  constexpr std::uint64_t steps_of_a_long_run = 50'000;
  return step % (every * (1 + step / steps_of_a_long_run)) == 0;
}

router::ShardMap map_of(const Cluster& cluster) {
  std::vector<router::SlotOwner> owners;
  for (const node::ShardConfig& shard : cluster.shards()) {
    owners.push_back({shard.shard, shard.first_slot, shard.slot_end});
  }
  return router::ShardMap(std::move(owners));
}

Topology topology_of(const Cluster& cluster, const Scenario& scenario) {
  Topology topology;
  topology.id_window = scenario.tuning.id_window;
  topology.id_grace = scenario.tuning.id_grace;
  topology.numbered_ids = scenario.tuning.numbered_ids;
  topology.nodes = cluster.nodes();
  topology.shards = static_cast<std::uint32_t>(cluster.shards().size());
  for (const node::ShardConfig& shard : cluster.shards()) topology.members.push_back(shard.members);
  return topology;
}

ClusterConfig config_of(const Scenario& scenario) {
  ClusterConfig config;
  config.nodes = scenario.nodes;
  config.spares = scenario.spares;
  config.shards = scenario.shards;
  config.clients = scenario.clients() + (scenario.has_operator() ? 1 : 0);
  config.tuning = scenario.tuning;
  config.machine = scenario.machine;
  config.network = scenario.network;
  return config;
}

}  // namespace

World::World(const Scenario& scenario, std::uint64_t seed, const RunOptions& options)
    : scenario_(scenario),
      seed_(seed),
      cluster_(kernel_, config_of(scenario), seed),
      roles_(scenario.shards),
      orders_(scenario.shards, scenario.nodes, cluster_.shards().front().members),
      faults_(cluster_, roles_, orders_, scenario.faults, config_of(scenario).clients, seed, scenario.fair),
      plan_(scenario, map_of(cluster_), seed),
      judge_(topology_of(cluster_, scenario), scenario.tuning.election_timeout),
      options_(options),
      watch_prng_(stream(seed, Domain::watch)) {
  if (options.trace_jsonl != nullptr) onlookers_.add(writer_.emplace(*options.trace_jsonl));
  for (Onlooker* onlooker : options.onlookers) onlookers_.add(*onlooker);
  for (std::uint32_t number = 0; number < scenario.clients(); ++number) {
    clients_.push_back(std::make_unique<SimClient>(cluster_, number, scenario.client_attempt_timeout, map_of(cluster_),
                                                   seed, scenario.client_outwait));
  }
  if (scenario.has_operator()) {
    operator_.emplace(cluster_, scenario.clients(), scenario.client_attempt_timeout, map_of(cluster_), seed, orders_,
                      onlookers_);
  }
}

RunResult World::run() {
  cluster_.boot_all();
  enter(Phase::setup);
  schedule_tick();
  while (!ended_) {
    const std::optional<Event> event = kernel_.take();
    check(event.has_value(), "a world that has not ended has something left to do");
    try {
      handle(*event);
    } catch (const CheckFailure& failure) {
      end(Verdict::violation, "check", describe(failure));
    }
    if (ended_) break;
    if (const auto violation = judge_.violation()) end(Verdict::violation, violation->oracle, violation->reason);
    if (kernel_.events() > scenario_.limits.events_max) {
      end(Verdict::stuck, "O-V1", "too many events: something goes round in circles");
    }
    if (cut_off()) break;
  }
  if (faults_.broke_the_atlas() && result_.verdict != Verdict::pass) {
    result_.reason += " (disks were damaged beyond what can be survived, by the scenario's wish)";
  }
  result_.seed = seed_;
  result_.scenario_hash = hash_of(scenario_);
  result_.trace_hash = kernel_.hash().value();
  result_.trace = kernel_.hash();
  result_.simulated_ms = Duration{kernel_.now().nanos}.millis();
  result_.events = kernel_.events();
  result_.operations = judge_.operations();
  result_.leader_losses = judge_.leader_losses();
  result_.availability = judge_.availability();
  result_.faults = faults_.fired().to_map();
  result_.faults_with_work_in_flight = faults_.fired_with_work_in_flight();
  result_.sometimes = judge_.sometimes().to_map();
  result_.sometimes.merge(faults_.sometimes().to_map());
  result_.sometimes.merge(judge_.memberships().to_map());
  result_.orders = orders_.counts();
  if (options_.strikes != nullptr) *options_.strikes = faults_.struck();
  return std::move(result_);
}

/// Whoever started the run has seen enough of it.
bool World::cut_off() {
  constexpr std::uint64_t events_between_questions = 1024;
  const bool too_long = (options_.events_max > 0 && kernel_.events() > options_.events_max) ||
                        (options_.simulated_max > Duration{} && kernel_.now() - SimTime{} > options_.simulated_max);
  const bool asks = options_.may_go_on && kernel_.events() % events_between_questions == 0;
  if (ended_ || (!too_long && !(asks && !options_.may_go_on()))) return false;
  ended_ = true;
  result_.verdict = Verdict::unknown;
  result_.reason = "cut off";
  return true;
}

void World::schedule_tick() {
  Event event;
  event.kind = EventKind::tick;
  kernel_.schedule_after(tick_interval, std::move(event));
}

void World::handle(const Event& event) {
  onlookers_.event(kernel_.now(), kernel_.sequence(), event);
  switch (event.kind) {
    case EventKind::client_call:
    case EventKind::client_wake:
    case EventKind::client_disconnect:
      of_client(event);
      break;
    case EventKind::strike:
      faults_.on_strike(event);
      break;
    case EventKind::heal:
      faults_.on_heal(event);
      break;
    case EventKind::tick:
      progress();
      schedule_tick();
      break;
    case EventKind::deliver:
    case EventKind::io_done:
    case EventKind::step:
    case EventKind::wake:
    case EventKind::boot:
    case EventKind::peer_up:
    case EventKind::peer_down:
    case EventKind::link_down:
    case EventKind::effects: {
      const Cluster::Dispatched done = cluster_.dispatch(event);
      if (event.kind == EventKind::io_done) {
        const NodeId node(event.entity);
        show_durable(node, cluster_.machine(node).disk().take_newly_durable());
      }
      if (done.stepped != nobody) after_step(done.stepped);
      if (done.to_client) of_client(event);
      break;
    }
  }
  faults_.after_event(waiting_ > 0);
  if (operator_) operator_->go_on();
  watch_touch();
  drain_notices();
}

void World::of_client(const Event& event) {
  if (operator_ && operator_->is_at(event.entity)) return operator_->on_event(event);
  SimClient& client = client_at(event.entity);
  if (event.kind == EventKind::client_call) {
    call(client);
  } else if (event.kind == EventKind::client_wake) {
    answered(client, client.on_wake(event));
  } else if (event.kind == EventKind::client_disconnect) {
    answered(client, client.on_disconnect(event));
  } else {
    answered(client, client.on_packet(event));
  }
}

/// Partitions come and go with strikes, whose serial numbers only grow; what they held up arrives later. So do disks
/// that do not store.
void World::watch_touch() {
  const Network& network = cluster_.network();
  const SimTime now = kernel_.now();
  const Duration patience = scenario_.tuning.election_timeout / 4;
  std::vector<std::uint64_t> cause = {faults_.active().size(),
                                      faults_.active().empty() ? 0 : faults_.active().rbegin()->first,
                                      network.last_arrival() >= now + patience ? 1u : 0u};
  for (std::uint32_t n = 1; n <= cluster_.nodes(); ++n) {
    cause.push_back(cluster_.machine(NodeId(n)).life() == Life::up ? 1 : 0);
  }
  if (cause == touch_cause_) return;
  touch_cause_ = std::move(cause);
  const auto passes = [&](std::uint32_t from, std::uint32_t to) {
    return from == to || (network.open(from, to) && !network.slow(now, from, to, patience));
  };
  Touch touch(cluster_.nodes());
  oracles::NodeSet storing;
  for (std::uint32_t a = 1; a <= cluster_.nodes(); ++a) {
    const std::optional<Duration> time_to_store = cluster_.machine(NodeId(a)).time_to_store();
    if (time_to_store && *time_to_store * 2 < patience) storing.add(NodeId(a));
    for (std::uint32_t b = 1; b <= cluster_.nodes(); ++b) {
      const bool both_up =
          cluster_.machine(NodeId(a)).life() == Life::up && cluster_.machine(NodeId(b)).life() == Life::up;
      if (both_up && passes(a, b) && passes(b, a)) touch[a - 1].add(NodeId(b));
    }
  }
  judge_.on_touch(now, touch, storing);
}

void World::after_step(NodeId node) {
  cluster_.machine(node).swap_effects(effects_);  // a crash in the midst of the following must not take it away
  const SimTime now = kernel_.now();
  for (const TraceEvent& event : effects_.trace) {
    onlookers_.node(now, node, event);
    roles_.on_trace(node, event);
    judge_.on_trace(now, node, event);
  }
  const Machine& machine = cluster_.machine(node);
  judge_.on_step(now, node, {machine.steps(), machine.heard(), effects_.trace, effects_.vector_time});
  for (const node::Committed& entry : effects_.committed) {
    faults_.on_committed(entry.shard, entry.index, entry.term, entry.kind, view(entry.payload));
    judge_.on_committed(now, node, {entry.shard, entry.index, entry.term, entry.kind, view(entry.payload)});
  }
  for (const TraceEvent& event : effects_.trace) faults_.on_trace(node, event);
  ++steps_;
  if (is_due(steps_, steps_between_looks) || is_due(steps_, steps_between_undos)) look_around();
}

void World::show_durable(NodeId node, const std::vector<std::string>& files) {
  const Disk& disk = cluster_.machine(node).disk();
  for (const std::string& file : files) {
    if (disk.scarred(file)) judge_.on_damaged(kernel_.now(), node, file);
    judge_.on_durable(kernel_.now(), node, file, disk.durable(file).value_or(ByteView()));
  }
}

void World::look_around() {
  const NodeId node(static_cast<std::uint32_t>(1 + watch_prng_.below(cluster_.nodes())));
  const ShardId shard(static_cast<std::uint32_t>(1 + watch_prng_.below(scenario_.shards)));
  const std::uint64_t entries = 1 + watch_prng_.below(3);
  const Machine& machine = cluster_.machine(node);
  if (!machine.running() || !machine.node().ready()) return;
  const shard::Observation seen = machine.node().observe(shard);
  judge_.on_replica(kernel_.now(), node, seen);
  const std::size_t undone = std::min<std::size_t>(entries, machine.node().undoable(shard));
  if (is_due(steps_, steps_between_undos) && undone > 0) {
    judge_.on_replica_undone(kernel_.now(), node, machine.node().observe_undone(shard, undone), undone);
  }
}

void World::look_at_all() {
  for (std::uint32_t n = 1; n <= cluster_.nodes(); ++n) {
    const Machine& machine = cluster_.machine(NodeId(n));
    if (!machine.running() || !machine.node().ready()) continue;
    for (std::uint32_t s = 1; s <= scenario_.shards; ++s) {
      judge_.on_replica(kernel_.now(), NodeId(n), machine.node().observe(ShardId(s)));
    }
  }
}

void World::drain_notices() {
  const SimTime now = kernel_.now();
  for (const Notice& notice : cluster_.take_notices()) {
    switch (notice.kind) {
      case Notice::Kind::booted:
        onlookers_.machine(now, notice.node, "booted");
        judge_.on_restart(now, notice.node);
        break;
      case Notice::Kind::crashed:
        onlookers_.machine(now, notice.node, "crashed");
        roles_.on_down(notice.node);
        judge_.on_crash(now, notice.node);
        show_durable(notice.node, cluster_.machine(notice.node).disk().durable_names());
        break;
      case Notice::Kind::damaged:
        onlookers_.machine(now, notice.node, notice.file + " damaged by " + notice.reason);
        judge_.on_damaged(now, notice.node, notice.file);
        show_durable(notice.node, cluster_.machine(notice.node).disk().take_newly_durable());
        break;
      case Notice::Kind::emptied:
        onlookers_.machine(now, notice.node, "disk emptied");
        judge_.on_disk_emptied(now, notice.node);
        break;
      case Notice::Kind::refused:
        onlookers_.machine(now, notice.node, "refused: " + notice.reason);
        roles_.on_down(notice.node);
        judge_.on_refused(now, notice.node);
        show_durable(notice.node, cluster_.machine(notice.node).disk().durable_names());
        break;
      case Notice::Kind::broken:
        onlookers_.machine(now, notice.node, notice.reason);
        end(Verdict::violation, "check", "node " + std::to_string(notice.node.value) + ": " + notice.reason);
        break;
      case Notice::Kind::gave_up:
        onlookers_.machine(now, notice.node, notice.reason);
        end(Verdict::violation, "O-V2", "node " + std::to_string(notice.node.value) + " gives up: " + notice.reason);
        break;
    }
  }
}

void World::call(SimClient& client) {
  const auto request = router::decode_request(client.request());
  check(request.has_value(), "a plan's requests follow the grammar");
  onlookers_.call(kernel_.now(), client.number(), client.op(), *request);
  judge_.on_call(kernel_.now(), client.number(), client.op(), *request);
  ++waiting_;
  answered(client, client.call());
}

void World::answered(SimClient& client, const SimClient::Answers& answers) {
  for (const Bytes& bytes : answers) {
    const auto reply = router::decode_reply(bytes);
    check(reply.has_value(), "a router's answers follow the grammar");
    --waiting_;
    onlookers_.told(kernel_.now(), client.number(), client.op(), *reply);
    judge_.on_return(kernel_.now(), client.number(), client.op(), *reply);
    plan_.on_reply(client.number(), client.op(), *reply);
    next_call(client);
  }
}

void World::next_call(SimClient& client) {
  auto next = plan_.next(client.number(), phase_, kernel_.now() - phase_began_, kernel_.now());
  if (!next) return;
  const bool open_loop = scenario_.script.empty() && scenario_.workload.period > Duration{} && phase_ == Phase::running;
  if (open_loop) next->think = until_due(client);
  client.think(std::move(*next));
}

/// Of an open loop: clients take turns, evenly over each period.
Duration World::until_due(const SimClient& client) {
  const Duration period = scenario_.workload.period;
  const SimTime first = phase_began_ + period * client.number() / static_cast<std::int64_t>(clients_.size());
  SimTime& due = due_.try_emplace(client.number(), first).first->second;
  const Duration wait = std::max(due - kernel_.now(), Duration{});
  due = std::max(due, kernel_.now()) + period;
  return wait;
}

void World::enter(Phase phase) {
  if (phase != Phase::setup) look_at_all();
  phase_ = phase;
  phase_began_ = kernel_.now();
  onlookers_.phase(kernel_.now(), phase);
  if (phase == Phase::running) faults_.start();
  if (phase == Phase::healing) faults_.stop();
  judge_.on_phase(kernel_.now(), phase);
  if (phase == Phase::over) {
    for (std::uint32_t n = 1; n <= cluster_.nodes(); ++n) {
      show_durable(NodeId(n), cluster_.machine(NodeId(n)).disk().durable_names());
    }
  }
  for (const auto& client : clients_) {
    if (client->state() == SimClient::State::idle) next_call(*client);
  }
}

bool World::all_idle() const {
  return std::all_of(clients_.begin(), clients_.end(),
                     [](const auto& client) { return client->state() == SimClient::State::idle; });
}

void World::progress() {
  const Duration spent = kernel_.now() - phase_began_;
  const Limits& limits = scenario_.limits;
  switch (phase_) {
    case Phase::setup:
      if (all_idle()) {
        enter(Phase::running);
      } else if (spent > limits.setup_max) {
        end(Verdict::stuck, "O-V1", "no fault has struck, and yet: " + why_not_quiet());
      }
      break;
    case Phase::running:
      if ((all_idle() && spent >= limits.running_min) || spent > limits.running_max) enter(Phase::healing);
      break;
    case Phase::healing:
      if (operator_ && operator_->idle()) repeat_orders();
      if (all_idle() && quiet()) {
        enter(Phase::final_reads);
      } else if (spent > limits.healing_max) {
        end(Verdict::stuck, "O-V1", why_not_quiet());
      }
      break;
    case Phase::final_reads:
      if (all_idle()) {
        enter(Phase::over);
        end(Verdict::pass, "", "");
      } else if (spent > limits.final_reads_max) {
        end(Verdict::unknown, "O-H3", "the final reads did not end: " + why_not_quiet());
      }
      break;
    case Phase::over:
      break;
  }
}

void World::end(Verdict verdict, std::string oracle, std::string reason) {
  if (ended_) return;
  ended_ = true;
  result_.verdict = verdict;
  result_.oracle = std::move(oracle);
  result_.reason = std::move(reason);
  if (verdict == Verdict::violation) {
    if (result_.oracle.starts_with("O-H")) result_.verdict = Verdict::unknown;
    return;
  }
  judge_.finish(kernel_.now());
  const auto violation = judge_.violation();
  if (!violation) return;
  const bool of_harness = violation->oracle.starts_with("O-H");
  if (of_harness && verdict != Verdict::pass) return;
  result_.verdict = of_harness ? Verdict::unknown : Verdict::violation;
  result_.oracle = violation->oracle;
  result_.reason = violation->reason;
}

}  // namespace coffer::sim
