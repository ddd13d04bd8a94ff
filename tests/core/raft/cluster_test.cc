// Whole groups under random loss, duplication, reordering, delay, one-way links and crashes that lose what was not
// synced. Every seed draws which of these exist and how violent they are, then heals and asks for progress.
#include <algorithm>
#include <string>

#include <catch2/catch.hpp>
#include <rapidcheck.h>

#include "core/base/prng.h"
#include "tests/core/raft/world.h"

namespace coffer::raft::test {
namespace {

constexpr int events_of_a_run = 8000;

/// Chances per mille and magnitudes of one seed.
struct Violence {
  std::uint32_t drop, duplicate, reorder, crash, restart, block, mend, lazy_sync, eager_ticks;

  static Violence drawn(Prng& prng) {
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
    return v;
  }
};

class Chaos {
 public:
  Chaos(std::uint32_t members, std::uint64_t seed)
      : world_(members, seed), prng_(seed, 99), violence_(Violence::drawn(prng_)), blocked_(members * members, false) {}

  void rage() {
    for (int i = 0; i < events_of_a_run && world_.safety().breaches().empty(); ++i) {
      one_event();
    }
  }

  /// Everyone is back, links are honest: within a bounded time a leader commits something new everywhere.
  bool heal() {
    for (std::uint32_t id = 1; id <= world_.size(); ++id) world_.restart(id);
    for (int beat = 0; beat < 400 && world_.safety().breaches().empty(); ++beat) {
      world_.sleep(heartbeat_part);
      for (std::uint32_t id = 1; id <= world_.size(); ++id) tick_if_due(id);
      world_.settle();
      // The first proposals may go to a leader that is none any more.
      if (world_.leader() != 0 && beat % 20 == 0) calm_ = world_.propose(world_.leader(), "after the storm");
      if (calm_ && caught_up(*calm_)) return true;
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
    } else {
      trouble();
    }
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

  bool caught_up(Index target) {
    for (std::uint32_t id = 1; id <= world_.size(); ++id) {
      if (world_.member(id).raft->commit() < target) return false;
    }
    return true;
  }

  std::size_t link(std::uint32_t from, std::uint32_t to) const { return (from - 1) * world_.size() + (to - 1); }

  World world_;
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

TEST_CASE(
    "property: a group of any size stays safe under every fault and moves again when healed (Raft thesis fig. 3.2)") {
  World::Counters total;
  for (std::uint64_t seed = 1; seed <= 600; ++seed) {
    const std::uint32_t members = std::array{3u, 5u, 3u, 1u, 2u, 4u}[seed % 6];
    CAPTURE(seed, members);
    Chaos chaos(members, seed);
    chaos.rage();
    REQUIRE(first_breach(chaos) == "");
    const bool moved = chaos.heal();
    REQUIRE(first_breach(chaos) == "");
    REQUIRE(moved);
    const World::Counters& seen = chaos.world().counters();
    total.elections += seen.elections;
    total.commits += seen.commits;
    total.truncations += seen.truncations;
    total.lost_tails += seen.lost_tails;
    total.reads += seen.reads;
    total.crashes += seen.crashes;
  }
  // Nothing passes by doing nothing.
  CAPTURE(total.elections, total.commits, total.truncations, total.lost_tails, total.reads, total.crashes);
  CHECK(total.elections > 1000);
  CHECK(total.commits > 1000);
  CHECK(total.truncations > 100);
  CHECK(total.lost_tails > 100);
  CHECK(total.reads > 500);
  CHECK(total.crashes > 500);
}

TEST_CASE("property: safety holds for any seed and size (Raft thesis fig. 3.2)") {
  REQUIRE(rc::check("no breach, and progress after healing", [] {
    const auto seed = *rc::gen::arbitrary<std::uint64_t>();
    const auto members = *rc::gen::inRange<std::uint32_t>(1, 6);
    Chaos chaos(members, seed);
    chaos.rage();
    RC_ASSERT(first_breach(chaos) == "");
    RC_ASSERT(chaos.heal());
    RC_ASSERT(first_breach(chaos) == "");
  }));
}

TEST_CASE("the same seed gives the same run (core/raft: a function of its inputs)") {
  const auto run = [] {
    Chaos chaos(3, 42);
    chaos.rage();
    std::string state;
    for (std::uint32_t id = 1; id <= 3; ++id) state += chaos.world().state_of(id) + "\n";
    return state;
  };
  const std::string first = run();
  CHECK(first.size() > 100);
  CHECK(run() == first);
}

}  // namespace
}  // namespace coffer::raft::test
