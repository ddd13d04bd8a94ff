// The byte codec: little-endian, fixed width, no alignment. Writers append; readers never read past the end and
// never throw: after the first short read every getter returns zero and ok() is false, so callers check once.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>

#include "core/base/bytes.h"
#include "core/base/check.h"
#include "core/base/hash.h"
#include "core/base/ids.h"

namespace coffer {

static_assert(std::endian::native == std::endian::little,
              "formats are little-endian; other hosts need byte swaps here");

class ByteWriter {
 public:
  explicit ByteWriter(Bytes& out) : out_(out) {}

  void u8(std::uint8_t v) { put(v); }
  void u16(std::uint16_t v) { put(v); }
  void u32(std::uint32_t v) { put(v); }
  void u64(std::uint64_t v) { put(v); }
  void i64(std::int64_t v) { put(static_cast<std::uint64_t>(v)); }
  template <class Tag, class Rep>
  void id(StrongId<Tag, Rep> v) {
    put(v.value);
  }
  void uuid(const Uuid& v) { raw(std::as_bytes(std::span(v.bytes))); }
  void hash(const Hash128& v) {
    u64(v.low);
    u64(v.high);
  }
  void raw(ByteView bytes) { out_.insert(out_.end(), bytes.begin(), bytes.end()); }
  /// u32 length, then the bytes.
  void blob(ByteView bytes) {
    check(bytes.size() <= UINT32_MAX, "a blob's length fits 32 bits");
    u32(static_cast<std::uint32_t>(bytes.size()));
    raw(bytes);
  }
  /// u8 length, then the characters. Requires: at most 255 bytes (checked).
  void short_string(std::string_view text) {
    check(text.size() <= 255, "a short string's length fits 8 bits");
    u8(static_cast<std::uint8_t>(text.size()));
    raw(bytes_of(text));
  }
  /// Overwrites a u32 written earlier at byte offset `at` (lengths and counts known only later).
  void patch_u32(std::size_t at, std::uint32_t v) {
    check(at + sizeof v <= out_.size(), "a patch stays inside what was written");
    std::memcpy(out_.data() + at, &v, sizeof v);
  }
  void patch_u64(std::size_t at, std::uint64_t v) {
    check(at + sizeof v <= out_.size(), "a patch stays inside what was written");
    std::memcpy(out_.data() + at, &v, sizeof v);
  }
  std::size_t size() const { return out_.size(); }

 private:
  template <class T>
  void put(T v) {
    const std::size_t at = out_.size();
    out_.resize(at + sizeof v);
    std::memcpy(out_.data() + at, &v, sizeof v);
  }

  Bytes& out_;
};

class ByteReader {
 public:
  explicit ByteReader(ByteView in) : in_(in) {}

  std::uint8_t u8() { return get<std::uint8_t>(); }
  std::uint16_t u16() { return get<std::uint16_t>(); }
  std::uint32_t u32() { return get<std::uint32_t>(); }
  std::uint64_t u64() { return get<std::uint64_t>(); }
  std::int64_t i64() { return static_cast<std::int64_t>(get<std::uint64_t>()); }
  template <class Id>
  Id id() {
    return Id(get<typename Id::rep>());
  }
  Uuid uuid() {
    Uuid v;
    const ByteView bytes = raw(v.bytes.size());
    if (ok_) {
      std::memcpy(v.bytes.data(), bytes.data(), v.bytes.size());
    }
    return v;
  }
  Hash128 hash() {
    const std::uint64_t low = u64();
    const std::uint64_t high = u64();
    return {low, high};
  }
  /// The next `size` bytes, or an empty view and ok() == false.
  ByteView raw(std::size_t size) {
    if (!ok_ || size > in_.size() - at_) {
      ok_ = false;
      return {};
    }
    const ByteView bytes = in_.subspan(at_, size);
    at_ += size;
    return bytes;
  }
  ByteView blob() { return raw(u32()); }
  std::string_view short_string() {
    const ByteView bytes = raw(u8());
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  /// Marks the input as malformed; used by decoders for values out of range.
  void fail() { ok_ = false; }
  bool ok() const { return ok_; }
  /// True when everything was read and nothing was malformed.
  bool done() const { return ok_ && at_ == in_.size(); }
  std::size_t remaining() const { return ok_ ? in_.size() - at_ : 0; }
  std::size_t position() const { return at_; }

 private:
  template <class T>
  T get() {
    T v{};
    if (!ok_ || sizeof v > in_.size() - at_) {
      ok_ = false;
      return v;
    }
    std::memcpy(&v, in_.data() + at_, sizeof v);
    at_ += sizeof v;
    return v;
  }

  ByteView in_;
  std::size_t at_ = 0;
  bool ok_ = true;
};

}  // namespace coffer
