// The table of faults: one row each. Adding one is one new file, its declaration and its row (faults.cc); a test fails
// if the row is forgotten.
#pragma once

#include <string_view>
#include <vector>

#include "sim/faults/fault.h"

namespace coffer::sim::faults {

struct Row {
  std::string_view name;  ///< as scenarios write it
  Behaviour acts;
};

/// In name order.
const std::vector<Row>& table();
/// Nothing when there is no such fault.
const Row* find(std::string_view name);

Behaviour clock_skew();
Behaviour crash_restart();
Behaviour delay();
Behaviour drop();
Behaviour duplicate();
Behaviour lost_unsynced();
Behaviour partition();
Behaviour partition_one_way();
Behaviour pause();
Behaviour power_cut_all();
Behaviour reorder();
Behaviour torn_unsynced();

}  // namespace coffer::sim::faults
