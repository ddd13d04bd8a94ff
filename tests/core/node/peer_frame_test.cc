#include "core/node/peer_frame.h"

#include <catch2/catch.hpp>
#include <rapidcheck.h>

#include "core/base/codec.h"
#include "core/base/frame.h"

namespace coffer::node {
namespace {

constexpr NodeId peer(2);

Bytes bytes_from(const std::vector<std::uint8_t>& raw) {
  Bytes bytes;
  for (const std::uint8_t byte : raw) bytes.push_back(std::byte{byte});
  return bytes;
}

std::vector<Send> finished(PeerFrames& frames) {
  std::vector<Send> sends;
  frames.finish(sends);
  return sends;
}

/// The sections of one sealed frame; the views point into it.
std::vector<Section> sections_of(const Send& send) {
  const Result<FrameView> frame = open_frame(*send.frame);
  REQUIRE(frame.has_value());
  REQUIRE(frame->kind == peer_frame);
  bool ok = false;
  std::vector<Section> sections = split_sections(frame->payload, ok);
  REQUIRE(ok);
  return sections;
}

TEST_CASE("property: sections are split as they were put together") {
  REQUIRE(
      rc::check("property: split(join(sections)) = sections", [](const std::vector<std::vector<std::uint8_t>>& raw) {
        PeerFrames frames;
        std::vector<SectionKind> kinds;
        for (const std::vector<std::uint8_t>& bytes : raw) {
          kinds.push_back(static_cast<SectionKind>(*rc::gen::inRange(1, 6)));
          frames.add(peer, kinds.back(), bytes_from(bytes));
        }
        RC_ASSERT(frames.empty() == raw.empty());
        const std::vector<Send> sends = finished(frames);
        RC_ASSERT(frames.empty());
        RC_ASSERT(sends.size() == (raw.empty() ? 0 : 1));
        if (raw.empty()) return;
        const std::vector<Section> sections = sections_of(sends.front());
        RC_ASSERT(sections.size() == raw.size());
        for (std::size_t i = 0; i < raw.size(); ++i) {
          RC_ASSERT(sections[i].kind == kinds[i]);
          RC_ASSERT(Bytes(sections[i].bytes.begin(), sections[i].bytes.end()) == bytes_from(raw[i]));
        }
      }));
}

TEST_CASE("property: arbitrary payloads are split or refused, never read past their end") {
  REQUIRE(rc::check("property: splitting is total", [](const std::vector<std::uint8_t>& raw) {
    const Bytes payload = bytes_from(raw);
    bool ok = false;
    std::size_t size = 0;
    const std::vector<Section> sections = split_sections(payload, ok);
    for (const Section& section : sections) size += 5 + section.bytes.size();
    RC_ASSERT((ok ? size == payload.size() : sections.empty()));
  }));
}

TEST_CASE("one malformed section makes the whole frame malformed") {
  bool ok = true;
  for (const std::vector<std::uint8_t>& raw : {std::vector<std::uint8_t>{0, 0, 0, 0, 0},
                                               {12, 0, 0, 0, 0},
                                               {1, 1, 0, 0, 0},
                                               {1, 0, 0, 0},
                                               {1, 0, 0, 0, 0, 2, 255, 255, 255, 255}}) {
    REQUIRE(split_sections(bytes_from(raw), ok).empty());
    REQUIRE_FALSE(ok);
  }
  REQUIRE(split_sections({}, ok).empty());
  REQUIRE(ok);
}

TEST_CASE("a raft section names its group, a forwarded request its attempt") {
  PeerFrames frames;
  frames.add_raft(peer, ShardId(7), raft::VoteReply{Term(3), false, true});
  frames.add_numbered(peer, SectionKind::forward, 42, bytes_from({9}));
  const std::vector<Send> sends = finished(frames);
  const std::vector<Section> sections = sections_of(sends.front());
  REQUIRE(sections.size() == 2);
  ByteReader raft(sections[0].bytes);
  REQUIRE(raft.id<ShardId>() == ShardId(7));
  const raft::Message message = raft::decode_message(raft);
  REQUIRE(raft.done());
  REQUIRE(std::get<raft::VoteReply>(message).term == Term(3));
  ByteReader forward(sections[1].bytes);
  REQUIRE(forward.u64() == 42);
  REQUIRE(forward.u8() == 9);
  REQUIRE(forward.done());
}

TEST_CASE("each peer gets its own frame, ascending by peer") {
  PeerFrames frames;
  frames.add(NodeId(3), SectionKind::legs, bytes_from({3}));
  frames.add(NodeId(1), SectionKind::legs, bytes_from({1}));
  frames.add(NodeId(3), SectionKind::legs, bytes_from({33}));
  const std::vector<Send> sends = finished(frames);
  REQUIRE(sends.size() == 2);
  REQUIRE(sends[0].to == NodeId(1));
  REQUIRE(sends[1].to == NodeId(3));
  REQUIRE(sections_of(sends[1]).size() == 2);
}

TEST_CASE("more bytes than a frame may hold go in several frames, in order") {
  constexpr std::size_t section_size = 13u << 20;  // the longest append: one entry and append_bytes_max more
  constexpr std::size_t count = 16;                // two groups that catch up, eight appends each
  PeerFrames frames;
  Bytes section(section_size);
  for (std::size_t i = 0; i < count; ++i) {
    section[0] = static_cast<std::byte>(i);
    frames.add(peer, SectionKind::raft, section);
  }
  const std::vector<Send> sends = finished(frames);
  REQUIRE(sends.size() > 1);
  std::size_t seen = 0;
  for (const Send& send : sends) {
    REQUIRE(send.frame->size() <= frame_header_size + frame_payload_max);
    for (const Section& one : sections_of(send)) {
      REQUIRE(one.bytes.size() == section_size);
      REQUIRE(one.bytes[0] == static_cast<std::byte>(seen++));
    }
  }
  REQUIRE(seen == count);
}

}  // namespace
}  // namespace coffer::node
