#include "core/log/pending_io.h"

#include <algorithm>
#include <memory>
#include <string_view>
#include <utility>

#include "core/base/check.h"

namespace coffer::log {
namespace {

std::string_view verb(IoKind kind) {
  switch (kind) {
    case IoKind::read:
      return "read";
    case IoKind::write:
      return "write";
    case IoKind::sync:
      return "sync";
    case IoKind::sync_dir:
      return "sync of the directory";
    case IoKind::rename:
      return "rename";
    case IoKind::remove:
      return "removal";
    case IoKind::reserve:
      return "reservation";
    case IoKind::list:
      return "listing of the directory";
  }
  check_failed("an io kind is one of those listed");
}

}  // namespace

void PendingIo::read(std::string file, std::vector<IoOp>& out) {
  add({.kind = IoKind::read, .token = {}, .file = std::move(file)}, out);
}

void PendingIo::read_range(std::string file, std::uint64_t offset, std::uint64_t length, std::uint64_t tag,
                           std::vector<IoOp>& out) {
  add({.kind = IoKind::read, .token = {}, .file = std::move(file), .offset = offset, .length = length}, out, tag);
}

void PendingIo::list(std::vector<IoOp>& out) { add({.kind = IoKind::list, .token = {}, .file = {}}, out); }

void PendingIo::rename(std::string from, std::string to, std::vector<IoOp>& out) {
  add({.kind = IoKind::rename, .token = {}, .file = std::move(from), .target = std::move(to)}, out);
}

void PendingIo::remove(std::string file, std::vector<IoOp>& out) {
  add({.kind = IoKind::remove, .token = {}, .file = std::move(file)}, out);
}

void PendingIo::write(std::string file, std::uint64_t offset, Bytes bytes, std::vector<IoOp>& out) {
  add({.kind = IoKind::write,
       .token = {},
       .file = std::move(file),
       .offset = offset,
       .bytes = std::make_shared<const Bytes>(std::move(bytes))},
      out);
}

void PendingIo::sync(std::string file, std::vector<IoOp>& out) {
  add({.kind = IoKind::sync, .token = {}, .file = std::move(file)}, out);
}

void PendingIo::sync_dir(std::vector<IoOp>& out) { add({.kind = IoKind::sync_dir, .token = {}, .file = {}}, out); }

void PendingIo::reserve(std::string file, std::uint64_t size, std::vector<IoOp>& out) {
  check(!reserving_, "one reservation at a time");
  add({.kind = IoKind::reserve, .token = {}, .file = std::move(file), .offset = size}, out);
  reserving_ = true;
}

void PendingIo::add(IoOp op, std::vector<IoOp>& out, std::uint64_t tag) {
  op.token = IoToken(std::uint64_t{static_cast<std::uint8_t>(owner_)} << 56 | ++last_token_);
  op.lane = lane_;
  pending_.push_back({op.token, op.kind, op.file, op.offset, tag});
  if (op.kind != IoKind::reserve) {
    ++in_order_;
  }
  out.push_back(std::move(op));
}

std::optional<PendingOp> PendingIo::take(IoToken token) {
  const auto found =
      std::find_if(pending_.begin(), pending_.end(), [token](const PendingOp& op) { return op.token == token; });
  if (found == pending_.end()) return std::nullopt;
  PendingOp op = std::move(*found);
  pending_.erase(found);
  if (op.kind == IoKind::reserve) {
    reserving_ = false;
  } else {
    --in_order_;
  }
  return op;
}

std::string describe_failure(const PendingOp& op, IoStatus status) {
  std::string text(verb(op.kind));
  if (!op.file.empty()) {
    text += " of " + op.file + " at byte " + std::to_string(op.offset);
  }
  if (status == IoStatus::no_space) {
    return text + ": no space left on the disk. Free space, then start this node again.";
  }
  return text +
         ": the disk failed, and what it holds is uncertain. Check the disk, then start this node again, or let a "
         "replacement join with `coffer join --replace`.";
}

}  // namespace coffer::log
