#include "sim/models/disk.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "core/base/check.h"

namespace coffer::sim {

namespace {
constexpr std::uint64_t file_size_max = 1u << 30;  // bytes; a world with larger files has lost its way
constexpr std::size_t versions_max = 16;           // of one file that are remembered
}  // namespace

Disk::File& Disk::open(const std::string& name) {
  const auto found = names_.find(name);
  if (found != names_.end()) return files_[found->second];
  const FileId id = next_file_++;
  const NameChange created{name, {}, false, id};
  change(names_, created);
  unsynced_names_.push_back(created);
  return files_[id];
}

const Disk::File* Disk::file_named(const std::string& name) const {
  const auto found = names_.find(name);
  return found == names_.end() ? nullptr : &files_.at(found->second);
}

void Disk::change(Directory& directory, const NameChange& change) {
  if (!change.from.empty()) directory.erase(change.from);
  if (change.removed) {
    directory.erase(change.name);
  } else {
    directory[change.name] = change.file;
  }
}

/// Nothing put at an offset grows the file up to it.
void Disk::put(Bytes& data, std::uint64_t offset, ByteView bytes) {
  if (offset + bytes.size() > data.size()) data.resize(offset + bytes.size());
  std::copy(bytes.begin(), bytes.end(), data.begin() + static_cast<std::ptrdiff_t>(offset));
}

IoResult Disk::execute(const IoOp& op) {
  switch (op.kind) {
    case IoKind::read:
      return read(op);
    case IoKind::list: {
      Bytes listing;
      for (const auto& [name, id] : names_) append_name(listing, name);
      return {IoStatus::ok, std::make_shared<const Bytes>(std::move(listing))};
    }
    case IoKind::write:
      return write(op);
    case IoKind::reserve:
      return reserve(op);
    case IoKind::sync:
      return sync(op);
    case IoKind::sync_dir:
      return sync_dir();
    case IoKind::rename:
    case IoKind::remove:
      return change_name(op);
  }
  check_failed("an operation has a kind");
}

IoResult Disk::read(const IoOp& op) {
  const auto found = names_.find(op.file);
  if (found == names_.end()) return {IoStatus::not_found};
  File& file = files_[found->second];
  const ByteView part = range_read(file.data, op);
  Bytes bytes(part.begin(), part.end());
  note_scars_read(file, op.offset, bytes.size());
  if (Ambush* ambush = ambush_for(DiskTrouble::misdirect_read, op.file)) {
    if (misread(*ambush, file, op, bytes)) spring(*ambush, op.file);
  }
  if (Ambush* ambush = ambush_for(DiskTrouble::stale_read, op.file)) {
    if (read_stale(*ambush, file, op, bytes)) spring(*ambush, op.file);
  }
  return {IoStatus::ok, std::make_shared<const Bytes>(std::move(bytes))};
}

IoResult Disk::write(const IoOp& op) {
  const std::uint64_t end = op.offset + view(op.bytes).size();
  check(end <= file_size_max, "simulated files stay small");
  if (refuses_growth(op.file, end)) return {IoStatus::no_space};
  if (Ambush* ambush = ambush_for(DiskTrouble::misdirect_write, op.file)) {
    if (misdirect(*ambush, op)) {
      spring(*ambush, op.file);
      return {};
    }
  }
  File& file = open(op.file);
  const ByteView bytes = view(op.bytes);
  file.unsynced.push_back({op.offset, Bytes(bytes.begin(), bytes.end())});
  put(file.data, op.offset, bytes);
  return {};
}

IoResult Disk::reserve(const IoOp& op) {
  check(op.offset <= file_size_max, "simulated files stay small");
  if (refuses_growth(op.file, op.offset)) return {IoStatus::no_space};
  File& file = open(op.file);
  if (op.offset <= file.data.size()) return {};
  // Only the size changes: what is not there reads as zeros whether or not the zeros were written.
  file.unsynced.push_back({op.offset, {}});
  file.data.resize(op.offset);
  return {};
}

IoResult Disk::sync(const IoOp& op) {
  const auto found = names_.find(op.file);
  if (found == names_.end()) return {IoStatus::not_found};
  File& file = files_[found->second];
  if (Ambush* ambush = ambush_for(DiskTrouble::fail_sync, op.file)) {
    for (Write& write : file.unsynced) write.doomed = true;
    spring(*ambush, op.file);
    return {IoStatus::failed};
  }
  ++syncs_;
  std::vector<Write> doomed;
  for (Write& write : std::exchange(file.unsynced, {})) {
    if (write.doomed) {
      doomed.push_back(std::move(write));
      continue;
    }
    if (!write.bytes.empty()) {
      Version version{syncs_, write.offset, Bytes(write.bytes.size())};
      const std::uint64_t begin = std::min<std::uint64_t>(write.offset, file.durable.size());
      const std::uint64_t end = std::min<std::uint64_t>(write.offset + write.bytes.size(), file.durable.size());
      std::copy(file.durable.begin() + static_cast<std::ptrdiff_t>(begin),
                file.durable.begin() + static_cast<std::ptrdiff_t>(end), version.before.begin());
      file.versions.push_back(std::move(version));
      if (file.versions.size() > versions_max) file.versions.pop_front();
      file.last_sync = syncs_;
    }
    put(file.durable, write.offset, write.bytes);
    mend(file, write.offset, write.bytes.size());
  }
  file.unsynced = std::move(doomed);
  newly_durable_.push_back(op.file);
  return {};
}

IoResult Disk::sync_dir() {
  if (Ambush* ambush = ambush_for(DiskTrouble::fail_sync, "")) {
    spring(*ambush, "");
    return {IoStatus::failed};
  }
  durable_names_ = names_;
  for (const NameChange& change : std::exchange(unsynced_names_, {})) {
    if (!change.from.empty()) newly_durable_.push_back(change.from);
    newly_durable_.push_back(change.name);
  }
  forget_nameless_files();
  return {};
}

IoResult Disk::change_name(const IoOp& op) {
  const auto found = names_.find(op.file);
  if (found == names_.end()) return {IoStatus::not_found};
  const bool renamed = op.kind == IoKind::rename;
  const NameChange changed{renamed ? op.target : op.file, renamed ? op.file : std::string(), !renamed, found->second};
  change(names_, changed);
  unsynced_names_.push_back(changed);
  return {};
}

bool Disk::has_unsynced_writes() const {
  return std::any_of(files_.begin(), files_.end(), [](const auto& file) { return !file.second.unsynced.empty(); });
}

std::uint64_t Disk::unsynced_writes() const {
  std::uint64_t count = 0;
  for (const auto& [id, file] : files_) count += file.unsynced.size();
  return count;
}

bool Disk::tear(Bytes& data, const Write& write, Prng& prng) {
  const std::uint64_t first = write.offset / sector_size;
  const std::uint64_t sectors = (write.offset + write.bytes.size() + sector_size - 1) / sector_size - first;
  if (write.bytes.empty() || sectors < 2) return false;
  const bool prefix = prng.chance(500);
  const std::uint64_t kept_sectors = 1 + prng.below(sectors - 1);  // of a prefix; the odds of each sector otherwise
  bool kept_all = true;
  for (std::uint64_t i = 0; i < sectors; ++i) {
    const bool kept = prefix ? i < kept_sectors : prng.below(sectors) < kept_sectors;
    kept_all = kept_all && kept;
    if (!kept) continue;
    const std::uint64_t begin = std::max((first + i) * sector_size, write.offset);
    const std::uint64_t end = std::min((first + i + 1) * sector_size, write.offset + write.bytes.size());
    put(data, begin, ByteView(write.bytes).subspan(begin - write.offset, end - begin));
  }
  return !kept_all;
}

void Disk::settle(File& file, const DamagePolicy& policy, Prng& prng, Damage& damage) {
  for (const Write& write : std::exchange(file.unsynced, {})) {
    const std::uint64_t fate = prng.below(1000);
    if (write.doomed || fate < policy.lose_per_mille) {
      ++damage.lost;
    } else if (fate < policy.lose_per_mille + policy.tear_per_mille && tear(file.durable, write, prng)) {
      ++damage.torn;
    } else {
      put(file.durable, write.offset, write.bytes);
      mend(file, write.offset, write.bytes.size());
    }
  }
  file.data = file.durable;
}

Damage Disk::lose_power(const DamagePolicy& policy, Prng& prng) {
  Damage damage;
  std::size_t kept = unsynced_names_.size();
  if (policy.lose_per_mille > 0 && kept > 0) kept = static_cast<std::size_t>(prng.below(kept + 1));
  damage.names = unsynced_names_.size() - kept;
  for (std::size_t i = 0; i < kept; ++i) change(durable_names_, unsynced_names_[i]);
  unsynced_names_.clear();
  names_ = durable_names_;
  const auto untorn = names_.find(policy.untorn);
  const DamagePolicy lost_whole{policy.lose_per_mille + policy.tear_per_mille, 0};
  for (auto& [id, file] : files_) {
    const bool whole = untorn != names_.end() && untorn->second == id;
    settle(file, whole ? lost_whole : policy, prng, damage);
  }
  forget_nameless_files();
  newly_durable_ = durable_names();
  return damage;
}

void Disk::forget_nameless_files() {
  std::set<FileId> named;
  for (const auto& [name, id] : names_) named.insert(id);
  for (const auto& [name, id] : durable_names_) named.insert(id);
  for (const NameChange& change : unsynced_names_) named.insert(change.file);
  std::erase_if(files_, [&](const auto& file) { return !named.contains(file.first); });
}

const Bytes* Disk::find(const std::string& name) const {
  const File* file = file_named(name);
  return file == nullptr ? nullptr : &file->data;
}

std::vector<std::string> Disk::names() const {
  std::vector<std::string> result;
  for (const auto& [name, id] : names_) result.push_back(name);
  return result;
}

std::optional<ByteView> Disk::durable(const std::string& name) const {
  const auto found = durable_names_.find(name);
  return found == durable_names_.end() ? std::nullopt : std::optional<ByteView>(files_.at(found->second).durable);
}

std::vector<std::string> Disk::durable_names() const {
  std::vector<std::string> result;
  for (const auto& [name, id] : durable_names_) result.push_back(name);
  return result;
}

}  // namespace coffer::sim
