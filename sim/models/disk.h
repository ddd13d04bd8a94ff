// One node's disk: files as bytes, names in one directory. Reads see the page cache. What a power cut leaves is what
// was synced, plus whatever happened to get out: any subset of the unsynced writes of each file, each whole or torn at
// a sector boundary, and some prefix of the unsynced changes of names.
//
// Invariants: a write followed by a completed sync of its file survives everything in this version; a name followed by
// a completed sync_dir too. Execution order and latencies are the machine's affair. Single-threaded.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/io.h"
#include "core/base/prng.h"

namespace coffer::sim {

inline constexpr std::uint64_t sector_size = 512;

struct IoResult {
  IoStatus status = IoStatus::ok;
  SharedBytes bytes = {};  ///< read only
};

/// What a power cut does to each unsynced write, in per mille; the rest survives whole.
struct DamagePolicy {
  std::uint32_t lose_per_mille = 0;
  std::uint32_t tear_per_mille = 0;
};

/// What it did.
struct Damage {
  std::uint64_t lost = 0;   ///< writes gone whole
  std::uint64_t torn = 0;   ///< writes of which some sectors are there and some are not
  std::uint64_t names = 0;  ///< changes of the directory undone
};

class Disk {
 public:
  /// Executes one operation at once; what it changes is in the page cache, unless it is a sync.
  IoResult execute(const IoOp& op);

  bool has_unsynced_writes() const;
  std::uint64_t unsynced_writes() const;
  /// Power fails: the page cache is gone, the platter holds what `policy` and the stream leave.
  Damage lose_power(const DamagePolicy& policy, Prng& prng);

  /// The file's bytes as a reader would see them; nothing when there is no such file.
  const Bytes* find(const std::string& name) const;
  std::vector<std::string> names() const;  ///< ascending

  /// What a power cut would leave of the file if nothing unsynced got out; nothing when its name would be gone too.
  /// A view of the file, or of `room` where an unsynced write stands in durable bytes; valid until the next operation.
  std::optional<ByteView> durable(const std::string& name, Bytes& room) const;
  std::vector<std::string> durable_names() const;  ///< ascending
  /// The files whose durable bytes have changed since the last call: by a sync, one of names, a power cut.
  std::vector<std::string> take_newly_durable() { return std::exchange(newly_durable_, {}); }

 private:
  struct Write {
    std::uint64_t offset = 0;
    Bytes bytes;             ///< what was written
    Bytes before;            ///< what stood there, as far as the file reached
    std::uint64_t size = 0;  ///< of the file before
  };
  struct File {
    Bytes data;
    std::vector<Write> unsynced;
  };
  using FileId = std::uint32_t;
  using Directory = std::map<std::string, FileId>;
  /// One change of the directory: `name` now is `file`, or nothing; a rename takes `from` away at the same instant.
  struct NameChange {
    std::string name;
    std::string from;
    bool removed = false;
    FileId file = 0;
  };

  File& open(const std::string& name);
  static void write(File& file, std::uint64_t offset, ByteView bytes);
  static void reserve(File& file, std::uint64_t size);
  static void put(Bytes& data, std::uint64_t offset, ByteView bytes);
  static void change(Directory& directory, const NameChange& change);
  static void settle(File& file, const DamagePolicy& policy, Prng& prng, Damage& damage);
  static void roll_back(Bytes& data, const std::vector<Write>& writes);
  static bool tear(Bytes& data, const Write& write, Prng& prng);
  void forget_nameless_files();

  Directory names_;
  Directory durable_names_;
  std::vector<NameChange> unsynced_names_;
  std::map<FileId, File> files_;
  FileId next_file_ = 1;
  std::vector<std::string> newly_durable_;
};

}  // namespace coffer::sim
