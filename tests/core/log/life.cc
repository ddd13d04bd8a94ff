#include "tests/core/log/life.h"

#include <algorithm>
#include <memory>

#include "core/base/check.h"

namespace coffer::log {

Model model_of(const Recovered& recovered) {
  Model model;
  for (const auto& [group, entries] : recovered.logs) {
    for (const Entry& entry : entries) {
      auto& log = model.logs[group.value];
      check(entry.index.value == log.size() + 1, "recovered indexes are dense from 1");
      log.emplace_back(entry.term.value, entry.payload ? *entry.payload : Bytes());
    }
  }
  for (const auto& [group, state] : recovered.hard_states) {
    model.hard_states[group.value] = {state.term.value, state.vote.value};
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

Life::Life(MemoryDisk& disk, std::uint64_t ops_max, std::uint64_t random, FileIdentity identity,
           std::uint64_t segment_size)
    : stream(identity, segment_size), disk_(disk), ops_max_(ops_max), random_(random) {
  std::vector<IoOp> ops;
  stream.start(ops);
  take(ops);
}

void Life::take(std::vector<IoOp>& ops) {
  for (IoOp& op : ops) {
    emitted.push_back({op.kind, op.token, op.file, {}, op.offset, {}});
    (op.kind == IoKind::reserve ? reservations_ : in_order_).push_back(std::move(op));
  }
  ops.clear();
}

std::optional<IoOp> Life::next() {
  const bool may_reserve = !reservations_.empty() && !hold_reservations_;
  std::deque<IoOp>* queue = &in_order_;
  if (may_reserve && (in_order_.empty() || random_.chance(500))) {
    queue = &reservations_;
  }
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
  return in_order_.empty() && reservations_.empty();
}

Model Life::recovered() {
  check(run() && stream.recovered() && !stream.failed(), "the life recovered");
  return model_of(stream.take_recovered());
}

bool Life::flush_and_run() {
  std::vector<IoOp> ops;
  const Flushed flushed = stream.flush(ops);
  check(!stream.idle() && stream.completed() + 1 == flushed.number,
        "flushes are numbered from 1 and complete in order");
  take(ops);
  run();
  return stream.completed() == flushed.number;
}

bool Life::saw(TraceKind kind) const {
  return std::any_of(trace.begin(), trace.end(), [kind](const TraceEvent& event) { return event.kind == kind; });
}

std::uint64_t Life::trace_a(TraceKind kind) const {
  const auto found =
      std::find_if(trace.begin(), trace.end(), [kind](const TraceEvent& event) { return event.kind == kind; });
  check(found != trace.end(), "the event was traced");
  return found->a;
}

Entry entry(std::uint64_t index, std::uint64_t term, const Bytes& payload) {
  return {Index(index), Term(term), payload.empty() ? SharedBytes() : std::make_shared<const Bytes>(payload)};
}

Bytes payload(std::uint64_t seed, std::size_t size) {
  Prng random(seed);
  Bytes bytes(size);
  for (std::byte& byte : bytes) {
    byte = static_cast<std::byte>(random.below(256));
  }
  return bytes;
}

void random_batch(Prng& random, Model& model, Stream* stream) {
  const std::uint64_t calls = 1 + random.below(4);
  for (std::uint64_t call = 0; call < calls; ++call) {
    const auto group = static_cast<std::uint32_t>(1 + random.below(3));
    auto& log = model.logs[group];
    const std::uint64_t choice = random.below(10);
    if (choice < 2 && !log.empty()) {
      const std::uint64_t from = 1 + random.below(log.size() + 1);
      log.resize(from - 1);
      if (stream) stream->truncate(ShardId(group), Index(from));
    } else if (choice < 4) {
      auto& [term, vote] = model.hard_states[group];
      term += random.below(3);
      vote = static_cast<std::uint32_t>(random.below(4));
      if (stream) stream->set_hard_state(ShardId(group), {Term(term), NodeId(vote)});
    } else {
      std::vector<Entry> entries;
      const std::uint64_t count = 1 + random.below(3);
      for (std::uint64_t i = 0; i < count; ++i) {
        const std::uint64_t size = random.chance(60) ? random.below(3 * test_segment_size / 2) : random.below(300);
        const std::uint64_t term = 1 + random.below(9);
        log.emplace_back(term, payload(random.next(), random.chance(100) ? 0 : size));
        entries.push_back(entry(log.size(), term, log.back().second));
      }
      if (stream) stream->append(ShardId(group), entries);
    }
    if (log.empty()) model.logs.erase(group);
  }
}

}  // namespace coffer::log
