// Disk effects: what core/log asks a driver to do, and what comes back. Core owns every file's bytes, names and order
// of operations; a driver owns only the execution.
//
// Execution contract (both drivers): operations run one after the other in the order emitted, over all steps. After the
// first `failed` or `no_space` the driver still answers every later token. A write may be torn or lost until a later
// `sync` of the same file has returned ok; a created file's name until a later `sync_dir` has.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/bytes.h"
#include "core/base/ids.h"

namespace coffer {

enum class IoKind : std::uint8_t {
  read,      ///< whole file -> bytes; `not_found` when it does not exist
  write,     ///< `bytes` at `offset`; creates the file, extends it with zeros where needed
  sync,      ///< makes all earlier writes of the file durable (data and size)
  sync_dir,  ///< makes created, renamed and removed names durable
  rename,    ///< `file` -> `target`, atomically
  remove,    ///< deletes the file
  reserve,   ///< creates the file if needed and zero-fills it from its end up to `offset` bytes; not ordered behind
             ///< writes
};

struct IoOp {
  IoKind kind;
  IoToken token;            ///< returned by exactly one Input of kind io
  std::string file;         ///< plain name inside the node's directory
  std::string target = {};  ///< rename only
  std::uint64_t offset = 0;
  SharedBytes bytes = {};  ///< write only; immutable until the token returns
};

enum class IoStatus : std::uint8_t { ok, failed, no_space, not_found };

}  // namespace coffer
