// Every way a node's files can be damaged, on real processes: each row either recovers with nothing acknowledged lost,
// or is refused with a message that names the file, the position and what to do (docs/FORMATS.md, Recovery).
#include <catch2/catch.hpp>

#include "tests/cli/acknowledged_load.h"
#include "tests/cli/damage.h"
#include "tests/cli/served_cluster.h"

using namespace coffer;
using test::AcknowledgedLoad;
using test::Damage;
using test::eventually;
using test::ServedCluster;
namespace damage = test::damage;

namespace {

constexpr int victim = 2;  ///< of three; the only one of one
constexpr int shards = 2;

enum class Expect {
  recovers,  ///< and then carries the cluster with one other: what it answers is what was acknowledged
  refuses,   ///< ends with exit code 1 and `says`, having changed nothing; the others go on
};

struct Row {
  std::string what;
  Damage damage;
  Expect expect = Expect::recovers;
  std::vector<std::string> says = {};  ///< in the victim's log
  int nodes = 3;
  std::function<void(const std::string& directory)> confine = {};  ///< in the victim's process, at its start
};

std::string nothing(const std::string&) { return {}; }

const std::vector<std::string> lost_votes = {"hard-state at byte ", "lost its votes", "coffer join --replace"};

std::vector<Row> rows() {
  return {
      {"nothing at all", nothing},
      // a flipped byte
      {"a flipped byte in the last frame", damage::in_last_frame},
      {"a flipped byte in the last frame with records", damage::in_last_frame_with_records},
      {"a flipped byte in the middle of the stream", damage::in_middle_frame},
      {"a flipped byte in the header of a segment", damage::flip_at("stream-", 0)},
      {"a flipped byte in one copy of the hard state", [](const auto& d) { return damage::in_hard_state(d, 1); }},
      {"a flipped byte in both copies of the hard state", [](const auto& d) { return damage::in_hard_state(d, 2); },
       Expect::refuses, lost_votes},
      {"a flipped byte in history", damage::flip_at("history-", 500)},
      {"a flipped byte in the header of history", damage::flip_at("history-", 0)},
      {"a flipped byte in the table of history", damage::flip_at("history-", 999)},
      {"a flipped byte in an index", damage::flip_at("index-", 500)},
      {"a flipped byte in a snapshot", damage::flip_at("snapshot-", 500)},
      {"a flipped byte in the header of a snapshot", damage::flip_at("snapshot-", 0)},
      {"a flipped byte in the manifest", damage::flip_at("manifest", 500)},
      {"a flipped byte in the list of peers", damage::flip_at("peers.json", 500)},
      // a truncated file
      {"a segment cut in its last frame", damage::cut_in_last_frame},
      {"the last segment cut to nothing", damage::cut_to("stream-", 0)},
      {"a hard state cut to its first copy", damage::cut_to("hard-state", 500)},
      {"a hard state cut to nothing", damage::cut_to("hard-state", 0), Expect::refuses, lost_votes},
      {"a history file cut", damage::cut_to("history-", 500)},
      {"an index cut", damage::cut_to("index-", 500)},
      {"a snapshot cut", damage::cut_to("snapshot-", 500)},
      {"a manifest cut", damage::cut_to("manifest", 500)},
      // a missing file
      {"no hard state", damage::remove_all("hard-state"), Expect::refuses, lost_votes},
      {"no stream", damage::remove_all("stream-"), Expect::refuses, {"stream-", "at byte ", "coffer join --replace"}},
      {"no newest history file", damage::remove_last("history-")},
      {"no oldest history file", damage::remove_first("history-")},
      {"no index", damage::remove_all("index-")},
      {"no newest snapshot", damage::remove_last("snapshot-")},
      {"no manifest", damage::remove_all("manifest")},
      {"no list of peers", damage::remove_all("peers.json")},
      {"nothing left", damage::remove_all(""), Expect::refuses, {"missing or empty", "coffer join --replace 2"}},
      // a full file system, a read-only directory
      {"a full file system", nothing, Expect::recovers, {}, 3, test::confined::full},
      {"a read-only directory",
       nothing,
       Expect::refuses,
       {"cannot be opened for writing", "remount"},
       3,
       test::confined::read_only},
      // nobody to ask
      {"a flipped byte in one copy of the hard state, alone",
       [](const auto& d) { return damage::in_hard_state(d, 1); },
       Expect::recovers,
       {},
       1},
      {"a flipped byte in the middle of the stream, alone",
       damage::in_middle_frame,
       Expect::refuses,
       {"stream-", "at byte "},
       1},
      {"a flipped byte in an index, alone", damage::flip_at("index-", 500), Expect::recovers, {}, 1},
      {"a flipped byte in the manifest, alone", damage::flip_at("manifest", 500), Expect::recovers, {}, 1},
  };
}

/// A cluster with money moved through it, stopped; each row gets a copy.
struct Original {
  explicit Original(int nodes) : ports(ServedCluster::free_ports(nodes)) {
    ServedCluster cluster(home.path() + "/cluster", ports);
    const bool begun = cluster.found(shards);
    cluster.start_all();
    good = begun && cluster.are_ready(cluster.nodes()) && load.begin(cluster);
    // Until every shard has snapshots and history, and then some that are in neither.
    const int last = cluster.nodes().back();
    while (good && load.moved() < 4000 && damage::names(cluster.directory(last), "history-").size() < 2 * shards) {
      good = load.move(cluster, 400);
    }
    good = good && load.move(cluster, 60);
    test::pause_ms(300);  // what follows by itself at rest: the mark of an idle stream
    cluster.stop_all(SIGKILL);
    for (const int node : cluster.nodes()) {  // as if a fourth node had introduced itself
      std::ofstream(cluster.directory(node) + "/peers.json") << R"({"nodes": []})";
    }
  }
  std::string copy(const std::string& to) const {
    std::filesystem::copy(home.path() + "/cluster", to, std::filesystem::copy_options::recursive);
    return to;
  }

  test::Directory home;
  ServedCluster::NodePorts ports;
  AcknowledgedLoad load;
  bool good = false;
};

/// Names and contents, without what a start may touch.
std::map<std::string, std::string> files_in(const std::string& directory) {
  std::map<std::string, std::string> files;
  for (const std::string& name : damage::names(directory, "")) {
    if (name != "lock") {
      files[name] = test::content_of(directory + "/" + name);
    }
  }
  return files;
}

std::vector<int> without(std::vector<int> nodes, int gone) {
  std::erase(nodes, gone);
  return nodes;
}

/// The victim knows what the others know, and is sure of it.
bool has_caught_up(ServedCluster& cluster, int node) {
  return eventually([&] {
    const bool sure = cluster.status(node).find("\"uncertain\":true") == std::string::npos;
    for (const int other : cluster.nodes()) {
      if (cluster.commits(other) != cluster.commits(node)) {
        return false;
      }
    }
    return sure && !cluster.commits(node).empty();
  });
}

/// Empty, or what is wrong.
std::string walk_recovery(const Row& row, ServedCluster& cluster, AcknowledgedLoad load, int node) {
  if (!cluster.are_ready(cluster.nodes())) {
    return "the cluster is not ready; the victim says: " + cluster.log(node);
  }
  if (const std::string lost = load.missing(cluster, cluster.nodes()); !lost.empty()) {
    return lost;
  }
  if (row.confine) {
    if (!load.move(cluster, 300)) {  // more than the room reserved ahead
      return "the others do not go on while the victim's disk is full: " + cluster.log(node);
    }
    const std::string room = test::confined::make_room(cluster.pid(node), cluster.directory(node));
    if (!room.empty()) {
      return "no room could be made (" + room + "); the victim says: " + cluster.log(node);
    }
  }
  if (!has_caught_up(cluster, node)) {
    return "the victim does not catch up: " + cluster.status(node) + " " + cluster.log(node);
  }
  if (row.nodes == 1) {
    return load.move(cluster, 10) ? load.missing(cluster, cluster.nodes()) : "no more money moves";
  }
  // From now on no majority without the victim.
  const int gone = node == 1 ? 2 : 1;
  cluster.stop(gone, SIGKILL);
  const std::vector<int> majority = without(cluster.nodes(), gone);
  if (!load.move(cluster, 10)) {
    return "no more money moves with the victim in every majority";
  }
  const std::string lost = load.missing(cluster, majority);
  return lost.empty() ? lost : "with the victim in every majority: " + lost;
}

std::string walk_refusal(const Row& row, ServedCluster& cluster, AcknowledgedLoad load, int node,
                         const std::map<std::string, std::string>& before) {
  const std::optional<int> code = cluster.exit_code_within(node, 10'000);
  const std::string log = cluster.log(node);
  if (code != 1) {
    return "the victim did not refuse to start (exit code " + (code ? std::to_string(*code) : "none") + "): " + log;
  }
  for (const std::string& words : row.says) {
    if (log.find(words) == std::string::npos) {
      return "the refusal does not say '" + words + "': " + log;
    }
  }
  if (!row.confine && files_in(cluster.directory(node)) != before) {
    return "the refused start changed files";
  }
  const std::vector<int> others = without(cluster.nodes(), node);
  return others.empty() ? "" : load.missing(cluster, others);
}

std::string walk(const Row& row, Original& original) {
  const test::Directory home;
  ServedCluster cluster(original.copy(home.path() + "/cluster"), original.ports);
  const int node = row.nodes == 1 ? 1 : victim;
  std::filesystem::remove(home.path() + "/cluster/node-" + std::to_string(node) + ".log");
  if (const std::string trouble = row.damage(cluster.directory(node)); !trouble.empty()) {
    return "nothing to damage: " + trouble;
  }
  const std::map<std::string, std::string> before = files_in(cluster.directory(node));
  for (const int each : cluster.nodes()) {
    cluster.start(each, each == node ? row.confine : nullptr);
  }
  return row.expect == Expect::recovers ? walk_recovery(row, cluster, original.load, node)
                                        : walk_refusal(row, cluster, original.load, node, before);
}

}  // namespace

TEST_CASE("every damage to a node's files is recovered from, or refused with file, position and what to do") {
  Original three(3);
  REQUIRE(three.good);
  Original one(1);
  REQUIRE(one.good);
  for (const Row& row : rows()) {
    INFO(row.what);
    const std::string wrong = walk(row, row.nodes == 1 ? one : three);
    CHECK(wrong == "");
  }
}
