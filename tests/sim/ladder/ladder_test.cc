// The ladder: every flawed design is caught by an oracle, and its sound twin passes under the very same plans.
#include <set>
#include <string>

#include <catch2/catch.hpp>

#include "sim/ladder/climb.h"
#include "sim/ladder/report.h"

namespace coffer::sim::ladder {
namespace {

constexpr std::uint64_t seeds = 1000;

TEST_CASE("every rung has a name of its own, a world to run in, and a flaw where it is expected to fail") {
  std::set<std::string> ids;
  for (const Rung& rung : table()) {
    INFO(rung.id);
    REQUIRE(ids.insert(std::string(rung.id)).second);
    REQUIRE((rung.design != nullptr) != (rung.scenario != nullptr));
    REQUIRE((rung.expected == Verdict::pass) == rung.flaw.empty());
    REQUIRE(find(rung.id) == &rung);
  }
  REQUIRE(find("B0") == nullptr);
}

TEST_CASE("each rung of the small world shows its verdict under the same plans, and each failure has a short story") {
  ClimbOptions options;
  options.seeds = seeds;
  options.calm_seeds = 5;
  for (const Rung& rung : table()) {
    if (rung.design != nullptr) options.rungs.push_back(&rung);
  }
  for (const RungReport& report : climb(options)) {
    INFO(report.rung->id << " " << name(report.verdict) << " " << report.oracle << ": " << report.reason << ", seed "
                         << report.seed);
    REQUIRE(report.as_expected());
    REQUIRE(report.seeds == seeds);
    REQUIRE(report.under_faults.requests > 5 * seeds);
    REQUIRE(report.story.has_value() == (report.verdict != Verdict::pass));
    if (!report.story) continue;
    CHECK(report.story->plan.faults.size() <= 3);
    CHECK(report.story->plan.transfers.size() <= 3);
    REQUIRE(report.story->outcome.finding.oracle == report.oracle);
    REQUIRE(report.story->outcome.chronicle.size() >= report.story->plan.transfers.size());
  }
}

TEST_CASE("without faults every sound design answers everything, and a flawed one that needs a fault passes") {
  for (const Rung& rung : table()) {
    if (rung.design == nullptr || rung.expected == Verdict::violation) continue;
    const auto design = rung.design();
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
      const Outcome outcome = run(*design, calm(draw_plan(seed)));
      INFO(rung.id << " seed " << seed << ": " << outcome.finding.reason);
      REQUIRE(outcome.finding.verdict == Verdict::pass);
      REQUIRE(outcome.costs.answered == outcome.costs.requests);
    }
  }
}

TEST_CASE("the same plan is the same run, and another seed another") {
  for (const Rung& rung : table()) {
    if (rung.design == nullptr) continue;
    const auto design = rung.design();
    const Outcome first = run(*design, draw_plan(7));
    REQUIRE(first.hash == run(*rung.design(), draw_plan(7), true).hash);
    REQUIRE(first.hash != run(*design, draw_plan(8)).hash);
  }
}

TEST_CASE("a plan is written and read again without a difference, and a mistake in it is named") {
  const SavedPlan saved{"B2", "O-L1", draw_plan(3)};
  const std::string text = write_plan(saved);
  std::string mistake;
  const auto again = read_plan(text, mistake);
  REQUIRE(again.has_value());
  REQUIRE(write_plan(*again) == text);
  const auto design = find("B2")->design();
  REQUIRE(run(*design, again->plan).hash == run(*design, saved.plan).hash);
  REQUIRE_FALSE(read_plan("{\"rung\": \"B2\"}", mistake).has_value());
  REQUIRE_FALSE(mistake.empty());
}

}  // namespace
}  // namespace coffer::sim::ladder
