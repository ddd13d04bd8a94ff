// A saga with an orchestrator: the debit, then the credit, each a local transaction of its own at a shard. A wallet
// service keeps on its disk which step a transfer is at, so that it goes on there after a crash. A credit that is not
// answered within credit_patience is given up: whatever was done is compensated, and in which order is the question.
#pragma once

#include <cstdint>
#include <memory>

#include "sim/ladder/design.h"

namespace coffer::sim::ladder {

inline constexpr Duration credit_patience = milliseconds(300);

enum class Compensation : std::uint8_t {
  /// The last step first. What cannot be taken back any more stays: then the transfer has succeeded.
  backwards,
  /// The first step first: by then nothing is left to choose, and what was given must come back.
  forwards,
};

std::unique_ptr<Design> saga(Compensation order);

}  // namespace coffer::sim::ladder
