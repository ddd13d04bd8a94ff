#include "core/log/hard_state.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace coffer::log {
namespace {

constexpr std::uint64_t copy_seed(std::uint32_t copy) { return 0x4853'0000'0000'0001u + copy; }

/// The larger, the younger. A start changes nothing but the lives.
using Age = std::pair<std::uint64_t, std::uint32_t>;
Age age_of(const HardStateImage& image) { return {image.sequence, image.lives}; }

std::string place(std::uint32_t copy) {
  return std::string(hard_state_file) + " at byte " + std::to_string(hard_state_offset(copy));
}

bool read_image(ByteReader& in, HardStateImage& image) {
  image.sequence = in.u64();
  image.first_segment = in.u64();
  image.damaged_from = in.u64();
  image.damaged_end = in.u64();
  image.mark = in.u64();
  const std::uint32_t count = in.u32();
  image.repairing = in.u32() != 0;
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    const auto group = in.id<ShardId>();
    GroupState& state = image.groups[group];
    state.hard_state.vote = in.id<NodeId>();
    state.hard_state.term = in.id<Term>();
    state.evidence.index = in.id<Index>();
    state.evidence.term = in.id<Term>();
    state.uncertain = in.u32() != 0;
    state.alone = in.u32() != 0;
  }
  if (count > hard_state_groups_max) return false;
  in.raw(block_body_max - snapshot_sizes_size - in.position());
  image.snapshots.epoch_bytes = in.u64();
  image.snapshots.chunk_bytes = in.u32();
  image.lives = in.u32();
  return in.ok() && image.sequence > 0 && image.first_segment > 0 && image.damaged_end <= image.first_segment &&
         image.groups.size() == count;
}

/// Nothing when the copy is not whole.
Result<std::optional<HardStateImage>> read_copy(ByteView block, const FileIdentity& identity, std::uint32_t copy) {
  ByteReader in(block);
  if (in.u32() != hard_state_magic || !is_sealed(block, copy_seed(copy))) return std::optional<HardStateImage>();
  const std::uint16_t version = in.u16();
  if (version != format_version) {
    return error(ErrorCode::unsupported, place(copy) + ": version " + std::to_string(version) +
                                             " is not the one this binary reads. " + directory_advice);
  }
  in.u16();
  if (!same_identity(get_identity(in), identity)) {
    return error(ErrorCode::corrupt,
                 place(copy) + ": written by another cluster, node or incarnation. " + directory_advice);
  }
  in.u32();
  HardStateImage image;
  if (!read_image(in, image)) {
    return error(ErrorCode::corrupt, place(copy) + ": the checksum holds but the content is none. " + restore_advice);
  }
  return std::optional<HardStateImage>(std::move(image));
}

void write_copy(const FileIdentity& identity, const HardStateImage& image, std::uint32_t copy, PendingIo& io,
                std::vector<IoOp>& out) {
  io.write(hard_state_file, hard_state_offset(copy), encode_hard_state(identity, image, copy), out);
  io.sync(hard_state_file, out);
}

}  // namespace

Bytes encode_hard_state(const FileIdentity& identity, const HardStateImage& image, std::uint32_t copy) {
  check(image.groups.size() <= hard_state_groups_max, "the hard state of all groups fits one block");
  check(image.sequence > 0 && image.sequence <= UINT32_MAX, "sequences of the hard state stay in range");
  Bytes block;
  block.reserve(block_size);
  ByteWriter out(block);
  out.u32(hard_state_magic);
  out.u16(format_version);
  out.u16(0);
  put_identity(out, identity);
  out.u32(0);
  out.u64(image.sequence);
  out.u64(image.first_segment);
  out.u64(image.damaged_from);
  out.u64(image.damaged_end);
  out.u64(image.mark);
  out.u32(static_cast<std::uint32_t>(image.groups.size()));
  out.u32(image.repairing ? 1 : 0);
  check(block.size() == hard_state_header_size, "the header has its documented size");
  for (const auto& [group, state] : image.groups) {
    out.id(group);
    out.id(state.hard_state.vote);
    out.id(state.hard_state.term);
    out.id(state.evidence.index);
    out.id(state.evidence.term);
    out.u32(state.uncertain ? 1 : 0);
    out.u32(state.alone ? 1 : 0);
  }
  block.resize(block_body_max - snapshot_sizes_size);
  out.u64(image.snapshots.epoch_bytes);
  out.u32(image.snapshots.chunk_bytes);
  out.u32(image.lives);
  seal_block(block, copy_seed(copy));
  return block;
}

Result<HardStateFile> read_hard_state(ByteView file, const FileIdentity& identity) {
  HardStateFile result;
  std::array<Age, hard_state_copies> ages{};
  for (std::uint32_t copy = 0; copy < hard_state_copies; ++copy) {
    const std::uint64_t offset = hard_state_offset(copy);
    const ByteView block = file.size() > offset ? file.subspan(offset) : ByteView();
    auto image = read_copy(block, identity, copy);
    if (!image) return image.error();
    if (!*image) continue;
    ages.at(copy) = age_of(**image);
    if (!result.newest || ages.at(copy) > age_of(*result.newest)) {
      result.newest = std::move(*image);
    }
  }
  for (std::uint32_t copy = 0; copy < hard_state_copies; ++copy) {
    if (!result.newest || ages.at(copy) < age_of(*result.newest)) {
      result.outdated.push_back(copy);
    }
  }
  return result;
}

void write_hard_state(const FileIdentity& identity, const HardStateImage& image, PendingIo& io,
                      std::vector<IoOp>& out) {
  for (std::uint32_t copy = 0; copy < hard_state_copies; ++copy) {
    write_copy(identity, image, copy, io, out);
  }
}

void mend_hard_state(const FileIdentity& identity, const HardStateImage& image,
                     const std::vector<std::uint32_t>& outdated, PendingIo& io, std::vector<IoOp>& out) {
  io.sync(hard_state_file, out);
  const bool is_first_good = std::find(outdated.begin(), outdated.end(), 0u) == outdated.end();
  for (const std::uint32_t copy : is_first_good ? std::array{1u, 0u} : std::array{0u, 1u}) {
    write_copy(identity, image, copy, io, out);
  }
}

}  // namespace coffer::log
