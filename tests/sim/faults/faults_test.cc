#include "sim/faults/faults.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>
#include <sstream>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "sim/run/run.h"
#include "sim/run/swarm.h"
#include "tests/sim/run/scenario_files.h"

namespace coffer::sim {
namespace {

std::vector<nlohmann::json> trace_of(const Scenario& scenario, std::uint64_t seed) {
  std::stringstream out;
  RunOptions options;
  options.trace_jsonl = &out;
  run(scenario, seed, options);
  std::vector<nlohmann::json> lines;
  for (std::string line; std::getline(out, line);) lines.push_back(nlohmann::json::parse(line));
  return lines;
}

/// When the strikes of this fault (by its place in the scenario) began.
std::vector<std::int64_t> strikes_of(const std::vector<nlohmann::json>& trace, std::uint64_t place) {
  std::vector<std::int64_t> times;
  for (const auto& line : trace) {
    if (line.value("kind", "") == "strike" && line.value("number", 0u) == place) times.push_back(line["t"]);
  }
  return times;
}

TEST_CASE("the table of faults is in name order, and every row is whole") {
  const std::vector<faults::Row>& rows = faults::table();
  REQUIRE(rows.size() == 38);
  REQUIRE(std::is_sorted(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.name < b.name; }));
  for (const faults::Row& row : rows) {
    INFO(row.name);
    REQUIRE_FALSE(row.acts.doc.empty());
    REQUIRE(row.acts.draw != nullptr);
    REQUIRE(row.acts.strike != nullptr);
    REQUIRE(row.acts.heal != nullptr);
    REQUIRE(faults::find(row.name) == &row);
  }
  REQUIRE(faults::find("sunshine") == nullptr);
}

TEST_CASE("every fault really fires in its scenario, and the wallet holds") {
  for (const faults::Row& row : faults::table()) {
    const Scenario scenario = scenario_of("scenarios/faults/" + std::string(row.name) + ".json");
    const RunResult result = run(scenario, scenario.seed);
    INFO(row.name << ": " << name(result.verdict) << " " << result.oracle << " " << result.reason);
    REQUIRE(as_expected(scenario, result));
    REQUIRE(result.faults.at(std::string(row.name)) > 0);
    REQUIRE(result.operations.succeeded > 100);
  }
}

TEST_CASE("a torn write leaves a torn tail, which recovery finds") {
  const Scenario scenario = scenario_of("scenarios/faults/torn_unsynced.json");
  std::uint64_t tails = 0;
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const RunResult result = run(scenario, seed);
    REQUIRE(result.verdict == Verdict::pass);
    REQUIRE(result.faults.at("torn_unsynced") > 0);
    tails += result.sometimes.at("torn_tail");
  }
  REQUIRE(tails > 0);
}

TEST_CASE("a fault strikes at the exact event it names, the n-th time") {
  Scenario scenario = scenario_of("scenarios/basics/happy_path.json");
  faults::FaultSpec crash;
  crash.fault = "crash_restart";
  crash.stream = 1;
  crash.when = faults::When::trigger;
  crash.trigger = {TraceKind::saga_started, {}, ShardId(2), 3, false, {}};
  crash.target = {faults::Who::self, {}, {}};
  crash.lasts_min = crash.lasts_max = milliseconds(300);
  scenario.faults = {crash};
  std::uint64_t seen = 0;
  bool crashed = false;
  bool running = false;
  nlohmann::json last;
  for (const auto& line : trace_of(scenario, 1)) {
    running = running || line.value("phase", "") == "running";
    if (running && line.value("event", "") == "saga_started" && line.value("shard", 0) == 2 && ++seen == 3) last = line;
    if (line.value("machine", "") == "crashed") {
      REQUIRE_FALSE(crashed);
      crashed = true;
      REQUIRE(seen >= 3);
      REQUIRE(line["t"] == last["t"]);
      REQUIRE(line["node"] == last["node"]);
    }
  }
  REQUIRE(crashed);
}

TEST_CASE("taking one fault away leaves the strikes of the others where they were") {
  Scenario scenario = scenario_of("scenarios/faults/pause.json");
  const auto add = [&](const char* name, std::uint64_t stream) {
    faults::FaultSpec spec;
    spec.fault = name;
    spec.stream = stream;
    spec.every = milliseconds(700);
    spec.lasts_min = spec.lasts_max = milliseconds(100);
    scenario.faults.push_back(spec);
  };
  scenario.faults.clear();
  add("pause", 1);
  add("crash_restart", 2);
  scenario.limits.running_min = seconds(5);
  scenario.limits.running_max = seconds(5);
  const std::vector<std::int64_t> with = strikes_of(trace_of(scenario, 1), 1);
  scenario.faults.erase(scenario.faults.begin());
  const std::vector<std::int64_t> without = strikes_of(trace_of(scenario, 1), 0);
  REQUIRE(with.size() >= 3);
  REQUIRE(with == without);
}

TEST_CASE("a crash that loses nothing is not a lost write") {
  Scenario scenario = scenario_of("scenarios/faults/crash_restart.json");
  scenario.faults.resize(1);
  scenario.faults[0].how = faults::How::process;
  const RunResult result = run(scenario, 1);
  REQUIRE(result.faults.at("crash_restart") == 1);
  REQUIRE_FALSE(result.faults.contains("lost_unsynced"));
}

/// A cluster that stands still, and one strike of a fault on it.
struct Still {
  Kernel kernel;
  Cluster cluster;
  Roles roles{1};
  faults::Atlas atlas{cluster, true, true};
  Orders orders{1, cluster.nodes(), cluster.shards().front().members};
  faults::Arena arena{cluster, roles, atlas, orders, 2};
  faults::FaultSpec spec;
  faults::Strike strike;

  explicit Still(std::uint32_t nodes, std::uint64_t seed = 1) : cluster(kernel, config_of(nodes), 1) {
    cluster.boot_all();
    strike.prng = Prng(seed);
    strike.serial = seed;
    strike.spec = &spec;
    strike.lasts = seconds(2);
  }
  static ClusterConfig config_of(std::uint32_t nodes) {
    ClusterConfig config;
    config.nodes = nodes;
    config.clients = 2;
    return config;
  }
  /// Lets the nodes read their disks and go on, undisturbed.
  void run(Duration time) {
    Event end;
    end.kind = EventKind::tick;
    kernel.schedule_after(time, end);
    while (const auto event = kernel.take()) {
      if (event->kind == EventKind::tick) return;
      cluster.dispatch(*event);
    }
  }
  faults::Struck hit(std::string_view name) { return faults::find(name)->acts.strike(arena, strike); }
  void heal(std::string_view name) { faults::find(name)->acts.heal(arena, strike); }
  bool open(Endpoint from, Endpoint to) { return cluster.network().open(from, to); }
  bool talk(Endpoint one, Endpoint other) { return open(one, other) && open(other, one); }
  NodeId victim() const { return strike.victims.at(0).node; }
  Duration wall_off(NodeId node) {
    return Duration{cluster.machine(node).time().wall.nanos - wall_epoch.nanos - kernel.now().nanos};
  }
};

TEST_CASE("one node alone hears no node and no client, all others hear each other") {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    Still world(5, seed);
    REQUIRE(world.hit("isolate_one") == faults::Struck::yes);
    const Endpoint alone = world.victim().value;
    for (Endpoint one = 1; one <= 7; ++one) {
      for (Endpoint other = 1; other <= 7; ++other) {
        if (one != other) REQUIRE(world.open(one, other) == (one != alone && other != alone));
      }
    }
    world.heal("isolate_one");
    REQUIRE(world.talk(alone, alone % 5 + 1));
  }
}

TEST_CASE("in a bridge partition only the bridge is heard, by everybody (Omni-Paxos section 2)") {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    Still world(5, seed);
    REQUIRE(world.hit("bridge_partition") == faults::Struck::yes);
    const Endpoint bridge = world.victim().value;
    for (Endpoint one = 1; one <= 5; ++one) {
      for (Endpoint other = 1; other <= 5; ++other) {
        if (one != other) REQUIRE(world.open(one, other) == (one == bridge || other == bridge));
      }
      REQUIRE(world.talk(one, 6));
    }
    world.heal("bridge_partition");
    REQUIRE(world.talk(bridge % 5 + 1, (bridge + 1) % 5 + 1));
  }
}

TEST_CASE("in a cyclic partition A hears B hears C hears A, and no two of different sides converse") {
  for (const std::uint32_t nodes : {3u, 5u, 7u}) {
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
      Still world(nodes, seed);
      REQUIRE(world.hit("cyclic_partition") == faults::Struck::yes);
      REQUIRE(world.strike.victims.size() == nodes);
      // Sides: who converses. Each hears exactly one other side.
      std::map<Endpoint, std::set<Endpoint>> side;
      for (Endpoint one = 1; one <= nodes; ++one) {
        side[one].insert(one);
        for (Endpoint other = 1; other <= nodes; ++other) {
          if (one == other) continue;
          if (world.talk(one, other)) side[one].insert(other);
          REQUIRE((world.open(one, other) || world.open(other, one)));
        }
      }
      std::set<std::set<Endpoint>> sides;
      for (const auto& [node, whose] : side) sides.insert(whose);
      REQUIRE(sides.size() == 3);
      for (const std::set<Endpoint>& one : sides) {
        int heard = 0;
        for (const std::set<Endpoint>& other : sides) heard += one != other && world.open(*other.begin(), *one.begin());
        REQUIRE(heard == 1);
      }
      world.heal("cyclic_partition");
      REQUIRE_FALSE(world.cluster.network().disturbed());
    }
  }
}

TEST_CASE("two nodes are too few for a bridge or a circle") {
  for (const char* name : {"bridge_partition", "cyclic_partition"}) {
    Still world(2);
    REQUIRE(world.hit(name) == faults::Struck::no);
    REQUIRE_FALSE(world.cluster.network().disturbed());
  }
}

TEST_CASE("a reset connection loses what is under way, one at least, and is closed for a while") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Still world(3, seed);
    Network& network = world.cluster.network();
    std::map<std::pair<Endpoint, Endpoint>, std::uint32_t> sent;
    for (Endpoint one = 1; one <= 3; ++one) {
      for (Endpoint other = 1; other <= 4; ++other) {
        if (one != other) sent[{one, other}] = network.send(SimTime{}, one, other).connection;
      }
    }
    REQUIRE(world.hit("connection_reset") == faults::Struck::yes);
    const Endpoint victim = world.victim().value;
    int closed = 0;
    for (const auto& [way, connection] : sent) closed += world.open(way.first, way.second) ? 0 : 1;
    REQUIRE(closed >= 2);
    world.heal("connection_reset");
    int lost = 0;
    for (const auto& [way, connection] : sent) {
      const bool here = network.arrival(way.first, way.second, connection) == Fate::arrives;
      lost += here ? 0 : 1;
      if (way.second == 4 || (way.first != victim && way.second != victim)) REQUIRE(here);
    }
    REQUIRE(lost == closed);
  }
}

TEST_CASE("corruption spares clients' links, whose frames are checked before") {
  Still world(3);
  world.spec.per_mille = 1000;
  world.spec.target = {faults::Who::all, {}, {}};
  REQUIRE(world.hit("payload_corruption") == faults::Struck::yes);
  Network& network = world.cluster.network();
  REQUIRE(network.arrival(1, 2, 0) == Fate::corrupted);
  REQUIRE(network.arrival(3, 1, 0) == Fate::corrupted);
  REQUIRE(network.arrival(1, 4, 0) == Fate::arrives);
  REQUIRE(network.arrival(5, 1, 0) == Fate::arrives);
}

TEST_CASE("frames with flipped bits are rejected while the wallet works on") {
  const Scenario scenario = scenario_of("scenarios/faults/payload_corruption.json");
  const RunResult result = run(scenario, scenario.seed);
  REQUIRE(result.verdict == Verdict::pass);
  REQUIRE(result.sometimes.at("frame_rejected") > 50);
}

TEST_CASE("wall clocks jump both ways by what was said, monotonic ones stay, and heal") {
  bool forward = false;
  bool backward = false;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Still world(3, seed);
    world.spec.extra = seconds(100);
    const Duration natural = world.wall_off(NodeId(1));
    const Instant before = world.cluster.machine(NodeId(1)).time().monotonic;
    world.spec.target = {faults::Who::node, NodeId(1), {}};
    REQUIRE(world.hit("clock_jump") == faults::Struck::yes);
    const Duration jumped = world.wall_off(NodeId(1)) - natural;
    REQUIRE(std::max(jumped, jumped * -1) >= seconds(50));
    REQUIRE(std::max(jumped, jumped * -1) <= seconds(100));
    (jumped > Duration{} ? forward : backward) = true;
    REQUIRE(world.cluster.machine(NodeId(1)).time().monotonic == before);
    REQUIRE(world.cluster.machine(NodeId(1)).time().wall_error >= seconds(50));
    world.heal("clock_jump");
    REQUIRE(world.wall_off(NodeId(1)) == natural);
  }
  REQUIRE(forward);
  REQUIRE(backward);
}

TEST_CASE("of the faults of clocks only one lies about the bound of its error") {
  for (const char* name : {"clock_drift", "clock_jump", "clock_lies", "clock_skew", "leap_second"}) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
      Still world(3, seed);
      world.spec.extra = seconds(10);
      world.spec.drift_ppm = 50'000;
      world.spec.per_mille = 500;
      REQUIRE(world.hit(name) == faults::Struck::yes);
      REQUIRE(world.strike.fired);
      const Duration off = world.wall_off(world.victim());
      const bool honest = std::max(off, off * -1) <= world.cluster.machine(world.victim()).time().wall_error;
      INFO(name << " seed " << seed);
      REQUIRE(honest == (std::string_view(name) != "clock_lies"));
    }
  }
}

TEST_CASE("at a leap second some clocks repeat a second, others smear it over the strike") {
  int repeated = 0;
  int smeared = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Still world(3, seed);
    world.spec.target = {faults::Who::all, {}, {}};
    world.spec.per_mille = 500;
    std::vector<Duration> before;
    for (std::uint32_t n = 1; n <= 3; ++n) before.push_back(world.wall_off(NodeId(n)));
    REQUIRE(world.hit("leap_second") == faults::Struck::yes);
    REQUIRE(world.strike.victims.size() == 3);
    for (std::uint32_t n = 1; n <= 3; ++n) {
      const Duration lost = before[n - 1] - world.wall_off(NodeId(n));
      REQUIRE((lost == Duration{} || lost == seconds(1)));
      ++(lost == Duration{} ? smeared : repeated);
      const Clock& clock = world.cluster.machine(NodeId(n)).clock();
      const SimTime end = world.kernel.now() + world.strike.lasts;
      const Duration in_the_end{wall_epoch.nanos + end.nanos + before[n - 1].nanos - clock.wall(end).nanos};
      REQUIRE(in_the_end >= milliseconds(999));
      REQUIRE(in_the_end <= milliseconds(1001));
    }
  }
  REQUIRE(repeated > 5);
  REQUIRE(smeared > 5);
}

TEST_CASE("a drift is of the rate it drew, on both clocks, and begins without a jump") {
  Still world(3);
  world.spec.drift_ppm = 100'000;
  world.spec.target = {faults::Who::node, NodeId(2), {}};
  const Duration before = world.wall_off(NodeId(2));
  REQUIRE(world.hit("clock_drift") == faults::Struck::yes);
  REQUIRE(world.wall_off(NodeId(2)) == before);
  const Clock& clock = world.cluster.machine(NodeId(2)).clock();
  const SimTime later = world.kernel.now() + seconds(10);
  const std::int64_t wall = clock.wall(later).nanos - clock.wall(world.kernel.now()).nanos;
  const Duration monotonic = clock.monotonic(later) - clock.monotonic(world.kernel.now());
  for (const std::int64_t ran : {wall, monotonic.nanos}) {
    REQUIRE(ran >= seconds(9).nanos);
    REQUIRE(ran <= seconds(11).nanos);
    REQUIRE(std::abs(ran - seconds(10).nanos) > milliseconds(1).nanos);  // beyond any natural drift
  }
}

TEST_CASE("a majority keeps its disks, whoever is struck how often") {
  Still world(5);
  world.run(seconds(1));  // a node that is not certain of its log yet protects nobody
  for (std::uint64_t i = 1; i <= 10; ++i) {
    world.strike.victims.clear();
    world.strike.prng = Prng(i);
    const faults::Struck struck = world.hit("empty_disk");
    REQUIRE((struck == faults::Struck::yes) == (i <= 2));
  }
  int emptied = 0;
  for (std::uint32_t n = 1; n <= 5; ++n) emptied += world.cluster.machine(NodeId(n)).lost_for_good() ? 1 : 0;
  REQUIRE(emptied == 2);
  Still alone(1);
  REQUIRE(alone.hit("empty_disk") == faults::Struck::no);
}

TEST_CASE("a node with an emptied disk refuses to start; the run goes on without it to its end") {
  const Scenario scenario = scenario_of("scenarios/faults/empty_disk.json");
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    const RunResult result = run(scenario, seed);
    INFO(result.oracle << " " << result.reason);
    REQUIRE(result.verdict == Verdict::pass);
    REQUIRE(result.faults.at("empty_disk") == 1);
    REQUIRE(result.sometimes.at("disk_refused") == 1);
    REQUIRE(result.operations.succeeded > 300);
  }
  std::uint64_t gone = 0;
  bool refused = false;
  for (const auto& line : trace_of(scenario, 1)) {
    const std::string machine = line.value("machine", "");
    if (machine == "disk emptied") gone = line["node"];
    if (machine.starts_with("refused: ")) {
      REQUIRE(line["node"] == gone);
      refused = true;
    } else if (refused && line.contains("event")) {
      REQUIRE(line["node"] != gone);  // not a word more
    }
  }
  REQUIRE(refused);
}

TEST_CASE("an upgrade rolls over the nodes in order, one at a time, each caught up before the next") {
  Scenario scenario = scenario_of("scenarios/faults/rolling_upgrade.json");
  scenario.faults.resize(1);
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    std::vector<std::uint64_t> upgraded;
    std::uint64_t down = 0;
    bool running = false;
    std::map<std::pair<std::uint64_t, std::uint64_t>, std::uint64_t> commit;  // by node and shard
    std::map<std::uint64_t, std::uint64_t> goal;                              // by shard, when the last one came back
    for (const auto& line : trace_of(scenario, seed)) {
      running = running || line.value("phase", "") == "running";
      if (line.value("event", "") == "committed") commit[{line["node"], line["shard"]}] = line["index"];
      const std::string machine = running ? line.value("machine", "") : "";
      if (machine == "crashed") {
        REQUIRE(down == 0);
        for (const auto& [shard, least] : goal) REQUIRE(commit[{upgraded.back(), shard}] >= least);
        down = line["node"];
        upgraded.push_back(down);
        std::erase_if(commit, [&](const auto& one) { return one.first.first == down; });  // nobody can ask it
      }
      if (machine == "booted") {
        REQUIRE(down == line["node"]);
        down = 0;
        goal.clear();
        for (const auto& [at, index] : commit) goal[at.second] = std::max(goal[at.second], index);
      }
    }
    REQUIRE(upgraded == std::vector<std::uint64_t>{1, 2, 3});
  }
}

TEST_CASE("some pauses are longer than any election") {
  faults::Mood mood{3, seconds(2), milliseconds(200)};
  int longer = 0;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    Prng prng(seed);
    longer += faults::find("pause")->acts.draw(prng, mood).lasts_min > seconds(1) ? 1 : 0;
  }
  REQUIRE(longer > 10);
  REQUIRE(longer < 60);
}

TEST_CASE("what the swarm draws of each fault is a minority's trouble and heals") {
  faults::Mood mood{5, seconds(2), milliseconds(500)};
  for (const faults::Row& row : faults::table()) {
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
      Prng prng(seed);
      const faults::FaultSpec spec = row.acts.draw(prng, mood);
      INFO(row.name << " " << seed);
      REQUIRE((!spec.forever || row.acts.of_cluster));  // an operator may insist for ever
      REQUIRE(spec.every > Duration{});
      REQUIRE((spec.lasts_min > Duration{} || spec.forever));
      REQUIRE(spec.lasts_min <= spec.lasts_max);
      REQUIRE(spec.count <= 2);
      REQUIRE(spec.lose_per_mille + spec.tear_per_mille <= 1000);
    }
  }
}

}  // namespace
}  // namespace coffer::sim
