// Availability's worlds: a cluster as it is meant to be run, a steady load, and one fault. Each seed is a piece of a
// simulated day: a day has as many pieces as there are kinds of faults, and each kind strikes once in a piece of its
// own.
#pragma once

#include <cstdint>

#include "sim/run/scenario.h"

namespace coffer::sim {

/// Seeds of one day: as many as there are kinds of faults. Seed 1 is the first piece of day 1.
std::uint64_t pieces_of_a_day();
/// How long one lasts.
Duration length_of_piece();
/// The fault lasts for some seconds: longer than a client waits, on the average.
Scenario draw_single_fault(std::uint64_t seed);
/// The fault lasts for up to half a minute, as long as a machine takes to start.
Scenario draw_long_single_fault(std::uint64_t seed);

}  // namespace coffer::sim
