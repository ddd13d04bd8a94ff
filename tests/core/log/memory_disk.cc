#include "tests/core/log/memory_disk.h"

#include <algorithm>
#include <memory>

#include "core/base/check.h"

namespace coffer::log {
namespace {

constexpr std::uint64_t sector_size = 512;

void place(Bytes& contents, std::uint64_t offset, ByteView bytes) {
  if (contents.size() < offset + bytes.size()) {
    contents.resize(offset + bytes.size());
  }
  std::copy(bytes.begin(), bytes.end(), contents.begin() + static_cast<std::ptrdiff_t>(offset));
}

/// Each sector of the write survives or not, by a coin.
void place_torn(Bytes& contents, std::uint64_t offset, ByteView bytes, Prng& random) {
  std::uint64_t at = 0;
  while (at < bytes.size()) {
    const std::uint64_t sector_end = (offset + at) / sector_size * sector_size + sector_size - offset;
    const std::uint64_t size = std::min<std::uint64_t>(sector_end, bytes.size()) - at;
    if (random.chance(500)) {
      place(contents, offset + at, bytes.subspan(at, size));
    }
    at += size;
  }
}

}  // namespace

MemoryDisk::Answer MemoryDisk::execute(const IoOp& op) {
  switch (op.kind) {
    case IoKind::read: {
      if (!exists(op.file)) return {IoStatus::not_found};
      const ByteView read = range_read(files_.at(names_.at(op.file)).readable, op);
      return {IoStatus::ok, std::make_shared<const Bytes>(read.begin(), read.end())};
    }
    case IoKind::list: {
      Bytes listing;
      for (const auto& [name, file] : names_) append_name(listing, name);
      return {IoStatus::ok, std::make_shared<const Bytes>(std::move(listing))};
    }
    case IoKind::write:
      write(open(op.file), op.offset, view(op.bytes));
      return {};
    case IoKind::sync: {
      if (!exists(op.file)) return {IoStatus::not_found};
      File& file = files_.at(names_.at(op.file));
      file.durable = file.readable;
      file.unsynced.clear();
      return {};
    }
    case IoKind::sync_dir:
      durable_names_ = names_;
      unsynced_changes_.clear();
      return {};
    case IoKind::reserve: {
      File& file = open(op.file);
      if (file.readable.size() < op.offset) {
        write(file, file.readable.size(), Bytes(op.offset - file.readable.size()));
      }
      return {};
    }
    case IoKind::rename:
      if (!exists(op.file)) return {IoStatus::not_found};
      change({op.file, op.target, names_.at(op.file)});
      return {};
    case IoKind::remove:
      if (!exists(op.file)) return {IoStatus::not_found};
      change({op.file, {}, 0});
      return {};
  }
  check_failed("an io kind is one of those listed");
}

MemoryDisk::File& MemoryDisk::open(const std::string& file) {
  if (!exists(file)) {
    files_[++last_file_] = {};
    change({{}, file, last_file_});
  }
  return files_.at(names_.at(file));
}

void MemoryDisk::change(NameChange change) {
  apply(change, names_);
  unsynced_changes_.push_back(std::move(change));
}

void MemoryDisk::apply(const NameChange& change, Names& names) {
  if (!change.gone.empty()) names.erase(change.gone);
  if (!change.name.empty()) names[change.name] = change.file;
}

void MemoryDisk::write(File& file, std::uint64_t offset, ByteView bytes) {
  place(file.readable, offset, bytes);
  file.unsynced.push_back({offset, Bytes(bytes.begin(), bytes.end())});
}

void MemoryDisk::lose_writes(File& file, PowerCut kind, Prng& random) {
  for (const Write& write : file.unsynced) {
    const std::uint64_t fate = kind == PowerCut::tears ? random.below(4) : 0;
    if (kind == PowerCut::keeps_all || fate == 1) {
      place(file.durable, write.offset, write.bytes);
    } else if (fate > 1) {
      place_torn(file.durable, write.offset, write.bytes, random);
    }
  }
  file.readable = file.durable;
  file.unsynced.clear();
}

void MemoryDisk::power_cut(PowerCut kind, Prng& random) {
  for (const NameChange& change : unsynced_changes_) {
    const bool happened = kind == PowerCut::keeps_all || kind == PowerCut::keeps_names_only ||
                          (kind == PowerCut::tears && random.chance(500));
    if (happened) apply(change, durable_names_);
  }
  unsynced_changes_.clear();
  names_ = durable_names_;
  for (const auto& [name, file] : names_) lose_writes(files_.at(file), kind, random);
}

std::map<std::string, Bytes> MemoryDisk::durable_contents() const {
  std::map<std::string, Bytes> all;
  for (const auto& [name, file] : durable_names_) all[name] = files_.at(file).durable;
  return all;
}

bool MemoryDisk::operator==(const MemoryDisk& other) const {
  const auto readable = [](const MemoryDisk& disk) {
    std::map<std::string, Bytes> all;
    for (const std::string& name : disk.names()) all[name] = disk.contents(name);
    return all;
  };
  return readable(*this) == readable(other) && durable_contents() == other.durable_contents();
}

std::vector<std::string> MemoryDisk::names() const {
  std::vector<std::string> names;
  for (const auto& [name, file] : names_) names.push_back(name);
  return names;
}

void MemoryDisk::overwrite(const std::string& file, Bytes contents) {
  files_[++last_file_] = {contents, contents, {}};
  names_[file] = durable_names_[file] = last_file_;
}

void MemoryDisk::remove(const std::string& file) {
  names_.erase(file);
  durable_names_.erase(file);
}

void MemoryDisk::flip_bit(const std::string& file, std::uint64_t byte, unsigned bit) {
  Bytes changed = contents(file);
  changed.at(byte) ^= std::byte{1} << bit;
  overwrite(file, std::move(changed));
}

std::string MemoryDisk::last_segment() const {
  std::string last;
  for (const auto& [name, file] : names_) {
    if (name.starts_with("stream-")) {
      last = name;
    }
  }
  return last;
}

}  // namespace coffer::log
