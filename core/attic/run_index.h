// What memory keeps of a run: its filter and fences, read from the run's tail. Says whether the run may hold a hash,
// and in which of its chunks it would stand. Memory: 2 bytes a record and 8 a chunk. Single-threaded.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/attic/filter.h"
#include "core/attic/run_format.h"
#include "core/base/bytes.h"
#include "core/base/result.h"

namespace coffer::attic {

class RunIndex {
 public:
  explicit RunIndex(const RunHead& head) : head_(head) {}

  const RunHead& head() const { return head_; }
  /// The number, in the sealed file, of the chunk of the tail to be fed next; nothing: it is ready.
  std::optional<std::uint32_t> wants_chunk() const;
  /// Takes the chunk wants_chunk() names; the last one makes it ready. Errors: malformed (wrong length; fences do not
  /// ascend; no END1): what was fed is forgotten, and the first chunk of the tail wanted again. Requires: it wants one
  /// (checked).
  Result<void> feed(ByteView chunk);
  bool ready() const { return ready_; }

  /// False: no record has this hash. Requires: ready() (checked).
  bool may_have(std::uint64_t hash) const;
  [[gnu::always_inline]] void prefetch(std::uint64_t hash) const { filter_.prefetch(hash); }
  /// The row chunks in which records with this hash would stand: [first, end). Empty: there are none. Records of one
  /// hash may stand in several chunks, so the chunk before a fence equal to the hash belongs to them too. Requires:
  /// ready() (checked).
  struct Chunks {
    std::uint32_t first = 0;
    std::uint32_t end = 0;
    bool operator==(const Chunks&) const = default;
  };
  Chunks chunks_of(std::uint64_t hash) const;

 private:
  /// False: it is no tail of such a run.
  bool read_tail();

  RunHead head_;
  Filter filter_;
  std::vector<std::uint64_t> fences_;
  Bytes tail_;  ///< as far as fed; empty once ready
  std::uint32_t fed_ = 0;
  bool ready_ = false;
};

}  // namespace coffer::attic
