#include "sim/shrink/neighbourhood.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "sim/shrink/signature.h"

namespace coffer::sim::shrink {

namespace {

constexpr std::int64_t shifts_ms[] = {0, 1, -1, 3, -3, 10, -10, 30, -30};
constexpr std::uint64_t seeds = 16;

Scenario shifted(Scenario scenario, Duration by) {
  const auto move = [by](Duration& at) { at = std::max(at + by, Duration{}); };
  for (faults::FaultSpec& fault : scenario.faults) {
    if (fault.when == faults::When::at) move(fault.at);
  }
  for (ScriptedCall& call : scenario.script.calls) move(call.at);
  return scenario;
}

}  // namespace

Replay replay(const Scenario& saved) {
  check(!saved.signature.verdict.empty(), "who replays a failure knows which one");
  Replay replay;
  replay.scenario = saved;
  const auto fails_as_known = [&](const Scenario& scenario) {
    ++replay.runs;
    RunResult result = run(scenario, scenario.seed);
    const bool known = is(signature_of(result), saved.signature);
    if (known || replay.runs == 1) replay.result = std::move(result);
    return known;
  };
  if (fails_as_known(saved)) {
    replay.state = Replay::State::same;
    return replay;
  }
  for (std::uint64_t seed = saved.seed; seed <= saved.seed + seeds; ++seed) {
    for (const std::int64_t ms : shifts_ms) {
      if (seed == saved.seed && ms == 0) continue;
      Scenario near = shifted(saved, milliseconds(ms));
      near.seed = seed;
      if (!fails_as_known(near)) continue;
      replay.state = Replay::State::drifted;
      replay.scenario = std::move(near);
      return replay;
    }
  }
  return replay;
}

}  // namespace coffer::sim::shrink
