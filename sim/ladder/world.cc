#include "sim/ladder/world.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "core/base/check.h"
#include "sim/kernel/streams.h"

namespace coffer::sim::ladder {

namespace {

constexpr const char* log_file = "log";
constexpr std::uint32_t answer_verb = 1;  // on the link to the client
constexpr Duration ask_again_after = milliseconds(500);
constexpr Duration sync_floor = milliseconds(1);
constexpr Duration sync_mean = milliseconds(1);  // of the exponential part
constexpr Duration restart_spread = milliseconds(200);
constexpr DamagePolicy damage{500, 200, {}};

/// One record as a disk holds it. The chain covers the record before, so that nothing behind a gap, and nothing left
/// over from an earlier life, is taken for the log's.
struct Framed {
  Message record;
  std::uint64_t boot = 0;
  std::uint64_t chain = 0;
};
static_assert(sizeof(Framed) == 80);

Bytes bytes_of_message(const Message& message) {
  Bytes bytes(sizeof message);
  std::memcpy(bytes.data(), &message, sizeof message);
  return bytes;
}

Message message_of(const SharedBytes& bytes) {
  Message message;
  check(bytes && bytes->size() == sizeof message, "a message has its size");
  std::memcpy(&message, bytes->data(), sizeof message);
  return message;
}

Event carrying(EventKind kind, Node node, const Message& message, std::uint64_t generation) {
  Bytes bytes = bytes_of_message(message);
  Event event;
  event.kind = kind;
  event.entity = node;
  event.generation = generation;
  event.digest = hash64(bytes);
  event.bytes = std::make_shared<const Bytes>(std::move(bytes));
  return event;
}

std::uint64_t chain_of(std::uint64_t before, std::uint64_t boot, const Message& record) {
  return hash64(bytes_of_message(record), mix64(before) ^ boot);
}

IoOp operation(IoKind kind, std::string file) {
  return IoOp{.kind = kind, .token = IoToken(0), .file = std::move(file)};
}

std::string digits(std::int64_t number, std::size_t width) {
  std::string text = std::to_string(number);
  return text.size() < width ? std::string(width - text.size(), '0') + text : text;
}

}  // namespace

std::string account_name(std::uint32_t account) { return "a" + std::to_string(account); }

std::string spelled(Duration time) {
  const std::int64_t micros = time.nanos / 1000;
  return std::to_string(micros / 1000) + "." + digits(micros % 1000, 3) + " ms";
}

void Costs::add(const Costs& more) {
  requests += more.requests;
  answered += more.answered;
  answered_in_time += more.answered_in_time;
  messages += more.messages;
  writes += more.writes;
  syncs += more.syncs;
  held += more.held;
  held_for = held_for + more.held_for;
  latencies_us.insert(latencies_us.end(), more.latencies_us.begin(), more.latencies_us.end());
}

// ---- What a process may do --------------------------------------------------------------------------------------

SimTime Context::now() const { return world_.kernel_.now(); }

const Transfer& Context::transfer(std::uint32_t number) const {
  const auto found = world_.asked_.find(number);
  check(found != world_.asked_.end(), "only transfers of the plan are spoken of");
  return *found->second.transfer;
}

const Account& Context::account(std::uint32_t account) const { return world_.plan_.accounts[account]; }

Book& Context::book() { return world_.process(self_).book; }

Prng& Context::prng() { return world_.process(self_).chance; }

bool Context::first_boot() const { return world_.process(self_).starts == 1; }

void Context::send(Node to, const Message& message) {
  ++world_.outcome_.costs.messages;
  send_upkeep(to, message);
}

void Context::send_upkeep(Node to, const Message& message) { world_.transmit(self_, to, message); }

void Context::answer(std::uint32_t transfer, Answer answer) {
  Message message;
  message.verb = answer_verb;
  message.transfer = transfer;
  message.flag = static_cast<std::uint32_t>(answer);
  world_.transmit(self_, world_.client_endpoint(), message);
}

void Context::wake(Duration after, const Message& note) {
  world_.kernel_.schedule_after(after, carrying(EventKind::wake, self_, note, world_.process(self_).boot));
}

void Context::write(const Message& record) {
  ++world_.outcome_.costs.writes;
  world_.append(world_.process(self_), record);
}

void Context::sync(const Message& note) {
  ++world_.outcome_.costs.syncs;
  World::Process& process = world_.process(self_);
  const Duration latency = sync_floor + Duration{process.latency.exponential(sync_mean.nanos)};
  process.sync_ends = std::max(process.sync_ends, now() + latency);
  world_.kernel_.schedule(process.sync_ends, carrying(EventKind::io_done, self_, note, process.boot));
}

// ---- Processes and their disks ----------------------------------------------------------------------------------

World::World(const Design& design, const Plan& plan, bool chronicle)
    : design_(design),
      plan_(plan),
      traits_(design.traits()),
      roles_(design.roles()),
      chronicle_(chronicle),
      processes_(roles_.size()),
      network_({}, static_cast<std::uint32_t>(roles_.size()) + 1, plan.seed),
      judge_(design, plan) {
  const std::size_t endpoints = roles_.size() + 2;
  last_in_order_.resize(endpoints * endpoints);
}

void World::append(Process& process, const Message& record) {
  Framed framed{record, process.boot, chain_of(process.chain, process.boot, record)};
  Bytes bytes(sizeof framed);
  std::memcpy(bytes.data(), &framed, sizeof framed);
  IoOp op = operation(IoKind::write, log_file);
  op.offset = process.log_end;
  op.bytes = std::make_shared<const Bytes>(std::move(bytes));
  check(process.disk.execute(op).status == IoStatus::ok, "an honest disk takes a write");
  process.log_end += sizeof framed;
  process.chain = framed.chain;
}

/// What is read is made durable first: a process must not act on what a power cut may still take away.
std::vector<Message> World::read_log(Process& process) {
  process.disk.execute(operation(IoKind::sync, log_file));
  const Bytes* file = process.disk.find(log_file);
  check(file != nullptr, "the log's name is durable from the start");
  std::vector<Message> log;
  process.log_end = 0;
  process.chain = 0;
  Framed framed;
  while (process.log_end + sizeof framed <= file->size()) {
    std::memcpy(&framed, file->data() + process.log_end, sizeof framed);
    if (framed.chain != chain_of(process.chain, framed.boot, framed.record)) break;
    log.push_back(framed.record);
    process.log_end += sizeof framed;
    process.chain = framed.chain;
  }
  return log;
}

void World::start(Node node) {
  Process& self = process(node);
  ++self.boot;
  ++self.starts;
  self.up = true;
  self.sync_ends = kernel_.now();
  if (self.starts > 1) tell(role(node) + " starts again");
  self.book.begin_replay();
  self.actor = design_.start(node);
  Context context(*this, node);
  const std::vector<Message> log = read_log(self);
  self.actor->boot(context, log);
  self.book.end_replay();
  settle(node);
}

void World::end_process(Node node, std::uint32_t fault) {
  Process& self = process(node);
  ++self.boot;
  self.up = false;
  self.down_by = fault;
  self.actor.reset();
  self.book = Book();
  self.paused_until = SimTime{};
}

void World::cut_power(Node node, std::uint32_t fault) {
  Process& self = process(node);
  if (self.up) end_process(node, fault);
  self.disk.lose_power(damage, self.damage);
}

void World::settle(Node node) {
  Process& self = process(node);
  const std::vector<Book::Change> changes = self.book.take_changes();
  std::map<std::uint32_t, std::string> lines;
  for (const Book::Change& change : changes) {
    Asked& asked = asked_.at(change.transfer);
    std::string& line = lines[change.transfer];
    line += line.empty() ? "" : ", ";
    switch (change.what) {
      case Book::What::posted:
        asked.unsettled += change.delta;
        line += account_name(change.account) + (change.delta < 0 ? " " : " +") + std::to_string(change.delta);
        break;
      case Book::What::locked:
        ++asked.locks;
        line += "locks " + account_name(change.account);
        break;
      case Book::What::unlocked:
        --asked.locks;
        line += "unlocks " + account_name(change.account);
        break;
    }
    kernel_.note(node, EventKind::effects,
                 mix64(mix64(change.transfer) ^ change.account) ^ std::bit_cast<std::uint64_t>(change.delta));
  }
  for (const auto& [number, line] : lines) {
    tell(role(node) + ": " + line + " (transfer " + std::to_string(number) + ")");
    Asked& asked = asked_.at(number);
    const bool held = asked.unsettled != 0 || asked.locks > 0;
    if (held && asked.unsettled_since == SimTime{}) asked.unsettled_since = kernel_.now();
    if (!held && asked.unsettled_since != SimTime{}) {
      ++outcome_.costs.held;
      outcome_.costs.held_for = outcome_.costs.held_for + (kernel_.now() - asked.unsettled_since);
      asked.unsettled_since = SimTime{};
    }
  }
  if (self.up && !judge_.look(node, self.book, changes)) over_ = true;
}

// ---- Messages ---------------------------------------------------------------------------------------------------

void World::transmit(Endpoint from, Endpoint to, const Message& message) {
  const Arrivals arrivals = network_.send(kernel_.now(), from, to);
  const std::uint64_t boot = to == client_endpoint() ? 0 : process(to).boot;
  Event event = carrying(EventKind::deliver, to, message, boot);
  event.from = from;
  event.connection = arrivals.connection;
  SimTime first = arrivals.first;
  if (traits_.delivery == Delivery::in_order) {
    SimTime& last = last_in_order_[from * (roles_.size() + 2) + to];
    first = last = std::max(last, first);
  } else if (arrivals.twice) {
    kernel_.schedule(std::max(arrivals.again, first), event);
  }
  kernel_.schedule(first, std::move(event));
}

/// Whether a message arrives is decided once, when it does; a paused process finds it later.
void World::deliver(const Event& event) {
  const bool decided = event.number == 1;
  if (!decided && network_.arrival(event.from, event.entity, event.connection) != Fate::arrives) return;
  if (event.entity == client_endpoint()) {
    told(message_of(event.bytes));
    return;
  }
  Event arrived = event;
  arrived.number = 1;
  to_actor(event.entity, arrived);
}

void World::to_actor(Node node, const Event& event) {
  Process& self = process(node);
  if (!self.up || event.generation != self.boot) return;
  if (self.paused_until > kernel_.now()) {
    kernel_.schedule(self.paused_until, event);
    return;
  }
  Context context(*this, node);
  const Message message = message_of(event.bytes);
  if (event.kind == EventKind::deliver) {
    self.actor->receive(context, event.from == client_endpoint() ? the_client : event.from, message);
  } else if (event.kind == EventKind::io_done) {
    self.disk.execute(operation(IoKind::sync, log_file));
    self.actor->synced(context, message);
  } else {
    self.actor->woken(context, message);
  }
  settle(node);
}

void World::ask(std::uint32_t number) {
  Asked& asked = asked_.at(number);
  if (asked.answered) return;
  const Transfer& transfer = *asked.transfer;
  if (asked.attempts == 0) {
    tell("the client asks for transfer " + std::to_string(number) + ": " + std::to_string(transfer.amount) + " from " +
         account_name(transfer.from) + " to " + account_name(transfer.to) + (transfer.patient ? "" : ", once"));
  }
  Message message;
  message.verb = request_verb;
  message.transfer = number;
  transmit(client_endpoint(), design_.entry(transfer, asked.attempts), message);
  ++asked.attempts;
  if (!transfer.patient) return;
  Event again;
  again.kind = EventKind::client_wake;
  again.number = number;
  kernel_.schedule_after(ask_again_after, std::move(again));
}

void World::told(const Message& answer) {
  Asked& asked = asked_.at(answer.transfer);
  const auto what = static_cast<Answer>(answer.flag);
  kernel_.note(client_endpoint(), EventKind::effects, mix64(answer.transfer) ^ answer.flag);
  if (!judge_.answered(answer.transfer, what)) over_ = true;
  if (asked.answered) return;
  asked.answered = true;
  const Duration latency = kernel_.now() - at(asked.transfer->at);
  ++outcome_.costs.answered;
  if (latency <= answer_in_time) ++outcome_.costs.answered_in_time;
  outcome_.costs.latencies_us.push_back(latency.nanos / 1000);
  tell("the client is told that transfer " + std::to_string(answer.transfer) +
       (what == Answer::success ? " succeeded" : " is refused"));
}

// ---- Faults -----------------------------------------------------------------------------------------------------

Node World::struck(const Fault& fault) const {
  if (fault.kind != FaultKind::lost) return node_of(fault.one);
  return traits_.losable.empty() ? 0 : traits_.losable[fault.one % traits_.losable.size()];
}

/// 0: everybody.
Node World::other_of(const Fault& fault) const {
  const Node other = fault.other % static_cast<Node>(processes_.size());
  return other < struck(fault) ? other : other + 1;
}

std::string World::spelled(const Fault& fault) const {
  const std::string one = role(struck(fault));
  const Node other = other_of(fault);
  const std::string between = other == 0 ? one + " and everybody" : one + " and " + role(other);
  const std::string share = std::to_string(fault.per_mille / 10) + " % of the messages between " + between;
  switch (fault.kind) {
    case FaultKind::crash:
      return one + " crashes";
    case FaultKind::power_cut:
      return one + " loses power";
    case FaultKind::power_cut_all:
      return "everybody loses power";
    case FaultKind::partition:
      return "nothing passes between " + between;
    case FaultKind::partition_one_way:
      return other == 0 ? "nothing leaves " + one : "nothing passes from " + one + " to " + role(other);
    case FaultKind::drop:
      return share + " are lost";
    case FaultKind::delay:
      return share + " are late";
    case FaultKind::duplicate:
      return share + " come twice";
    case FaultKind::reorder:
      return share + " are overtaken";
    case FaultKind::pause:
      return one + " is paused";
    case FaultKind::lost:
      return one + " is gone for good";
  }
  return "?";
}

void World::trouble(const Fault& fault, Trouble trouble) {
  const EndpointSet one = EndpointSet::of(struck(fault));
  const Node other = other_of(fault);
  const EndpointSet others = other == 0 ? EndpointSet::all().without(one) : EndpointSet::of(other);
  Disturbance disturbance;
  disturbance.strike = fault.number;
  disturbance.trouble = trouble;
  disturbance.from = one;
  disturbance.to = others;
  disturbance.per_mille = fault.per_mille;
  disturbance.extra = fault.extra;
  network_.disturb(disturbance);
  if (fault.kind == FaultKind::partition_one_way) return;
  std::swap(disturbance.from, disturbance.to);
  network_.disturb(disturbance);
}

void World::strike(const Fault& fault) {
  const Node node = struck(fault);
  if (node == 0 || (process(node).lost && fault.kind != FaultKind::power_cut_all)) return;
  tell(spelled(fault) + (fault.kind == FaultKind::lost ? "" : ", for " + ladder::spelled(fault.lasts)));
  const Duration ends = std::min(fault.at + fault.lasts, heal_at);
  Prng spread = stream(plan_.seed, Domain::fault, fault.number, 1);
  const auto restart = [&](Node which, Duration when) {
    Event boot;
    boot.kind = EventKind::boot;
    boot.entity = which;
    boot.number = fault.number;
    kernel_.schedule(at(when), std::move(boot));
  };
  switch (fault.kind) {
    case FaultKind::crash:
      if (process(node).up) end_process(node, fault.number);
      restart(node, ends);
      break;
    case FaultKind::power_cut:
      cut_power(node, fault.number);
      restart(node, ends);
      break;
    case FaultKind::power_cut_all:
      for (Node each = 1; each <= processes_.size(); ++each) {
        cut_power(each, fault.number);
        restart(each, std::min(ends + Duration{spread.between(0, restart_spread.nanos)}, heal_at));
      }
      break;
    case FaultKind::partition:
    case FaultKind::partition_one_way:
      trouble(fault, Trouble::block);
      break;
    case FaultKind::drop:
      trouble(fault, Trouble::drop);
      break;
    case FaultKind::delay:
      trouble(fault, Trouble::delay);
      break;
    case FaultKind::duplicate:
      trouble(fault, Trouble::duplicate);
      break;
    case FaultKind::reorder:
      trouble(fault, Trouble::reorder);
      break;
    case FaultKind::pause:
      process(node).paused_until = std::max(process(node).paused_until, at(ends));
      break;
    case FaultKind::lost:
      end_process(node, fault.number);
      process(node).lost = true;
      break;
  }
}

void World::heal(const Fault& fault) { network_.calm(fault.number); }

// ---- The run ----------------------------------------------------------------------------------------------------

void World::set_up() {
  for (Node node = 1; node <= processes_.size(); ++node) {
    Process& self = process(node);
    self.chance = stream(plan_.seed, Domain::process, node);
    self.latency = stream(plan_.seed, Domain::disk, node, 1);
    self.damage = stream(plan_.seed, Domain::disk, node, 2);
    IoOp create = operation(IoKind::write, log_file);
    create.bytes = std::make_shared<const Bytes>();
    self.disk.execute(create);
    self.disk.execute(operation(IoKind::sync, log_file));
    self.disk.execute(operation(IoKind::sync_dir, {}));
  }
  for (const Transfer& transfer : plan_.transfers) {
    asked_[transfer.number].transfer = &transfer;
    Event call;
    call.kind = EventKind::client_call;
    call.number = transfer.number;
    kernel_.schedule(at(transfer.at), std::move(call));
  }
  for (std::size_t i = 0; i < plan_.faults.size(); ++i) {
    const Fault& fault = plan_.faults[i];
    Event event;
    event.kind = EventKind::strike;
    event.number = i;
    kernel_.schedule(at(std::min(fault.at, heal_at)), event);
    event.kind = EventKind::heal;
    kernel_.schedule(at(std::min(fault.at + fault.lasts, heal_at)), event);
  }
  Event last;
  last.kind = EventKind::tick;
  kernel_.schedule(at(end_at), std::move(last));
  outcome_.costs.requests = plan_.transfers.size();
  for (Node node = 1; node <= processes_.size(); ++node) start(node);
}

void World::handle(const Event& event) {
  switch (event.kind) {
    case EventKind::deliver:
      deliver(event);
      break;
    case EventKind::io_done:
    case EventKind::wake:
      to_actor(event.entity, event);
      break;
    case EventKind::boot: {
      const Process& self = process(event.entity);
      if (!self.up && !self.lost && self.down_by == event.number) start(event.entity);
      break;
    }
    case EventKind::client_call:
    case EventKind::client_wake:
      ask(static_cast<std::uint32_t>(event.number));
      break;
    case EventKind::strike:
      strike(plan_.faults[event.number]);
      break;
    case EventKind::heal:
      heal(plan_.faults[event.number]);
      break;
    case EventKind::tick:
      over_ = true;
      break;
    case EventKind::step:
    case EventKind::peer_up:
    case EventKind::peer_down:
    case EventKind::link_down:
    case EventKind::client_disconnect:
    case EventKind::effects:
      check(false, "the small world schedules nothing else");
  }
}

void World::tell(const std::string& line) {
  if (!chronicle_) return;
  outcome_.chronicle.push_back(ladder::spelled(kernel_.now() - SimTime{}) + "  " + line);
}

Outcome World::run() {
  set_up();
  while (!over_) {
    const std::optional<Event> event = kernel_.take();
    check(event.has_value(), "a run ends by its last tick");
    handle(*event);
  }
  std::vector<Seen> nodes;
  for (const Process& self : processes_) nodes.push_back({&self.book, self.up, self.lost});
  outcome_.finding = judge_.end(nodes);
  outcome_.hash = kernel_.hash().value();
  outcome_.events = kernel_.events();
  return std::move(outcome_);
}

Outcome run(const Design& design, const Plan& plan, bool chronicle) { return World(design, plan, chronicle).run(); }

}  // namespace coffer::sim::ladder
