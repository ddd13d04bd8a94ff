#include "sim/run/fault_driver.h"

#include <algorithm>
#include <set>
#include <utility>

#include "core/base/check.h"
#include "sim/kernel/streams.h"

namespace coffer::sim {

namespace {

constexpr Duration patience = milliseconds(500);  // how long a strike waits for its moment

/// Sites of a fault's streams: gaps are drawn from one, each strike from one of its own.
constexpr std::uint64_t gap_site = 0;
constexpr std::uint64_t strike_site = 1'000'000;

bool damages_disks(const std::vector<faults::FaultSpec>& specs) {
  return std::any_of(specs.begin(), specs.end(), [](const faults::FaultSpec& spec) {
    const faults::Row* row = faults::find(spec.fault);
    return row != nullptr && (row->acts.of_disk || row->name == "empty_disk");
  });
}

Event event_of(EventKind kind, std::uint64_t number) {
  Event event;
  event.kind = kind;
  event.number = number;
  return event;
}

}  // namespace

FaultDriver::FaultDriver(Cluster& cluster, const Roles& roles, Orders& orders,
                         const std::vector<faults::FaultSpec>& specs, std::uint32_t clients, std::uint64_t seed,
                         bool fair)
    : cluster_(cluster),
      atlas_(cluster, fair, damages_disks(specs)),
      arena_{cluster, roles, atlas_, orders, clients},
      specs_(specs),
      seed_(seed),
      strikes_(specs.size(), 0),
      matches_(specs.size(), 0) {
  for (const faults::FaultSpec& spec : specs_) {
    check(faults::find(spec.fault) != nullptr, "a fault has a row in the table");
    fired_.declare(spec.fault);
  }
}

void FaultDriver::start() {
  running_ = true;
  started_ = cluster_.now();
  for (std::size_t i = 0; i < specs_.size(); ++i) {
    switch (specs_[i].when) {
      case faults::When::at:
        cluster_.kernel().schedule_after(specs_[i].at, event_of(EventKind::strike, i));
        break;
      case faults::When::every:
        schedule_next(i);
        break;
      case faults::When::trigger:
        break;
    }
  }
}

void FaultDriver::schedule_next(std::size_t spec) {
  Prng prng = stream(seed_, Domain::fault, specs_[spec].stream, gap_site + strikes_[spec]);
  const Duration gap = microseconds(1) + Duration{prng.exponential(specs_[spec].every.nanos)};
  cluster_.kernel().schedule_after(gap, event_of(EventKind::strike, spec));
}

void FaultDriver::stop() {
  running_ = false;
  armed_.clear();
  std::map<std::uint64_t, faults::Strike> lasting;
  for (auto& [serial, strike] : active_) {
    if (strike.spec->forever) {
      lasting.emplace(serial, std::move(strike));
    } else {
      faults::find(strike.spec->fault)->acts.heal(arena_, strike);
    }
  }
  active_ = std::move(lasting);
}

void FaultDriver::on_strike(const Event& event) {
  if (!running_) return;
  begin(static_cast<std::size_t>(event.number), NodeId(event.entity));
  if (specs_[event.number].when == faults::When::every) schedule_next(static_cast<std::size_t>(event.number));
}

void FaultDriver::on_trace(NodeId node, const TraceEvent& event) {
  if (!running_) return;
  for (std::size_t i = 0; i < specs_.size(); ++i) {
    const faults::FaultSpec& spec = specs_[i];
    const faults::Trigger& trigger = spec.trigger;
    if (spec.when != faults::When::trigger || trigger.event != event.kind) continue;
    if (trigger.shard != ShardId(0) && trigger.shard != event.shard) continue;
    const NodeId leader = arena_.roles.leader(trigger.node.shard);
    if (trigger.node.who == faults::Who::node && trigger.node.node != node) continue;
    if (trigger.node.who == faults::Who::leader && leader != node) continue;
    if (trigger.node.who == faults::Who::follower && leader == node) continue;
    const std::uint64_t match = ++matches_[i];
    if (match == trigger.nth || (trigger.again && match % trigger.nth == 0)) pull(i, node);
  }
}

void FaultDriver::pull(std::size_t spec, NodeId cause) {
  const Duration latest = specs_[spec].trigger.after;
  if (latest == Duration{}) return begin(spec, cause);
  Prng prng = stream(seed_, Domain::fault, specs_[spec].stream, gap_site + matches_[spec]);
  Event event = event_of(EventKind::strike, spec);
  event.entity = cause.value;
  cluster_.kernel().schedule_after(Duration{prng.between(0, latest.nanos)}, std::move(event));
}

void FaultDriver::begin(std::size_t spec, NodeId cause) {
  faults::Strike strike;
  strike.serial = ++serial_;
  strike.spec = &specs_[spec];
  strike.begun = cluster_.now();
  strike.number = specs_[spec].strike + strikes_[spec]++;
  strike.prng = stream(seed_, Domain::fault, specs_[spec].stream, strike_site + strike.number);
  strike.cause = cause;
  strike.lasts = Duration{strike.prng.between(strike.spec->lasts_min.nanos, strike.spec->lasts_max.nanos)};
  attempt(std::move(strike), cluster_.now() + patience);
}

void FaultDriver::attempt(faults::Strike strike, SimTime until) {
  switch (faults::find(strike.spec->fault)->acts.strike(arena_, strike)) {
    case faults::Struck::yes:
      settle(std::move(strike));
      break;
    case faults::Struck::later:
      if (cluster_.now() < until) armed_.push_back({std::move(strike), until});
      break;
    case faults::Struck::no:
      break;
  }
}

/// The strike as a fault of its own, which draws the same again at the same time.
faults::FaultSpec FaultDriver::alone(const faults::Strike& strike) const {
  faults::FaultSpec spec = *strike.spec;
  spec.when = faults::When::at;
  spec.at = strike.begun - started_;
  spec.every = {};
  spec.trigger = {};
  spec.strike = strike.number;
  if (spec.target.who == faults::Who::self) spec.target = {faults::Who::node, strike.cause, {}};
  return spec;
}

void FaultDriver::settle(faults::Strike strike) {
  struck_.push_back(alone(strike));
  if (strike.fired) count(strike);
  const std::uint64_t serial = strike.serial;
  if (strike.spec->forever) {
    for (const faults::Strike::Victim& victim : strike.victims) atlas_.gone(victim.node);
  }
  if (!strike.spec->forever) cluster_.kernel().schedule_after(strike.lasts, event_of(EventKind::heal, serial));
  active_.emplace(serial, std::move(strike));
}

void FaultDriver::count(const faults::Strike& strike) {
  fired_.add(strike.spec->fault);
  if (work_in_flight_) ++with_work_;
  // A crash of any kind that lost or tore writes is those faults too.
  if (strike.damage.lost > 0 && strike.spec->fault != "lost_unsynced") fired_.add("lost_unsynced");
  if (strike.damage.torn > 0 && strike.spec->fault != "torn_unsynced") fired_.add("torn_unsynced");
}

void FaultDriver::on_heal(const Event& event) {
  const auto found = active_.find(event.number);
  if (found == active_.end()) return;
  const faults::Behaviour& acts = faults::find(found->second.spec->fault)->acts;
  if (acts.proceed != nullptr) {
    const Duration more = acts.proceed(arena_, found->second);
    if (more > Duration{}) {
      cluster_.kernel().schedule_after(more, event_of(EventKind::heal, event.number));
      return;
    }
  }
  acts.heal(arena_, found->second);
  active_.erase(found);
}

void FaultDriver::after_event(bool work_in_flight) {
  work_in_flight_ = work_in_flight;
  if (cluster_.network().disturbed()) {
    for (const std::uint64_t serial : cluster_.network().take_hits()) fire(serial);
  }
  look_at_disks();
  if (armed_.empty()) return;
  for (Armed& armed : std::exchange(armed_, {})) attempt(std::move(armed.strike), armed.until);
}

void FaultDriver::fire(std::uint64_t serial) {
  const auto found = active_.find(serial);
  if (found == active_.end() || found->second.fired) return;
  found->second.fired = true;
  count(found->second);
}

void FaultDriver::look_at_disks() {
  for (std::uint32_t n = 1; n <= cluster_.nodes(); ++n) {
    Machine& machine = cluster_.machine(NodeId(n));
    for (const DiskHit& hit : machine.take_disk_hits()) {
      const auto found = active_.find(hit.strike);
      if (found == active_.end()) continue;
      // It may have hit a later life than the one it was laid for.
      for (faults::Strike::Victim& victim : found->second.victims) {
        if (victim.node == machine.id()) victim.boot = machine.boot_number();
      }
      if (atlas_.struck(hit.strike, machine.id())) {
        cluster_.tell_damaged(machine.id(), hit.file, found->second.spec->fault);
      }
      fire(hit.strike);
    }
    damage_read_ += machine.disk().take_scars_read().size();
  }
}

Counters FaultDriver::sometimes() const {
  Counters counters;
  counters.add("damage_read", damage_read_);
  counters.add("damage_withheld", atlas_.withheld());
  return counters;
}

bool FaultDriver::unfair() const {
  std::set<NodeId> gone;
  for (std::uint32_t n = 1; n <= cluster_.nodes(); ++n) {
    if (cluster_.machine(NodeId(n)).lost_for_good()) gone.insert(NodeId(n));
  }
  for (const auto& [serial, strike] : active_) {
    if (!strike.spec->forever) continue;
    for (const faults::Strike::Victim& victim : strike.victims) gone.insert(victim.node);
  }
  return gone.size() * 2 >= cluster_.nodes();
}

}  // namespace coffer::sim
