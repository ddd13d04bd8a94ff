// The ladder: every flawed design is caught by an oracle, and its sound twin passes under the very same plans.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>

#include <catch2/catch.hpp>

#include "core/txn/protocols.h"
#include "sim/ladder/climb.h"
#include "sim/ladder/product.h"
#include "sim/ladder/report.h"

namespace coffer::sim::ladder {
namespace {

constexpr std::uint64_t seeds = 3000;

std::filesystem::path root() {
  const char* const named = std::getenv("COFFER_SOURCE_DIR");
  return named == nullptr ? "." : named;
}

std::string text_of(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file, std::ios::binary).rdbuf();
  return text.str();
}

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

TEST_CASE("every file of a rung has its row, and every row a file") {
  const std::string rows = text_of(root() / "sim/ladder/rungs.cc");
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(root() / "sim/ladder")) {
    const std::string stem = entry.path().stem().string();
    if (stem.size() < 4 || stem[0] != 'b' || stem[1] < '0' || stem[1] > '9') continue;
    ++files;
    INFO(stem);
    REQUIRE(rows.find(stem + "}") != std::string::npos);
  }
  REQUIRE(files == table().size());
}

TEST_CASE("what a transfer costs the product without faults is what its protocol's commits cost on paper") {
  const std::uint64_t replicas = 3;
  const std::map<ledger::Protocol, std::uint64_t> commits = {
      {ledger::Protocol::saga, 3}, {ledger::Protocol::tcc, 5}, {ledger::Protocol::two_phase_commit, 5}};
  for (const auto& [protocol, count] : commits) {
    Scenario scenario;
    scenario.tuning.protocol = protocol;
    Costs costs;
    add_calm_costs(scenario, 1, costs);
    CAPTURE(txn::row_of(protocol).name, costs.answered, costs.messages, costs.syncs);
    REQUIRE(costs.answered == 80);
    // The last event of a transfer now and then shares its entry with the first one of the next.
    const std::uint64_t on_paper = costs.answered * count * replicas;
    CHECK(costs.writes <= on_paper);
    CHECK(costs.writes * 100 >= on_paper * 95);
    CHECK(costs.syncs >= costs.writes);
    CHECK(costs.messages >= costs.writes);
    CHECK(costs.held * 100 >= costs.answered * 95);
    CHECK(costs.held_for > Duration{});
  }
}

TEST_CASE("every saved plan of the ladder fails as it says, with at most three faults and three transfers") {
  std::set<std::string> told;
  for (const auto& entry : std::filesystem::directory_iterator(root() / "scenarios/ladder")) {
    INFO(entry.path());
    std::string mistake;
    const auto saved = read_plan(text_of(entry.path()), mistake);
    INFO(mistake);
    REQUIRE(saved.has_value());
    const Rung* rung = find(saved->rung);
    REQUIRE(rung != nullptr);
    REQUIRE(rung->design != nullptr);
    REQUIRE(entry.path().stem() == saved->rung);
    const Outcome outcome = run(*rung->design(), saved->plan);
    REQUIRE(outcome.finding.verdict == rung->expected);
    REQUIRE(outcome.finding.oracle == saved->expect);
    REQUIRE(saved->plan.faults.size() <= 3);
    REQUIRE(saved->plan.transfers.size() <= 3);
    told.insert(saved->rung);
  }
  for (const Rung& rung : table()) {
    INFO(rung.id);
    REQUIRE(told.contains(std::string(rung.id)) == !rung.flaw.empty());
  }
}

TEST_CASE("each rung of the small world shows its verdict under the same plans, and each failure has a short story") {
  ClimbOptions options;
  options.seeds = seeds;
  options.calm_seeds = 2;
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
  const SavedPlan saved{"B2", "two bare writes", "O-L1", draw_plan(3)};
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
