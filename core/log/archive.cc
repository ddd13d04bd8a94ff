#include "core/log/archive.h"

#include <algorithm>
#include <map>

namespace coffer::log {
namespace {

/// Total for any stamps: the difference of two 64-bit numbers fits 128 bits.
bool too_old(Stamp last, Stamp newest, Duration age_max) {
  const __int128 age = static_cast<__int128>(newest.nanos) - last.nanos;
  return age > age_max.nanos;
}

}  // namespace

std::vector<SealedName> due_for_archive(std::vector<ArchiveCandidate> histories, const ArchivePolicy& policy,
                                        Stamp newest) {
  std::sort(histories.begin(), histories.end(),
            [](const ArchiveCandidate& a, const ArchiveCandidate& b) { return a.name < b.name; });
  std::map<ShardId, std::uint64_t> bytes;
  for (const ArchiveCandidate& history : histories) bytes[history.name.group] += history.size;
  std::vector<SealedName> due;
  for (const ArchiveCandidate& history : histories) {  // of a group: the oldest first
    std::uint64_t& rest = bytes[history.name.group];
    if (!too_old(history.last_stamp, newest, policy.age_max) && rest <= policy.bytes_max) continue;
    rest -= history.size;
    due.push_back(history.name);
  }
  return due;
}

}  // namespace coffer::log
