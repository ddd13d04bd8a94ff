// What goes wrong with a disk: damage to durable bytes, ambushes, lack of space; and what is still to be seen of it.
#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "sim/models/disk.h"

namespace coffer::sim {

namespace {

constexpr int tries_max = 16;  // to find a place where the trouble makes a difference

ByteView part_of(ByteView bytes, std::uint64_t offset, std::uint64_t length) {
  const ByteView behind = bytes.subspan(std::min<std::uint64_t>(offset, bytes.size()));
  return behind.first(std::min<std::uint64_t>(length, behind.size()));
}
bool same(ByteView a, ByteView b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }
bool all_zeros(ByteView bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::byte byte) { return byte == std::byte{0}; });
}

}  // namespace

void Disk::damage(const std::string& name, std::uint64_t offset, ByteView bad, std::uint64_t strike) {
  const auto found = durable_names_.find(name);
  check(found != durable_names_.end(), "damage hits a file that is there");
  File& file = files_.at(found->second);
  check(offset + bad.size() <= file.durable.size(), "damage hits bytes that are there");
  const Bytes hit(bad.begin(), bad.end());  // `bad` may be a view of this disk
  add_scar(file, strike, offset, hit, part_of(file.durable, offset, hit.size()));
  put(file.durable, offset, hit);
  file.data = file.durable;
  for (const Write& write : file.unsynced) put(file.data, write.offset, write.bytes);
  newly_durable_.push_back(name);
}

void Disk::add_scar(File& file, std::uint64_t strike, std::uint64_t offset, ByteView bad, ByteView good) {
  Scar scar;
  scar.strike = strike;
  scar.offset = offset;
  scar.bad.assign(bad.begin(), bad.end());
  scar.good.assign(good.begin(), good.end());
  file.scars.push_back(std::move(scar));
}

/// What is written anew is no scar any more; what stands beside it stays one.
void Disk::mend(File& file, std::uint64_t offset, std::uint64_t length) {
  std::vector<Scar> left;
  for (Scar& scar : std::exchange(file.scars, {})) {
    const std::uint64_t size = scar.bad.size();
    const std::uint64_t begin = std::clamp(offset, scar.offset, scar.offset + size) - scar.offset;
    const std::uint64_t end = std::clamp(offset + length, scar.offset, scar.offset + size) - scar.offset;
    if (begin >= end) {
      left.push_back(std::move(scar));
      continue;
    }
    for (const auto& [from, to] : {std::pair<std::uint64_t, std::uint64_t>{0, begin}, {end, size}}) {
      if (from == to) continue;
      Scar rest{scar.strike, scar.offset + from, {}, {}, scar.read};
      const ByteView bad = part_of(scar.bad, from, to - from);
      const ByteView good = part_of(scar.good, from, to - from);
      rest.bad.assign(bad.begin(), bad.end());
      rest.good.assign(good.begin(), good.end());
      left.push_back(std::move(rest));
    }
  }
  file.scars = std::move(left);
}

/// Whether some byte of the scar within [from, end) is still bad.
bool Disk::shows(const Scar& scar, ByteView bytes, std::uint64_t from, std::uint64_t end) {
  for (std::size_t i = 0; i < scar.bad.size(); ++i) {
    const std::uint64_t at = scar.offset + i;
    if (at < from || at >= end || at >= bytes.size()) continue;
    if (scar.bad[i] != scar.good[i] && bytes[at] == scar.bad[i]) return true;
  }
  return false;
}

bool Disk::scarred(const std::string& name) const {
  const auto found = durable_names_.find(name);
  if (found == durable_names_.end()) return false;
  const File& file = files_.at(found->second);
  return std::any_of(file.scars.begin(), file.scars.end(),
                     [&](const Scar& scar) { return shows(scar, file.durable, 0, UINT64_MAX); });
}

void Disk::note_scars_read(File& file, std::uint64_t offset, std::uint64_t length) {
  for (Scar& scar : file.scars) {
    if (scar.read || !shows(scar, file.data, offset, offset + length)) continue;
    scar.read = true;
    scars_read_.push_back(scar.strike);
  }
}

Disk::LastSync Disk::last_sync(const std::string& name) const {
  const File* file = file_named(name);
  LastSync last;
  if (file == nullptr) return last;
  last.when = file->last_sync;
  for (const Version& version : file->versions) {
    if (version.sync == last.when) last.written.push_back({version.offset, version.before.size()});
  }
  return last;
}

void Disk::heal(std::uint64_t strike) {
  std::erase_if(ambushes_, [strike](const Ambush& ambush) { return ambush.strike == strike; });
  filled_by_.erase(strike);
}

bool Disk::refuses_growth(const std::string& name, std::uint64_t size) {
  if (filled_by_.empty()) return false;
  const File* file = file_named(name);
  if (file != nullptr && size <= file->data.size()) return false;
  for (const std::uint64_t strike : filled_by_) hits_.push_back({strike, name});
  return true;
}

Ambush* Disk::ambush_for(DiskTrouble trouble, const std::string& name) {
  const auto found = std::find_if(ambushes_.begin(), ambushes_.end(), [&](const Ambush& ambush) {
    return ambush.trouble == trouble && name.starts_with(ambush.prefix);
  });
  return found == ambushes_.end() ? nullptr : &*found;
}

void Disk::spring(const Ambush& ambush, const std::string& file) {
  const std::uint64_t strike = ambush.strike;
  hits_.push_back({strike, file});
  std::erase_if(ambushes_, [strike](const Ambush& one) { return one.strike == strike; });
}

/// False: there is no other place for these bytes, or they are meant for one that does not exist yet.
bool Disk::misdirect(Ambush& ambush, const IoOp& write) {
  const ByteView bytes = view(write.bytes);
  const auto meant = durable_names_.find(write.file);
  if (meant == durable_names_.end() || bytes.empty()) return false;
  File& file = files_.at(meant->second);
  if (write.offset + bytes.size() > file.durable.size()) return false;
  if (same(part_of(file.durable, write.offset, bytes.size()), bytes)) return false;
  std::vector<std::string> victims;
  for (const auto& [name, id] : durable_names_) {
    const bool fits = ambush.onto.empty() ? name == write.file : name.starts_with(ambush.onto) && name != write.file;
    if (fits && files_.at(id).durable.size() >= bytes.size()) victims.push_back(name);
  }
  if (victims.empty()) return false;
  const std::string& victim = victims[ambush.prng.below(victims.size())];
  const Bytes& there = files_.at(durable_names_.at(victim)).durable;
  for (int i = 0; i < tries_max; ++i) {
    const std::uint64_t offset = ambush.prng.below((there.size() - bytes.size()) / block_size + 1) * block_size;
    const bool apart = offset + bytes.size() <= write.offset || write.offset + bytes.size() <= offset;
    if ((victim == write.file && !apart) || same(part_of(there, offset, bytes.size()), bytes)) continue;
    const ByteView old = part_of(file.durable, write.offset, bytes.size());
    add_scar(file, ambush.strike, write.offset, old, bytes);
    damage(victim, offset, bytes, ambush.strike);
    return true;
  }
  return false;
}

/// Another block takes the place of one; neither is blank.
bool Disk::misread(Ambush& ambush, const File& file, const IoOp& read, Bytes& bytes) const {
  std::vector<std::uint64_t> written;
  for (std::uint64_t at = 0; at + block_size <= file.data.size(); at += block_size) {
    if (!all_zeros(part_of(file.data, at, block_size))) written.push_back(at);
  }
  if (written.size() < 2) return false;
  for (int i = 0; i < tries_max; ++i) {
    const std::uint64_t right = written[ambush.prng.below(written.size())];
    const std::uint64_t wrong = written[ambush.prng.below(written.size())];
    if (right < read.offset || right + block_size > read.offset + bytes.size()) continue;
    const ByteView source = part_of(file.data, wrong, block_size);
    if (same(source, part_of(file.data, right, block_size))) continue;
    put(bytes, right - read.offset, source);
    return true;
  }
  return false;
}

/// One sector is as it was before the write that became durable there; never one of the last sync: a frame that
/// vanishes from the end as if it had never been written is more than any log can notice by itself.
bool Disk::read_stale(Ambush& ambush, const File& file, const IoOp& read, Bytes& bytes) const {
  if (file.versions.empty()) return false;
  const auto fresh = [&file](std::uint64_t at) {
    return std::any_of(file.versions.begin(), file.versions.end(), [&](const Version& one) {
      return one.sync == file.last_sync && at < one.offset + one.before.size() && one.offset < at + sector_size;
    });
  };
  for (int i = 0; i < tries_max; ++i) {
    const Version& version = file.versions[ambush.prng.below(file.versions.size())];
    const std::uint64_t sectors = version.before.size() / sector_size;
    if (sectors == 0 || version.offset % sector_size != 0) continue;
    const std::uint64_t within = ambush.prng.below(sectors) * sector_size;
    const std::uint64_t at = version.offset + within;
    if (fresh(at) || at < read.offset || at + sector_size > read.offset + bytes.size()) continue;
    const ByteView old = part_of(version.before, within, sector_size);
    if (same(old, part_of(bytes, at - read.offset, sector_size))) continue;
    put(bytes, at - read.offset, old);
    return true;
  }
  return false;
}

}  // namespace coffer::sim
