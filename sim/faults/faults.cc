#include "sim/faults/faults.h"

namespace coffer::sim::faults {

const std::vector<Row>& table() {
  static const std::vector<Row> rows = {
      {"bit_rot", bit_rot()},
      {"bridge_partition", bridge_partition()},
      {"clock_drift", clock_drift()},
      {"clock_jump", clock_jump()},
      {"clock_lies", clock_lies()},
      {"clock_skew", clock_skew()},
      {"clog", clog()},
      {"connection_reset", connection_reset()},
      {"crash_restart", crash_restart()},
      {"cyclic_partition", cyclic_partition()},
      {"delay", delay()},
      {"disk_full", disk_full()},
      {"drop", drop()},
      {"duplicate", duplicate()},
      {"empty_disk", empty_disk()},
      {"fsync_error", fsync_error()},
      {"grow_group", grow_group()},
      {"isolate_one", isolate_one()},
      {"latent_error", latent_error()},
      {"leap_second", leap_second()},
      {"lost_unsynced", lost_unsynced()},
      {"misdirected_read", misdirected_read()},
      {"misdirected_write", misdirected_write()},
      {"partition", partition()},
      {"partition_one_way", partition_one_way()},
      {"pause", pause()},
      {"payload_corruption", payload_corruption()},
      {"power_cut_all", power_cut_all()},
      {"reorder", reorder()},
      {"replace_member", replace_member()},
      {"rolling_upgrade", rolling_upgrade()},
      {"shrink_group", shrink_group()},
      {"slow_disk", slow_disk()},
      {"stale_read", stale_read()},
      {"stuck_disk", stuck_disk()},
      {"torn_unsynced", torn_unsynced()},
      {"transfer_leadership", transfer_leadership()},
      {"zeroed_tail", zeroed_tail()},
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
