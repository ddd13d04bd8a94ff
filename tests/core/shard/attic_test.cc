// The attic of one replica on a disk in memory: runs are written at the ends of epochs, opened, and asked; what is
// damaged or missing is never answered from, and is made again from history, byte for byte (decision 12, section 3, G3
// to G8).
#include "core/shard/attic.h"

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "core/shard/attic_rebuild.h"
#include "core/shard/epoch.h"
#include "core/shard/snapshots.h"
#include "tests/core/log/memory_disk.h"
#include "tests/core/shard/file_world.h"
#include "tests/core/txn/leader.h"

namespace {

using namespace coffer;
using namespace coffer::shard;
using coffer::shard::testing::file_cluster;
using coffer::shard::testing::group;
using coffer::txn::testing::deposit_of;
using coffer::txn::testing::id_of;
using coffer::txn::testing::slots_of;
using coffer::txn::testing::usd;

constexpr std::uint64_t epoch_size = 3000;
constexpr std::uint32_t chunk_bytes = 512;
constexpr std::uint64_t ids = 150;

/// Deposits with ids from 1 to `ids`, of which few stay in memory.
std::vector<Entry> made_log() {
  std::vector<Entry> log;
  txn::StateMachine state(group);
  const auto add = [&](auto&& work) {
    txn::IdRules rules;
    rules.rows_in_memory = 4;
    txn::Batch batch(state, Stamp{state.last_stamp().nanos + 10}, ledger::Protocol::saga, rules);
    batch.let_rows_leave();
    work(batch);
    const Index index(log.size() + 1);
    log.push_back({index, Term(1), std::make_shared<const Bytes>(batch.finish()), EntryKind::state});
  };
  add([](txn::Batch& batch) { batch.found(group, slots_of(1, 1)); });
  add([](txn::Batch& batch) {
    bool already = false;
    (void)batch.open_account({default_tenant, PrincipalId(), "alice", usd}, already);
  });
  for (std::uint64_t id = 1; id <= ids; ++id) {
    add([id](txn::Batch& batch) { (void)batch.transfer(deposit_of(id, "alice", 1)); });
  }
  return log;
}

log::SealedStore::Limits limits_of() {
  log::SealedStore::Limits limits;
  limits.chunk_size = chunk_bytes;
  limits.scrub_interval = seconds(1000);
  return limits;
}

/// One life of a replica's attic: the store recovers; then entries may be folded, and ids asked.
struct Life {
  explicit Life(log::MemoryDisk& disk_of) : disk(disk_of), store(file_cluster(), limits_of(), positions_in) {
    store.start(io);
    run();
    REQUIRE(store.recovered());
  }

  /// Folds and commits all of it, writing histories, runs and snapshots.
  void fold(const std::vector<Entry>& entries) {
    log = &entries;
    snapshots.emplace(Snapshots::Config{group, file_cluster(), chunk_bytes}, store, nullptr);
    EpochCounter epochs(epoch_size, Index(), 0);
    for (const Entry& entry : entries) {
      state.apply_entry(view(entry.payload));
      state.committed(state.last_position());
      const auto left = state.has_attic() ? std::optional(state.rows_left()) : std::nullopt;
      if (epochs.passed(entry.index, view(entry.payload).size(), state.size_estimate())) {
        snapshots->passed({entry.index, entry.term}, state.freeze(), left, trace);
        snapshots->committed(entry.index, encode(coffer::shard::testing::configuration_at(entry.index)));
      }
      epochs.committed(entry.index);
      run();
      state.let_go(attic.held());
    }
  }
  void settle() {
    now = now + milliseconds(1);
    store.maintain(now, Stamp(), io, trace);
    for (const log::SealedName& name : store.take_published()) {
      if (name.kind == log::SealedKind::attic) attic.published();
    }
    for (const log::SealedStore::ReadChunk& chunk : store.take_chunks()) {
      if (!attic.take(chunk, trace)) REQUIRE((rebuild && rebuild->take(chunk)));
    }
    if (snapshots) {
      snapshots->pump(io);
      while (const std::optional<Index> next = snapshots->next_entry()) {
        snapshots->supply((*log)[next->value - 1], io);
        snapshots->pump(io);
      }
      while (snapshots->wants_rows()) snapshots->supply_rows(state, io);
      snapshots->pump(io);
    }
    if (store.recovered()) attic.step(io);
    if (rebuild) rebuild->step(io, trace);
  }
  void run() {
    for (;;) {
      settle();
      for (IoOp& op : io) queue.push_back(std::move(op));
      io.clear();
      if (queue.empty()) return;
      const IoOp op = std::move(queue.front());
      queue.pop_front();
      const log::MemoryDisk::Answer answer = disk.execute(op);
      store.on_io(op.token, answer.status, answer.bytes, io, trace);
    }
  }
  void make_again() {
    rebuild.emplace(AtticRebuild::Config{group, file_cluster(), chunk_bytes}, store, ++rebuilds);
    for (int step = 0; step < 10'000 && !rebuild->ended(); ++step) run();
    REQUIRE(rebuild->ended());
    rebuild.reset();
    run();
  }
  /// What the attic says of the id: nothing yet, or the rows.
  std::optional<std::vector<txn::LeftRow>> ask(const TransferId& id) {
    std::uint64_t chunks = 0;
    const std::optional<Attic::Search> search = attic.seek({Attic::Sought{id}}, chunks);
    if (!search) return std::vector<txn::LeftRow>();
    run();
    return found(*search);
  }
  std::optional<std::vector<txn::LeftRow>> found(Attic::Search search) {
    for (Attic::Found& one : attic.take_found()) {
      if (one.search == search) return std::move(one.rows);
    }
    return std::nullopt;
  }
  std::vector<std::string> runs() const {
    std::vector<std::string> names;
    for (const std::string& name : disk.names()) {
      if (name.starts_with("attic-")) names.push_back(name);
    }
    return names;
  }

  log::MemoryDisk& disk;
  log::SealedStore store;
  Attic attic{group, store};
  txn::StateMachine state{group};
  std::optional<Snapshots> snapshots;
  std::optional<AtticRebuild> rebuild;
  std::uint64_t rebuilds = 0;
  const std::vector<Entry>* log = nullptr;
  std::vector<IoOp> io;
  std::deque<IoOp> queue;
  std::vector<TraceEvent> trace;
  Instant now;
};

/// Every id whose row is in a run is found there, once, as it was bound; no other is.
void require_complete(Life& life) {
  std::uint64_t held = 0;
  for (std::uint64_t id = 1; id <= ids + 50; ++id) {
    const auto rows = life.ask(id_of(id));
    REQUIRE(rows.has_value());
    if (rows->empty()) continue;
    REQUIRE(rows->size() == 1);
    REQUIRE(rows->front().row.id == id_of(id));
    REQUIRE(rows->front().row.outcome == Outcome::success);
    ++held;
  }
  REQUIRE(held == life.attic.held());
}

}  // namespace

TEST_CASE("each epoch's run holds the rows that left in it, and what they were can be asked (G3 to G6)") {
  const std::vector<Entry> log = made_log();
  log::MemoryDisk disk;
  Life life(disk);
  life.fold(log);
  REQUIRE(life.runs().size() > 2);
  REQUIRE(life.attic.held() > 50);
  REQUIRE(life.state.rows_in_memory_from() == life.attic.held());
  require_complete(life);

  SECTION("after a restart they are opened again") {
    Life again(disk);
    REQUIRE(again.attic.held() == life.attic.held());
    require_complete(again);
  }
  SECTION("a run that is missing makes a gap, behind which nothing counts as held") {
    disk.remove(life.runs()[1]);
    Life again(disk);
    REQUIRE(again.attic.held() < life.attic.held());
    const std::optional<AtticGap> gap = again.attic.gap(life.attic.held());
    REQUIRE(gap.has_value());
    REQUIRE(gap->place == again.attic.held());
    REQUIRE_FALSE(again.attic.gap(again.attic.held()).has_value());
  }
}

TEST_CASE("what is damaged or missing of the attic is made again from history, the same bytes (G8)") {
  const std::vector<Entry> log = made_log();
  log::MemoryDisk disk;
  std::vector<std::string> names;
  std::vector<Bytes> before;
  std::uint64_t held = 0;
  std::uint64_t tail_at = 0;  // of the second run
  {
    Life life(disk);
    life.fold(log);
    names = life.runs();
    for (const auto& [name, file] : life.store.files()) {
      if (log::file_name(name) == names.at(1)) {
        tail_at = log::chunk_offset(file.header, run_head_of(file.header)->row_chunks);
      }
    }
    for (const std::string& name : names) before.push_back(disk.contents(name));
    held = life.attic.held();
  }
  const auto require_as_before = [&] {
    for (std::size_t i = 0; i < names.size(); ++i) REQUIRE(disk.contents(names[i]) == before[i]);
  };
  SECTION("all of them missing") {
    for (const std::string& name : names) disk.remove(name);
    Life life(disk);
    REQUIRE(life.attic.held() == 0);
    life.make_again();
    REQUIRE(life.attic.held() == held);
    require_complete(life);
    require_as_before();
  }
  SECTION("a bit of the tail: the run stays closed until it is whole again") {
    disk.flip_bit(names[1], tail_at, 1);
    Life life(disk);
    REQUIRE(life.attic.held() < held);
    life.make_again();
    REQUIRE(life.attic.held() == held);
    require_complete(life);
    require_as_before();
  }
  SECTION("a bit of a row: who asks waits, and is then told what was bound") {
    Life life(disk);
    REQUIRE(life.attic.held() == held);
    disk.flip_bit(names[0], 4096 + 20, 5);
    std::vector<Attic::Search> searches;
    for (std::uint64_t id = 1; id <= ids; ++id) {
      std::uint64_t chunks = 0;
      const std::optional<Attic::Search> search = life.attic.seek({Attic::Sought{id_of(id)}}, chunks);
      life.run();
      if (search && !life.found(*search)) searches.push_back(*search);
    }
    REQUIRE_FALSE(searches.empty());
    REQUIRE(life.attic.is_damaged());
    life.make_again();
    std::size_t told = 0;
    for (const Attic::Found& found : life.attic.take_found()) told += found.rows.size();
    REQUIRE(told >= 1);
    REQUIRE_FALSE(life.attic.is_damaged());
    require_complete(life);
    require_as_before();
  }
}
