// Damage: every region of every file is flipped, cut or deleted; it is noticed, and repaired from peers or rebuilt.
#include <algorithm>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "core/log/history_index.h"
#include "core/log/manifest.h"
#include "tests/core/log/life.h"
#include "tests/core/log/store_life.h"

namespace coffer::log {
namespace {

const ShardId group(1);

SealedContent history(std::uint64_t before, std::uint64_t last) { return made_up_history(group, before, last); }
SealedContent snapshot(std::uint64_t last) { return made_up_snapshot(group, last); }

/// A directory with two histories, one of them archived, two snapshots, and everything derived.
MemoryDisk full_disk() {
  MemoryDisk disk;
  SealedStore::Limits limits = test_limits();
  limits.history_bytes_max = sealed_size(history(20, 40).header);
  StoreLife life(disk, UINT64_MAX, limits);
  REQUIRE(life.write(history(0, 20)));
  REQUIRE(life.write(snapshot(20)));
  REQUIRE(life.write(history(20, 40)));
  REQUIRE(life.write(snapshot(40)));
  REQUIRE(disk.exists(file_name(history(0, 20).header.name, true)));
  return disk;
}

using Directory = std::map<std::string, Bytes>;
Directory directory_of(const MemoryDisk& disk) {
  Directory directory;
  for (const std::string& name : disk.names()) directory[name] = disk.contents(name);
  return directory;
}

std::vector<SealedContent> all_contents() { return {history(0, 20), history(20, 40), snapshot(20), snapshot(40)}; }

bool is_archived(const SealedContent& content) {
  return content.header.name.last == Index(20) && content.chunks.size() > 0 &&
         content.header.name.kind == SealedKind::history;
}

/// A start, then enough time to scrub everything.
void scrub_all(StoreLife& life) {
  REQUIRE(life.run());
  REQUIRE(life.run_for(seconds(3)));
}
SealedStore::Limits scrubbing_limits() {
  SealedStore::Limits limits = test_limits();
  limits.scrub_interval = milliseconds(10);
  limits.history_bytes_max = sealed_size(history(20, 40).header);
  return limits;
}

TEST_CASE("a flipped bit in any chunk is found by scrubbing, and repaired in place from a peer") {
  const MemoryDisk whole = full_disk();
  const Directory expected = directory_of(whole);
  for (const SealedContent& content : all_contents()) {
    for (std::uint32_t chunk = 0; chunk < content.chunks.size(); ++chunk) {
      MemoryDisk disk;
      for (const auto& [name, bytes] : expected) disk.overwrite(name, bytes);
      const std::string file = file_name(content.header.name, is_archived(content));
      disk.flip_bit(file, chunk_offset(content.header, chunk) + content.chunks[chunk].size() / 2, chunk % 8);
      CAPTURE(file, chunk);
      StoreLife life(disk, UINT64_MAX, scrubbing_limits());
      scrub_all(life);
      REQUIRE(life.store.missing(content.header.name) == std::vector<std::uint32_t>{chunk});
      CHECK_FALSE(life.store.sound(content.header.name));
      CHECK(life.count(TraceKind::file_damaged) == 1);
      REQUIRE(life.repair(content));
      CHECK(life.count(TraceKind::file_repaired) == 1);
      CHECK(life.published == std::vector{content.header.name});
      CHECK(directory_of(disk) == expected);
    }
  }
}

TEST_CASE("a damaged chunk of the newest snapshot is known as soon as recovery has ended") {
  MemoryDisk disk = full_disk();
  disk.flip_bit(file_name(snapshot(40).header.name), block_size + 600, 0);
  StoreLife life(disk);
  while (!life.store.recovered()) REQUIRE(life.step());
  CHECK(life.store.missing(snapshot(40).header.name) == std::vector<std::uint32_t>{1});
  CHECK(life.store.newest(SealedKind::snapshot, group) == snapshot(40).header.name);
}

TEST_CASE("a damaged chunk is found when it is read, and never handed out") {
  MemoryDisk disk = full_disk();
  StoreLife life(disk);
  REQUIRE(life.run());
  disk.flip_bit(file_name(history(20, 40).header.name), block_size + 600, 0);
  life.store.read_chunk(history(20, 40).header.name, 1, 5, life.ops);
  while (life.step()) {
  }
  const auto chunks = life.store.take_chunks();
  REQUIRE(chunks.size() == 1);
  CHECK_FALSE(chunks[0].sound);
  CHECK(chunks[0].bytes == nullptr);
  CHECK(life.store.missing(history(20, 40).header.name) == std::vector<std::uint32_t>{1});
  CHECK(life.count(TraceKind::file_damaged) == 1);
}

TEST_CASE("a damaged header or table at a start: the file is set aside, missed, and fetched whole") {
  const Directory expected = directory_of(full_disk());
  for (const SealedContent& content : all_contents()) {
    const SealedName& name = content.header.name;
    const std::string file = file_name(name, is_archived(content));
    for (const std::uint64_t byte : {std::uint64_t{0}, std::uint64_t{100}, std::uint64_t{4095},
                                     table_offset(content.header), sealed_size(content.header) - 1}) {
      MemoryDisk disk;
      for (const auto& [other, bytes] : expected) disk.overwrite(other, bytes);
      disk.flip_bit(file, byte, 3);
      const Bytes damaged = disk.contents(file);
      CAPTURE(file, byte);
      StoreLife life(disk, UINT64_MAX, scrubbing_limits());
      REQUIRE(life.run());
      CHECK(life.count(TraceKind::file_damaged) == 1);
      CHECK(disk.contents(damaged_name(file)) == damaged);
      CHECK_FALSE(disk.exists(file));
      CHECK_FALSE(life.store.files().contains(name));
      const bool superseded = name == snapshot(20).header.name;
      CHECK(life.store.lost().contains(name) == !superseded);
      if (superseded) continue;
      StoreLife later(disk, UINT64_MAX, scrubbing_limits());  // not forgotten by another start
      REQUIRE(later.run());
      CHECK(later.store.lost().contains(name));
      SealedContent other = made_up_snapshot(group, 40, 900);
      if (name == snapshot(40).header.name) CHECK_FALSE(later.store.begin_fetch(other.header, other.table, later.ops));
      REQUIRE(later.fetch(content));
      CHECK(later.store.lost().empty());
      disk.remove(damaged_name(file));
      CHECK(directory_of(disk) == expected);
    }
  }
}

TEST_CASE("a deleted or cut file is missed, because the manifest names it") {
  const Directory expected = directory_of(full_disk());
  for (const SealedContent& content : all_contents()) {
    const SealedName& name = content.header.name;
    if (name == snapshot(20).header.name) continue;
    const std::string file = file_name(name, is_archived(content));
    for (const std::size_t keep :
         {std::size_t{0}, std::size_t{1}, std::size_t{4096}, std::size_t{5000}, expected.at(file).size() - 1}) {
      MemoryDisk disk;
      for (const auto& [other, bytes] : expected) disk.overwrite(other, bytes);
      if (keep == 0) {
        disk.remove(file);
      } else {
        Bytes cut = disk.contents(file);
        cut.resize(keep);
        disk.overwrite(file, cut);
      }
      CAPTURE(file, keep);
      StoreLife life(disk, UINT64_MAX, scrubbing_limits());
      REQUIRE(life.run());
      CHECK(life.store.lost() == std::set{name});
      CHECK(life.count(TraceKind::file_damaged) == 1);
      if (name.kind == SealedKind::history)
        CHECK(life.store.history_end(group) == Index(content.header.first.value - 1));
      REQUIRE(life.fetch(content));
      CHECK(life.store.lost().empty());
      disk.remove(damaged_name(file));
      CHECK(directory_of(disk) == expected);
    }
  }
}

TEST_CASE("a file that vanishes, or whose header rots, while the node runs is noticed by scrubbing") {
  MemoryDisk disk = full_disk();
  const Directory expected = directory_of(disk);
  StoreLife life(disk, UINT64_MAX, scrubbing_limits());
  REQUIRE(life.run());
  disk.remove(file_name(history(20, 40).header.name));
  disk.flip_bit(file_name(snapshot(40).header.name), 50, 1);
  disk.flip_bit(file_name(snapshot(20).header.name), sealed_size(snapshot(20).header) - 3, 1);
  scrub_all(life);
  CHECK(life.store.lost() == std::set{history(20, 40).header.name});
  CHECK(life.count(TraceKind::file_damaged) == 3);
  CHECK(life.count(TraceKind::file_repaired) == 2);  // header and table are in memory still
  REQUIRE(life.fetch(history(20, 40)));
  CHECK(directory_of(disk) == expected);
}

TEST_CASE("a derived file that is deleted or damaged anywhere is rebuilt byte for byte") {
  const Directory expected = directory_of(full_disk());
  std::size_t files = 0;
  for (const auto& [name, bytes] : expected) {
    if (name != manifest_file && !name.starts_with("index-")) continue;
    ++files;
    for (std::size_t byte = 0; byte <= bytes.size(); byte += 37) {
      MemoryDisk disk;
      for (const auto& [other, other_bytes] : expected) disk.overwrite(other, other_bytes);
      if (byte == 0) {
        disk.remove(name);
      } else if (byte % 2 == 0) {
        disk.flip_bit(name, byte - 1, 5);
      } else {
        disk.overwrite(name, Bytes(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(byte - 1)));
      }
      CAPTURE(name, byte);
      StoreLife life(disk, UINT64_MAX, scrubbing_limits());
      scrub_all(life);
      CHECK(life.store.lost().empty());
      CHECK(directory_of(disk) == expected);
      CHECK(life.count(TraceKind::file_damaged) == (byte == 0 || (byte == 1) ? 0u : 1u));
    }
  }
  CHECK(files == 3);
}

TEST_CASE("a missing index is rebuilt at a start, without waiting for a scrub") {
  MemoryDisk disk = full_disk();
  const std::string index = index_file_name(history(20, 40).header.name);
  const Bytes expected = disk.contents(index);
  disk.remove(index);
  StoreLife life(disk);
  REQUIRE(life.run());
  CHECK(disk.contents(index) == expected);
}

TEST_CASE("both manifest and a history gone: the gap still shows where to ask peers") {
  MemoryDisk disk = full_disk();
  disk.remove(manifest_file);
  disk.remove(file_name(history(0, 20).header.name, true));
  StoreLife life(disk);
  REQUIRE(life.run());
  CHECK(life.store.lost().empty());
  CHECK(life.store.history_end(group) == Index(0));
  REQUIRE(life.fetch(history(0, 20)));
  CHECK(life.store.history_end(group) == Index(40));
}

TEST_CASE("remnants are cleared away at a start: temporary files nothing vouches for, indexes of nothing") {
  MemoryDisk disk = full_disk();
  const Directory expected = directory_of(disk);
  disk.overwrite(part_name(snapshot(60).header.name), payload(1, 5000));
  disk.overwrite(part_name(snapshot(40).header.name), file_bytes(snapshot(40)));
  disk.overwrite(derived_part_name(manifest_file), payload(1, 50));
  disk.overwrite(derived_part_name(index_file_name(history(0, 20).header.name)), payload(1, 50));
  disk.overwrite(index_file_name(history(40, 60).header.name), payload(1, 50));
  StoreLife life(disk, UINT64_MAX, scrubbing_limits());
  REQUIRE(life.run());
  CHECK(directory_of(disk) == expected);
}

TEST_CASE("a sound file of other content than the manifest says is set aside, and the right one is missed") {
  MemoryDisk disk = full_disk();
  const Directory expected = directory_of(disk);
  const SealedContent right = snapshot(40);
  const SealedContent other = made_up_snapshot(group, 40, 900);
  const std::string file = file_name(right.header.name);
  disk.overwrite(file, file_bytes(other));
  StoreLife life(disk, UINT64_MAX, scrubbing_limits());
  REQUIRE(life.run());
  CHECK(life.store.lost() == std::set{right.header.name});
  CHECK(disk.contents(damaged_name(file)) == file_bytes(other));
  CHECK_FALSE(life.fetch(other));
  REQUIRE(life.fetch(right));
  disk.remove(damaged_name(file));
  CHECK(directory_of(disk) == expected);
}

TEST_CASE("a file under another's name is damage") {
  MemoryDisk disk = full_disk();
  disk.overwrite(file_name(snapshot(60).header.name), file_bytes(snapshot(40)));
  StoreLife life(disk);
  REQUIRE(life.run());
  CHECK(life.store.newest(SealedKind::snapshot, group) == snapshot(40).header.name);
  CHECK(disk.exists(damaged_name(file_name(snapshot(60).header.name))));
}

}  // namespace
}  // namespace coffer::log
