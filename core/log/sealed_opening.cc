#include "core/log/sealed_opening.h"

#include <algorithm>

#include "core/base/check.h"

namespace coffer::log {
namespace {

constexpr std::size_t reading_max = 8;

// What a read's tag says: the file's place in the directory, and the part of it.
constexpr std::uint64_t header_read = 0;
constexpr std::uint64_t table_read = 1;
constexpr std::uint64_t manifest_tag = UINT64_MAX;

}  // namespace

void SealedOpening::start(SealedSteps& steps, std::vector<IoOp>& out) { steps.list(out); }

void SealedOpening::on_listing(ByteView listing, SealedSteps& steps, std::vector<IoOp>& out) {
  listed_ = true;
  for (const std::string& name : names_listed(listing)) {
    if (name == manifest_file) {
      ++reading_;
      steps.read(name, 0, whole_file, manifest_tag, out);
    } else if (name == derived_part_name(manifest_file)) {
      directory_.remnants.push_back(name);
    }
    const std::optional<FoundName> found = parse_file_name(name);
    if (!found) continue;
    switch (found->role) {
      case FileRole::published:
      case FileRole::archived:
      case FileRole::part:
        directory_.files.push_back({.file = name, .found = *found, .header = {}, .table = {}});
        break;
      case FileRole::index:
        directory_.indexes.insert(found->name);
        break;
      case FileRole::index_part:
        directory_.remnants.push_back(name);
        break;
    }
  }
  read_more(steps, out);
}

void SealedOpening::read_more(SealedSteps& steps, std::vector<IoOp>& out) {
  while (failure_.empty() && next_ < directory_.files.size() && reading_ < reading_max) {
    ++reading_;
    steps.read(directory_.files[next_].file, 0, block_size, next_ << 1 | header_read, out);
    ++next_;
  }
}

void SealedOpening::on_header(OpenedFile& file, ByteView bytes) {
  Result<SealedHeader> header = decode_sealed_header(bytes);
  if (header.has_error()) {
    if (header.error().code == ErrorCode::unsupported) {
      failure_ = file.file + ": " + header.error().what + ". " + directory_advice;
    }
    return;
  }
  if (header->cluster != cluster_) {
    failure_ = file.file + " belongs to another cluster. " + directory_advice;
    return;
  }
  file.sound = header->name == file.found.name;
  file.header = std::move(*header);
}

void SealedOpening::on_manifest(IoStatus status, ByteView bytes) {
  if (status == IoStatus::not_found) return;
  Result<DecodedManifest> manifest = decode_manifest(bytes);
  if (manifest.has_error()) {
    directory_.manifest_damaged = true;
    if (manifest.error().code == ErrorCode::unsupported) {
      failure_ = std::string(manifest_file) + ": " + manifest.error().what + ". " + directory_advice;
    }
  } else if (manifest->cluster != cluster_) {
    failure_ = std::string(manifest_file) + " belongs to another cluster. " + directory_advice;
  } else {
    directory_.manifest = std::move(manifest->rows);
  }
}

void SealedOpening::on_read(const PendingOp& op, IoStatus status, ByteView bytes, SealedSteps& steps,
                            std::vector<IoOp>& out) {
  if (op.kind == IoKind::list) {
    on_listing(bytes, steps, out);
    return;
  }
  --reading_;
  if (op.tag == manifest_tag) {
    on_manifest(status, bytes);
  } else {
    OpenedFile& file = directory_.files.at(op.tag >> 1);
    file.is_there = status != IoStatus::not_found;
    if ((op.tag & 1) == header_read) {
      on_header(file, bytes);
      if (file.sound && failure_.empty()) {
        ++reading_;
        // A byte more than it should have: a file that goes on behind its table is not the one its header describes.
        steps.read(file.file, table_offset(file.header), table_length(file.header) + 1, op.tag | table_read, out);
      }
    } else {
      Result<std::vector<std::uint64_t>> table = decode_table(file.header, bytes);
      file.sound = table.has_value();
      if (table.has_value()) file.table = std::move(*table);
    }
  }
  read_more(steps, out);
}

}  // namespace coffer::log
