#include "core/log/history.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "core/base/check.h"
#include "core/base/codec.h"

namespace coffer::log {
namespace {

/// Everything of an entry but its payload's bytes.
Bytes entry_header(Index index, Term term, EntryKind kind, std::size_t payload_size) {
  check(payload_size <= UINT32_MAX, "an entry's length fits 32 bits");
  Bytes bytes;
  bytes.reserve(history_entry_header_size);
  ByteWriter out(bytes);
  out.id(index);
  out.id(term);
  out.u8(static_cast<std::uint8_t>(kind));
  out.u32(static_cast<std::uint32_t>(payload_size));
  return bytes;
}

}  // namespace

Hash256 chain_head(const Hash256& before, Index index, Term term, EntryKind kind, ByteView payload) {
  return Sha256()
      .update(std::as_bytes(std::span(before.bytes)))
      .update(entry_header(index, term, kind, payload.size()))
      .update(payload)
      .finish();
}

Hash256 chain_head(const Hash256& before, const Entry& entry) {
  return chain_head(before, entry.index, entry.term, entry.kind, view(entry.payload));
}

HistoryWriter::HistoryWriter(ShardId group, Uuid cluster, const Before& before, std::uint32_t chunk_size)
    : chunk_size_(chunk_size) {
  check(chunk_size > 0, "a chunk holds something");
  header_.name = {SealedKind::history, group, before.index};
  header_.cluster = cluster;
  header_.first = before.index.next();
  header_.first_position = before.position.next();
  header_.last_position = before.position;
  header_.chain_before = before.chain;
  header_.chain_after = before.chain;
}

void HistoryWriter::append(const Entry& entry, Position last_position, Stamp stamp) {
  check(!finished_, "a finished history takes no more entries");
  check(entry.index == last().next(), "the indexes of a history are dense");
  check(entry.term >= header_.last_term, "terms never fall");
  check(last_position >= header_.last_position, "positions never fall");
  const Bytes head = entry_header(entry.index, entry.term, entry.kind, view(entry.payload).size());
  const std::size_t size = head.size() + view(entry.payload).size();
  put(head);
  put(view(entry.payload));
  indexed_.push_back({size_, static_cast<std::uint32_t>(size), last_position});
  size_ += size;
  header_.chain_after = chain_head(header_.chain_after, entry);
  header_.name.last = entry.index;
  header_.last_term = entry.term;
  header_.last_position = last_position;
  header_.last_stamp = std::max(header_.last_stamp, stamp);
}

void HistoryWriter::put(ByteView bytes) {
  while (!bytes.empty()) {
    if (chunk_.capacity() == 0) chunk_.reserve(chunk_size_);
    const ByteView piece = bytes.first(std::min(bytes.size(), chunk_size_ - chunk_.size()));
    chunk_.insert(chunk_.end(), piece.begin(), piece.end());
    bytes = bytes.subspan(piece.size());
    if (chunk_.size() == chunk_size_) chunks_.push_back(std::exchange(chunk_, {}));
  }
}

std::optional<Bytes> HistoryWriter::take_chunk() {
  if (chunks_.empty()) return std::nullopt;
  Bytes chunk = std::move(chunks_.front());
  chunks_.pop_front();
  return chunk;
}

SealedHeader HistoryWriter::finish() {
  check(header_.name.last >= header_.first, "a history holds at least one entry");
  finished_ = true;
  if (!chunk_.empty()) chunks_.push_back(std::exchange(chunk_, {}));
  return header_;
}

Entry HistoryEntry::entry() const {
  return {index, term, payload.empty() ? SharedBytes() : std::make_shared<const Bytes>(payload.begin(), payload.end()),
          kind};
}

HistoryDecoder::HistoryDecoder(const SealedHeader& header)
    : header_(header), last_(header.first.value - 1), chain_(header.chain_before) {}

Result<void> HistoryDecoder::feed(ByteView bytes, std::vector<HistoryEntry>& entries) {
  buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(consumed_));
  offset_ += consumed_;
  consumed_ = 0;
  buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
  while (true) {
    ByteReader in(ByteView(buffer_).subspan(consumed_));
    HistoryEntry entry;
    entry.index = in.id<Index>();
    entry.term = in.id<Term>();
    const std::uint8_t kind = in.u8();
    entry.payload = in.blob();
    if (!in.ok()) return {};  // the rest comes with the next bytes
    if (entry.index != last_.next() || entry.index > header_.name.last || entry.term < last_term_ ||
        entry.term > header_.last_term || kind > static_cast<std::uint8_t>(EntryKind::configuration)) {
      return error(ErrorCode::malformed, "no entry of this history at byte " + std::to_string(offset_ + consumed_));
    }
    entry.kind = static_cast<EntryKind>(kind);
    entry.offset = offset_ + consumed_;
    entry.size = static_cast<std::uint32_t>(in.position());
    chain_ = chain_head(chain_, entry.index, entry.term, entry.kind, entry.payload);
    last_ = entry.index;
    last_term_ = entry.term;
    consumed_ += in.position();
    entries.push_back(entry);
  }
}

Result<void> HistoryDecoder::finish() const {
  if (consumed_ != buffer_.size() || last_ != header_.name.last || last_term_ != header_.last_term) {
    return error(ErrorCode::malformed, "the history ends at entry " + std::to_string(last_.value));
  }
  if (chain_ != header_.chain_after) {
    return error(ErrorCode::corrupt, "the chain over the entries is not the header's");
  }
  return {};
}

}  // namespace coffer::log
