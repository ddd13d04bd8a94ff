// Which kind of world a seed is: topology, sizes, times, which faults exist at all and how violent each is.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "sim/run/scenario.h"

namespace coffer::sim {

struct Profile {
  std::string_view name;
  std::string_view doc;
  Scenario (*draw)(std::uint64_t seed);
  /// What a large batch must have reached besides every fault that was drawn (O-H2).
  std::vector<std::string_view> faults = {};
  std::vector<std::string_view> sometimes = {};
};

/// In name order.
const std::vector<Profile>& profiles();
/// Nothing when there is no such profile.
const Profile* find_profile(std::string_view name);

}  // namespace coffer::sim
