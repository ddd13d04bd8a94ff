#include "tests/sim/oracles/shown_disk.h"

#include <algorithm>
#include <utility>

#include "core/base/codec.h"
#include "core/base/hash.h"

namespace coffer::sim::oracles {

namespace {

constexpr std::size_t block = 4096;
constexpr std::size_t frame_header = 64;
constexpr std::size_t zeros_ahead = 2 * block;  // as a reservation leaves them

std::uint64_t mix(std::uint64_t x) {
  x += 0x9E37'79B9'7F4A'7C15u;
  x = (x ^ (x >> 30)) * 0xBF58'476D'1CE4'E5B9u;
  x = (x ^ (x >> 27)) * 0x94D0'49BB'1331'11EBu;
  return x ^ (x >> 31);
}

/// Pads to a block and ends it with its checksum.
Bytes sealed(Bytes bytes, std::uint64_t seed) {
  bytes.resize(block - 8);
  ByteWriter(bytes).u64(hash64(ByteView(bytes), seed));
  return bytes;
}

std::string padded(std::uint64_t number, std::size_t digits) {
  const std::string text = std::to_string(number);
  return std::string(digits - std::min(digits, text.size()), '0') + text;
}

void put_head(ByteWriter& out, std::uint8_t kind, ShardId shard, bool keeps = false) {
  out.u8(kind);
  out.u8(keeps ? 1 : 0);
  out.u16(0);
  out.id(shard);
}

void put_place(ByteWriter& out, LogPlace place) {
  out.id(place.index);
  out.id(place.term);
}

}  // namespace

std::string SealedDraft::file() const {
  return (kind == 1 ? "snapshot-" : "history-") + padded(shard.value, 6) + "-" + padded(last, 20);
}

Bytes SealedDraft::bytes() const {
  Bytes table;
  ByteWriter sums(table);
  for (std::size_t at = 0, chunk = 0; at < payload.size(); at += chunk_size, ++chunk) {
    sums.u64(hash64(ByteView(payload).subspan(at, std::min<std::size_t>(chunk_size, payload.size() - at)), chunk));
  }
  const std::uint64_t table_checksum = hash64(table, 0x5345'414C'4544'0002u);
  sums.u64(table_checksum);
  Bytes file;
  ByteWriter out(file);
  out.raw(bytes_of("CFK1"));
  out.u16(1);
  out.u8(kind);
  out.u8(0);
  out.uuid(Uuid{});
  out.id(shard);
  out.u32(chunk_size);
  out.u64(first);
  out.u64(last);
  out.u64(last_term);
  out.u64(kind == 1 ? last_position : 1);
  out.u64(last_position);
  out.i64(last_stamp);
  out.u64(payload.size());
  out.raw(chain_before);
  out.raw(chain_after);
  out.u64(table_checksum);
  out.blob(meta);
  file = sealed(std::move(file), 0x5345'414C'4544'0001u);
  file.insert(file.end(), payload.begin(), payload.end());
  file.insert(file.end(), table.begin(), table.end());
  return file;
}

ShownDisk::ShownDisk(NodeId node, std::uint16_t version) : node_(node), version_(version) { begin_segment(); }

Bytes ShownDisk::identity() const {
  Bytes bytes(16, std::byte{0xC0});
  bytes.insert(bytes.end(), 16, static_cast<std::byte>(node_.value));
  bytes.insert(bytes.end(), 4, std::byte{0});
  return bytes;
}

std::uint64_t ShownDisk::salt() const {
  Bytes bytes = identity();
  ByteWriter(bytes).u64(segment_);
  return hash64(bytes);
}

std::string ShownDisk::segment_name() const { return "stream-" + padded(segment_, 6); }

void ShownDisk::append(ShardId shard, std::uint64_t index, std::uint64_t term, const Bytes& payload, EntryKind kind) {
  ByteWriter out(records_);
  put_head(out, 1, shard);
  out.u32(1);
  put_place(out, {Index(index), Term(term)});
  if (version_ > 1) out.u8(static_cast<std::uint8_t>(kind));
  out.blob(payload);
}

void ShownDisk::cut(ShardId shard, std::uint64_t from) {
  ByteWriter out(records_);
  put_head(out, 2, shard);
  out.u64(from);
}

void ShownDisk::restore(ShardId shard, std::uint64_t index, std::uint64_t term, bool keeps) {
  ByteWriter out(records_);
  put_head(out, 3, shard, keeps);
  put_place(out, {Index(index), Term(term)});
}

void ShownDisk::stand(ShardId shard, LogPlace base, LogPlace last) {
  ByteWriter out(records_);
  put_head(out, 4, shard);
  put_place(out, base);
  put_place(out, last);
}

void ShownDisk::begin_segment() {
  ++segment_;
  Bytes header;
  ByteWriter out(header);
  out.raw(bytes_of("CFG1"));
  out.u16(version_);
  out.u16(0);
  out.raw(identity());
  out.u32(0);
  out.u64(salt());
  out.u64(segment_);
  out.u64(next_frame_);
  out.u64(previous_);
  segment() = sealed(std::move(header), 0x5347'4D45'4E54'0001u);
}

void ShownDisk::write_frame(bool new_segment) {
  if (new_segment) begin_segment();
  const std::size_t length = records_.size();
  Bytes body = std::exchange(records_, {});
  body.resize((frame_header + length + block - 1) / block * block - frame_header);
  Bytes frame;
  ByteWriter out(frame);
  out.raw(bytes_of("CFS1"));
  out.u16(version_);
  out.u16(0);
  out.u64(salt());
  out.u64(next_frame_);
  out.u32(static_cast<std::uint32_t>(length));
  out.u32(0);
  out.u64(previous_);
  out.u64(next_frame_ - 1);
  out.u64(hash64(body, mix(salt() ^ mix(next_frame_))));
  previous_ = hash64(frame);
  out.u64(previous_);
  ++next_frame_;
  segment().insert(segment().end(), frame.begin(), frame.end());
  segment().insert(segment().end(), body.begin(), body.end());
}

void ShownDisk::write_ballot(ShardId shard, std::uint64_t term, NodeId vote, bool uncertain) {
  ballots_[shard] = {Term(term), vote, uncertain};
  write_hard_state();
}

void ShownDisk::write_hard_state() {
  ++sequence_;
  Bytes& file = files_["hard-state"];
  file.clear();
  for (const std::uint64_t copy : {std::uint64_t{0}, std::uint64_t{1}}) {
    Bytes bytes;
    ByteWriter out(bytes);
    out.raw(bytes_of("CFH1"));
    out.u16(version_);
    out.u16(0);
    out.raw(identity());
    out.u32(0);
    out.u64(sequence_);
    if (version_ > 1) {
      for (const std::uint64_t field : {first_segment_, std::uint64_t{0}, std::uint64_t{0}, next_frame_ - 1}) {
        out.u64(field);
      }
    }
    out.u32(static_cast<std::uint32_t>(ballots_.size()));
    out.u32(0);
    for (const auto& [shard, ballot] : ballots_) {
      out.id(shard);
      out.id(ballot.vote);
      out.id(ballot.term);
      if (version_ == 1) continue;
      put_place(out, {});
      out.u32(ballot.uncertain ? 1 : 0);
      out.u32(0);
    }
    bytes = sealed(std::move(bytes), 0x4853'0000'0000'0001u + copy);
    file.insert(file.end(), bytes.begin(), bytes.end());
  }
}

void ShownDisk::begin_anew() {
  next_frame_ += 10;
  previous_ = 0;
  write_frame(true);
  first_segment_ = segment_;
  write_hard_state();
}

void ShownDisk::drop_old_segments() {
  for (; first_segment_ < segment_; ++first_segment_) files_.erase("stream-" + padded(first_segment_, 6));
  write_hard_state();
}

void ShownDisk::show(Oracle& oracle, const std::string& file) const {
  Bytes contents = files_.at(file);
  if (file.starts_with("stream-")) contents.resize(contents.size() + zeros_ahead);
  oracle.on_durable({}, node_, file, contents);
}

void ShownDisk::show_all(Oracle& oracle) const {
  for (const auto& [name, contents] : files_) show(oracle, name);
}

void ShownDisk::store(Oracle& oracle, ShardId shard, std::uint64_t index, std::uint64_t term, const Bytes& payload) {
  const auto known = ballots_.find(shard);
  if (known == ballots_.end() || known->second.term < Term(term)) vote(oracle, shard, term, nobody);
  append(shard, index, term, payload);
  write_frame();
  show(oracle, segment_name());
}

void ShownDisk::vote(Oracle& oracle, ShardId shard, std::uint64_t term, NodeId vote) {
  write_ballot(shard, term, vote);
  show(oracle, "hard-state");
}

void ShownDisk::publish(Oracle& oracle, const SealedDraft& draft) {
  files_[draft.file()] = draft.bytes();
  show(oracle, draft.file());
}

void ShownDisk::crash(Oracle& oracle) const {
  oracle.on_crash({}, node_);
  show_all(oracle);
  oracle.on_restart({}, node_);
}

}  // namespace coffer::sim::oracles
