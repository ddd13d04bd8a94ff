// What a sealed store does: writing, fetching, archiving, removing, reading, a full disk, a failing disk.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "core/base/check.h"
#include "core/log/history_replay.h"
#include "core/log/manifest.h"
#include "tests/core/log/life.h"
#include "tests/core/log/store_life.h"

namespace coffer::log {
namespace {

using Catch::Matchers::Contains;

const ShardId group(1);

SealedContent history(std::uint64_t before, std::uint64_t last) { return made_up_history(group, before, last); }
SealedContent snapshot(std::uint64_t last) { return made_up_snapshot(group, last); }

std::size_t place_of(const std::vector<std::string>& words, const std::string& word) {
  const auto found = std::find(words.begin(), words.end(), word);
  REQUIRE(found != words.end());
  return static_cast<std::size_t>(found - words.begin());
}

TEST_CASE("a start on an empty directory, or one with files of others only, changes nothing") {
  MemoryDisk disk;
  disk.overwrite("stream-000001", payload(1, 100));
  disk.overwrite("hard-state", payload(2, 100));
  disk.overwrite("node.json", payload(3, 100));
  StoreLife life(disk);
  REQUIRE(life.run());
  CHECK(life.words == std::vector<std::string>{"list", "sync_dir"});
  CHECK(life.store.files().empty());
  CHECK(disk.names().size() == 3);
}

TEST_CASE("a file is written under a temporary name, synced, and only then given its name") {
  MemoryDisk disk;
  StoreLife life(disk);
  const SealedContent content = snapshot(40);
  REQUIRE(life.write(content));
  const std::string name = file_name(content.header.name);
  const std::string part = part_name(content.header.name);
  const std::size_t synced = place_of(life.words, "sync " + part);
  const std::size_t renamed = place_of(life.words, "rename " + part + " to " + name);
  CHECK(synced < renamed);
  CHECK(life.words[renamed + 1] == "sync_dir");
  CHECK(std::find(life.words.begin() + static_cast<std::ptrdiff_t>(synced), life.words.end(), "write " + part) ==
        life.words.end());
  CHECK(disk.contents(name) == file_bytes(content));
  CHECK_FALSE(disk.exists(part));
  CHECK(life.published == std::vector{content.header.name});
  CHECK(life.count(TraceKind::snapshot_published) == 1);
  CHECK(life.store.newest(SealedKind::snapshot, group) == content.header.name);
}

TEST_CASE("own writing and fetching give the same bytes, in any order of chunks") {
  const SealedContent contents[] = {snapshot(40), history(0, 40), history(40, 90)};
  MemoryDisk own;
  MemoryDisk fetched;
  StoreLife writer(own);
  StoreLife fetcher(fetched);
  for (const SealedContent& content : contents) {
    REQUIRE(writer.write(content));
    REQUIRE(fetcher.fetch(content, true));
  }
  CHECK(own.names() == fetched.names());
  for (const std::string& name : own.names()) {
    CHECK(own.contents(name) == fetched.contents(name));
  }
  CHECK(own.exists(manifest_file));
  CHECK(own.exists(index_file_name(contents[1].header.name)));
}

TEST_CASE("a history is read back before it is published; its index is written after it") {
  MemoryDisk disk;
  StoreLife life(disk);
  const SealedContent content = history(0, 40);
  REQUIRE(life.write(content));
  const std::string part = part_name(content.header.name);
  const std::string index = index_file_name(content.header.name);
  const std::size_t renamed = place_of(life.words, "rename " + part + " to " + file_name(content.header.name));
  CHECK(place_of(life.words, "sync " + part) < place_of(life.words, "read " + part));
  CHECK(place_of(life.words, "read " + part) < renamed);
  CHECK(place_of(life.words, "write " + derived_part_name(index)) > renamed);
  CHECK(life.count(TraceKind::history_published) == 1);
  CHECK(life.store.history_end(group) == Index(40));
}

TEST_CASE("a history that the disk did not take as it was given is not published; its chunk can come from a peer") {
  MemoryDisk disk;
  StoreLife life(disk);
  const SealedContent content = history(0, 40);
  const SealedName& name = content.header.name;
  REQUIRE(content.chunks.size() > 2);
  life.answer_next(IoKind::write, IoStatus::ok, part_name(name));  // told, and not done
  CHECK_FALSE(life.write(content));
  CHECK_FALSE(disk.exists(file_name(name)));
  REQUIRE(life.store.missing(name) == std::vector<std::uint32_t>{0});
  REQUIRE(life.store.put_chunk(name, 0, content.chunks[0], life.ops));
  REQUIRE(life.run());
  CHECK(life.store.sound(name));
  CHECK(disk.contents(file_name(name)) == file_bytes(content));
  CHECK(disk.contents(index_file_name(name)) == encode_index(content.header, content.indexed).value());
}

TEST_CASE("a fetched history whose entries are not what its header says is dropped, not published") {
  SealedContent content = history(0, 40);
  content.header.chain_after.bytes[0] ^= 1;
  MemoryDisk disk;
  StoreLife life(disk);
  CHECK_FALSE(life.fetch(content));
  CHECK(life.store.files().empty());
  CHECK(disk.names().empty());
  REQUIRE(life.fetch(history(0, 40)));
}

TEST_CASE("an offer that does not fit what is known is refused") {
  MemoryDisk disk;
  StoreLife life(disk);
  REQUIRE(life.write(history(0, 40)));
  REQUIRE(life.write(snapshot(40)));
  const auto refused = [&life](const SealedContent& content) {
    return !life.store.begin_fetch(content.header, content.table, life.ops);
  };
  CHECK_FALSE(refused(history(0, 40)));  // already here
  CHECK(life.store.missing(history(0, 40).header.name).empty());
  SealedContent other_cluster = history(40, 60);
  other_cluster.header.cluster.bytes[0] ^= 1;
  CHECK(refused(other_cluster));
  SealedContent short_table = history(40, 60);
  short_table.table.pop_back();
  CHECK(refused(short_table));
  SealedContent other_table = history(40, 60);
  other_table.table[0] ^= 1;
  CHECK(refused(other_table));
  SealedContent other_chain = history(40, 60);
  other_chain.header.chain_before.bytes[0] ^= 1;
  CHECK(refused(other_chain));
  CHECK(refused(history(30, 60)));  // overlaps
  SealedContent other_snapshot = made_up_snapshot(group, 40, 1800);
  CHECK(refused(other_snapshot));
  SealedContent malformed = history(40, 60);
  malformed.header.first = Index(61);
  CHECK(refused(malformed));
  CHECK_FALSE(refused(history(40, 60)));
}

TEST_CASE("a chunk that is not the one the table vouches for is not taken") {
  MemoryDisk disk;
  StoreLife life(disk);
  REQUIRE(life.run());
  const SealedContent content = snapshot(40);
  const SealedName& name = content.header.name;
  REQUIRE(life.store.begin_fetch(content.header, content.table, life.ops));
  Bytes wrong = content.chunks[1];
  wrong[7] ^= std::byte{1};
  CHECK_FALSE(life.store.put_chunk(name, 1, wrong, life.ops));
  CHECK_FALSE(life.store.put_chunk(name, 0, content.chunks[1], life.ops));
  CHECK_FALSE(life.store.put_chunk(name, 99, content.chunks[1], life.ops));
  CHECK_FALSE(life.store.put_chunk(snapshot(41).header.name, 1, content.chunks[1], life.ops));
  CHECK(life.store.put_chunk(name, 1, content.chunks[1], life.ops));
  CHECK_FALSE(life.store.put_chunk(name, 1, content.chunks[1], life.ops));  // twice
  CHECK(life.store.missing(name) == std::vector<std::uint32_t>{0, 2, 3});
}

TEST_CASE("a fetch goes on after a restart with the chunks that are there") {
  MemoryDisk disk;
  const SealedContent content = snapshot(40);
  const SealedName& name = content.header.name;
  StoreLife first(disk);
  REQUIRE(first.run());
  REQUIRE(first.store.begin_fetch(content.header, content.table, first.ops));
  REQUIRE(first.store.put_chunk(name, 2, content.chunks[2], first.ops));
  first.run();
  StoreLife second(disk);
  REQUIRE(second.run());
  REQUIRE(second.store.files().at(name).partial);
  CHECK_FALSE(second.store.newest(SealedKind::snapshot, group).has_value());
  CHECK(second.store.missing(name) == std::vector<std::uint32_t>{0, 1, 3});
  CHECK(second.count(TraceKind::fetch_resumed) == 1);
  CHECK(second.trace[0].a == 1);
  REQUIRE(second.fetch(content));
  CHECK(disk.contents(file_name(name)) == file_bytes(content));
  // Header, table and the chunk that was there are written again: no sync need have succeeded before.
  CHECK(std::count(second.words.begin(), second.words.end(), "write " + part_name(name)) == 3 + 3);
}

TEST_CASE("a fetch that goes on makes durable what it goes on with: a sync that failed is no sync (known bug 14)") {
  const SealedContent content = snapshot(40);
  const SealedName& name = content.header.name;
  const std::uint32_t there = GENERATE(1u, 3u, 4u);
  CAPTURE(there);
  MemoryDisk disk;
  StoreLife first(disk);
  REQUIRE(first.run());
  REQUIRE(first.store.begin_fetch(content.header, content.table, first.ops));
  for (std::uint32_t chunk = 0; chunk < there; ++chunk) {
    REQUIRE(first.store.put_chunk(name, chunk, content.chunks[chunk], first.ops));
  }
  while (std::none_of(first.words.begin(), first.words.end(), [](const auto& word) { return word == "sync_dir"; }) ||
         first.written.size() < 2 + there) {
    REQUIRE(first.step());
  }
  MemoryDisk left = disk;
  Prng none(1);
  left.power_cut(PowerCut::loses_all, none);
  StoreLife second(disk);
  REQUIRE(second.run());
  REQUIRE(second.fetch(content));
  // No sync makes durable what a failed one was to: only what this life has written itself counts.
  for (const IoOp& op : second.written) left.execute(op);
  CHECK(left.contents(part_name(name)) == file_bytes(content));
}

TEST_CASE("another offer under the same name takes the place of a partial file; own writing does, too") {
  const SealedContent content = snapshot(40);
  const SealedContent other = made_up_snapshot(group, 40, 900);
  MemoryDisk disk;
  StoreLife life(disk);
  REQUIRE(life.run());
  REQUIRE(life.store.begin_fetch(content.header, content.table, life.ops));
  REQUIRE(life.store.put_chunk(content.header.name, 3, content.chunks[3], life.ops));
  REQUIRE(life.fetch(other));
  CHECK(disk.contents(file_name(other.header.name)) == file_bytes(other));

  MemoryDisk disk_2;
  StoreLife life_2(disk_2);
  REQUIRE(life_2.run());
  REQUIRE(life_2.store.begin_fetch(content.header, content.table, life_2.ops));
  REQUIRE(life_2.store.put_chunk(content.header.name, 3, content.chunks[3], life_2.ops));
  REQUIRE(life_2.write(other));
  CHECK(disk_2.contents(file_name(other.header.name)) == file_bytes(other));
}

TEST_CASE("what is abandoned is gone; a published file cannot be abandoned") {
  MemoryDisk disk;
  StoreLife life(disk);
  REQUIRE(life.run());
  const SealedContent content = snapshot(40);
  REQUIRE(life.store.create(content.header.name, life.ops));
  CHECK_FALSE(life.store.create(content.header.name, life.ops));
  life.store.append_chunk(content.header.name, content.chunks[0], life.ops);
  life.store.abandon(content.header.name, life.ops);
  REQUIRE(life.run());
  CHECK(disk.names().empty());
  REQUIRE(life.write(content));
  life.store.abandon(content.header.name, life.ops);
  REQUIRE(life.run());
  CHECK(life.store.sound(content.header.name));
  CHECK_FALSE(life.store.create(content.header.name, life.ops));
}

TEST_CASE("chunks against the contract are broken invariants") {
  MemoryDisk disk;
  StoreLife life(disk);
  const SealedContent content = snapshot(40);
  CHECK_THROWS_AS(life.store.create(content.header.name, life.ops), CheckFailure);  // not recovered
  REQUIRE(life.run());
  CHECK_THROWS_AS(life.store.append_chunk(content.header.name, content.chunks[0], life.ops), CheckFailure);
  REQUIRE(life.store.create(content.header.name, life.ops));
  CHECK_THROWS_AS(life.store.append_chunk(content.header.name, {}, life.ops), CheckFailure);
  CHECK_THROWS_AS(life.store.append_chunk(content.header.name, Bytes(test_chunk_size + 1), life.ops), CheckFailure);
  life.store.append_chunk(content.header.name, content.chunks.back(), life.ops);
  CHECK_THROWS_AS(life.store.append_chunk(content.header.name, content.chunks[0], life.ops), CheckFailure);
  CHECK_THROWS_AS(life.store.seal(content.header.name, snapshot(41).header, {}, life.ops), CheckFailure);
}

TEST_CASE("a file is removed only by an explicit call, and stays away (known bug 21)") {
  MemoryDisk disk;
  StoreLife life(disk);
  for (const std::uint64_t last : {20, 40, 60}) REQUIRE(life.write(snapshot(last)));
  CHECK(life.store.files().size() == 3);
  REQUIRE(life.remove(snapshot(20).header.name));
  CHECK_FALSE(disk.exists(file_name(snapshot(20).header.name)));
  Prng random(1);
  disk.power_cut(PowerCut::loses_all, random);
  StoreLife second(disk);
  REQUIRE(second.run());
  CHECK(second.store.files().size() == 2);
  CHECK(second.store.lost().empty());
}

TEST_CASE("a full disk pauses writing, and it goes on when there is space again") {
  const SealedContent content = history(0, 40);
  for (const IoKind kind : {IoKind::write, IoKind::rename, IoKind::remove}) {
    MemoryDisk disk;
    StoreLife life(disk);
    REQUIRE(life.run());
    for (int i = 0; i < 3; ++i) life.answer_next(kind, IoStatus::no_space);
    life.write(content);
    life.run_for(seconds(2));
    REQUIRE_FALSE(life.store.failed());
    CHECK_FALSE(life.store.paused());
    CHECK(life.count(TraceKind::history_published) == 1);
    REQUIRE(life.run());
    CHECK(disk.contents(file_name(content.header.name)) == file_bytes(content));
    CHECK(disk.exists(manifest_file));
    CHECK(disk.exists(index_file_name(content.header.name)));
  }
}

TEST_CASE("while a disk is full nothing is asked of it but, now and then, what it refused") {
  const SealedContent content = snapshot(40);
  const SealedName& name = content.header.name;
  MemoryDisk disk;
  StoreLife life(disk);
  REQUIRE(life.run());
  for (int i = 0; i < 1000; ++i) life.answer_next(IoKind::write, IoStatus::no_space);
  REQUIRE(life.store.create(name, life.ops));
  life.store.append_chunk(name, content.chunks[0], life.ops);
  life.store.append_chunk(name, content.chunks[1], life.ops);
  life.run();
  CHECK(life.store.paused());
  CHECK_FALSE(life.store.wants_chunk(name));
  CHECK(life.store.wake_at() > life.now);
  CHECK(life.store.wake_at() <= life.now + test_limits().retry_interval);
  const auto writes = [&life, &name] {
    return std::count(life.words.begin(), life.words.end(), "write " + part_name(name));
  };
  const auto before = writes();
  REQUIRE(life.run_for(seconds(10)));
  CHECK(writes() - before <= 2 * 51);
  CHECK(writes() - before >= 49);
  CHECK(life.store.paused());
}

TEST_CASE("a full disk does not hold up what makes space") {
  MemoryDisk disk;
  StoreLife life(disk);
  REQUIRE(life.write(snapshot(20)));
  for (int i = 0; i < 100; ++i) life.answer_next(IoKind::write, IoStatus::no_space);
  REQUIRE(life.store.create(snapshot(40).header.name, life.ops));
  life.store.append_chunk(snapshot(40).header.name, snapshot(40).chunks[0], life.ops);
  life.run();
  REQUIRE(life.store.paused());
  life.store.remove(snapshot(20).header.name, life.ops);
  life.run();
  CHECK(life.store.paused());
  CHECK_FALSE(disk.exists(file_name(snapshot(20).header.name)));
}

TEST_CASE("a failed operation ends it and is told; nothing is done or retried afterwards") {
  for (const IoKind kind : {IoKind::write, IoKind::sync, IoKind::rename, IoKind::sync_dir, IoKind::read}) {
    MemoryDisk disk;
    StoreLife life(disk);
    REQUIRE(life.run());
    life.answer_next(kind, IoStatus::failed);
    life.write(history(0, 40));
    CHECK_THAT(life.store.failure(), Contains("the disk failed"));
    CHECK_FALSE(life.store.recovered());
    const bool renamed = disk.exists(file_name(history(0, 40).header.name));
    CHECK(renamed == (kind == IoKind::sync_dir));
    const std::size_t done = life.words.size();
    CHECK(life.store.wake_at() == never);
    life.run_for(seconds(2));
    CHECK(life.words.size() <= done + 4);  // what was under way
  }
}

TEST_CASE("a sync for which there was no space is not tried again (known bug 14)") {
  MemoryDisk disk;
  StoreLife life(disk);
  REQUIRE(life.run());
  life.answer_next(IoKind::sync, IoStatus::no_space);
  life.write(snapshot(40));
  CHECK_THAT(life.store.failure(), Contains("no space") && Contains(part_name(snapshot(40).header.name)));
  CHECK_FALSE(disk.exists(file_name(snapshot(40).header.name)));
}

TEST_CASE("files of another cluster, or of a later version, are refused and left alone") {
  for (const SealedContent& content : {snapshot(40), history(0, 40)}) {
    MemoryDisk disk;
    StoreLife life(disk);
    REQUIRE(life.write(content));
    const std::vector<std::string> names = disk.names();
    Uuid other;
    other.bytes.fill(7);
    StoreLife second(disk, UINT64_MAX, test_limits(), other);
    CHECK_FALSE(second.run());
    CHECK_THAT(second.store.failure(), Contains("belongs to another cluster") && Contains("Nothing was changed"));
    CHECK(disk.names() == names);
  }
}

TEST_CASE("history is archived by size, oldest first, and stays where it is") {
  MemoryDisk disk;
  SealedStore::Limits limits = test_limits();
  limits.history_bytes_max = sealed_size(history(40, 60).header) + sealed_size(history(60, 80).header);
  StoreLife life(disk, UINT64_MAX, limits);
  for (const std::uint64_t last : {20, 40, 60, 80}) REQUIRE(life.write(history(last - 20, last)));
  CHECK(disk.exists(file_name(history(0, 20).header.name, true)));
  CHECK(disk.exists(file_name(history(20, 40).header.name, true)));
  CHECK(disk.exists(file_name(history(60, 80).header.name)));
  CHECK_FALSE(disk.exists(file_name(history(0, 20).header.name)));
  CHECK(life.count(TraceKind::archived) == 2);
  StoreLife second(disk, UINT64_MAX, limits);
  REQUIRE(second.run());
  CHECK(second.store.files().at(history(0, 20).header.name).archived);
  CHECK(second.store.lost().empty());
  CHECK(second.store.history_end(group) == Index(80));
}

TEST_CASE("history is archived by age, as the newest entry's stamp says") {
  MemoryDisk disk;
  SealedStore::Limits limits = test_limits();
  limits.history_age_max = nanoseconds(30'000);  // entries are 1000 apart
  StoreLife life(disk, UINT64_MAX, limits);
  life.newest = Stamp{40'000};
  REQUIRE(life.write(history(0, 20)));
  REQUIRE(life.write(history(20, 40)));
  CHECK(life.count(TraceKind::archived) == 0);
  life.newest = Stamp{50'000};
  REQUIRE(life.run());
  CHECK(life.count(TraceKind::archived) == 0);
  life.newest = Stamp{50'001};
  REQUIRE(life.run());
  CHECK(life.count(TraceKind::archived) == 1);
  CHECK(life.store.files().at(history(0, 20).header.name).archived);
  CHECK_FALSE(life.store.files().at(history(20, 40).header.name).archived);
}

std::vector<Entry> replayed(StoreLife& life, HistoryReplay& replay) {
  std::vector<Entry> entries;
  while (!replay.done() && replay.failure().empty()) {
    replay.pump(life.store, life.ops);
    if (!life.step()) break;
    for (const SealedStore::ReadChunk& chunk : life.store.take_chunks()) CHECK(replay.take(chunk, entries));
  }
  return entries;
}

TEST_CASE("replay from archive and history gives every committed entry in order, with one chain") {
  MemoryDisk disk;
  SealedStore::Limits limits = test_limits();
  limits.history_bytes_max = sealed_size(history(40, 60).header) + sealed_size(history(60, 80).header);
  StoreLife life(disk, UINT64_MAX, limits);
  for (const std::uint64_t last : {20, 40, 60, 80}) REQUIRE(life.write(history(last - 20, last)));
  REQUIRE(life.count(TraceKind::archived) == 2);
  HistoryReplay replay(group, 9);
  const std::vector<Entry> entries = replayed(life, replay);
  CHECK(replay.done());
  const std::vector<Entry> expected = made_up_entries(group, 80);
  REQUIRE(entries.size() == expected.size());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    CHECK(chain_head({}, entries[i]) == chain_head({}, expected[i]));
  }
  CHECK(replay.chain() == history(60, 80).header.chain_after);
  CHECK(replay.reached() == Index(80));
}

TEST_CASE("replay names what is missing in the middle, and waits for a damaged chunk") {
  MemoryDisk disk;
  StoreLife life(disk);
  REQUIRE(life.write(history(0, 20)));
  REQUIRE(life.write(history(40, 60)));
  HistoryReplay gap(group, 1);
  CHECK(replayed(life, gap).size() == 20);
  CHECK_THAT(gap.failure(), Contains(file_name(history(40, 60).header.name)) && Contains("missing"));
  CHECK(life.store.history_end(group) == Index(20));

  REQUIRE(life.fetch(history(20, 40)));
  disk.flip_bit(file_name(history(20, 40).header.name), block_size + test_chunk_size + 3, 2);
  HistoryReplay waiting(group, 2);
  const std::size_t before = replayed(life, waiting).size();
  CHECK(before < 40);
  CHECK_FALSE(waiting.done());
  CHECK(waiting.failure().empty());
  CHECK(life.store.missing(history(20, 40).header.name) == std::vector<std::uint32_t>{1});
  REQUIRE(life.repair(history(20, 40)));
  CHECK(before + replayed(life, waiting).size() == 60);
  CHECK(waiting.done());
}

SealedStore::ReadEntry read_one(StoreLife& life) {
  while (life.step()) {
  }
  std::vector<SealedStore::ReadEntry> entries = life.store.take_entries();
  REQUIRE(entries.size() == 1);
  return entries[0];
}

TEST_CASE("any entry is found by index and by position with a few reads of fixed size") {
  MemoryDisk disk;
  SealedStore::Limits limits = test_limits();
  limits.history_bytes_max = sealed_size(history(0, 300).header);
  StoreLife life(disk, UINT64_MAX, limits);
  REQUIRE(life.write(history(0, 300)));
  REQUIRE(life.write(history(300, 400)));
  REQUIRE(life.count(TraceKind::archived) == 1);
  Position position;
  for (const Entry& expected : made_up_entries(group, 400)) {
    const std::size_t words_before = life.words.size();
    life.store.read_entry(group, expected.index, 7, life.ops);
    const SealedStore::ReadEntry found = read_one(life);
    REQUIRE(found.entry.has_value());
    CHECK(chain_head({}, *found.entry) == chain_head({}, expected));
    CHECK(found.tag == 7);
    CHECK(life.words.size() - words_before <= 2 + 1 + 1300 / test_chunk_size + 1);
    const std::uint64_t events = made_up_positions(expected.kind, view(expected.payload));
    CHECK(found.last_position.value == position.value + events);
    for (std::uint64_t event = 0; event < events; ++event) {
      position = position.next();
      life.store.read_entry_at(group, position, 8, life.ops);
      const SealedStore::ReadEntry at_position = read_one(life);
      REQUIRE(at_position.entry.has_value());
      CHECK(at_position.entry->index == expected.index);
    }
  }
  life.store.read_entry(group, Index(401), 1, life.ops);
  CHECK_FALSE(read_one(life).entry.has_value());
  life.store.read_entry_at(group, position.next(), 1, life.ops);
  CHECK_FALSE(read_one(life).entry.has_value());
  life.store.read_entry(ShardId(2), Index(1), 1, life.ops);
  CHECK_FALSE(read_one(life).entry.has_value());
}

TEST_CASE("an entry is not believed from a damaged index or chunk; both are mended and it is found again") {
  const SealedName name = history(0, 300).header.name;
  MemoryDisk disk;
  StoreLife life(disk);
  REQUIRE(life.write(history(0, 300)));
  const Bytes index = disk.contents(index_file_name(name));
  disk.flip_bit(index_file_name(name), block_size + 100, 1);
  life.store.read_entry(group, Index(5), 1, life.ops);
  CHECK_FALSE(read_one(life).entry.has_value());
  REQUIRE(life.run());
  CHECK(disk.contents(index_file_name(name)) == index);
  life.store.read_entry(group, Index(5), 1, life.ops);
  CHECK(read_one(life).entry.has_value());

  disk.flip_bit(file_name(name), block_size + 10, 1);
  life.store.read_entry(group, Index(1), 1, life.ops);
  CHECK_FALSE(read_one(life).entry.has_value());
  CHECK(life.store.missing(name) == std::vector<std::uint32_t>{0});
  REQUIRE(life.repair(history(0, 300)));
  life.store.read_entry(group, Index(1), 1, life.ops);
  CHECK(read_one(life).entry.has_value());
}

TEST_CASE("a chunk that is not there is answered unsound at once") {
  MemoryDisk disk;
  StoreLife life(disk);
  REQUIRE(life.write(snapshot(40)));
  life.store.read_chunk(snapshot(40).header.name, 4, 1, life.ops);
  life.store.read_chunk(snapshot(41).header.name, 0, 2, life.ops);
  life.store.read_chunk(snapshot(40).header.name, 3, 3, life.ops);
  while (life.step()) {
  }
  const auto chunks = life.store.take_chunks();
  REQUIRE(chunks.size() == 3);
  CHECK_FALSE(chunks[0].sound);
  CHECK_FALSE(chunks[1].sound);
  CHECK(chunks[2].sound);
  CHECK(*chunks[2].bytes == snapshot(40).chunks[3]);
}

}  // namespace
}  // namespace coffer::log
