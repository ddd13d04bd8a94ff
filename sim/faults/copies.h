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

/// One group's log on one disk: what recovery could fold before the first damage.
struct HeldLog {
  Index base{0};
  Index snapshot{0};          ///< the newest whole snapshot there ends here; what it says is not looked into
  std::vector<Mark> entries;  ///< from base + 1
};

struct Copies {
  std::map<ShardId, HeldLog> logs;
  bool both_hard_states = false;  ///< each of the two copies is whole
};

Copies copies_on(const Disk& disk);
/// The highest index up to which a whole snapshot and the log behind its base hold exactly the committed entries;
/// `committed` is from index 1.
Index whole_up_to(const HeldLog& log, const std::vector<Mark>& committed);

}  // namespace coffer::sim::faults
