#include "core/node/peer_frame.h"

#include "core/base/codec.h"
#include "core/base/frame.h"

namespace coffer::node {

std::vector<Section> split_sections(ByteView payload, bool& ok) {
  std::vector<Section> sections;
  ByteReader in(payload);
  while (in.ok() && in.remaining() > 0) {
    const std::uint8_t kind = in.u8();
    const ByteView bytes = in.blob();
    if (kind < static_cast<std::uint8_t>(SectionKind::raft) || kind > static_cast<std::uint8_t>(last_section_kind)) {
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

Bytes& PeerFrames::begin_section(NodeId to, SectionKind kind) {
  std::vector<Bytes>& frames = frames_[to];
  if (frames.empty() || frames.back().size() >= frame_header_size + peer_frame_full) {
    frames.emplace_back(frame_header_size);
  }
  ByteWriter out(frames.back());
  out.u8(static_cast<std::uint8_t>(kind));
  out.u32(0);
  return frames.back();
}

void PeerFrames::end_section(Bytes& frame, std::size_t begin) {
  ByteWriter(frame).patch_u32(begin - sizeof(std::uint32_t), static_cast<std::uint32_t>(frame.size() - begin));
}

void PeerFrames::add_raft(NodeId to, ShardId group, const raft::Message& message) {
  Bytes& frame = begin_section(to, SectionKind::raft);
  const std::size_t begin = frame.size();
  ByteWriter out(frame);
  out.id(group);
  raft::encode(message, out);
  end_section(frame, begin);
}

void PeerFrames::add(NodeId to, SectionKind kind, ByteView bytes) {
  Bytes& frame = begin_section(to, kind);
  const std::size_t begin = frame.size();
  ByteWriter(frame).raw(bytes);
  end_section(frame, begin);
}

void PeerFrames::add_numbered(NodeId to, SectionKind kind, std::uint64_t number, ByteView bytes) {
  Bytes& frame = begin_section(to, kind);
  const std::size_t begin = frame.size();
  ByteWriter out(frame);
  out.u64(number);
  out.raw(bytes);
  end_section(frame, begin);
}

void append_section(Bytes& out, SectionKind kind, ByteView bytes) {
  ByteWriter writer(out);
  writer.u8(static_cast<std::uint8_t>(kind));
  writer.blob(bytes);
}

void PeerFrames::finish(std::vector<Send>& out, ByteView trailer) {
  for (auto& [to, frames] : frames_) {
    for (Bytes& frame : frames) {
      ByteWriter(frame).raw(trailer);
      seal_frame(peer_frame, frame);
      out.push_back({to, std::make_shared<const Bytes>(std::move(frame))});
    }
  }
  frames_.clear();
}

}  // namespace coffer::node
