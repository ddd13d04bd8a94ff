// A disk in memory that forgets as a real one may: an executed write is readable at once, but survives a power cut only
// if its file was synced after it; without that it is lost, kept, or torn at sectors of 512 bytes, each write for
// itself. Names are as atomic: each creation, rename and removal that the directory was not synced after happened or
// did not, each for itself; but a rename never loses the file, nor what it replaces unless it happened. Content of
// synced files never changes.
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

  bool exists(const std::string& file) const { return names_.contains(file); }
  /// All names, ascending.
  std::vector<std::string> names() const;
  /// The content readable now, for damage by the test: what is changed here is changed durably.
  Bytes contents(const std::string& file) const { return files_.at(names_.at(file)).readable; }
  void overwrite(const std::string& file, Bytes contents);
  void remove(const std::string& file);
  void flip_bit(const std::string& file, std::uint64_t byte, unsigned bit);
  /// The same files, readable and durable.
  bool operator==(const MemoryDisk& other) const;
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
  };
  using Names = std::map<std::string, std::uint64_t>;  ///< keys of files_
  /// A change of names, atomic: `gone` is no name any more, `file` is called `name`. Either may be missing (empty).
  struct NameChange {
    std::string gone;
    std::string name;
    std::uint64_t file = 0;
  };
  static void apply(const NameChange& change, Names& names);
  static void write(File& file, std::uint64_t offset, ByteView bytes);
  static void lose_writes(File& file, PowerCut kind, Prng& random);
  File& open(const std::string& file);
  void change(NameChange change);
  std::map<std::string, Bytes> durable_contents() const;

  std::map<std::uint64_t, File> files_;  ///< those without a name, too
  std::uint64_t last_file_ = 0;
  Names names_;
  Names durable_names_;
  std::vector<NameChange> unsynced_changes_;
};

}  // namespace coffer::log
