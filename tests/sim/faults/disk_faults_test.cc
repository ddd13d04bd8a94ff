#include <algorithm>
#include <bit>
#include <memory>
#include <set>
#include <sstream>
#include <string_view>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "sim/faults/disk_damage.h"
#include "sim/faults/faults.h"
#include "sim/run/run.h"
#include "sim/run/swarm.h"
#include "tests/sim/run/scenario_files.h"

namespace coffer::sim::faults {
namespace {

constexpr std::uint64_t blocks = 8;

/// Three nodes just started, whose disks hold some of each kind of file, of eight blocks, each block synced for itself:
/// the first sectors of it are not blank. The atlas is broken on purpose: these are no files a log would write.
struct Site {
  Site()
      : cluster(kernel, ClusterConfig{}, 1),
        roles(1),
        atlas(cluster, false, true),
        orders(1, 3, cluster.shards().front().members),
        arena{cluster, roles, atlas, orders, 0} {
    cluster.boot_all();
    for (std::uint32_t n = 1; n <= 3; ++n) {
      for (const char* name :
           {"hard-state", "history-000001-1", "index-1", "manifest", "snapshot-000001-1", "stream-000001"}) {
        fill(disk(n), name);
      }
    }
  }
  static void fill(Disk& disk, const std::string& name) {
    IoOp reserve{IoKind::reserve, IoToken(1), name};
    reserve.offset = blocks * block_size;
    disk.execute(reserve);
    for (std::uint64_t i = 0; i < blocks; ++i) {
      Bytes bytes(block_size);
      for (std::size_t at = 0; at < 3 * sector_size; ++at) bytes[at] = static_cast<std::byte>(1 + (at + i) % 250);
      IoOp write{IoKind::write, IoToken(1), name};
      write.offset = i * block_size;
      write.bytes = std::make_shared<const Bytes>(std::move(bytes));
      disk.execute(write);
      disk.execute({IoKind::sync, IoToken(1), name});
    }
    disk.execute({IoKind::sync_dir, IoToken(1), ""});
  }
  Disk& disk(std::uint32_t n) { return cluster.machine(NodeId(n)).disk(); }
  std::map<std::string, Bytes> durable(std::uint32_t n) {
    std::map<std::string, Bytes> files;
    for (const std::string& name : disk(n).durable_names()) {
      const ByteView bytes = *disk(n).durable(name);
      files[name].assign(bytes.begin(), bytes.end());
    }
    return files;
  }
  Struck strike(const FaultSpec& spec, std::uint64_t seed) {
    struck.spec = &spec;
    struck.serial = 77;
    struck.prng = Prng(seed);
    struck.lasts = spec.lasts_max;
    return find(spec.fault)->acts.strike(arena, struck);
  }

  Kernel kernel;
  Cluster cluster;
  Roles roles;
  Atlas atlas;
  Orders orders;
  Arena arena;
  Strike struck;
};

FaultSpec spec_of(const char* fault) {
  FaultSpec spec;
  spec.fault = fault;
  spec.target = {Who::node, NodeId(2), {}};
  spec.lasts_min = spec.lasts_max = milliseconds(100);
  return spec;
}

struct Change {
  std::string file;
  std::vector<std::uint64_t> places;
  int bits = 0;
};
std::vector<Change> changes(const std::map<std::string, Bytes>& before, const std::map<std::string, Bytes>& after) {
  std::vector<Change> all;
  REQUIRE(before.size() == after.size());
  for (const auto& [name, bytes] : before) {
    Change change{name, {}, 0};
    const Bytes& now = after.at(name);
    REQUIRE(now.size() == bytes.size());
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      if (bytes[i] == now[i]) continue;
      change.places.push_back(i);
      change.bits += std::popcount(static_cast<std::uint8_t>(bytes[i] ^ now[i]));
    }
    if (!change.places.empty()) all.push_back(std::move(change));
  }
  return all;
}

/// What striking node 2 with this changes on its disk; nothing on the others.
Change change_by(const FaultSpec& spec, std::uint64_t seed) {
  Site site;
  const auto before = site.durable(2);
  const auto others = std::pair(site.durable(1), site.durable(3));
  REQUIRE(site.strike(spec, seed) == Struck::yes);
  REQUIRE(site.struck.fired);
  REQUIRE(others == std::pair(site.durable(1), site.durable(3)));
  const std::vector<Change> all = changes(before, site.durable(2));
  REQUIRE(all.size() == 1);
  REQUIRE(site.disk(2).scarred(all[0].file));
  const std::vector<Notice> notices = site.cluster.take_notices();
  REQUIRE(std::count_if(notices.begin(), notices.end(), [&](const Notice& notice) {
            return notice.kind == Notice::Kind::damaged && notice.node == NodeId(2) && notice.file == all[0].file;
          }) == 1);
  return all[0];
}

TEST_CASE("bit_rot flips one to three bits close together, in files of every kind") {
  std::set<std::string> hit;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const Change change = change_by(spec_of("bit_rot"), seed);
    REQUIRE(change.bits >= 1);
    REQUIRE(change.bits <= 3);
    REQUIRE(change.places.back() - change.places.front() < 64);
    hit.insert(change.file);
  }
  REQUIRE(hit.size() == 6);
}

TEST_CASE("a fault of disks hits the files it is told to") {
  const std::pair<Files, const char*> rows[] = {
      {Files::stream, "stream-000001"}, {Files::hard_state, "hard-state"}, {Files::history, "history-000001-1"},
      {Files::index, "index-1"},        {Files::manifest, "manifest"},     {Files::snapshot, "snapshot-000001-1"},
  };
  for (const auto& [files, name] : rows) {
    FaultSpec spec = spec_of("bit_rot");
    spec.file = files;
    for (std::uint64_t seed = 0; seed < 5; ++seed) REQUIRE(change_by(spec, seed).file == name);
  }
}

TEST_CASE("latent_error makes whole sectors of one block zeros or garbage") {
  std::uint64_t zeros = 0;
  std::uint64_t garbage = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    FaultSpec spec = spec_of("latent_error");
    spec.file = Files::stream;
    Site site;
    const Bytes before = site.durable(2)["stream-000001"];
    if (site.strike(spec, seed) == Struck::no) continue;  // zeros where there were zeros
    const Bytes after = site.durable(2)["stream-000001"];
    std::set<std::uint64_t> sectors;
    for (std::uint64_t i = 0; i < before.size(); ++i) {
      if (before[i] != after[i]) sectors.insert(i / sector_size);
    }
    REQUIRE(*sectors.begin() / 8 == *sectors.rbegin() / 8);
    const auto from = after.begin() + static_cast<std::ptrdiff_t>(*sectors.begin() * sector_size);
    const bool blank = std::all_of(from, from + sector_size, [](std::byte byte) { return byte == std::byte{0}; });
    ++(blank ? zeros : garbage);
    // What the last sync wrote never vanishes without a trace.
    if (blank) REQUIRE(*sectors.begin() / 8 != blocks - 1);
  }
  REQUIRE(zeros > 5);
  REQUIRE(garbage > 5);
}

TEST_CASE("zeroed_tail takes the power, and the end of what was synced last, but not all of it") {
  std::set<std::size_t> lengths;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Site site;
    Site::fill(site.disk(2), "stream-000002");
    const auto before = site.durable(2);
    REQUIRE(site.strike(spec_of("zeroed_tail"), seed) == Struck::yes);
    REQUIRE(site.cluster.machine(NodeId(2)).life() == Life::down);
    const std::vector<Change> all = changes(before, site.durable(2));
    REQUIRE(all.size() == 1);
    REQUIRE(all[0].file == "stream-000002");
    const std::uint64_t end = (blocks - 1) * block_size + 3 * sector_size;
    REQUIRE(all[0].places.back() == end - 1);
    REQUIRE((all[0].places.size() == sector_size || all[0].places.size() == 2 * sector_size));
    REQUIRE(all[0].places.front() == end - all[0].places.size());
    lengths.insert(all[0].places.size());
    find("zeroed_tail")->acts.heal(site.arena, site.struck);
    REQUIRE(site.cluster.machine(NodeId(2)).life() == Life::up);
  }
  REQUIRE(lengths.size() == 2);
}

TEST_CASE("zeroed_tail waits for a write that can end in zeros and still show") {
  Site site;
  IoOp write{IoKind::write, IoToken(1), "stream-000001"};
  write.bytes = std::make_shared<const Bytes>(100, std::byte{9});
  site.disk(2).execute(write);
  site.disk(2).execute({IoKind::sync, IoToken(1), "stream-000001"});
  REQUIRE(site.strike(spec_of("zeroed_tail"), 1) == Struck::later);
  REQUIRE(site.cluster.machine(NodeId(2)).life() == Life::up);
}

TEST_CASE("damage may come with a loss of power, and its victim is started when the strike is over") {
  FaultSpec spec = spec_of("bit_rot");
  spec.crash = true;
  Site site;
  REQUIRE(site.strike(spec, 1) == Struck::yes);
  REQUIRE(site.cluster.machine(NodeId(2)).life() == Life::down);
  find("bit_rot")->acts.heal(site.arena, site.struck);
  REQUIRE(site.cluster.machine(NodeId(2)).life() == Life::up);
}

TEST_CASE("ambushes wait for the kind of file that was drawn; hard states go astray into the stream only") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Site site;
    FaultSpec spec = spec_of("misdirected_write");
    spec.file = Files::hard_state;
    REQUIRE(site.strike(spec, seed) == Struck::yes);
    REQUIRE_FALSE(site.struck.fired);
    const auto before = site.durable(2);
    IoOp write{IoKind::write, IoToken(1), "hard-state"};
    write.bytes = std::make_shared<const Bytes>(block_size, std::byte{200});
    site.disk(2).execute(write);
    site.disk(2).execute({IoKind::sync, IoToken(1), "hard-state"});
    REQUIRE(site.cluster.machine(NodeId(2)).take_disk_hits() == std::vector<DiskHit>{{77, "hard-state"}});
    const std::vector<Change> all = changes(before, site.durable(2));
    REQUIRE(all.size() == 1);
    REQUIRE(all[0].file == "stream-000001");
  }
}

TEST_CASE("an ambush is lifted when its strike is over") {
  for (const char* fault : {"misdirected_write", "misdirected_read", "stale_read", "fsync_error", "disk_full"}) {
    Site site;
    FaultSpec spec = spec_of(fault);
    REQUIRE(site.strike(spec, 1) == Struck::yes);
    find(fault)->acts.heal(site.arena, site.struck);
    for (const std::string& name : site.disk(2).names()) {
      IoOp write{IoKind::write, IoToken(1), name};
      write.offset = blocks * block_size - 1;
      write.bytes = std::make_shared<const Bytes>(2, std::byte{200});
      REQUIRE(site.disk(2).execute(write).status == IoStatus::ok);
      REQUIRE(site.disk(2).execute({IoKind::sync, IoToken(1), name}).status == IoStatus::ok);
      REQUIRE(*site.disk(2).execute({IoKind::read, IoToken(1), name}).bytes == *site.disk(2).find(name));
    }
    REQUIRE(site.cluster.machine(NodeId(2)).take_disk_hits().empty());
  }
}

// --- in whole worlds

std::vector<nlohmann::json> trace_of(const Scenario& scenario, std::uint64_t seed) {
  std::stringstream out;
  RunOptions options;
  options.trace_jsonl = &out;
  run(scenario, seed, options);
  std::vector<nlohmann::json> lines;
  for (std::string line; std::getline(out, line);) lines.push_back(nlohmann::json::parse(line));
  return lines;
}

TEST_CASE("every fault of disks really fires in its scenario") {
  for (const Row& row : table()) {
    if (!row.acts.of_disk) continue;
    const Scenario scenario = scenario_of("scenarios/faults/" + std::string(row.name) + ".json");
    std::uint64_t fired = 0;
    for (std::uint64_t seed = 1; seed <= 3; ++seed) fired += run(scenario, seed).faults.at(std::string(row.name));
    INFO(row.name);
    REQUIRE(fired > 0);
  }
}

TEST_CASE("damage in a world is told, and read when its node starts") {
  const Scenario scenario = scenario_of("scenarios/faults/bit_rot.json");
  std::uint64_t read = 0;
  for (std::uint64_t seed = 1; seed <= 3; ++seed) read += run(scenario, seed).sometimes.at("damage_read");
  REQUIRE(read > 0);
  bool told = false;
  for (const auto& line : trace_of(scenario, 1)) {
    told = told || line.value("machine", "").find(" damaged by bit_rot at byte ") != std::string::npos;
  }
  REQUIRE(told);
}

TEST_CASE("a node whose sync failed stops at once, and comes back after a power cut") {
  Scenario scenario = scenario_of("scenarios/faults/fsync_error.json");
  const RunResult result = run(scenario, scenario.seed);
  INFO(result.oracle << " " << result.reason);
  REQUIRE(result.verdict == Verdict::pass);
  REQUIRE(result.faults.at("fsync_error") > 3);
  std::uint64_t crashed = 0;
  for (const auto& line : trace_of(scenario, scenario.seed)) crashed += line.value("machine", "") == "crashed" ? 1 : 0;
  REQUIRE(crashed >= result.faults.at("fsync_error"));
}

TEST_CASE("slow and stuck disks delay, and nothing else") {
  for (const char* fault : {"slow_disk", "stuck_disk"}) {
    const Scenario scenario = scenario_of("scenarios/faults/" + std::string(fault) + ".json");
    const RunResult result = run(scenario, scenario.seed);
    INFO(fault << " " << result.oracle << " " << result.reason);
    REQUIRE(result.verdict == Verdict::pass);
    REQUIRE(result.faults.at(fault) > 3);
    REQUIRE(result.operations.succeeded > 100);
  }
}

TEST_CASE("a scenario may damage disks beyond what can be survived; its verdict says so") {
  Scenario scenario = scenario_of("scenarios/faults/bit_rot.json");
  scenario.faults[0].target = {Who::all, {}, {}};
  scenario.faults[0].count = 3;
  scenario.faults[0].file = Files::stream;
  const RunResult fair = run(scenario, 1);
  REQUIRE(fair.sometimes.at("damage_withheld") > 0);
  REQUIRE(fair.reason.find("by the scenario's wish") == std::string::npos);
  scenario.fair = false;
  const RunResult unfair = run(scenario, 1);
  REQUIRE(unfair.sometimes.at("damage_withheld") == 0);
  REQUIRE(unfair.verdict != Verdict::pass);
  REQUIRE(unfair.reason.find("by the scenario's wish") != std::string::npos);
}

TEST_CASE("the profile for storage draws every fault of disks, and some crashes in nearly every seed") {
  std::set<std::string> drawn;
  std::uint64_t with_crashes = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    const Scenario scenario = find_profile("storage")->draw(seed);
    bool crashes = false;
    for (const FaultSpec& spec : scenario.faults) {
      drawn.insert(spec.fault);
      crashes = crashes || !find(spec.fault)->acts.of_disk;
    }
    with_crashes += crashes ? 1 : 0;
    REQUIRE(scenario.fair);
    REQUIRE(scenario.tuning.segment_size <= 64u << 10);
  }
  REQUIRE(with_crashes > 95);
  for (const Row& row : table()) {
    if (row.acts.of_disk) REQUIRE(drawn.contains(std::string(row.name)));
  }
}

TEST_CASE("no other profile draws a fault of disks, but for those that draw everything") {
  const std::set<std::string_view> everything = {"attic", "membership_on_bad_disks", "single_faults",
                                                 "single_faults_long", "storage"};
  for (const Profile& profile : profiles()) {
    if (everything.contains(profile.name)) continue;
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
      for (const FaultSpec& spec : profile.draw(seed).faults) REQUIRE_FALSE(find(spec.fault)->acts.of_disk);
    }
  }
}

}  // namespace
}  // namespace coffer::sim::faults
