#include "sim/oracles/sealed_decode.h"

#include <algorithm>
#include <charconv>

#include "core/base/codec.h"
#include "core/base/hash.h"
#include "sim/oracles/stream_decode.h"

namespace coffer::sim::oracles {

namespace {

constexpr std::uint64_t block = 4096;
constexpr std::uint64_t header_seed = 0x5345'414C'4544'0001u;
constexpr std::uint64_t table_seed = 0x5345'414C'4544'0002u;

/// Takes a number of exactly so many digits from the front.
std::optional<std::uint64_t> take_number(std::string_view& text, std::size_t digits) {
  std::uint64_t number = 0;
  if (text.size() < digits) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + digits, number);
  if (error != std::errc() || end != text.data() + digits) return std::nullopt;
  text.remove_prefix(digits);
  return number;
}

Sha256 head(ByteReader& in) {
  Sha256 hash{};
  const ByteView bytes = in.raw(hash.size());
  for (std::size_t i = 0; i < bytes.size(); ++i) hash[i] = static_cast<std::uint8_t>(bytes[i]);
  return hash;
}

bool chunks_hold(ByteView payload, std::uint32_t chunk_size, ByteView table) {
  ByteReader in(table);
  for (std::uint64_t chunk = 0; chunk * chunk_size < payload.size(); ++chunk) {
    const std::uint64_t at = chunk * chunk_size;
    const ByteView bytes = payload.subspan(at, std::min<std::uint64_t>(chunk_size, payload.size() - at));
    if (in.u64() != hash64(bytes, chunk)) return false;
  }
  return in.done();
}

}  // namespace

std::optional<SealedName> sealed_name(std::string_view file) {
  SealedName name;
  if (file.starts_with("snapshot-")) {
    file.remove_prefix(9);
  } else if (file.starts_with("history-") || file.starts_with("archive-")) {
    name.kind = SealedKind::history;
    file.remove_prefix(8);
  } else if (file.starts_with("attic-")) {
    name.kind = SealedKind::attic;
    file.remove_prefix(6);
  } else {
    return std::nullopt;
  }
  const auto shard = take_number(file, 6);
  if (!shard || !file.starts_with('-')) return std::nullopt;
  file.remove_prefix(1);
  const auto last = take_number(file, 20);
  if (!last || !file.empty()) return std::nullopt;
  name.shard = ShardId(static_cast<std::uint32_t>(*shard));
  name.last = Index(*last);
  return name;
}

std::optional<SealedFile> decode_sealed(const SealedName& name, ByteView contents, std::string& why) {
  const auto refuse = [&](const char* reason) {
    why = reason;
    return std::nullopt;
  };
  if (!is_sealed_block(contents, header_seed)) return refuse("its header's checksum does not hold");
  ByteReader in(contents.first(block - 8));
  const bool ours = in.u32() == ByteReader(bytes_of("CFK1")).u32() && in.u16() == 1;
  SealedFile file;
  file.name.kind = static_cast<SealedKind>(in.u8());
  in.u8();
  in.uuid();
  file.name.shard = in.id<ShardId>();
  const std::uint32_t chunk_size = in.u32();
  file.first = in.id<Index>();
  file.name.last = in.id<Index>();
  file.last_term = in.id<Term>();
  file.first_position = in.id<Position>();
  file.last_position = in.id<Position>();
  file.last_stamp = Stamp{in.i64()};
  const std::uint64_t size = in.u64();
  file.chain_before = head(in);
  file.chain_after = head(in);
  const std::uint64_t table_checksum = in.u64();
  file.meta = in.blob();
  if (!ours || !in.ok() || chunk_size == 0) return refuse("its header does not follow the grammar");
  if (file.name != name) return refuse("its header names another file");
  const ByteView rest = contents.subspan(block);
  const std::uint64_t chunks = size / chunk_size + (size % chunk_size == 0 ? 0 : 1);
  if (size > rest.size() || rest.size() - size != (chunks + 1) * 8) return refuse("it has another size than it says");
  file.payload = rest.first(size);
  const ByteView table = rest.subspan(size, chunks * 8);
  const std::uint64_t behind_table = ByteReader(rest.subspan(size + chunks * 8)).u64();
  if (hash64(table, table_seed) != table_checksum || behind_table != table_checksum) {
    return refuse("the checksum of its table does not hold");
  }
  if (!chunks_hold(file.payload, chunk_size, table)) return refuse("the checksum of a chunk does not hold");
  return file;
}

std::optional<std::vector<HistoryEntry>> decode_history(ByteView payload) {
  std::vector<HistoryEntry> entries;
  ByteReader in(payload);
  while (in.remaining() > 0) {
    HistoryEntry entry;
    entry.index = in.id<Index>();
    entry.term = in.id<Term>();
    const std::uint8_t kind = in.u8();
    entry.payload = in.blob();
    if (kind > 1 || !in.ok()) return std::nullopt;
    entry.kind = static_cast<EntryKind>(kind);
    entries.push_back(entry);
  }
  return in.done() ? std::optional(std::move(entries)) : std::nullopt;
}

Sha256 chained(const Sha256& before, const HistoryEntry& entry) {
  Bytes bytes;
  ByteWriter out(bytes);
  out.raw(std::as_bytes(std::span(before)));
  out.id(entry.index);
  out.id(entry.term);
  out.u8(static_cast<std::uint8_t>(entry.kind));
  out.blob(entry.payload);
  return sha256(bytes);
}

}  // namespace coffer::sim::oracles
