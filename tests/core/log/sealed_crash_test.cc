// Crashes at every operation: of writing, sealing, fetching, resuming, repairing, archiving, removing, and of the
// derived files. After each a file is there whole or not at all, and the next life ends where an undisturbed one does.
#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <rapidcheck.h>

#include "core/log/history_index.h"
#include "core/log/manifest.h"
#include "tests/core/log/life.h"
#include "tests/core/log/store_life.h"

namespace coffer::log {
namespace {

constexpr PowerCut power_cuts[] = {PowerCut::loses_all, PowerCut::keeps_all, PowerCut::keeps_names_only,
                                   PowerCut::tears};

using Directory = std::map<std::string, Bytes>;
Directory directory_of(const MemoryDisk& disk) {
  Directory directory;
  for (const std::string& name : disk.names()) directory[name] = disk.contents(name);
  return directory;
}

/// What a node goes through, as often as it must: every action is done when it is done already.
struct Script {
  std::vector<SealedContent> written = {};
  std::vector<SealedContent> fetched = {};
  std::vector<SealedContent> repaired = {};  ///< damaged before it begins
  std::vector<SealedName> removed = {};
  SealedStore::Limits limits = test_limits();

  /// Names and what they may hold once published.
  std::map<SealedName, Bytes> contents() const {
    std::map<SealedName, Bytes> all;
    for (const auto* contents : {&written, &fetched, &repaired}) {
      for (const SealedContent& content : *contents) all[content.header.name] = file_bytes(content);
    }
    return all;
  }
  bool is_removed(const SealedName& name) const {
    return std::find(removed.begin(), removed.end(), name) != removed.end();
  }
};

/// What the lives so far have told to be durable.
struct Told {
  std::set<SealedName> published;
  std::set<SealedName> removed;
};

/// False when the life is over.
bool live(StoreLife& life, const Script& script, Told& told) {
  const auto tell = [&life, &told] {
    told.published.insert(life.found.begin(), life.found.end());
    told.published.insert(life.published.begin(), life.published.end());
  };
  bool done = life.run();
  for (std::size_t i = 0; done && i < std::max(script.written.size(), script.fetched.size()); ++i) {
    const auto wanted = [&](const std::vector<SealedContent>& contents) {
      return i < contents.size() && !told.removed.contains(contents[i].header.name) &&
             !(script.is_removed(contents[i].header.name) &&
               life.store.newest(SealedKind::snapshot, contents[i].header.name.group) > contents[i].header.name);
    };
    if (wanted(script.written)) done = life.write(script.written[i]);
    if (done && wanted(script.fetched)) done = life.fetch(script.fetched[i], i % 2 == 1);
  }
  for (std::size_t i = 0; done && i < script.repaired.size(); ++i) done = life.repair(script.repaired[i]);
  for (std::size_t i = 0; done && i < script.removed.size(); ++i) {
    tell();
    done = life.remove(script.removed[i]);
    if (done) told.removed.insert(script.removed[i]);
  }
  done = done && life.run();
  tell();
  if (life.store.failed()) FAIL("failed: " << life.store.failure());
  return done;
}

/// Every published name holds what it must: never a part of a file, whatever happened.
void check_visible(const MemoryDisk& disk, const Script& script, const Told& told) {
  const std::map<SealedName, Bytes> contents = script.contents();
  std::set<SealedName> visible;
  for (const std::string& name : disk.names()) {
    const auto found = parse_file_name(name);
    if (!found || (found->role != FileRole::published && found->role != FileRole::archived)) continue;
    visible.insert(found->name);
    const bool repairing =
        std::any_of(script.repaired.begin(), script.repaired.end(),
                    [&found](const SealedContent& content) { return content.header.name == found->name; });
    if ((!repairing || told.published.contains(found->name)) && disk.contents(name) != contents.at(found->name))
      FAIL("a partial file is visible: " << name);
  }
  for (const SealedName& name : told.published) {
    if (!visible.contains(name) && !script.is_removed(name)) FAIL("a published file is gone: " << file_name(name));
  }
  for (const SealedName& name : told.removed) {
    if (visible.contains(name)) FAIL("a removed file is back: " << file_name(name));
  }
}

/// The disk before the script: what is to be repaired, with a bit flipped in two chunks.
MemoryDisk prepared(const Script& script) {
  MemoryDisk disk;
  StoreLife life(disk);
  for (const SealedContent& content : script.repaired) REQUIRE(life.write(content));
  for (const SealedContent& content : script.repaired) {
    const std::string file = file_name(content.header.name);
    disk.flip_bit(file, chunk_offset(content.header, 0) + 3, 1);
    disk.flip_bit(file, chunk_offset(content.header, 2) + 3, 1);
  }
  return disk;
}

/// Where an undisturbed life ends, and after how many operations.
std::pair<Directory, std::uint64_t> undisturbed(const Script& script) {
  MemoryDisk disk = prepared(script);
  StoreLife life(disk, UINT64_MAX, script.limits);
  Told told;
  REQUIRE(live(life, script, told));
  check_visible(disk, script, told);
  return {directory_of(disk), life.executed()};
}

/// One more life, undisturbed, ends where it should.
void check_settles(MemoryDisk& disk, const Script& script, Told& told, const Directory& expected) {
  StoreLife life(disk, UINT64_MAX, script.limits);
  if (!live(life, script, told)) FAIL("the last life does not end");
  if (!life.store.lost().empty()) FAIL("a crash is taken for a loss");
  if (directory_of(disk) != expected) FAIL("another directory than without a crash");
}

std::uint64_t crash_everywhere(const Script& script) {
  const auto [expected, operations] = undisturbed(script);
  std::uint64_t crashes = 0;
  for (std::uint64_t ops_max = 0; ops_max <= operations; ++ops_max) {
    for (int cut = 0; cut <= 4; ++cut) {  // 4: only the process dies
      CAPTURE(ops_max, cut);
      MemoryDisk disk = prepared(script);
      Prng random(ops_max, static_cast<std::uint64_t>(cut));
      Told told;
      StoreLife life(disk, ops_max, script.limits);
      live(life, script, told);
      if (cut < 4) disk.power_cut(power_cuts[cut], random);
      check_visible(disk, script, told);
      check_settles(disk, script, told, expected);
      ++crashes;
    }
  }
  return crashes;
}

/// A second crash at every operation of what follows the first.
void crash_twice_everywhere(const Script& script, std::uint64_t stride) {
  const auto [expected, operations] = undisturbed(script);
  for (std::uint64_t first = 0; first <= operations; first += stride) {
    for (std::uint64_t second = 0;; ++second) {
      CAPTURE(first, second);
      MemoryDisk disk = prepared(script);
      Prng random(first, second);
      Told told;
      StoreLife life(disk, first, script.limits);
      live(life, script, told);
      if (second % 3 != 0) disk.power_cut(power_cuts[second % 4], random);
      StoreLife next(disk, second, script.limits);
      live(next, script, told);
      disk.power_cut(PowerCut::tears, random);
      check_visible(disk, script, told);
      check_settles(disk, script, told, expected);
      if (!next.over()) break;
    }
  }
}

SealedContent history(std::uint32_t group, std::uint64_t before, std::uint64_t last) {
  return made_up_history(ShardId(group), before, last);
}
SealedContent snapshot(std::uint32_t group, std::uint64_t last) { return made_up_snapshot(ShardId(group), last); }

TEST_CASE("a crash at every operation of writing and sealing a snapshot") {
  CHECK(crash_everywhere({.written = {snapshot(1, 20)}}) > 60);
}

TEST_CASE("a crash at every operation of writing a history, its index and the manifest") {
  CHECK(crash_everywhere({.written = {history(1, 0, 20), history(1, 20, 35)}}) > 150);
}

TEST_CASE("a crash at every operation of fetching, and of fetching on after a crash") {
  CHECK(crash_everywhere({.fetched = {snapshot(1, 20), history(1, 0, 20), snapshot(2, 30)}}) > 200);
}

TEST_CASE("a crash at every operation of repairing chunks in place") {
  CHECK(crash_everywhere({.repaired = {snapshot(1, 20)}}) > 40);
}

TEST_CASE("a crash at every operation of archiving") {
  Script script{.written = {history(1, 0, 20), history(1, 20, 35), history(1, 35, 50)}};
  script.limits.history_bytes_max = sealed_size(history(1, 35, 50).header);
  const Directory expected = undisturbed(script).first;
  REQUIRE(expected.contains(file_name(script.written[1].header.name, true)));
  CHECK(crash_everywhere(script) > 200);
}

TEST_CASE("a crash at every operation of removing snapshots: gone or whole, never a half (known bug 21)") {
  Script script{.written = {snapshot(1, 20), snapshot(1, 30), snapshot(1, 40)},
                .removed = {snapshot(1, 20).header.name, snapshot(1, 30).header.name}};
  CHECK(crash_everywhere(script) > 200);
}

Script everything() {
  Script script{.written = {snapshot(1, 20), history(1, 0, 20), snapshot(1, 35), history(1, 20, 35)},
                .fetched = {history(2, 0, 15), snapshot(2, 15)},
                .repaired = {},
                .removed = {snapshot(1, 20).header.name}};
  script.limits.history_bytes_max = sealed_size(history(1, 20, 35).header);
  return script;
}

TEST_CASE("a crash at every operation of everything together") { CHECK(crash_everywhere(everything()) > 500); }

TEST_CASE("no space for any one operation: everything is done in the end, and durable") {
  const Script script = everything();
  const auto [expected, operations] = undisturbed(script);
  std::uint64_t refusals = 0;
  for (std::uint64_t number = 0; number < operations; ++number) {
    CAPTURE(number);
    MemoryDisk disk = prepared(script);
    Told told;
    StoreLife life(disk, UINT64_MAX, script.limits);
    life.refuse_at(number);
    while (!live(life, script, told)) {
      if (life.store.paused()) ++refusals;
      if (!life.run_for(milliseconds(100))) FAIL("it did not go on");
    }
    Prng random(1);
    disk.power_cut(PowerCut::loses_all, random);
    if (directory_of(disk) != expected) FAIL("another directory than with space");
  }
  CHECK(refusals > 50);
}

TEST_CASE("a second crash at every operation after a first one") {
  const Script script{.written = {history(1, 0, 12)}, .fetched = {snapshot(1, 12)}};
  const std::uint64_t operations = undisturbed(script).second;
  CHECK(operations > 25);
  crash_twice_everywhere(script, 1);
}

TEST_CASE("property: any sequence of lives and crashes ends in the directory of an undisturbed life") {
  const Script script = everything();
  const auto reference = undisturbed(script);
  REQUIRE(rc::check("any sequence of lives and crashes ends as an undisturbed life", [&](std::uint64_t seed) {
    Prng random(seed);
    MemoryDisk disk = prepared(script);
    Told told;
    for (int lives = 0; lives < 8; ++lives) {
      StoreLife life(disk, random.below(reference.second), script.limits);
      live(life, script, told);
      if (random.chance(700)) disk.power_cut(power_cuts[random.below(4)], random);
      check_visible(disk, script, told);
    }
    check_settles(disk, script, told, reference.first);
  }));
}

TEST_CASE("a crash at every operation of rebuilding damaged derived files") {
  const Script script{.written = {history(1, 0, 20), history(1, 20, 35), snapshot(1, 35)}};
  const Directory expected = undisturbed(script).first;
  for (const std::string& victim : {std::string(manifest_file), index_file_name(script.written[0].header.name)}) {
    bool ended = false;
    for (std::uint64_t ops_max = 0; !ended; ++ops_max) {
      for (const PowerCut cut : power_cuts) {
        CAPTURE(victim, ops_max, static_cast<int>(cut));
        MemoryDisk disk;
        for (const auto& [name, bytes] : expected) disk.overwrite(name, bytes);
        disk.remove(victim);
        Prng random(ops_max);
        Told told;
        StoreLife life(disk, ops_max, script.limits);
        live(life, script, told);
        ended = !life.over();
        disk.power_cut(cut, random);
        check_visible(disk, script, told);
        check_settles(disk, script, told, expected);
      }
      CHECK((ended || ops_max < 100));
    }
  }
}

TEST_CASE("a crash at every operation of setting a damaged file aside and fetching it whole") {
  const Script script{.written = {snapshot(1, 20), history(1, 0, 20)}, .fetched = {snapshot(1, 20), history(1, 0, 20)}};
  const Directory expected = undisturbed(script).first;
  const Script fetching{.fetched = script.written};
  for (const SealedContent& victim : script.written) {
    bool ended = false;
    for (std::uint64_t ops_max = 0; !ended; ++ops_max) {
      for (const PowerCut cut : power_cuts) {
        CAPTURE(file_name(victim.header.name), ops_max, static_cast<int>(cut));
        MemoryDisk disk;
        for (const auto& [name, bytes] : expected) disk.overwrite(name, bytes);
        disk.flip_bit(file_name(victim.header.name), 40, 0);
        Prng random(ops_max);
        Told told;
        StoreLife life(disk, ops_max, script.limits);
        live(life, fetching, told);
        ended = !life.over();
        disk.power_cut(cut, random);
        StoreLife last(disk, UINT64_MAX, script.limits);
        REQUIRE(live(last, fetching, told));
        CHECK(last.store.lost().empty());
        disk.remove(damaged_name(file_name(victim.header.name)));
        if (directory_of(disk) != expected) FAIL("another directory than without a crash");
      }
    }
  }
}

}  // namespace
}  // namespace coffer::log
