#include "core/base/frame.h"

#include <vector>

#include <catch2/catch.hpp>
#include <rapidcheck.h>

#include "core/base/codec.h"

namespace {

using namespace coffer;

Bytes payload_of(std::size_t size) {
  Bytes payload(size);
  for (std::size_t i = 0; i < size; ++i) payload[i] = static_cast<std::byte>(i * 7 + 1);
  return payload;
}

TEST_CASE("a frame opened is the kind and payload it was made of") {
  for (const std::size_t size : {0u, 1u, 100u, 70'000u}) {
    const Bytes payload = payload_of(size);
    const Bytes frame = make_frame(9, payload);
    REQUIRE(frame_size(ByteView(frame).first(frame_header_size)).value() == frame.size());
    const Result<FrameView> opened = open_frame(frame);
    REQUIRE(opened.has_value());
    REQUIRE(opened->kind == 9);
    REQUIRE(Bytes(opened->payload.begin(), opened->payload.end()) == payload);
  }
}

TEST_CASE("sealing in place equals making a copy") {
  const Bytes payload = payload_of(33);
  Bytes frame(frame_header_size);
  frame.insert(frame.end(), payload.begin(), payload.end());
  seal_frame(3, frame);
  REQUIRE(frame == make_frame(3, payload));
}

TEST_CASE("every flipped bit of a frame is noticed") {
  for (const std::size_t size : {0u, 1u, 24u, 300u}) {
    Bytes frame = make_frame(1, payload_of(size));
    for (std::size_t bit = 0; bit < frame.size() * 8; ++bit) {
      const std::byte mask{static_cast<unsigned char>(1u << bit % 8)};
      frame[bit / 8] ^= mask;
      CAPTURE(size, bit);
      REQUIRE_FALSE(open_frame(frame).has_value());
      frame[bit / 8] ^= mask;
    }
    REQUIRE(open_frame(frame).has_value());
  }
}

TEST_CASE("a frame cut or extended anywhere is refused") {
  Bytes frame = make_frame(1, payload_of(40));
  for (std::size_t size = 0; size < frame.size(); ++size) {
    REQUIRE_FALSE(open_frame(ByteView(frame).first(size)).has_value());
  }
  frame.push_back(std::byte{0});
  REQUIRE_FALSE(open_frame(frame).has_value());
}

TEST_CASE("lengths over the limit are refused before anything is allocated") {
  Bytes header = make_frame(1, {});
  const std::uint32_t length = frame_payload_max + 1;
  std::memcpy(header.data() + 8, &length, sizeof length);
  REQUIRE(frame_size(header).error().code == ErrorCode::malformed);
}

TEST_CASE("frames of another version say so") {
  Bytes header = make_frame(1, {});
  header[5] = std::byte{2};
  REQUIRE(frame_size(header).error().code == ErrorCode::unsupported);
}

TEST_CASE("property: opening arbitrary bytes never crashes and never succeeds by chance") {
  REQUIRE(rc::check("property: open_frame is total", [](const std::vector<std::uint8_t>& raw) {
    Bytes bytes;
    for (const std::uint8_t byte : raw) bytes.push_back(std::byte{byte});
    RC_ASSERT_FALSE(open_frame(bytes).has_value());
    Bytes nearly = make_frame(1, bytes);
    const auto at = *rc::gen::inRange<std::size_t>(0, nearly.size());
    nearly[at] ^= static_cast<std::byte>(*rc::gen::inRange(1, 256));
    RC_ASSERT_FALSE(open_frame(nearly).has_value());
  }));
}

}  // namespace
