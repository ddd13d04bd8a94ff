#include "sim/models/machine.h"

#include <algorithm>
#include <span>
#include <string_view>
#include <utility>

#include "core/base/check.h"
#include "core/base/hash.h"

namespace coffer::sim {

namespace {
constexpr std::size_t inbox_max = 1u << 14;        // inputs waiting; a stream connection would push back
constexpr std::size_t step_inputs_max = 1u << 12;  // taken at once

Instant origin_of(Prng& prng) { return Instant{prng.between(1, seconds(100'000).nanos)}; }
}  // namespace

Machine::Machine(Kernel& kernel, const MachineConfig& machine, node::Config config, std::uint64_t seed)
    : kernel_(kernel),
      machine_(machine),
      config_(std::move(config)),
      seed_(seed),
      process_prng_(stream(seed, Domain::process, config_.identity.node.value)),
      disk_prng_(stream(seed, Domain::disk, config_.identity.node.value, 0)),
      damage_prng_(stream(seed, Domain::disk, config_.identity.node.value, 1)),
      clock_(origin_of(process_prng_)) {
  Prng prng = stream(seed, Domain::clock, config_.identity.node.value);
  const std::int64_t offset_max = machine_.wall_offset_max.nanos;
  natural_.offset = Duration{prng.between(-offset_max, offset_max)};
  natural_.wall_ppm = static_cast<std::int32_t>(prng.between(-machine_.wall_ppm_max, machine_.wall_ppm_max));
  natural_.monotonic_ppm =
      static_cast<std::int32_t>(prng.between(-machine_.monotonic_ppm_max, machine_.monotonic_ppm_max));
  unskew();
}

void Machine::skew(const Skew& skew) { clock_.set(kernel_.now(), skew.offset, skew.wall_ppm, skew.monotonic_ppm); }

const node::Node& Machine::node() const {
  check(running(), "only a running process can be looked at");
  return *node_;
}

Event Machine::event(EventKind kind, std::uint64_t number) const {
  Event event;
  event.kind = kind;
  event.entity = id().value;
  event.number = number;
  event.generation = boot_;
  return event;
}

void Machine::boot() {
  check(life_ == Life::down, "only a process that is down can be started");
  ++boot_;
  life_ = Life::up;
  node_ = std::make_unique<node::Node>(config_, stream(seed_, Domain::node_boot, id().value, boot_).next());
  request_step();
}

Damage Machine::crash(CrashKind kind, const DamagePolicy& policy) {
  check(running(), "only a running process can crash");
  life_ = Life::down;
  node_.reset();
  inbox_.clear();
  kept_.clear();
  effects_.clear();
  step_scheduled_ = false;
  alarm_at_ = never;
  held_.clear();
  released_.clear();
  poisoned_ = false;
  // What the operating system had not got to is never done; the rest is.
  const bool some_done = damage_prng_.chance(300);
  const std::uint64_t done = some_done ? damage_prng_.below(lane_.size() + 1) : 0;
  for (std::uint64_t i = 0; i < done; ++i) disk_.execute(lane_[i].op);
  for (const auto& [place, reserve] : reserves_) {
    if (damage_prng_.chance(500)) disk_.execute(reserve.op);
  }
  lane_.clear();
  reserves_.clear();
  places_ = 0;
  if (kind == CrashKind::process) return {};
  clock_.restart_monotonic(kernel_.now(), origin_of(process_prng_));
  return disk_.lose_power(policy, damage_prng_);
}

void Machine::pause() {
  check(life_ == Life::up, "only a process that is up can be paused");
  life_ = Life::paused;
}

void Machine::resume() {
  check(life_ == Life::paused, "only a paused process can resume");
  life_ = Life::up;
  release();
  request_step();
}

bool Machine::receive(node::Input input, SharedBytes keep) {
  if (!running() || inbox_.size() >= inbox_max) return false;
  inbox_.push_back(std::move(input));
  kept_.push_back(std::move(keep));
  request_step();
  return true;
}

void Machine::request_step() {
  if (life_ != Life::up || step_scheduled_) return;
  step_scheduled_ = true;
  const Duration delay = microseconds(1) + Duration{process_prng_.exponential(machine_.step_mean.nanos)};
  kernel_.schedule_after(delay, event(EventKind::step));
}

void Machine::on_wake(const Event& event) {
  if (event.generation != boot_ || event.number != alarm_ || !running()) return;
  alarm_at_ = never;
  request_step();
}

bool Machine::on_step(const Event& event) {
  if (event.generation != boot_ || !step_scheduled_) return false;
  step_scheduled_ = false;
  if (life_ != Life::up) return false;

  taken_.clear();
  taken_kept_.clear();
  if (inbox_.size() <= step_inputs_max) {
    taken_.swap(inbox_);
    taken_kept_.swap(kept_);
  } else {
    const auto count = static_cast<std::ptrdiff_t>(step_inputs_max);
    taken_.assign(inbox_.begin(), inbox_.begin() + count);
    taken_kept_.assign(kept_.begin(), kept_.begin() + count);
    inbox_.erase(inbox_.begin(), inbox_.begin() + count);
    kept_.erase(kept_.begin(), kept_.begin() + count);
  }
  effects_.clear();
  const SimTime now = kernel_.now();
  node_->step(Now{clock_.monotonic(now), clock_.wall(now), seconds(1)}, taken_, effects_);
  kernel_.note(id().value, EventKind::effects, digest_of_effects());
  take_over_io();
  set_alarm();
  if (!inbox_.empty()) request_step();
  return true;
}

void Machine::take_over_io() {
  const bool idle = lane_.empty();
  for (IoOp& op : effects_.io) {
    Operation operation{++places_, std::move(op)};
    if (operation.op.kind == IoKind::reserve) {
      kernel_.schedule_after(duration_of(operation.op), event(EventKind::io_done, operation.place));
      reserves_.emplace(operation.place, std::move(operation));
    } else {
      lane_.push_back(std::move(operation));
    }
  }
  effects_.io.clear();
  if (idle && !lane_.empty()) start_front();
  if (!effects_.send_after_sync.empty()) {
    held_.push_back({places_, std::exchange(effects_.send_after_sync, {})});
    release();
  }
}

void Machine::set_alarm() {
  if (effects_.wake_at == alarm_at_) return;
  alarm_at_ = effects_.wake_at;
  ++alarm_;
  if (alarm_at_ == never) return;
  kernel_.schedule(clock_.when(kernel_.now(), alarm_at_), event(EventKind::wake, alarm_));
}

Duration Machine::duration_of(const IoOp& op) {
  const Duration floor = machine_.io_floor;
  switch (op.kind) {
    case IoKind::sync:
    case IoKind::sync_dir:
      return machine_.sync_floor + Duration{disk_prng_.exponential(machine_.sync_mean.nanos)};
    case IoKind::read:
    case IoKind::write:
    case IoKind::rename:
    case IoKind::remove:
    case IoKind::reserve:
      return floor + Duration{disk_prng_.exponential(machine_.write_mean.nanos)};
  }
  check_failed("an operation has a kind");
}

void Machine::start_front() {
  const Operation& front = lane_.front();
  kernel_.schedule_after(duration_of(front.op), event(EventKind::io_done, front.place));
}

void Machine::on_io_done(const Event& event) {
  if (event.generation != boot_ || !running()) return;
  const auto reserve = reserves_.find(event.number);
  if (reserve != reserves_.end()) {
    const Operation operation = std::move(reserve->second);
    reserves_.erase(reserve);
    complete(operation);
  } else {
    check(!lane_.empty() && lane_.front().place == event.number, "operations end in the order they began");
    const Operation operation = std::move(lane_.front());
    lane_.pop_front();
    complete(operation);
    if (!lane_.empty()) start_front();
  }
  release();
}

void Machine::complete(const Operation& operation) {
  IoResult result = disk_.execute(operation.op);
  if (result.status != IoStatus::ok && operation.op.kind != IoKind::read) poisoned_ = true;
  inbox_.push_back(node::IoInput{operation.op.token, result.status, std::move(result.bytes)});
  kept_.emplace_back();
  request_step();
}

void Machine::release() {
  if (life_ != Life::up || poisoned_) return;
  std::uint64_t oldest = UINT64_MAX;
  if (!lane_.empty()) oldest = lane_.front().place;
  if (!reserves_.empty()) oldest = std::min(oldest, reserves_.begin()->first);
  while (!held_.empty() && held_.front().barrier < oldest) {
    std::move(held_.front().sends.begin(), held_.front().sends.end(), std::back_inserter(released_));
    held_.pop_front();
  }
}

std::vector<node::Send> Machine::take_released() { return std::exchange(released_, {}); }

std::uint64_t Machine::digest_of_effects() const {
  std::uint64_t digest = 0;
  const auto number = [&](std::uint64_t v) { digest = mix64(digest ^ v); };
  const auto bytes = [&](ByteView v) { digest = hash64(v, digest); };
  const auto sends = [&](const std::vector<node::Send>& list) {
    number(list.size());
    for (const node::Send& send : list) {
      number(send.to.value);
      bytes(view(send.frame));
    }
  };
  number(effects_.io.size());
  for (const IoOp& op : effects_.io) {
    number(static_cast<std::uint64_t>(op.kind));
    number(op.token.value);
    number(op.offset);
    bytes(bytes_of(op.file));
    bytes(bytes_of(op.target));
    bytes(view(op.bytes));
  }
  sends(effects_.send_now);
  sends(effects_.send_after_sync);
  number(effects_.replies.size());
  for (const node::Reply& reply : effects_.replies) {
    number(reply.client.value);
    number(reply.request.value);
    bytes(reply.bytes);
  }
  number(effects_.committed.size());
  for (const node::Committed& entry : effects_.committed) {
    number(entry.index.value);
    number(entry.term.value ^ static_cast<std::uint64_t>(entry.shard.value) << 56);
    bytes(view(entry.payload));
  }
  number(effects_.trace.size());
  for (const TraceEvent& event : effects_.trace) {
    number(static_cast<std::uint64_t>(event.kind) << 32 | event.shard.value);
    number(event.term.value);
    number(event.index.value);
    number(event.a);
    number(event.b);
    number(event.c);
    bytes(std::as_bytes(std::span(event.transfer.bytes)));
  }
  number(static_cast<std::uint64_t>(effects_.wake_at.nanos));
  bytes(bytes_of(effects_.fatal));
  return digest;
}

}  // namespace coffer::sim
