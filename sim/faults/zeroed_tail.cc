// The power fails, and the last sectors that were synced read as zeros: the disk had said so before they were safe.
#include <algorithm>

#include "sim/faults/disk_damage.h"
#include "sim/faults/faults.h"

namespace coffer::sim::faults {

namespace {

/// The sectors of the last synced write that are not blank.
std::vector<std::uint64_t> sectors_of(ByteView bytes, const ByteRange& range) {
  std::vector<std::uint64_t> sectors;
  for (std::uint64_t at = range.offset; at < range.offset + range.length; at += sector_size) {
    const ByteView sector = bytes.subspan(at, std::min(sector_size, range.offset + range.length - at));
    const bool blank = std::all_of(sector.begin(), sector.end(), [](std::byte byte) { return byte == std::byte{0}; });
    if (!blank) sectors.push_back(at);
  }
  return sectors;
}

/// Of the file that was synced last.
std::string last_synced(const Disk& disk, Files files) {
  std::string last;
  for (const std::string& name : disk.durable_names()) {
    if (!name.starts_with(prefix_of(files)) || disk.last_sync(name).when == 0) continue;
    if (last.empty() || disk.last_sync(name).when > disk.last_sync(last).when) last = name;
  }
  return last;
}

/// At least one sector stays: a frame that vanishes whole looks as if it had never been written, and that is more than
/// a log can notice by itself.
Struck lose_tail(Arena& arena, Strike& strike, NodeId node) {
  Disk& disk = arena.cluster.machine(node).disk();
  const Files files = strike.spec->file == Files::any ? Files::stream : strike.spec->file;
  const std::string file = last_synced(disk, files);
  if (file.empty()) return Struck::later;
  const ByteRange range = disk.last_sync(file).written.back();
  const ByteView bytes = *disk.durable(file);
  if (range.offset + range.length > bytes.size()) return Struck::later;
  const std::vector<std::uint64_t> sectors = sectors_of(bytes, range);
  if (sectors.size() < 2) return Struck::later;
  if (!permitted(arena, strike, node, {part_of(file)}, true)) return Struck::no;
  const std::uint64_t from = sectors[sectors.size() - 1 - strike.prng.below(sectors.size() - 1)];
  disk.damage(file, from, Bytes(range.offset + range.length - from), strike.serial);
  strike.wounded.push_back(node);
  arena.atlas.struck(strike.serial, node);
  arena.cluster.tell_damaged(node, file, strike.spec->fault + " from byte " + std::to_string(from));
  return Struck::yes;
}

}  // namespace

Behaviour zeroed_tail() {
  Behaviour acts;

  acts.doc = "the power of a machine fails, and the last sectors that were synced read as zeros";
  acts.of_disk = true;
  acts.draw = draw_disk_base;
  acts.strike = [](Arena& arena, Strike& strike) {
    if (!choose_victims(arena, strike)) return Struck::no;
    Struck struck = Struck::no;
    std::erase_if(strike.victims, [&](const Strike::Victim& victim) {
      const Struck one = lose_tail(arena, strike, victim.node);
      if (one == Struck::later) struck = Struck::later;
      return one != Struck::yes;
    });
    if (strike.victims.empty()) return struck;
    crash_victims(arena, strike, CrashKind::power);
    return Struck::yes;
  };
  acts.heal = [](Arena& arena, Strike& strike) {
    heal_disks(arena, strike);
    restart_victims(arena, strike);
  };
  return acts;
}

}  // namespace coffer::sim::faults
