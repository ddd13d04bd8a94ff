#include "sim/models/machine.h"

#include <utility>

#include "core/base/check.h"
#include "sim/models/effects_digest.h"

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
  for (const IoOp& op : io_.cut_off(damage_prng_)) disk_.execute(op);
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
  kernel_.note(id().value, EventKind::effects, digest_of(effects_));
  take_over_io();
  set_alarm();
  if (!inbox_.empty()) request_step();
  return true;
}

void Machine::take_over_io() {
  schedule(io_.submit(effects_.io));
  io_.hold(effects_.send_after_sync);
}

void Machine::schedule(const std::vector<IoQueue::Begun>& begun) {
  for (const IoQueue::Begun& one : begun) {
    kernel_.schedule_after(duration_of(one.kind), event(EventKind::io_done, one.place));
  }
}

void Machine::set_alarm() {
  if (effects_.wake_at == alarm_at_) return;
  alarm_at_ = effects_.wake_at;
  ++alarm_;
  if (alarm_at_ == never) return;
  kernel_.schedule(clock_.when(kernel_.now(), alarm_at_), event(EventKind::wake, alarm_));
}

Duration Machine::duration_of(IoKind kind) {
  switch (kind) {
    case IoKind::sync:
    case IoKind::sync_dir:
      return machine_.sync_floor + Duration{disk_prng_.exponential(machine_.sync_mean.nanos)};
    case IoKind::read:
    case IoKind::write:
    case IoKind::rename:
    case IoKind::remove:
    case IoKind::list:
    case IoKind::reserve:
      return machine_.io_floor + Duration{disk_prng_.exponential(machine_.write_mean.nanos)};
  }
  check_failed("an operation has a kind");
}

void Machine::on_io_done(const Event& event) {
  if (event.generation != boot_ || !running()) return;
  const IoQueue::Finished finished = io_.finish(event.number);
  IoResult result = disk_.execute(finished.op);
  if (result.status != IoStatus::ok && finished.op.kind != IoKind::read) io_.poison();
  schedule(finished.begun);
  inbox_.push_back(node::IoInput{finished.op.token, result.status, std::move(result.bytes)});
  kept_.emplace_back();
  request_step();
}

std::vector<node::Send> Machine::take_released() {
  // A paused process sends nothing.
  return life_ == Life::up ? io_.release() : std::vector<node::Send>();
}

}  // namespace coffer::sim
