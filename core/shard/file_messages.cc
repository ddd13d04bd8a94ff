#include "core/shard/file_messages.h"

#include <utility>

#include "core/log/block.h"
#include "core/raft/messages.h"

namespace coffer::shard {

namespace {

enum class What : std::uint8_t { ask = 1, offer = 2, want = 3, give = 4 };

log::SealedKind read_kind(ByteReader& in) {
  const std::uint8_t kind = in.u8();
  if (kind < 1 || kind > 3) in.fail();
  return static_cast<log::SealedKind>(kind);
}

Index read_index(ByteReader& in) {
  const std::uint64_t index = in.u64();
  if (index > raft::number_max) in.fail();
  return Index(index);
}

void encode(const ChunkName& name, ByteWriter& out) {
  out.u8(static_cast<std::uint8_t>(name.kind));
  out.id(name.last);
  out.u64(name.table_checksum);
  out.u32(name.chunk);
}

ChunkName read_chunk_name(ByteReader& in) {
  ChunkName name;
  name.kind = read_kind(in);
  name.last = read_index(in);
  name.table_checksum = in.u64();
  name.chunk = in.u32();
  return name;
}

void encode_what(const AskFile& ask, ByteWriter& out) {
  out.u8(static_cast<std::uint8_t>(What::ask));
  out.u8(static_cast<std::uint8_t>(ask.kind));
  out.id(ask.after);
  out.id(ask.base.index);
  out.id(ask.base.term);
}

void encode_what(const OfferFile& offer, ByteWriter& out) {
  out.u8(static_cast<std::uint8_t>(What::offer));
  out.u8(static_cast<std::uint8_t>(offer.kind));
  out.id(offer.after);
  out.blob(offer.header ? ByteView(log::encode(*offer.header)) : ByteView());
  out.blob(offer.header ? ByteView(log::encode_table(offer.table)) : ByteView());
}

void encode_what(const WantChunk& want, ByteWriter& out) {
  out.u8(static_cast<std::uint8_t>(What::want));
  encode(want.name, out);
}

void encode_what(const GiveChunk& give, ByteWriter& out) {
  out.u8(static_cast<std::uint8_t>(What::give));
  encode(give.name, out);
  out.blob(give.bytes);
}

OfferFile read_offer(ShardId group, ByteReader& in) {
  OfferFile offer;
  offer.kind = read_kind(in);
  offer.after = read_index(in);
  const ByteView block = in.blob();
  const ByteView table = in.blob();
  if (!in.ok() || (block.empty() && table.empty())) return offer;
  Result<log::SealedHeader> header = log::decode_sealed_header(block);
  if (!header || header->name.kind != offer.kind || header->name.group != group) {
    in.fail();
    return offer;
  }
  Result<std::vector<std::uint64_t>> sums = log::decode_table(*header, table);
  if (!sums) {
    in.fail();
    return offer;
  }
  offer.header = std::move(*header);
  offer.table = std::move(*sums);
  return offer;
}

GiveChunk read_give(ByteReader& in) {
  GiveChunk give;
  give.name = read_chunk_name(in);
  const ByteView bytes = in.blob();
  if (bytes.size() > log::sealed_chunk_size_max) in.fail();
  if (in.ok()) give.bytes.assign(bytes.begin(), bytes.end());
  return give;
}

}  // namespace

Bytes encode(const FilesMessage& message) {
  Bytes bytes;
  ByteWriter out(bytes);
  out.id(message.group);
  std::visit([&out](const auto& what) { encode_what(what, out); }, message.what);
  return bytes;
}

std::optional<FilesMessage> decode_files(ByteView bytes) {
  ByteReader in(bytes);
  FilesMessage message;
  message.group = in.id<ShardId>();
  const std::uint8_t what = in.u8();
  if (what < 1 || what > 4) return std::nullopt;
  switch (static_cast<What>(what)) {
    case What::ask: {
      AskFile ask;
      ask.kind = read_kind(in);
      ask.after = read_index(in);
      ask.base.index = read_index(in);
      ask.base.term = Term(read_index(in).value);
      message.what = ask;
      break;
    }
    case What::offer:
      message.what = read_offer(message.group, in);
      break;
    case What::want:
      message.what = WantChunk{read_chunk_name(in)};
      break;
    case What::give:
      message.what = read_give(in);
      break;
  }
  if (!in.done()) return std::nullopt;
  return message;
}

}  // namespace coffer::shard
