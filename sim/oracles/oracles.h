// The table of oracles: one row each. Adding one is one new file and one row here (oracles.cc); a test fails if the row
// is forgotten.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "sim/observe/observer.h"

namespace coffer::sim::oracles {

struct Row {
  std::string_view name;      ///< "O-L1"
  std::string_view property;  ///< one sentence
  std::unique_ptr<Oracle> (*make)(const Topology&);
};

/// All oracles that watch a single run, in name order. (O-V1, O-H1 and O-H2 are judged by the runner: sim/run.)
const std::vector<Row>& table();

}  // namespace coffer::sim::oracles
