// Shared by the faults of disks: which file, which place, and the question to the atlas first.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/faults/fault.h"

namespace coffer::sim::faults {

/// How the names of these files begin; empty for any.
std::string_view prefix_of(Files files);

/// A file and a block of it, as far as the file reaches.
struct Place {
  std::string file;
  std::uint64_t offset = 0;
  Bytes bytes;  ///< what is there
};
/// A block of durable bytes of such a file: one that is not blank, where there is one. Nothing when there is none.
std::optional<Place> choose_block(const Disk& disk, Files files, Prng& prng);
/// "any" made definite: one of the kinds of files there are.
Files choose_files(const Disk& disk, Files files, Prng& prng);

/// Whether the atlas permits it; `crash`: and that the node's process ends. Where it is broken, a node may be damaged
/// beyond what it can survive, and refuse.
bool permitted(Arena& arena, const Strike& strike, NodeId node, const std::vector<Part>& parts, bool crash);

/// What a fault makes of a block: the bytes from `at` on become these.
struct Wrong {
  std::uint64_t at = 0;  ///< within the block
  Bytes bytes;
};
/// Damages a block on each victim's disk, where the atlas permits it.
Struck damage_blocks(Arena& arena, Strike& strike, Wrong (*spoil)(const Disk&, const Place&, Prng&));
/// Lets the trouble wait for an operation on each victim's disk, where the atlas permits it.
Struck lie_in_wait(Arena& arena, Strike& strike, DiskTrouble trouble);
/// The strike is over.
void heal_disks(Arena& arena, Strike& strike);
/// The same, and whom it has crashed is started.
void heal_and_restart(Arena& arena, Strike& strike);

/// What every draw of such a fault begins with.
FaultSpec draw_disk_base(Prng& prng, const Mood& mood);
/// The same for what is noticed only by a read: with a power cut at the same moment, in so many of a thousand draws.
template <std::uint32_t per_mille>
FaultSpec draw_with_crash(Prng& prng, const Mood& mood) {
  FaultSpec spec = draw_disk_base(prng, mood);
  spec.crash = prng.chance(per_mille);
  return spec;
}

}  // namespace coffer::sim::faults
