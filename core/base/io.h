// Disk effects: what core/log asks a driver to do, and what comes back. Core owns every file's bytes, names and order
// of operations; a driver owns only the execution.
//
// Execution contract (both drivers): the operations of one lane run one after the other in the order emitted, over all
// steps; lanes run beside each other, in no order between them. After the first `failed` or `no_space` the driver still
// answers every later token. A write may be torn or lost until a later `sync` of the same file has returned ok; a
// created file's name until a later `sync_dir` has.
//
// The stream lane carries what answers wait for (the write-ahead stream, the hard state); the background lane carries
// everything else (sealed files, removals), so that a snapshot never holds up an acknowledgement. A file is touched by
// one lane at a time: whoever hands it from one to the other waits for the tokens in between.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/ids.h"

namespace coffer {

enum class IoKind : std::uint8_t {
  read,      ///< `length` bytes at `offset` (fewer at the end of the file; whole_file: all) -> bytes; or `not_found`
  write,     ///< `bytes` at `offset`; creates the file, extends it with zeros where needed
  sync,      ///< makes all earlier writes of the file durable (data and size)
  sync_dir,  ///< makes created, renamed and removed names durable
  rename,    ///< `file` -> `target`, atomically
  remove,    ///< deletes the file; `not_found` when it does not exist
  list,      ///< the names of all files of the directory, ascending, each ended by a newline -> bytes
  reserve,   ///< creates the file if needed and zero-fills it from its end up to `offset` bytes; not ordered behind
             ///< writes
};

enum class IoLane : std::uint8_t { stream, background };

inline constexpr std::uint64_t whole_file = UINT64_MAX;

struct IoOp {
  IoKind kind;
  IoToken token;            ///< returned by exactly one Input of kind io
  std::string file;         ///< plain name inside the node's directory; empty for sync_dir and list
  std::string target = {};  ///< rename only
  std::uint64_t offset = 0;
  SharedBytes bytes = {};             ///< write only; immutable until the token returns
  std::uint64_t length = whole_file;  ///< read only
  IoLane lane = IoLane::stream;       ///< reserve runs beside both
};

/// What a read of `file` gives.
inline ByteView range_read(ByteView file, const IoOp& read) {
  const ByteView behind = file.subspan(std::min<std::uint64_t>(read.offset, file.size()));
  return behind.first(std::min<std::uint64_t>(read.length, behind.size()));
}
/// One name of a listing.
inline void append_name(Bytes& listing, std::string_view name) {
  for (const char c : name) listing.push_back(static_cast<std::byte>(c));
  listing.push_back(std::byte{'\n'});
}
/// The names of a listing.
inline std::vector<std::string> names_listed(ByteView listing) {
  std::vector<std::string> names(1);
  for (const std::byte byte : listing) {
    if (byte == std::byte{'\n'}) {
      names.emplace_back();
    } else {
      names.back().push_back(static_cast<char>(byte));
    }
  }
  names.pop_back();
  return names;
}

enum class IoStatus : std::uint8_t { ok, failed, no_space, not_found };

}  // namespace coffer
