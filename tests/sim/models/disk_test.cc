#include "sim/models/disk.h"

#include <algorithm>
#include <memory>

#include <catch2/catch.hpp>
#include <rapidcheck.h>

namespace coffer::sim {
namespace {

SharedBytes filled(std::size_t size, int value) {
  return std::make_shared<const Bytes>(size, static_cast<std::byte>(value));
}
IoOp write(const std::string& file, std::uint64_t offset, SharedBytes bytes) {
  return {IoKind::write, IoToken(1), file, {}, offset, std::move(bytes)};
}
IoOp of(IoKind kind, const std::string& file, std::uint64_t offset = 0) { return {kind, IoToken(1), file, {}, offset}; }
IoOp rename(const std::string& from, const std::string& to) { return {IoKind::rename, IoToken(1), from, to}; }

constexpr DamagePolicy lose_all{1000, 0};
constexpr DamagePolicy tear_all{0, 1000};
constexpr DamagePolicy keep_all{0, 0};

/// A disk with the synced file "log" of this size, full of ones.
Disk with_log(std::size_t size) {
  Disk disk;
  disk.execute(write("log", 0, filled(size, 1)));
  disk.execute(of(IoKind::sync, "log"));
  disk.execute(of(IoKind::sync_dir, ""));
  return disk;
}

TEST_CASE("a reader sees unsynced writes, and zeros where nothing was written") {
  Disk disk;
  disk.execute(write("log", 4, filled(2, 7)));
  const IoResult read = disk.execute(of(IoKind::read, "log"));
  REQUIRE(read.status == IoStatus::ok);
  REQUIRE(*read.bytes == Bytes{std::byte{0}, std::byte{0}, std::byte{0}, std::byte{0}, std::byte{7}, std::byte{7}});
  REQUIRE(disk.execute(of(IoKind::read, "nothing")).status == IoStatus::not_found);
}

TEST_CASE("what was synced survives a power cut, whatever the policy") {
  for (const DamagePolicy& policy : {lose_all, tear_all, keep_all}) {
    Disk disk = with_log(5000);
    Prng prng(1);
    const Damage damage = disk.lose_power(policy, prng);
    REQUIRE(damage.lost + damage.torn + damage.names == 0);
    REQUIRE(*disk.find("log") == *filled(5000, 1));
  }
}

TEST_CASE("an unsynced write may be lost, and the old bytes stand there again") {
  Disk disk = with_log(5000);
  disk.execute(write("log", 100, filled(1000, 2)));
  disk.execute(write("log", 4900, filled(1000, 3)));
  REQUIRE(disk.unsynced_writes() == 2);
  Prng prng(1);
  REQUIRE(disk.lose_power(lose_all, prng).lost == 2);
  REQUIRE(*disk.find("log") == *filled(5000, 1));
  REQUIRE_FALSE(disk.has_unsynced_writes());
}

TEST_CASE("a torn write is torn at sector boundaries only") {
  std::uint64_t torn = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Disk disk = with_log(8192);
    disk.execute(write("log", 700, filled(3000, 2)));
    Prng prng(seed);
    torn += disk.lose_power(tear_all, prng).torn;
    const Bytes& data = *disk.find("log");
    REQUIRE(data.size() == 8192);
    for (std::size_t i = 0; i < data.size(); ++i) {
      const bool written = i >= 700 && i < 3700;
      if (!written) REQUIRE(data[i] == std::byte{1});
      const std::size_t sector = i / sector_size * sector_size;
      if (written && sector >= 700) REQUIRE(data[i] == data[sector]);
    }
  }
  REQUIRE(torn > 150);
}

TEST_CASE("a write within one sector is never torn") {
  Disk disk = with_log(1024);
  disk.execute(write("log", 10, filled(100, 2)));
  Prng prng(1);
  REQUIRE(disk.lose_power(tear_all, prng).torn == 0);
}

TEST_CASE("any subset of the unsynced writes may survive: a later one without an earlier one") {
  bool later_alone = false;
  bool earlier_alone = false;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Disk disk = with_log(2048);
    disk.execute(write("log", 0, filled(512, 2)));
    disk.execute(write("log", 512, filled(512, 3)));
    Prng prng(seed);
    disk.lose_power({500, 0}, prng);
    const Bytes& data = *disk.find("log");
    later_alone = later_alone || (data[0] == std::byte{1} && data[512] == std::byte{3});
    earlier_alone = earlier_alone || (data[0] == std::byte{2} && data[512] == std::byte{1});
  }
  REQUIRE(later_alone);
  REQUIRE(earlier_alone);
}

TEST_CASE("the name of a new file may vanish until the directory is synced, its synced data with it") {
  Disk disk;
  disk.execute(write("new", 0, filled(10, 1)));
  disk.execute(of(IoKind::sync, "new"));
  bool vanished = false;
  for (std::uint64_t seed = 0; seed < 20 && !vanished; ++seed) {
    Disk copy = disk;
    Prng prng(seed);
    vanished = copy.lose_power(lose_all, prng).names == 1;
    REQUIRE((copy.find("new") == nullptr) == vanished);
  }
  REQUIRE(vanished);
  disk.execute(of(IoKind::sync_dir, ""));
  Prng prng(1);
  disk.lose_power(lose_all, prng);
  REQUIRE(disk.find("new") != nullptr);
}

TEST_CASE("a rename is there wholly or not at all, and the old target comes back with it") {
  std::size_t renamed = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    Disk disk = with_log(10);
    disk.execute(write("next", 0, filled(20, 2)));
    disk.execute(of(IoKind::sync, "next"));
    disk.execute(of(IoKind::sync_dir, ""));
    disk.execute(rename("next", "log"));
    REQUIRE(disk.find("log")->size() == 20);
    Prng prng(seed);
    disk.lose_power(lose_all, prng);
    REQUIRE(disk.find("log") != nullptr);
    const bool done = disk.find("next") == nullptr;
    REQUIRE(disk.find("log")->size() == (done ? 20u : 10u));
    renamed += done ? 1 : 0;
  }
  REQUIRE(renamed > 0);
  REQUIRE(renamed < 40);
}

TEST_CASE("a removed file is back after a power cut if the directory was not synced") {
  Disk disk = with_log(10);
  disk.execute(of(IoKind::remove, "log"));
  REQUIRE(disk.find("log") == nullptr);
  std::size_t back = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Disk copy = disk;
    Prng prng(seed);
    copy.lose_power(lose_all, prng);
    back += copy.find("log") != nullptr ? 1 : 0;
  }
  REQUIRE(back > 0);
  disk.execute(of(IoKind::sync_dir, ""));
  Prng prng(1);
  disk.lose_power(lose_all, prng);
  REQUIRE(disk.find("log") == nullptr);
}

TEST_CASE("reserved space reads as zeros, and goes with the power unless synced") {
  Disk disk = with_log(100);
  disk.execute(of(IoKind::reserve, "log", 4096));
  REQUIRE(disk.find("log")->size() == 4096);
  REQUIRE((*disk.find("log"))[4095] == std::byte{0});
  disk.execute(of(IoKind::reserve, "log", 50));
  REQUIRE(disk.find("log")->size() == 4096);
  Prng prng(1);
  Disk copy = disk;
  copy.lose_power(lose_all, prng);
  REQUIRE(copy.find("log")->size() == 100);
  disk.execute(of(IoKind::sync, "log"));
  disk.lose_power(lose_all, prng);
  REQUIRE(disk.find("log")->size() == 4096);
}

TEST_CASE("durable bytes are those of the last sync, under a name that is durable too") {
  Disk disk;
  disk.execute(write("log", 0, filled(100, 1)));
  disk.execute(of(IoKind::sync, "log"));
  REQUIRE_FALSE(disk.durable("log").has_value());
  REQUIRE(disk.durable_names().empty());
  disk.execute(of(IoKind::sync_dir, ""));
  REQUIRE(disk.durable_names() == std::vector<std::string>{"log"});
  const auto durable = [&] {
    const ByteView bytes = disk.durable("log").value();
    return Bytes(bytes.begin(), bytes.end());
  };
  REQUIRE(durable() == *filled(100, 1));
  SECTION("a write behind them") {
    disk.execute(write("log", 100, filled(50, 2)));
    REQUIRE(durable() == *filled(100, 1));
    disk.execute(of(IoKind::sync, "log"));
    REQUIRE(durable().size() == 150);
  }
  SECTION("a write into them, and one into that") {
    disk.execute(write("log", 90, filled(20, 2)));
    disk.execute(write("log", 80, filled(20, 3)));
    REQUIRE(durable() == *filled(100, 1));
    REQUIRE((*disk.find("log"))[85] == std::byte{3});
  }
  SECTION("another file that takes the name") {
    disk.execute(write("new", 0, filled(7, 4)));
    disk.execute(of(IoKind::sync, "new"));
    disk.execute(rename("new", "log"));
    REQUIRE(durable() == *filled(100, 1));
    disk.execute(of(IoKind::sync_dir, ""));
    REQUIRE(durable() == *filled(7, 4));
  }
}

TEST_CASE("a disk names each file whose durable bytes have changed, once") {
  using Names = std::vector<std::string>;
  Disk disk = with_log(100);
  disk.take_newly_durable();
  disk.execute(write("log", 0, filled(10, 2)));
  REQUIRE(disk.take_newly_durable().empty());
  disk.execute(of(IoKind::sync, "log"));
  REQUIRE(disk.take_newly_durable() == Names{"log"});
  REQUIRE(disk.take_newly_durable().empty());
  disk.execute(rename("log", "old"));
  disk.execute(of(IoKind::sync_dir, ""));
  REQUIRE(disk.take_newly_durable() == Names{"log", "old"});
  disk.execute(write("old", 0, filled(10, 3)));
  Prng prng(1);
  disk.lose_power(keep_all, prng);
  REQUIRE(disk.take_newly_durable() == Names{"old"});
}

TEST_CASE("property: durable bytes are what a power cut leaves that loses everything else") {
  REQUIRE(rc::check("property: durable is what is left", [](const std::vector<std::pair<std::uint16_t, bool>>& ops) {
    Disk disk = with_log(5000);
    int value = 2;
    for (const auto& [offset, sync] : ops) {
      disk.execute(write("log", offset % 9000, filled(1500, value++ % 200)));
      if (sync) disk.execute(of(IoKind::sync, "log"));
    }
    const ByteView view = disk.durable("log").value();
    const Bytes durable(view.begin(), view.end());
    Prng prng(1);
    disk.lose_power(lose_all, prng);
    RC_ASSERT(*disk.find("log") == durable);
  }));
}

TEST_CASE("syncing, renaming or removing what is not there says so") {
  Disk disk;
  REQUIRE(disk.execute(of(IoKind::sync, "x")).status == IoStatus::not_found);
  REQUIRE(disk.execute(of(IoKind::remove, "x")).status == IoStatus::not_found);
  REQUIRE(disk.execute(rename("x", "y")).status == IoStatus::not_found);
}

TEST_CASE("property: a power cut that keeps everything changes nothing a reader sees") {
  REQUIRE(rc::check("property: keep_all is the identity",
                    [](const std::vector<std::pair<std::uint16_t, std::uint8_t>>& writes) {
                      Disk disk;
                      for (const auto& [offset, size] : writes) disk.execute(write("f", offset, filled(size, size)));
                      if (disk.find("f") == nullptr) return;
                      const Bytes before = *disk.find("f");
                      Prng prng(1);
                      disk.lose_power(keep_all, prng);
                      RC_ASSERT(*disk.find("f") == before);
                    }));
}

TEST_CASE("property: each byte after a power cut is the old one or one that was written there") {
  REQUIRE(
      rc::check("property: no byte from nowhere", [](std::uint64_t seed, const std::vector<std::uint16_t>& offsets) {
        Disk disk = with_log(70'000);
        int value = 2;
        for (const std::uint16_t offset : offsets) disk.execute(write("log", offset, filled(1500, value++ % 200)));
        const Bytes written = *disk.find("log");
        Prng prng(seed);
        disk.lose_power({300, 400}, prng);
        const Bytes& after = *disk.find("log");
        RC_ASSERT(after.size() == written.size());
        for (std::size_t i = 0; i < after.size(); ++i) {
          const bool touched = std::any_of(offsets.begin(), offsets.end(),
                                           [&](std::uint16_t offset) { return i >= offset && i < offset + 1500u; });
          if (!touched) RC_ASSERT(after[i] == std::byte{1});
        }
      }));
}

}  // namespace
}  // namespace coffer::sim
