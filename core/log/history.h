// History: the committed entries of one epoch of a group, as the payload of a sealed file (core/log/sealed_file.h). The
// golden source: everything else a node knows can be computed from it. And the chain of SHA-256 over committed entries,
// whose head is the same on every replica that committed the same. Pure; decoders take arbitrary bytes.
//
//   payload := entry*                                                        dense from the header's first to its last
//   entry   := index u64 | term u64 | kind u8 | payload blob                     the bytes of stream and wire as well
//   chain   := head(0) = 32 zero bytes; head(n) = SHA-256(head(n - 1) | entry(n))
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/entry.h"
#include "core/base/result.h"
#include "core/base/sha256.h"
#include "core/base/time.h"
#include "core/log/sealed_file.h"

namespace coffer::log {

/// Bytes of an entry before its payload.
inline constexpr std::size_t history_entry_header_size = 21;

/// The head after `entry`, given the head before it.
Hash256 chain_head(const Hash256& before, Index index, Term term, EntryKind kind, ByteView payload);
Hash256 chain_head(const Hash256& before, const Entry& entry);

/// Where an entry lies in its history's payload.
struct IndexedEntry {
  std::uint64_t offset = 0;
  std::uint32_t size = 0;
  Position last_position;
  bool operator==(const IndexedEntry&) const = default;
};

/// Encodes the entries of an epoch and cuts the payload into chunks. Pull: append entries while wants_entries(), take
/// chunks while has_chunk(); after the last entry finish() gives the header and take_chunk() the rest.
class HistoryWriter {
 public:
  struct Before {
    Index index;  ///< the last entry before the first one here
    Position position;
    Hash256 chain;
  };
  HistoryWriter(ShardId group, Uuid cluster, const Before& before, std::uint32_t chunk_size);

  /// `last_position`: after the entry's events, equal to the one before if it has none.
  /// Requires: indexes dense, terms and positions never falling (checked).
  void append(const Entry& entry, Position last_position, Stamp stamp);
  bool wants_entries() const { return !has_chunk(); }
  /// A whole chunk is ready.
  bool has_chunk() const { return !chunks_.empty(); }
  /// The next chunk; after finish() also the last, shorter one; nothing when there is none.
  std::optional<Bytes> take_chunk();
  /// For SealedStore::seal, which fills in payload size, chunk size and table. Requires: at least one entry (checked).
  SealedHeader finish();
  /// What its index is made of: of all entries appended.
  std::vector<IndexedEntry> take_indexed() { return std::move(indexed_); }
  Index last() const { return header_.name.last; }
  const Hash256& chain() const { return header_.chain_after; }

 private:
  void put(ByteView bytes);

  SealedHeader header_;
  std::uint32_t chunk_size_;
  std::deque<Bytes> chunks_;  ///< ready; whole, but for the last one of a finished history
  Bytes chunk_;               ///< the next, not whole yet
  std::uint64_t size_ = 0;    ///< of all entries appended
  std::vector<IndexedEntry> indexed_;
  bool finished_ = false;
};

/// An entry in a decoder's buffer: valid until the next feed().
struct HistoryEntry {
  Index index;
  Term term;
  EntryKind kind = EntryKind::state;
  ByteView payload;
  std::uint64_t offset = 0;  ///< of the whole entry in the file's payload
  std::uint32_t size = 0;    ///< of the whole entry

  Entry entry() const;  ///< a copy that lasts
};

/// Reads a payload piece by piece and computes its chain.
class HistoryDecoder {
 public:
  explicit HistoryDecoder(const SealedHeader& header);

  /// Appends the entries that end in these bytes. Errors: malformed; the decoder is then unusable.
  Result<void> feed(ByteView bytes, std::vector<HistoryEntry>& entries);
  /// Errors: malformed (the payload ends within an entry or before the header's last one), corrupt (another chain).
  Result<void> finish() const;
  const Hash256& chain() const { return chain_; }

 private:
  SealedHeader header_;
  Index last_;
  Term last_term_;
  Hash256 chain_;
  std::uint64_t offset_ = 0;  ///< in the payload, of the first byte in buffer_
  std::size_t consumed_ = 0;  ///< of buffer_
  Bytes buffer_;
};

}  // namespace coffer::log
