#include "sim/models/disk.h"

#include <algorithm>
#include <memory>
#include <set>
#include <utility>

#include "core/base/check.h"

namespace coffer::sim {

namespace {
constexpr std::uint64_t file_size_max = 1u << 30;  // bytes; a world with larger files has lost its way
}

Disk::File& Disk::open(const std::string& name) {
  const auto found = names_.find(name);
  if (found != names_.end()) return files_[found->second];
  const FileId id = next_file_++;
  const NameChange created{name, {}, false, id};
  change(names_, created);
  unsynced_names_.push_back(created);
  return files_[id];
}

void Disk::change(Directory& directory, const NameChange& change) {
  if (!change.from.empty()) directory.erase(change.from);
  if (change.removed) {
    directory.erase(change.name);
  } else {
    directory[change.name] = change.file;
  }
}

void Disk::put(Bytes& data, std::uint64_t offset, ByteView bytes) {
  if (offset + bytes.size() > data.size()) data.resize(offset + bytes.size());
  std::copy(bytes.begin(), bytes.end(), data.begin() + static_cast<std::ptrdiff_t>(offset));
}

void Disk::write(File& file, std::uint64_t offset, ByteView bytes) {
  check(offset + bytes.size() <= file_size_max, "simulated files stay small");
  Write& write = file.unsynced.emplace_back();
  write.offset = offset;
  write.size = file.data.size();
  write.bytes.assign(bytes.begin(), bytes.end());
  if (offset < write.size) {
    const std::uint64_t end = std::min<std::uint64_t>(offset + bytes.size(), write.size);
    write.before.assign(file.data.begin() + static_cast<std::ptrdiff_t>(offset),
                        file.data.begin() + static_cast<std::ptrdiff_t>(end));
  }
  put(file.data, offset, bytes);
}

void Disk::reserve(File& file, std::uint64_t size) {
  check(size <= file_size_max, "simulated files stay small");
  if (size <= file.data.size()) return;
  // Only the size changes: what is not there reads as zeros whether or not the zeros were written.
  Write& write = file.unsynced.emplace_back();
  write.offset = size;
  write.size = file.data.size();
  file.data.resize(size);
}

IoResult Disk::execute(const IoOp& op) {
  switch (op.kind) {
    case IoKind::read: {
      const Bytes* data = find(op.file);
      if (data == nullptr) return {IoStatus::not_found};
      const ByteView part = range_read(*data, op);
      return {IoStatus::ok, std::make_shared<const Bytes>(part.begin(), part.end())};
    }
    case IoKind::list: {
      Bytes listing;
      for (const auto& [name, id] : names_) append_name(listing, name);
      return {IoStatus::ok, std::make_shared<const Bytes>(std::move(listing))};
    }
    case IoKind::write:
      write(open(op.file), op.offset, view(op.bytes));
      return {};
    case IoKind::reserve:
      reserve(open(op.file), op.offset);
      return {};
    case IoKind::sync: {
      const auto found = names_.find(op.file);
      if (found == names_.end()) return {IoStatus::not_found};
      files_[found->second].unsynced.clear();
      newly_durable_.push_back(op.file);
      return {};
    }
    case IoKind::sync_dir:
      durable_names_ = names_;
      for (const NameChange& change : std::exchange(unsynced_names_, {})) {
        if (!change.from.empty()) newly_durable_.push_back(change.from);
        newly_durable_.push_back(change.name);
      }
      forget_nameless_files();
      return {};
    case IoKind::rename:
    case IoKind::remove: {
      const auto found = names_.find(op.file);
      if (found == names_.end()) return {IoStatus::not_found};
      const bool renamed = op.kind == IoKind::rename;
      const NameChange changed{renamed ? op.target : op.file, renamed ? op.file : std::string(), !renamed,
                               found->second};
      change(names_, changed);
      unsynced_names_.push_back(changed);
      return {};
    }
  }
  check_failed("an operation has a kind");
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

/// Back to what was durable.
void Disk::roll_back(Bytes& data, const std::vector<Write>& writes) {
  for (auto write = writes.rbegin(); write != writes.rend(); ++write) {
    std::copy(write->before.begin(), write->before.end(),
              data.begin() + static_cast<std::ptrdiff_t>(std::min(write->offset, write->size)));
    data.resize(write->size);
  }
}

void Disk::settle(File& file, const DamagePolicy& policy, Prng& prng, Damage& damage) {
  std::vector<Write> writes = std::exchange(file.unsynced, {});
  roll_back(file.data, writes);
  for (const Write& write : writes) {
    const std::uint64_t fate = prng.below(1000);
    if (fate < policy.lose_per_mille) {
      ++damage.lost;
    } else if (fate < policy.lose_per_mille + policy.tear_per_mille && tear(file.data, write, prng)) {
      ++damage.torn;
    } else {
      put(file.data, write.offset, write.bytes);
    }
  }
}

Damage Disk::lose_power(const DamagePolicy& policy, Prng& prng) {
  Damage damage;
  std::size_t kept = unsynced_names_.size();
  if (policy.lose_per_mille > 0 && kept > 0) kept = static_cast<std::size_t>(prng.below(kept + 1));
  damage.names = unsynced_names_.size() - kept;
  for (std::size_t i = 0; i < kept; ++i) change(durable_names_, unsynced_names_[i]);
  unsynced_names_.clear();
  names_ = durable_names_;
  for (auto& [id, file] : files_) settle(file, policy, prng, damage);
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
  const auto found = names_.find(name);
  return found == names_.end() ? nullptr : &files_.at(found->second).data;
}

std::vector<std::string> Disk::names() const {
  std::vector<std::string> result;
  for (const auto& [name, id] : names_) result.push_back(name);
  return result;
}

std::optional<ByteView> Disk::durable(const std::string& name, Bytes& room) const {
  const auto found = durable_names_.find(name);
  if (found == durable_names_.end()) return std::nullopt;
  const File& file = files_.at(found->second);
  if (file.unsynced.empty()) return file.data;
  const std::uint64_t size = file.unsynced.front().size;
  const bool only_behind = std::all_of(file.unsynced.begin(), file.unsynced.end(),
                                       [size](const Write& write) { return write.offset >= size; });
  if (only_behind) return ByteView(file.data).first(size);
  room = file.data;
  roll_back(room, file.unsynced);
  return room;
}

std::vector<std::string> Disk::durable_names() const {
  std::vector<std::string> result;
  for (const auto& [name, id] : durable_names_) result.push_back(name);
  return result;
}

}  // namespace coffer::sim
