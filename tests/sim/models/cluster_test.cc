#include "sim/models/cluster.h"

#include <algorithm>
#include <map>

#include <catch2/catch.hpp>

#include "core/router/protocol.h"

namespace coffer::sim {
namespace {

constexpr NodeId n1{1};
constexpr NodeId n2{2};
constexpr NodeId n3{3};
constexpr std::uint64_t strike = 77;

/// Three nodes, one shard, one client, and nobody who judges.
struct Small {
  Kernel kernel;
  Cluster cluster;
  std::map<TraceKind, std::uint64_t> traced;
  std::vector<std::uint64_t> answers;  ///< numbers of the client's requests, as answers to them arrived
  std::vector<Notice> notices;
  std::uint64_t heard = 0;

  explicit Small(std::uint64_t seed = 1) : cluster(kernel, ClusterConfig{}, seed) {}

  void run(Duration time) {
    Event end;
    end.kind = EventKind::tick;
    kernel.schedule_after(time, end);
    while (const auto event = kernel.take()) {
      if (event->kind == EventKind::tick) break;
      const Cluster::Dispatched done = cluster.dispatch(*event);
      if (done.to_client) answers.push_back(event->number);
      if (done.stepped == nobody) continue;
      const Machine& machine = cluster.machine(done.stepped);
      for (const TraceEvent& traced_event : machine.effects().trace) ++traced[traced_event.kind];
      for (const Heard& one : machine.heard()) {
        ++heard;
        REQUIRE(one.from != done.stepped);
        REQUIRE(one.step >= 1);
        REQUIRE(one.step <= cluster.machine(one.from).steps());
      }
    }
    for (Notice& notice : cluster.take_notices()) notices.push_back(std::move(notice));
  }
  void ask_status(std::uint64_t number) {
    router::Request request;
    request.header.kind = router::RequestKind::node_status;
    request.body = router::NodeStatusRequest{};
    cluster.send_request(0, n1, number, router::encode(request));
  }
  std::uint64_t noticed(Notice::Kind kind) const {
    return static_cast<std::uint64_t>(
        std::count_if(notices.begin(), notices.end(), [&](const Notice& notice) { return notice.kind == kind; }));
  }
};

EndpointSet node_set() { return EndpointSet::of(1) | EndpointSet::of(2) | EndpointSet::of(3); }

TEST_CASE("what a clog held arrives when it is gone, in order and before anything sent later") {
  Small world;
  world.cluster.boot_all();
  world.run(seconds(1));
  world.cluster.network().disturb({strike, Trouble::clog, EndpointSet::of(1), EndpointSet::of(4), 0, {}});
  for (std::uint64_t number = 1; number <= 20; ++number) {
    world.ask_status(number);
    world.run(milliseconds(5));
  }
  REQUIRE(world.answers.empty());
  world.cluster.calm(strike);
  world.ask_status(21);
  world.run(milliseconds(50));
  REQUIRE(world.answers.size() == 21);
  REQUIRE(std::is_sorted(world.answers.begin(), world.answers.end()));
}

TEST_CASE("a clogged link that is clogged again holds the same packets, still in order") {
  Small world;
  world.cluster.boot_all();
  world.run(seconds(1));
  for (const std::uint64_t each : {strike, strike + 1}) {
    world.cluster.network().disturb({each, Trouble::clog, EndpointSet::of(1), EndpointSet::of(4), 0, {}});
  }
  for (std::uint64_t number = 1; number <= 5; ++number) {
    world.ask_status(number);
    world.run(milliseconds(5));
  }
  world.cluster.calm(strike);
  world.run(milliseconds(50));
  REQUIRE(world.answers.empty());
  world.cluster.calm(strike + 1);
  world.run(milliseconds(50));
  REQUIRE(world.answers == std::vector<std::uint64_t>{1, 2, 3, 4, 5});
}

TEST_CASE("links that hear nothing for long are given up at both ends, and come up when the network is calm") {
  Small world;
  world.cluster.boot_all();
  world.run(seconds(1));
  for (const NodeId peer : {n2, n3}) {
    REQUIRE(world.cluster.link_up(n1, peer));
    REQUIRE(world.cluster.link_up(peer, n1));
  }
  const EndpointSet alone = EndpointSet::of(1);
  const EndpointSet others = node_set().without(alone);
  Prng prng(1);
  // One direction only: a connection needs both.
  world.cluster.network().disturb({strike, Trouble::block, alone, others, 0, {}});
  world.cluster.give_up_links(strike, alone, others, milliseconds(300), milliseconds(100), prng);
  world.run(milliseconds(290));
  REQUIRE(world.cluster.link_up(n1, n2));
  REQUIRE(world.cluster.network().open(2, 1));
  world.run(milliseconds(120));
  for (const NodeId peer : {n2, n3}) {
    REQUIRE_FALSE(world.cluster.link_up(n1, peer));
    REQUIRE_FALSE(world.cluster.link_up(peer, n1));
    REQUIRE_FALSE(world.cluster.network().open(peer.value, 1));
  }
  REQUIRE(world.cluster.link_up(n2, n3));
  world.cluster.calm(strike);
  world.run(milliseconds(100));
  for (const NodeId peer : {n2, n3}) {
    REQUIRE(world.cluster.link_up(n1, peer));
    REQUIRE(world.cluster.link_up(peer, n1));
  }
}

TEST_CASE("a partition that ends before anybody gives up takes no link down") {
  Small world;
  world.cluster.boot_all();
  world.run(seconds(1));
  const EndpointSet alone = EndpointSet::of(1);
  const EndpointSet others = node_set().without(alone);
  Prng prng(1);
  world.cluster.network().disturb({strike, Trouble::block, alone, others, 0, {}});
  world.cluster.give_up_links(strike, alone, others, milliseconds(300), milliseconds(100), prng);
  world.run(milliseconds(200));
  world.cluster.calm(strike);
  world.run(milliseconds(400));
  REQUIRE(world.cluster.link_up(n1, n2));
  REQUIRE(world.cluster.link_up(n2, n1));
}

TEST_CASE("a process that starts behind a partition has no link until the network is calm") {
  Small world;
  world.cluster.boot_all();
  world.run(seconds(1));
  world.cluster.network().disturb({strike, Trouble::block, EndpointSet::of(1), EndpointSet::all(), 0, {}});
  world.cluster.crash(n1, CrashKind::process, DamagePolicy{});
  world.cluster.restart(n1);
  world.run(seconds(1));
  REQUIRE_FALSE(world.cluster.link_up(n1, n2));
  world.cluster.calm(strike);
  world.run(milliseconds(100));
  REQUIRE(world.cluster.link_up(n1, n2));
  REQUIRE(world.cluster.link_up(n2, n1));
}

TEST_CASE("no frame with flipped bits is believed: where all are damaged nobody is elected") {
  Small world;
  Disturbance corruption{strike, Trouble::corrupt, node_set(), node_set(), 1000, {}, Prng(9)};
  world.cluster.network().disturb(corruption);
  world.cluster.boot_all();
  world.run(seconds(5));
  REQUIRE(world.traced[TraceKind::frame_rejected] > 30);
  REQUIRE(world.traced[TraceKind::became_leader] == 0);
  REQUIRE(world.heard == 0);  // and nothing is learned from one
  world.cluster.calm(strike);
  world.run(seconds(5));
  REQUIRE(world.traced[TraceKind::became_leader] > 0);
  REQUIRE(world.heard > 30);
}

TEST_CASE("a node that comes back with an empty disk refuses to start, and the others are told") {
  Small world;
  world.cluster.boot_all();
  world.run(seconds(2));
  world.cluster.crash_and_empty(n2);
  REQUIRE(world.cluster.machine(n2).disk().names().empty());
  REQUIRE(world.cluster.machine(n2).disk().durable_names().empty());
  world.cluster.restart(n2);
  world.run(seconds(2));
  REQUIRE(world.cluster.machine(n2).life() == Life::refused);
  REQUIRE(world.cluster.machine(n2).lost_for_good());
  REQUIRE_FALSE(world.cluster.link_up(n1, n2));
  REQUIRE(world.noticed(Notice::Kind::broken) == 0);
  REQUIRE(world.noticed(Notice::Kind::refused) == 1);
  const Notice& refused = world.notices.back();
  REQUIRE(refused.node == n2);
  REQUIRE(refused.reason.find("hard-state") != std::string::npos);
  REQUIRE(refused.reason.find("join") != std::string::npos);
  // Told before the crash, so that an onlooker knows what the crash will show.
  REQUIRE(world.notices[3].kind == Notice::Kind::emptied);
  REQUIRE(world.notices[4].kind == Notice::Kind::crashed);
}

TEST_CASE("a refusal for which no fault is to blame is a broken node") {
  Small world;
  world.cluster.boot_all();
  world.run(seconds(2));
  world.cluster.crash(n2, CrashKind::process, DamagePolicy{});
  Disk& disk = world.cluster.machine(n2).disk();
  for (const std::string& name : disk.names()) {
    IoOp op{};
    op.kind = IoKind::remove;
    op.file = name;
    disk.execute(op);
  }
  world.cluster.restart(n2);
  world.run(seconds(1));
  REQUIRE(world.cluster.machine(n2).life() == Life::dead);
  REQUIRE(world.noticed(Notice::Kind::gave_up) == 1);
  REQUIRE(world.noticed(Notice::Kind::refused) == 0);
}

TEST_CASE("a founding that a power cut interrupts is no lost disk: it begins anew") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Small world(seed);
    world.cluster.boot_all();
    world.run(microseconds(static_cast<std::int64_t>(seed) * 150));
    if (world.cluster.machine(n2).node().ready()) continue;
    world.cluster.crash(n2, CrashKind::power, DamagePolicy{500, 300});
    world.cluster.restart(n2);
    world.run(seconds(1));
    REQUIRE(world.cluster.machine(n2).life() == Life::up);
    REQUIRE(world.cluster.machine(n2).node().ready());
  }
}

TEST_CASE("a node is told an error that bounds its wall clock's, unless the clock lies") {
  Small world;
  world.cluster.boot_all();
  Machine& machine = world.cluster.machine(n1);
  const auto honest = [&] {
    const Now now = machine.time();
    const std::int64_t off = now.wall.nanos - wall_epoch.nanos - world.kernel.now().nanos;
    return off <= now.wall_error.nanos && -off <= now.wall_error.nanos;
  };
  REQUIRE(honest());
  REQUIRE(machine.time().wall_error == milliseconds(5));
  world.run(seconds(20));
  REQUIRE(machine.time().wall_error == milliseconds(6));  // 50 parts per million since the start
  machine.skew({seconds(3600), 100'000, -50'000});
  world.run(seconds(1));
  REQUIRE(honest());
  machine.jump(seconds(-7200));
  machine.drift(-300'000, 0);
  world.run(seconds(1));
  REQUIRE(honest());
  machine.unskew();
  REQUIRE(honest());
  REQUIRE(machine.time().wall_error == milliseconds(5));
  machine.lie(milliseconds(-1));
  REQUIRE_FALSE(honest());
}

TEST_CASE("a node whose sync has failed is started by nobody before its power was cut") {
  Small world;
  world.cluster.boot_all();
  world.run(seconds(1));
  Machine& machine = world.cluster.machine(n1);
  const bool fails = GENERATE(true, false);
  if (fails) {
    machine.disk().lay({strike, DiskTrouble::fail_sync, "", "", Prng(1)});
    world.cluster.crash(n2, CrashKind::process, {});  // an election writes
    world.cluster.restart(n2);
    world.run(seconds(3));
  } else {
    world.cluster.crash(n1, CrashKind::process, {});
  }
  REQUIRE(machine.life() == Life::down);
  world.cluster.restart_after(milliseconds(1), n1);
  world.run(seconds(1));
  REQUIRE(machine.life() == (fails ? Life::down : Life::up));
}

}  // namespace
}  // namespace coffer::sim
