// What makes the wallet fast and must not be seen in what it says: the table of them, and how each is switched off.
// Adding one is one row here. A test compares what clients are told with and without each (mission row I9).
#pragma once

#include <string_view>
#include <vector>

#include "core/node/config.h"

namespace coffer::sim {

struct Optimisation {
  std::string_view name;
  std::string_view doc;  ///< one line
  void (*off)(node::Tuning& tuning);
};

/// In name order.
const std::vector<Optimisation>& optimisations();

}  // namespace coffer::sim
