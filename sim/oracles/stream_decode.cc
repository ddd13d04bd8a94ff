#include "sim/oracles/stream_decode.h"

#include <algorithm>
#include <charconv>

#include "core/base/codec.h"
#include "core/base/hash.h"

namespace coffer::sim::oracles {

namespace {

constexpr std::uint64_t block = 4096;
constexpr std::uint64_t frame_header = 64;
constexpr std::uint16_t first_version = 1;
constexpr std::uint16_t last_version = 2;
constexpr std::size_t identity_size = 36;

std::uint32_t magic(std::string_view letters) { return ByteReader(bytes_of(letters)).u32(); }

/// The mix of docs/FORMATS.md that seeds a payload's checksum.
std::uint64_t mix(std::uint64_t x) {
  x += 0x9E37'79B9'7F4A'7C15u;
  x = (x ^ (x >> 30)) * 0xBF58'476D'1CE4'E5B9u;
  x = (x ^ (x >> 27)) * 0x94D0'49BB'1331'11EBu;
  return x ^ (x >> 31);
}

bool is_known(std::uint16_t version) { return version >= first_version && version <= last_version; }

LogPlace place(ByteReader& in) {
  LogPlace place;
  place.index = in.id<Index>();
  place.term = in.id<Term>();
  return place;
}

void decode_entries(ByteReader& in, ShardId shard, std::uint16_t version, std::vector<Record>& records) {
  const std::uint32_t count = in.u32();
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    EntryOnDisk entry;
    entry.shard = shard;
    entry.index = in.id<Index>();
    entry.term = in.id<Term>();
    const std::uint8_t kind = version == 1 ? 0 : in.u8();
    if (kind > 1) in.fail();
    entry.kind = static_cast<EntryKind>(kind);
    entry.payload = in.blob();
    if (in.ok()) records.emplace_back(entry);
  }
}

std::optional<HardStateOnDisk> decode_copy(ByteView bytes, std::uint64_t number) {
  if (!is_sealed_block(bytes, 0x4853'0000'0000'0001u + number)) return std::nullopt;
  ByteReader in(bytes.first(block - 8));
  const bool ours = in.u32() == magic("CFH1");
  const std::uint16_t version = in.u16();
  if (!ours || !is_known(version)) return std::nullopt;
  in.u16();
  in.raw(identity_size);
  in.u32();
  HardStateOnDisk copy;
  copy.sequence = in.u64();
  if (version > 1) {
    copy.first_segment = in.u64();
    in.raw(3 * 8);  // segments set aside, and the highest frame known durable
  }
  const std::uint32_t count = in.u32();
  in.u32();
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    const auto shard = in.id<ShardId>();
    Ballot& ballot = copy.ballots[shard];
    ballot.vote = in.id<NodeId>();
    ballot.term = in.id<Term>();
    if (version == 1) continue;
    place(in);  // evidence
    ballot.uncertain = in.u32() != 0;
    in.u32();
  }
  return in.ok() ? std::optional(copy) : std::nullopt;
}

std::optional<HardStateOnDisk> decode_copy_of(ByteView file, std::uint64_t number) {
  if (file.size() < (number + 1) * block) return std::nullopt;
  return decode_copy(file.subspan(number * block, block), number);
}

}  // namespace

std::optional<std::uint64_t> segment_number(std::string_view file) {
  constexpr std::string_view prefix = "stream-";
  if (!file.starts_with(prefix)) return std::nullopt;
  file.remove_prefix(prefix.size());
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(file.data(), file.data() + file.size(), number);
  if (file.size() < 6 || error != std::errc() || end != file.data() + file.size()) return std::nullopt;
  return number;
}

bool is_sealed_block(ByteView bytes, std::uint64_t seed) {
  if (bytes.size() < block) return false;
  const std::uint64_t checksum = ByteReader(bytes.subspan(block - 8, 8)).u64();
  return checksum == hash64(bytes.first(block - 8), seed);
}

std::optional<std::vector<Record>> decode_records(ByteView payload, std::uint16_t version) {
  std::vector<Record> records;
  ByteReader in(payload);
  while (in.remaining() > 0) {
    const std::uint8_t kind = in.u8();
    const std::uint8_t keeps = in.u8();
    const bool zeros = in.u16() == 0 && keeps <= (kind == 3 ? 1 : 0);
    const auto shard = in.id<ShardId>();
    if (!zeros || (kind > 2 && version == 1)) return std::nullopt;
    if (kind == 1) {
      decode_entries(in, shard, version, records);
    } else if (kind == 2) {
      records.emplace_back(CutOnDisk{shard, in.id<Index>()});
    } else if (kind == 3) {
      records.emplace_back(BaseOnDisk{shard, place(in), keeps == 1});
    } else if (kind == 4) {
      const LogPlace base = place(in);
      records.emplace_back(StandingOnDisk{shard, base, place(in)});
    } else {
      return std::nullopt;
    }
  }
  return in.done() ? std::optional(std::move(records)) : std::nullopt;
}

std::vector<Record> StreamReader::read(std::string_view file, ByteView contents) {
  std::vector<Record> records;
  const std::optional<std::uint64_t> segment = segment_number(file);
  if (!segment || !malformed_.empty()) return records;
  const std::uint64_t next = segment_ == 0 ? first_segment_ : segment_ + 1;
  if (*segment == next ? !enter(*segment, contents) : *segment != segment_) return records;
  while (const std::optional<ByteView> payload = next_payload(contents)) {
    std::optional<std::vector<Record>> more = decode_records(*payload, version_);
    if (!more) {
      malformed_ =
          "frame " + std::to_string(last_frame()) + " in " + std::string(file) + " holds records that cannot be";
      return records;
    }
    records.insert(records.end(), more->begin(), more->end());
  }
  return records;
}

/// Whether the stream goes on in this segment: its header fits, and so does its first frame (which segment 1 may still
/// lack).
bool StreamReader::enter(std::uint64_t segment, ByteView contents) {
  if (!is_sealed_block(contents, 0x5347'4D45'4E54'0001u)) return false;
  ByteReader in(contents.first(block));
  const bool ours = in.u32() == magic("CFG1");
  const std::uint16_t version = in.u16();
  if (!ours || !is_known(version)) return false;
  in.u16();
  Identity identity{};
  const ByteView whose = in.raw(identity_size);
  std::copy(whose.begin(), whose.end(), identity.begin());
  in.u32();
  const std::uint64_t salt = in.u64();
  const std::uint64_t number = in.u64();
  const std::uint64_t first_frame = in.u64();
  const std::uint64_t previous = in.u64();
  Bytes salted;
  ByteWriter out(salted);
  out.raw(whose);
  out.u64(segment);
  const bool begins = segment_ == 0 && segment > 1;
  const bool follows = begins || (first_frame == next_frame_ && previous == previous_);
  const bool fits = number == segment && salt == hash64(salted) && follows && (!identity_ || *identity_ == identity);
  if (!fits) return false;

  StreamReader there = *this;
  there.identity_ = identity;
  there.version_ = version;
  there.next_frame_ = first_frame;
  there.previous_ = previous;
  there.segment_ = segment;
  there.salt_ = salt;
  there.offset_ = block;
  StreamReader tried = there;
  if (segment > 1 && !tried.next_payload(contents)) return false;
  *this = there;
  return true;
}

/// The payload of the next frame if that frame is sound, and steps over it.
std::optional<ByteView> StreamReader::next_payload(ByteView segment) {
  if (offset_ + frame_header > segment.size()) return std::nullopt;
  const ByteView bytes = segment.subspan(offset_);
  ByteReader in(bytes.first(frame_header));
  if (in.u32() != magic("CFS1") || in.u16() != version_) return std::nullopt;
  in.u16();
  const bool here = in.u64() == salt_ && in.u64() == next_frame_;
  const std::uint32_t length = in.u32();
  in.u32();
  const std::uint64_t previous = in.u64();
  const std::uint64_t mark = in.u64();
  const std::uint64_t payload_checksum = in.u64();
  const std::uint64_t header_checksum = in.u64();
  if (!here || previous != previous_ || mark >= next_frame_) return std::nullopt;
  if (header_checksum != hash64(bytes.first(frame_header - 8))) return std::nullopt;
  const std::uint64_t size = (frame_header + length + block - 1) / block * block;
  if (length > 1u << 30 || size > bytes.size()) return std::nullopt;
  const ByteView body = bytes.subspan(frame_header, size - frame_header);
  if (payload_checksum != hash64(body, mix(salt_ ^ mix(next_frame_)))) return std::nullopt;
  offset_ += size;
  previous_ = header_checksum;
  ++next_frame_;
  return body.first(length);
}

std::optional<HardStateOnDisk> decode_hard_state(ByteView file) {
  std::optional<HardStateOnDisk> a = decode_copy_of(file, 0);
  std::optional<HardStateOnDisk> b = decode_copy_of(file, 1);
  return !a || (b && b->sequence > a->sequence) ? b : a;
}

std::optional<HardStateOnDisk> decode_older_hard_state(ByteView file) {
  std::optional<HardStateOnDisk> a = decode_copy_of(file, 0);
  std::optional<HardStateOnDisk> b = decode_copy_of(file, 1);
  if (!a || !b) return std::nullopt;
  return b->sequence < a->sequence ? b : a;
}

}  // namespace coffer::sim::oracles
