#include "tests/core/log/store_life.h"

#include <algorithm>
#include <memory>

#include "core/base/check.h"
#include "core/log/block.h"
#include "tests/core/log/life.h"

namespace coffer::log {
namespace {

std::string words_of(const IoOp& op) {
  switch (op.kind) {
    case IoKind::read:
      return "read " + op.file;
    case IoKind::write:
      return "write " + op.file;
    case IoKind::sync:
      return "sync " + op.file;
    case IoKind::sync_dir:
      return "sync_dir";
    case IoKind::rename:
      return "rename " + op.file + " to " + op.target;
    case IoKind::remove:
      return "remove " + op.file;
    case IoKind::list:
      return "list";
    case IoKind::reserve:
      return "reserve " + op.file;
  }
  check_failed("an io kind is one of those listed");
}

SealedContent content_of(SealedHeader header, std::vector<Bytes> chunks) {
  SealedContent content;
  header.cluster = test_cluster();
  header.chunk_size = test_chunk_size;
  for (const Bytes& chunk : chunks) {
    content.table.push_back(chunk_checksum(static_cast<std::uint32_t>(content.table.size()), chunk));
    header.payload_size += chunk.size();
  }
  header.table_checksum = checksum_of_table(content.table);
  content.header = std::move(header);
  content.chunks = std::move(chunks);
  return content;
}

}  // namespace

Uuid test_cluster() {
  Uuid cluster;
  cluster.bytes.fill(0xC1);
  return cluster;
}

SealedStore::Limits test_limits() {
  SealedStore::Limits limits;
  limits.chunk_size = test_chunk_size;
  limits.scrub_interval = seconds(3600);
  return limits;
}

std::uint64_t made_up_positions(EntryKind kind, ByteView payload) {
  if (kind == EntryKind::configuration || payload.empty()) return 0;
  return static_cast<std::uint64_t>(payload[0]) % 4;
}

Bytes file_bytes(const SealedContent& content) {
  Bytes bytes = encode(content.header);
  for (const Bytes& chunk : content.chunks) bytes.insert(bytes.end(), chunk.begin(), chunk.end());
  const Bytes table = encode_table(content.table);
  bytes.insert(bytes.end(), table.begin(), table.end());
  return bytes;
}

std::vector<Entry> made_up_entries(ShardId group, std::uint64_t count) {
  std::vector<Entry> entries;
  for (std::uint64_t index = 1; index <= count; ++index) {
    std::size_t size = index % 7 == 0 ? 0 : 20 + index * 37 % 90;
    if (index % 11 == 0) size = 1300;
    Entry made = entry(index, 1 + index / 10, payload(group.value * 1000 + index, size));
    if (index % 9 == 0) made.kind = EntryKind::configuration;
    entries.push_back(std::move(made));
  }
  return entries;
}

SealedContent made_up_history(ShardId group, std::uint64_t before, std::uint64_t last) {
  const std::vector<Entry> entries = made_up_entries(group, last);
  HistoryWriter::Before start{Index(before), Position(0), Hash256()};
  for (std::uint64_t i = 0; i < before; ++i) {
    start.position.value += made_up_positions(entries[i].kind, view(entries[i].payload));
    start.chain = chain_head(start.chain, entries[i]);
  }
  HistoryWriter writer(group, test_cluster(), start, test_chunk_size);
  std::vector<Bytes> chunks;
  Position position = start.position;
  for (std::uint64_t i = before; i < last; ++i) {
    position.value += made_up_positions(entries[i].kind, view(entries[i].payload));
    writer.append(entries[i], position, Stamp{static_cast<std::int64_t>(entries[i].index.value * 1000)});
    while (std::optional<Bytes> chunk = writer.take_chunk()) chunks.push_back(std::move(*chunk));
  }
  SealedHeader header = writer.finish();
  while (std::optional<Bytes> chunk = writer.take_chunk()) chunks.push_back(std::move(*chunk));
  SealedContent content = content_of(std::move(header), std::move(chunks));
  content.indexed = writer.take_indexed();
  return content;
}

SealedContent made_up_snapshot(ShardId group, std::uint64_t last, std::size_t payload_size) {
  SealedHeader header;
  header.name = {SealedKind::snapshot, group, Index(last)};
  header.first = Index(last);
  header.last_term = Term(1 + last / 10);
  header.first_position = header.last_position = Position(last * 2);
  header.last_stamp = Stamp{static_cast<std::int64_t>(last * 1000)};
  header.meta = payload(last, 30);
  std::vector<Bytes> chunks;
  for (std::size_t at = 0; at < payload_size; at += test_chunk_size) {
    chunks.push_back(payload(last * 100 + at, std::min<std::size_t>(test_chunk_size, payload_size - at)));
  }
  return content_of(std::move(header), std::move(chunks));
}

StoreLife::StoreLife(MemoryDisk& disk, std::uint64_t ops_max, SealedStore::Limits limits, Uuid cluster)
    : store(cluster, limits, made_up_positions), disk_(disk), ops_max_(ops_max) {
  store.start(ops);
}

void StoreLife::answer_next(IoKind kind, IoStatus status, const std::string& prefix) {
  planned_.push_back({kind, status, prefix});
}

std::uint64_t StoreLife::count(TraceKind kind) const {
  return static_cast<std::uint64_t>(
      std::count_if(trace.begin(), trace.end(), [kind](const TraceEvent& event) { return event.kind == kind; }));
}

bool StoreLife::step() {
  for (IoOp& op : ops) {
    check(op.lane == IoLane::background, "sealed files are made in the background");
    queue_.push_back(std::move(op));
  }
  ops.clear();
  if (queue_.empty() || over()) return false;
  const IoOp op = std::move(queue_.front());
  queue_.pop_front();
  const bool may_refuse = op.kind == IoKind::write || op.kind == IoKind::rename || op.kind == IoKind::remove;
  if (executed_ == refused_at_ && may_refuse) planned_.push_back({op.kind, IoStatus::no_space, op.file});
  ++executed_;
  words.push_back(words_of(op));
  if (op.kind == IoKind::write) written.push_back(op);
  const auto planned = std::find_if(planned_.begin(), planned_.end(), [&op](const Planned& plan) {
    return plan.kind == op.kind && op.file.starts_with(plan.prefix);
  });
  MemoryDisk::Answer answer;
  if (planned != planned_.end()) {
    answer.status = planned->status;
    planned_.erase(planned);
  } else {
    answer = disk_.execute(op);
  }
  store.on_io(op.token, answer.status, answer.bytes, ops, trace);
  settle();
  return true;
}

void StoreLife::settle() {
  if (!recovered_ && store.recovered()) {
    recovered_ = true;
    for (const auto& [name, file] : store.files()) {
      if (!file.partial && file.bad_chunks.empty()) found.push_back(name);
    }
  }
  store.maintain(now, newest, ops, trace);
  for (const SealedName& name : store.take_published()) published.push_back(name);
}

bool StoreLife::run() {
  while (!over() && !store.failed()) {
    settle();
    if (!step() && ops.empty()) break;
  }
  return !over() && store.idle() && !store.failed();
}

bool StoreLife::run_for(Duration duration) {
  const Instant end = now + duration;
  while (now < end && !over()) {
    now = now + milliseconds(10);
    settle();
    while (step()) {
    }
  }
  return !over() && !store.failed();
}

bool StoreLife::wait_for_room(const SealedName& name) {
  while (!store.wants_chunk(name)) {
    if (step()) continue;
    if (over() || store.failed() || !store.paused()) return false;
    now = now + milliseconds(10);
    settle();
  }
  return true;
}

bool StoreLife::write(const SealedContent& content) {
  const SealedName& name = content.header.name;
  if (!run()) return false;
  if (store.sound(name)) return true;
  if (!store.create(name, ops)) return false;
  for (const Bytes& chunk : content.chunks) {
    if (!wait_for_room(name)) return false;
    store.append_chunk(name, chunk, ops);
  }
  store.seal(name, content.header, content.indexed, ops);
  return run() && store.sound(name);
}

bool StoreLife::fetch(const SealedContent& content, bool backwards) {
  const SealedName& name = content.header.name;
  if (!run()) return false;
  if (store.sound(name)) return true;
  if (!store.begin_fetch(content.header, content.table, ops)) return false;
  std::vector<std::uint32_t> missing = store.missing(name);
  if (backwards) std::reverse(missing.begin(), missing.end());
  for (const std::uint32_t chunk : missing) {
    if (!wait_for_room(name)) return false;
    check(store.put_chunk(name, chunk, content.chunks[chunk], ops), "a missing chunk is taken");
  }
  return run() && store.sound(name);
}

bool StoreLife::repair(const SealedContent& content) {
  const SealedName& name = content.header.name;
  if (!run()) return false;
  for (const std::uint32_t chunk : store.missing(name)) {
    if (!wait_for_room(name)) return false;
    check(store.put_chunk(name, chunk, content.chunks[chunk], ops), "a damaged chunk is taken");
  }
  return run() && store.sound(name);
}

bool StoreLife::remove(const SealedName& name) {
  if (!run()) return false;
  store.remove(name, ops);
  return run();
}

}  // namespace coffer::log
