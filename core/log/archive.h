// Which history files leave for the archive. An archived file is the same file under another name ("archive-…"), which
// an operator may back up and put on slower storage; replay reads straight from it. Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/time.h"
#include "core/log/sealed_file.h"

namespace coffer::log {

struct ArchivePolicy {
  std::uint64_t bytes_max = UINT64_MAX;  ///< of a group's history files that are not archived
  Duration age_max{INT64_MAX};           ///< between a file's last entry and the newest entry of the node
};

struct ArchiveCandidate {
  SealedName name;
  std::uint64_t size = 0;
  Stamp last_stamp;
};

/// Those to archive now: every one that is too old; then of each group the oldest until its rest is small enough.
/// Ascending by name.
std::vector<SealedName> due_for_archive(std::vector<ArchiveCandidate> histories, const ArchivePolicy& policy,
                                        Stamp newest);

}  // namespace coffer::log
