#include "sim/run/run.h"

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

RunResult run(const Scenario& scenario, std::uint64_t seed, const RunOptions& options) {
  World world(scenario, seed, options);
  return world.run();
}

bool as_expected(const Scenario& scenario, const RunResult& result) {
  return scenario.expect == name(result.verdict) || (!result.oracle.empty() && scenario.expect == result.oracle);
}

}  // namespace coffer::sim
