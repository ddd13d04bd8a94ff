// One node's disk: files as bytes, names in one directory. Reads see the page cache. What a power cut leaves is what
// was synced, plus whatever happened to get out: any subset of the unsynced writes of each file, each whole or torn at
// a sector boundary, and some prefix of the unsynced changes of names.
//
// Honest until told otherwise: a fault may change durable bytes (damage), lie in ambush for the next operation that
// fits (Ambush), or fill the disk. A disk remembers its scars, so that onlookers can tell whether damage is still there
// and whether anybody has read it.
//
// Invariants: on an honest disk a write followed by a completed sync of its file survives everything; a name followed
// by a completed sync_dir too. Execution order and latencies are the machine's affair. Single-threaded.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/io.h"
#include "core/base/prng.h"

namespace coffer::sim {

inline constexpr std::uint64_t sector_size = 512;
inline constexpr std::uint64_t block_size = 4096;  ///< what a misdirected operation is aligned to

struct IoResult {
  IoStatus status = IoStatus::ok;
  SharedBytes bytes = {};  ///< read only
};

/// What a power cut does to each unsynced write, in per mille; the rest survives whole.
struct DamagePolicy {
  std::uint32_t lose_per_mille = 0;
  std::uint32_t tear_per_mille = 0;
  std::string untorn = {};  ///< of this file a write is lost instead of torn
};

/// What it did.
struct Damage {
  std::uint64_t lost = 0;   ///< writes gone whole
  std::uint64_t torn = 0;   ///< writes of which some sectors are there and some are not
  std::uint64_t names = 0;  ///< changes of the directory undone
};

/// What waits for the next operation that fits, and happens once.
enum class DiskTrouble : std::uint8_t {
  fail_sync,        ///< the sync says `failed`; what it was to make durable is read on, and no later sync makes it so
  misdirect_write,  ///< the bytes land elsewhere; the place they were meant for keeps the old ones
  misdirect_read,   ///< one block of what is read comes from another place of the file
  stale_read,       ///< one sector of what is read is as it was before it was overwritten last
};
struct Ambush {
  std::uint64_t strike = 0;  ///< whose work it is
  DiskTrouble trouble{};
  std::string prefix = {};  ///< of the names of the files it waits for; empty: any
  std::string onto = {};    ///< misdirect_write: of the names of the files it lands in; empty: in the same file
  Prng prng{0};
};

/// What a strike did to an operation.
struct DiskHit {
  std::uint64_t strike = 0;
  std::string file = {};  ///< of the operation
  bool operator==(const DiskHit&) const = default;
};

struct ByteRange {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
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
  /// A view of the file, valid until the next operation.
  std::optional<ByteView> durable(const std::string& name) const;
  std::vector<std::string> durable_names() const;  ///< ascending
  /// The files whose durable bytes have changed since the last call: by a sync, one of names, a power cut, damage.
  std::vector<std::string> take_newly_durable() { return std::exchange(newly_durable_, {}); }

  // --- what goes wrong with it
  /// Durable bytes change by themselves; a reader sees it where nothing unsynced stands over them.
  /// Requires: durable bytes of a durable name (checked).
  void damage(const std::string& name, std::uint64_t offset, ByteView bad, std::uint64_t strike);
  void lay(Ambush ambush) { ambushes_.push_back(std::move(ambush)); }
  /// No space is left: whatever would grow a file, or create one, is refused; what was reserved can be written.
  void fill(std::uint64_t strike) { filled_by_.insert(strike); }
  bool full() const { return !filled_by_.empty(); }
  /// The strike is over: its ambush is gone, its space is back. Scars stay.
  void heal(std::uint64_t strike);
  /// Since the last call.
  std::vector<DiskHit> take_hits() { return std::exchange(hits_, {}); }

  /// Strikes whose damage has been read since the last call; each is told once.
  std::vector<std::uint64_t> take_scars_read() { return std::exchange(scars_read_, {}); }
  /// Whether durable bytes of the file are still what damage made of them.
  bool scarred(const std::string& name) const;
  /// What the last sync of the file made durable, and when that was: the larger, the later; 0: never.
  struct LastSync {
    std::uint64_t when = 0;
    std::vector<ByteRange> written = {};
  };
  LastSync last_sync(const std::string& name) const;

 private:
  struct Write {
    std::uint64_t offset = 0;  ///< where it grows the file to, if it carries no bytes
    Bytes bytes;
    bool doomed = false;  ///< a sync of it has failed
  };
  /// What stood where a write became durable.
  struct Version {
    std::uint64_t sync = 0;
    std::uint64_t offset = 0;
    Bytes before;
  };
  struct Scar {
    std::uint64_t strike = 0;
    std::uint64_t offset = 0;
    Bytes bad;
    Bytes good;  ///< of the same size
    bool read = false;
  };
  struct File {
    Bytes data;     ///< as readers see it
    Bytes durable;  ///< as the platter holds it
    std::vector<Write> unsynced;
    std::deque<Version> versions;  ///< the last few
    std::uint64_t last_sync = 0;
    std::vector<Scar> scars;
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

  IoResult read(const IoOp& op);
  IoResult write(const IoOp& op);
  IoResult reserve(const IoOp& op);
  IoResult sync(const IoOp& op);
  IoResult sync_dir();
  IoResult change_name(const IoOp& op);

  File& open(const std::string& name);
  const File* file_named(const std::string& name) const;
  static void put(Bytes& data, std::uint64_t offset, ByteView bytes);
  static void change(Directory& directory, const NameChange& change);
  static void settle(File& file, const DamagePolicy& policy, Prng& prng, Damage& damage);
  static bool tear(Bytes& data, const Write& write, Prng& prng);
  static void add_scar(File& file, std::uint64_t strike, std::uint64_t offset, ByteView bad, ByteView good);
  static void mend(File& file, std::uint64_t offset, std::uint64_t length);
  static bool shows(const Scar& scar, ByteView bytes, std::uint64_t from, std::uint64_t end);
  void forget_nameless_files();

  bool refuses_growth(const std::string& name, std::uint64_t size);
  Ambush* ambush_for(DiskTrouble trouble, const std::string& name);
  void spring(const Ambush& ambush, const std::string& file);
  bool misdirect(Ambush& ambush, const IoOp& write);
  bool misread(Ambush& ambush, const File& file, const IoOp& read, Bytes& bytes) const;
  bool read_stale(Ambush& ambush, const File& file, const IoOp& read, Bytes& bytes) const;
  void note_scars_read(File& file, std::uint64_t offset, std::uint64_t length);

  Directory names_;
  Directory durable_names_;
  std::vector<NameChange> unsynced_names_;
  std::map<FileId, File> files_;
  FileId next_file_ = 1;
  std::uint64_t syncs_ = 0;
  std::vector<std::string> newly_durable_;
  std::vector<Ambush> ambushes_;
  std::set<std::uint64_t> filled_by_;
  std::vector<DiskHit> hits_;
  std::vector<std::uint64_t> scars_read_;
};

}  // namespace coffer::sim
