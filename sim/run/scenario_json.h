// Scenarios as JSON text. Reading is strict: an unknown key, a bad unit or an impossible world is refused with the JSON
// pointer of the place and, where one is near, the word that was probably meant. Absent keys keep their defaults.
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.h"
#include "sim/run/scenario.h"

namespace coffer::sim {

/// Error: malformed, "/faults/0/fault: …".
Result<Scenario> read_scenario(std::string_view json);
/// Every field, in a fixed order; reading it gives the same scenario.
std::string write_scenario(const Scenario& scenario);

}  // namespace coffer::sim
