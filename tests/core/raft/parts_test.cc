// The parts a replica is made of, each on its own: majorities, the log, a follower's progress, the invariants.
#include <algorithm>

#include <catch2/catch.hpp>
#include <rapidcheck.h>

#include "core/raft/invariants.h"
#include "core/raft/log_view.h"
#include "core/raft/progress.h"
#include "core/raft/quorum.h"
#include "tests/core/raft/replica.h"

namespace coffer::raft::test {
namespace {

TEST_CASE("property: two majorities share a voter, and fewer voters need not (Raft thesis §3.2)") {
  REQUIRE(rc::check("two majorities overlap; two sets of one less need not", [] {
    const auto voters = *rc::gen::inRange<std::size_t>(1, 100);
    RC_ASSERT(2 * majority(voters) > voters);
    RC_ASSERT(2 * (majority(voters) - 1) <= voters);
  }));
}

TEST_CASE("property: a majority has reached the agreed value and none has reached more (Raft thesis fig. 3.1)") {
  REQUIRE(rc::check("reached_by_majority is the highest value with a majority at or above it", [] {
    const auto count = *rc::gen::inRange<std::size_t>(1, 10);
    auto values = *rc::gen::container<std::vector<int>>(count, rc::gen::inRange(0, 8));
    const auto at_least = [&](int bound) {
      return static_cast<std::size_t>(std::count_if(values.begin(), values.end(), [&](int v) { return v >= bound; }));
    };
    const int agreed = reached_by_majority(std::span(values));
    RC_ASSERT(at_least(agreed) >= majority(count));
    RC_ASSERT(at_least(agreed + 1) < majority(count));
  }));
}

TEST_CASE("a log refuses gaps, falling terms and places it does not have (Raft thesis fig. 3.2, log matching)") {
  LogView log({}, entries(1, {1, 2, 2}));
  CHECK(log.last_index() == Index(3));
  CHECK(log.last_term() == Term(2));
  CHECK(log.durable() == Index(3));
  CHECK_THROWS_AS(log.append({Index(5), Term(2), nullptr}), CheckFailure);
  CHECK_THROWS_AS(log.append({Index(4), Term(1), nullptr}), CheckFailure);
  CHECK_THROWS_AS(log.at(Index(0)), CheckFailure);
  CHECK_THROWS_AS(log.at(Index(4)), CheckFailure);
  CHECK_THROWS_AS(log.truncate_from(Index(4)), CheckFailure);
  CHECK(log.matches(Index(0), Term(0)));
  CHECK(log.matches(Index(2), Term(2)));
  CHECK_FALSE(log.matches(Index(2), Term(1)));
  CHECK_FALSE(log.matches(Index(4), Term(2)));
}

TEST_CASE("what a truncation removes is no longer durable, and old completions say nothing (Raft thesis §10.2.1)") {
  LogView log({}, entries(1, {1, 1, 1}));
  log.truncate_from(Index(2));
  CHECK(log.generation() == 1);
  CHECK(log.durable() == Index(1));
  log.append({Index(2), Term(2), nullptr});
  log.persisted(0, Index(3));
  CHECK(log.durable() == Index(1));
  log.persisted(1, Index(2));
  CHECK(log.durable() == Index(2));
  log.persisted(1, Index(1));
  CHECK(log.durable() == Index(2));
  CHECK_THROWS_AS(log.persisted(2, Index(2)), CheckFailure);
  CHECK_THROWS_AS(log.persisted(1, Index(3)), CheckFailure);
}

/// Entries whose terms never fall, all within 1..`term_max`.
std::vector<Entry> arbitrary_log(std::size_t size_max, std::uint64_t term_max) {
  const auto size = *rc::gen::inRange<std::size_t>(0, size_max + 1);
  auto terms = *rc::gen::container<std::vector<std::uint64_t>>(size, rc::gen::inRange<std::uint64_t>(1, term_max + 1));
  std::sort(terms.begin(), terms.end());
  std::vector<Entry> log;
  for (const std::uint64_t term : terms) {
    log.push_back({Index(log.size() + 1), Term(term), nullptr});
  }
  return log;
}

TEST_CASE("property: a refusal's hint skips only what cannot match (Raft thesis §3.5)") {
  REQUIRE(rc::check("the hint goes back, and never below the last place where both logs agree", [] {
    // Two logs that share a prefix and then differ in terms, as logs of real leaders do (log matching).
    std::vector<Entry> shared = arbitrary_log(5, 3);
    std::vector<Entry> ours = shared;
    std::vector<Entry> leaders = shared;
    const std::uint64_t base = shared.empty() ? 1 : shared.back().term.value;
    // After the shared prefix the follower continues in odd terms, the leader in even ones: no accidental match.
    std::uint64_t term = 2 * base + 1;
    for (const int step : *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 3))) {
      term += 2 * static_cast<std::uint64_t>(step);
      ours.push_back({Index(ours.size() + 1), Term(term), nullptr});
    }
    term = 2 * base + 2;
    for (const int step : *rc::gen::nonEmpty(rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 3)))) {
      term += 2 * static_cast<std::uint64_t>(step);
      leaders.push_back({Index(leaders.size() + 1), Term(term), nullptr});
    }
    const LogView follower({}, ours);
    const auto prev = *rc::gen::inRange<std::uint64_t>(shared.size() + 1, leaders.size() + 1);
    const Index hint = follower.last_possible_match(Index(prev), leaders[prev - 1].term);
    RC_ASSERT(hint.value < prev);
    RC_ASSERT(hint.value <= ours.size());
    // Whatever both have at or before prev is at or before the hint, or in the whole term the hint steps over.
    const bool stepped_into_shared = hint.value < shared.size();
    if (stepped_into_shared) {
      RC_ASSERT(prev <= ours.size());
      RC_ASSERT(ours[hint.value].term == ours[prev - 1].term);
    }
  }));
}

TEST_CASE("progress probes, streams after a confirmation, and falls back when refused (Raft thesis §10.2.2)") {
  const Window window{2, 100};
  const Index base(0);
  Progress progress(NodeId(2), Index(5), Instant());
  CHECK(progress.state() == Progress::State::probing);
  CHECK(progress.next() == Index(6));
  CHECK(progress.may_send(window));
  progress.sent(Index(8), 1);
  CHECK_FALSE(progress.may_send(window));
  CHECK(progress.next() == Index(6));
  CHECK(progress.rejected(Index(3)));
  CHECK(progress.next() == Index(4));
  CHECK_FALSE(progress.rejected(Index(3)));
  progress.accepted(Index(2), base);  // older than the place asked about
  CHECK(progress.state() == Progress::State::probing);
  CHECK(progress.accepted(Index(8), base));
  CHECK(progress.state() == Progress::State::streaming);
  CHECK(progress.next() == Index(9));
  progress.sent(Index(9), 1);
  progress.sent(Index(12), 1);
  CHECK_FALSE(progress.may_send(window));
  CHECK_FALSE(progress.accepted(Index(8), base));
  CHECK(progress.accepted(Index(9), base));
  CHECK(progress.in_flight() == 1);
  CHECK(progress.rejected(Index(4)));  // never below the match
  CHECK(progress.next() == Index(10));
  CHECK(progress.match() == Index(9));
  CHECK(progress.in_flight() == 0);
}

TEST_CASE("an advance resets the count of silent heartbeats (Raft thesis §3.5)") {
  Progress progress(NodeId(2), Index(0), Instant());
  progress.accepted(Index(0), Index(0));
  progress.sent(Index(1), 1);
  progress.sent(Index(2), 1);
  for (std::uint32_t beat = 0; beat < silent_beats_max; ++beat) progress.beat();
  progress.accepted(Index(1), Index(0));
  for (std::uint32_t beat = 0; beat < silent_beats_max; ++beat) progress.beat();
  CHECK(progress.state() == Progress::State::streaming);
  progress.beat();
  CHECK(progress.state() == Progress::State::probing);
  CHECK(progress.next() == Index(2));
}

TEST_CASE("each numbered invariant stops a replica that breaks it (Raft thesis fig. 3.2)") {
  const Facts sound = {.leading = true,
                       .hard_state = {Term(3), NodeId(1)},
                       .commit = Index(2),
                       .last = Index(4),
                       .last_term = Term(3),
                       .durable = Index(3),
                       .generation = 1};
  struct Breach {
    const char* what;
    void (*commit_it)(Facts&);
  };
  const auto breach = GENERATE(Breach{"R1 term",
                                      [](Facts& f) {
                                        f.hard_state = {Term(2), nobody};
                                        f.last_term = Term(2);
                                      }},
                               Breach{"R1 last term", [](Facts& f) { f.last_term = Term(4); }},
                               Breach{"R2 vote", [](Facts& f) { f.hard_state.vote = NodeId(2); }},
                               Breach{"R2 vote forgotten", [](Facts& f) { f.hard_state.vote = nobody; }},
                               Breach{"R5 truncation", [](Facts& f) { f.generation = 2; }},
                               Breach{"R8 commit back", [](Facts& f) { f.commit = Index(1); }},
                               Breach{"R8 commit beyond", [](Facts& f) { f.commit = Index(5); }},
                               Breach{"R10 durable beyond", [](Facts& f) { f.durable = Index(5); }},
                               Breach{"R10 durable back", [](Facts& f) { f.durable = Index(2); }});
  CAPTURE(breach.what);
  Invariants invariants(sound);
  invariants.observe(sound);
  Facts broken = sound;
  breach.commit_it(broken);
  CHECK_THROWS_AS(invariants.observe(broken), CheckFailure);
}

TEST_CASE("a replica refuses to start from what no replica can have stored (Raft thesis fig. 3.1, persistent state)") {
  CHECK_THROWS_AS(Replica({.term = 1, .log = {1, 2}}), CheckFailure);
  CHECK_THROWS_AS(Replica({.term = 3, .log = {2, 1}}), CheckFailure);
  CHECK_NOTHROW(Replica({.term = 3, .log = {2, 3}}));
}

}  // namespace
}  // namespace coffer::raft::test
