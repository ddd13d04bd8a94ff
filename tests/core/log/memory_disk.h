// A disk in memory that forgets as a real one may: an executed write is readable at once, but survives a power cut only
// if its file was synced after it; without that it is lost, kept, or torn at sectors of 512 bytes, each write for
// itself. A file's name survives only if the directory was synced after it appeared. Content of synced files never
// changes.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/base/io.h"
#include "core/base/prng.h"

namespace coffer::log {

/// What a power cut does to writes that were not synced, and to names.
enum class PowerCut : std::uint8_t { loses_all, keeps_all, keeps_names_only, tears };

class MemoryDisk {
 public:
  struct Answer {
    IoStatus status = IoStatus::ok;
    SharedBytes bytes = {};
  };
  Answer execute(const IoOp& op);
  void power_cut(PowerCut kind, Prng& random);

  bool exists(const std::string& file) const { return files_.contains(file); }
  /// The content readable now, for damage by the test: what is changed here is changed durably.
  Bytes contents(const std::string& file) const { return files_.at(file).readable; }
  void overwrite(const std::string& file, Bytes contents);
  void remove(const std::string& file) { files_.erase(file); }
  void flip_bit(const std::string& file, std::uint64_t byte, unsigned bit);
  /// The last file of the stream.
  std::string last_segment() const;

 private:
  struct Write {
    std::uint64_t offset;
    Bytes bytes;
  };
  struct File {
    Bytes durable;
    Bytes readable;
    std::vector<Write> unsynced;
    bool name_durable = false;
  };
  void write(File& file, std::uint64_t offset, ByteView bytes);
  void bring_back_names(PowerCut kind, Prng& random);

  std::map<std::string, File> files_;
  std::map<std::string, File> unsynced_names_;  ///< files whose durable name was taken away, as they were then
};

}  // namespace coffer::log
