#include "sim/faults/faults.h"

namespace coffer::sim::faults {

const std::vector<Row>& table() {
  static const std::vector<Row> rows = {
      {"clock_skew", clock_skew()}, {"crash_restart", crash_restart()},
      {"delay", delay()},           {"drop", drop()},
      {"duplicate", duplicate()},   {"lost_unsynced", lost_unsynced()},
      {"partition", partition()},   {"partition_one_way", partition_one_way()},
      {"pause", pause()},           {"power_cut_all", power_cut_all()},
      {"reorder", reorder()},       {"torn_unsynced", torn_unsynced()},
  };
  return rows;
}

const Row* find(std::string_view name) {
  for (const Row& row : table()) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

}  // namespace coffer::sim::faults
