// The layout of client frames' bodies (grammar in protocol.h), for code inside this module that walks, copies or
// patches encoded bytes in place: a batch of thousands of items passes a proxy without being taken apart. Readers
// validate; they mark their ByteReader as malformed and never read past the end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/codec.h"
#include "core/router/protocol.h"

namespace coffer::router {

/// kind u8 | route u8 | zero u16 | shard u32 | patience_ms u32 | tenant u32 | principal u32
inline constexpr std::size_t request_header_size = 20;
inline constexpr std::size_t request_route_at = 1;
inline constexpr std::size_t request_shard_at = 4;
inline constexpr std::size_t request_patience_at = 8;
/// transfers: the count stands behind the header, the items behind the count.
inline constexpr std::size_t items_at = request_header_size + 4;
/// operation u8 | currency u32 | amount i64 stand before an item's id.
inline constexpr std::size_t item_id_at = 13;
/// An item without the characters of its two strings.
inline constexpr std::size_t item_fixed_size = 31;
/// kind u8 | status u8 | zero u16 | shard u32 | leader u32
inline constexpr std::size_t reply_header_size = 12;
inline constexpr std::size_t results_at = reply_header_size + 4;
inline constexpr std::size_t result_size = 44;

/// Whether this number names an outcome.
bool is_outcome(std::uint8_t number);
/// Whether `name` follows the grammar for account ids, reserved ones included.
bool is_account(std::string_view name);

RequestHeader read_request_header(ByteReader& in);

/// Writes into bytes sized beforehand: a batch is encoded without growing anything.
class Pen {
 public:
  explicit Pen(std::byte* at) : at_(at) {}
  template <class T>
  void put(T value) {
    std::memcpy(at_, &value, sizeof value);
    at_ += sizeof value;
  }
  void text(std::string_view text) {
    put(static_cast<std::uint8_t>(text.size()));
    if (!text.empty()) {
      std::memcpy(at_, text.data(), text.size());
      at_ += text.size();
    }
  }
  void result(const TransferResult& result) {
    put(static_cast<std::uint8_t>(result.outcome));
    put(static_cast<std::uint8_t>(result.replayed));
    put(std::uint16_t{0});
    put(result.shard.value);
    put(result.position.value);
    put(result.stamp.nanos);
    put(result.target.value);
    put(result.target_position.value);
    put(result.target_stamp.nanos);
  }
  const std::byte* at() const { return at_; }

 private:
  std::byte* at_;
};

/// Malformed unless it is known.
Currency get_currency(ByteReader& in);
/// Malformed unless ascending, without nobody, of at most nodes_in_list_max.
std::vector<NodeId> get_nodes(ByteReader& in);
void put_nodes(ByteWriter& out, const std::vector<NodeId>& nodes);
/// Malformed unless its outcome is known; any outcome may stand in a result.
TransferResult get_result(ByteReader& in);

/// Reads the items of a transfers request one by one; views point into the reader's bytes.
class ItemReader {
 public:
  /// Reads the count; malformed when zero, above transfers_max or more than the bytes can hold.
  explicit ItemReader(ByteReader& in);
  std::uint32_t count() const { return count_; }
  TransferItem next();

 private:
  ByteReader& in_;
  std::uint32_t count_ = 0;
  Currency known_;  ///< the last currency found in the table: batches repeat theirs
};

/// Where each item begins, and the end. Requires: `request` is a well-formed transfers request.
std::vector<std::uint32_t> item_offsets(ByteView request);

struct ReplyHeader {
  RequestKind kind = RequestKind::transfers;
  Outcome status = Outcome::success;
  ShardId shard;
  NodeId leader;
};
ReplyHeader read_reply_header(ByteReader& in);

/// The results of a successful transfers reply, in place.
class ResultsView {
 public:
  ResultsView() = default;
  /// `reply` is a whole transfers reply with status success. ok() is false unless every result in it is well formed.
  explicit ResultsView(ByteView reply);
  bool ok() const { return ok_; }
  std::size_t size() const { return bytes_.size() / result_size; }
  Outcome outcome(std::size_t at) const { return static_cast<Outcome>(bytes_[at * result_size]); }
  TransferResult operator[](std::size_t at) const;

 private:
  ByteView bytes_;
  bool ok_ = false;
};

template <class T>
T load(ByteView bytes, std::size_t at) {
  T value;
  check(at <= bytes.size() && sizeof value <= bytes.size() - at, "a load stays inside the bytes");
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

template <class T>
void store(Bytes& bytes, std::size_t at, T value) {
  check(at <= bytes.size() && sizeof value <= bytes.size() - at, "a store stays inside the bytes");
  std::memcpy(bytes.data() + at, &value, sizeof value);
}

}  // namespace coffer::router
