// Disks of a few frames, to be damaged.
#pragma once

#include <string>

#include "tests/core/log/life.h"

namespace coffer::log {

/// `flushes` flushes of one small entry each in group 1, three to a segment. The hard state is written first: no mark
/// covers the last frame, or, rested, the empty one behind it does.
MemoryDisk small_disk(std::uint64_t flushes);
MemoryDisk rested_disk(std::uint64_t flushes);
/// Random flushes and bases, with old segments removed.
MemoryDisk compacted_disk(std::uint64_t seed);

/// The entries of group 1.
std::size_t entries_of(const Model& model);
/// The same disk of the only voter of group 1.
MemoryDisk alone(MemoryDisk disk);
/// Why a start is refused; empty when it is not. Checks that a start that is refused changes nothing.
std::string failure_of(MemoryDisk disk, const StreamConfig& config = test_config());

}  // namespace coffer::log
