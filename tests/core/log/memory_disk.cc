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
      const ByteView read = range_read(files_.at(op.file).readable, op);
      return {IoStatus::ok, std::make_shared<const Bytes>(read.begin(), read.end())};
    }
    case IoKind::list: {
      Bytes listing;
      for (const auto& [name, file] : files_) append_name(listing, name);
      return {IoStatus::ok, std::make_shared<const Bytes>(std::move(listing))};
    }
    case IoKind::write:
      write(files_[op.file], op.offset, view(op.bytes));
      return {};
    case IoKind::sync: {
      if (!exists(op.file)) return {IoStatus::not_found};
      File& file = files_.at(op.file);
      file.durable = file.readable;
      file.unsynced.clear();
      return {};
    }
    case IoKind::sync_dir:
      for (auto& [name, file] : files_) {
        file.name_durable = true;
      }
      unsynced_names_.clear();
      return {};
    case IoKind::reserve: {
      File& file = files_[op.file];
      if (file.readable.size() < op.offset) {
        write(file, file.readable.size(), Bytes(op.offset - file.readable.size()));
      }
      return {};
    }
    case IoKind::rename:
    case IoKind::remove: {
      const auto found = files_.find(op.file);
      if (found == files_.end()) return {IoStatus::not_found};
      File file = std::move(found->second);
      files_.erase(found);
      // Until the directory is synced a power cut may bring the old name back.
      if (file.name_durable) unsynced_names_.try_emplace(op.file, file);
      file.name_durable = false;
      if (op.kind == IoKind::rename) files_[op.target] = std::move(file);
      return {};
    }
  }
  check_failed("an io kind is one of those listed");
}

void MemoryDisk::write(File& file, std::uint64_t offset, ByteView bytes) {
  place(file.readable, offset, bytes);
  file.unsynced.push_back({offset, Bytes(bytes.begin(), bytes.end())});
}

void MemoryDisk::power_cut(PowerCut kind, Prng& random) {
  bring_back_names(kind, random);
  for (auto at = files_.begin(); at != files_.end();) {
    File& file = at->second;
    const bool keeps_name = kind == PowerCut::keeps_all || kind == PowerCut::keeps_names_only ||
                            (kind == PowerCut::tears && random.chance(500));
    if (!file.name_durable && !keeps_name) {
      at = files_.erase(at);
      continue;
    }
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
    file.name_durable = true;
    ++at;
  }
}

/// What was renamed or removed, and not synced: all of it happened, or none.
void MemoryDisk::bring_back_names(PowerCut kind, Prng& random) {
  std::map<std::string, File> gone;
  gone.swap(unsynced_names_);
  const bool happened = kind == PowerCut::keeps_all || kind == PowerCut::keeps_names_only ||
                        (kind == PowerCut::tears && random.chance(500));
  if (happened) return;
  for (auto& [name, file] : gone) {
    files_[name] = std::move(file);
  }
}

void MemoryDisk::overwrite(const std::string& file, Bytes contents) {
  files_[file] = File{contents, contents, {}, true};
}

void MemoryDisk::flip_bit(const std::string& file, std::uint64_t byte, unsigned bit) {
  Bytes contents = files_.at(file).readable;
  contents.at(byte) ^= std::byte{1} << bit;
  overwrite(file, std::move(contents));
}

std::string MemoryDisk::last_segment() const {
  std::string last;
  for (const auto& [name, file] : files_) {
    if (name.starts_with("stream-")) {
      last = name;
    }
  }
  return last;
}

}  // namespace coffer::log
