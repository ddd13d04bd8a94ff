#include "sim/faults/disk_damage.h"

#include <algorithm>

namespace coffer::sim::faults {

namespace {

constexpr int tries_max = 16;
constexpr Files kinds[] = {Files::stream,   Files::hard_state, Files::history, Files::index,
                           Files::manifest, Files::snapshot,   Files::attic};

bool is_blank(ByteView bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::byte byte) { return byte == std::byte{0}; });
}

std::vector<std::string> files_of(const Disk& disk, Files files) {
  std::vector<std::string> names;
  for (const std::string& name : disk.durable_names()) {
    const bool meant = files == Files::history ? part_of(name) == Part::sealed && !name.starts_with("snapshot")
                                               : name.starts_with(prefix_of(files));
    if (meant && !name.starts_with("damaged-") && !disk.durable(name)->empty()) names.push_back(name);
  }
  return names;
}

Part part_of_kind(Files files) { return part_of(std::string(prefix_of(files)) + "-"); }

/// The power of victims that were not spared fails: what is on their disks is read soon.
void crash_wounded(Arena& arena, Strike& strike) {
  if (!strike.spec->crash) return;
  std::erase_if(strike.victims, [&](const Strike::Victim& victim) {
    return std::find(strike.wounded.begin(), strike.wounded.end(), victim.node) == strike.wounded.end();
  });
  const bool fired = strike.fired;
  crash_victims(arena, strike, CrashKind::power);
  strike.fired = fired;
}

}  // namespace

bool permitted(Arena& arena, const Strike& strike, NodeId node, const std::vector<Part>& parts, bool crash) {
  if (!arena.atlas.permits(strike.serial, node, parts, crash)) return false;
  if (!arena.atlas.fair()) arena.cluster.machine(node).excuse_refusal();
  return true;
}

std::string_view prefix_of(Files files) {
  switch (files) {
    case Files::any:
      return "";
    case Files::stream:
      return "stream-";
    case Files::hard_state:
      return "hard-state";
    case Files::history:
      return "history-";
    case Files::index:
      return "index";
    case Files::manifest:
      return "manifest";
    case Files::snapshot:
      return "snapshot-";
    case Files::attic:
      return "attic-";
  }
  return "";
}

Files choose_files(const Disk& disk, Files files, Prng& prng) {
  if (files != Files::any) return files;
  std::vector<Files> there;
  for (const Files kind : kinds) {
    if (!files_of(disk, kind).empty()) there.push_back(kind);
  }
  // Most of what matters is in the stream.
  if (there.empty() || prng.chance(400)) return Files::stream;
  return there[prng.below(there.size())];
}

std::optional<Place> choose_block(const Disk& disk, Files files, Prng& prng) {
  const std::vector<std::string> names = files_of(disk, choose_files(disk, files, prng));
  if (names.empty()) return std::nullopt;
  Place place;
  place.file = names[prng.below(names.size())];
  const ByteView bytes = *disk.durable(place.file);
  for (int i = 0; i < tries_max; ++i) {
    place.offset = prng.below((bytes.size() + block_size - 1) / block_size) * block_size;
    const ByteView block = bytes.subspan(place.offset, std::min(block_size, bytes.size() - place.offset));
    place.bytes.assign(block.begin(), block.end());
    if (!is_blank(place.bytes)) break;
  }
  return place;
}

Struck damage_blocks(Arena& arena, Strike& strike, Wrong (*spoil)(const Disk&, const Place&, Prng&)) {
  if (!choose_victims(arena, strike)) return Struck::no;
  for (const Strike::Victim& victim : strike.victims) {
    Disk& disk = arena.cluster.machine(victim.node).disk();
    const std::optional<Place> place = choose_block(disk, strike.spec->file, strike.prng);
    if (!place) continue;
    const Wrong wrong = spoil(disk, *place, strike.prng);
    const bool same = std::equal(wrong.bytes.begin(), wrong.bytes.end(),
                                 place->bytes.begin() + static_cast<std::ptrdiff_t>(wrong.at));
    if (same || !permitted(arena, strike, victim.node, {part_of(place->file)}, strike.spec->crash)) continue;
    disk.damage(place->file, place->offset + wrong.at, wrong.bytes, strike.serial);
    strike.wounded.push_back(victim.node);
    strike.fired = true;
    arena.atlas.struck(strike.serial, victim.node);
    arena.cluster.tell_damaged(victim.node, place->file,
                               strike.spec->fault + " at byte " + std::to_string(place->offset + wrong.at));
  }
  if (!strike.fired) return Struck::no;
  crash_wounded(arena, strike);
  return Struck::yes;
}

Struck lie_in_wait(Arena& arena, Strike& strike, DiskTrouble trouble) {
  if (!choose_victims(arena, strike)) return Struck::no;
  for (const Strike::Victim& victim : strike.victims) {
    Disk& disk = arena.cluster.machine(victim.node).disk();
    const Files files = choose_files(disk, strike.spec->file, strike.prng);
    Ambush ambush{strike.serial, trouble, std::string(prefix_of(files)), "", Prng(strike.prng.next())};
    std::vector<Part> parts = {part_of_kind(files)};
    if (trouble == DiskTrouble::misdirect_write && files == Files::hard_state) {
      // Landing on its own twin, it would leave no copy of what has been answered.
      ambush.onto = prefix_of(Files::stream);
      parts.push_back(Part::stream);
    }
    // A sync that fails harms nothing that was told, but ends the process.
    if (trouble == DiskTrouble::fail_sync ? !arena.atlas.permits_crash(strike.serial, {victim.node})
                                          : !permitted(arena, strike, victim.node, parts, strike.spec->crash)) {
      continue;
    }
    disk.lay(std::move(ambush));
    strike.wounded.push_back(victim.node);
  }
  if (strike.wounded.empty()) return Struck::no;
  crash_wounded(arena, strike);
  if (!strike.spec->crash) return Struck::yes;
  // Started while the trouble still waits for what a start reads.
  for (const Strike::Victim& victim : strike.victims) {
    arena.cluster.restart_after(Duration{strike.prng.between(0, strike.lasts.nanos / 2)}, victim.node);
  }
  return Struck::yes;
}

void heal_disks(Arena& arena, Strike& strike) {
  for (const NodeId node : strike.wounded) arena.cluster.machine(node).heal_disk(strike.serial);
  arena.atlas.over(strike.serial);
}

void heal_and_restart(Arena& arena, Strike& strike) {
  heal_disks(arena, strike);
  if (strike.spec->crash) restart_victims(arena, strike);
}

FaultSpec draw_disk_base(Prng& prng, const Mood& mood) {
  FaultSpec spec = draw_base(prng, mood);
  spec.lose_per_mille = static_cast<std::uint32_t>(prng.between(0, 500));
  spec.tear_per_mille = static_cast<std::uint32_t>(prng.between(0, 300));
  return spec;
}

}  // namespace coffer::sim::faults
