#include "sim/models/machine.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "core/base/check.h"
#include "sim/models/effects_digest.h"

namespace coffer::sim {

namespace {
constexpr std::size_t inbox_max = 1u << 14;        // inputs waiting; a stream connection would push back
constexpr std::size_t step_inputs_max = 1u << 12;  // taken at once
constexpr std::int64_t background_times = 4;       // as long: the stream's operations go before

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

void Machine::unskew() {
  skew(natural_);
  clock_.believe(kernel_.now(), machine_.wall_offset_max, machine_.wall_ppm_max);
}

Now Machine::time() const {
  const SimTime now = kernel_.now();
  return {clock_.monotonic(now), clock_.wall(now), clock_.wall_error(now)};
}

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
  disk_failed_ = false;
  config_.may_found = !founded_;
  node_ = std::make_unique<node::Node>(config_, stream(seed_, Domain::node_boot, id().value, boot_).next());
  request_step();
}

Damage Machine::crash(CrashKind kind, const DamagePolicy& policy) {
  check(running(), "only a running process can crash");
  life_ = Life::down;
  node_.reset();
  forget_inputs();
  effects_.clear();
  step_scheduled_ = false;
  alarm_at_ = never;
  stalled_.clear();
  held_steps_.clear();
  bool failed = false;  // and nobody was there to be told
  for (const IoOp& op : io_.cut_off(damage_prng_)) failed = disk_.execute(op).status == IoStatus::failed || failed;
  return kind == CrashKind::process && !failed ? Damage{} : cut_power(policy);
}

Damage Machine::cut_power(const DamagePolicy& policy) {
  check(life_ == Life::down, "the power of a machine takes its process along");
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
  request_step();
}

void Machine::refuse() {
  check(running() && refusal_excused_, "only a node whose disk was damaged refuses to run");
  life_ = Life::refused;
  node_.reset();
  forget_inputs();
}

void Machine::empty_disk() {
  check(life_ == Life::down, "a disk is changed while its process is down");
  for (std::string& name : disk_.names()) {
    IoOp op;
    op.kind = IoKind::remove;
    op.file = std::move(name);
    disk_.execute(op);
  }
  IoOp sync;
  sync.kind = IoKind::sync_dir;
  disk_.execute(sync);
  emptied_ = true;
  excuse_refusal();
}

bool Machine::receive(node::Input input, SharedBytes keep, std::uint64_t sent) {
  if (!running() || inbox_.size() >= inbox_max) return false;
  inbox_.push_back(std::move(input));
  kept_.push_back(std::move(keep));
  sent_.push_back(sent);
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

void Machine::take_inputs() {
  const auto count = static_cast<std::ptrdiff_t>(std::min(inbox_.size(), step_inputs_max));
  taken_.assign(inbox_.begin(), inbox_.begin() + count);
  taken_kept_.assign(kept_.begin(), kept_.begin() + count);
  heard_.clear();
  for (std::ptrdiff_t i = 0; i < count; ++i) {
    const auto place = static_cast<std::size_t>(i);
    if (sent_[place] == 0) continue;
    heard_.push_back({std::get<node::MessageInput>(taken_[place]).from, sent_[place], node_->ready()});
  }
  inbox_.erase(inbox_.begin(), inbox_.begin() + count);
  kept_.erase(kept_.begin(), kept_.begin() + count);
  sent_.erase(sent_.begin(), sent_.begin() + count);
}

void Machine::forget_inputs() {
  inbox_.clear();
  kept_.clear();
  sent_.clear();
}

bool Machine::on_step(const Event& event) {
  if (event.generation != boot_ || !step_scheduled_) return false;
  step_scheduled_ = false;
  if (life_ != Life::up) return false;

  take_inputs();
  ++steps_;
  effects_.clear();
  node_->step(time(), taken_, effects_);
  founded_ = founded_ || node_->ready();
  kernel_.note(id().value, EventKind::effects, digest_of(effects_));
  take_over_io();
  set_alarm();
  if (!inbox_.empty()) request_step();
  return true;
}

void Machine::take_over_io() {
  schedule(io_.submit(effects_.io));
  held_steps_.insert(held_steps_.end(), effects_.send_after_sync.size(), steps_);
  io_.hold(effects_.send_after_sync);
}

void Machine::schedule(const std::vector<IoQueue::Begun>& begun) {
  for (const IoQueue::Begun& one : begun) {
    kernel_.schedule_after(duration_of(one.kind, one.lane), event(EventKind::io_done, one.place));
  }
}

void Machine::set_alarm() {
  if (effects_.wake_at == alarm_at_) return;
  alarm_at_ = effects_.wake_at;
  ++alarm_;
  if (alarm_at_ == never) return;
  kernel_.schedule(clock_.when(kernel_.now(), alarm_at_), event(EventKind::wake, alarm_));
}

std::optional<Duration> Machine::time_to_store() const {
  if (!stuck_by_.empty() || disk_.full()) return std::nullopt;
  return (machine_.io_floor + machine_.write_mean + machine_.sync_floor + machine_.sync_mean) * slowest();
}

/// Of several, the slowest counts: their product would last beyond any run.
std::int64_t Machine::slowest() const {
  std::int64_t slowest = 1;
  for (const auto& [strike, times] : slowed_by_) slowest = std::max<std::int64_t>(slowest, times);
  return slowest;
}

Duration Machine::duration_of(IoKind kind, IoLane lane) {
  for (const auto& [strike, times] : slowed_by_) delays_.insert(strike);
  const std::int64_t times = slowest() * (lane == IoLane::background ? background_times : 1);
  switch (kind) {
    case IoKind::sync:
    case IoKind::sync_dir:
      return (machine_.sync_floor + Duration{disk_prng_.exponential(machine_.sync_mean.nanos)}) * times;
    case IoKind::read:
    case IoKind::write:
    case IoKind::rename:
    case IoKind::remove:
    case IoKind::list:
    case IoKind::reserve:
      return (machine_.io_floor + Duration{disk_prng_.exponential(machine_.write_mean.nanos)}) * times;
  }
  check_failed("an operation has a kind");
}

void Machine::on_io_done(const Event& event) {
  if (event.generation != boot_ || !running()) return;
  if (!stuck_by_.empty()) {
    stalled_.push_back(event.number);
    delays_.insert(stuck_by_.begin(), stuck_by_.end());
    return;
  }
  const IoQueue::Finished finished = io_.finish(event.number);
  IoResult result = disk_.execute(finished.op);
  io_.returned(finished.op, result.status);
  disk_failed_ = disk_failed_ || result.status == IoStatus::failed;
  schedule(finished.begun);
  inbox_.push_back(node::IoInput{finished.op.token, result.status, std::move(result.bytes)});
  kept_.emplace_back();
  sent_.push_back(0);
  request_step();
}

void Machine::heal_disk(std::uint64_t strike) {
  disk_.heal(strike);
  slowed_by_.erase(strike);
  if (stuck_by_.erase(strike) == 0 || !stuck_by_.empty()) return;
  for (const std::uint64_t place : std::exchange(stalled_, {})) {
    kernel_.schedule_after(machine_.io_floor, event(EventKind::io_done, place));
  }
}

std::vector<DiskHit> Machine::take_disk_hits() {
  std::vector<DiskHit> hits = disk_.take_hits();
  for (const std::uint64_t strike : std::exchange(delays_, {})) hits.push_back({strike});
  return hits;
}

std::vector<Machine::Outgoing> Machine::take_released() {
  std::vector<Outgoing> released;
  if (life_ != Life::up) return released;  // a paused process sends nothing
  for (node::Send& send : io_.release()) {
    check(!held_steps_.empty(), "what is released was held");
    released.push_back({std::move(send), held_steps_.front()});
    held_steps_.pop_front();
  }
  return released;
}

}  // namespace coffer::sim
