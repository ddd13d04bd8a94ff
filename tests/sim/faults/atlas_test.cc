#include "sim/faults/atlas.h"

#include <memory>

#include <catch2/catch.hpp>

#include "tests/sim/oracles/shown_disk.h"

namespace coffer::sim::faults {
namespace {

constexpr std::uint64_t block = 4096;
const ShardId s1(1);

Bytes payload_of(std::uint64_t index) { return Bytes(40, static_cast<std::byte>(index)); }

/// Nodes whose disks hold the stream in the product's own format.
struct Site {
  explicit Site(std::uint32_t nodes, bool fair = true, std::uint32_t spares = 0)
      : cluster(kernel, config_of(nodes, spares), 1), atlas(cluster, fair, true) {
    for (std::uint32_t n = 1; n <= nodes; ++n) {
      shown.emplace_back(NodeId(n));
      shown.back().write_ballot(s1, 1, NodeId(1));
      save(NodeId(n));
    }
  }
  static ClusterConfig config_of(std::uint32_t nodes, std::uint32_t spares = 0) {
    ClusterConfig config;
    config.nodes = nodes;
    config.spares = spares;
    return config;
  }
  Disk& disk(std::uint32_t n) { return cluster.machine(NodeId(n)).disk(); }
  /// What ShownDisk holds becomes durable.
  void save(NodeId node) {
    for (const auto& [name, bytes] : shown[node.value - 1].files()) {
      IoOp write{IoKind::write, IoToken(1), name};
      write.bytes = std::make_shared<const Bytes>(bytes);
      disk(node.value).execute(write);
      disk(node.value).execute({IoKind::sync, IoToken(1), name});
    }
    disk(node.value).execute({IoKind::sync_dir, IoToken(1), ""});
  }
  void store(std::uint32_t n, std::uint64_t index) {
    shown[n - 1].append(s1, index, 1, payload_of(index));
    shown[n - 1].write_frame();
    save(NodeId(n));
  }
  void commit(std::uint64_t index) {
    atlas.on_committed(s1, Index(index), Term(1), EntryKind::state, payload_of(index));
  }
  /// Entries 1 and 2 are on these, and have committed.
  void two_entries_on(const std::vector<std::uint32_t>& nodes) {
    for (const std::uint64_t index : {1u, 2u}) {
      for (const std::uint32_t n : nodes) store(n, index);
      commit(index);
    }
  }
  void damage_stream(std::uint32_t n, std::uint64_t strike) {
    disk(n).damage("stream-000001", block + 70, Bytes(1, std::byte{0xEE}), strike);
    REQUIRE(atlas.struck(strike, NodeId(n)));
  }

  Kernel kernel;
  Cluster cluster;
  Atlas atlas;
  std::vector<oracles::ShownDisk> shown;
};

TEST_CASE("copies are read from the disk itself, up to the first damage") {
  Site site(3);
  site.two_entries_on({1});
  const std::vector<Mark> committed = {{Term(1), hash128(payload_of(1))}, {Term(1), hash128(payload_of(2))}};
  const auto whole = [&] { return whole_up_to(copies_on(site.disk(1)).logs[s1], committed); };
  REQUIRE(copies_on(site.disk(1)).both_hard_states);
  REQUIRE(whole() == Index(2));
  site.disk(1).damage("stream-000001", 2 * block + 70, Bytes(1, std::byte{0xEE}), 1);
  REQUIRE(whole() == Index(1));
  site.disk(1).damage("hard-state", block + 20, Bytes(1, std::byte{0xEE}), 1);
  REQUIRE_FALSE(copies_on(site.disk(1)).both_hard_states);
  site.shown[0].cut(s1, 1);
  site.shown[0].write_frame();
  site.save(NodeId(1));
  REQUIRE(whole() == Index(0));
  REQUIRE(whole_up_to({}, committed) == Index(0));
}

TEST_CASE("a second of three disks is not damaged before the first is repaired") {
  Site site(3);
  site.two_entries_on({1, 2, 3});
  REQUIRE(site.atlas.permits(1, NodeId(1), {Part::stream}));
  site.damage_stream(1, 1);
  REQUIRE(site.atlas.damaged(NodeId(1)));
  REQUIRE_FALSE(site.atlas.permits(2, NodeId(2), {Part::stream}));
  REQUIRE(site.atlas.withheld() == 1);
  site.save(NodeId(1));
  REQUIRE_FALSE(site.atlas.damaged(NodeId(1)));
  REQUIRE(site.atlas.permits(3, NodeId(2), {Part::stream}));
  REQUIRE(site.atlas.withheld() == 1);
  REQUIRE_FALSE(site.atlas.broken());
}

TEST_CASE("a disk whose damage is set aside is repaired when its log holds again what was committed") {
  Site site(3);
  site.two_entries_on({1, 2, 3});
  REQUIRE(site.atlas.permits(1, NodeId(1), {Part::stream}));
  site.damage_stream(1, 1);
  site.commit(3);  // later than the damage: nothing of the repair
  site.disk(1).execute({IoKind::rename, IoToken(1), "stream-000001", "damaged-000001"});
  site.disk(1).execute({IoKind::sync_dir, IoToken(1), ""});
  REQUIRE(site.atlas.damaged(NodeId(1)));
  site.save(NodeId(1));
  REQUIRE_FALSE(site.atlas.damaged(NodeId(1)));
}

TEST_CASE("of five disks two may be damaged at a time") {
  Site site(5);
  site.two_entries_on({1, 2, 3, 4, 5});
  REQUIRE(site.atlas.permits(1, NodeId(1), {Part::stream}));
  site.damage_stream(1, 1);
  REQUIRE(site.atlas.permits(2, NodeId(4), {Part::sealed}));
  REQUIRE_FALSE(site.atlas.permits(3, NodeId(5), {Part::stream}));
}

TEST_CASE("where there are spares one may be damaged at a time: an operator may make a group of any three") {
  for (const std::uint32_t spares : {0u, 2u}) {
    Site site(7, true, spares);
    site.two_entries_on({1, 2, 3, 4, 5});
    REQUIRE(site.atlas.permits(1, NodeId(1), {Part::stream}));
    site.damage_stream(1, 1);
    REQUIRE(site.atlas.permits(2, NodeId(2), {Part::stream}) == (spares == 0));
  }
}

TEST_CASE("the last whole copy of a committed entry is not damaged, wherever it should be") {
  Site site(3);
  site.two_entries_on({1, 2, 3});
  site.store(2, 3);
  site.commit(3);
  REQUIRE_FALSE(site.atlas.permits(1, NodeId(2), {Part::stream}));
  REQUIRE(site.atlas.permits(2, NodeId(1), {Part::stream}));
}

TEST_CASE("what never comes back is as good as damaged") {
  Site site(3);
  site.two_entries_on({1, 2, 3});
  site.atlas.gone(NodeId(3));
  REQUIRE_FALSE(site.atlas.permits(1, NodeId(1), {Part::stream}));
}

TEST_CASE("the same part of the same disk is not damaged twice") {
  Site site(5);
  site.two_entries_on({1, 2, 3, 4, 5});
  REQUIRE(site.atlas.permits(1, NodeId(1), {Part::stream}));
  REQUIRE_FALSE(site.atlas.permits(2, NodeId(1), {Part::stream}));
  REQUIRE(site.atlas.permits(3, NodeId(1), {Part::sealed}));
}

TEST_CASE("one of two hard states may be damaged, until both are whole again; no write to the other is torn") {
  Site site(3);
  site.two_entries_on({1, 2, 3});
  REQUIRE(site.atlas.untorn(NodeId(1)).empty());
  REQUIRE(site.atlas.permits(1, NodeId(1), {Part::hard_state}));
  site.disk(1).damage("hard-state", 20, Bytes(1, std::byte{0xEE}), 1);
  site.atlas.struck(1, NodeId(1));
  REQUIRE(site.atlas.untorn(NodeId(1)) == "hard-state");
  REQUIRE_FALSE(site.atlas.permits(2, NodeId(1), {Part::hard_state}));
  REQUIRE(site.atlas.permits(3, NodeId(2), {Part::hard_state}));
  REQUIRE(site.atlas.permits(4, NodeId(3), {Part::stream}));
  site.save(NodeId(1));
  REQUIRE_FALSE(site.atlas.damaged(NodeId(1)));
  REQUIRE(site.atlas.untorn(NodeId(1)).empty());
}

TEST_CASE("a hard state one of whose copies is torn already is left alone") {
  Site site(3);
  site.disk(1).damage("hard-state", 20, Bytes(1, std::byte{0xEE}), 1);  // by a crash, not by a strike
  REQUIRE_FALSE(site.atlas.permits(1, NodeId(1), {Part::hard_state}));
}

TEST_CASE("what is rebuilt from the rest may be damaged at any time") {
  Site site(3);
  site.two_entries_on({2});
  for (const char* file : {"index-s1", "manifest", "anything"}) REQUIRE(part_of(file) == Part::derived);
  for (std::uint32_t n = 1; n <= 3; ++n) REQUIRE(site.atlas.permits(n, NodeId(n), {Part::derived}));
  REQUIRE(part_of("stream-000007") == Part::stream);
  REQUIRE(part_of("hard-state") == Part::hard_state);
  for (const char* file : {"history-000001-1", "snapshot-000001-1", "archive-000001-1"}) {
    REQUIRE(part_of(file) == Part::sealed);
  }
}

TEST_CASE("damage that lies in wait counts, until its time is over") {
  Site site(3);
  site.two_entries_on({1, 2, 3});
  REQUIRE(site.atlas.permits(1, NodeId(1), {Part::stream}));
  REQUIRE_FALSE(site.atlas.permits(2, NodeId(2), {Part::stream}));
  site.atlas.over(1);
  REQUIRE(site.atlas.permits(3, NodeId(2), {Part::stream}));
  site.damage_stream(2, 3);
  site.atlas.over(3);
  REQUIRE_FALSE(site.atlas.permits(4, NodeId(1), {Part::stream}));
  REQUIRE_FALSE(site.atlas.struck(99, NodeId(1)));
}

TEST_CASE("while a disk is lost for good, those who are certain must stay a quorum (docs/decisions/0005)") {
  const std::uint32_t nodes = GENERATE(3, 5);
  Kernel kernel;
  Cluster cluster(kernel, Site::config_of(nodes), 1);
  Atlas atlas(cluster, true, true);
  cluster.boot_all();
  const auto all_ready = [&] {
    for (std::uint32_t n = 1; n <= nodes; ++n) {
      if (cluster.machine(NodeId(n)).life() == Life::up && !cluster.machine(NodeId(n)).node().ready()) return false;
    }
    return true;
  };
  while (!all_ready()) cluster.dispatch(*kernel.take());
  REQUIRE(atlas.permits_crash(1, {NodeId(1), NodeId(2), NodeId(3)}));
  SECTION("nobody is emptied while others may come back uncertain") {
    REQUIRE_FALSE(atlas.permits_emptying(2, NodeId(3)));
    atlas.over(1);
    cluster.crash(NodeId(1), CrashKind::process, {});
    REQUIRE(atlas.permits_emptying(2, NodeId(3)) == (nodes == 5));
    REQUIRE(atlas.withheld() == (nodes == 5 ? 1 : 2));
  }
  SECTION("nobody crashes when those who stay are too few") {
    atlas.over(1);
    REQUIRE(atlas.permits_emptying(2, NodeId(3)));
    cluster.crash_and_empty(NodeId(3));
    REQUIRE(atlas.permits_crash(4, {NodeId(1)}) == (nodes == 5));
    REQUIRE_FALSE(atlas.permits_crash(5, {NodeId(2)}));
    atlas.over(4);
    REQUIRE(atlas.permits(6, NodeId(2), {Part::derived}, true) == (nodes == 5));
    REQUIRE(atlas.permits(7, NodeId(2), {Part::derived}));
  }
}

TEST_CASE("who was told wrong is harmed until the strike is over and it serves again") {
  Kernel kernel;
  Cluster cluster(kernel, Site::config_of(3), 1);
  Atlas atlas(cluster, true, true);
  cluster.boot_all();
  const auto wait_for = [&](NodeId node) {
    while (!cluster.machine(node).node().ready()) cluster.dispatch(*kernel.take());
  };
  for (std::uint32_t n = 1; n <= 3; ++n) wait_for(NodeId(n));
  REQUIRE(atlas.permits(1, NodeId(1), {Part::sealed}));
  REQUIRE(atlas.struck(1, NodeId(1)));  // no scar on its disk
  REQUIRE(atlas.damaged(NodeId(1)));
  cluster.crash(NodeId(1), CrashKind::process, {});
  atlas.over(1);
  REQUIRE(atlas.damaged(NodeId(1)));
  cluster.restart(NodeId(1));
  REQUIRE_FALSE(atlas.permits(2, NodeId(2), {Part::stream}));
  wait_for(NodeId(1));
  REQUIRE_FALSE(atlas.damaged(NodeId(1)));
  REQUIRE(atlas.permits(3, NodeId(2), {Part::stream}));
}

TEST_CASE("what a log stands on is a copy only while a whole snapshot holds it") {
  Site site(3);
  site.two_entries_on({1});
  site.shown[0].restore(s1, 2, 1, true);
  site.shown[0].write_frame();
  site.save(NodeId(1));
  const std::vector<Mark> committed = {{Term(1), hash128(payload_of(1))}, {Term(1), hash128(payload_of(2))}};
  const auto whole = [&] { return whole_up_to(copies_on(site.disk(1)).logs[s1], committed); };
  REQUIRE(whole() == Index(0));
  oracles::SealedDraft draft;
  draft.shard = s1;
  draft.first = draft.last = 2;
  draft.payload = Bytes(250, std::byte{3});
  site.shown[0].files()[draft.file()] = draft.bytes();
  site.save(NodeId(1));
  REQUIRE(whole() == Index(2));
  site.disk(1).damage(draft.file(), block + 100, Bytes(1, std::byte{0xEE}), 1);
  REQUIRE(whole() == Index(0));
}

TEST_CASE("members are those of the configuration that has committed last") {
  Site site(5);
  site.two_entries_on({1, 2, 3, 4, 5});
  const Bytes three = {std::byte{3}, std::byte{1}, {}, {}, {}, std::byte{2}, {}, {},
                       {},           std::byte{3}, {}, {}, {}, {},           {}};
  REQUIRE(site.atlas.permits(1, NodeId(1), {Part::stream}));
  for (std::uint32_t n = 1; n <= 5; ++n) {
    site.shown[n - 1].append(s1, 3, 1, three, EntryKind::configuration);
    site.shown[n - 1].write_frame();
    site.save(NodeId(n));
  }
  const bool commits = GENERATE(true, false);
  const EntryKind kind = commits ? EntryKind::configuration : EntryKind::state;
  site.atlas.on_committed(s1, Index(3), Term(1), kind, three);
  REQUIRE(site.atlas.permits(2, NodeId(2), {Part::stream}) != commits);
}

TEST_CASE("a sealed file is repaired when no scar is left on it, whatever the log holds") {
  Site site(3);
  site.two_entries_on({1, 2, 3});
  IoOp write{IoKind::write, IoToken(1), "snapshot-000001-1"};
  write.bytes = std::make_shared<const Bytes>(Bytes(100, std::byte{7}));
  site.disk(1).execute(write);
  site.disk(1).execute({IoKind::sync, IoToken(1), "snapshot-000001-1"});
  site.disk(1).execute({IoKind::sync_dir, IoToken(1), ""});
  REQUIRE(site.atlas.permits(1, NodeId(1), {Part::sealed}));
  site.disk(1).damage("snapshot-000001-1", 10, Bytes(1, std::byte{0xEE}), 1);
  REQUIRE(site.atlas.struck(1, NodeId(1)));
  site.commit(3);  // on nobody's disk yet
  REQUIRE(site.atlas.damaged(NodeId(1)));
  site.disk(1).execute({IoKind::remove, IoToken(1), "snapshot-000001-1"});
  site.disk(1).execute({IoKind::sync_dir, IoToken(1), ""});
  REQUIRE_FALSE(site.atlas.damaged(NodeId(1)));
}

TEST_CASE("an unfair scenario may damage everything, and the atlas knows that it was broken") {
  Site site(3, false);
  site.two_entries_on({1, 2, 3});
  REQUIRE(site.atlas.permits(1, NodeId(1), {Part::stream}));
  REQUIRE_FALSE(site.atlas.broken());
  REQUIRE(site.atlas.permits(2, NodeId(2), {Part::stream}));
  REQUIRE(site.atlas.broken());
  REQUIRE(site.atlas.withheld() == 0);
}

}  // namespace
}  // namespace coffer::sim::faults
