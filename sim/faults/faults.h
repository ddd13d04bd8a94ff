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

Behaviour bit_rot();
Behaviour bridge_partition();
Behaviour clock_drift();
Behaviour clock_jump();
Behaviour clock_lies();
Behaviour clock_skew();
Behaviour clog();
Behaviour connection_reset();
Behaviour crash_restart();
Behaviour cyclic_partition();
Behaviour delay();
Behaviour disk_full();
Behaviour drop();
Behaviour duplicate();
Behaviour empty_disk();
Behaviour fsync_error();
Behaviour grow_group();
Behaviour isolate_one();
Behaviour latent_error();
Behaviour leap_second();
Behaviour lost_unsynced();
Behaviour misdirected_read();
Behaviour misdirected_write();
Behaviour partition();
Behaviour partition_one_way();
Behaviour pause();
Behaviour payload_corruption();
Behaviour power_cut_all();
Behaviour reorder();
Behaviour replace_member();
Behaviour rolling_upgrade();
Behaviour shrink_group();
Behaviour slow_disk();
Behaviour stale_read();
Behaviour stuck_disk();
Behaviour torn_unsynced();
Behaviour transfer_leadership();
Behaviour zeroed_tail();

}  // namespace coffer::sim::faults
