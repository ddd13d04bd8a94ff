#include "core/node/peer_frame.h"

#include "core/base/codec.h"
#include "core/base/frame.h"

namespace coffer::node {

namespace {

constexpr std::size_t section_header_size = 5;

}  // namespace

std::vector<Section> split_sections(ByteView payload, bool& ok) {
  std::vector<Section> sections;
  ByteReader in(payload);
  while (in.ok() && in.remaining() > 0) {
    const std::uint8_t kind = in.u8();
    const ByteView bytes = in.blob();
    if (kind < static_cast<std::uint8_t>(SectionKind::raft) ||
        kind > static_cast<std::uint8_t>(SectionKind::forward_reply)) {
      in.fail();
    }
    sections.push_back({static_cast<SectionKind>(kind), bytes});
  }
  ok = in.ok();
  if (!ok) {
    sections.clear();
  }
  return sections;
}

std::size_t PeerFrames::begin_section(NodeId to, SectionKind kind) {
  Bytes& frame = frames_[to];
  if (frame.empty()) {
    frame.resize(frame_header_size);
  }
  ByteWriter out(frame);
  out.u8(static_cast<std::uint8_t>(kind));
  out.u32(0);
  return frame.size();
}

void PeerFrames::end_section(NodeId to, std::size_t begin) {
  Bytes& frame = frames_[to];
  ByteWriter out(frame);
  out.patch_u32(begin - section_header_size + 1, static_cast<std::uint32_t>(frame.size() - begin));
}

void PeerFrames::add_raft(NodeId to, ShardId group, const raft::Message& message) {
  const std::size_t begin = begin_section(to, SectionKind::raft);
  ByteWriter out(frames_[to]);
  out.id(group);
  raft::encode(message, out);
  end_section(to, begin);
}

void PeerFrames::add(NodeId to, SectionKind kind, ByteView bytes) {
  const std::size_t begin = begin_section(to, kind);
  ByteWriter(frames_[to]).raw(bytes);
  end_section(to, begin);
}

void PeerFrames::add_numbered(NodeId to, SectionKind kind, std::uint64_t number, ByteView bytes) {
  const std::size_t begin = begin_section(to, kind);
  ByteWriter out(frames_[to]);
  out.u64(number);
  out.raw(bytes);
  end_section(to, begin);
}

void PeerFrames::finish(std::vector<Send>& out) {
  for (auto& [to, frame] : frames_) {
    seal_frame(peer_frame, frame);
    out.push_back({to, std::make_shared<const Bytes>(std::move(frame))});
  }
  frames_.clear();
}

}  // namespace coffer::node
