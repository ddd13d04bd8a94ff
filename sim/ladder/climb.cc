#include "sim/ladder/climb.h"

#include <algorithm>

#include "sim/ladder/product.h"

namespace coffer::sim::ladder {

namespace {

constexpr std::size_t stories_tried_max = 20;

void add(RungReport& report, std::uint64_t seed, const Finding& finding) {
  ++report.seeds;
  if (finding.verdict == Verdict::pass) return;
  ++report.failing;
  if (severity(finding.verdict) <= severity(report.verdict)) return;
  report.verdict = finding.verdict;
  report.oracle = finding.oracle;
  report.reason = finding.reason;
  report.seed = seed;
}

bool is_short(const Plan& plan) { return plan.faults.size() <= 3 && plan.transfers.size() <= 3; }

/// The story of the first seed whose plan shrinks to a short one; of those that fail as the report says.
void tell(const Design& design, RungReport& report, const std::vector<std::uint64_t>& alike) {
  for (const std::uint64_t seed : alike) {
    Smallest story = smallest(design, draw_plan(seed));
    const bool enough = is_short(story.plan);
    if (!report.story || enough) report.story = std::move(story);
    if (enough) return;
  }
}

/// False: the climb was stopped.
bool climb_small(const ClimbOptions& options, const ClimbListener& listener, RungReport& report) {
  const std::unique_ptr<Design> design = report.rung->design();
  std::vector<std::uint64_t> alike;  // seeds that fail by the same oracle
  for (std::uint64_t seed = options.first_seed; seed < options.first_seed + options.seeds; ++seed) {
    if (listener.may_go_on && !listener.may_go_on(report)) return false;
    const Plan plan = draw_plan(seed);
    const Outcome outcome = run(*design, plan);
    const Verdict before = report.verdict;
    add(report, seed, outcome.finding);
    if (report.verdict != before) alike.clear();
    const Finding& found = outcome.finding;
    const bool fails_alike = found.verdict != Verdict::pass && found.verdict == report.verdict;
    if (fails_alike && found.oracle == report.oracle && alike.size() < stories_tried_max) alike.push_back(seed);
    report.under_faults.add(outcome.costs);
    if (report.seeds <= options.calm_seeds) report.calm.add(run(*design, calm(plan)).costs);
  }
  tell(*design, report, alike);
  return true;
}

bool climb_product(const ClimbOptions& options, const ClimbListener& listener, RungReport& report) {
  const std::uint64_t seeds = std::min(options.seeds, options.product_seeds);
  for (std::uint64_t seed = options.first_seed; seed < options.first_seed + seeds; ++seed) {
    if (listener.may_go_on && !listener.may_go_on(report)) return false;
    const Scenario scenario = report.rung->scenario(seed);
    const RunResult result = run_product(scenario, seed, report.under_faults);
    add(report, seed, {result.verdict, result.oracle, result.reason});
    if (report.seeds <= options.calm_seeds) add_calm_costs(scenario, seed, report.calm);
  }
  return true;
}

}  // namespace

std::vector<RungReport> climb(const ClimbOptions& options, const ClimbListener& listener) {
  std::vector<RungReport> reports;
  for (const Rung* rung : options.rungs) {
    RungReport& report = reports.emplace_back();
    report.rung = rung;
    const bool went_on =
        rung->design != nullptr ? climb_small(options, listener, report) : climb_product(options, listener, report);
    if (!went_on) break;
  }
  return reports;
}

}  // namespace coffer::sim::ladder
