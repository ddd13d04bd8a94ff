#include "sim/run/run.h"

#include <algorithm>

#include "sim/run/world.h"

namespace coffer::sim {

std::string_view name(Verdict verdict) {
  switch (verdict) {
    case Verdict::pass:
      return "pass";
    case Verdict::violation:
      return "violation";
    case Verdict::stuck:
      return "stuck";
    case Verdict::nondeterministic:
      return "nondeterministic";
    case Verdict::unknown:
      return "unknown";
  }
  return "?";
}

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

void AvailabilityCounts::add(const AvailabilityCounts& more) {
  requests += more.requests;
  served += more.served;
  worst_outage_ms = std::max(worst_outage_ms, more.worst_outage_ms);
}

void LeaderLossCounts::add(const LeaderLossCounts& more) {
  losses += more.losses;
  healed_in_time += more.healed_in_time;
  without_disks += more.without_disks;
  without_votes += more.without_votes;
  worst_ms = std::max(worst_ms, more.worst_ms);
  worst_permille = std::max(worst_permille, more.worst_permille);
}

RunResult run(const Scenario& scenario, std::uint64_t seed, const RunOptions& options) {
  World world(scenario, seed, options);
  return world.run();
}

RunResult compare(RunResult first, const RunResult& second) {
  const std::optional<Difference> parted = first_difference(first.trace, second.trace);
  if (!parted) return first;
  first.verdict = Verdict::nondeterministic;
  first.oracle = "O-H1";
  first.reason = "the same seed ran twice and parted between event " + std::to_string(parted->first) + " and event " +
                 std::to_string(parted->end) + " (compare the two --trace files from there)";
  return first;
}

bool as_expected(const Scenario& scenario, const RunResult& result) {
  return scenario.expect == name(result.verdict) || (!result.oracle.empty() && scenario.expect == result.oracle);
}

}  // namespace coffer::sim
