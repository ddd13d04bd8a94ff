// Many short lives of a cluster: processes die, links fail, disks stall, clients ask again and again. Afterwards every
// id has exactly one fate, the one that was told, and the balances are what those fates add up to.
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "core/base/prng.h"
#include "tests/core/node/cluster.h"

namespace coffer::node {
namespace {

constexpr std::uint64_t lives = 60;
constexpr int rounds = 60;
constexpr std::int64_t opening_balance = 60;

struct Asked {
  std::string debit;
  std::string credit;
  std::int64_t minor = 0;
  std::vector<std::uint64_t> attempts;
};

class Life {
 public:
  explicit Life(std::uint64_t seed) : random_(seed, 77), cluster_(static_cast<std::uint32_t>(1 + seed % 3), seed) {}

  void live() {
    found();
    for (int round = 0; round < rounds; ++round) {
      if (random_.chance(300)) disturb();
      const std::uint64_t requests = random_.below(4);
      for (std::uint64_t i = 0; i < requests; ++i) ask();
      cluster_.run(milliseconds(random_.between(0, 120)));
    }
    calm();
    judge();
  }
  std::uint64_t traced(TraceKind kind) const { return cluster_.traced(kind); }
  std::uint64_t successes = 0;
  std::uint64_t unknowns = 0;

 private:
  NodeId any_node() { return NodeId(static_cast<std::uint32_t>(1 + random_.below(3))); }

  void found() {
    REQUIRE(cluster_.run_until_led());
    for (const char* name : {"alice", "bob", "carol", "dave", "erin"}) {
      accounts_.push_back(name);
      REQUIRE(cluster_.call(any_node(), opening(name)).status == Outcome::success);
      const auto told = result_of(cluster_.call(any_node(), deposit(++ids_, name, opening_balance)));
      REQUIRE(told.outcome == Outcome::success);
    }
    accounts_.push_back("ghost");  // is never opened
  }

  void disturb() {
    const NodeId node = any_node();
    switch (random_.below(7)) {
      case 0:
        if (cluster_.is_running(node)) cluster_.stop(node);
        break;
      case 1:
        if (!cluster_.is_running(node)) cluster_.start(node);
        break;
      case 2:
        cluster_.isolate(node);
        break;
      case 3:
        cluster_.heal();
        cluster_.loses = nullptr;
        break;
      case 4:
        cluster_.hold_io(node);
        break;
      case 5:
        for (const NodeId each : cluster_.nodes()) cluster_.release_io(each);
        break;
      default:
        cluster_.loses = [this, rate = static_cast<std::uint32_t>(random_.below(600))](NodeId, NodeId, const Section&) {
          return random_.chance(rate);
        };
        break;
    }
  }

  void ask() {
    const NodeId via = any_node();
    if (!cluster_.is_running(via)) return;
    std::uint64_t id = 0;
    if (!asked_.empty() && random_.chance(300)) {
      id = first_id_ + random_.below(asked_.size());
    } else {
      id = first_id_ + asked_.size();
      Asked& fresh = asked_[id];
      fresh.debit = accounts_[random_.below(accounts_.size() - 1)];
      do {
        fresh.credit = accounts_[random_.below(accounts_.size())];
      } while (fresh.credit == fresh.debit);
      fresh.minor = random_.between(1, 40);
    }
    Asked& one = asked_.at(id);
    router::Request request = transfer(id, one.debit, one.credit, one.minor);
    request.header.patience_ms = static_cast<std::uint32_t>(random_.between(50, 3000));
    one.attempts.push_back(cluster_.ask(via, request));
  }

  void calm() {
    cluster_.heal();
    cluster_.loses = nullptr;
    for (const NodeId node : cluster_.nodes()) {
      cluster_.release_io(node);
      if (!cluster_.is_running(node)) cluster_.start(node);
    }
    REQUIRE(cluster_.run_until_led());
    cluster_.run(seconds(5));
  }

  void judge() {
    std::map<std::string, std::int64_t> expected;
    for (std::size_t i = 0; i + 1 < accounts_.size(); ++i) expected[accounts_[i]] = opening_balance;
    for (auto& [id, one] : asked_) {
      CAPTURE(id, one.debit, one.credit, one.minor);
      const auto fate = result_of(cluster_.call(any_node(), transfer(id, one.debit, one.credit, one.minor)));
      REQUIRE(is_logged(fate.outcome));
      bool may_have_executed = false;
      for (const std::uint64_t attempt : one.attempts) {
        const auto reply = cluster_.reply(attempt);
        const Outcome told = reply ? result_of(*reply).outcome : Outcome::unknown;
        if (is_logged(told)) REQUIRE(told == fate.outcome);
        may_have_executed = may_have_executed || !is_retryable(told);
        successes += told == Outcome::success ? 1 : 0;
        unknowns += told == Outcome::unknown ? 1 : 0;
      }
      if (!may_have_executed) REQUIRE_FALSE(fate.replayed);
      if (fate.outcome == Outcome::success) {
        expected[one.debit] -= one.minor;
        expected[one.credit] += one.minor;
      }
    }
    for (const auto& [account, minor] : expected) {
      CAPTURE(account);
      REQUIRE(minor >= 0);
      REQUIRE(balance_of(cluster_.call(any_node(), balance(account))) == minor);
    }
    cluster_.run(seconds(2));
    REQUIRE(cluster_.settled_wrong() == "");
  }

  Prng random_;
  Cluster cluster_;
  std::vector<std::string> accounts_;
  std::map<std::uint64_t, Asked> asked_;
  std::uint64_t ids_ = 0;
  const std::uint64_t first_id_ = 1000;
};

TEST_CASE("property: whatever happens to nodes, links and disks, each id has one fate, and it is the one told") {
  std::map<TraceKind, std::uint64_t> traced;
  std::uint64_t successes = 0;
  std::uint64_t unknowns = 0;
  for (std::uint64_t seed = 1; seed <= lives; ++seed) {
    CAPTURE(seed);
    Life life(seed);
    life.live();
    successes += life.successes;
    unknowns += life.unknowns;
    for (const TraceKind kind : {TraceKind::undone, TraceKind::saga_resumed, TraceKind::saga_compensated,
                                 TraceKind::dedup_hit, TraceKind::leg_repeated, TraceKind::leader_lost_tail}) {
      traced[kind] += life.traced(kind);
    }
  }
  CHECK(successes > 10 * lives);
  CHECK(unknowns > lives);
  for (const auto& [kind, times] : traced) {
    CAPTURE(name(kind));
    CHECK(times > 0);
  }
}

}  // namespace
}  // namespace coffer::node
