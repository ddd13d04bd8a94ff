// Whole groups under random loss, duplication, reordering, delay, one-way links, crashes that lose what was not synced,
// disks that lose what was, snapshots, transfers and changes of members. Every seed draws which of these exist and how
// violent they are, then heals and asks for progress.
#include <algorithm>
#include <array>
#include <set>
#include <string>

#include <catch2/catch.hpp>
#include <rapidcheck.h>

#include "core/base/prng.h"
#include "tests/core/raft/replica.h"
#include "tests/core/raft/world.h"

namespace coffer::raft::test {
namespace {

constexpr int events_of_a_run = 8000;

/// Chances per mille and magnitudes of one seed.
struct Violence {
  std::uint32_t drop, duplicate, reorder, crash, restart, block, mend, lazy_sync, eager_ticks;
  std::uint32_t change, transfer, snapshot, damage;

  static Violence drawn(Prng& prng, bool changes) {
    const auto some = [&](std::uint64_t most) {
      return prng.chance(400) ? 0u : static_cast<std::uint32_t>(prng.below(most));
    };
    Violence v{};
    v.drop = some(300);
    v.duplicate = some(300);
    v.reorder = some(500);
    v.crash = some(30);
    v.restart = 100 + static_cast<std::uint32_t>(prng.below(400));
    v.block = some(50);
    v.mend = 2 + static_cast<std::uint32_t>(prng.below(40));
    v.lazy_sync = some(900);
    v.eager_ticks = 20 + some(300);
    v.change = changes ? 50 + some(400) : 0;
    v.transfer = some(200);
    v.snapshot = some(400);
    v.damage = some(500);
    return v;
  }
};

class Chaos {
 public:
  /// `spares`: nodes that are no members at first. With any, members come and go.
  Chaos(std::uint32_t founders, std::uint32_t spares, std::uint64_t seed)
      : world_(founders + spares, seed, founders),
        prng_(seed, 99),
        violence_(Violence::drawn(prng_, spares > 0)),
        blocked_(world_.size() * world_.size(), false) {
    for (std::uint32_t id = 1; id <= founders; ++id) founders_.push_back(NodeId(id));
  }

  void rage() {
    for (int i = 0; i < events_of_a_run && world_.safety().breaches().empty(); ++i) {
      one_event();
    }
  }

  /// Everyone is back, links are honest: within a bounded time the founders are the voters again, all are certain, and
  /// a leader commits something new on all of them.
  bool heal() {
    for (std::uint32_t id = 1; id <= world_.size(); ++id) world_.restart(id);
    for (int beat = 0; beat < 600 && world_.safety().breaches().empty(); ++beat) {
      one_beat();
      const std::uint32_t leader = world_.leader();
      // The first proposals may go to a leader that is none any more.
      if (leader == 0 || beat % 20 != 0) continue;
      world_.reconfigure(leader, founders_);
      calm_ = world_.propose(leader, "after the storm");
      for (int more = 0; more < 5; ++more) one_beat();
      if (calm_ && healed(*calm_)) return true;
    }
    return false;
  }

  const World& world() const { return world_; }

 private:
  static constexpr Duration heartbeat_part = milliseconds(50);

  std::uint32_t any() { return 1 + static_cast<std::uint32_t>(prng_.below(world_.size())); }

  /// Somebody who thinks so, perhaps wrongly; anybody if nobody does.
  std::uint32_t one_that_leads() {
    const std::uint32_t first = any();
    for (std::uint32_t i = 0; i < world_.size(); ++i) {
      const std::uint32_t id = 1 + (first + i) % world_.size();
      if (world_.member(id).raft && world_.member(id).raft->role() == Role::leader) return id;
    }
    return first;
  }

  void one_event() {
    const std::uint64_t what = prng_.below(1000);
    if (what < 500) {
      traffic();
    } else if (what < 700) {
      const std::uint32_t id = any();
      if (!prng_.chance(violence_.lazy_sync)) world_.sync(id, 1 + prng_.below(3));
    } else if (what < 850) {
      world_.sleep(milliseconds(prng_.between(0, 40)));
      const std::uint32_t id = any();
      tick_if_due(id);
      if (prng_.chance(violence_.eager_ticks)) impatient(id);
      if (prng_.chance(violence_.eager_ticks)) impatient(any());  // rivals
    } else if (what < 900) {
      world_.propose(one_that_leads(), "p" + std::to_string(++number_));
    } else if (what < 930) {
      world_.read(one_that_leads(), ++number_);
    } else if (what < 960) {
      trouble();
    } else if (what < 998) {
      upkeep();
    } else {
      calm_spell();
    }
  }

  /// For a while whoever is up is heard by all: so that changes of many steps get somewhere.
  void calm_spell() {
    if (prng_.chance(700)) {
      for (std::uint32_t id = 1; id <= world_.size(); ++id) world_.restart(id);
    }
    for (std::uint64_t beats = prng_.below(60); beats > 0; --beats) {
      if (world_.leader() != 0 && prng_.chance(100))
        world_.propose(world_.leader(), "calm" + std::to_string(++number_));
      if (world_.leader() != 0 && prng_.chance(violence_.change)) world_.reconfigure(world_.leader(), some_voters());
      one_beat();
    }
  }

  void one_beat() {
    world_.sleep(heartbeat_part);
    for (std::uint32_t id = 1; id <= world_.size(); ++id) tick_if_due(id);
    world_.settle();
    supply();
  }

  /// What a node does besides: snapshots, hand-overs, changes of members.
  void upkeep() {
    const std::uint32_t id = any();
    const Member& m = world_.member(id);
    if (prng_.chance(violence_.snapshot) && m.raft && m.raft->commit() > m.raft->base().index) {
      const auto behind = static_cast<std::int64_t>(m.raft->commit().value - m.raft->base().index.value);
      world_.snapshot(id, Index(m.raft->commit().value - static_cast<std::uint64_t>(prng_.between(0, behind - 1))));
    }
    if (prng_.chance(violence_.snapshot)) world_.install(any(), any());
    if (prng_.chance(500)) supply();
    if (prng_.chance(violence_.restart)) world_.restart(any());
    if (prng_.chance(violence_.transfer)) world_.transfer(one_that_leads(), any());
    if (prng_.chance(violence_.change)) world_.reconfigure(one_that_leads(), some_voters());
  }

  /// Who needs a snapshot gets the newest of somebody.
  void supply() {
    const std::set<std::uint32_t> needy = world_.in_need();
    for (const std::uint32_t to : needy) {
      const std::uint32_t leader = world_.leader();
      world_.install(to, leader != 0 && prng_.chance(700) ? leader : any());
    }
  }

  std::vector<NodeId> some_voters() {
    std::vector<NodeId> voters;
    const std::uint64_t wanted = 1 + prng_.below(5);
    std::uint32_t left = world_.size();
    for (std::uint32_t id = 1; id <= world_.size(); ++id, --left) {
      if (prng_.below(left) < wanted - std::min<std::uint64_t>(wanted, voters.size())) voters.push_back(NodeId(id));
    }
    return voters;
  }

  void traffic() {
    std::uint32_t from = any();
    const std::uint32_t to = any();
    for (std::uint32_t tries = 1; world_.queued(from, to) == 0; from = 1 + from % world_.size()) {
      if (tries++ == world_.size()) return;
    }
    const std::size_t queued = world_.queued(from, to);
    const std::size_t position = prng_.chance(violence_.reorder) ? prng_.below(queued) : 0;
    if (blocked_[link(from, to)] || prng_.chance(violence_.drop)) {
      world_.drop(from, to, position);
    } else {
      // A link that keeps a message delivers it again, perhaps much later.
      world_.deliver(from, to, position, prng_.chance(violence_.duplicate) && queued < 30);
    }
  }

  void trouble() {
    const std::uint32_t id = any();
    if (prng_.chance(violence_.crash * 3)) world_.crash(id, prng_.below(4));
    if (prng_.chance(violence_.crash * 5)) crash_while_writing();
    if (prng_.chance(violence_.restart)) world_.restart(any());
    if (prng_.chance(violence_.block * 5)) blocked_[link(id, any())] = true;
    if (prng_.chance(violence_.block * 5)) isolate(world_.leader() != 0 ? world_.leader() : id);
    if (prng_.chance(violence_.mend)) std::fill(blocked_.begin(), blocked_.end(), false);
    if (prng_.chance(100)) world_.reconnect(id, any());
    if (prng_.chance(violence_.damage)) damage(id);
    if (prng_.chance(violence_.damage / 100)) common_power_cut();
  }

  void damage(std::uint32_t id) {
    world_.crash(id, prng_.below(3));
    world_.lose_tail(id, 1 + prng_.below(4), prng_.chance(300));
    if (prng_.chance(violence_.restart)) world_.restart(id);
  }

  /// Everybody's tail is torn; nobody loses what only they had been trusted with.
  void common_power_cut() {
    for (std::uint32_t id = 1; id <= world_.size(); ++id) world_.crash(id, prng_.below(4));
    for (std::uint32_t id = 1; id <= world_.size(); ++id) {
      for (std::uint64_t count = 1 + prng_.below(3); count > 0 && !world_.lose_tail(id, count); --count) continue;
    }
    if (prng_.chance(500)) {
      for (std::uint32_t id = 1; id <= world_.size(); ++id) world_.restart(id);
    }
  }

  void crash_while_writing() {
    const std::uint32_t first = any();
    for (std::uint32_t i = 0; i < world_.size(); ++i) {
      const std::uint32_t id = 1 + (first + i) % world_.size();
      if (world_.member(id).unsynced.empty()) continue;
      world_.crash(id, prng_.chance(500) ? 0 : prng_.below(world_.member(id).unsynced.size()));
      if (prng_.chance(violence_.restart)) world_.restart(id);
      return;
    }
  }

  /// Nobody hears this member, or it hears nobody, or both.
  void isolate(std::uint32_t id) {
    const std::uint64_t how = 1 + prng_.below(3);
    for (std::uint32_t other = 1; other <= world_.size(); ++other) {
      if ((how & 1) != 0) blocked_[link(id, other)] = true;
      if ((how & 2) != 0) blocked_[link(other, id)] = true;
    }
  }

  void tick_if_due(std::uint32_t id) {
    const Member& m = world_.member(id);
    if (m.raft && m.raft->wake_at() <= world_.now()) world_.tick(id);
  }

  /// Time passes until this member has something to do.
  void impatient(std::uint32_t id) {
    const Member& m = world_.member(id);
    if (!m.raft || m.raft->wake_at() == never) return;
    if (m.raft->wake_at() > world_.now()) world_.sleep(m.raft->wake_at() - world_.now());
    world_.tick(id);
  }

  bool healed(Index target) {
    for (const NodeId id : founders_) {
      const Raft& raft = *world_.member(id.value).raft;
      if (raft.commit() < target || raft.uncertain() || raft.reconfiguring()) return false;
      if (raft.configuration() != Configuration{founders_, {}, {}}) return false;
    }
    return true;
  }

  std::size_t link(std::uint32_t from, std::uint32_t to) const { return (from - 1) * world_.size() + (to - 1); }

  World world_;
  std::vector<NodeId> founders_;
  Prng prng_;
  Violence violence_;
  std::vector<bool> blocked_;
  std::uint64_t number_ = 0;
  std::optional<Index> calm_;
};

std::string first_breach(const Chaos& chaos) {
  const auto& breaches = chaos.world().safety().breaches();
  return breaches.empty() ? "" : breaches.front();
}

std::string states(const Chaos& chaos) {
  std::string lines;
  for (std::uint32_t id = 1; id <= chaos.world().size(); ++id) lines += chaos.world().state_of(id) + "\n";
  return lines;
}

void add(World::Counters& total, const World::Counters& seen) {
  total.elections += seen.elections;
  total.commits += seen.commits;
  total.truncations += seen.truncations;
  total.lost_tails += seen.lost_tails;
  total.reads += seen.reads;
  total.crashes += seen.crashes;
  total.transfers += seen.transfers;
  total.joint += seen.joint;
  total.rolled_back += seen.rolled_back;
  total.compactions += seen.compactions;
  total.installs += seen.installs;
  total.installs_kept += seen.installs_kept;
  total.damages += seen.damages;
  total.settled_by_leader += seen.settled_by_leader;
  total.settled_by_all += seen.settled_by_all;
  total.quorums_lost += seen.quorums_lost;
}

TEST_CASE(
    "property: a group of any size stays safe under every fault and moves again when healed (Raft thesis fig. 3.2)") {
  World::Counters total;
  for (std::uint64_t seed = 1; seed <= 600; ++seed) {
    const std::uint32_t members = std::array{3u, 5u, 3u, 1u, 2u, 4u}[seed % 6];
    CAPTURE(seed, members);
    Chaos chaos(members, 0, seed);
    chaos.rage();
    REQUIRE(first_breach(chaos) == "");
    const bool moved = chaos.heal();
    REQUIRE(first_breach(chaos) == "");
    INFO(states(chaos));
    REQUIRE(moved);
    add(total, chaos.world().counters());
  }
  // Nothing passes by doing nothing.
  CAPTURE(total.elections, total.commits, total.truncations, total.lost_tails, total.reads, total.crashes);
  CAPTURE(total.damages, total.settled_by_leader, total.settled_by_all, total.quorums_lost, total.transfers);
  CHECK(total.elections > 1000);
  CHECK(total.commits > 1000);
  CHECK(total.truncations > 100);
  CHECK(total.lost_tails > 100);
  CHECK(total.reads > 500);
  CHECK(total.crashes > 500);
  CHECK(total.transfers > 100);
  CHECK(total.compactions > 500);
  CHECK(total.installs > 100);
  CHECK(total.installs_kept > 10);
  CHECK(total.damages > 100);
  CHECK(total.settled_by_leader > 50);
  CHECK(total.settled_by_all > 50);
  CHECK(total.quorums_lost > 100);
}

TEST_CASE("property: a group whose members come and go stays safe and moves again when healed (Raft thesis §4, O-R3)") {
  World::Counters total;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    const std::uint32_t founders = seed % 2 == 0 ? 3 : 5;
    CAPTURE(seed, founders);
    Chaos chaos(founders, 7 - founders, seed);
    chaos.rage();
    REQUIRE(first_breach(chaos) == "");
    const bool moved = chaos.heal();
    REQUIRE(first_breach(chaos) == "");
    INFO(states(chaos));
    REQUIRE(moved);
    add(total, chaos.world().counters());
  }
  CAPTURE(total.joint, total.rolled_back, total.installs, total.damages, total.settled_by_leader, total.settled_by_all);
  CHECK(total.joint > 500);
  CHECK(total.rolled_back > 20);
  CHECK(total.transfers > 100);
  CHECK(total.installs > 100);
  CHECK(total.damages > 50);
}

TEST_CASE("property: safety holds for any seed and size (Raft thesis fig. 3.2)") {
  REQUIRE(rc::check("no breach, and progress after healing", [] {
    const auto seed = *rc::gen::arbitrary<std::uint64_t>();
    const auto founders = *rc::gen::inRange<std::uint32_t>(1, 6);
    const auto spares = *rc::gen::inRange<std::uint32_t>(0, 3);
    Chaos chaos(founders, spares, seed);
    chaos.rage();
    RC_ASSERT(first_breach(chaos) == "");
    RC_ASSERT(chaos.heal());
    RC_ASSERT(first_breach(chaos) == "");
  }));
}

TEST_CASE("the same seed gives the same run (core/raft: a function of its inputs)") {
  const auto run = [] {
    Chaos chaos(3, 2, 42);
    chaos.rage();
    std::string state;
    for (std::uint32_t id = 1; id <= 5; ++id) state += chaos.world().state_of(id) + "\n";
    return state;
  };
  const std::string first = run();
  CHECK(first.size() > 100);
  CHECK(run() == first);
}

}  // namespace
}  // namespace coffer::raft::test
