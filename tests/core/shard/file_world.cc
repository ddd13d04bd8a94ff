#include "tests/core/shard/file_world.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "core/base/check.h"
#include "tests/core/txn/leader.h"

namespace coffer::shard::testing {

namespace {

using txn::testing::id_of;
using txn::testing::name_on;

/// What entry `number` does; fills some with several events.
Bytes made_payload(txn::testing::Leader& leader, std::uint64_t number, Prng& prng) {
  using namespace txn::testing;
  txn::Batch batch(leader.state, leader.stamp());
  const std::string payee = name_on(2, 2, "payee");
  for (std::uint64_t left = 1 + prng.below(3); left > 0; --left) {
    const std::string account = name_on(1, 2, "account-" + std::to_string(prng.below(9)));
    bool already = false;
    if (batch.open_account({default_tenant, PrincipalId(), account, usd}, already) != Outcome::success) continue;
    batch.transfer(deposit_of(number * 10 + left, account, 1'000));
    if (prng.chance(400)) batch.transfer(transfer_of(number * 10 + 5 + left, account, payee, 10, usd, ShardId(2)));
  }
  const LegNumber first = leader.state.first_unanswered(ShardId(2));
  if (prng.chance(300) && first < leader.state.next_leg(ShardId(2))) {
    batch.answer_leg(ShardId(2),
                     {first, leader.state.leg(ShardId(2), first).id, Outcome::success, Position(number), Stamp{1}});
  }
  return batch.finish();
}

}  // namespace

raft::Configuration configuration_at(Index index) {
  raft::Configuration configuration;
  const auto members = static_cast<std::uint32_t>(index.value % 5 + 1);
  for (std::uint32_t node = 1; node <= members; ++node) configuration.voters.push_back(NodeId(node));
  return configuration;
}

Uuid file_cluster() {
  Uuid cluster;
  cluster.bytes.fill(0xC3);
  return cluster;
}

std::vector<Entry> made_log(std::uint64_t entries) {
  std::vector<Entry> log;
  txn::testing::Leader leader(1, 2);
  Prng prng(7);
  for (std::uint64_t index = 1; index <= entries; ++index) {
    Entry entry{Index(index), Term(1 + index / 40), {}, EntryKind::state};
    if (index == 1) {
      entry.payload = std::make_shared<const Bytes>(leader.log.front());
    } else if (index % 13 == 0) {
      entry.kind = EntryKind::configuration;
      entry.payload = std::make_shared<const Bytes>(Bytes(20, std::byte{1}));
    } else if (index % 40 != 0) {
      entry.payload = std::make_shared<const Bytes>(made_payload(leader, index, prng));
    }
    log.push_back(std::move(entry));
  }
  return log;
}

Bytes state_after(const std::vector<Entry>& log, std::uint64_t entries) {
  txn::StateMachine state(group);
  for (std::uint64_t at = 0; at < entries; ++at) {
    if (log[at].kind == EntryKind::state) state.apply_entry(view(log[at].payload));
  }
  Bytes bytes;
  state.export_state(bytes);
  return bytes;
}

std::vector<Index> boundaries_of(const std::vector<Entry>& log) {
  std::vector<Index> boundaries;
  std::uint64_t bytes = 0;
  std::uint64_t length = std::max<std::uint64_t>(epoch_bytes, state_after(log, 0).size());
  for (const Entry& entry : log) {
    bytes += view(entry.payload).size();
    if (bytes < length) continue;
    boundaries.push_back(entry.index);
    length = std::max<std::uint64_t>(epoch_bytes, state_after(log, entry.index.value).size());
    bytes = 0;
  }
  return boundaries;
}

// ---- Replica --------------------------------------------------------------------------------------------------------

Replica::Replica(NodeId node, const std::vector<Entry>& log, log::MemoryDisk& disk, std::uint64_t ops_max)
    : id(node), log_(log), disk_(disk), ops_max_(ops_max) {
  log::SealedStore::Limits limits;
  limits.chunk_size = chunk_size;
  limits.scrub_interval = milliseconds(20);
  store = std::make_unique<log::SealedStore>(file_cluster(), limits, positions_in);
  transfer = std::make_unique<FileTransfer>(FileTransfer::Config{group, id, file_timeout, 3}, *store);
}

void Replica::begin_at(const log::SealedHeader* header) {
  applied_ = header == nullptr ? Index() : header->name.last;
  committed_ = applied_;
  positions_ = {{applied_, state->last_position()}};
  epochs = std::make_unique<EpochCounter>(epoch_bytes, applied_, state->size_estimate());
  transfer->set_reached(applied_);
}

bool Replica::load(const log::SealedHeader& header) {
  loading = std::make_unique<SnapshotLoad>(header, 1);
  while (!loading->done()) {
    loading->pump(*store, out.io);
    settle();
    if (!loading->done() && !step()) return false;
  }
  Result<std::unique_ptr<txn::StateMachine>> loaded = loading->finish();
  loading.reset();
  check(loaded.has_value(), "a sound snapshot holds a state");
  state = std::move(*loaded);
  return true;
}

bool Replica::start() {
  store->start(out.io);
  while (!store->recovered()) {
    check(!store->failed(), "a store recovers from any power cut");
    if (!step()) return false;
  }
  const log::SealedHeader* from = nullptr;
  for (const auto& [name, file] : store->files()) {
    if (name.kind == log::SealedKind::snapshot && store->sound(name)) from = &file.header;
  }
  state = std::make_unique<txn::StateMachine>(group);
  if (from != nullptr && !load(*from)) return false;
  begin_at(from);
  snapshots = std::make_unique<Snapshots>(Snapshots::Config{group, file_cluster(), chunk_size}, *store, from);
  return true;
}

bool Replica::install(const log::SealedName& name) {
  check(applied_ == committed_, "a follower installs");
  const log::SealedHeader header = store->files().at(name).header;
  if (!load(header)) return false;
  begin_at(&header);
  snapshots->installed(header, 0, out.io, out.trace);
  return true;
}

void Replica::fold(const Entry& entry) {
  check(entry.index == applied_.next(), "entries are folded without gaps");
  if (entry.kind == EntryKind::state) state->apply_entry(view(entry.payload));
  applied_ = entry.index;
  positions_[applied_] = state->last_position();
  if (!epochs->passed(entry.index, view(entry.payload).size(), state->size_estimate())) return;
  snapshots->passed({entry.index, entry.term}, state->freeze(), std::nullopt, out.trace);
  frozen_most = std::max<std::uint64_t>(frozen_most, snapshots->frozen());
}

void Replica::run_ahead() { fold(log_[applied_.value]); }

void Replica::undo() {
  const Entry& entry = log_[applied_.value - 1];
  if (entry.kind == EntryKind::state) state->undo_entry(view(entry.payload));
  const bool was_boundary = epochs->undone(entry.index, view(entry.payload).size());
  if (was_boundary) snapshots->undone(entry.index, out.trace);
  applied_ = Index(applied_.value - 1);
}

void Replica::commit(Index index) {
  while (committed_ < index) {
    committed_ = committed_.next();
    epochs->committed(committed_);
    if (snapshots->awaits(committed_)) {
      // Of the made-up logs: the configuration is a function of the index.
      snapshots->committed(committed_, encode(configuration_at(committed_)));
    }
  }
  if (!positions_.empty()) state->committed(positions_.at(committed_));
  transfer->set_reached(committed_);
}

void Replica::follow(std::uint64_t index) {
  while (applied_.value < index && !over()) {
    run_ahead();
    commit(applied_);
    settle();
    step();
  }
}

void Replica::settle() {
  store->maintain(now, Stamp(), out.io, out.trace);
  for (const log::SealedName& name : store->take_published()) transfer->published(now, name);
  for (const log::SealedStore::ReadChunk& chunk : store->take_chunks()) {
    check((loading && loading->take(chunk)) || transfer->give(chunk, out), "every read has its reader");
  }
  if (!snapshots) return;
  snapshots->pump(out.io);
  while (const std::optional<Index> next = snapshots->next_entry()) {
    snapshots->supply(log_[next->value - 1], out.io);
    snapshots->pump(out.io);
  }
  if (const std::optional<LogPlace> place = snapshots->take_durable()) durable.push_back(*place);
  if (const auto fetched = transfer->take_snapshot()) to_install = fetched;
}

bool Replica::step() {
  for (IoOp& op : out.io) queue_.push_back(std::move(op));
  out.io.clear();
  if (queue_.empty() || over()) return false;
  const IoOp op = std::move(queue_.front());
  queue_.pop_front();
  ++executed_;
  const log::MemoryDisk::Answer answer = disk_.execute(op);
  store->on_io(op.token, answer.status, answer.bytes, out.io, out.trace);
  settle();
  return true;
}

bool Replica::run() {
  settle();
  while (step()) {
  }
  return !over();
}

std::uint64_t Replica::count(TraceKind kind) const {
  return static_cast<std::uint64_t>(std::count_if(out.trace.begin(), out.trace.end(),
                                                  [kind](const TraceEvent& event) { return event.kind == kind; }));
}

std::vector<log::SealedName> Replica::snapshots_here() const {
  std::vector<log::SealedName> names;
  for (const auto& [name, file] : store->files()) {
    if (name.kind == log::SealedKind::snapshot && !file.partial) names.push_back(name);
  }
  return names;
}

// ---- World ----------------------------------------------------------------------------------------------------------

FileWorld::FileWorld(std::uint32_t replicas, std::uint64_t entries) : log(made_log(entries)), prng(3) {
  for (std::uint32_t node = 1; node <= replicas; ++node) members_.push_back(NodeId(node));
  for (std::uint32_t node = 1; node <= replicas; ++node) check(start(node), "a new replica starts");
}

bool FileWorld::start(std::uint32_t node, std::uint64_t ops_max, log::PowerCut cut) {
  const NodeId id(node);
  replicas_.erase(id);
  disks_[id].power_cut(cut, prng);
  auto replica = std::make_unique<Replica>(id, log, disks_[id], ops_max);
  replica->now = now;
  replica->transfer->set_members(members_);
  if (!replica->start()) return false;
  replicas_.emplace(id, std::move(replica));
  return true;
}

void FileWorld::collect(Replica& replica) {
  for (FileOutput::Message& message : replica.out.messages) {
    if (prng.chance(lost_of_1000)) continue;
    if (prng.chance(changed_of_1000)) {
      message.bytes[prng.below(message.bytes.size())] ^= static_cast<std::byte>(1 + prng.below(255));
    }
    const Flying flying{replica.id, message.to, std::move(message.bytes)};
    flying_.push_back(flying);
    if (prng.chance(repeated_of_1000)) flying_.push_back(flying);
  }
  replica.out.messages.clear();
}

void FileWorld::deliver(const Flying& message) {
  const auto to = replicas_.find(message.to);
  if (to == replicas_.end() || to->second->over()) return;
  std::optional<FilesMessage> files = decode_files(message.bytes);
  if (!files) return;
  if (std::holds_alternative<WantChunk>(files->what)) ++chunks_wanted;
  if (auto* const give = std::get_if<GiveChunk>(&files->what); give && message.from == liar && !give->bytes.empty()) {
    give->bytes.front() ^= std::byte{1};
  }
  to->second->transfer->receive(now, message.from, *files, to->second->out);
}

void FileWorld::run_for(Duration duration) {
  for (const Instant end = now + duration; now < end;) {
    now = now + milliseconds(10);
    std::deque<Flying> arriving;
    arriving.swap(flying_);
    for (const Flying& message : arriving) deliver(message);
    for (auto& [node, replica] : replicas_) {
      if (replica->over()) continue;
      replica->now = now;
      replica->transfer->tick(now, replica->out);
      replica->run();
      if (const auto name = std::exchange(replica->to_install, std::nullopt); name && !replica->over()) {
        if (name->last > replica->applied()) replica->install(*name);
      }
      collect(*replica);
    }
  }
}

}  // namespace coffer::shard::testing
