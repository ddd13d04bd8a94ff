#include <algorithm>
#include <memory>

#include <catch2/catch.hpp>
#include <rapidcheck.h>

#include "sim/models/disk.h"

namespace coffer::sim {
namespace {

SharedBytes filled(std::size_t size, int value) {
  return std::make_shared<const Bytes>(size, static_cast<std::byte>(value));
}
IoOp write(const std::string& file, std::uint64_t offset, SharedBytes bytes) {
  return {IoKind::write, IoToken(1), file, {}, offset, std::move(bytes)};
}
IoOp of(IoKind kind, const std::string& file, std::uint64_t offset = 0) { return {kind, IoToken(1), file, {}, offset}; }

constexpr std::size_t blocks = 8;

/// A disk with the synced file "log" of eight blocks: block i is full of i + 1, each synced for itself.
Disk with_log() {
  Disk disk;
  disk.execute(of(IoKind::reserve, "log", blocks * block_size));
  for (std::size_t i = 0; i < blocks; ++i) {
    disk.execute(write("log", i * block_size, filled(block_size, static_cast<int>(i) + 1)));
    disk.execute(of(IoKind::sync, "log"));
  }
  disk.execute(of(IoKind::sync_dir, ""));
  disk.take_newly_durable();
  return disk;
}
Bytes durable(const Disk& disk, const std::string& file = "log") {
  const ByteView bytes = disk.durable(file).value();
  return {bytes.begin(), bytes.end()};
}
Bytes read(Disk& disk, const std::string& file = "log") { return *disk.execute(of(IoKind::read, file)).bytes; }
void lose_all(Disk& disk) {
  Prng prng(1);
  disk.lose_power({1000, 0}, prng);
}
/// Places in which the two differ.
std::vector<std::size_t> differences(const Bytes& a, const Bytes& b) {
  REQUIRE(a.size() == b.size());
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] != b[i]) places.push_back(i);
  }
  return places;
}
using Hits = std::vector<DiskHit>;
using Strikes = std::vector<std::uint64_t>;

TEST_CASE("damage changes durable bytes, and a reader sees it") {
  Disk disk = with_log();
  disk.damage("log", 5000, *filled(3, 99), 7);
  REQUIRE(differences(durable(disk), durable(with_log())) == std::vector<std::size_t>{5000, 5001, 5002});
  REQUIRE(read(disk) == durable(disk));
  REQUIRE(disk.take_newly_durable() == std::vector<std::string>{"log"});
  lose_all(disk);
  REQUIRE(durable(disk)[5000] == std::byte{99});
  REQUIRE_THROWS_AS(disk.damage("log", blocks * block_size - 1, *filled(2, 1), 8), CheckFailure);
  REQUIRE_THROWS_AS(disk.damage("nothing", 0, *filled(2, 1), 8), CheckFailure);
}

TEST_CASE("what is written over damage hides it, and is rid of it once synced") {
  Disk disk = with_log();
  disk.damage("log", 5000, *filled(3, 99), 7);
  disk.execute(write("log", block_size, filled(block_size, 50)));
  REQUIRE(read(disk)[5000] == std::byte{50});
  REQUIRE(disk.scarred("log"));
  disk.execute(of(IoKind::sync, "log"));
  REQUIRE_FALSE(disk.scarred("log"));
  lose_all(disk);
  REQUIRE(read(disk)[5000] == std::byte{50});
}

TEST_CASE("what is written over a part of damage leaves the rest of it, even where it writes the very bytes") {
  Disk disk = with_log();
  disk.damage("log", 0, *filled(3 * block_size, 0), 7);
  disk.execute(write("log", block_size, filled(block_size, 0)));
  disk.execute(of(IoKind::sync, "log"));
  REQUIRE(disk.scarred("log"));
  disk.execute(write("log", 0, filled(block_size, 0)));
  disk.execute(of(IoKind::sync, "log"));
  REQUIRE(disk.scarred("log"));
  disk.execute(write("log", 2 * block_size, filled(block_size, 0)));
  REQUIRE(disk.scarred("log"));
  disk.execute(of(IoKind::sync, "log"));
  REQUIRE_FALSE(disk.scarred("log"));
}

TEST_CASE("damage under an unsynced write is there again when the write is lost") {
  Disk disk = with_log();
  disk.execute(write("log", block_size, filled(block_size, 50)));
  disk.damage("log", 5000, *filled(3, 99), 7);
  REQUIRE(read(disk)[5000] == std::byte{50});
  lose_all(disk);
  REQUIRE(read(disk)[5000] == std::byte{99});
}

TEST_CASE("a disk tells once whose damage has been read, and only when that part was") {
  Disk disk = with_log();
  disk.damage("log", 5000, *filled(3, 99), 7);
  IoOp first_block = of(IoKind::read, "log");
  first_block.length = block_size;
  disk.execute(first_block);
  REQUIRE(disk.take_scars_read().empty());
  disk.execute(of(IoKind::read, "log"));
  REQUIRE(disk.take_scars_read() == Strikes{7});
  disk.execute(of(IoKind::read, "log"));
  REQUIRE(disk.take_scars_read().empty());
}

TEST_CASE("damage goes with the name of its file, and not before") {
  Disk disk = with_log();
  disk.damage("log", 5000, *filled(3, 99), 7);
  disk.execute({IoKind::rename, IoToken(1), "log", "damaged-log"});
  REQUIRE(disk.scarred("log"));
  disk.execute(of(IoKind::sync_dir, ""));
  REQUIRE_FALSE(disk.scarred("log"));
  REQUIRE(disk.scarred("damaged-log"));
}

TEST_CASE("a sync that fails has made nothing durable, readers see the bytes all the same, and no later sync helps") {
  Disk disk = with_log();
  disk.lay({9, DiskTrouble::fail_sync});
  disk.execute(write("log", 0, filled(100, 60)));
  REQUIRE(disk.execute(of(IoKind::sync, "log")).status == IoStatus::failed);
  REQUIRE(disk.take_hits() == Hits{{9, "log"}});
  REQUIRE(read(disk)[0] == std::byte{60});
  REQUIRE(durable(disk) == durable(with_log()));
  SECTION("a second sync says ok, and lies") {
    REQUIRE(disk.execute(of(IoKind::sync, "log")).status == IoStatus::ok);
    REQUIRE(durable(disk) == durable(with_log()));
    REQUIRE(read(disk)[0] == std::byte{60});
  }
  SECTION("a power cut takes them, whatever the policy") {
    Prng prng(1);
    REQUIRE(disk.lose_power({0, 0}, prng).lost == 1);
    REQUIRE(read(disk) == durable(with_log()));
  }
  SECTION("what is written again becomes durable") {
    disk.execute(write("log", 50, filled(100, 61)));
    REQUIRE(disk.execute(of(IoKind::sync, "log")).status == IoStatus::ok);
    REQUIRE(durable(disk)[0] == std::byte{1});
    REQUIRE(durable(disk)[50] == std::byte{61});
  }
}

TEST_CASE("an ambush waits for the files it names, and is gone when its strike is over") {
  Disk disk = with_log();
  disk.lay({9, DiskTrouble::fail_sync, "hard-"});
  disk.execute(write("log", 0, filled(100, 60)));
  REQUIRE(disk.execute(of(IoKind::sync, "log")).status == IoStatus::ok);
  disk.execute(write("hard-state", 0, filled(100, 60)));
  disk.heal(9);
  REQUIRE(disk.execute(of(IoKind::sync, "hard-state")).status == IoStatus::ok);
  REQUIRE(disk.take_hits().empty());
}

TEST_CASE("a failed sync of the directory leaves its names to the next power cut") {
  Disk disk;
  disk.execute(write("new", 0, filled(10, 1)));
  disk.execute(of(IoKind::sync, "new"));
  disk.lay({9, DiskTrouble::fail_sync});
  REQUIRE(disk.execute(of(IoKind::sync_dir, "")).status == IoStatus::failed);
  REQUIRE(disk.durable_names().empty());
}

TEST_CASE("a misdirected write lands elsewhere in its file, and its own place keeps the old bytes") {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Disk disk = with_log();
    disk.lay({9, DiskTrouble::misdirect_write, "log", "", Prng(seed)});
    REQUIRE(disk.execute(write("log", 2 * block_size, filled(block_size, 70))).status == IoStatus::ok);
    REQUIRE(disk.execute(of(IoKind::sync, "log")).status == IoStatus::ok);
    REQUIRE(disk.take_hits() == Hits{{9, "log"}});
    const std::vector<std::size_t> changed = differences(durable(disk), durable(with_log()));
    REQUIRE(changed.size() == block_size);
    REQUIRE(changed.front() % block_size == 0);
    REQUIRE(changed.front() != 2 * block_size);
    REQUIRE(durable(disk)[changed.front()] == std::byte{70});
    REQUIRE(read(disk) == durable(disk));
    disk.execute(write("log", changed.front(), filled(block_size, 71)));
    disk.execute(of(IoKind::sync, "log"));
    REQUIRE(disk.scarred("log"));  // the place it was meant for
    disk.execute(write("log", 2 * block_size, filled(block_size, 72)));
    disk.execute(of(IoKind::sync, "log"));
    REQUIRE_FALSE(disk.scarred("log"));
  }
}

TEST_CASE("a misdirected write may land in another file") {
  Disk disk = with_log();
  disk.execute(write("hard-state", 0, filled(2 * block_size, 5)));
  disk.execute(of(IoKind::sync, "hard-state"));
  disk.execute(of(IoKind::sync_dir, ""));
  disk.lay({9, DiskTrouble::misdirect_write, "hard-state", "log", Prng(3)});
  disk.execute(write("hard-state", 0, filled(block_size, 6)));
  disk.execute(of(IoKind::sync, "hard-state"));
  REQUIRE(durable(disk, "hard-state") == *filled(2 * block_size, 5));
  REQUIRE(differences(durable(disk), durable(with_log())).size() == block_size);
  REQUIRE(disk.scarred("log"));
  REQUIRE(disk.scarred("hard-state"));
}

TEST_CASE("a write that makes its file grow goes where it should") {
  Disk disk = with_log();
  disk.lay({9, DiskTrouble::misdirect_write, "log"});
  disk.execute(write("log", blocks * block_size, filled(block_size, 70)));
  REQUIRE(disk.take_hits().empty());
  REQUIRE(read(disk)[blocks * block_size] == std::byte{70});
}

TEST_CASE("a misdirected read puts another block in the place of one, once") {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Disk disk = with_log();
    disk.lay({9, DiskTrouble::misdirect_read, "log", "", Prng(seed)});
    const Bytes wrong = read(disk);
    REQUIRE(disk.take_hits() == Hits{{9, "log"}});
    const std::vector<std::size_t> changed = differences(wrong, durable(disk));
    REQUIRE(changed.size() == block_size);
    REQUIRE(changed.front() % block_size == 0);
    REQUIRE(read(disk) == durable(disk));
  }
}

TEST_CASE("a stale read shows one sector as it was before, and never one that the last sync wrote") {
  std::size_t hits = 0;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    Disk disk = with_log();
    disk.execute(write("log", block_size, filled(block_size, 50)));
    disk.execute(of(IoKind::sync, "log"));
    disk.execute(write("log", 0, filled(block_size, 51)));
    disk.execute(of(IoKind::sync, "log"));
    disk.lay({9, DiskTrouble::stale_read, "log", "", Prng(seed)});
    const Bytes wrong = read(disk);
    const std::vector<std::size_t> changed = differences(wrong, durable(disk));
    if (disk.take_hits().empty()) {
      REQUIRE(changed.empty());
      continue;
    }
    ++hits;
    REQUIRE(changed.size() == sector_size);
    REQUIRE(changed.front() % sector_size == 0);
    REQUIRE(changed.front() >= block_size);
    // Zeros were there before the first write, a 2 before the second of block 1.
    const bool zero = wrong[changed.front()] == std::byte{0};
    REQUIRE((zero || (wrong[changed.front()] == std::byte{2} && changed.front() < 2 * block_size)));
    REQUIRE(read(disk) == durable(disk));
  }
  REQUIRE(hits > 80);
}

TEST_CASE("on a full disk nothing grows, and what was reserved can be written and synced") {
  Disk disk = with_log();
  disk.fill(9);
  REQUIRE(disk.execute(write("log", 0, filled(100, 80))).status == IoStatus::ok);
  REQUIRE(disk.execute(of(IoKind::reserve, "log", blocks * block_size)).status == IoStatus::ok);
  REQUIRE(disk.execute(of(IoKind::sync, "log")).status == IoStatus::ok);
  REQUIRE(disk.take_hits().empty());
  REQUIRE(disk.execute(write("log", blocks * block_size - 1, filled(2, 80))).status == IoStatus::no_space);
  REQUIRE(disk.execute(of(IoKind::reserve, "log", blocks * block_size + 1)).status == IoStatus::no_space);
  REQUIRE(disk.execute(write("new", 0, filled(1, 80))).status == IoStatus::no_space);
  REQUIRE(disk.find("new") == nullptr);
  REQUIRE(disk.find("log")->size() == blocks * block_size);
  REQUIRE(disk.take_hits() == Hits{{9, "log"}, {9, "log"}, {9, "new"}});
  REQUIRE(disk.execute(of(IoKind::remove, "log")).status == IoStatus::ok);
  disk.heal(9);
  REQUIRE(disk.execute(write("new", 0, filled(1, 80))).status == IoStatus::ok);
}

TEST_CASE("a disk knows what the last sync of a file wrote") {
  Disk disk = with_log();
  const Disk::LastSync first = disk.last_sync("log");
  REQUIRE(first.written.size() == 1);
  REQUIRE(first.written[0].offset == (blocks - 1) * block_size);
  REQUIRE(first.written[0].length == block_size);
  disk.execute(of(IoKind::sync, "log"));
  REQUIRE(disk.last_sync("log").when == first.when);
  disk.execute(write("log", 0, filled(10, 80)));
  disk.execute(write("log", 100, filled(10, 80)));
  disk.execute(of(IoKind::sync, "log"));
  REQUIRE(disk.last_sync("log").when > first.when);
  REQUIRE(disk.last_sync("log").written.size() == 2);
  REQUIRE(disk.last_sync("nothing").when == 0);
}

TEST_CASE("a file whose damage leaves it no second chance loses writes whole") {
  std::uint64_t lost = 0;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    Disk disk = with_log();
    disk.execute(write("log", 0, filled(2 * block_size, 90)));
    Prng prng(seed);
    const Damage damage = disk.lose_power({0, 800, "log"}, prng);
    REQUIRE(damage.torn == 0);
    const std::size_t changed = differences(read(disk), durable(with_log())).size();
    REQUIRE((changed == 0 || changed == 2 * block_size));
    lost += damage.lost;
  }
  REQUIRE(lost > 50);
  REQUIRE(lost < 100);
}

TEST_CASE("property: an honest disk has no scars and nothing to tell") {
  REQUIRE(rc::check("property: honest by default", [](const std::vector<std::pair<std::uint16_t, bool>>& ops) {
    Disk disk = with_log();
    for (const auto& [offset, sync] : ops) {
      disk.execute(write("log", offset % 9000, filled(1500, offset % 200)));
      if (sync) disk.execute(of(IoKind::sync, "log"));
    }
    RC_ASSERT(read(disk) == *disk.find("log"));
    RC_ASSERT(!disk.scarred("log"));
    RC_ASSERT(disk.take_hits().empty());
    RC_ASSERT(disk.take_scars_read().empty());
  }));
}

}  // namespace
}  // namespace coffer::sim
