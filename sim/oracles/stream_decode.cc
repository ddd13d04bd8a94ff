#include "sim/oracles/stream_decode.h"

#include <algorithm>
#include <charconv>

#include "core/base/codec.h"
#include "core/base/hash.h"

namespace coffer::sim::oracles {

namespace {

constexpr std::uint64_t block = 4096;
constexpr std::uint64_t frame_header = 64;
constexpr std::uint16_t version = 1;
constexpr std::size_t identity_size = 36;
constexpr std::uint32_t hard_state_groups_max = 251;

std::uint32_t magic(std::string_view letters) { return ByteReader(bytes_of(letters)).u32(); }

/// The mix of docs/FORMATS.md that seeds a payload's checksum.
std::uint64_t mix(std::uint64_t x) {
  x += 0x9E37'79B9'7F4A'7C15u;
  x = (x ^ (x >> 30)) * 0xBF58'476D'1CE4'E5B9u;
  x = (x ^ (x >> 27)) * 0x94D0'49BB'1331'11EBu;
  return x ^ (x >> 31);
}

/// Whether the first block ends in the checksum of the rest of it.
bool is_sealed(ByteView bytes, std::uint64_t seed) {
  if (bytes.size() < block) return false;
  const std::uint64_t checksum = ByteReader(bytes.subspan(block - 8, 8)).u64();
  return checksum == hash64(bytes.first(block - 8), seed);
}

std::optional<std::uint64_t> segment_number(std::string_view file) {
  constexpr std::string_view prefix = "stream-";
  if (!file.starts_with(prefix)) return std::nullopt;
  file.remove_prefix(prefix.size());
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(file.data(), file.data() + file.size(), number);
  if (file.size() < 6 || error != std::errc() || end != file.data() + file.size()) return std::nullopt;
  return number;
}

bool decode_entries(ByteReader& in, ShardId shard, std::vector<Record>& records) {
  const std::uint32_t count = in.u32();
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    EntryOnDisk entry;
    entry.shard = shard;
    entry.index = in.id<Index>();
    entry.term = in.id<Term>();
    entry.payload = in.blob();
    if (in.ok()) records.emplace_back(entry);
  }
  return in.ok();
}

struct Copy {
  std::uint64_t sequence = 0;
  std::map<ShardId, Ballot> ballots;
};

std::optional<Copy> decode_copy(ByteView bytes, std::uint64_t number) {
  if (!is_sealed(bytes, 0x4853'0000'0000'0001u + number)) return std::nullopt;
  ByteReader in(bytes.first(block));
  if (in.u32() != magic("CFH1") || in.u16() != version) return std::nullopt;
  in.u16();
  in.raw(identity_size);
  in.u32();
  Copy copy;
  copy.sequence = in.u64();
  const std::uint32_t count = in.u32();
  in.u32();
  if (count > hard_state_groups_max) return std::nullopt;
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto shard = in.id<ShardId>();
    Ballot& ballot = copy.ballots[shard];
    ballot.vote = in.id<NodeId>();
    ballot.term = in.id<Term>();
  }
  return in.ok() ? std::optional(copy) : std::nullopt;
}

}  // namespace

std::optional<std::vector<Record>> decode_records(ByteView payload) {
  std::vector<Record> records;
  ByteReader in(payload);
  while (in.remaining() > 0) {
    const std::uint8_t kind = in.u8();
    const bool zeros = in.u8() == 0 && in.u16() == 0;
    const auto shard = in.id<ShardId>();
    if (!zeros) return std::nullopt;
    if (kind == 1) {
      decode_entries(in, shard, records);
    } else if (kind == 2) {
      records.emplace_back(CutOnDisk{shard, in.id<Index>()});
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
  if (*segment == segment_ + 1 ? !enter(*segment, contents) : *segment != segment_) return records;
  while (const std::optional<ByteView> payload = next_payload(contents)) {
    std::optional<std::vector<Record>> more = decode_records(*payload);
    if (!more) {
      malformed_ = "frame " + std::to_string(frames()) + " in " + std::string(file) + " holds records that cannot be";
      return records;
    }
    records.insert(records.end(), more->begin(), more->end());
  }
  return records;
}

/// Whether the stream goes on in this segment: its header fits, and so does its first frame (which the first segment
/// may still lack).
bool StreamReader::enter(std::uint64_t segment, ByteView contents) {
  if (!is_sealed(contents, 0x5347'4D45'4E54'0001u)) return false;
  ByteReader in(contents.first(block));
  if (in.u32() != magic("CFG1") || in.u16() != version) return false;
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
  const bool fits = number == segment && salt == hash64(salted) && first_frame == next_frame_ &&
                    previous == previous_ && (!identity_ || *identity_ == identity);
  if (!fits) return false;

  StreamReader there = *this;
  there.identity_ = identity;
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
  if (in.u32() != magic("CFS1") || in.u16() != version) return std::nullopt;
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

std::optional<std::map<ShardId, Ballot>> decode_hard_state(ByteView file) {
  std::optional<Copy> newest;
  for (const std::uint64_t number : {std::uint64_t{0}, std::uint64_t{1}}) {
    if (file.size() < (number + 1) * block) continue;
    std::optional<Copy> copy = decode_copy(file.subspan(number * block), number);
    if (copy && (!newest || copy->sequence > newest->sequence)) newest = std::move(copy);
  }
  return newest ? std::optional(std::move(newest->ballots)) : std::nullopt;
}

}  // namespace coffer::sim::oracles
