#include "tests/core/log/life.h"

#include <algorithm>
#include <memory>

#include "core/base/check.h"

namespace coffer::log {

Model model_of(const Recovered& recovered) {
  Model model;
  for (const auto& [group, found] : recovered.groups) {
    ModelLog log{found.base, {}};
    for (const Entry& entry : found.log) {
      check(entry.index.value == log.last() + 1, "recovered indexes are dense from the base");
      log.entries.push_back({entry.term.value, entry.payload ? *entry.payload : Bytes(), entry.kind});
    }
    if (log != ModelLog()) model.logs[group.value] = log;
    if (found.hard_state != HardState()) {
      model.hard_states[group.value] = {found.hard_state.term.value, found.hard_state.vote.value};
    }
  }
  return model;
}

FileIdentity test_identity() {
  FileIdentity identity;
  identity.cluster.bytes.fill(0xC1);
  identity.node.bytes.fill(0x0D);
  identity.incarnation = 1;
  return identity;
}

StreamConfig test_config() { return {test_identity(), test_segment_size, true, {}}; }

Life::Life(MemoryDisk& disk, std::uint64_t ops_max, std::uint64_t random, StreamConfig config)
    : stream(std::move(config)), disk_(disk), ops_max_(ops_max), random_(random) {
  std::vector<IoOp> ops;
  stream.start(ops);
  take(ops);
}

void Life::take(std::vector<IoOp>& ops) {
  for (IoOp& op : ops) {
    emitted.push_back({.kind = op.kind, .token = op.token, .file = op.file, .target = op.target, .offset = op.offset});
    if (op.kind == IoKind::write) written.push_back(op);
    const bool background = op.lane == IoLane::background;
    (op.kind == IoKind::reserve ? reservations_ : background ? background_ : in_order_).push_back(std::move(op));
  }
  ops.clear();
}

std::optional<IoOp> Life::next() {
  std::deque<IoOp>* queue = &in_order_;
  const auto overtakes = [&](std::deque<IoOp>& other, bool may) {
    if (may && !other.empty() && (queue->empty() || random_.chance(500))) queue = &other;
  };
  overtakes(reservations_, !hold_reservations_);
  overtakes(background_, true);
  if (queue->empty()) return std::nullopt;
  IoOp op = std::move(queue->front());
  queue->pop_front();
  return op;
}

bool Life::run() {
  while (!over()) {
    const std::optional<IoOp> op = next();
    if (!op) return true;
    ++executed_;
    const auto planned = planned_.find(op->kind);
    MemoryDisk::Answer answer;
    if (planned != planned_.end()) {
      answer.status = planned->second;
      planned_.erase(planned);
    } else {
      answer = disk_.execute(*op);
    }
    std::vector<IoOp> ops;
    stream.on_io(op->token, answer.status, answer.bytes, ops, trace);
    take(ops);
  }
  return in_order_.empty() && background_.empty() && reservations_.empty();
}

Model Life::recovered() {
  check(run() && stream.recovered() && !stream.failed(), "the life recovered");
  found = stream.take_recovered();
  return model_of(found);
}

void Life::maintain() {
  std::vector<IoOp> ops;
  stream.maintain(now, ops);
  take(ops);
  run();
}

bool Life::rest() {
  for (int i = 0; i < 8 && !over(); ++i) {
    maintain();
    if (stream.wake_at() < never) now = std::max(now, stream.wake_at());
  }
  return !over();
}

bool Life::flush_and_run() {
  if (!stream.idle()) maintain();
  if (!stream.idle()) return false;
  std::vector<IoOp> ops;
  const Flushed flushed = stream.flush(ops);
  check(!stream.idle() && stream.completed() + 1 == flushed.number,
        "flushes are numbered from 1 and complete in order");
  take(ops);
  run();
  return stream.completed() == flushed.number;
}

bool Life::saw(TraceKind kind) const {
  return std::any_of(trace.begin(), trace.end(), [kind](const TraceEvent& e) { return e.kind == kind; });
}

std::uint64_t Life::trace_a(TraceKind kind) const {
  const auto event = std::find_if(trace.begin(), trace.end(), [kind](const TraceEvent& e) { return e.kind == kind; });
  check(event != trace.end(), "the event was traced");
  return event->a;
}

Entry entry(std::uint64_t index, std::uint64_t term, const Bytes& payload, EntryKind kind) {
  return {Index(index), Term(term), payload.empty() ? SharedBytes() : std::make_shared<const Bytes>(payload), kind};
}

Bytes payload(std::uint64_t seed, std::size_t size) {
  Prng random(seed);
  Bytes bytes(size);
  for (std::byte& byte : bytes) {
    byte = static_cast<std::byte>(random.below(256));
  }
  return bytes;
}

namespace {

void random_truncation(Prng& random, ShardId group, ModelLog& log, Stream* stream) {
  const std::uint64_t from = log.base.index.value + 1 + random.below(log.size() + 1);
  log.entries.resize(from - 1 - log.base.index.value);
  if (stream) stream->truncate(group, Index(from));
}

/// At an entry of the log, at one the log does not hold, or beyond its end.
void random_restore(Prng& random, ShardId group, ModelLog& log, Stream* stream) {
  const std::uint64_t ahead = 1 + random.below(log.size() + 2);
  LogPlace base{Index(log.base.index.value + ahead), Term(1 + random.below(9))};
  const bool keeps = ahead <= log.size() && random.chance(800);
  if (keeps) {
    base.term = Term(log.entries[ahead - 1].term);
    log.entries.erase(log.entries.begin(), log.entries.begin() + static_cast<std::ptrdiff_t>(ahead));
  } else {
    if (ahead <= log.size() && base.term.value == log.entries[ahead - 1].term) base.term = Term(10);
    log.entries.clear();
  }
  log.base = base;
  if (stream) stream->restore(group, base);
}

void random_entries(Prng& random, ShardId group, ModelLog& log, Stream* stream) {
  std::vector<Entry> entries;
  const std::uint64_t count = 1 + random.below(3);
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t size = random.chance(60) ? random.below(3 * test_segment_size / 2) : random.below(300);
    const std::uint64_t term = 1 + random.below(9);
    const EntryKind kind = random.chance(100) ? EntryKind::configuration : EntryKind::state;
    log.entries.push_back({term, payload(random.next(), random.chance(100) ? 0 : size), kind});
    entries.push_back(entry(log.last(), term, log.entries.back().payload, kind));
  }
  if (stream) stream->append(group, entries);
}

}  // namespace

void random_batch(Prng& random, Model& model, Stream* stream) {
  const std::uint64_t calls = 1 + random.below(4);
  for (std::uint64_t call = 0; call < calls; ++call) {
    const auto group = static_cast<std::uint32_t>(1 + random.below(3));
    ModelLog& log = model.logs[group];
    const std::uint64_t choice = random.below(20);
    if (choice < 3 && log.size() > 0) {
      random_truncation(random, ShardId(group), log, stream);
    } else if (choice < 6 && log.last() > 0) {
      random_restore(random, ShardId(group), log, stream);
    } else if (choice < 9) {
      auto& [term, vote] = model.hard_states[group];
      term += 1 + random.below(3);
      vote = static_cast<std::uint32_t>(random.below(4));
      if (stream) stream->set_hard_state(ShardId(group), {Term(term), NodeId(vote)});
    } else {
      random_entries(random, ShardId(group), log, stream);
    }
    if (log == ModelLog()) model.logs.erase(group);
  }
}

}  // namespace coffer::log
