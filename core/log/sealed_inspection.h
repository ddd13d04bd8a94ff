// Inspection: reads one sealed file from its start and compares every byte with what vouches for it: chunks with the
// table, a history's entries with its chain, the index on the disk with the one that follows from the history. Says
// what to read next and is fed what was read. Single-threaded; owned by one SealedStore.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/bytes.h"
#include "core/log/history.h"
#include "core/log/history_index.h"
#include "core/log/sealed_file.h"

namespace coffer::log {

class Inspection {
 public:
  enum class Why : std::uint8_t {
    recovery,     ///< a published snapshot, before the node works with it
    resumption,   ///< a temporary file: which chunks are there
    written,      ///< a temporary history written here, durable: whether the disk has the bytes it was given
    publication,  ///< a temporary history fetched, durable: whether they are the entries its header says, too
    indexing,     ///< a published history whose index is missing or damaged
    scrub,        ///< a published file, to find damage before it is needed
  };
  Inspection(Why why, const SealedHeader& header, std::vector<std::uint64_t> table, CountPositions count_positions);

  enum class Part : std::uint8_t { header, table, chunk, index };
  struct Range {
    Part part = Part::header;
    std::uint64_t offset = 0;
    std::uint64_t length = 0;
  };
  /// What to read now; nothing when it is finished.
  std::optional<Range> next() const;
  /// The bytes of next(); fewer, or none, if the file has no more.
  void feed(ByteView bytes);

  Why why() const { return why_; }
  const SealedName& name() const { return header_.name; }
  bool reads_part() const { return why_ == Why::resumption || why_ == Why::written || why_ == Why::publication; }

  // What was found. Sound only when all of it was fed.
  bool head_damaged() const { return head_damaged_; }  ///< header or table on the disk are not those in memory
  const std::vector<std::uint32_t>& bad_chunks() const { return bad_chunks_; }
  /// A history whose chunks are all sound, and yet its entries are not what the header says.
  const std::string& contradiction() const { return contradiction_; }
  /// The index that follows from the history; empty unless everything is sound.
  Bytes take_index() { return std::move(index_); }
  bool index_differs() const { return index_differs_; }
  bool index_missing() const { return index_missing_; }

 private:
  /// Of what was written here chain and index follow from the entries as they were given to the disk.
  bool reads_entries() const {
    return header_.name.kind == SealedKind::history && why_ != Why::resumption && why_ != Why::written;
  }
  void take_chunk(ByteView bytes);
  void end_of_chunks();

  Why why_;
  SealedHeader header_;
  std::vector<std::uint64_t> table_;
  std::optional<Part> part_;
  std::uint32_t chunk_ = 0;
  HistoryDecoder decoder_;
  IndexBuilder builder_;
  bool head_damaged_ = false;
  std::vector<std::uint32_t> bad_chunks_;
  std::string contradiction_;
  Bytes index_;
  bool index_differs_ = false;
  bool index_missing_ = false;
};

}  // namespace coffer::log
