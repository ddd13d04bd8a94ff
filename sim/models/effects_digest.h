// The digest of everything a step caused: what the trace hash knows of it. One changed byte of any message, reply,
// write or entry, one changed letter of a trace event, and the run is another run.
#pragma once

#include <cstdint>

#include "core/node/effects.h"

namespace coffer::sim {

std::uint64_t digest_of(const node::Effects& effects);

}  // namespace coffer::sim
