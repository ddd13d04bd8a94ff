// Memberships that change during a run: what the profile draws, what becomes of orders, and what is counted.
#include <set>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "core/raft/configuration.h"
#include "sim/faults/faults.h"
#include "sim/run/membership_states.h"
#include "sim/run/report.h"
#include "sim/run/run.h"
#include "sim/run/swarm.h"
#include "tests/sim/run/scenario_files.h"

namespace coffer::sim {
namespace {

constexpr NodeId n1(1), n2(2), n3(3), n4(4);

TEST_CASE("the profile for memberships draws groups of three and of five, spares, orders and small epochs") {
  const Profile* profile = find_profile("membership");
  REQUIRE(profile != nullptr);
  std::set<std::uint32_t> founders;
  std::set<std::string> drawn;
  bool triggered = false;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    const Scenario scenario = profile->draw(seed);
    founders.insert(scenario.nodes - scenario.spares);
    REQUIRE(scenario.spares >= 1);
    REQUIRE(scenario.has_operator());
    REQUIRE(scenario.tuning.epoch_bytes <= 32u << 10);
    for (const faults::FaultSpec& spec : scenario.faults) {
      drawn.insert(spec.fault);
      triggered = triggered || spec.when == faults::When::trigger;
      REQUIRE_FALSE(faults::find(spec.fault)->acts.of_disk);
    }
  }
  REQUIRE(founders == std::set<std::uint32_t>{3, 5});
  REQUIRE(triggered);
  for (const std::string_view fault : profile->faults) REQUIRE(drawn.contains(std::string(fault)));
}

TEST_CASE("no other profile changes memberships, but for those that draw everything") {
  for (const Profile& profile : profiles()) {
    if (profile.name == "membership" || profile.name.starts_with("single_faults") ||
        profile.name == "membership_on_bad_disks")
      continue;
    for (std::uint64_t seed = 1; seed <= 50; ++seed) REQUIRE_FALSE(profile.draw(seed).has_operator());
  }
}

TEST_CASE("an operator insists until the leader itself has been replaced, and the run says so") {
  const Scenario scenario = scenario_of("scenarios/faults/replace_member.json");
  const RunResult result = run(scenario, scenario.seed);
  INFO(result.reason);
  REQUIRE(result.verdict == Verdict::pass);
  REQUIRE(result.orders.given > 0);
  REQUIRE(result.orders.finished > 0);
  REQUIRE(result.sometimes.at("leader_replaced") > 0);
  REQUIRE(result.sometimes.at("learner_promoted_by_snapshot") > 0);
  const auto json = nlohmann::json::parse(run_to_json(result, true, "", ""));
  REQUIRE(json["orders"]["finished"] == result.orders.finished);
}

TEST_CASE("a group that cannot reach a majority of its new voters is stuck, and the operator says what it waits for") {
  Scenario scenario = scenario_of("scenarios/faults/replace_member.json");
  scenario.faults.resize(1);
  faults::FaultSpec gone;
  gone.fault = "crash_restart";
  gone.stream = 2;
  gone.when = faults::When::at;
  gone.at = milliseconds(500);
  gone.target = {faults::Who::node, NodeId(3), {}};
  gone.forever = true;
  scenario.faults.push_back(gone);
  scenario.faults[0].target = {faults::Who::node, NodeId(2), {}};
  scenario.faults[0].trigger = {};
  gone.stream = 3;
  gone.at = milliseconds(2001);
  gone.target = {faults::Who::node, NodeId(4), {}};
  scenario.faults.push_back(gone);
  scenario.limits.healing_max = seconds(5);
  const RunResult result = run(scenario, 1);
  REQUIRE(result.verdict == Verdict::stuck);
  REQUIRE(result.reason.find("the operator waits: shard ") != std::string::npos);
  REQUIRE(result.reason.find("shall have the voters 1 3 4") != std::string::npos);
}

TEST_CASE("a replica without a vote need not catch up, a voter must") {
  Scenario scenario = scenario_of("scenarios/faults/transfer_leadership.json");
  scenario.nodes = 5;
  scenario.spares = 2;
  scenario.faults.resize(1);
  REQUIRE(run(scenario, 1).verdict == Verdict::pass);
}

struct Told {
  MembershipStates states{Topology{4, 1, {{n1, n2, n3}}, {}, {}}};

  void trace(TraceKind kind, NodeId node, std::uint64_t term, std::uint64_t a = 0, std::uint64_t b = 0) {
    TraceEvent event;
    event.kind = kind;
    event.shard = ShardId(1);
    event.term = Term(term);
    event.a = a;
    event.b = b;
    states.on_trace(node, event);
  }
  void commit(std::uint64_t index, const raft::Configuration& configuration) {
    const Bytes payload = raft::encode(configuration);
    states.on_committed({ShardId(1), Index(index), Term(1), EntryKind::configuration, ByteView(payload)});
  }
  std::uint64_t of(std::string_view name) const { return states.counters().of(name); }
};

TEST_CASE("a transfer is done when the named node leads the next term, and given up when the leader goes on") {
  Told told;
  told.trace(TraceKind::became_leader, n1, 3);
  told.trace(TraceKind::transfer_begun, n1, 3, 2);
  SECTION("done") {
    told.trace(TraceKind::became_leader, n2, 4);
    CHECK(told.of("transfer_done") == 1);
    CHECK(told.of("transfer_given_up") == 0);
  }
  SECTION("somebody else was elected") {
    told.trace(TraceKind::became_leader, n3, 4);
    CHECK(told.of("transfer_done") == 0);
  }
  SECTION("the leader appends again") {
    told.trace(TraceKind::appended, n1, 3, 0, 1);
    told.trace(TraceKind::became_leader, n2, 4);
    CHECK(told.of("transfer_given_up") == 1);
    CHECK(told.of("transfer_done") == 0);
  }
  SECTION("the leader tries again") {
    told.trace(TraceKind::transfer_begun, n1, 3, 3);
    told.trace(TraceKind::became_leader, n3, 4);
    CHECK(told.of("transfer_given_up") == 1);
    CHECK(told.of("transfer_done") == 1);
  }
  SECTION("an append of an earlier term means nothing") {
    told.trace(TraceKind::appended, n1, 2, 0, 1);
    CHECK(told.of("transfer_given_up") == 0);
  }
}

TEST_CASE("the steps of a change are counted once, whoever shows them (Raft thesis, section 4.3)") {
  Told told;
  told.trace(TraceKind::became_leader, n1, 1);
  told.commit(5, {{n1, n2, n3}, {}, {n4}});
  told.trace(TraceKind::restored, n4, 1);
  told.trace(TraceKind::configuration_changed, n1, 1, 0b11100, 0b1110);
  for (int shown = 0; shown < 2; ++shown) told.commit(6, {{n2, n3, n4}, {n1, n2, n3}, {}});
  CHECK(told.of("joint_committed") == 1);
  CHECK(told.of("learner_promoted") == 1);
  CHECK(told.of("learner_promoted_by_snapshot") == 1);
  CHECK(told.of("leader_replaced") == 0);
  told.trace(TraceKind::became_follower, n1, 2);
  told.trace(TraceKind::became_leader, n2, 2);
  told.trace(TraceKind::configuration_changed, n2, 2, 0b11100, 0);
  told.commit(7, {{n2, n3, n4}, {}, {}});
  CHECK(told.of("leader_replaced") == 1);
  CHECK(told.of("change_taken_over") == 1);
  CHECK(told.of("group_grew") == 0);
  CHECK(told.of("group_shrank") == 0);
  CHECK(told.of("founders_gone") == 0);
}

TEST_CASE("a change that is called off is seen by the learners that are dropped") {
  Told told;
  told.commit(5, {{n1, n2, n3}, {}, {n4}});
  told.commit(6, {{n1, n2, n3}, {}, {}});
  CHECK(told.of("change_called_off") == 1);
  CHECK(told.of("joint_committed") == 0);
}

}  // namespace
}  // namespace coffer::sim
