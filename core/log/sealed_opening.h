// What a directory holds at a start: lists it and reads the header and the table of every sealed file, and the
// manifest. Reads only, judges nothing but whether each is sound. Single-threaded; owned by one SealedStore.
#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/base/io.h"
#include "core/log/manifest.h"
#include "core/log/sealed_file.h"
#include "core/log/sealed_steps.h"

namespace coffer::log {

struct OpenedFile {
  std::string file;
  FoundName found;
  bool is_there = true;
  bool sound = false;  ///< header and table are, and the header names this file
  SealedHeader header;
  std::vector<std::uint64_t> table;
};

struct OpenedDirectory {
  std::vector<OpenedFile> files;  ///< published, archived and temporary
  std::set<SealedName> indexes;
  std::vector<std::string> remnants;  ///< temporary names of derived files
  std::optional<Manifest> manifest;   ///< if it is there and sound
  bool manifest_damaged = false;
};

class SealedOpening {
 public:
  explicit SealedOpening(Uuid cluster) : cluster_(cluster) {}
  void start(SealedSteps& steps, std::vector<IoOp>& out);
  /// A read or the listing came back.
  void on_read(const PendingOp& op, IoStatus status, ByteView bytes, SealedSteps& steps, std::vector<IoOp>& out);
  /// Everything was read. Or failure() is set: files of another cluster, or of a later version.
  bool done() const { return listed_ && reading_ == 0; }
  const std::string& failure() const { return failure_; }
  const OpenedDirectory& directory() const { return directory_; }

 private:
  void on_listing(ByteView listing, SealedSteps& steps, std::vector<IoOp>& out);
  void on_header(OpenedFile& file, ByteView bytes);
  void on_manifest(IoStatus status, ByteView bytes);
  void read_more(SealedSteps& steps, std::vector<IoOp>& out);

  Uuid cluster_;
  OpenedDirectory directory_;
  std::size_t next_ = 0;  ///< of directory_.files, to be read
  std::size_t reading_ = 0;
  bool listed_ = false;
  std::string failure_;
};

}  // namespace coffer::log
