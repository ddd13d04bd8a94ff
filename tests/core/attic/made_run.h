// Runs made up for tests: rows whose contents say which place they have, written as a node would write them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/attic/run_format.h"
#include "core/attic/run_index.h"
#include "core/base/bytes.h"

namespace coffer::attic {

/// What the record of a place holds: no two places alike, as far as `size` allows.
Bytes content_of(std::uint64_t place, std::size_t size);
/// The chunks of the run whose rows have these hashes, in the order of their places; from a writer.
std::vector<Bytes> written(const RunHead& head, const std::vector<std::uint64_t>& hashes);
/// The index of a run of these chunks.
RunIndex opened(const RunHead& head, const std::vector<Bytes>& chunks);
/// One after the other.
Bytes joined(const std::vector<Bytes>& chunks);
/// Hashes that lie everywhere, the same ones for the same seed.
std::vector<std::uint64_t> spread_hashes(std::size_t count, std::uint64_t seed);

}  // namespace coffer::attic
