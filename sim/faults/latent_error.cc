// Sectors go bad without a word: they read as zeros, or as garbage, until they are written again.
#include <algorithm>

#include "sim/faults/disk_damage.h"
#include "sim/faults/faults.h"

namespace coffer::sim::faults {

namespace {

/// A frame that vanishes from the end as if it had never been written is more than a log can notice by itself.
bool vanishes(const Disk& disk, const Place& place) {
  const std::vector<ByteRange> last = disk.last_sync(place.file).written;
  return std::any_of(last.begin(), last.end(), [&](const ByteRange& range) {
    return place.offset < range.offset + range.length && range.offset < place.offset + block_size;
  });
}

Wrong lose_sectors(const Disk& disk, const Place& place, Prng& prng) {
  const std::uint64_t sectors = (place.bytes.size() + sector_size - 1) / sector_size;
  const std::uint64_t first = prng.below(sectors);
  const std::uint64_t count = 1 + prng.below(sectors - first);
  Wrong wrong;
  wrong.at = first * sector_size;
  wrong.bytes.resize(std::min(count * sector_size, place.bytes.size() - wrong.at));
  const bool zeros = prng.chance(500);
  if (zeros && !vanishes(disk, place)) return wrong;
  for (std::byte& byte : wrong.bytes) byte = static_cast<std::byte>(prng.below(256));
  return wrong;
}

}  // namespace

Behaviour latent_error() {
  Behaviour acts;

  acts.doc = "some sectors of what a disk holds durably read as zeros or garbage";
  acts.of_disk = true;
  acts.draw = draw_with_crash<500>;
  acts.strike = [](Arena& arena, Strike& strike) { return damage_blocks(arena, strike, lose_sectors); };
  acts.heal = heal_and_restart;
  return acts;
}

}  // namespace coffer::sim::faults
