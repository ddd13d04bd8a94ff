// Where the copies of a group's entries really are: what one disk durably holds of each group, read with the oracles'
// own decoder and nothing of the product. Plain data.
#pragma once

#include <cstdint>
#include <map>
#include <string_view>
#include <vector>

#include "core/base/hash.h"
#include "core/base/ids.h"
#include "sim/models/disk.h"

namespace coffer::sim::faults {

/// An entry, as far as copies of it are compared.
struct Mark {
  Term term;
  Hash128 payload;
  bool operator==(const Mark&) const = default;
};

/// One group's log on one disk: what recovery could fold before the first damage. What a snapshot stands for is not
/// looked into: entries up to `base` count as whole.
struct HeldLog {
  Index base{0};
  std::vector<Mark> entries;  ///< from base + 1
};

struct Copies {
  std::map<ShardId, HeldLog> logs;
  bool both_hard_states = false;  ///< each of the two copies is whole
};

Copies copies_on(const Disk& disk);
/// The highest index up to which the log holds exactly the committed entries; `committed` is from index 1.
Index whole_up_to(const HeldLog& log, const std::vector<Mark>& committed);

}  // namespace coffer::sim::faults
