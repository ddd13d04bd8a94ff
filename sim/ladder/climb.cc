#include "sim/ladder/climb.h"

#include <algorithm>

#include "sim/ladder/product.h"

namespace coffer::sim::ladder {

namespace {

int severity(Verdict verdict) {
  switch (verdict) {
    case Verdict::pass:
      return 0;
    case Verdict::unknown:
      return 1;
    case Verdict::stuck:
      return 2;
    case Verdict::nondeterministic:
      return 3;
    case Verdict::violation:
      return 4;
  }
  return 4;
}

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

/// False: the climb was stopped.
bool climb_small(const ClimbOptions& options, const ClimbListener& listener, RungReport& report) {
  const std::unique_ptr<Design> design = report.rung->design();
  for (std::uint64_t seed = options.first_seed; seed < options.first_seed + options.seeds; ++seed) {
    if (listener.may_go_on && !listener.may_go_on(report)) return false;
    const Plan plan = draw_plan(seed);
    const Outcome outcome = run(*design, plan);
    add(report, seed, outcome.finding);
    report.under_faults.add(outcome.costs);
    if (report.seeds <= options.calm_seeds) report.calm.add(run(*design, calm(plan)).costs);
  }
  if (report.verdict != Verdict::pass) report.story = smallest(*design, draw_plan(report.seed));
  return true;
}

bool climb_product(const ClimbOptions& options, const ClimbListener& listener, RungReport& report) {
  const std::uint64_t seeds = std::min(options.seeds, options.product_seeds);
  for (std::uint64_t seed = options.first_seed; seed < options.first_seed + seeds; ++seed) {
    if (listener.may_go_on && !listener.may_go_on(report)) return false;
    const RunResult result = run_product(report.rung->scenario(seed), seed, report.under_faults);
    add(report, seed, {result.verdict, result.oracle, result.reason});
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
