// Bits of durable bytes flip by themselves.
#include <algorithm>

#include "sim/faults/disk_damage.h"
#include "sim/faults/faults.h"

namespace coffer::sim::faults {

namespace {

constexpr std::uint64_t reach = 64;  // bytes within which the bits lie

Wrong flip_bits(const Disk&, const Place& place, Prng& prng) {
  Wrong wrong;
  wrong.at = prng.below(place.bytes.size());
  const std::uint64_t size = std::min(reach, place.bytes.size() - wrong.at);
  const auto from = place.bytes.begin() + static_cast<std::ptrdiff_t>(wrong.at);
  wrong.bytes.assign(from, from + static_cast<std::ptrdiff_t>(size));
  wrong.bytes[0] ^= std::byte{1} << static_cast<int>(prng.below(8));
  for (std::uint64_t more = prng.below(3); more > 0; --more) {
    wrong.bytes[prng.below(size)] ^= std::byte{1} << static_cast<int>(prng.below(8));
  }
  return wrong;
}

}  // namespace

Behaviour bit_rot() {
  Behaviour acts;

  acts.doc = "a few bits of what a disk holds durably flip";
  acts.of_disk = true;
  acts.draw = draw_with_crash<500>;
  acts.strike = [](Arena& arena, Strike& strike) { return damage_blocks(arena, strike, flip_bits); };
  acts.heal = heal_and_restart;
  return acts;
}

}  // namespace coffer::sim::faults
