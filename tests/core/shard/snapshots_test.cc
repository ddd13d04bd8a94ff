#include "core/shard/snapshots.h"

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>
#include <rapidcheck.h>

#include "core/base/check.h"
#include "core/base/prng.h"
#include "tests/core/shard/file_world.h"

namespace coffer::shard {
namespace {

using namespace coffer::shard::testing;
using log::MemoryDisk;
using log::SealedKind;
using log::SealedName;

/// Payload of a published file, as one piece.
Bytes payload_of(const MemoryDisk& disk, const log::SealedHeader& header) {
  const Bytes bytes = disk.contents(log::file_name(header.name));
  const auto first = bytes.begin() + 4096;
  return {first, first + static_cast<std::ptrdiff_t>(header.payload_size)};
}

std::map<std::string, Bytes> sealed_files(const MemoryDisk& disk) {
  std::map<std::string, Bytes> files;
  for (const std::string& name : disk.names()) {
    if (name.starts_with("snapshot-") || name.starts_with("history-")) files[name] = disk.contents(name);
  }
  return files;
}

TEST_CASE("a snapshot is the state at its boundary, a history the entries of its epoch") {
  const std::vector<Entry> log = made_log(120);
  const std::vector<Index> boundaries = boundaries_of(log);
  REQUIRE(boundaries.size() >= 3);
  MemoryDisk disk;
  Replica replica(NodeId(1), log, disk);
  REQUIRE(replica.start());
  replica.follow(log.size());
  REQUIRE(replica.run());
  Index before;
  Hash256 chain;
  for (const Index boundary : boundaries) {
    const auto& snapshot = replica.store->files().at({SealedKind::snapshot, group, boundary});
    REQUIRE(payload_of(disk, snapshot.header) == state_after(log, boundary.value));
    REQUIRE(snapshot.header.meta == encode(configuration_at(boundary)));
    REQUIRE(snapshot.header.last_term == log[boundary.value - 1].term);
    const auto& history = replica.store->files().at({SealedKind::history, group, boundary});
    REQUIRE(history.header.first == before.next());
    for (Index at = before.next(); at <= boundary; at = at.next()) chain = log::chain_head(chain, log[at.value - 1]);
    REQUIRE(history.header.chain_after == chain);
    REQUIRE(snapshot.header.chain_after == chain);
    REQUIRE(snapshot.header.last_position == history.header.last_position);
    before = boundary;
  }
  REQUIRE(replica.snapshots_here().size() == boundaries.size());
  REQUIRE(replica.durable.size() == boundaries.size());
  REQUIRE(replica.durable.back() == LogPlace{boundaries.back(), log[boundaries.back().value - 1].term});
  REQUIRE(replica.count(TraceKind::epoch_passed) == boundaries.size());
  REQUIRE(replica.count(TraceKind::snapshot_published) == boundaries.size());
  REQUIRE(replica.count(TraceKind::history_published) == boundaries.size());
  REQUIRE(replica.snapshots->frozen() == 0);
}

TEST_CASE("property: leaders that run ahead and undo write the same files as followers (design, Snapshots)") {
  const std::vector<Entry> log = made_log(80);
  MemoryDisk plain;
  Replica follower(NodeId(1), log, plain);
  REQUIRE(follower.start());
  follower.follow(log.size());
  REQUIRE(follower.run());
  const auto expected = sealed_files(plain);
  REQUIRE(expected.size() >= 4);
  REQUIRE(rc::check("property: equal files", [&](std::uint64_t seed) {
    Prng prng(seed);
    MemoryDisk disk;
    Replica leader(NodeId(2), log, disk);
    RC_ASSERT(leader.start());
    Index committed;
    while (committed.value < log.size()) {
      const std::uint64_t ahead = leader.applied().value - committed.value;
      if (leader.applied().value < log.size() && ahead < 12 && prng.chance(600)) {
        leader.run_ahead();
      } else if (prng.chance(400)) {
        for (std::uint64_t left = prng.below(ahead + 1); left > 0; --left) leader.undo();
      } else {
        committed = Index(committed.value + prng.below(leader.applied().value - committed.value + 1));
        leader.commit(committed);
      }
      for (std::uint64_t steps = prng.below(6); steps > 0; --steps) leader.step();
      leader.settle();
    }
    RC_ASSERT(leader.run());
    const auto files = sealed_files(disk);
    // A disk slower than the epochs may have cost snapshots, never histories.
    for (const auto& [name, bytes] : expected) {
      const auto found = files.find(name);
      if (found != files.end()) RC_ASSERT(found->second == bytes);
      RC_ASSERT(found != files.end() || name.starts_with("snapshot-"));
    }
    RC_ASSERT(leader.count(TraceKind::epoch_passed) ==
              leader.count(TraceKind::epoch_dropped) + boundaries_of(log).size());
  }));
}

TEST_CASE("a crash at every operation of writing leaves whole files or none, and the next life completes them") {
  const std::vector<Entry> log = made_log(60);
  MemoryDisk plain;
  Replica whole(NodeId(1), log, plain);
  REQUIRE(whole.start());
  whole.follow(log.size());
  REQUIRE(whole.run());
  const auto expected = sealed_files(plain);
  REQUIRE(expected.size() >= 4);
  Prng prng(11);
  for (std::uint64_t ops = 0; ops < whole.executed(); ++ops) {
    for (const log::PowerCut cut : {log::PowerCut::loses_all, log::PowerCut::keeps_all, log::PowerCut::tears}) {
      CAPTURE(ops, static_cast<int>(cut));
      MemoryDisk disk;
      {
        Replica first(NodeId(1), log, disk, ops);
        if (first.start()) {
          first.follow(log.size());
          first.run();
        }
        // Told durable: survives.
        disk.power_cut(cut, prng);
        for (const LogPlace& place : first.durable) {
          REQUIRE(disk.exists(log::file_name({SealedKind::snapshot, group, place.index})));
          REQUIRE(disk.exists(log::file_name({SealedKind::history, group, place.index})));
        }
      }
      Replica second(NodeId(1), log, disk);
      REQUIRE(second.start());
      Bytes state;
      second.state->export_state(state);
      REQUIRE(state == state_after(log, second.applied().value));
      second.follow(log.size());
      REQUIRE(second.run());
      REQUIRE(sealed_files(disk) == expected);
    }
  }
}

TEST_CASE("a disk that stands still costs snapshots, not memory and no history") {
  const std::vector<Entry> log = made_log(200);
  const std::vector<Index> boundaries = boundaries_of(log);
  REQUIRE(boundaries.size() > Snapshots::frozen_max + 1);
  MemoryDisk disk;
  Replica replica(NodeId(1), log, disk);
  REQUIRE(replica.start());
  while (replica.applied().value < log.size()) {
    replica.run_ahead();
    replica.commit(replica.applied());
  }
  REQUIRE(replica.snapshots->frozen() == Snapshots::frozen_max);
  REQUIRE(replica.run());
  REQUIRE(replica.store->history_end(group) == boundaries.back());
  REQUIRE(replica.snapshots_here().size() == Snapshots::frozen_max);
  REQUIRE(replica.durable.back().index == boundaries.back());
}

TEST_CASE("a snapshot is removed only after a mark on a newer one, and never one of the two newest sound ones") {
  const std::vector<Entry> log = made_log(200);
  const std::vector<Index> boundaries = boundaries_of(log);
  REQUIRE(boundaries.size() >= 4);
  MemoryDisk disk;
  Replica replica(NodeId(1), log, disk);
  REQUIRE(replica.start());
  replica.follow(log.size());
  REQUIRE(replica.run());
  const std::size_t all = boundaries.size();
  REQUIRE(replica.snapshots_here().size() == all);
  replica.snapshots->mark_durable(boundaries[1], {}, replica.out.io);
  REQUIRE(replica.run());
  REQUIRE(replica.snapshots_here().size() == all - 1);  // only the one before the mark
  replica.snapshots->mark_durable(boundaries.back(), {boundaries[1]}, replica.out.io);
  REQUIRE(replica.run());
  REQUIRE(replica.snapshots_here().size() == 3);  // the two newest, and one a peer is fetching
  replica.snapshots->mark_durable(boundaries.back(), {}, replica.out.io);
  REQUIRE(replica.run());
  REQUIRE(replica.snapshots_here().size() == 2);
  REQUIRE(replica.store->history_end(group) == boundaries.back());
}

TEST_CASE("a damaged snapshot does not count as one of the two kept") {
  const std::vector<Entry> log = made_log(200);
  const std::vector<Index> boundaries = boundaries_of(log);
  MemoryDisk disk;
  {
    Replica replica(NodeId(1), log, disk);
    REQUIRE(replica.start());
    replica.follow(log.size());
    REQUIRE(replica.run());
  }
  disk.flip_bit(log::file_name({SealedKind::snapshot, group, boundaries.back()}), 4096 + 100, 0);
  Replica replica(NodeId(1), log, disk);
  REQUIRE(replica.start());
  REQUIRE(replica.applied() == boundaries[boundaries.size() - 2]);  // the newest sound one
  replica.snapshots->mark_durable(boundaries.back(), {}, replica.out.io);
  REQUIRE(replica.run());
  REQUIRE(replica.snapshots_here().size() == 3);
}

TEST_CASE("a boundary undone is dropped, and another entry in its place makes its own") {
  const std::vector<Entry> log = made_log(60);
  const Index boundary = boundaries_of(log).front();
  MemoryDisk disk;
  Replica replica(NodeId(1), log, disk);
  REQUIRE(replica.start());
  while (replica.applied() < boundary) replica.run_ahead();
  REQUIRE(replica.snapshots->awaits(boundary));
  REQUIRE(replica.snapshots->frozen() == 1);
  replica.undo();
  REQUIRE_FALSE(replica.snapshots->awaits(boundary));
  REQUIRE(replica.snapshots->frozen() == 0);
  REQUIRE(replica.count(TraceKind::epoch_dropped) == 1);
  REQUIRE(replica.run());
  REQUIRE(sealed_files(disk).empty());
  REQUIRE_THROWS_AS(replica.snapshots->committed(boundary, {}), CheckFailure);
}

}  // namespace
}  // namespace coffer::shard
