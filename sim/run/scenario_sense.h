// Whether a scenario describes a possible world. The fields are in range already (scenario_fields.h); here they are
// judged together.
#pragma once

#include <string>

#include "sim/run/scenario.h"

namespace coffer::sim {

/// Empty if it makes sense; else "/faults/0/node: there is no node 7, the topology has 3".
std::string nonsense(const Scenario& scenario);

}  // namespace coffer::sim
